/* policy/document/zone.c and window.c: a time zone by whatever name, and what is planned in it. The first line is the zone, the second a window's
 * schedule, the third a moment as people write it. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "policy/document/window.h"
#include "policy/document/zone.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const int64_t moments[] = {0, 1774746000, 1795467600, 1806195600, 4102444800};

static void walls(const struct zone *z)
{
    for (size_t i = 0; i < COUNT(moments); i++) {
        struct civil c = zone_civil(z, moments[i]);

        if (c.month < 1 || c.month > 12 || c.day < 1 || c.day > 31 || c.weekday < 0 || c.weekday > 6)
            abort();
        if (llabs(zone_time(z, c) - moments[i]) > 3 * 3600)        /* of two that are the same the first */
            abort();
        zone_of_wall(z, zone_wall(z, moments[i]));
        zone_short(z, moments[i]);
    }
}

static void windows(const char *when, const struct zone *z)
{
    json_t        *in = json_pack("{s:s,s:s,s:i}", "name", "w", "when", when, "duration_s", 7200);
    struct window  w;
    struct opening o;
    const struct window *list[] = {&w};

    if (in && !window_from_json(in, "window", &w, NULL)) {
        for (size_t i = 0; i < COUNT(moments); i++)
            if (windows_next(list, 1, false, z, moments[i], 3600, &o) && (o.end <= moments[i] || o.end - o.begin < 3600))
                abort();
        window_end(&w);
    }
    json_decref(in);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char        *text = must_alloc(size + 1), *when, *moment;
    struct zone *z = NULL;
    int64_t      t;

    memcpy(text, data, size);
    when = strchr(text, '\n');
    if (when)
        *when++ = '\0';
    moment = when ? strchr(when, '\n') : NULL;
    if (moment)
        *moment++ = '\0';
    if (!zone_open(text, &z, NULL)) {
        walls(z);
        if (when)
            windows(when, z);
        if (moment)
            schedule_moment(moment, z, 1795467600, &t, NULL);
        zone_close(z);
    }
    free(text);
    return 0;
}
