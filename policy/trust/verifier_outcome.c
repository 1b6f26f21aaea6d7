#include <stdlib.h>

#include "base/text.h"
#include "policy/trust/digest.h"
#include "policy/trust/verifier_inside.h"

/* --- Ferry's profile: every target of every collection --- */

enum err list_targets(struct verifier *v, struct error *e)
{
    struct verifier_target *list;
    struct role            *roles = must_alloc((v->delegated_count + 1) * sizeof *roles);
    enum err                code;

    for (size_t i = 0; i < v->delegated_count; i++)
        roles[i] = v->delegated[i].role;
    code = targets_list(v->delegations, roles, v->delegated_count, &list, &v->count, e);
    free(roles);
    if (!code) {
        free(v->list);
        v->list = list;
    }
    return code;
}

/* After a refresh that failed half way the stored roles are of different ages: each is what was last verified for its name, and stays in
 * force. */
enum err verifier_recall(struct verifier *v, struct error *e)
{
    struct role targets, none = {0};
    enum err    code = stored_top(v, "targets", &targets, e);

    if (code)
        return code;
    if ((code = check_targets(v, &targets, e))) {
        role_end(&targets);
        return code;
    }
    accept_targets(v, &targets);
    role_end(&v->timestamp);
    if (stored_top(v, "timestamp", &v->timestamp, NULL))
        role_end(&v->timestamp);
    for (size_t i = 0; i < v->delegation_count; i++) {
        struct role r;
        bool        good = !stored_role(v, v->delegations[i].name, "targets", &v->delegations[i].signer, &r, NULL);
        add_delegated(v, v->delegations[i].name, good ? &r : &none);
    }
    return list_targets(v, e);
}

size_t verifier_target_count(const struct verifier *v)
{
    return v->count;
}

const struct verifier_target *verifier_target(const struct verifier *v, size_t index)
{
    return index < v->count ? &v->list[index] : NULL;
}

int64_t verifier_timestamp_version(const struct verifier *v)
{
    return v->timestamp.version;
}

int64_t verifier_expires(const struct verifier *v)
{
    return v->timestamp.expires;
}

void verifier_stale(struct verifier *v, int64_t version)
{
    v->stale = version;
}

bool verifier_expired(const struct verifier *v, int64_t *timestamp)
{
    *timestamp = v->expired ? v->expired_timestamp : 0;
    return v->step == STEP_FAILED && v->expired;
}

const struct error *verifier_error(const struct verifier *v)
{
    return &v->error;
}

/* --- the general profile: the one that was searched for --- */

static bool is_found(const struct verifier *v)
{
    return v->step == STEP_END && v->search && search_line(v->search);
}

enum err verifier_found(const struct verifier *v, char **path, uint64_t *length, struct error *e)
{
    if (!is_found(v))
        return fail(e, ERR_NOT_FOUND, "%.200s: no role that may speak for it does", v->search ? search_target(v->search) : "no target");
    return search_path(v->search, root_consistent(&v->root), path, length, e);
}

enum err verifier_check_found(const struct verifier *v, const char *bytes, size_t length, struct error *e)
{
    const json_t *line = is_found(v) ? search_line(v->search) : NULL, *size = json_object_get(line, "length");

    if (!json_is_integer(size) || json_integer_value(size) != (json_int_t)length ||
        !digest_matches(json_object_get(line, "hashes"), bytes, length))
        return fail(e, ERR_VERIFY, "%.200s: its length or hash is not what was signed", v->search ? search_target(v->search) : "no target");
    return OK;
}
