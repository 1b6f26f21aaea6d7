#include "policy/document/update.h"
#include "tests/unit/paper.h"

static enum err read_update(const json_t *j, struct error *e)
{
    struct update *u = NULL;
    enum err code = update_from_json(j, "update", &u, e);

    update_free(u);
    return code;
}

static void round_trip(const char *text)
{
    json_t *j = paper(text), *again;
    struct update *u;
    struct error e;

    if (update_from_json(j, "update", &u, &e))
        fail_msg("%s", e.text);
    again = update_to_json(u);
    assert_true(json_equal(j, again));
    update_free(u);
    json_decref(again);
    json_decref(j);
}

static void written_and_read(void **state)
{
    (void)state;
    round_trip(UPDATE_APT);
    round_trip(UPDATE_COMMAND);
}

static void every_member(void **state)
{
    json_t *j = paper(UPDATE_COMMAND);
    struct update *u;
    struct error e;

    (void)state;
    assert_int_equal(update_from_json(j, "update", &u, &e), OK);
    json_decref(j);
    assert_string_equal(u->id, "command:banner:1");
    assert_int_equal(u->classification, CLASS_UPDATE);
    assert_int_equal(u->severity, SEVERITY_UNSPECIFIED);
    assert_null(u->cves);
    assert_null(u->applies);
    assert_int_equal(u->released, 0);
    assert_int_equal(update_size(u), 20);
    assert_null(u->files[0].origin);
    assert_int_equal(u->detect.type, DETECT_FILE);
    assert_string_equal(u->detect.path, "/etc/banner");
    assert_int_equal(u->detect.sha256.b[0], 0xcc);
    assert_int_equal(u->install.type, INSTALL_COMMAND);
    assert_string_equal(u->install.args[1], "{content}");
    assert_int_equal(u->install.code_count, 3);
    assert_int_equal(u->install.codes[2].code, UINT32_MAX);
    assert_int_equal(u->install.codes[1].meaning, RETURN_RESTART);
    assert_true(u->install.exclusive);
    update_free(u);
    update_free(NULL);
}

static void anything_else(void **state)
{
    json_t *apt = paper(UPDATE_APT), *command = paper(UPDATE_COMMAND);

    (void)state;
    assert_true(paper_torture(apt, apt, "update", read_update) > 30);
    assert_true(paper_torture(command, command, "update", read_update) > 35);
    json_decref(apt);
    json_decref(command);
}

static void refused(void **state)
{
    static const struct refusal apt[] = {
        {"id", NULL, "update.id: is missing"},
        {"id", "''", "update.id"},
        {"title", NULL, "update.title: is missing"},
        {"classification", "'urgent'", "update.classification: \"urgent\" is not one of critical"},
        {"severity", "'Critical'", "update.severity"},
        {"released", "'2026-13-01T00:00:00Z'", "update.released"},
        {"applies", "'os.codename ='", "update.applies: column 14: expected a value"},
        {"files", NULL, "update.files: is missing"},
        {"files[0].size", "-1", "update.files[0].size"},
        {"files[0].size", "9223372036854775807", "update.files[0].size"},
        {"files[0].sha256", NULL, "update.files[0].sha256: is missing"},
        {"files[0].name", "''", "update.files[0].name"},
        {"files[0].name", "'/etc/passwd'", "update.files[0].name"},
        {"files[0].name", "'pool/../../x'", "update.files[0].name"},
        {"detect", NULL, "update.detect: is missing"},
        {"detect.type", "'guess'", "update.detect.type: \"guess\""},
        {"detect.type", "'program'", "update.detect.program"},
        {"detect.type", "'file'", "update.detect.path"},
        {"install.type", "'msi'", "update.install.type"},
        {"install.type", "'command'", "update.install.program: is missing"},
        {"install.max_run_s", "0", "update.install.max_run_s"},
        {"install.max_run_s", "599941", "update.install.max_run_s"},
        {"install.max_run_s", NULL, "update.install.max_run_s: is missing"},
    };
    static const struct refusal command[] = {
        {"detect.sha256", NULL, "update.detect.sha256: is missing"},
        {"install.codes[1].code", "4294967296", "update.install.codes[1].code"},
        {"install.codes[1].code", "-1", "update.install.codes[1].code"},
        {"install.codes[2].meaning", "'fine'", "update.install.codes[2].meaning: \"fine\""},
        {"install.program", NULL, "update.install.program: is missing"},
    };

    (void)state;
    paper_refuse(UPDATE_APT, read_update, apt, COUNT(apt));
    paper_refuse(UPDATE_COMMAND, read_update, command, COUNT(command));
}

