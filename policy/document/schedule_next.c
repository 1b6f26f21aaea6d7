/* When a schedule occurs. Days are counted first, as numbers since 1970-01-01 that no clock change touches; only then does the zone say at
 * which second the day shows the time. */
#include "policy/document/schedule.h"

#define DAY         86400
#define LAST        253402300799                /* year 9999 */
#define FIRST_WEEK  3                           /* 1970-01-04, a sunday */
#define FIRST_MONTH (1970 * 12)
#define NEVER       INT64_MAX

static int64_t modulo(int64_t a, int64_t b)
{
    return a % b + (a % b < 0 ? b : 0);
}

static int weekday_of(int64_t day)
{
    return (int)modulo(day + 4, 7);
}

static int64_t day_number(int64_t year, int64_t month, int64_t day)
{
    return zone_time(NULL, (struct civil){.year = (int)year, .month = (int)month, .day = (int)day}) / DAY;
}

static int64_t from_day(const struct schedule *s)
{
    return s->from.year ? day_number(s->from.year, s->from.month, s->from.day) : 0;
}

static int64_t days_from(const struct schedule *s, int64_t day)
{
    return day + modulo(from_day(s) - day, s->every);
}

static int64_t weeks_from(const struct schedule *s, int64_t day)
{
    int64_t first = s->from.year ? from_day(s) - weekday_of(from_day(s)) : FIRST_WEEK;

    for (;;) {
        int64_t week = (day - weekday_of(day) - first) / 7, late = modulo(week, s->every);
        if (late)
            day = first + (week + s->every - late) * 7;
        for (int i = weekday_of(day); i < 7; i++, day++)
            if (s->weekdays & 1u << i)
                return day;
    }
}

/* In the month that is so many months behind the year 0. */
static int64_t day_in_month(const struct schedule *s, int64_t month)
{
    int64_t first = day_number(month / 12, month % 12 + 1, 1), last = day_number(month / 12, month % 12 + 2, 1) - 1, day;

    if (s->kind == SCHEDULE_MONTH_DAY)
        return s->day && first + s->day - 1 < last ? first + s->day - 1 : last;
    for (day = s->nth ? first : last - 6; !(s->weekdays & 1u << weekday_of(day));)
        day++;
    day += (s->nth ? s->nth - 1 : 0) * 7 + s->offset_days;
    return day < last ? day : last;
}

static int64_t months_from(const struct schedule *s, int64_t day)
{
    struct civil c = zone_civil(NULL, day * DAY);
    int64_t      month = (int64_t)c.year * 12 + c.month - 1;
    int64_t      first = s->from.year ? (int64_t)s->from.year * 12 + s->from.month - 1 : FIRST_MONTH;

    for (month += modulo(first - month, s->every); day_in_month(s, month) < day;)
        month += s->every;
    return day_in_month(s, month);
}

/* The first day at or after this one on which it occurs. */
static int64_t occurs_from(const struct schedule *s, int64_t day)
{
    int64_t found = NEVER;

    day = day < from_day(s) ? from_day(s) : day;
    if (day > LAST / DAY)
        return NEVER;
    switch (s->kind) {
    case SCHEDULE_DAYS: found = days_from(s, day); break;
    case SCHEDULE_WEEKS: found = weeks_from(s, day); break;
    case SCHEDULE_MONTH_DAY: case SCHEDULE_MONTH_WEEKDAY: found = months_from(s, day); break;
    case SCHEDULE_ONCE: case SCHEDULE_HOURS: break;
    }
    return found > LAST / DAY ? NEVER : found;
}

/* The last day at or before this one; -1 when there is none. Between two occurrences lies at most their period, and a month's cut. */
static int64_t occurs_until(const struct schedule *s, int64_t day)
{
    int64_t period = s->kind == SCHEDULE_DAYS ? s->every : s->kind == SCHEDULE_WEEKS ? s->every * 7 : s->every * 31 + 31;
    int64_t found = -1;

    for (int64_t d = occurs_from(s, day - period); d <= day; d = occurs_from(s, d + 1))
        found = d;
    return found;
}

static int64_t at(const struct schedule *s, const struct zone *z, int64_t day)
{
    return zone_of_wall(z, day * DAY + s->hour * 3600 + s->minute * 60);
}

static int64_t hours_begin(const struct schedule *s, const struct zone *z)
{
    return zone_time(z, s->from.year ? s->from : (struct civil){.year = 1970, .month = 1, .day = 1});
}

static int64_t next_hours(const struct schedule *s, const struct zone *z, int64_t t)
{
    int64_t begin = hours_begin(s, z), step = (int64_t)s->every * 3600;

    return t < begin ? begin : begin + ((t - begin) / step + 1) * step;
}

/* The clock may have moved an occurrence into the next day, as when Samoa left one out, and may have gone back over midnight after it had
 * shown the next day's first minutes: the days before and behind t's are looked at as well. */
static int64_t next_day(const struct schedule *s, const struct zone *z, int64_t t)
{
    int64_t day = occurs_from(s, zone_wall(z, t) / DAY - 1), found = 0;

    for (; day != NEVER && (found = at(s, z, day)) <= t; found = 0)
        day = occurs_from(s, day + 1);
    return found;
}

static int64_t last_day(const struct schedule *s, const struct zone *z, int64_t t)
{
    int64_t day = occurs_until(s, zone_wall(z, t) / DAY + 1), found = 0;

    for (; day >= 0 && (found = at(s, z, day)) > t; found = 0)
        day = occurs_until(s, day - 1);
    return found;
}

int64_t schedule_next(const struct schedule *s, const struct zone *z, int64_t t)
{
    int64_t found;

    if (t >= LAST)
        return 0;
    t = t < 0 ? 0 : t;
    if (s->kind == SCHEDULE_ONCE)
        found = zone_time(z, s->from) > t ? zone_time(z, s->from) : 0;
    else
        found = s->kind == SCHEDULE_HOURS ? next_hours(s, z, t) : next_day(s, z, t);
    return found > LAST ? 0 : found;
}

int64_t schedule_last(const struct schedule *s, const struct zone *z, int64_t t)
{
    int64_t found, begin, step = (int64_t)s->every * 3600;

    if (t < 0)
        return 0;
    t = t > LAST ? LAST : t;
    if (s->kind == SCHEDULE_ONCE) {
        found = zone_time(z, s->from) <= t ? zone_time(z, s->from) : 0;
    } else if (s->kind == SCHEDULE_HOURS) {
        begin = hours_begin(s, z);
        found = t < begin ? 0 : begin + (t - begin) / step * step;
    } else {
        found = last_day(s, z, t);
    }
    return found < 0 ? 0 : found;
}
