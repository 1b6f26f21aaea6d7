#include "policy/document/zone.h"

#include <time.h>

#include "tests/unit/paper.h"

#define HOUR  3600
#define DAY   86400
#define Y1990 631152000
#define Y2037 2114380800

static const char *const zones[] = {
    "Europe/Berlin",       "America/New_York",
    "Australia/Lord_Howe", "America/St_Johns",
    "Asia/Kathmandu",      "Pacific/Apia",
    "America/Sao_Paulo",   "Europe/Dublin",
    "Africa/Casablanca",   "Asia/Tehran",
    "Pacific/Kiritimati",  "Antarctica/Troll",
    "America/Caracas",     "EST5EDT",
    "Etc/GMT+5",           "Etc/UTC",
    "Asia/Beirut",         "America/Argentina/Buenos_Aires",
};

static struct zone *zone(const char *name)
{
    struct zone *z;
    struct error e;

    if (zone_open(name, &z, &e))
        fail_msg("%s", e.text);
    return z;
}

/* Numbers that look random and are the same in every run. */
static uint64_t dice(void)
{
    static uint64_t x = 88172645463325252u;

    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    return x;
}

static void libc_zone(const char *name)
{
    setenv("TZ", name, 1);
    tzset();
}

static struct tm libc_civil(int64_t t)
{
    time_t at = (time_t)t;
    struct tm tm;

    assert_non_null(localtime_r(&at, &tm));
    return tm;
}

static bool same(struct civil c, struct tm tm)
{
    return c.year == tm.tm_year + 1900 && c.month == tm.tm_mon + 1 && c.day == tm.tm_mday && c.hour == tm.tm_hour &&
           c.minute == tm.tm_min && c.second == tm.tm_sec && c.weekday == tm.tm_wday;
}

static void civil_as_libc(const struct zone *z, int64_t t)
{
    struct civil c = zone_civil(z, t);

    if (!same(c, libc_civil(t)))
        fail_msg("%s at %lld: %d-%d-%d %d:%d:%d", zone_name(z), (long long)t, c.year, c.month, c.day, c.hour, c.minute, c.second);
}

/* What zone_time should say, from libc alone: the earliest moment that shows this wall clock; none: the offset before the gap. */
static int64_t libc_time(int64_t wall)
{
    int64_t offsets[2], best = INT64_MAX;

    offsets[0] = libc_civil(wall - 36 * HOUR).tm_gmtoff;
    offsets[1] = libc_civil(wall + 36 * HOUR).tm_gmtoff;
    for (int i = 0; i < 2; i++)
        if (libc_civil(wall - offsets[i]).tm_gmtoff == offsets[i] && wall - offsets[i] < best)
            best = wall - offsets[i];
    return best == INT64_MAX ? wall - offsets[0] : best;
}

static void time_as_libc(const struct zone *z, int64_t wall)
{
    int64_t t = zone_of_wall(z, wall);

    if (zone_wall(z, wall) != wall + libc_civil(wall).tm_gmtoff)
        fail_msg("%s at %lld: wall clock %lld", zone_name(z), (long long)wall, (long long)zone_wall(z, wall));
    if (t != libc_time(wall) || zone_time(z, zone_civil(NULL, wall)) != t)
        fail_msg("%s, wall clock %lld: %lld, expected %lld", zone_name(z), (long long)wall, (long long)t, (long long)libc_time(wall));
}

static void at_random(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(zones); i++) {
        struct zone *z = zone(zones[i]);
        libc_zone(zones[i]);
        for (int n = 0; n < 4000; n++) {
            int64_t t = Y1990 + (int64_t)(dice() % (Y2037 - Y1990));
            civil_as_libc(z, t);
            time_as_libc(z, t);
        }
        zone_close(z);
    }
}

/* The hours around every clock change, where everything that can go wrong does. */
static void at_every_change(void **state)
{
    int changes = 0;

    (void)state;
    for (size_t i = 0; i < COUNT(zones); i++) {
        struct zone *z = zone(zones[i]);
        libc_zone(zones[i]);
        for (int64_t t = Y1990; t < Y2037; t += 6 * HOUR) {
            if (libc_civil(t).tm_gmtoff == libc_civil(t + 6 * HOUR).tm_gmtoff)
                continue;
            changes++;
            for (int64_t near = t - HOUR; near < t + 7 * HOUR; near += 291)
                civil_as_libc(z, near);
            for (int64_t wall = t - 26 * HOUR; wall < t + 26 * HOUR; wall += 900)
                time_as_libc(z, wall);
        }
        zone_close(z);
    }
    assert_true(changes > 800);
}

static void behind_2037(void **state)
{
    struct zone *z = zone("Europe/Berlin");

    (void)state;
    libc_zone("Europe/Berlin");
    for (int64_t t = Y2037; t < 4102444800 - DAY; t += 5 * DAY + 77)
        civil_as_libc(z, t);
    zone_close(z);
}

static void utc(void **state)
{
    struct zone *z = zone("UTC");

    (void)state;
    assert_null(z);
    assert_null(zone(""));
    assert_string_equal(zone_name(NULL), "UTC");
    libc_zone("UTC");
    for (int64_t t = -62135596800; t < 253402300799; t += 31 * DAY + 12345) {
        civil_as_libc(NULL, t);
        assert_int_equal(zone_time(NULL, zone_civil(NULL, t)), t);
        assert_int_equal(zone_of_wall(NULL, t), t);
    }
    zone_close(NULL);
}