static void too_large(void **state)
{
    json_t *j = paper(UPDATE_APT), *files = json_object_get(j, "files"), *file = json_deep_copy(json_array_get(files, 0)), *cves;
    char text[17000];

    (void)state;
    while (json_array_size(files) < 2000)
        json_array_append(files, file);
    assert_int_equal(read_update(j, NULL), OK);
    json_array_append(files, file);
    paper_expect(j, read_update, "update.files: a list of at most 2000");
    json_array_remove(files, 0);
    memset(text, 'x', sizeof text);
    text[16384] = '\0';
    json_object_set_new(j, "description", json_string(text));
    assert_int_equal(read_update(j, NULL), OK);
    text[16384] = 'x';
    text[16385] = '\0';
    json_object_set_new(j, "description", json_string(text));
    paper_expect(j, read_update, "update.description: a text of at most 16384");
    json_object_set_new(j, "description", json_string(""));
    cves = json_object_get(j, "cves");
    while (json_array_size(cves) < 65)
        json_array_append_new(cves, json_string("CVE"));
    paper_expect(j, read_update, "update.cves: a list of at most 64");
    json_array_clear(cves);
    json_object_set_new(j, "articles", json_pack("[s]", "503 1"));
    paper_expect(j, read_update, "update.articles: words without blanks");
    json_object_set_new(j, "articles", json_pack("[s]", ""));
    paper_expect(j, read_update, "update.articles: words without blanks");
    while (json_array_size(json_object_get(j, "articles")) < 17)
        json_array_append_new(json_object_get(j, "articles"), json_string("5"));
    paper_expect(j, read_update, "update.articles: a list of at most 16");
    json_decref(file);
    json_decref(j);
}

static void words(void **state)
{
    enum update_class c;
    enum severity s;
    enum update_state u;

    (void)state;
    for (unsigned i = 0; i < CLASS_COUNT; i++) {
        assert_true(class_by_name(class_name((enum update_class)i), &c));
        assert_int_equal(c, i);
    }
    for (unsigned i = 0; i < SEVERITY_COUNT; i++) {
        assert_true(severity_by_name(severity_name((enum severity)i), &s));
        assert_int_equal(s, i);
    }
    for (unsigned i = 0; i < STATE_COUNT; i++) {
        assert_true(state_by_name(state_name((enum update_state)i), &u));
        assert_int_equal(u, i);
    }
    assert_false(class_by_name("", &c));
    assert_false(severity_by_name("highest", &s));
    assert_false(state_by_name("Required", &u));
    assert_true(SEVERITY_CRITICAL > SEVERITY_IMPORTANT && SEVERITY_LOW > SEVERITY_NONE);
}

static void copied_words(void **state)
{
    char *list[] = {(char[]){"a"}, (char[]){"b"}, NULL};
    char **copy = words_copy(list);

    (void)state;
    assert_string_equal(copy[1], "b");
    assert_ptr_not_equal(copy[1], list[1]);
    assert_null(copy[2]);
    assert_null(words_copy(NULL));
    words_free(copy);
    words_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(written_and_read), cmocka_unit_test(every_member), cmocka_unit_test(anything_else), cmocka_unit_test(refused),
        cmocka_unit_test(too_large),        cmocka_unit_test(words),        cmocka_unit_test(copied_words),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
