/* Every attack a policy has to withstand (trust.md sections 3 and 4), each as its own case, through the verifier's public face: a client that
 * has taken a good policy meets a repository that lies. It has to refuse for the right reason, and hold afterwards what it held from the lie
 * on. tests/mutations.sh takes one check after the other out of the verifier and expects this program to notice. */
#include "tests/unit/attack_acts.h"

enum { FERRY = 1, GENERAL = 2, BOTH = 3 };

struct attack {
    const char *name;
    int         in;                             /* profiles */
    const char *at;                             /* the role it is refused at: this one and those behind it stay as they were; "": none */
    const char *says;                           /* part of the reason; NULL: no attack but what has to go on working */
    const char *role, *path, *value;            /* the next version of role says this there; value NULL: it is taken out */
    const char *signers;                        /* … or it is signed by these */
    void (*act)(struct lab *);                  /* … or this is done */
};

#include "tests/unit/attack_table.h"

/* --- running them --- */

static const char *const order[] = {"root", "timestamp", "snapshot", "targets", "tills"};
static int               tried;

static void do_it(struct lab *l, const struct attack *a)
{
    if (a->path) {
        l->edit_role = a->role;
        l->edit_path = a->path;
        l->edit_value = a->value;
    }
    if (a->signers)
        json_object_set_new(l->signers, a->role, json_string(a->signers));
    if (a->act) {
        a->act(l);
    } else {
        if (!strcmp(a->role, "root"))
            lab_serve(l, "root");
        lab_publish(l);
    }
}

/* From the role on where it is refused, nothing is new. */
static bool kept(const struct box *before, const struct box *after, const char *at)
{
    bool behind = false, same = true;

    for (size_t i = 0; i < COUNT(order); i++) {
        int was = box_find(before, order[i]), is = box_find(after, order[i]);

        behind = behind || !strcmp(order[i], at);
        if (behind && was >= 0 && is >= 0)
            same = same && before->items[was].length == after->items[is].length &&
                   !memcmp(before->items[was].bytes, after->items[is].bytes, after->items[is].length);
        else if (behind)
            same = same && is < 0;              /* a new root may have dropped it */
    }
    return same;
}

static void one(const struct attack *a, enum profile p)
{
    struct lab *l = lab_new(p);
    struct box  before = {0};
    bool        taken;

    tried++;
    if (!lab_take(l))
        fail_msg("%s: the good policy is refused: %s", a->name, l->e.text);
    do_it(l, a);
    for (size_t i = 0; i < l->stored.count; i++)
        box_put(&before, l->stored.items[i].name, l->stored.items[i].bytes, l->stored.items[i].length);
    taken = lab_take(l);
    if (taken != !a->says || (a->says && !strstr(l->e.text, a->says)))
        fail_msg("%s (%s): %s \"%s\", \"%s\" was expected", a->name, strict(p) ? "ferry" : "general", taken ? "taken" : "refused", l->e.text,
                 a->says ? a->says : "taken");
    if (a->says && !kept(&before, &l->stored, a->at))
        fail_msg("%s (%s): something new is stored from %s on", a->name, strict(p) ? "ferry" : "general", a->at);
    box_end(&before);
    lab_free(l);
}

static void test_attacks(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(attacks); i++) {
        if (attacks[i].in & FERRY)
            one(&attacks[i], PROFILE_FERRY);
        if (attacks[i].in & GENERAL)
            one(&attacks[i], PROFILE_GENERAL);
    }
}

/* --- malformed --- */

/* Any bytes as the next version of a role, announced as they are. */
static void serve_bytes(struct lab *l, const char *role, const char *bytes, size_t length)
{
    char    file[ROLE_FILE];
    int64_t version = json_integer_value(json_object_get(lab_body(l, role), "version")) + 1;

    json_object_set_new(lab_body(l, role), "version", json_integer(version));
    lab_file(l, role, file);
    box_put(&l->served, file, bytes, length);
    lab_announce(l, role, bytes, length, version);
    if (strcmp(role, "snapshot") && strcmp(role, "timestamp") && strcmp(role, "root"))
        lab_serve(l, "snapshot");
    if (strcmp(role, "timestamp") && strcmp(role, "root"))
        lab_serve(l, "timestamp");
}

/* A file of this role, signed, with one thing written into or behind it. */
static char *spoilt(struct lab *l, const char *role, const char *mark, const char *instead)
{
    AUTO(text_free) char *good = NULL;
    size_t                n;
    char                 *at;

    lab_set(lab_body(l, role), "x", "'MARK'");
    good = lab_sign(l, lab_body(l, role), json_string_value(json_object_get(l->signers, role)), &n);
    lab_set(lab_body(l, role), "x", NULL);
    at = strstr(good, mark);
    assert_non_null(at);
    return must_print("%.*s%s%s", (int)(at - good), good, instead, at + strlen(mark));
}

