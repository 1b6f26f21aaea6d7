#include "node/install/authority.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "node/base/clock.h"
#include "node/base/token.h"
#include "node/client/root.h"
#include "policy/document/json.h"
#include "policy/document/zone.h"
#include "policy/trust/verifier.h"

#define ROOT_LIMIT   (64u << 10)
#define TARGET_LIMIT (64u << 20)
#define FIRST_ROOT   "1.root.json"              /* what every token of a site names */
#define CLOCK        "clock.highest"
#define SITE         "site.id"

struct authority {
    struct store        *store;
    const struct config *config;
    int64_t              now;
    struct verifier     *verifier;              /* of what is in force */
};

/* --- its own memory --- */

static enum err role_get(void *ctx, const char *role, char **out, size_t *length, struct error *e)
{
    return store_blob(ctx, "role", role, out, length, e);
}

static enum err role_put(void *ctx, const char *role, const char *bytes, size_t length, const char *const *drop, struct error *e)
{
    enum err code = store_begin(ctx, e);

    if (code)
        return code;
    code = store_blob_put(ctx, "role", role, bytes, length, e);
    for (; drop && *drop && !code; drop++)
        code = store_blob_drop(ctx, "role", *drop, e);
    return store_end(ctx, code, e);
}

static enum err verifier_open(struct store *store, int64_t now, struct verifier **out, struct error *e)
{
    return verifier_new(PROFILE_FERRY, &(struct verifier_store){store, role_get, role_put}, now, out, e);
}

/* A clock that was set back makes nothing fresh again. */
static int64_t time_now(struct store *store)
{
    AUTO(text_free) char *kept = store_get(store, CLOCK);
    int64_t               highest = kept ? strtoll(kept, NULL, 10) : 0, now = clock_now();

    return now > highest ? now : highest;
}

static void keep_time(struct store *store, int64_t now)
{
    char text[32];

    snprintf(text, sizeof text, "%" PRId64, now);
    store_set(store, CLOCK, text, NULL);
}

/* --- the first root --- */

static enum err pin(struct store *store, const char *bytes, size_t length, struct error *e)
{
    struct verifier *v = NULL;
    enum err         code = store_begin(store, e);

    if (code)
        return code;
    code = store_blob_put(store, "role", "root", bytes, length, e);
    code = code ? code : verifier_open(store, 0, &v, e);        /* reads it, with its own quorum's signatures */
    verifier_free(v);
    return store_end(store, code, e);
}

static enum err pinned(struct store *store, bool *out, struct error *e)
{
    char    *bytes = NULL;
    size_t   length;
    enum err code = store_blob(store, "role", "root", &bytes, &length, e);

    *out = bytes != NULL;
    free(bytes);
    return code;
}

enum err authority_pin(struct store *store, const char *bytes, size_t length, struct error *e)
{
    bool     is = false;
    enum err code = pinned(store, &is, e);

    if (code)
        return code;
    return is ? fail(e, ERR_EXISTS, "a root is trusted already; another is accepted only as its successor, signed by its quorum")
              : pin(store, bytes, length, e);
}

static enum err pin_by_token(struct store *store, const struct config *config, const struct giver *from, struct error *e)
{
    AUTO(text_free) char *bytes = NULL;
    uint8_t               token[TOKEN_SIZE];
    struct sha256         h;
    size_t                length = 0;
    enum err              code;

    if (!token_read(config->enrol_token, token))
        return fail(e, ERR_DENIED, "no root is trusted yet, and the configuration holds no enrolment token that names one; "
                                   "ferryd-installer --pin-root FILE trusts FILE's");
    code = from->give(from->ctx, "metadata", FIRST_ROOT, ROOT_LIMIT, &bytes, &length, e);
    if (code)
        return code;
    if (!bytes)
        return fail(e, ERR_DENIED, "no root is trusted yet, and ferryd has not kept the first one; ferryd-installer --pin-root FILE trusts FILE's");
    h = hash_bytes(bytes, length);
    if (memcmp(h.b, token + TOKEN_ROOT, sizeof h.b))
        return fail(e, ERR_DENIED, "the root that was offered is not the one the enrolment token names");
    return pin(store, bytes, length, e);
}

/* --- what is new, and what is in force --- */

static enum err walk(struct verifier *v, const struct giver *from, struct error *e)
{
    struct verifier_want  want;
    enum verifier_verdict verdict;

    while ((verdict = verifier_next(v, &want)) == VERIFIER_WANT) {
        AUTO(text_free) char *bytes = NULL;
        size_t                length = 0;
        enum err              code = from->give(from->ctx, "metadata", want.path, want.limit, &bytes, &length, e);

        if (code)
            return code;
        if (bytes)
            verifier_give(v, bytes, length);
        else
            verifier_absent(v);
    }
    return verdict == VERIFIER_FAILED ? fail(e, ERR_VERIFY, "policy: %.700s", verifier_error(v)->text) : OK;
}

/* Whatever came of the new, judged by what is stored: the same as after a restart of this program. */
static enum err in_force(struct authority *a, const struct error *news, struct error *e)
{
    enum err code = verifier_open(a->store, a->now, &a->verifier, e);

    code = code ? code : verifier_recall(a->verifier, e);
    return code && news->code ? fail(e, ERR_VERIFY, "%s", news->text) : code;
}

