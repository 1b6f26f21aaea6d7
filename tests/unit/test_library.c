/* The library: a content is there whole, verified and with its torrent, or not at all. */
#include "tests/unit/site_lab.h"

static struct site_lab lab;

static int begin(void **state)
{
    site_lab_open(&lab);
    *state = &lab;
    return 0;
}

static int end(void **state)
{
    site_lab_close(*state);
    return 0;
}

struct arrival {
    bool         done;
    enum err     code;
    struct error error;
};

static void on_arrival(void *ctx, enum err code, const struct error *e)
{
    struct arrival *a = ctx;

    assert_false(a->done);
    a->done = true;
    a->code = code;
    if (code)
        a->error = *e;
}

static void start(const char *url, const struct sha256 *h, uint64_t size, struct arrival *a)
{
    struct library_call call = {.sha256 = *h, .size = size, .name = "x", .url = url, .origin = url, .done = on_arrival, .ctx = a};

    library_fetch(lab.site, &call);
    assert_false(a->done);
}

static struct arrival fetch(const char *path, const struct sha256 *h, uint64_t size)
{
    AUTO(text_free) char *url = must_print("%s/%s", lab.net.url, path);
    struct arrival        a = {0};

    start(url, h, size, &a);
    while (!a.done)
        uv_run(&lab.net.loop, UV_RUN_ONCE);
    return a;
}

/* 200,000 bytes below /www/NAME. */
static struct sha256 offer(const char *name, char fill)
{
    AUTO(text_free) char *path = must_print("%s/%s", lab.www, name), *bytes = must_alloc(200000);

    memset(bytes, fill, 200000);
    assert_int_equal(file_write(path, bytes, 200000, 0600, NULL), OK);
    return hash_bytes(bytes, 200000);
}

static void test_arrives(void **state)
{
    struct sha256  h = offer("x", 'x');
    struct arrival a = fetch("www/x", &h, 200000);
    json_t        *out, *row;

    (void)state;
    assert_int_equal(a.code, OK);
    assert_true(library_has(lab.site, &h));
    assert_int_equal(library_count(&lab), 1);
    out = must(&lab, "GET", "contents", NULL);
    row = json_array_get(json_object_get(out, "items"), 0);
    assert_int_equal(json_integer_value(json_object_get(row, "size")), 200000);
    assert_non_null(strstr(json_string_value(json_object_get(row, "origin")), "/www/x"));
    json_decref(out);
}

static void refused(const char *path, const struct sha256 *h, uint64_t size, enum err code, const char *part)
{
    struct arrival a = fetch(path, h, size);

    if (a.code != code || !strstr(a.error.text, part))
        fail_msg("%s: %d %s", path, a.code, a.error.text);
    assert_false(library_has(lab.site, h));
    assert_int_equal(library_count(&lab), 0);
}

/* Altered, longer, shorter, absent: refused with its address, nothing kept. */
static void test_refused(void **state)
{
    struct sha256 h = offer("x", 'x'), other = offer("y", 'y');

    (void)state;
    refused("www/y", &h, 200000, ERR_VERIFY, "/www/y: its size or SHA-256");
    refused("www/x", &h, 199999, ERR_VERIFY, "more than");
    refused("www/x", &h, 200001, ERR_VERIFY, "/www/x");
    refused("www/none", &other, 200000, ERR_NOT_FOUND, "/www/none");
    assert_int_equal(fetch("www/x", &h, 200000).code, OK);
}

/* Two works want the same file at the same time: neither spoils the other's. */
static void test_twice_at_once(void **state)
{
    struct sha256         h = offer("x", 'x'), real;
    AUTO(text_free) char *url = must_print("%s/www/x", lab.net.url);
    struct arrival        a = {0}, b = {0};
    char                  hex[SHA256_HEX], path[256];
    uint64_t              size;

    (void)state;
    start(url, &h, 200000, &a);
    start(url, &h, 200000, &b);
    while (!a.done || !b.done)
        uv_run(&lab.net.loop, UV_RUN_ONCE);
    assert_int_equal(a.code, OK);
    assert_int_equal(b.code, OK);
    assert_int_equal(library_count(&lab), 1);
    snprintf(path, sizeof path, "%s/%s", lab.site->content_dir, sha256_hex(&h, hex));
    assert_int_equal(hash_file(path, &real, &size, NULL), OK);
    assert_true(sha256_same(&real, &h));
}

