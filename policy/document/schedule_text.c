/* The language of schedules: parse and print, and the moments people type. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "policy/document/schedule.h"

#define TEXT_LIMIT 200
#define EVERY_MOST 999

static const char *const weekdays[] = {"sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"};
static const char *const ordinals[] = {"last", "first", "second", "third", "fourth"};

int weekday_read(const char *word, size_t length)
{
    for (int i = 0; i < 7; i++)
        if ((length == 3 || length == strlen(weekdays[i])) && !strncasecmp(word, weekdays[i], length))
            return i;
    return -1;
}

const char *weekday_name(int weekday)
{
    return weekdays[weekday];
}

/* Only digits, at most so many; -1 when it is anything else. */
static int digits(const char *word, size_t length, size_t most)
{
    int n = 0;

    if (!length || length > most)
        return -1;
    for (size_t i = 0; i < length; i++) {
        if (!isdigit((unsigned char)word[i]))
            return -1;
        n = n * 10 + word[i] - '0';
    }
    return n;
}

bool clock_read(const char *word, size_t length, int *hour, int *minute)
{
    const char *colon = memchr(word, ':', length);
    int         h, m;

    if (!colon || length - (size_t)(colon - word) != 3)
        return false;
    h = digits(word, (size_t)(colon - word), 2);
    m = digits(colon + 1, 2, 2);
    if (h < 0 || h > 23 || m < 0 || m > 59)
        return false;
    *hour = h;
    *minute = m;
    return true;
}

static bool date_read(const char *word, size_t length, struct civil *out)
{
    struct civil c = {0}, back;

    if (length != 10 || word[4] != '-' || word[7] != '-')
        return false;
    c.year = digits(word, 4, 4);
    c.month = digits(word + 5, 2, 2);
    c.day = digits(word + 8, 2, 2);
    if (c.year < 1970 || c.month < 1 || c.day < 1)
        return false;
    back = zone_civil(NULL, zone_time(NULL, c));
    if (back.year != c.year || back.month != c.month || back.day != c.day)  /* February 30th is no day */
        return false;
    *out = c;
    return true;
}

/* One word at a time: what stands between blanks; a comma is a word of its own. */
struct words {
    const char   *text, *word;
    size_t        length;
    struct error *error;
    enum err      verdict;
};

static void advance(struct words *w)
{
    w->word += w->length;
    while (isspace((unsigned char)*w->word))
        w->word++;
    w->length = *w->word == ',' ? 1 : strcspn(w->word, ", \t\n\v\f\r");
}

static bool refuse(struct words *w, const char *wanted)
{
    if (w->verdict)
        return false;
    if (w->length)
        w->verdict = fail(w->error, ERR_USAGE, "column %d: \"%.*s\" is not understood here; %s", (int)(w->word - w->text) + 1,
                          (int)w->length, w->word, wanted);
    else
        w->verdict = fail(w->error, ERR_USAGE, "column %d: the schedule ends here; %s", (int)(w->word - w->text) + 1, wanted);
    return false;
}

static bool word_is(const struct words *w, const char *word)
{
    return w->length == strlen(word) && !strncasecmp(w->word, word, w->length);
}

static bool word_skip(struct words *w, const char *word)
{
    if (!word_is(w, word))
        return false;
    advance(w);
    return true;
}

static bool time_take(struct words *w, int *hour, int *minute)
{
    if (!clock_read(w->word, w->length, hour, minute))
        return false;
    advance(w);
    return true;
}

static bool weekdays_take(struct words *w, struct schedule *s)
{
    do {
        int day = weekday_read(w->word, w->length);
        if (day < 0)
            return refuse(w, "a weekday was expected, such as sunday or sun");
        s->weekdays |= 1u << day;
        advance(w);
    } while (word_skip(w, ","));
    s->kind = SCHEDULE_WEEKS;
    return true;
}

