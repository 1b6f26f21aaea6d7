#include "policy/document/window.h"

#include <time.h>

#include "tests/unit/paper.h"

#define HOUR 3600
#define DAY  86400

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

/* --- JSON --- */

#define WINDOW "{'name':'Sunday night','when':'sunday 01:00','duration_s':10800,'utc':true,'updates_only':true}"

static enum err read_window(const json_t *j, struct error *e)
{
    struct window w = {0};
    enum err code = window_from_json(j, "window", &w, e);

    window_end(&w);
    return code;
}

static void round_trip(const char *text)
{
    json_t *j = paper(text), *again;
    struct window w;
    struct error e;

    if (window_from_json(j, "window", &w, &e))
        fail_msg("%s", e.text);
    again = window_to_json(&w);
    assert_true(json_equal(j, again));
    window_end(&w);
    json_decref(again);
    json_decref(j);
}

static void written_and_read(void **state)
{
    json_t *j = paper(WINDOW);
    struct window w;

    (void)state;
    round_trip(WINDOW);
    round_trip("{'name':'n','when':'every 2 weeks saturday 22:00 from 2026-11-07','duration_s':86400}");
    round_trip("{'name':'n','when':'2026-11-30 22:00','duration_s':300,'utc':true}");
    assert_int_equal(window_from_json(j, "window", &w, NULL), OK);
    assert_string_equal(w.name, "Sunday night");
    assert_true(w.utc && w.updates_only && w.duration_s == 10800 && w.when.kind == SCHEDULE_WEEKS);
    window_end(&w);
    assert_int_equal(paper_torture(j, j, "window", read_window), 6);
    json_decref(j);
}

static void refused(void **state)
{
    static const struct refusal table[] = {
        {"name", NULL, "window.name: is missing"},
        {"name", "''", "window.name: a name without control characters"},
        {"name", "'a\\nb'", "window.name: a name"},
        {"name", "'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'", "window.name: a text of at most 64"},
        {"when", NULL, "window.when: is missing"},
        {"when", "'sunday 25:00'", "window.when: column 8: \"25:00\" is not understood here; a time of day"},
        {"when", "''", "window.when: column 1"},
        {"duration_s", NULL, "window.duration_s: is missing"},
        {"duration_s", "299", "window.duration_s: a whole number from 300 to 86400"},
        {"duration_s", "86401", "window.duration_s"},
        {"utc", "1", "window.utc: true or false"},
    };

    (void)state;
    paper_refuse(WINDOW, read_window, table, COUNT(table));
}

/* --- the search --- */

#define MOST 8

/* "sunday 01:00/3h; utc only daily 02:00/30m" */
struct set {
    struct window windows[MOST];
    const struct window *list[MOST];
    size_t count;
};

static void set_read(struct set *set, const char *text)
{
    char *copy = must_copy(text), *rest = copy, *one;
    struct error e;

    memset(set, 0, sizeof *set);
    while ((one = strsep(&rest, ";"))) {
        struct window *w = &set->windows[set->count];
        char *slash = strchr(one, '/');
        if (!slash)
            break;
        *slash = 0;
        one += strspn(one, " ");
        w->utc = !strncmp(one, "utc ", 4);
        one += w->utc ? 4 : 0;
        w->updates_only = !strncmp(one, "only ", 5);
        one += w->updates_only ? 5 : 0;
        if (schedule_parse(one, &w->when, &e) || duration_read(slash + 1, &w->duration_s, &e))
            fail_msg("%s: %s", one, e.text);
        set->list[set->count++] = w;
    }
    free(copy);
}

