/* Times and durations as people and TUF write them; the rest of base/text.h is in text.c. */
#include "base/text.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define LAST_SECOND 253402300799                /* 9999-12-31T23:59:59Z: years of five digits cannot be read back */

/* Not strftime: its %Y has no leading zeros, and year 26 could not be read back. */
char *time_print(int64_t seconds, char out[TIME_SIZE])
{
    time_t    t = (time_t)seconds;
    struct tm tm;
    int       n = -1;

    if (seconds && gmtime_r(&t, &tm))
        n = snprintf(out, TIME_SIZE, "%04lld-%02d-%02dT%02d:%02d:%02dZ", tm.tm_year + 1900LL, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min,
                     tm.tm_sec);
    if (n < 0 || n >= TIME_SIZE)
        memcpy(out, "-", 2);
    return out;
}

static bool digits(const char **p, int count, int *out)
{
    *out = 0;
    for (; count; count--, (*p)++) {
        if (!isdigit((unsigned char)**p))
            return false;
        *out = *out * 10 + (**p - '0');
    }
    return true;
}

static bool skip(const char **p, char c)
{
    if (**p != c)
        return false;
    (*p)++;
    return true;
}

/* mktime's relatives turn February 30th into March 2nd without a word: what does not come back the same was no date. */
static bool seconds_of(struct tm tm, int64_t *seconds)
{
    struct tm copy = tm;
    time_t    t = timegm(&copy);

    if (copy.tm_mday != tm.tm_mday || copy.tm_mon != tm.tm_mon || copy.tm_year != tm.tm_year || copy.tm_hour != tm.tm_hour ||
        copy.tm_min != tm.tm_min || copy.tm_sec != tm.tm_sec)
        return false;
    *seconds = (int64_t)t;
    return true;
}

static bool read_date(const char **p, struct tm *tm)
{
    if (!digits(p, 4, &tm->tm_year) || !skip(p, '-') || !digits(p, 2, &tm->tm_mon) || !skip(p, '-') || !digits(p, 2, &tm->tm_mday))
        return false;
    tm->tm_year -= 1900;
    tm->tm_mon -= 1;
    return true;
}

enum err time_read(const char *text, int64_t *seconds, struct error *e)
{
    struct tm   tm = {0};
    const char *p = text;

    if (!read_date(&p, &tm) || !skip(&p, 'T') || !digits(&p, 2, &tm.tm_hour) || !skip(&p, ':') || !digits(&p, 2, &tm.tm_min) ||
        !skip(&p, ':') || !digits(&p, 2, &tm.tm_sec) || !skip(&p, 'Z') || *p || !seconds_of(tm, seconds))
        return fail(e, ERR_USAGE, "'%.40s' is not a time; a time is written like 2026-11-23T21:00:00Z", text);
    return OK;
}

static int64_t unit_seconds(const char *unit)
{
    static const struct {
        const char *name;
        int64_t     seconds;
    } units[] = {{"", 1}, {"s", 1}, {"m", 60}, {"min", 60}, {"h", 3600}, {"d", 86400}, {"w", 604800}};

    for (size_t i = 0; i < COUNT(units); i++)
        if (!strcmp(unit, units[i].name))
            return units[i].seconds;
    return 0;
}

enum err duration_read(const char *text, int64_t *seconds, struct error *e)
{
    const char *p = text;
    int64_t     n = 0, unit;

    for (; isdigit((unsigned char)*p); p++)
        if (__builtin_mul_overflow(n, 10, &n) || __builtin_add_overflow(n, *p - '0', &n))
            return fail(e, ERR_USAGE, "'%.40s' is too long a duration", text);
    unit = unit_seconds(p);
    if (p == text || !unit)
        return fail(e, ERR_USAGE, "'%.40s' is not a duration; a duration is written like 90s, 15m, 2h, 7d or 2w", text);
    if (__builtin_mul_overflow(n, unit, seconds))
        return fail(e, ERR_USAGE, "'%.40s' is too long a duration", text);
    return OK;
}

enum err moment_read(const char *text, int64_t now, int64_t *seconds, struct error *e)
{
    struct tm   tm = {0};
    const char *p = text;
    int64_t     later;

    if (!strcmp(text, "now")) {
        *seconds = now;
        return OK;
    }
    if (*text == '+') {
        enum err code = duration_read(text + 1, &later, e);

        if (!code && (__builtin_add_overflow(now, later, seconds) || *seconds > LAST_SECOND))
            return fail(e, ERR_USAGE, "'%.40s' is too far away", text);
        return code;
    }
    if (!time_read(text, seconds, NULL))
        return OK;
    if (!read_date(&p, &tm) || !(skip(&p, ' ') || skip(&p, 'T')) || !digits(&p, 2, &tm.tm_hour) || !skip(&p, ':') ||
        !digits(&p, 2, &tm.tm_min) || *p || !seconds_of(tm, seconds))
        return fail(e, ERR_USAGE, "'%.40s' is not a time; accepted are now, +2h, 2026-11-24T22:00:00Z and \"2026-11-24 22:00\" (UTC)",
                    text);
    return OK;
}