enum err authority_open(struct store *store, const struct config *config, const struct giver *from, struct authority **out, struct error *news,
                        struct error *e)
{
    struct authority *a = must_alloc(sizeof *a);
    struct verifier  *fresh = NULL;
    bool              is = false;
    enum err          code = pinned(store, &is, e);

    *a = (struct authority){.store = store, .config = config, .now = time_now(store)};
    memset(news, 0, sizeof *news);
    code = code || is ? code : pin_by_token(store, config, from, e);
    code = code ? code : verifier_open(store, a->now, &fresh, e);
    if (!code && walk(fresh, from, news) == OK)
        keep_time(store, a->now);
    verifier_free(fresh);
    if (!code && (news->code == ERR_NOT_FOUND || news->code == ERR_AGAIN || news->code == ERR_USAGE))
        code = fail(e, news->code, "%s", news->text);           /* ferryd's talk, not the policy: there is nobody to work for */
    code = code ? code : in_force(a, news, e);
    if (code)
        authority_close(a);
    else
        *out = a;
    return code;
}

void authority_close(struct authority *a)
{
    if (!a)
        return;
    verifier_free(a->verifier);
    free(a);
}

/* --- one deployment --- */

static const struct verifier_target *find(const struct verifier *v, const char *name)
{
    for (size_t i = 0; i < verifier_target_count(v); i++)
        if (!strcmp(verifier_target(v, i)->name, name))
            return verifier_target(v, i);
    return NULL;
}

/* The first document that is signed under the trusted root tells the site's id; every later one has to tell the same. */
static enum err check_audience(struct authority *a, const struct verifier_target *t, const char *bytes, size_t length, const json_t *body,
                               struct error *e)
{
    AUTO(text_free) char *kept = store_get(a->store, SITE);
    const char           *says = json_string_value(json_object_get(body, "audience"));
    enum err              code = verifier_check_target(t, kept ? kept : says ? says : "", bytes, length, e);

    return code || kept ? code : store_set(a->store, SITE, says, e);
}

static int64_t available_at(const struct authority *a, const struct deployment *d)
{
    AUTO(text_free) char *name = root_zone(a->config);
    struct zone          *zone = NULL;
    int64_t               at = d->available;

    if (d->terms.local_time && zone_open(name, &zone, NULL) == OK)
        at = zone_of_wall(zone, at);
    zone_close(zone);
    return at;
}

static enum err check_in_force(const struct authority *a, const struct deployment *d, struct error *e)
{
    char at[TIME_SIZE];

    if (d->withdrawn)
        return fail(e, ERR_DENIED, "deployment %s is withdrawn", d->id);
    if (!d->enabled)
        return fail(e, ERR_DENIED, "deployment %s is disabled", d->id);
    if (d->halted)
        return fail(e, ERR_HALTED, "deployment %s is halted: %.240s", d->id, d->halted);
    if (available_at(a, d) > a->now)
        return fail(e, ERR_DENIED, "deployment %s is available from %s on, not yet", d->id, time_print(available_at(a, d), at));
    return OK;
}

static enum err parse(struct authority *a, const struct verifier_target *t, const char *bytes, size_t length, struct deployment **out, struct error *e)
{
    json_t     *body = NULL;
    enum err    code = length == t->length ? json_read(bytes, length, TARGET_LIMIT, &body, e)
                                           : fail(e, ERR_VERIFY, "%s: its length or hash is not what was signed", t->name);
    const char *type = json_string_value(json_object_get(body, "type"));

    code = code ? code : check_audience(a, t, bytes, length, body, e);
    if (!code && (!type || strcmp(type, "deployment")))
        code = fail(e, ERR_VERIFY, "%s is signed, but it is no deployment", t->name);
    code = code ? code : deployment_from_json(body, out, e);
    json_decref(body);
    return code;
}

static enum err find_update(const struct deployment *d, const char *id, const struct update **out, struct error *e)
{
    for (size_t i = 0; i < d->update_count; i++)
        if (!strcmp(d->updates[i]->id, id)) {
            *out = d->updates[i];
            return OK;
        }
    return fail(e, ERR_DENIED, "deployment %s has no update %s", d->id, id);
}

enum err authority_deployment(struct authority *a, const struct order *order, const struct giver *from, struct deployment **out,
                              const struct update **update, struct error *e)
{
    const struct verifier_target *t = find(a->verifier, order->target);
    AUTO(text_free) char         *bytes = NULL;
    struct deployment            *d = NULL;
    size_t                        length = 0;
    enum err                      code;

    if (!t)
        return fail(e, ERR_VERIFY, "no policy in force here has signed %s", order->target);
    if (t->length > TARGET_LIMIT)
        return fail(e, ERR_VERIFY, "%s is larger than any deployment", order->target);
    code = from->give(from->ctx, "target", t->name, (size_t)t->length, &bytes, &length, e);
    if (!code && !bytes)
        code = fail(e, ERR_NOT_FOUND, "ferryd does not hold %s", order->target);
    code = code ? code : parse(a, t, bytes, length, &d, e);
    code = code ? code : check_in_force(a, d, e);
    code = code ? code : find_update(d, order->update, update, e);
    if (code)
        deployment_free(d);
    else
        *out = d;
    return code;
}