static void openings(void **state)
{
    static const struct {
        const char *windows, *zone, *now, *need;
        bool both;
        const char *begin, *end; /* NULL: none */
    } table[] = {
        /* ahead, held, too little left, over */
        {"sunday 01:00/3h", "UTC", "2026-11-24 21:00", "1h", false, "2026-11-29T01:00:00Z", "2026-11-29T04:00:00Z"},
        {"sunday 01:00/3h", "UTC", "2026-11-29 01:00", "3h", false, "2026-11-29T01:00:00Z", "2026-11-29T04:00:00Z"},
        {"sunday 01:00/3h", "UTC", "2026-11-29 02:00", "2h", false, "2026-11-29T01:00:00Z", "2026-11-29T04:00:00Z"},
        {"sunday 01:00/3h", "UTC", "2026-11-29 02:00", "7201s", false, "2026-12-06T01:00:00Z", "2026-12-06T04:00:00Z"},
        {"sunday 01:00/3h", "UTC", "2026-11-29 03:59", "0", false, "2026-11-29T01:00:00Z", "2026-11-29T04:00:00Z"},
        {"sunday 01:00/3h", "UTC", "2026-11-29 04:00", "0", false, "2026-12-06T01:00:00Z", "2026-12-06T04:00:00Z"},
        {"sunday 01:00/3h", "UTC", "2026-11-24 21:00", "10801s", false, NULL, NULL},
        /* once: gone, or too far away */
        {"2026-11-30 22:00/1h", "UTC", "2026-11-24 00:00", "1h", false, "2026-11-30T22:00:00Z", "2026-11-30T23:00:00Z"},
        {"2026-11-30 22:00/1h", "UTC", "2026-11-30 23:00", "5m", false, NULL, NULL},
        {"2028-11-30 22:00/1h", "UTC", "2026-11-24 00:00", "5m", false, NULL, NULL},
        {"2027-12-28 22:00/1h", "UTC", "2026-11-24 00:00", "5m", false, "2027-12-28T22:00:00Z", "2027-12-28T23:00:00Z"},
        /* overlapping and adjacent ones are one; a second between them is not nothing */
        {"daily 01:00/1h;daily 02:00/1h", "UTC", "2026-11-24 12:00", "2h", false, "2026-11-25T01:00:00Z", "2026-11-25T03:00:00Z"},
        {"daily 01:00/1h;daily 01:30/3h;daily 03:00/30m", "UTC", "2026-11-24 12:00", "3h", false, "2026-11-25T01:00:00Z",
         "2026-11-25T04:30:00Z"},
        {"daily 01:00/3599s;daily 02:00/1h", "UTC", "2026-11-24 12:00", "1h", false, "2026-11-25T02:00:00Z", "2026-11-25T03:00:00Z"},
        {"daily 01:00/3599s;daily 02:00/1h", "UTC", "2026-11-24 12:00", "3601s", false, NULL, NULL},
        {"daily 02:00/2h;daily 02:00/1h", "UTC", "2026-11-24 12:00", "2h", false, "2026-11-25T02:00:00Z", "2026-11-25T04:00:00Z"},
        {"daily 02:00/1h;daily 02:04/1h", "UTC", "2026-11-24 12:00", "1h", false, "2026-11-25T02:00:00Z", "2026-11-25T03:04:00Z"},
        {"daily 02:04/1h;daily 02:00/1h", "UTC", "2026-11-24 12:00", "1h", false, "2026-11-25T02:00:00Z", "2026-11-25T03:04:00Z"},
        /* over midnight, in the middle of it, and a weekend of two whole days */
        {"daily 23:00/2h", "UTC", "2026-11-25 00:30", "30m", false, "2026-11-24T23:00:00Z", "2026-11-25T01:00:00Z"},
        {"saturday, sunday 00:00/24h", "UTC", "2026-11-24 12:00", "30h", false, "2026-11-28T00:00:00Z", "2026-11-30T00:00:00Z"},
        {"saturday, sunday 00:00/24h", "UTC", "2026-11-29 12:00", "12h", false, "2026-11-28T00:00:00Z", "2026-11-30T00:00:00Z"},
        {"saturday 00:00/24h;monday 00:00/1h", "UTC", "2026-11-28 12:00", "13h", false, "2026-12-05T00:00:00Z", "2026-12-06T00:00:00Z"},
        {"every 4 hours/1h", "UTC", "2026-11-24 12:59", "2m", false, "2026-11-24T16:00:00Z", "2026-11-24T17:00:00Z"},
        /* the node's own zone, and UTC */
        {"daily 02:00/1h", "Europe/Berlin", "2026-11-24 12:00", "1h", false, "2026-11-25T01:00:00Z", "2026-11-25T02:00:00Z"},
        {"utc daily 02:00/1h", "Europe/Berlin", "2026-11-24 12:00", "1h", false, "2026-11-25T02:00:00Z", "2026-11-25T03:00:00Z"},
        {"utc daily 02:00/1h;daily 02:00/1h", "Europe/Berlin", "2026-11-24 12:00", "2h", false, "2026-11-25T01:00:00Z",
         "2026-11-25T03:00:00Z"},
        {"utc daily 02:00/1h", "Europe/Berlin", "2026-07-01 12:00", "1h", false, "2026-07-02T02:00:00Z", "2026-07-02T03:00:00Z"},
        /* clock changes: a window begins by the wall clock and lasts real seconds */
        {"daily 01:00/3h", "Europe/Berlin", "2026-03-28 12:00", "3h", false, "2026-03-29T00:00:00Z", "2026-03-29T03:00:00Z"},
        {"daily 02:30/1h", "Europe/Berlin", "2026-03-28 12:00", "1h", false, "2026-03-29T01:30:00Z", "2026-03-29T02:30:00Z"},
        {"daily 02:00/1h;daily 03:00/1h", "Europe/Berlin", "2026-03-28 12:00", "1h", false, "2026-03-29T01:00:00Z", "2026-03-29T02:00:00Z"},
        {"daily 02:00/1h;daily 03:00/1h", "Europe/Berlin", "2026-03-28 12:00", "2h", false, "2026-03-30T00:00:00Z", "2026-03-30T02:00:00Z"},
        {"daily 01:00/3h", "Europe/Berlin", "2026-10-24 12:00", "3h", false, "2026-10-24T23:00:00Z", "2026-10-25T02:00:00Z"},
        {"daily 02:00/1h;daily 03:00/1h", "Europe/Berlin", "2026-10-24 12:00", "2h", false, "2026-10-26T01:00:00Z", "2026-10-26T03:00:00Z"},
        /* windows for updates only silence the others, unless both count */
        {"daily 01:00/4h;only sunday 02:00/1h", "UTC", "2026-11-24 12:00", "1h", false, "2026-11-29T02:00:00Z", "2026-11-29T03:00:00Z"},
        {"daily 01:00/4h;only sunday 02:00/1h", "UTC", "2026-11-24 12:00", "1h", true, "2026-11-25T01:00:00Z", "2026-11-25T05:00:00Z"},
        {"daily 01:00/4h;only sunday 02:00/1h", "UTC", "2026-11-24 12:00", "2h", false, NULL, NULL},
        {"only 2020-01-01/1h;daily 01:00/4h", "UTC", "2026-11-24 12:00", "1h", false, NULL, NULL},
        {"", "UTC", "2026-11-24 12:00", "1h", false, NULL, NULL},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(table); i++) {
        struct set set;
        struct zone *z = zone(table[i].zone);
        struct opening o = {0, 0};
        int64_t need;
        char begin[TIME_SIZE], end[TIME_SIZE];
        bool found;

        set_read(&set, table[i].windows);
        assert_int_equal(duration_read(table[i].need, &need, NULL), OK);
        found = windows_next(set.list, set.count, table[i].both, z, utc(table[i].now), need, &o);
        time_print(o.begin, begin);
        time_print(o.end, end);
        if (found != (table[i].begin != NULL) || (found && (strcmp(begin, table[i].begin) || strcmp(end, table[i].end))))
            fail_msg("case %zu, %s at %s: %s %s", i, table[i].windows, table[i].now, found ? begin : "none", end);
        zone_close(z);
    }
}

