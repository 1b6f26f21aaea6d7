#include "tests/unit/paper.h"

static enum err read_text(const char *text, size_t limit, struct error *e)
{
    json_t *j = NULL;
    enum err code = json_read(text, strlen(text), limit, &j, e);

    json_decref(j);
    return code;
}

static void bytes_to_json(void **state)
{
    static const char *const good[] = {"{}", " {\"a\":[1,-2,true,null,\"\\u00e9\"]} ", "[]",
                                       "{\"a\":\"[[[[[[[[[[{{{{{{{{\\\"[[[[[[[[[[[[[[[[[[[[[[[[[\"}"};
    static const struct {
        const char *text, *error;
    } bad[] = {{"", "not JSON"},
               {"{\"a\":1,\"a\":2}", "duplicate"},
               {"{\"a\":1.5}", "fractional"},
               {"{\"a\":[{\"b\":1e2}]}", "fractional"},
               {"{} x", "not JSON"},
               {"{\"a\":\"\\u0000\"}", "not JSON"},
               {"{\"a\":\"\xff\"}", "not JSON"},
               {"{\"a\":9223372036854775808}", "not JSON"},
               {"{\"a\":1", "line 1"},
               {"7", "not JSON"},
               {"{'a':1}", "not JSON"}};
    struct error e;

    (void)state;
    for (size_t i = 0; i < COUNT(good); i++)
        assert_int_equal(read_text(good[i], 1000, &e), OK);
    for (size_t i = 0; i < COUNT(bad); i++) {
        assert_int_equal(read_text(bad[i].text, 1000, &e), ERR_VERIFY);
        if (!strstr(e.text, bad[i].error))
            fail_msg("%s: %s", bad[i].text, e.text);
    }
    assert_int_equal(read_text("{\"a\":1}", 7, &e), OK);
    assert_int_equal(read_text("{\"a\":1}", 6, &e), ERR_VERIFY);
    assert_non_null(strstr(e.text, "at most 6"));
    assert_int_equal(json_read("{}\0", 3, 10, &(json_t *){NULL}, &e), ERR_VERIFY);
}

