/* For tests of the site's half: a repository below /tmp, a node that reads its files as a web server would serve them, and a crash on demand:
 * rename() is ours, so that a child can end at the k-th one. */
#ifndef FERRY_TESTS_UNIT_SITE_TRUST_H
#define FERRY_TESTS_UNIT_SITE_TRUST_H

#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "policy/trust/ceremony.h"
#include "tests/unit/trust_lab.h"

#define DAY_S 86400

struct place {
    char               dir[64], offline[96];
    struct repository *r;
    struct lab         node;                    /* only its stored roles and its verifier are used */
    int64_t            now;
    struct error       e;
};

static int renames_left = -1;                   /* negative: no crash */

int rename(const char *from, const char *to);
int rename(const char *from, const char *to)
{
    if (renames_left == 0)
        _exit(77);
    renames_left -= renames_left > 0;
    return (int)syscall(SYS_rename, from, to);
}

static inline void must_be(struct place *p, enum err code, enum err wanted)
{
    if (code != wanted)
        fail_msg("%d \"%s\", %d was expected", code, p->e.text, wanted);
}

static inline void place_reopen(struct place *p)
{
    repository_close(p->r);
    p->r = NULL;
    must_be(p, repository_open(p->dir, &p->r, &p->e), OK);
}

static inline int place_open(void **state)
{
    struct place *p = must_alloc(sizeof *p);
    char path[200], *bytes;
    size_t length;

    strcpy(p->dir, "/tmp/ferry-place-XXXXXX");
    assert_non_null(mkdtemp(p->dir));
    snprintf(p->offline, sizeof p->offline, "%s/offline", p->dir);
    p->now = LAB_NOW;
    p->node.profile = PROFILE_FERRY;
    p->node.puts_left = -1;
    must_be(p, repository_create(p->dir, p->offline, LAB_SITE, p->now, &p->e), OK);
    place_reopen(p);
    snprintf(path, sizeof path, "%s/policy/metadata/1.root.json", p->dir);
    must_be(p, file_read(path, 1 << 20, &bytes, &length, &p->e), OK);
    box_put(&p->node.stored, "root", bytes, length);
    free(bytes);
    *state = p;
    return 0;
}

static inline int place_close(void **state)
{
    struct place *p = *state;

    repository_close(p->r);
    verifier_free(p->node.v);
    box_end(&p->node.stored);
    assert_int_equal(file_remove(p->dir, NULL), OK);
    free(p);
    return 0;
}

/* collection, name, seq …: the whole policy as it shall be; what says it: what the body says besides. */
static inline bool place_publish(struct place *p, const char *const *names, size_t count, const char *what, int64_t seq)
{
    struct publication list[130] = {0};
    bool changed = false;
    enum err code;

    for (size_t i = 0; i < count; i++)
        list[i] = (struct publication){names[i], json_pack("{s:s,s:I,s:s}", "audience", LAB_SITE, "seq", (json_int_t)seq, "what", what)};
    code = repository_publish(p->r, list, count, p->now, &changed, &p->e);
    for (size_t i = 0; i < count; i++)
        json_decref((json_t *)(uintptr_t)list[i].body);
    must_be(p, code, OK);
    return changed;
}

static inline char *place_read(struct place *p, const char *below, size_t limit, size_t *length)
{
    AUTO(text_free) char *path = must_print("%s/policy/%s", p->dir, below);
    char *bytes = NULL;

    if (file_read(path, limit, &bytes, length, &p->node.e))
        return NULL;
    return bytes;
}

/* A node's refresh, from the files. How many requests and bytes it took. */
static inline enum verifier_verdict place_refresh(struct place *p, int *requests, size_t *bytes_out)
{
    struct verifier_store store = {&p->node, lab_get, lab_put};
    struct verifier_want want;
    enum verifier_verdict verdict;
    int n = 0;
    size_t all = 0;

    verifier_free(p->node.v);
    p->node.v = NULL;
    if (verifier_new(PROFILE_FERRY, &store, p->now, &p->node.v, &p->node.e))
        return VERIFIER_FAILED;
    while ((verdict = verifier_next(p->node.v, &want)) == VERIFIER_WANT) {
        AUTO(text_free) char *below = must_print("metadata/%s", want.path);
        size_t length = 0;
        AUTO(text_free) char *bytes = place_read(p, below, want.limit, &length);

        n++;
        all += length;
        if (bytes)
            verifier_give(p->node.v, bytes, length);
        else
            verifier_absent(p->node.v);
    }
    if (verdict == VERIFIER_FAILED)
        p->node.e = *verifier_error(p->node.v);
    if (requests)
        *requests = n;
    if (bytes_out)
        *bytes_out = all;
    return verdict;
}

static inline void place_accepts(struct place *p)
{
    if (place_refresh(p, NULL, NULL) == VERIFIER_FAILED)
        fail_msg("the node refuses: %s", p->node.e.text);
    for (size_t i = 0; i < verifier_target_count(p->node.v); i++) {
        const struct verifier_target *t = verifier_target(p->node.v, i);
        AUTO(text_free) char *below = must_print("targets/%s", t->url_path);
        size_t length = 0;
        AUTO(text_free) char *bytes = place_read(p, below, 1 << 20, &length);

        assert_non_null(bytes);
        must_be(p, verifier_check_target(t, LAB_SITE, bytes, length, &p->e), OK);
    }
}

/* Adds the signatures of root keys "13": the first and the third of those that site init made. */
static inline void place_sign(struct place *p, json_t *todo, const char *holders)
{
    struct todo_state state;
    struct key k;

    for (; *holders; holders++) {
        AUTO(text_free) char *path = must_print("%s/root-%c.key", p->offline, *holders);
        must_be(p, key_load(path, &k, &p->e), OK);
        must_be(p, todo_sign(todo, &k, &state, &p->e), OK);
    }
}

/* In a child that ends at the k-th rename: true when it got through. */
static inline bool place_crash(struct place *p, int k, enum err (*act)(struct place *))
{
    int status;
    pid_t child = fork();

    assert_true(child >= 0);
    if (!child) {
        renames_left = k;
        _exit(act(p) ? 1 : 0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && (WEXITSTATUS(status) == 77 || WEXITSTATUS(status) == 0));
    return WEXITSTATUS(status) == 0;
}

static inline int64_t place_root(struct place *p)
{
    return lab_stored_version(&p->node, "root");
}

#endif
