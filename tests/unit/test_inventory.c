#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include "node/client/inventory.h"
#include "lab.h"

/* ---- policy/catalog/inventory_list.c and apt_state.c ---- */

#define LIST                                                                                        \
    "ii \tjq\tamd64\t1.6-2\tjq\t1.6-2\t\n"                                                            \
    "rc \tgone\tamd64\t1\tgone\t1\n"                                                                  \
    "hi \theld\tamd64\t1\theld\t1\n"                                                                  \
    "iU \thalf\tamd64\t2\thalf\t2\n"                                                                  \
    "ii \tlibc6\tamd64\t2.36\tglibc\t2.36\n"                                                          \
    "ii \tlibc6\ti386\t2.35\tglibc\t2.35\n"                                                           \
    "ii \tpy\tall\t3\tpy-src\t2.9\tvirt (= 3), other\n"

static struct inventory list(void)
{
    struct inventory inv;
    struct error     e = {0};

    if (inventory_read(LIST, sizeof(LIST) - 1, &inv, &e) != OK)
        fail_msg("%s", e.text);
    return inv;
}

static void reads_dpkg_and_json(void **state)
{
    struct inventory inv = list(), again;
    json_t          *j = inventory_to_json(&inv);
    char            *text = json_dumps(j, JSON_COMPACT);

    (void)state;
    assert_string_equal(text,
                        "[[\"iU\",\"half\",\"amd64\",\"2\",\"half\",\"2\"],[\"hi\",\"held\",\"amd64\",\"1\",\"held\",\"1\"],"
                        "[\"ii\",\"jq\",\"amd64\",\"1.6-2\",\"jq\",\"1.6-2\"],[\"ii\",\"libc6\",\"amd64\",\"2.36\",\"glibc\",\"2.36\"],"
                        "[\"ii\",\"libc6\",\"i386\",\"2.35\",\"glibc\",\"2.35\"],"
                        "[\"ii\",\"py\",\"all\",\"3\",\"py-src\",\"2.9\",\"virt (= 3), other\"]]");
    assert_int_equal(inventory_from_json(j, &again, NULL), OK);
    assert_int_equal(again.count, 6);
    assert_string_equal(again.items[5].provides, "virt (= 3), other");
    inventory_end(&again);
    inventory_end(&inv);
    free(text);
    json_decref(j);
    j = json_loads("[[\"ii\",\"a\",\"amd64\",\"1\"]]", 0, NULL);
    assert_int_equal(inventory_from_json(j, &again, NULL), OK);
    assert_string_equal(again.items[0].source, "a");
    assert_string_equal(again.items[0].source_version, "1");
    inventory_end(&again);
    json_decref(j);
}

static void refuses_what_is_no_inventory(void **state)
{
    static const char *const lines[] = {"ii \tjq\tamd64\n", "zz \tjq\tamd64\t1\tjq\t1\n", "ii \t\tamd64\t1\tjq\t1\n",
                                        "i\tjq\tamd64\t1\tjq\t1\n", "ii \ta\tb\tc\td\te\tf\tg\n"};
    static const char *const texts[] = {"{}", "[1]", "[[\"ii\",\"a\",\"b\"]]", "[[\"ii\",\"a\",\"b\",1]]", "[[\"ii\",\"\",\"b\",\"1\"]]"};
    struct inventory inv;

    (void)state;
    for (size_t i = 0; i < COUNT(lines); i++)
        assert_int_equal(inventory_read(lines[i], strlen(lines[i]), &inv, NULL), ERR_VERIFY);
    for (size_t i = 0; i < COUNT(texts); i++) {
        json_t *j = json_loads(texts[i], 0, NULL);

        assert_int_equal(inventory_from_json(j, &inv, NULL), ERR_VERIFY);
        json_decref(j);
    }
    assert_int_equal(inventory_read("", 0, &inv, NULL), OK);
    assert_int_equal(inv.count, 0);
}

static void finds_by_architecture(void **state)
{
    struct inventory inv = list();

    (void)state;
    assert_string_equal(inventory_find(&inv, "libc6", "i386")->version, "2.35");
    assert_string_equal(inventory_find(&inv, "libc6", "amd64")->version, "2.36");
    assert_null(inventory_find(&inv, "libc6", "arm64"));
    assert_non_null(inventory_find(&inv, "py", "amd64"));
    assert_non_null(inventory_find(&inv, "jq", "all"));
    assert_non_null(inventory_find(&inv, "jq", "any"));
    assert_null(inventory_find(&inv, "none", "any"));
    inventory_end(&inv);
}

