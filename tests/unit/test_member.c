#include "policy/document/settings.h"
#include "policy/document/terms.h"
#include "tests/unit/paper.h"

static const struct {
    const char *name;
    const struct member *table;
    const size_t *count;
    size_t size;
} tables[] = {
    {"terms", terms_table, &terms_count, sizeof(struct terms)},
    {"settings", settings_table, &settings_count, sizeof(struct settings)},
};

static int64_t get(const struct member *m, const void *in)
{
    int64_t value = 0;

    if (m->type == MEMBER_BOOL)
        return *((const char *)in + m->at);
    memcpy(&value, (const char *)in + m->at, sizeof value);
    return value;
}

static void set(const struct member *m, void *out, int64_t value)
{
    if (m->type == MEMBER_BOOL)
        *((char *)out + m->at) = value != 0;
    else
        memcpy((char *)out + m->at, &value, sizeof value);
}

static int64_t words_in(const struct member *m)
{
    int64_t n = 0;

    while (m->words[n])
        n++;
    return n;
}

/* Every member has its own place in the struct, a default that is accepted, and a meaning. */
static void the_tables(void **state)
{
    (void)state;
    for (size_t t = 0; t < COUNT(tables); t++) {
        char *seen = must_alloc(tables[t].size);
        for (size_t i = 0; i < *tables[t].count; i++) {
            const struct member *m = &tables[t].table[i];
            size_t size = m->type == MEMBER_BOOL ? sizeof(bool) : sizeof(int64_t);
            assert_true(m->at % size == 0 && m->at + size <= tables[t].size);
            for (size_t at = m->at; at < m->at + size; at++)
                assert_int_equal(seen[at]++, 0);
            if (m->type == MEMBER_WORD)
                assert_true(m->standard >= 0 && m->standard < words_in(m));
            else
                assert_in_range(m->standard, m->low, m->high);
            assert_true(*m->meaning && strlen(m->name) < 40 && strspn(m->name, "abcdefghijklmnopqrstuvwxyz_") == strlen(m->name));
            for (size_t k = 0; k < i; k++)
                assert_string_not_equal(m->name, tables[t].table[k].name);
        }
        free(seen);
    }
}

static void defaults(void **state)
{
    struct settings s;
    struct terms t;

    (void)state;
    memset(&s, 0xff, sizeof s);
    memset(&t, 0xff, sizeof t);
    members_default(terms_table, terms_count, &t);
    members_default(settings_table, settings_count, &s);
    assert_true(t.purpose == PURPOSE_REQUIRED && t.randomize_s == 7200 && !t.gradual_s && !t.local_time && !t.soft_deadline);
    assert_true(t.notify == NOTIFY_ALL && t.verbosity == VERBOSITY_ALL && !t.install_outside && !t.restart_outside && !t.origin_fallback);
    assert_true(t.neighbour_fallback && t.default_group_fallback && !t.metered && !t.alert_below);
    assert_true(s.enabled && s.randomize && !s.poll_s && !s.rescan_s && !s.batch_s && !s.windows_union && !s.outside_hours);
    assert_true(s.metered == METERED_BLOCK && s.installers == INSTALLERS_ALL && s.restart_forced);
    assert_true(s.restart_countdown_s == 5400 && s.restart_final_s == 900 && s.restart_remind_s == 14400);
}

/* --- arguments --- */