static void gaps_and_doubles(void **state)
{
    static const struct {
        const char *zone;
        struct civil wall;
        const char *utc;
    } table[] = {
        {"Europe/Berlin", {2026, 3, 29, 1, 59, 59, 0}, "2026-03-29T00:59:59Z"},
        {"Europe/Berlin", {2026, 3, 29, 2, 0, 0, 0}, "2026-03-29T01:00:00Z"},  /* there is no two o'clock: three */
        {"Europe/Berlin", {2026, 3, 29, 2, 30, 0, 0}, "2026-03-29T01:30:00Z"}, /* half past three */
        {"Europe/Berlin", {2026, 3, 29, 3, 0, 0, 0}, "2026-03-29T01:00:00Z"},
        {"Europe/Berlin", {2026, 10, 25, 2, 30, 0, 0}, "2026-10-25T00:30:00Z"}, /* the first of two */
        {"Europe/Berlin", {2026, 10, 25, 3, 0, 0, 0}, "2026-10-25T02:00:00Z"},
        {"America/New_York", {2026, 3, 8, 2, 30, 0, 0}, "2026-03-08T07:30:00Z"},
        {"America/New_York", {2026, 11, 1, 1, 30, 0, 0}, "2026-11-01T05:30:00Z"},
        {"Australia/Lord_Howe", {2026, 10, 4, 2, 15, 0, 0}, "2026-10-03T15:45:00Z"}, /* half an hour is left out */
        {"Australia/Lord_Howe", {2026, 4, 5, 1, 45, 0, 0}, "2026-04-04T14:45:00Z"},
        {"Pacific/Apia", {2011, 12, 30, 12, 0, 0, 0}, "2011-12-30T22:00:00Z"},    /* a day is left out: noon of the 31st */
        {"America/Sao_Paulo", {2018, 11, 4, 0, 0, 0, 0}, "2018-11-04T03:00:00Z"}, /* a day without midnight */
        {NULL, {2026, 3, 29, 2, 30, 0, 0}, "2026-03-29T02:30:00Z"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(table); i++) {
        struct zone *z = table[i].zone ? zone(table[i].zone) : NULL;
        char text[TIME_SIZE];

        time_print(zone_time(z, table[i].wall), text);
        if (strcmp(text, table[i].utc))
            fail_msg("%s, case %zu: %s, expected %s", zone_name(z), i, text, table[i].utc);
        zone_close(z);
    }
}

static void members_carry_over(void **state)
{
    struct zone *z = zone("Europe/Berlin");
    struct civil day = {.year = 2026, .month = 1, .day = 1};
    int64_t begin = zone_time(z, day);

    (void)state;
    for (int i = -800; i < 800; i++) {
        struct civil c = day;
        c.day += i;
        c = zone_civil(z, zone_time(z, c));
        assert_int_equal(zone_time(NULL, c), zone_time(NULL, day) + (int64_t)i * DAY);
    }
    assert_int_equal(zone_time(z, (struct civil){.year = 2025, .month = 13, .day = 1}), begin);
    assert_int_equal(zone_time(z, (struct civil){.year = 2027, .month = -11, .day = 1}), begin);
    assert_int_equal(zone_time(z, (struct civil){.year = 2025, .month = 12, .day = 32}), begin);
    assert_int_equal(zone_time(z, (struct civil){.year = 2025, .month = 12, .day = 31, .hour = 25}), begin + HOUR);
    assert_int_equal(zone_time(z, (struct civil){.year = 2025, .month = 12, .day = 31, .minute = 1440, .second = -1}), begin - 1);
    assert_int_equal(zone_time(z, (struct civil){.year = 2026, .month = 1, .day = 0, .hour = 24}), begin);
    assert_int_equal(zone_civil(z, INT64_MAX).year, 10000); /* the last second of 9999 is already the next year there */
    assert_int_equal(zone_civil(z, INT64_MIN).year, 1);
    zone_of_wall(z, INT64_MAX);
    zone_of_wall(z, INT64_MIN);
    zone_close(z);
}

/* Names as IANA writes them, and nothing else that GLib would take or open. */
static void names(void **state)
{
    static const char *const refused[] = {
        "Europe/Berl",
        "europe/berlin",
        "Europe",
        "Europe/",
        "Europe//Berlin",
        "/etc/localtime",
        "../../etc/passwd",
        "EST5",
        "UTC+2",
        "CET-1",
        "+05:00",
        "Z ",
        "zone.tab",
        "tzdata.zi",
        "leapseconds",
        "posixrules",
        " UTC",
        "CET-1CEST,M3.5.0,M10.5.0/3",
        "Europe/Berlin ",
        "GMT+2",
        ":Europe/Berlin",
        "Aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    };
    struct error e;

    (void)state;
    for (size_t i = 0; i < COUNT(refused); i++) {
        struct zone *z = NULL;
        if (zone_open(refused[i], &z, &e) != ERR_NOT_FOUND)
            fail_msg("\"%s\" is accepted", refused[i]);
        assert_non_null(strstr(e.text, "Europe/Berlin or UTC"));
    }
    for (size_t i = 0; i < COUNT(zones); i++) {
        struct zone *z = zone(zones[i]);
        assert_string_equal(zone_name(z), zones[i]);
        zone_close(z);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(at_random),        cmocka_unit_test(at_every_change),    cmocka_unit_test(behind_2037), cmocka_unit_test(utc),
        cmocka_unit_test(gaps_and_doubles), cmocka_unit_test(members_carry_over), cmocka_unit_test(names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