static void states(void **state)
{
    static const struct { const char *package, *arch, *version; enum update_state state; bool held; size_t needed; } cases[] = {
        {"jq", "amd64", "1.6-2.1", STATE_REQUIRED, false, 1},      {"jq", "amd64", "1.6-2", STATE_INSTALLED, false, 0},
        {"jq", "amd64", "1.5", STATE_INSTALLED, false, 0},         {"jq", "arm64", "9", STATE_NOT_REQUIRED, false, 0},
        {"gone", "amd64", "2", STATE_NOT_REQUIRED, false, 0},      {"none", "amd64", "2", STATE_NOT_REQUIRED, false, 0},
        {"held", "amd64", "2", STATE_REQUIRED, true, 1},           {"half", "amd64", "2", STATE_UNKNOWN, false, 1},
        {"half", "amd64", "3", STATE_UNKNOWN, false, 1},           {"libc6", "i386", "2.36", STATE_REQUIRED, false, 1},
        {"py", "amd64", "4", STATE_REQUIRED, false, 1},            {"half", "amd64", "1", STATE_UNKNOWN, false, 0},
    };
    struct inventory inv = list();

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct update_file f = {.package = (char *)(uintptr_t)cases[i].package, .arch = (char *)(uintptr_t)cases[i].arch,
                                .version = (char *)(uintptr_t)cases[i].version};
        struct update      u = {.files = &f, .file_count = 1};
        size_t             needed[1];
        bool               held = true;

        if (apt_state(&u, &inv, &held) != cases[i].state || held != cases[i].held || apt_needed(&u, &inv, needed, 1) != cases[i].needed)
            fail_msg("%s %s %s: %s", cases[i].package, cases[i].arch, cases[i].version, state_name(apt_state(&u, &inv, NULL)));
        assert_int_equal(apt_interrupted(&u, &inv), cases[i].state == STATE_UNKNOWN && cases[i].needed);
    }
    inventory_end(&inv);
}

static void rebuilt_binaries_are_taken_once(void **state)
{
    char              jq[] = "jq", doc[] = "py", amd64[] = "amd64", all[] = "all", v1[] = "2", v2[] = "2+b1", v3[] = "3";
    struct update_file files[] = {{.package = jq, .arch = amd64, .version = v1}, {.package = jq, .arch = amd64, .version = v2},
                                  {.package = doc, .arch = all, .version = v3}};
    struct update      u = {.files = files, .file_count = 3};
    struct inventory   inv = list();
    size_t             needed[3];

    (void)state;
    assert_int_equal(apt_needed(&u, &inv, needed, 3), 1);
    assert_int_equal(needed[0], 1);
    inventory_end(&inv);
}

/* ---- node/client/inventory.c ---- */

struct scanned {
    struct lab         *lab;
    struct scan_result *result;
    struct scanner     *scanner;
};

static void on_closed(void *ctx)
{
    ((struct scanned *)ctx)->scanner = NULL;
}

static void on_scanned(void *ctx, struct scan_result *result)
{
    struct scanned *s = ctx;

    s->result = result;
    scanner_close(s->scanner, on_closed, s);
}

static struct scan_result *scan_with(struct lab *l, const struct scan *scan, const json_t *facts)
{
    struct scanned s = {.lab = l};
    struct error   e = {0};

    assert_int_equal(scanner_open(&l->loop, &l->config, l->cache, &s.scanner, &e), OK);
    scanner_facts(s.scanner, facts);
    if (scanner_run(s.scanner, scan, on_scanned, &s, &e) != OK)
        fail_msg("%s", e.text);
    assert_int_equal(scanner_run(s.scanner, scan, on_scanned, &s, &e), ERR_AGAIN);
    uv_run(&l->loop, UV_RUN_DEFAULT);
    assert_non_null(s.result);
    assert_null(s.scanner);
    return s.result;
}

static struct scan_result *scan_lab(struct lab *l, const struct scan *scan)
{
    return scan_with(l, scan, NULL);
}

static enum update_state state_of(const struct scan_result *r, const char *id)
{
    for (size_t i = 0; i < r->count; i++)
        if (strcmp(r->states[i].id, id) == 0)
            return r->states[i].state;
    return STATE_NOT_REQUIRED;
}