/* "second tuesday", "last friday +2d" */
static bool nth_take(struct words *w, struct schedule *s)
{
    int day, offset;

    for (s->nth = 0; !word_is(w, ordinals[s->nth]);)
        s->nth++;
    advance(w);
    day = weekday_read(w->word, w->length);
    if (day < 0)
        return refuse(w, "a weekday was expected, such as tuesday in \"second tuesday 02:00\"");
    s->kind = SCHEDULE_MONTH_WEEKDAY;
    s->weekdays = 1u << day;
    advance(w);
    if (*w->word != '+')
        return true;
    offset = w->length > 1 && (w->word[w->length - 1] | 32) == 'd' ? digits(w->word + 1, w->length - 2, 1) : -1;
    if (offset < 0 || offset > 7)
        return refuse(w, "+0d … +7d was expected");
    s->offset_days = offset;
    advance(w);
    return true;
}

static bool ordinal(const struct words *w)
{
    for (size_t i = 0; i < COUNT(ordinals); i++)
        if (word_is(w, ordinals[i]))
            return true;
    return false;
}

static int weekday_behind(const struct words *w)
{
    struct words next = *w;

    advance(&next);
    return weekday_read(next.word, next.length);
}

static bool month_take(struct words *w, struct schedule *s)
{
    int day = digits(w->word, w->length, 2);

    if (ordinal(w) && !(word_is(w, "last") && weekday_behind(w) < 0))
        return nth_take(w, s);
    if (word_is(w, "last"))
        day = 0;
    else if (day < 1 || day > 31)
        return refuse(w, "a day of the month was expected: 1 … 31, last, or such as second tuesday");
    s->kind = SCHEDULE_MONTH_DAY;
    s->day = day;
    advance(w);
    return true;
}

static bool every_take(struct words *w, struct schedule *s)
{
    s->every = digits(w->word, w->length, 3);
    if (s->every < 1)
        return refuse(w, "a number was expected: every 1 … 999 hours, days, weeks or months");
    advance(w);
    if (word_skip(w, "hours") || word_skip(w, "hour")) {
        s->kind = SCHEDULE_HOURS;
        return true;
    }
    if (word_skip(w, "days") || word_skip(w, "day")) {
        s->kind = SCHEDULE_DAYS;
        return true;
    }
    if (word_skip(w, "weeks") || word_skip(w, "week"))
        return weekdays_take(w, s);
    if (word_skip(w, "months") || word_skip(w, "month"))
        return month_take(w, s);
    return refuse(w, "hours, days, weeks or months was expected");
}

static bool head_take(struct words *w, struct schedule *s)
{
    if (word_skip(w, "daily")) {
        s->kind = SCHEDULE_DAYS;
        return true;
    }
    if (word_skip(w, "monthly"))
        return month_take(w, s);
    if (word_skip(w, "every"))
        return every_take(w, s);
    if (ordinal(w))
        return nth_take(w, s);
    if (weekday_read(w->word, w->length) >= 0)
        return weekdays_take(w, s);
    return refuse(w, "accepted are a date such as 2026-11-30, daily, every, monthly, a weekday, and first … fourth or last before a weekday");
}

static void once_take(struct words *w, struct schedule *s)
{
    s->kind = SCHEDULE_ONCE;
    advance(w);
    if (w->length && !time_take(w, &s->from.hour, &s->from.minute))
        refuse(w, "a time of day such as 22:00 or the end was expected");
}

static void repeated_take(struct words *w, struct schedule *s)
{
    bool hours;

    if (!head_take(w, s))
        return;
    hours = s->kind == SCHEDULE_HOURS;
    if (!hours)
        time_take(w, &s->hour, &s->minute);
    if (!word_skip(w, "from"))
        return;
    if (!date_read(w->word, w->length, &s->from)) {
        refuse(w, "a date such as 2026-11-01 was expected");
        return;
    }
    advance(w);
    if (hours)
        time_take(w, &s->from.hour, &s->from.minute);
}

enum err schedule_parse(const char *text, struct schedule *out, struct error *e)
{
    struct words    w = {.text = text, .word = text, .error = e};
    struct schedule s = {.every = 1};

    if (strlen(text) > TEXT_LIMIT)
        return fail(e, ERR_USAGE, "a schedule of %zu bytes; at most %d are accepted", strlen(text), TEXT_LIMIT);
    advance(&w);
    if (date_read(w.word, w.length, &s.from))
        once_take(&w, &s);
    else
        repeated_take(&w, &s);
    if (w.length)
        refuse(&w, s.kind == SCHEDULE_HOURS   ? "from with a date and a time, or the end was expected"
                   : s.from.year              ? "the end was expected"
                                              : "a time of day such as 02:00, from with a date, or the end was expected");
    if (w.verdict)
        return w.verdict;
    *out = s;
    return OK;
}

