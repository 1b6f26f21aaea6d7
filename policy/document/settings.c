#include "policy/document/settings.h"

#include <stdlib.h>

#include "base/text.h"

static const char *const installers[] = {"all", "administrators", "none", NULL};
static const char *const metered_words[] = {"allow", "limit", "block", NULL};

#define HOUR     3600
#define DAY      86400
#define AT(name) offsetof(struct settings, name)
#define BOOL(name, standard, meaning) {#name, MEMBER_BOOL, AT(name), standard, 0, 1, NULL, false, meaning}
#define TIME(name, standard, low, high, meaning) {#name, MEMBER_DURATION, AT(name##_s), standard, low, high, NULL, false, meaning}

/* Configuration Manager's defaults and limits (about-client-settings, device-restart-notifications); 20,160 min are its longest countdown. */
const struct member settings_table[] = {
    TIME(poll, 0, 0, 7 * DAY, "how often policy is asked for; 0s: as the site says"),
    TIME(rescan, 0, 0, 365 * DAY, "re-evaluation of what is installed; 0s: as the site says"),
    TIME(grace, 24 * HOUR, 0, 120 * HOUR, "the longest wait for the user's free hours behind a soft deadline"),
    BOOL(randomize, true, "deadlines are spread over their randomization time"),
    TIME(batch, 0, 0, 365 * DAY, "at a deadline, what is due within this is installed as well; 0s: off"),
    BOOL(windows_union, false, "windows for everything count although there are windows for updates only"),
    BOOL(enabled, true, "Ferry installs updates on these machines"),
    BOOL(outside_hours, false, "required updates are installed in the user's free hours before the deadline"),
    {"installers", MEMBER_WORD, AT(installers), INSTALLERS_ALL, 0, 0, installers, false, "who may install by hand: all, administrators or none"},
    {"metered", MEMBER_WORD, AT(metered), METERED_BLOCK, 0, 0, metered_words, false, "content over metered lines: allow, limit or block"},
    TIME(restart_countdown, 90 * 60, 0, 20160 * 60, "from the deadline's installation to the forced restart"),
    TIME(restart_final, 15 * 60, 0, 20160 * 60, "the last part of the countdown, which cannot be dismissed"),
    TIME(restart_remind, 240 * 60, 1, 20160 * 60, "between reminders of a pending restart"),
    BOOL(restart_forced, true, "the machine is restarted at the countdown's end; else the user is only reminded"),
    TIME(remind_days, 48 * HOUR, 1, 999 * HOUR, "between reminders more than a day before a deadline"),
    TIME(remind_day, 4 * HOUR, 1, 24 * HOUR, "between reminders less than a day before a deadline"),
    TIME(remind_hour, 15 * 60, 1, HOUR, "between reminders less than an hour before a deadline"),
};
const size_t settings_count = COUNT(settings_table);

enum err settings_check(const json_t *layer, const char *path, struct error *e)
{
    struct settings s;
    struct reader   r;

    reader_init(&r, layer, path, e);
    members_read(&r, settings_table, settings_count, &s, false);
    if (reader_has(&r, "restart_countdown_s") && reader_has(&r, "restart_final_s") && s.restart_final_s > s.restart_countdown_s)
        reader_fail(&r, "restart_final_s", "is longer than the whole countdown");
    return reader_done(&r);
}

void settings_merge(const json_t *const *layers, const int64_t *priorities, size_t count, struct settings *out)
{
    json_t       *merged = json_object(), *from = json_object(), *value;
    struct reader r;
    const char   *name;

    for (size_t i = 0; i < count; i++)
        json_object_foreach((json_t *)(uintptr_t)layers[i], name, value)
        {
            const json_t *held = json_object_get(from, name);
            if (held && json_integer_value(held) <= priorities[i])
                continue;
            json_object_set(merged, name, value);
            json_object_set_new(from, name, json_integer(priorities[i]));
        }
    reader_init(&r, merged, "settings", NULL);
    members_read(&r, settings_table, settings_count, out, false);
    /* The two may come from different layers. */
    if (out->restart_final_s > out->restart_countdown_s)
        out->restart_final_s = out->restart_countdown_s;
    json_decref(merged);
    json_decref(from);
}