static void scans_a_real_root(void **state)
{
    struct lab          l;
    struct scan         scan = {0};
    struct scan_result *r;
    char                hex[SHA256_HEX];
    bool                held = true;

    (void)state;
    lab_open(&l, "ferry-lib ferry-app ferry-tool");
    scan.archives = &l.archive;
    scan.archive_count = 1;
    r = scan_lab(&l, &scan);
    assert_int_equal(r->code, OK);
    assert_string_equal(r->error.text, "");
    assert_false(r->interrupted);
    assert_int_equal(r->inventory.count, 3);
    assert_int_equal(r->count, 2);
    assert_int_equal(state_of(r, "apt:demo:ferry-app:2.0"), STATE_REQUIRED);
    assert_int_equal(state_of(r, "apt:demo:ferry-tool:2.0"), STATE_REQUIRED);
    assert_int_equal(state_of(r, "apt:demo:ferry-data:2.0"), STATE_NOT_REQUIRED);
    assert_string_equal(json_string_value(json_object_get(r->catalogs, "demo")), sha256_hex(&l.archive.indexes[0].sha256, hex));
    assert_int_equal(inventory_state(r, lab_update(&l, "ferry-app"), &held), STATE_REQUIRED);
    assert_false(held);
    assert_int_equal(inventory_state(r, lab_update(&l, "ferry-data"), NULL), STATE_NOT_REQUIRED);
    assert_int_equal(inventory_state(NULL, lab_update(&l, "ferry-data"), NULL), STATE_UNKNOWN);
    scan_result_free(r);
    shell("touch %s/var/lib/dpkg/updates/0001", l.root);
    r = scan_lab(&l, NULL);
    assert_true(r->interrupted);
    assert_int_equal(r->count, 0);
    scan_result_free(r);
    lab_close(&l);
}

static void what_cannot_be_read_is_unknown(void **state)
{
    struct lab          l;
    struct scan_result *r;

    (void)state;
    lab_open(&l, "ferry-lib");
    shell("echo garbage >%s/var/lib/dpkg/status", l.root);
    r = scan_lab(&l, NULL);
    assert_int_equal(r->code, ERR_FAILED);
    assert_non_null(strstr(r->error.text, "status"));
    assert_int_equal(inventory_state(r, lab_update(&l, "ferry-app"), NULL), STATE_UNKNOWN);
    scan_result_free(r);
    shell("rm %s/var/lib/dpkg/status", l.root);
    r = scan_lab(&l, NULL);
    assert_int_equal(r->code, ERR_NOT_FOUND);
    scan_result_free(r);
    lab_close(&l);
}

static void an_archive_that_is_not_whole_is_left_out(void **state)
{
    struct lab          l;
    struct scan         scan = {0};
    struct scan_result *r;
    char                path[256];

    (void)state;
    lab_open(&l, "ferry-lib");
    scan.archives = &l.archive;
    scan.archive_count = 1;
    cache_path(l.cache, &l.archive.indexes[1].sha256, path, sizeof(path));
    shell("chmod u+w %s && echo x >>%s", path, path);
    cache_keep(l.cache, &l.archive.indexes[1].sha256, NULL);
    l.archive.indexes[1].size += 2;
    r = scan_lab(&l, &scan);
    assert_int_equal(r->code, OK);
    assert_non_null(strstr(r->error.text, "Packages.xz"));
    assert_int_equal(json_object_size(r->catalogs), 0);
    assert_int_equal(r->inventory.count, 1);
    scan_result_free(r);
    cache_forget(l.cache, &l.archive.indexes[0].sha256);
    r = scan_lab(&l, &scan);
    assert_int_equal(r->code, OK);
    assert_int_equal(json_object_size(r->catalogs), 0);
    scan_result_free(r);
    lab_close(&l);
}

static struct update *command(struct lab *l, int n, const char *script)
{
    struct update *u = must_alloc(sizeof(*u));
    char          *path = must_print("%s/detect-%d.sh", l->dir, n);
    uint64_t       size;

    assert_int_equal(file_write(path, script, strlen(script), 0644, NULL), OK);
    u->id = must_print("command:c%d:1", n);
    u->catalog = must_copy("");
    u->name = must_print("c%d", n);
    u->version = must_copy("1");
    u->title = must_copy("t");
    u->description = must_copy("");
    u->urgency = must_copy("");
    u->product = must_copy("");
    u->vendor = must_copy("");
    u->files = must_alloc(sizeof(*u->files));
    u->file_count = 1;
    u->files[0].sha256 = lab_put(l, path, &size);
    u->files[0].size = size;
    u->files[0].name = must_print("detect-%d.sh", n);
    u->install.type = INSTALL_COMMAND;
    u->install.program = must_copy(u->files[0].name);
    u->install.max_run_s = 300;
    u->detect.type = DETECT_PROGRAM;
    u->detect.program = must_copy(u->files[0].name);
    u->detect.args = words_copy((char *[]){(char[]){"{root}"}, NULL});
    free(path);
    return u;
}