static void taken(void **state)
{
    static const struct {
        const char *args;
        int64_t soft, randomize, notify, below, purpose;
    } table[] = {
        {"{}", 0, 7200, 0, 0, 0},
        {"{'soft_deadline':true,'randomize':'30m','notify':'none','alert_below':'95%','purpose':'available'}", 1, 1800, 2, 95, 1},
        {"{'soft_deadline':'yes','randomize':1800,'notify':'Restart','alert_below':95,'purpose':'Required'}", 1, 1800, 1, 95, 0},
        {"{'soft_deadline':'FALSE','randomize':'0','alert_below':'0'}", 0, 0, 0, 0, 0},
        {"{'soft_deadline':false,'randomize':'1d','alert_below':'100'}", 0, 86400, 0, 100, 0},
        {"{'name':'october','deadline':'+2h','randomize_s':5,'windows':[1]}", 0, 7200, 0, 0, 0}, /* somebody else's */
    };

    (void)state;
    for (size_t i = 0; i < COUNT(table); i++) {
        json_t *args = paper(table[i].args);
        struct terms t;
        struct error e;

        members_default(terms_table, terms_count, &t);
        if (members_take(terms_table, terms_count, args, &t, &e))
            fail_msg("%s: %s", table[i].args, e.text);
        if (t.soft_deadline != table[i].soft || t.randomize_s != table[i].randomize || t.notify != table[i].notify ||
            t.alert_below != table[i].below || t.purpose != table[i].purpose)
            fail_msg("%s was not taken", table[i].args);
        json_decref(args);
    }
}