static void date_print(struct text *t, const struct civil *c, bool time)
{
    text_add(t, "%04d-%02d-%02d", c->year, c->month, c->day);
    if (time)
        text_add(t, " %02d:%02d", c->hour, c->minute);
}

/* The week of print begins on monday: "saturday, sunday". */
static void weekdays_print(struct text *t, unsigned set)
{
    for (int i = 1; i <= 7; i++)
        if (set & 1u << i % 7) {
            text_add(t, "%s", weekdays[i % 7]);
            set &= ~(1u << i % 7);
            text_add(t, set ? ", " : "");
        }
}

static void month_print(struct text *t, const struct schedule *s)
{
    if (s->kind == SCHEDULE_MONTH_DAY && s->day) {
        text_add(t, "%d", s->day);
    } else if (s->kind == SCHEDULE_MONTH_DAY) {
        text_add(t, "last");
    } else {
        text_add(t, "%s ", ordinals[s->nth]);
        weekdays_print(t, s->weekdays);
        if (s->offset_days)
            text_add(t, " +%dd", s->offset_days);
    }
}

static void head_print(struct text *t, const struct schedule *s)
{
    static const char *const units[] = {"", "hour", "day", "week", "month", "month"};

    if (s->every > 1 || s->kind == SCHEDULE_HOURS)
        text_add(t, "every %d %s%s", s->every, units[s->kind], s->every > 1 ? "s" : "");
    else if (s->kind == SCHEDULE_DAYS)
        text_add(t, "daily");
    else if (s->kind == SCHEDULE_MONTH_DAY)
        text_add(t, "monthly");
    if (s->kind == SCHEDULE_HOURS || s->kind == SCHEDULE_DAYS)
        return;
    text_add(t, t->length ? " " : "");
    if (s->kind == SCHEDULE_WEEKS)
        weekdays_print(t, s->weekdays);
    else
        month_print(t, s);
}

char *schedule_print(const struct schedule *s)
{
    struct text t = {0};

    if (s->kind == SCHEDULE_ONCE) {
        date_print(&t, &s->from, true);
        return text_take(&t);
    }
    head_print(&t, s);
    if (s->kind != SCHEDULE_HOURS)
        text_add(&t, " %02d:%02d", s->hour, s->minute);
    if (s->from.year) {
        text_add(&t, " from ");
        date_print(&t, &s->from, s->kind == SCHEDULE_HOURS);
    }
    return text_take(&t);
}

static bool tomorrow(const char *text, const struct zone *z, int64_t now, int64_t *out)
{
    struct words w = {.text = text, .word = text};
    struct civil c = zone_civil(z, now);

    advance(&w);
    if (!word_skip(&w, "tomorrow"))
        return false;
    c.day++;
    c.hour = c.minute = c.second = 0;
    if (w.length && !time_take(&w, &c.hour, &c.minute))
        return false;
    *out = zone_time(z, c);
    return !w.length;
}

enum err schedule_moment(const char *text, const struct zone *z, int64_t now, int64_t *out, struct error *e)
{
    struct schedule s = {.kind = SCHEDULE_DAYS, .every = 1};
    int64_t         next = 0;

    if (!moment_read(text, now, out, NULL) || (strlen(text) <= TEXT_LIMIT && tomorrow(text, z, now, out)))
        return OK;
    if (clock_read(text, strlen(text), &s.hour, &s.minute) ||
        (!schedule_parse(text, &s, NULL) && (s.kind == SCHEDULE_WEEKS || s.kind == SCHEDULE_MONTH_WEEKDAY) && s.every == 1 && !s.from.year))
        next = schedule_next(&s, z, now);
    if (!next)
        return fail(e, ERR_USAGE,
                    "'%.60s' is not a moment; accepted are now, +2h, 2026-11-24T22:00:00Z and \"2026-11-24 22:00\" (UTC), and of the local"
                    " clock 22:00, \"tomorrow 06:00\", \"friday 22:00\" and \"second tuesday 02:00\"",
                    text);
    *out = next;
    return OK;
}