/* Always open: it has begun at least a week ago, and ends at least a year from now. */
static void without_an_end(void **state)
{
    struct set set;
    struct opening o;
    int64_t now = utc("2026-11-24 12:00");

    (void)state;
    set_read(&set, "daily 00:00/24h");
    assert_true(windows_next(set.list, 1, false, NULL, now, 300 * DAY, &o));
    assert_true(o.begin < now - 6 * DAY && o.end > now + 390 * DAY);
}

/* The same, slowly: every occurrence of sixty days, sorted and merged. */
static int by_begin(const void *a, const void *b)
{
    const struct opening *x = a, *y = b;

    return x->begin < y->begin ? -1 : x->begin > y->begin;
}

static bool slowly(const struct set *set, bool both, const struct zone *z, int64_t now, int64_t need, struct opening *out)
{
    static struct opening all[20000];
    size_t n = 0, merged = 0;
    bool only = false;

    for (size_t i = 0; i < set->count; i++)
        only = only || (set->windows[i].updates_only && !both);
    for (size_t i = 0; i < set->count; i++) {
        const struct window *w = &set->windows[i];
        const struct zone *of = w->utc ? NULL : z;
        if (only && !w->updates_only)
            continue;
        for (int64_t t = schedule_next(&w->when, of, now - 8 * DAY); t && t < now + 60 * DAY; t = schedule_next(&w->when, of, t))
            all[n++] = (struct opening){t, t + w->duration_s};
    }
    qsort(all, n, sizeof *all, by_begin);
    for (size_t i = 1; i < n; i++)
        if (all[i].begin <= all[merged].end)
            all[merged].end = all[i].end > all[merged].end ? all[i].end : all[merged].end;
        else
            all[++merged] = all[i];
    for (size_t i = 0; n && i <= merged; i++) {
        int64_t from = all[i].begin > now ? all[i].begin : now;
        *out = all[i];
        if (all[i].end > from && all[i].end - from >= need)
            return true;
    }
    return false;
}

