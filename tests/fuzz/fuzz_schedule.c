/* policy/document/schedule_text.c, schedule_next.c and business.c: what is accepted prints, parses again to the same print, and its times
 * are in order; two free texts share the input. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "policy/document/window.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const int64_t moments[] = {INT64_MIN, 0, 1795467600, 1774746000, 4102444800, 253402300000, INT64_MAX};

static void in_order(const struct schedule *s, const struct zone *z)
{
    for (size_t i = 0; i < COUNT(moments); i++) {
        int64_t t = moments[i], next = schedule_next(s, z, t), last = schedule_last(s, z, t);

        if ((next && next <= t) || (last && last > t) || last < 0 || next < 0)
            abort();
        if (next && (schedule_last(s, z, next) != next || schedule_last(s, z, next - 1) != last))
            abort();
    }
}

static void same_schedule(const char *text, const struct zone *z)
{
    struct schedule s, again;
    struct error e;
    char *first, *second;

    if (schedule_parse(text, &s, &e))
        return;
    first = schedule_print(&s);
    if (schedule_parse(first, &again, &e))
        abort();
    second = schedule_print(&again);
    if (strcmp(first, second))
        abort();
    in_order(&s, NULL);
    in_order(&s, z);
    free(first);
    free(second);
}

static void same_business(const char *text, const struct zone *z)
{
    struct business b, again;
    struct error e;
    char *first, *second;

    if (business_parse(text, &b, &e))
        return;
    first = business_print(&b);
    if (business_parse(first, &again, &e))
        abort();
    second = business_print(&again);
    if (strcmp(first, second))
        abort();
    for (size_t i = 1; i + 2 < COUNT(moments); i++) {
        int64_t at = business_free(&b, z, moments[i]);
        if (at < moments[i] || business_free(&b, z, at) != at)
            abort();
    }
    free(first);
    free(second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct zone *zone;
    char *text = must_alloc(size + 1);
    struct error e;
    int64_t t;

    if (!zone && zone_open("Europe/Berlin", &zone, &e))
        abort();
    memcpy(text, data, size);
    same_schedule(text, zone);
    same_business(text, zone);
    schedule_moment(text, zone, 1795467600, &t, &e);
    free(text);
    return 0;
}