static void refused_bytes(const char *name, enum profile p, const char *role, const char *mark, const char *bytes, size_t length)
{
    struct lab           *l = lab_new(p);
    struct box            before = {0};
    AUTO(text_free) char *made = NULL;

    tried++;
    assert_true(lab_take(l));
    for (size_t i = 0; i < l->stored.count; i++)
        box_put(&before, l->stored.items[i].name, l->stored.items[i].bytes, l->stored.items[i].length);
    if (mark) {
        made = spoilt(l, role, mark, bytes);
        bytes = made;
        length = strlen(made);
    }
    serve_bytes(l, role, bytes, length);
    if (lab_take(l) || l->e.code != ERR_VERIFY || !kept(&before, &l->stored, role))
        fail_msg("%s as %s (%s): code %d, \"%s\"", name, role, strict(p) ? "ferry" : "general", l->e.code, l->e.text);
    box_end(&before);
    lab_free(l);
}

static void test_malformed(void **state)
{
    static char deep[20001];
    const struct {
        const char *name, *mark, *bytes;        /* mark NULL: the bytes alone */
        size_t      length;
    } files[] = {
        {"nothing", NULL, "", 0},
        {"a NUL", NULL, "\0", 1},
        {"a number", NULL, "7", 1},
        {"a list", NULL, "[]", 2},
        {"nothing inside", NULL, "{}", 2},
        {"no signatures", NULL, "{\"signed\":{}}", 13},
        {"signatures that are no list", NULL, "{\"signed\":{},\"signatures\":{}}", 29},
        {"signed that is no object", NULL, "{\"signed\":[],\"signatures\":[]}", 29},
        {"10,000 deep", NULL, deep, sizeof deep - 1},
        {"10,000 deep inside", "\"MARK\"", deep, 0},
        {"duplicate members", "\"x\"", "\"version\": 9, \"version\"", 0},
        {"a real number", "\"MARK\"", "1.5", 0},
        {"a number over 2^63", "\"MARK\"", "9223372036854775808", 0},
        {"a control character", "MARK", "\x01", 0},
        {"no UTF-8", "MARK", "\xff\xfe", 0},
        {"half of it", "\"MARK\"", "", 0},
        {"bytes behind it", "\"MARK\"\n }\n}", "\"MARK\"\n }\n} {}", 0},
        {"a number in a signature's place", "\"sig\": \"", "\"sig\": 7, \"no\": \"", 0},
        {"a keyid that is no text", "\"keyid\": \"", "\"keyid\": {}, \"no\": \"", 0},
    };

    (void)state;
    memset(deep, '[', 10000);
    memset(deep + 10000, ']', 10000);
    for (size_t i = 0; i < COUNT(files); i++)
        for (size_t r = 0; r < COUNT(order); r++) {
            refused_bytes(files[i].name, PROFILE_FERRY, order[r], files[i].mark, files[i].bytes, files[i].length);
            refused_bytes(files[i].name, PROFILE_GENERAL, order[r], files[i].mark, files[i].bytes, files[i].length);
        }
}

/* What every role says of itself. */
static void test_heads(void **state)
{
    static const struct {
        const char *path, *value, *says;
    } heads[] = {
        {"spec_version", "'2.0.0'", "specification version"}, {"spec_version", "'1'", "specification version"},
        {"spec_version", "1", "specification version"},       {"spec_version", NULL, "specification version"},
        {"version", "0", "its version is not a number"},      {"version", "-1", "its version is not a number"},
        {"version", "'2'", "its version is not a number"},    {"version", NULL, "its version is not a number"},
        {"expires", "'tomorrow'", "its expiry is not a time"}, {"expires", "'2030-13-01T00:00:00Z'", "its expiry is not a time"},
        {"expires", "'2030-01-01T00:00:00+02:00'", "its expiry is not a time"}, {"expires", NULL, "its expiry is not a time"},
        {"expires", "'2030-01-01T00:00:00.Z'", "its expiry is not a time"},    {"expires", "'2030-01-01T00:00.5:00Z'", "its expiry is not a time"},
        {"expires", "'2030-01-01T00:00:00.5Z'", NULL},        {"expires", "'2027-01-15T08:00:00.9Z'", "has expired"},
        {"_type", "'mirrors'", "file was expected"},          {"_type", NULL, "file was expected"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(heads); i++)
        for (size_t r = 0; r < COUNT(order); r++) {
            bool          settled = heads[i].says && !strcmp(heads[i].says, "has expired") && r == 0;     /* an expired root is stored */
            struct attack a = {heads[i].path, BOTH, settled ? "timestamp" : order[r], heads[i].says, order[r], heads[i].path, heads[i].value, NULL, NULL};

            one(&a, PROFILE_FERRY);
            one(&a, PROFILE_GENERAL);
        }
}

static int tell(void **state)
{
    (void)state;
    printf("attacks: %d tried\n", tried);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_attacks), cmocka_unit_test(test_malformed), cmocka_unit_test(test_heads)};

    return cmocka_run_group_tests(tests, NULL, tell);
}