static void some_set(struct set *set)
{
    static const char *const whens[] = {"daily",         "every 2 days",   "sunday",          "mon, wed, fri",    "every 2 weeks sat",
                                        "monthly 31",    "second tuesday", "last friday +2d", "saturday, sunday", "tue, thu",
                                        "every 7 hours", "every 25 hours"};

    memset(set, 0, sizeof *set);
    set->count = 1 + dice(MOST);
    for (size_t i = 0; i < set->count; i++) {
        struct window *w = &set->windows[i];
        assert_int_equal(schedule_parse(whens[dice(COUNT(whens))], &w->when, NULL), OK);
        if (w->when.kind != SCHEDULE_HOURS) {
            w->when.hour = (int)dice(24);
            w->when.minute = (int)dice(4) * 15;
        }
        w->utc = !dice(4);
        w->updates_only = !dice(6);
        w->duration_s = dice(3) ? 900 + (int64_t)dice(20) * 900 : 300 + (int64_t)dice(DAY - 300);
        set->list[i] = w;
    }
}

static void any_set(void **state)
{
    static const char *const zones[] = {"Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "UTC"};

    (void)state;
    for (size_t k = 0; k < COUNT(zones); k++) {
        struct zone *z = zone(zones[k]);
        for (int i = 0; i < 1500; i++) {
            struct set set;
            struct opening fast = {0, 0}, slow = {0, 0};
            int64_t now = 1767225600 + (int64_t)dice(4 * 366 * DAY), need = (int64_t)dice(dice(2) ? 4 * HOUR : 30 * HOUR);
            bool both = dice(2), found;

            some_set(&set);
            if (!slowly(&set, both, z, now, need, &slow))
                continue;
            if (slow.end >= now + 60 * DAY) /* goes on and on */
                continue;
            found = windows_next(set.list, set.count, both, z, now, need, &fast);
            if (!found || fast.begin != slow.begin || fast.end != slow.end)
                fail_msg("set %d in %s at %lld, need %lld: %lld … %lld, expected %lld … %lld", i, zones[k], (long long)now, (long long)need,
                         (long long)fast.begin, (long long)fast.end, (long long)slow.begin, (long long)slow.end);
        }
        zone_close(z);
    }
}

static int64_t cpu_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* A hundred windows of each of 64 collections, none long enough, not even together. Bounded: milliseconds, with room for sanitizers. */
static void bounded(void **state)
{
    static struct window windows[6400];
    static const struct window *list[6400];
    struct zone *z = zone("Europe/Berlin");
    struct opening o;
    int64_t begun;

    (void)state;
    for (int hourly = 0; hourly < 2; hourly++) {
        for (int i = 0; i < 6400; i++) {
            assert_int_equal(schedule_parse(hourly ? "every 1 hour from 2026-01-01" : "daily", &windows[i].when, NULL), OK);
            windows[i].when.hour = hourly ? 0 : 1;
            windows[i].when.minute = hourly ? 0 : i % 50;
            windows[i].duration_s = 300 + i % 7;
            windows[i].utc = i % 2;
            list[i] = &windows[i];
        }
        begun = cpu_ms();
        assert_false(windows_next(list, 6400, false, z, utc("2026-11-24 12:00"), 7200, &o));
        print_message("             6400 %s windows: %lld ms\n", hourly ? "hourly" : "daily", (long long)(cpu_ms() - begun));
        assert_true(cpu_ms() - begun < 1000);
    }
    zone_close(z);
}

/* --- business hours --- */

static void business_hours(void **state)
{
    static const char *const good[][2] = {
        {"mon-fri 05:00-22:00", NULL},
        {"mon,wed,fri 08:00-12:00", NULL},
        {"", NULL},
        {"   ", ""},
        {" Monday - 05:00", "!"},
        {"MON , Wednesday,fri 8:00-12:00 ", "mon,wed,fri 08:00-12:00"},
        {"mon,tue 08:00-09:00", NULL},
        {"mon-wed,sat 08:00-09:00", NULL},
        {"sat,mon,tue,wed 08:00-09:00", "mon-wed,sat 08:00-09:00"},
        {"fri-mon 08:00-09:00", "mon,fri-sun 08:00-09:00"},
        {"sun-sat 04:00-24:00", "mon-sun 04:00-24:00"},
        {"sun 00:00-20:00", NULL},
        {"mon-mon 08:00-09:00", "mon 08:00-09:00"},
        {"mon-fri", "!"},
        {"05:00-22:00", "!"},
        {"mon-fri 05:00", "!"},
        {"mon-fri 05:00-", "!"},
        {"mon-fri 05:00-22:00 x", "!"},
        {"mon-fri 05:00-24:01", "!"},
        {"mon-fri 24:00-24:00", "!"},
        {"mon-fri 22:00-05:00", "!"},
        {"mon-fri 05:00-05:00", "!"},
        {"mon-fri 03:59-24:00", "!"},
        {"mon- 05:00-22:00", "!"},
        {"mon;tue 05:00-22:00", "!"},
        {"mo-fr 05:00-22:00", "!"},
        {",mon 05:00-22:00", "!"},
    };
    struct business b;
    struct error e;

    (void)state;
    for (size_t i = 0; i < COUNT(good); i++) {
        enum err code = business_parse(good[i][0], &b, &e);
        char *text;
        if (good[i][1] && !strcmp(good[i][1], "!")) {
            if (code != ERR_USAGE)
                fail_msg("\"%s\" is accepted", good[i][0]);
            continue;
        }
        if (code)
            fail_msg("\"%s\": %s", good[i][0], e.text);
        text = business_print(&b);
        assert_string_equal(text, good[i][1] ? good[i][1] : good[i][0]);
        free(text);
    }
    assert_int_equal(business_parse("mon-fri 05:0-22:00", &b, &e), ERR_USAGE);
    assert_non_null(strstr(e.text, "column 9: 'mon-fri 05:0-22:00' are no business hours; they are written like \"mon-fri 05:00-22:00\""));
    assert_int_equal(business_parse("sun 01:00-22:00", &b, &e), ERR_USAGE);
    assert_non_null(strstr(e.text, "less than four hours"));
}

static void every_business_prints_and_parses_to_the_same(void **state)
{
    (void)state;
    for (unsigned days = 1; days < 128; days++) {
        struct business b = {days, (int)dice(600), 0}, back;
        char *text;
        b.end = b.begin + 1 + (int)dice(840);
        text = business_print(&b);
        assert_int_equal(business_parse(text, &back, NULL), OK);
        assert_true(back.weekdays == b.weekdays && back.begin == b.begin && back.end == b.end);
        free(text);
    }
}

static void free_hours(void **state)
{
    static const struct {
        const char *hours, *zone, *t, *free;
    } table[] = {
        {"", "UTC", "2026-11-24 12:00", "2026-11-24T12:00:00Z"},
        {"mon-fri 05:00-22:00", "UTC", "2026-11-24 12:00", "2026-11-24T22:00:00Z"},
        {"mon-fri 05:00-22:00", "UTC", "2026-11-24 22:00", "2026-11-24T22:00:00Z"},
        {"mon-fri 05:00-22:00", "UTC", "2026-11-24 04:59", "2026-11-24T04:59:00Z"},
        {"mon-fri 05:00-22:00", "UTC", "2026-11-28 12:00", "2026-11-28T12:00:00Z"}, /* saturday */
        {"mon-sun 04:00-24:00", "UTC", "2026-11-24 12:00", "2026-11-25T00:00:00Z"},
        {"mon-fri 05:00-22:00", "Europe/Berlin", "2026-11-24 12:00", "2026-11-24T21:00:00Z"},
        /* sunday's clock change: from two to three they are over at once, from three to two they begin again */
        {"sun 00:00-02:30", "Europe/Berlin", "2026-03-29 00:30", "2026-03-29T01:00:00Z"},
        {"sun 00:00-02:30", "Europe/Berlin", "2026-10-24 23:00", "2026-10-25T00:30:00Z"},
        {"sun 00:00-02:30", "Europe/Berlin", "2026-10-25 01:00", "2026-10-25T01:30:00Z"},
        {"sun 00:00-03:30", "Europe/Berlin", "2026-10-24 23:00", "2026-10-25T02:30:00Z"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(table); i++) {
        struct zone *z = zone(table[i].zone);
        struct business b;
        char text[TIME_SIZE];

        assert_int_equal(business_parse(table[i].hours, &b, NULL), OK);
        time_print(business_free(&b, z, utc(table[i].t)), text);
        if (strcmp(text, table[i].free))
            fail_msg("case %zu: %s, expected %s", i, text, table[i].free);
        zone_close(z);
    }
}

static bool inside(const struct business *b, const struct zone *z, int64_t t)
{
    struct civil c = zone_civil(z, t);
    int minute = c.hour * 60 + c.minute;

    return (b->weekdays & 1u << c.weekday) && minute >= b->begin && minute < b->end;
}

static void any_business(void **state)
{
    static const char *const zones[] = {"Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia"};

    (void)state;
    for (size_t k = 0; k < COUNT(zones); k++) {
        struct zone *z = zone(zones[k]);
        for (int i = 0; i < 3000; i++) {
            struct business b = {1 + (unsigned)dice(127), (int)dice(400), 0};
            int64_t t = 1293840000 + (int64_t)dice(366 * DAY), found;

            b.end = b.begin + 1 + (int)dice(900);
            found = business_free(&b, z, t);
            assert_true(found >= t && !inside(&b, z, found));
            for (int64_t at = t; at < found; at += 60)
                assert_true(inside(&b, z, at));
            assert_true(found == t || inside(&b, z, found - 1));
        }
        zone_close(z);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(written_and_read), cmocka_unit_test(refused),
        cmocka_unit_test(openings),         cmocka_unit_test(without_an_end),
        cmocka_unit_test(any_set),          cmocka_unit_test(bounded),
        cmocka_unit_test(business_hours),   cmocka_unit_test(every_business_prints_and_parses_to_the_same),
        cmocka_unit_test(free_hours),       cmocka_unit_test(any_business),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