static void detects_commands(void **state)
{
    static const struct { const char *script; enum update_state state; } cases[] = {
        {"#!/bin/sh\n[ -e \"$1/etc/os-release\" ]\n", STATE_INSTALLED}, {"#!/bin/sh\nexit 1\n", STATE_REQUIRED},
        {"#!/bin/sh\nexit 2\n", STATE_NOT_REQUIRED},                     {"#!/bin/sh\nexit 3\n", STATE_UNKNOWN},
    };
    struct lab          l;
    struct update      *updates[6];
    struct scan         scan = {.updates = updates, .update_count = 6};
    struct scan_result *r;

    (void)state;
    lab_open(&l, "ferry-lib");
    for (int i = 0; i < 6; i++)
        updates[i] = command(&l, i, i < 4 ? cases[i].script : "#!/bin/sh\n# not run\n");
    cache_forget(l.cache, &updates[4]->files[0].sha256);        /* same bytes as 5: both are unknown */
    updates[5]->detect.type = DETECT_FILE;
    updates[5]->detect.path = must_copy("/etc/setting");
    updates[5]->detect.sha256 = hash_bytes("x\n", 2);
    r = scan_lab(&l, &scan);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(state_of(r, updates[i]->id), cases[i].state);
        assert_int_equal(inventory_state(r, updates[i], NULL), cases[i].state);
    }
    assert_int_equal(state_of(r, updates[4]->id), STATE_UNKNOWN);
    assert_int_equal(inventory_state(r, updates[5], NULL), STATE_REQUIRED);
    shell("echo x >%s/etc/setting", l.root);
    assert_int_equal(inventory_state(r, updates[5], NULL), STATE_INSTALLED);
    free(updates[0]->id);
    updates[0]->id = must_copy("command:never-asked:1");
    assert_int_equal(inventory_state(r, updates[0], NULL), STATE_UNKNOWN);
    scan_result_free(r);
    for (int i = 0; i < 6; i++)
        update_free(updates[i]);
    lab_close(&l);
}

/* An update for other machines is not required here, and its program is not run. */
static void asks_only_what_applies(void **state)
{
    static const char *const rules[] = {"os.id = debian", "os.id = fedora", "hostname ~ \"till-*\"", "role = site"};
    struct lab          l;
    struct update      *updates[4];
    struct scan         scan = {.updates = updates, .update_count = 4};
    struct scan_result *r;
    json_t             *facts = json_pack("{s:s,s:s,s:[s]}", "os.id", "debian", "hostname", "till-3", "role", "client");

    (void)state;
    lab_open(&l, "ferry-lib");
    for (int i = 0; i < 4; i++) {
        updates[i] = command(&l, i, "#!/bin/sh\necho ran >>\"$1/ran\"\nexit 1\n");
        updates[i]->applies = must_copy(rules[i]);
    }
    updates[3]->detect.type = DETECT_FILE;
    updates[3]->detect.path = must_copy("/etc/setting");
    updates[3]->detect.sha256 = hash_bytes("x\n", 2);
    r = scan_with(&l, &scan, facts);
    for (int i = 0; i < 4; i++) {
        enum update_state wanted = i == 0 || i == 2 ? STATE_REQUIRED : STATE_NOT_REQUIRED;

        assert_int_equal(state_of(r, updates[i]->id), wanted);
        assert_int_equal(inventory_state(r, updates[i], NULL), wanted);
    }
    shell("test $(wc -l <%s/ran) = 2", l.root);
    scan_result_free(r);
    for (int i = 0; i < 4; i++)
        update_free(updates[i]);
    json_decref(facts);
    lab_close(&l);
}

static void knows_the_machine(void **state)
{
    struct lab l;
    json_t    *facts;

    (void)state;
    lab_open(&l, "ferry-lib");
    shell("echo till-3 >%s/etc/hostname", l.root);
    facts = facts_read(&l.config);
    assert_string_equal(json_string_value(json_object_get(facts, "hostname")), "till-3");
    assert_string_equal(json_string_value(json_object_get(facts, "os.codename")), "bookworm");
    assert_string_equal(json_string_value(json_object_get(facts, "os.version")), "12");
    assert_non_null(json_object_get(facts, "arch"));
    assert_non_null(json_object_get(facts, "kernel"));
    assert_true(json_integer_value(json_object_get(facts, "memory.mib")) > 0);
    json_decref(facts);
    l.config.hostname = l.dir;
    facts = facts_read(&l.config);
    assert_string_equal(json_string_value(json_object_get(facts, "hostname")), l.dir);
    json_decref(facts);
    lab_close(&l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_dpkg_and_json),
        cmocka_unit_test(refuses_what_is_no_inventory),
        cmocka_unit_test(finds_by_architecture),
        cmocka_unit_test(states),
        cmocka_unit_test(rebuilt_binaries_are_taken_once),
        cmocka_unit_test(scans_a_real_root),
        cmocka_unit_test(what_cannot_be_read_is_unknown),
        cmocka_unit_test(an_archive_that_is_not_whole_is_left_out),
        cmocka_unit_test(detects_commands),
        cmocka_unit_test(asks_only_what_applies),
        cmocka_unit_test(knows_the_machine),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
