#include "policy/document/zone.h"

#include <ctype.h>
#include <glib.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

#define DAY         86400
#define FIRST       (-62135596800)              /* year 1 */
#define LAST        253402300799                /* year 9999 */
#define TABLE_BEGIN 0
#define TABLE_END   4102444800                  /* 2100: behind it the last offset stays */
#define OFFSET_MOST (26 * 3600)                 /* no two wall clocks of the earth differ by more */

/* GTimeZone searches its intervals one after the other, a microsecond each time; a search for windows asks a hundred thousand times. So the
 * offsets are copied out once, and found by halving. */
struct span {
    int64_t since;
    int64_t offset;                             /* wall clock - UTC */
};
struct zone {
    char        *name;
    size_t       count;
    struct span *spans;                         /* the first counts for everything before as well */
};

static struct span       utc_span = {FIRST, 0};
static const struct zone utc = {(char *)(uintptr_t) "UTC", 1, &utc_span};

static void spans_add(struct zone *z, int64_t since, int64_t offset)
{
    if (z->count && z->spans[z->count - 1].offset == offset)
        return;
    z->spans = must_grow(z->spans, z->count + 1, sizeof *z->spans);
    z->spans[z->count++] = (struct span){since, offset};
}

static int interval(GTimeZone *tz, int64_t t)
{
    return g_time_zone_find_interval(tz, G_TIME_TYPE_UNIVERSAL, t);
}

/* The begin of every interval of GLib's between the two; they are numbered in order. */
static void spans_copy(struct zone *z, GTimeZone *tz)
{
    int64_t low, high = TABLE_BEGIN;
    int     here = interval(tz, TABLE_BEGIN), last = interval(tz, TABLE_END);

    spans_add(z, FIRST, g_time_zone_get_offset(tz, here));
    while (here < last) {
        low = high;                             /* in here; high gets behind it, then nearer */
        for (int64_t step = 100 * DAY; interval(tz, high) == here; step *= 2)
            high = low + step < TABLE_END ? low + step : TABLE_END;
        while (high - low > 1) {
            int64_t middle = low + (high - low) / 2;
            if (interval(tz, middle) == here)
                low = middle;
            else
                high = middle;
        }
        here = interval(tz, high);
        spans_add(z, high, g_time_zone_get_offset(tz, here));
    }
}

/* GLib takes more than IANA's names: paths, and POSIX rules in which UTC+2 lies west of Greenwich. */
static bool name_is_iana(const char *name)
{
    static const char *const with_digits[] = {"EST5EDT", "CST6CDT", "MST7MDT", "PST8PDT"};
    size_t                   n = strlen(name);

    if (n > 64 || !isupper((unsigned char)*name) || strstr(name, "//") || name[n - 1] == '/' ||
        strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_+-/") != n)
        return false;
    if (strchr(name, '/') || !strpbrk(name, "0123456789+"))
        return true;
    for (size_t i = 0; i < COUNT(with_digits); i++)
        if (!strcmp(name, with_digits[i]))
            return true;
    return false;
}

enum err zone_open(const char *name, struct zone **out, struct error *e)
{
    GTimeZone *tz;

    if (!*name || !strcmp(name, "UTC")) {
        *out = NULL;
        return OK;
    }
    tz = name_is_iana(name) ? g_time_zone_new_identifier(name) : NULL;
    if (!tz)
        return fail(e, ERR_NOT_FOUND, "no time zone \"%.64s\" is known here; a zone is named like Europe/Berlin or UTC", name);
    *out = must_alloc(sizeof **out);
    (*out)->name = must_copy(name);
    spans_copy(*out, tz);
    g_time_zone_unref(tz);
    return OK;
}

void zone_close(struct zone *z)
{
    if (!z)
        return;
    free(z->spans);
    free(z->name);
    free(z);
}

const char *zone_name(const struct zone *z)
{
    return z ? z->name : utc.name;
}

static size_t span_of(const struct zone *z, int64_t t)
{
    size_t low = 0, high = z->count;

    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (z->spans[middle].since <= t)
            low = middle;
        else
            high = middle;
    }
    return low;
}

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

/* Days since 1970 of the proleptic Gregorian calendar, in which March begins the year and eras have 400. */
static int64_t days_of(int64_t year, int64_t month, int64_t day)
{
    int64_t era, of_era;

    year += floor_div(month - 1, 12);
    month -= floor_div(month - 1, 12) * 12;
    year -= month <= 2;
    era = floor_div(year, 400);
    of_era = year - era * 400;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1 - 719468;
}

int64_t zone_wall(const struct zone *zone, int64_t t)
{
    const struct zone *z = zone ? zone : &utc;
    int64_t            clamped = t < FIRST ? FIRST : t > LAST ? LAST : t;

    return clamped + z->spans[span_of(z, clamped)].offset;
}

struct civil zone_civil(const struct zone *zone, int64_t t)
{
    int64_t      wall = zone_wall(zone, t), days = floor_div(wall, DAY), second = wall - days * DAY;
    int64_t      shifted = days + 719468, era = floor_div(shifted, 146097), day_of_era = shifted - era * 146097;
    int64_t      year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t      day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t      month = (5 * day_of_year + 2) / 153;
    struct civil c = {.day = (int)(day_of_year - (153 * month + 2) / 5 + 1), .month = (int)(month < 10 ? month + 3 : month - 9)};

    c.year = (int)(year_of_era + era * 400 + (c.month <= 2));
    c.hour = (int)(second / 3600);
    c.minute = (int)(second / 60 % 60);
    c.second = (int)(second % 60);
    c.weekday = (int)(days + 4 - floor_div(days + 4, 7) * 7);   /* 1970-01-01 was a thursday */
    return c;
}

static int64_t wall_time(const struct zone *zone, int64_t wall)
{
    const struct zone *z = zone ? zone : &utc;

    for (size_t i = span_of(z, wall - OFFSET_MOST);; i++) {
        int64_t t = wall - z->spans[i].offset;
        if (i && t < z->spans[i].since)         /* the span before ended without showing it, this one begins behind it: a gap */
            return wall - z->spans[i - 1].offset;
        if (i + 1 == z->count || t < z->spans[i + 1].since)
            return t;
    }
}

int64_t zone_time(const struct zone *zone, struct civil c)
{
    return wall_time(zone, days_of(c.year, c.month, c.day) * DAY + (int64_t)c.hour * 3600 + (int64_t)c.minute * 60 + c.second);
}

int64_t zone_of_wall(const struct zone *zone, int64_t as_if_utc)
{
    return wall_time(zone, as_if_utc < FIRST ? FIRST : as_if_utc > LAST ? LAST : as_if_utc);
}