static void depth(void **state)
{
    struct error e;
    char text[100000];

    (void)state;
    for (int levels = 32; levels <= 33; levels++) {
        memset(text, '[', (size_t)levels);
        memset(text + levels, ']', (size_t)levels);
        text[2 * levels] = '\0';
        assert_int_equal(read_text(text, sizeof text, &e), levels == 32 ? OK : ERR_VERIFY);
    }
    assert_non_null(strstr(e.text, "deeper than 32"));
    memset(text, '[', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    assert_int_equal(read_text(text, sizeof text, &e), ERR_VERIFY);
}

static void members(void **state)
{
    json_t *j = paper("{'text':'abc','number':5,'yes':true,'when':'2026-11-23T21:00:00Z','hash':'" HEX_A "','list':[1,2],'object':{'x':1},"
                      "'words':['a','b'],'bytes':'Zm9v'}");
    struct reader r, sub;
    struct error e;
    struct sha256 h;
    char **words;
    uint8_t *bytes;
    size_t size = 0;

    (void)state;
    reader_init(&r, j, "doc", &e);
    assert_true(reader_has(&r, "text"));
    assert_false(reader_has(&r, "nothing"));
    assert_string_equal(reader_text(&r, "text", 3), "abc");
    assert_string_equal(reader_text_or(&r, "nothing", 3, "else"), "else");
    assert_int_equal(reader_number(&r, "number", 5, 5), 5);
    assert_int_equal(reader_number_or(&r, "nothing", 5, 5, -9), -9);
    assert_true(reader_bool_or(&r, "yes", false));
    assert_true(reader_bool_or(&r, "nothing", true));
    assert_int_equal(reader_time(&r, "when"), 1795467600);
    assert_int_equal(reader_time_or(&r, "nothing", 3), 3);
    h = reader_sha256(&r, "hash");
    assert_int_equal(h.b[31], 0xaa);
    assert_int_equal(json_array_size(reader_array(&r, "list", 2)), 2);
    assert_null(reader_array_or(&r, "nothing", 2));
    reader_sub(&sub, &r, "object");
    assert_int_equal(reader_number(&sub, "x", 0, 1), 1);
    assert_int_equal(reader_done(&sub), OK);
    words = reader_words(&r, "words", 2, 1);
    assert_string_equal(words[1], "b");
    assert_null(words[2]);
    assert_null(reader_words(&r, "nothing", 2, 1));
    bytes = reader_base64(&r, "bytes", 3, &size);
    assert_int_equal(size, 3);
    assert_memory_equal(bytes, "foo", 3);
    assert_int_equal(reader_done(&r), OK);
    for (char **w = words; *w; w++)
        free(*w);
    free(words);
    free(bytes);
    json_decref(j);
}

enum kind { TEXT, NUMBER, BOOL, WHEN, HASH, LIST, OBJECT, WORDS, BYTES };

static enum err read_one(const json_t *j, enum kind kind, struct error *e)
{
    struct reader r;
    size_t size;
    char **words = NULL;

    reader_init(&r, j, "doc", e);
    switch (kind) {
    case TEXT: reader_text(&r, "x", 3); break;
    case NUMBER: reader_number(&r, "x", 5, 9); break;
    case BOOL: reader_bool_or(&r, "x", false); break;
    case WHEN: reader_time(&r, "x"); break;
    case HASH: reader_sha256(&r, "x"); break;
    case LIST: reader_array(&r, "x", 2); break;
    case OBJECT: reader_object(&r, "x"); break;
    case WORDS: words = reader_words(&r, "x", 2, 3); break;
    case BYTES: free(reader_base64(&r, "x", 3, &size)); break;
    }
    for (char **w = words; w && *w; w++)
        free(*w);
    free(words);
    return reader_done(&r);
}

static void refused_members(void **state)
{
    static const struct {
        enum kind kind;
        const char *json, *error;
    } table[] = {
        {TEXT, "{}", "doc.x: is missing"},
        {TEXT, "{'x':1}", "doc.x: a text was expected"},
        {TEXT, "{'x':'abcd'}", "at most 3"},
        {NUMBER, "{'x':'5'}", "doc.x: a whole number from 5 to 9"},
        {NUMBER, "{'x':4}", "from 5 to 9"},
        {NUMBER, "{'x':10}", "from 5 to 9"},
        {NUMBER, "{'x':true}", "from 5 to 9"},
        {BOOL, "{'x':0}", "true or false"},
        {BOOL, "{'x':null}", "true or false"},
        {WHEN, "{'x':'tomorrow'}", "doc.x: 'tomorrow' is not a time"},
        {WHEN, "{'x':'1969-12-31T23:59:59Z'}", "from 1970"},
        {WHEN, "{'x':5}", "a text was expected"},
        {HASH, "{'x':'aa'}", "64 lower-case"},
        {HASH, "{'x':'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'}", "64 lower-case"},
        {LIST, "{'x':[1,2,3]}", "a list of at most 2"},
        {LIST, "{'x':{}}", "a list of at most 2"},
        {OBJECT, "{'x':[]}", "an object was expected"},
        {WORDS, "{'x':['a',2]}", "doc.x[1]: a text"},
        {WORDS, "{'x':['a','b','c']}", "doc.x: a list of at most 2"},
        {WORDS, "{'x':['abcd']}", "doc.x[0]: a text of at most 3"},
        {BYTES, "{'x':'Zm9vYmFy'}", "at most 3"},
        {BYTES, "{'x':'Zm9'}", "base64"},
        {TEXT, "{'x':'a','colour':1}", "doc.colour: is not known"},
        {TEXT, "{'x':'a','y':1}", "doc.y: is not known; did you mean \"x\"?"},
        {TEXT, "[]", "doc: an object was expected"},
    };
    struct error e;

    (void)state;
    for (size_t i = 0; i < COUNT(table); i++) {
        json_t *j = paper(table[i].json);
        if (read_one(j, table[i].kind, &e) != ERR_VERIFY)
            fail_msg("%s was accepted", table[i].json);
        if (!strstr(e.text, table[i].error))
            fail_msg("%s: %s", table[i].json, e.text);
        json_decref(j);
    }
}

/* The same member asked for twice does not make room for an unknown one. */
static void asked_twice(void **state)
{
    json_t *j = paper("{'x':'a','y':1}");
    struct reader r;
    struct error e;

    (void)state;
    reader_init(&r, j, "doc", &e);
    reader_text(&r, "x", 3);
    reader_text(&r, "x", 3);
    assert_int_equal(reader_done(&r), ERR_VERIFY);
    assert_non_null(strstr(e.text, "doc.y"));
    json_decref(j);
}

static void the_first_error_sticks(void **state)
{
    json_t *j = paper("{'a':1,'b':{'c':[{'d':1},{'d':'x'}]}}");
    struct reader r, b, d;
    struct error e;
    const json_t *list;

    (void)state;
    reader_init(&r, j, "doc", &e);
    reader_number(&r, "a", 0, 9);
    reader_sub(&b, &r, "b");
    list = reader_array(&b, "c", 9);
    reader_item(&d, &b, "c", 1, json_array_get(list, 1));
    assert_int_equal(reader_number(&d, "d", 2, 9), 2);
    assert_string_equal(reader_text(&d, "e", 9), "");
    b.verdict = reader_done(&d);
    r.verdict = reader_done(&b);
    assert_false(reader_has(&r, "a"));
    reader_text(&r, "missing", 1);
    assert_int_equal(reader_done(&r), ERR_VERIFY);
    assert_string_equal(e.text, "doc.b.c[1].d: a whole number from 2 to 9 was expected");
    reader_init(&r, j, "doc", &e);
    reader_sub(&b, &r, "a");
    reader_text(&b, "x", 1);
    assert_int_equal(reader_done(&b), ERR_VERIFY);
    assert_string_equal(e.text, "doc.a: an object was expected");
    json_decref(j);
}

static void written_members(void **state)
{
    char *words[] = {(char[]){"a"}, (char[]){"b"}, NULL};
    struct sha256 h;
    json_t *j = json_object(), *wanted = paper("{'t':'x','w':['a','b'],'z':'2026-11-23T21:00:00Z','h':'" HEX_A "'}");

    (void)state;
    memset(&h, 0xaa, sizeof h);
    put_text(j, "t", "x");
    put_text(j, "none", NULL);
    put_words(j, "w", words);
    put_words(j, "none", NULL);
    put_words(j, "none", words + 2);
    put_time(j, "z", 1795467600);
    put_time(j, "none", 0);
    put_sha256(j, "h", &h);
    assert_true(json_equal(j, wanted));
    json_decref(j);
    json_decref(wanted);
}

static void names(void **state)
{
    static const char *const bad[] = {"",  ".",   "..",  "a..b", "-a", ".a",
                                      "A", "a b", "a/b", "a_b",  "é",  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};

    (void)state;
    assert_true(name_ok("a"));
    assert_true(name_ok("bookworm-security.12"));
    assert_true(name_ok(HEX_A));
    for (size_t i = 0; i < COUNT(bad); i++)
        if (name_ok(bad[i]))
            fail_msg("'%s' was accepted", bad[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_to_json),   cmocka_unit_test(depth),       cmocka_unit_test(members),
        cmocka_unit_test(refused_members), cmocka_unit_test(asked_twice), cmocka_unit_test(the_first_error_sticks),
        cmocka_unit_test(written_members), cmocka_unit_test(names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
