/* A user's business hours; the rest of policy/document/window.h is in window.c. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "policy/document/window.h"

#define TEXT_LIMIT  200
#define DAY_MINUTES 1440
#define FREE_LEAST  240                         /* minutes of each day */

static enum err refuse(const char *text, const char *at, struct error *e)
{
    return fail(e, ERR_USAGE, "column %d: '%.60s' are no business hours; they are written like \"mon-fri 05:00-22:00\" or \"mon,wed 08:00-12:00\"",
                (int)(at - text) + 1, text);
}

static const char *blanks(const char *p)
{
    while (isspace((unsigned char)*p))
        p++;
    return p;
}

static int weekday_take(const char **p)
{
    size_t n = strspn(*p, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");
    int    day = weekday_read(*p, n);

    *p += day < 0 ? 0 : n;
    return day;
}

/* "mon", "mon-fri", "fri-mon": the week is round. */
static bool range_take(const char **p, unsigned *set)
{
    int from = weekday_take(p), to = from;

    if (from >= 0 && **p == '-') {
        (*p)++;
        to = weekday_take(p);
    }
    if (from < 0 || to < 0)
        return false;
    *set |= 1u << from;
    for (int day = from; day != to;) {
        day = (day + 1) % 7;
        *set |= 1u << day;
    }
    return true;
}

/* Minutes since midnight; 24:00 ends a day. */
static bool minutes_take(const char **p, int *out)
{
    size_t n = strspn(*p, "0123456789:");
    int    hour = 24, minute = 0;

    if (!clock_read(*p, n, &hour, &minute) && !(n == 5 && !strncmp(*p, "24:00", 5)))
        return false;
    *out = hour * 60 + minute;
    *p += n;
    return true;
}

enum err business_parse(const char *text, struct business *out, struct error *e)
{
    struct business b = {0};
    const char     *p = blanks(text);
    bool            good = true;

    if (!*p) {
        *out = b;
        return OK;
    }
    if (strlen(text) > TEXT_LIMIT)
        return fail(e, ERR_USAGE, "business hours of %zu bytes; at most %d are accepted", strlen(text), TEXT_LIMIT);
    for (good = range_take(&p, &b.weekdays); good && *(p = blanks(p)) == ',';) {
        p = blanks(p + 1);
        good = range_take(&p, &b.weekdays);
    }
    p = blanks(p);
    good = good && minutes_take(&p, &b.begin) && *p == '-';
    if (good)
        p++;
    if (!good || !minutes_take(&p, &b.end) || *(p = blanks(p)))
        return refuse(text, p, e);
    if (b.begin >= b.end)
        return fail(e, ERR_USAGE, "business hours end later on the same day than they begin; '%.60s' do not", text);
    if (b.end - b.begin > DAY_MINUTES - FREE_LEAST)
        return fail(e, ERR_USAGE, "'%.60s' leave less than four hours of a day free for updates", text);
    *out = b;
    return OK;
}

/* Three and more days in a row are a range: "mon-wed,sat". */
char *business_print(const struct business *b)
{
    struct text t = {0};

    for (int i = 1; i <= 7; i++) {
        int last = i;
        if (!(b->weekdays & 1u << i % 7))
            continue;
        while (last < 7 && b->weekdays & 1u << (last + 1) % 7)
            last++;
        text_add(&t, "%s%.3s", t.length ? "," : "", weekday_name(i % 7));
        if (last > i + 1) {
            text_add(&t, "-%.3s", weekday_name(last % 7));
            i = last;
        }
    }
    if (b->weekdays)
        text_add(&t, " %02d:%02d-%02d:%02d", b->begin / 60, b->begin % 60, b->end / 60, b->end % 60);
    return text_take(&t);
}

/* Seconds until the business hours that hold at t end by this wall clock; 0: none hold. */
static int64_t busy(const struct business *b, const struct zone *z, int64_t t)
{
    struct civil c = zone_civil(z, t);
    int          minute = c.hour * 60 + c.minute;

    return b->weekdays & 1u << c.weekday && minute >= b->begin && minute < b->end ? (b->end - minute) * 60 - c.second : 0;
}

int64_t business_free(const struct business *b, const struct zone *z, int64_t t)
{
    int64_t wait, low;

    /* Again when the clock went back meanwhile; twice a day it never does. */
    for (int i = 0; i < 4 && (wait = busy(b, z, t)); i++) {
        low = t;
        t += wait;
        while (!busy(b, z, t) && t - low > 1) {  /* the clock may have gone forward meanwhile: then they ended earlier */
            int64_t middle = low + (t - low) / 2;
            if (busy(b, z, middle))
                low = middle;
            else
                t = middle;
        }
    }
    return t;
}
