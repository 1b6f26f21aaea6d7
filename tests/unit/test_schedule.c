#include "policy/document/schedule.h"

#include <time.h>

#include "tests/unit/paper.h"

#define HOUR 3600
#define DAY  86400
#define LAST 253402300799

static struct schedule schedule(const char *text)
{
    struct schedule s;
    struct error e;

    if (schedule_parse(text, &s, &e))
        fail_msg("\"%s\": %s", text, e.text);
    return s;
}

static struct zone *zone(const char *name)
{
    struct zone *z;

    assert_int_equal(zone_open(name, &z, NULL), OK);
    return z;
}

static int64_t utc(const char *text)
{
    int64_t t;
    struct error e;

    if (moment_read(text, 0, &t, &e))
        fail_msg("%s", e.text);
    return t;
}

/* Numbers that look random and are the same in every run. */
static uint64_t dice(uint64_t sides)
{
    static uint64_t x = 88172645463325252u;

    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    return x % sides;
}

/* --- the language --- */

static void printed(void **state)
{
    static const char *const table[][2] = {
        {"2026-11-30 22:00", NULL},
        {"2026-11-30", "2026-11-30 00:00"},
        {"daily 02:00", NULL},
        {"Daily", "daily 00:00"},
        {"daily 2:00", "daily 02:00"},
        {"every 1 day 02:00", "daily 02:00"},
        {"every 3 days 02:00 from 2026-11-01", NULL},
        {"SUN 01:00", "sunday 01:00"},
        {"saturday, sunday 22:00", NULL},
        {"sun,sat 22:00", "saturday, sunday 22:00"},
        {" wed ,mon,wed,Friday  ", "monday, wednesday, friday 00:00"},
        {"every 2 weeks saturday 22:00 from 2026-11-07", NULL},
        {"every 2 weeks saturday, sunday 22:00", NULL},
        {"tuesday 03:30 from 2026-11-01", NULL},
        {"monthly 15 02:00", NULL},
        {"monthly last 02:00", NULL},
        {"every 3 months 15 02:00 from 2026-11-15", NULL},
        {"second tuesday +1d 02:00", NULL},
        {"Second Tue +1D 02:00", "second tuesday +1d 02:00"},
        {"second tuesday +0d 02:00", "second tuesday 02:00"},
        {"last friday 20:00", NULL},
        {"monthly last friday 20:00", "last friday 20:00"},
        {"fourth sat", "fourth saturday 00:00"},
        {"every 3 months second tuesday 02:00 from 2026-11-01", NULL},
        {"every 2 months last sunday +7d 00:00", NULL},
        {"every 4 hours", NULL},
        {"every 1 hours", "every 1 hour"},
        {"every 4 hours from 2026-11-01 00:00", NULL},
        {"every 999 hours from 2026-11-01", "every 999 hours from 2026-11-01 00:00"},
        {"\tevery\n4  HOURS\r", "every 4 hours"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(table); i++) {
        struct schedule s = schedule(table[i][0]);
        char *text = schedule_print(&s);
        assert_string_equal(text, table[i][1] ? table[i][1] : table[i][0]);
        free(text);
    }
}

static void refused(void **state)
{
    static const char *const table[][2] = {
        {"", "column 1: the schedule ends here; accepted are a date such as 2026-11-30, daily, every, monthly, a weekday, and first"},
        {"   ", "column 4: the schedule ends here"},
        {"weekly", "column 1: \"weekly\" is not understood here; accepted are"},
        {"daily 24:00", "column 7: \"24:00\" is not understood here; a time of day such as 02:00, from with a date, or the end"},
        {"daily 02:60", "column 7: "},
        {"daily 2:5", "column 7: "},
        {"daily 02:00 03:00", "column 13: \"03:00\""},
        {"daily 02:00 from", "column 17: the schedule ends here; a date such as 2026-11-01"},
        {"daily 02:00 from 2026-02-29", "column 18: \"2026-02-29\""},
        {"daily 02:00 from 2026-11-01 02:00", "column 29: \"02:00\" is not understood here; the end was expected"},
        {"daily 02:00 from 1969-12-31", "column 18: "},
        {"2026-13-01", "column 1: \"2026-13-01\""},
        {"2026-11-31 22:00", "column 1: "},
        {"2026-11-30 22", "column 12: \"22\" is not understood here; a time of day such as 22:00 or the end"},
        {"2026-11-30T22:00", "column 1: "},
        {"sunday,", "column 8: the schedule ends here; a weekday was expected"},
        {"sunday monday", "column 8: \"monday\""},
        {"sunday, 01:00", "column 9: \"01:00\" is not understood here; a weekday was expected"},
        {"every", "column 6: the schedule ends here; a number was expected: every 1 … 999"},
        {"every 0 days", "column 7: "},
        {"every 1000 days", "column 7: "},
        {"every -1 days", "column 7: "},
        {"every 2 years", "column 9: \"years\" is not understood here; hours, days, weeks or months"},
        {"every 2 weeks", "column 14: the schedule ends here; a weekday"},
        {"every 2 weeks 02:00", "column 15: "},
        {"every 2 months", "column 15: the schedule ends here; a day of the month was expected: 1 … 31, last, or such as second tuesday"},
        {"every 4 hours 02:00", "column 15: \"02:00\" is not understood here; from with a date and a time"},
        {"monthly 0", "column 9: "},
        {"monthly 32 02:00", "column 9: "},
        {"monthly 02:00", "column 9: "},
        {"fifth tuesday", "column 1: "},
        {"second", "column 7: the schedule ends here; a weekday was expected, such as tuesday in"},
        {"second 02:00", "column 8: "},
        {"second tuesday, friday", "column 15: \",\""},
        {"second tuesday +8d", "column 16: \"+8d\" is not understood here; +0d … +7d"},
        {"second tuesday +d", "column 16: "},
        {"second tuesday +1", "column 16: "},
        {"second tuesday +1h 02:00", "column 16: "},
        {"last", "column 5: "},
    };
    struct schedule s = {.kind = SCHEDULE_HOURS, .every = 77};
    struct error e;
    char *longest = must_print("daily%*s", 195, "");

    (void)state;
    for (size_t i = 0; i < COUNT(table); i++) {
        if (schedule_parse(table[i][0], &s, &e) != ERR_USAGE)
            fail_msg("\"%s\" is accepted", table[i][0]);
        if (strncmp(e.text, table[i][1], strlen(table[i][1])))
            fail_msg("\"%s\": %s", table[i][0], e.text);
    }
    assert_int_equal(s.every, 77); /* untouched */
    assert_int_equal(schedule_parse(longest, &s, &e), OK);
    free(longest);
    longest = must_print("daily%*s", 196, "");
    assert_int_equal(schedule_parse(longest, &s, &e), ERR_USAGE);
    assert_non_null(strstr(e.text, "201 bytes; at most 200"));
    free(longest);
}

static struct civil some_date(void)
{
    return zone_civil(NULL, (int64_t)(dice(40000)) * DAY);
}

static struct schedule some_schedule(void)
{
    struct schedule s = {.kind = (enum schedule_kind)dice(6), .every = 1};

    if (s.kind == SCHEDULE_ONCE || dice(2))
        s.from = some_date();
    s.from.weekday = 0;
    if (s.kind == SCHEDULE_ONCE || (s.kind == SCHEDULE_HOURS && s.from.year)) {
        s.from.hour = (int)dice(24);
        s.from.minute = (int)dice(60);
    } else if (s.kind != SCHEDULE_HOURS) {
        s.hour = (int)dice(24);
        s.minute = (int)dice(60);
    }
    if (s.kind != SCHEDULE_ONCE && dice(2))
        s.every = 1 + (int)dice(dice(10) ? 12 : 999);
    if (s.kind == SCHEDULE_WEEKS)
        s.weekdays = 1 + (unsigned)dice(127);
    if (s.kind == SCHEDULE_MONTH_DAY)
        s.day = (int)dice(32);
    if (s.kind == SCHEDULE_MONTH_WEEKDAY) {
        s.weekdays = 1u << dice(7);
        s.nth = (int)dice(5);
        s.offset_days = (int)dice(8);
    }
    return s;
}

static bool same(const struct schedule *a, const struct schedule *b)
{
    return a->kind == b->kind && a->every == b->every && a->weekdays == b->weekdays && a->day == b->day && a->nth == b->nth &&
           a->offset_days == b->offset_days && a->from.year == b->from.year && a->from.month == b->from.month &&
           a->from.day == b->from.day && a->from.hour == b->from.hour && a->from.minute == b->from.minute && a->hour == b->hour &&
           a->minute == b->minute;
}

static void prints_and_parses_to_the_same(void **state)
{
    (void)state;
    for (int i = 0; i < 20000; i++) {
        struct schedule s = some_schedule(), back;
        char *text = schedule_print(&s), *again;
        struct error e;

        if (schedule_parse(text, &back, &e))
            fail_msg("%s: %s", text, e.text);
        again = schedule_print(&back);
        if (!same(&s, &back) || strcmp(text, again))
            fail_msg("%s became %s", text, again);
        free(text);
        free(again);
    }
}

/* --- when --- */

/* One by one after a moment; "-" is none. And back again. */
static void some_occurrences(void **state)
{
    static const struct {
        const char *text, *zone, *after;
        const char *utc[4];
    } table[] = {
        {"2026-11-30 22:00", "Europe/Berlin", "2026-11-01 00:00", {"2026-11-30T21:00:00Z", "-"}},
        {"2026-11-30 22:00", "UTC", "2026-11-30 22:00", {"-"}},
        {"daily 02:00", "UTC", "2026-11-01 02:00", {"2026-11-02T02:00:00Z", "2026-11-03T02:00:00Z"}},
        {"daily 02:00", "UTC", "2026-11-01 01:59", {"2026-11-01T02:00:00Z"}},
        /* two o'clock that does not exist is three; of two, the first counts, and it occurs once */
        {"daily 02:30", "Europe/Berlin", "2026-03-28 12:00", {"2026-03-29T01:30:00Z", "2026-03-30T00:30:00Z"}},
        {"daily 02:30", "Europe/Berlin", "2026-10-24 12:00", {"2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"}},
        {"daily 02:15", "Australia/Lord_Howe", "2026-10-03 00:00", {"2026-10-03T15:45:00Z", "2026-10-04T15:15:00Z"}},
        {"daily 01:45", "Australia/Lord_Howe", "2026-04-04 12:00", {"2026-04-04T14:45:00Z", "2026-04-05T15:15:00Z"}},
        {"daily 02:30", "America/New_York", "2026-03-07 12:00", {"2026-03-08T07:30:00Z", "2026-03-09T06:30:00Z"}},
        /* the day Samoa left out falls on the next: once */
        {"daily 02:00", "Pacific/Apia", "2011-12-29 00:00", {"2011-12-29T12:00:00Z", "2011-12-30T12:00:00Z", "2011-12-31T12:00:00Z"}},
        {"friday 02:00", "Pacific/Apia", "2011-12-30 11:00", {"2011-12-30T12:00:00Z", "2012-01-05T12:00:00Z"}},
        /* a minute after midnight it was an hour before: the day has begun already */
        {"daily", "America/St_Johns", "2010-11-07 02:45", {"2010-11-08T03:30:00Z"}},
        {"every 3 days 02:00 from 2026-11-01", "UTC", "2026-10-01 00:00", {"2026-11-01T02:00:00Z", "2026-11-04T02:00:00Z"}},
        {"every 2 weeks saturday 22:00 from 2026-11-07", "UTC", "2026-10-01 00:00", {"2026-11-07T22:00:00Z", "2026-11-21T22:00:00Z"}},
        {"every 2 weeks mon, fri from 2026-11-04",
         "UTC",
         "2026-10-01 00:00",
         {"2026-11-06T00:00:00Z", "2026-11-16T00:00:00Z", "2026-11-20T00:00:00Z", "2026-11-30T00:00:00Z"}},
        {"every 2 weeks sat, sun",
         "UTC",
         "1970-01-01 00:00",
         {"1970-01-04T00:00:00Z", "1970-01-10T00:00:00Z", "1970-01-18T00:00:00Z", "1970-01-24T00:00:00Z"}},
        {"thursday", "UTC", "1970-01-01 00:00", {"1970-01-08T00:00:00Z"}},
        {"monthly 31 02:00",
         "UTC",
         "2027-12-30 00:00",
         {"2027-12-31T02:00:00Z", "2028-01-31T02:00:00Z", "2028-02-29T02:00:00Z", "2028-03-31T02:00:00Z"}},
        {"monthly 30", "UTC", "2026-01-30 00:00", {"2026-02-28T00:00:00Z", "2026-03-30T00:00:00Z"}},
        {"monthly last", "UTC", "2026-01-31 00:00", {"2026-02-28T00:00:00Z", "2026-03-31T00:00:00Z", "2026-04-30T00:00:00Z"}},
        {"every 3 months 15 02:00 from 2026-11-15", "UTC", "2026-01-01 00:00", {"2026-11-15T02:00:00Z", "2027-02-15T02:00:00Z"}},
        {"every 3 months 15 from 2026-11-16", "UTC", "2026-01-01 00:00", {"2027-02-15T00:00:00Z"}},
        {"every 12 months 29 from 2028-02-01", "UTC", "2028-02-28 00:00", {"2028-02-29T00:00:00Z", "2029-02-28T00:00:00Z"}},
        {"second tuesday +1d 02:00", "UTC", "2026-11-01 00:00", {"2026-11-11T02:00:00Z", "2026-12-09T02:00:00Z"}},
        {"first sunday", "UTC", "2026-10-31 00:00", {"2026-11-01T00:00:00Z", "2026-12-06T00:00:00Z"}},
        {"fourth saturday", "UTC", "2026-11-01 00:00", {"2026-11-28T00:00:00Z"}},
        {"last friday 20:00", "UTC", "2026-10-30 20:00", {"2026-11-27T20:00:00Z", "2026-12-25T20:00:00Z"}},
        {"last friday +5d", "UTC", "2026-10-31 00:00", {"2026-11-30T00:00:00Z", "2026-12-30T00:00:00Z", "2027-01-31T00:00:00Z"}},
        {"every 3 months second tuesday from 2026-11-01", "UTC", "2026-10-01 00:00", {"2026-11-10T00:00:00Z", "2027-02-09T00:00:00Z"}},
        {"every 4 hours", "UTC", "2026-11-01 01:00", {"2026-11-01T04:00:00Z", "2026-11-01T08:00:00Z"}},
        /* real hours: the clock change moves them */
        {"every 12 hours from 2026-10-24 08:00",
         "Europe/Berlin",
         "2026-10-01 00:00",
         {"2026-10-24T06:00:00Z", "2026-10-24T18:00:00Z", "2026-10-25T06:00:00Z"}},
        {"every 5 hours from 2026-11-01 01:30", "UTC", "2026-11-01 01:30", {"2026-11-01T06:30:00Z", "2026-11-01T11:30:00Z"}},
        {"daily", "UTC", "9999-12-31 00:00", {"-"}},
        {"every 5 weeks sunday from 9999-12-05", "UTC", "9999-11-01 00:00", {"9999-12-05T00:00:00Z", "-"}},
        {"every 2 months 1", "UTC", "9999-11-01 00:00", {"-"}},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(table); i++) {
        struct schedule s = schedule(table[i].text);
        struct zone *z = zone(table[i].zone);
        int64_t t = utc(table[i].after), before, last;
        char text[TIME_SIZE];

        for (size_t k = 0; k < 4 && table[i].utc[k]; k++) {
            before = t;
            t = schedule_next(&s, z, t);
            if (strcmp(time_print(t, text), table[i].utc[k]))
                fail_msg("%s (%zu): %s, expected %s", table[i].text, k, text, table[i].utc[k]);
            if (!t)
                break;
            assert_int_equal(schedule_last(&s, z, t), t);
            last = schedule_last(&s, z, before);
            assert_true(schedule_last(&s, z, t - 1) == last && (!last || schedule_next(&s, z, last) == t));
        }
        zone_close(z);
    }
}

/* The same said once more, slowly: does it occur on this day (of libc's calendar)? */
static int month_length(const struct tm *day)
{
    struct tm tm = {.tm_year = day->tm_year, .tm_mon = day->tm_mon + 1, .tm_mday = 0};

    timegm(&tm);
    return tm.tm_mday;
}

static int nth_weekday(const struct schedule *s, const struct tm *day)
{
    int hits = 0, found = 0;

    for (int d = 1; d <= month_length(day); d++)
        if (s->weekdays & 1u << (day->tm_wday - day->tm_mday + d + 35) % 7 && (!s->nth || ++hits == s->nth))
            found = d;
    found += s->offset_days;
    return found < month_length(day) ? found : month_length(day);
}

static bool occurs(const struct schedule *s, int64_t number)
{
    int64_t from =
        s->from.year ? zone_time(NULL, (struct civil){.year = s->from.year, .month = s->from.month, .day = s->from.day}) / DAY : 0;
    time_t t = (time_t)(number * DAY), t0 = (time_t)(from * DAY);
    struct tm day, first;
    int64_t months;

    gmtime_r(&t, &day);
    gmtime_r(&t0, &first);
    months = (day.tm_year - first.tm_year) * 12 + day.tm_mon - first.tm_mon;
    if (number < from)
        return false;
    if (s->kind == SCHEDULE_DAYS)
        return (number - from) % s->every == 0;
    if (s->kind == SCHEDULE_WEEKS) {
        int64_t sunday = s->from.year ? from - first.tm_wday : 3;
        return (s->weekdays & 1u << day.tm_wday) && (number - day.tm_wday - sunday) / 7 % s->every == 0;
    }
    if (months % s->every)
        return false;
    if (s->kind == SCHEDULE_MONTH_DAY)
        return day.tm_mday == (s->day && s->day < month_length(&day) ? s->day : month_length(&day));
    return day.tm_mday == nth_weekday(s, &day);
}

static void against_the_calendar(const struct schedule *s, const struct zone *z, int64_t from_number, int64_t until_number)
{
    int64_t expected = 0, found = schedule_next(s, z, from_number * DAY + 2 * DAY), hits = 0;
    char *text = schedule_print(s);

    for (int64_t number = from_number; number < until_number; number++) {
        int64_t at = zone_time(z, (struct civil){.year = 1970, .month = 1, .day = (int)number + 1, .hour = s->hour, .minute = s->minute});
        if (!occurs(s, number) || at <= from_number * DAY + 2 * DAY || at == expected)
            continue;
        if (found != at)
            fail_msg("%s in %s: %lld after %lld, expected %lld", text, zone_name(z), (long long)found, (long long)expected, (long long)at);
        if (hits++ && schedule_last(s, z, at - 1) != expected)
            fail_msg("%s in %s: last before %lld is not %lld", text, zone_name(z), (long long)at, (long long)expected);
        assert_int_equal(schedule_last(s, z, at), at);
        expected = at;
        found = schedule_next(s, z, at);
    }
    free(text);
}

static const char *const zones[] = {"UTC",          "Europe/Berlin",    "America/New_York",  "Australia/Lord_Howe",
                                    "Pacific/Apia", "America/St_Johns", "America/Sao_Paulo", "Asia/Kathmandu"};

/* Six years each, in summer and winter, with two leap days. */
static void any_schedule_over_years(void **state)
{
    (void)state;
    for (int i = 0; i < 700; i++) {
        struct schedule s = some_schedule();
        struct zone *z = zone(zones[(size_t)i % COUNT(zones)]);
        int64_t begin = 13149 + (int64_t)dice(7000); /* from 2006 on */

        if (s.from.year) {
            s.from = zone_civil(NULL, (begin - 300 + (int64_t)dice(1000)) * DAY);
            s.from.weekday = 0;
        }
        if (s.kind != SCHEDULE_ONCE && s.kind != SCHEDULE_HOURS)
            against_the_calendar(&s, z, begin, begin + 6 * 366);
        zone_close(z);
    }
}

/* Of any moment: nothing lies between last and next. */
static void next_and_last_are_inverse(void **state)
{
    (void)state;
    for (int i = 0; i < 3000; i++) {
        struct schedule s = some_schedule();
        struct zone *z = i % 10 ? NULL : zone(zones[dice(COUNT(zones))]);
        for (int k = 0; k < 20; k++) {
            int64_t t = (int64_t)dice(4102444800), next = schedule_next(&s, z, t), last = schedule_last(&s, z, t);
            assert_true((!next || next > t) && last <= t && last >= 0);
            if (next)
                assert_true(schedule_last(&s, z, next) == next && schedule_last(&s, z, next - 1) == last);
            if (last)
                assert_true(schedule_next(&s, z, last) == next && schedule_next(&s, z, last - 1) == last);
        }
        zone_close(z);
    }
}

static void at_the_ends_of_time(void **state)
{
    static const int64_t moments[] = {INT64_MIN, -1, 0, 1, LAST - DAY, LAST - 1, LAST, LAST + 1, INT64_MAX};
    struct zone *z = zone("Pacific/Kiritimati");

    (void)state;
    for (int i = 0; i < 5000; i++) {
        struct schedule s = some_schedule();
        for (size_t k = 0; k < COUNT(moments); k++) {
            int64_t next = schedule_next(&s, z, moments[k]), last = schedule_last(&s, z, moments[k]);
            assert_true(next == 0 || (next > 0 && next > moments[k] && next <= LAST));
            assert_true(last == 0 || (last > 0 && last <= moments[k] && last <= LAST));
        }
    }
    zone_close(z);
}

/* --- moments --- */

static void moments(void **state)
{
    static const struct {
        const char *text, *utc;
    } table[] = {
        {"now", "2026-11-24T21:00:00Z"},
        {"+2h", "2026-11-24T23:00:00Z"},
        {"2026-11-25T06:00:00Z", "2026-11-25T06:00:00Z"},
        {"2026-11-25 06:00", "2026-11-25T06:00:00Z"}, /* UTC, as it says */
        {"22:00", "2026-11-25T21:00:00Z"},            /* it is 22:00 in Berlin now: the next one */
        {"22:01", "2026-11-24T21:01:00Z"},
        {"6:30", "2026-11-25T05:30:00Z"},
        {"tomorrow 06:00", "2026-11-25T05:00:00Z"},
        {"Tomorrow 23:30", "2026-11-25T22:30:00Z"},
        {"tomorrow", "2026-11-24T23:00:00Z"},
        {"friday 22:00", "2026-11-27T21:00:00Z"},
        {"fri", "2026-11-26T23:00:00Z"},
        {"tuesday 22:00", "2026-12-01T21:00:00Z"}, /* today, but over */
        {"tuesday 23:00", "2026-11-24T22:00:00Z"},
        {"sat, sun 22:00", "2026-11-28T21:00:00Z"},
        {"second tuesday 02:00", "2026-12-08T01:00:00Z"},
        {"last friday +1d 20:00", "2026-11-28T19:00:00Z"},
    };
    static const char *const bad[] = {"",
                                      "yesterday",
                                      "24:00",
                                      "tomorrow 24:00",
                                      "tomorrow 06:00 sharp",
                                      "every 4 hours",
                                      "daily 2:00",
                                      "monthly 15 02:00",
                                      "friday from 2026-12-01",
                                      "every 2 weeks friday",
                                      "22",
                                      "2026-13-01 00:00"};
    struct zone *z = zone("Europe/Berlin");
    int64_t now = utc("2026-11-24 21:00"), t;
    char text[TIME_SIZE], *longest = must_print("tomorrow%*s06:00", 300, "");
    struct error e;

    (void)state;
    for (size_t i = 0; i < COUNT(table); i++) {
        if (schedule_moment(table[i].text, z, now, &t, &e))
            fail_msg("%s: %s", table[i].text, e.text);
        if (strcmp(time_print(t, text), table[i].utc))
            fail_msg("%s: %s, expected %s", table[i].text, text, table[i].utc);
    }
    for (size_t i = 0; i < COUNT(bad); i++) {
        if (schedule_moment(bad[i], z, now, &t, &e) != ERR_USAGE)
            fail_msg("\"%s\" is accepted", bad[i]);
        assert_non_null(strstr(e.text, "accepted are now, +2h"));
    }
    assert_int_equal(schedule_moment(longest, z, now, &t, &e), ERR_USAGE);
    free(longest);
    zone_close(z);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(printed),
        cmocka_unit_test(refused),
        cmocka_unit_test(prints_and_parses_to_the_same),
        cmocka_unit_test(some_occurrences),
        cmocka_unit_test(any_schedule_over_years),
        cmocka_unit_test(next_and_last_are_inverse),
        cmocka_unit_test(at_the_ends_of_time),
        cmocka_unit_test(moments),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