/* A site makes the same torrent of the same content again: nodes that have the first one are neighbours of those that have the second. */
static void test_same_torrent(void **state)
{
    struct sha256 h = offer("x", 'x');
    char          hex[SHA256_HEX], path[256], file[256], *first, *second;
    size_t        length, again;

    (void)state;
    for (int i = 0; i < 2; i++) {
        assert_int_equal(fetch("www/x", &h, 200000).code, OK);
        snprintf(path, sizeof path, "%s/%s.torrent", lab.site->content_dir, sha256_hex(&h, hex));
        assert_int_equal(file_read(path, 1 << 20, i ? &second : &first, i ? &again : &length, NULL), OK);
        snprintf(file, sizeof file, "%s/%s", lab.site->content_dir, hex);
        assert_int_equal(unlink(path) | unlink(file), 0);
    }
    assert_int_equal(length, again);
    assert_memory_equal(first, second, length);
    free(first);
    free(second);
}

/* The vendor has fallen silent in the middle: closing the site does not wait for him, and nothing half made is left. */
static void test_closed_meanwhile(void **state)
{
    struct parrot  p;
    char           url[64];
    struct arrival a = {0};
    struct sha256  h = hash_bytes("x", 1);

    (void)state;
    parrot_start(&p, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nbegin", true, 1);
    snprintf(url, sizeof url, "http://127.0.0.1:%d/x", p.port);
    start(url, &h, 1000, &a);
    for (int i = 0; i < 50; i++) {
        uv_run(&lab.net.loop, UV_RUN_NOWAIT);
        usleep(2000);
    }
    assert_false(a.done);
    site_lab_stop(&lab);
    assert_true(a.done);
    assert_int_equal(a.code, ERR_AGAIN);
    parrot_end(&p);
    site_lab_start(&lab);
    assert_int_equal(library_count(&lab), 0);
}

/* What a killed ferryd left is swept when the site opens; contents are not. */
static void test_swept(void **state)
{
    struct sha256 h = offer("x", 'x');
    char          path[200];

    (void)state;
    assert_int_equal(fetch("www/x", &h, 200000).code, OK);
    site_lab_stop(&lab);
    snprintf(path, sizeof path, "%s/content/.tmp-7", lab.dir);
    assert_int_equal(file_write(path, "half", 4, 0600, NULL), OK);
    site_lab_start(&lab);
    assert_int_equal(library_count(&lab), 1);
}

/* --- command updates: files from the administrator's disk --- */

static json_t *command(const char *name, const char *file)
{
    return json_pack("{s:s,s:s,s:s,s:[s]}", "name", name, "program", "x", "detect_program", "/bin/true", "files", file);
}

static void test_command_files(void **state)
{
    AUTO(text_free) char *path = must_print("%s/x", lab.www);
    json_t               *body, *out;
    long                  status;

    (void)state;
    offer("x", 'x');
    json_decref(must(&lab, "POST", "updates?dry_run=1", command("banner", path)));
    assert_int_equal(library_count(&lab), 0);
    json_decref(must(&lab, "POST", "updates", command("banner", path)));
    assert_int_equal(library_count(&lab), 1);
    out = must(&lab, "GET", "updates/banner", NULL);
    assert_int_equal(json_integer_value(json_object_get(out, "size")), 200000);
    json_decref(out);
    body = command("other", "relative");
    json_decref(api(&lab, "POST", "updates", body, &status));
    assert_int_equal(status, 400);
    json_decref(body);
    body = command("other", "/none/at/all");
    json_decref(api(&lab, "POST", "updates", body, &status));
    assert_int_equal(status, 404);
    json_decref(body);
    assert_int_equal(library_count(&lab), 1);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        T(test_arrives),          T(test_refused), T(test_twice_at_once), T(test_same_torrent),
        T(test_closed_meanwhile), T(test_swept),   T(test_command_files),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