static void not_taken(void **state)
{
    static const char *const table[][2] = {
        {"{'soft_deadline':'maybe'}", "--soft-deadline: 'maybe' is not accepted; accepted is yes or no"},
        {"{'soft_deadline':1}", "--soft-deadline: '1' is not accepted"},
        {"{'soft_deadline':null}", "--soft-deadline: 'null'"},
        {"{'randomize':'25h'}", "--randomize: '25h' is not accepted; accepted is a duration from 0s to 1d, such as 90s, 15m, 2h or 7d"},
        {"{'randomize':'fast'}", "--randomize: 'fast'"},
        {"{'randomize':-1}", "--randomize: '-1'"},
        {"{'randomize':true}", "--randomize: 'true'"},
        {"{'randomize':[1]}", "--randomize: '[1]'"},
        {"{'gradual':'31d'}", "--gradual: '31d' is not accepted; accepted is a duration from 0s to 30d"},
        {"{'notify':'some'}", "--notify: 'some' is not accepted; accepted is all, restart or none"},
        {"{'notify':0}", "--notify: '0'"},
        {"{'purpose':''}", "--purpose: '' is not accepted; accepted is required or available"},
        {"{'alert_below':'101%'}", "--alert-below: '101%' is not accepted; accepted is a whole number from 0 to 100"},
        {"{'alert_below':'-1'}", "--alert-below: '-1'"},
        {"{'alert_below':'5%%'}", "--alert-below: '5%%'"},
        {"{'alert_below':'99999999999999999999'}", "--alert-below: '99999999999999999999'"},
        {"{'alert_below':' 5'}", "--alert-below: ' 5'"},
        {"{'alert_below':'%'}", "--alert-below: '%'"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(table); i++) {
        json_t *args = paper(table[i][0]);
        struct terms t, before;
        struct error e = {0};

        json_object_set_new(args, "local_time", json_true()); /* good, and before the bad one in the table */
        memset(&t, 0, sizeof t);
        before = t;
        if (members_take(terms_table, terms_count, args, &t, &e) != ERR_USAGE)
            fail_msg("%s was taken", table[i][0]);
        if (strncmp(e.text, table[i][1], strlen(table[i][1])))
            fail_msg("%s: %s", table[i][0], e.text);
        assert_memory_equal(&t, &before, sizeof t);
        json_decref(args);
    }
}

/* --- documents --- */

static enum err read_terms(const json_t *j, bool inside, struct terms *t, struct error *e)
{
    struct reader r;

    reader_init(&r, j, "terms", e);
    members_read(&r, terms_table, terms_count, t, inside);
    return reader_done(&r);
}

static void read_strictly(void **state)
{
    static const char *const table[][2] = {
        {"{'randomize_s':'2h'}", "terms.randomize_s: a whole number from 0 to 86400"},
        {"{'randomize_s':86401}", "terms.randomize_s: a whole number"},
        {"{'randomize':60}", "terms.randomize: is not known; did you mean \"randomize_s\"?"},
        {"{'randomise_s':60}", "terms.randomise_s: is not known; did you mean \"randomize_s\"?"},
        {"{'soft_deadline':1}", "terms.soft_deadline: true or false"},
        {"{'notify':'None'}", "terms.notify: all, restart or none was expected"},
        {"{'notify':2}", "terms.notify: a text was expected"},
        {"{'alert_below':90}", "terms.alert_below: is not known"},
        {"{'alert_after_s':90}", "terms.alert_after_s: is not known"},
        {"{'surprise':1}", "terms.surprise: is not known"},
    };
    struct terms t;
    struct error e;
    json_t *j;

    (void)state;
    for (size_t i = 0; i < COUNT(table); i++) {
        j = paper(table[i][0]);
        memset(&t, 0xff, sizeof t);
        assert_int_equal(read_terms(j, false, &t, &e), ERR_VERIFY);
        if (strncmp(e.text, table[i][1], strlen(table[i][1])))
            fail_msg("%s: %s", table[i][0], e.text);
        assert_true(t.notify == NOTIFY_ALL && t.verbosity == VERBOSITY_ALL); /* defaults, never what was refused */
        json_decref(j);
    }
    j = paper("{'notify':'restart','randomize_s':0,'metered':true,'alert_below':90,'alert_after_s':60}");
    assert_int_equal(read_terms(j, true, &t, &e), OK);
    assert_true(t.notify == NOTIFY_RESTART && t.randomize_s == 0 && t.metered && t.alert_below == 90 && t.alert_after_s == 60);
    assert_true(t.neighbour_fallback && t.purpose == PURPOSE_REQUIRED);
    json_decref(j);
}

static int64_t some_value(const struct member *m, int n)
{
    if (m->type == MEMBER_WORD)
        return n % words_in(m);
    return n % 3 == 0 ? m->low : n % 3 == 1 ? m->high : m->standard;
}

/* Whatever the struct holds comes back from its print, which holds nothing that is as by default, nor what is the site's own. */
static void prints_and_reads_to_the_same(void **state)
{
    (void)state;
    for (size_t t = 0; t < COUNT(tables); t++)
        for (int n = 0; n < 200; n++) {
            const struct member *table = tables[t].table;
            void *one = must_alloc(tables[t].size), *two = must_alloc(tables[t].size);
            json_t *j = json_object(), *outside = json_object();
            size_t different = 0, inside = 0;
            struct reader r;
            struct error e;

            for (size_t i = 0; i < *tables[t].count; i++) {
                set(&table[i], one, some_value(&table[i], n * 7 + (int)i * (n % 5 + 1)));
                different += get(&table[i], one) != table[i].standard;
                inside += table[i].inside && get(&table[i], one) != table[i].standard;
            }
            members_print(table, *tables[t].count, one, j, true);
            members_print(table, *tables[t].count, one, outside, false);
            assert_int_equal(json_object_size(j), different);
            assert_int_equal(json_object_size(outside), different - inside);
            reader_init(&r, j, "o", &e);
            members_read(&r, table, *tables[t].count, two, true);
            if (reader_done(&r))
                fail_msg("%s", e.text);
            for (size_t i = 0; i < *tables[t].count; i++)
                if (get(&table[i], one) != get(&table[i], two))
                    fail_msg("%s: %lld became %lld", table[i].name, (long long)get(&table[i], one), (long long)get(&table[i], two));
            json_decref(j);
            json_decref(outside);
            free(one);
            free(two);
        }
}

static void shown(void **state)
{
    static const struct {
        int64_t seconds;
        const char *text;
    } durations[] = {{0, "0s"}, {1, "1s"}, {90, "90s"}, {3600, "1h"}, {5400, "90m"}, {7200, "2h"}, {86400, "1d"}, {86401, "86401s"}};
    struct terms t;
    json_t *o;

    (void)state;
    members_default(terms_table, terms_count, &t);
    t.notify = NOTIFY_NONE;
    t.soft_deadline = true;
    t.alert_below = 95;
    o = members_show(terms_table, terms_count, &t);
    assert_int_equal(json_object_size(o), terms_count);
    assert_string_equal(json_string_value(json_object_get(o, "soft_deadline")), "yes");
    assert_string_equal(json_string_value(json_object_get(o, "metered")), "no");
    assert_string_equal(json_string_value(json_object_get(o, "notify")), "none");
    assert_string_equal(json_string_value(json_object_get(o, "alert_below")), "95");
    json_decref(o);
    for (size_t i = 0; i < COUNT(durations); i++) {
        t.randomize_s = durations[i].seconds;
        o = members_show(terms_table, terms_count, &t);
        assert_string_equal(json_string_value(json_object_get(o, "randomize")), durations[i].text);
        memset(&t.randomize_s, 0, sizeof t.randomize_s);
        json_object_del(o, "alert_after");
        if (durations[i].seconds <= 86400) { /* what is shown can be given back */
            assert_int_equal(members_take(terms_table, terms_count, o, &t, NULL), OK);
            assert_int_equal(t.randomize_s, durations[i].seconds);
        }
        json_decref(o);
    }
}

/* --- layers of settings --- */

static enum err check(const json_t *j, struct error *e)
{
    return settings_check(j, "collection.settings.values", e);
}

static void layers_checked(void **state)
{
    static const char *const table[][2] = {
        {"[]", "collection.settings.values: an object"},
        {"{'graze_s':1}", "collection.settings.values.graze_s: is not known; did you mean \"grace_s\"?"},
        {"{'grace_s':432001}", "collection.settings.values.grace_s: a whole number from 0 to 432000"},
        {"{'enabled':'no'}", "collection.settings.values.enabled: true or false"},
        {"{'installers':'some'}", "collection.settings.values.installers: all, administrators or none"},
        {"{'restart_countdown_s':60,'restart_final_s':61}",
         "collection.settings.values.restart_final_s: is longer than the whole countdown"},
    };
    json_t *j;
    struct error e;

    (void)state;
    for (size_t i = 0; i < COUNT(table); i++) {
        j = paper(table[i][0]);
        paper_expect(j, check, table[i][1]);
        json_decref(j);
    }
    j = paper("{'grace_s':432000,'enabled':false,'metered':'limit','restart_countdown_s':60,'rescan_s':1}");
    assert_int_equal(check(j, &e), OK);
    json_decref(j);
    j = paper("{}");
    assert_int_equal(check(j, &e), OK);
    json_decref(j);
}

static void merged(void **state)
{
    json_t *strong = paper("{'grace_s':10,'enabled':false}"), *weak = paper("{'grace_s':20,'poll_s':30,'metered':'allow'}"),
           *tied = paper("{'grace_s':40,'poll_s':50,'batch_s':60,'restart_countdown_s':600}");
    const json_t *layers[] = {weak, tied, strong};
    int64_t priorities[] = {7, 7, 2};
    struct settings s, standard;

    (void)state;
    members_default(settings_table, settings_count, &standard);
    settings_merge(layers, priorities, 3, &s);
    assert_int_equal(s.grace_s, 10); /* the lowest number */
    assert_int_equal(s.poll_s, 30);  /* of two that are the same, the first */
    assert_int_equal(s.batch_s, 60); /* the weakest, where nobody else says anything */
    assert_true(!s.enabled && s.metered == METERED_ALLOW && s.randomize == standard.randomize);
    assert_true(s.restart_countdown_s == 600 && s.restart_final_s == 600); /* the default's fifteen minutes do not fit in */
    priorities[2] = 8;
    settings_merge(layers, priorities, 3, &s);
    assert_int_equal(s.grace_s, 20);
    settings_merge(layers, priorities, 0, &s);
    for (size_t i = 0; i < settings_count; i++)
        assert_int_equal(get(&settings_table[i], &s), get(&settings_table[i], &standard));
    assert_int_equal(json_object_size(strong), 2); /* untouched */
    json_decref(strong);
    json_decref(weak);
    json_decref(tied);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_tables), cmocka_unit_test(defaults),       cmocka_unit_test(taken),
        cmocka_unit_test(not_taken),  cmocka_unit_test(read_strictly),  cmocka_unit_test(prints_and_reads_to_the_same),
        cmocka_unit_test(shown),      cmocka_unit_test(layers_checked), cmocka_unit_test(merged),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
