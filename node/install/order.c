#include "node/install/order.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "policy/document/json.h"

static bool part_ok(const char *part, size_t length)
{
    char name[80];

    snprintf(name, sizeof name, "%.*s", (int)length, part);
    return length < sizeof name && name_ok(name);
}

/* "policy/COLLECTION/DEPLOYMENT.json" */
static bool target_ok(const char *t)
{
    const char *collection = t + strlen("policy/"), *slash, *dot;

    if (strncmp(t, "policy/", strlen("policy/")))
        return false;
    slash = strchr(collection, '/');
    dot = slash ? strrchr(slash, '.') : NULL;
    return dot && !strcmp(dot, ".json") && !strchr(slash + 1, '/') && part_ok(collection, (size_t)(slash - collection)) &&
           part_ok(slash + 1, (size_t)(dot - slash) - 1);
}

static enum err read_install(struct reader *r, struct order *o)
{
    snprintf(o->target, sizeof o->target, "%s", reader_text(r, "target", sizeof o->target - 1));
    snprintf(o->update, sizeof o->update, "%s", reader_text(r, "update", sizeof o->update - 1));
    if (!r->verdict && !target_ok(o->target))
        return reader_fail(r, "target", "\"%.100s\" names no deployment; policy/COLLECTION/DEPLOYMENT.json does", o->target);
    return r->verdict;
}

enum err order_read(const json_t *j, struct order *out, struct error *e)
{
    static const char *const kinds[] = {[ORDER_INSTALL] = "install", [ORDER_REFRESH] = "refresh", [ORDER_RESTART] = "restart"};
    struct order  o = {0};
    struct reader r;
    const char   *word;
    size_t        kind = 0;

    reader_init(&r, j, "request", e);
    word = reader_text(&r, "request", 16);
    while (kind < COUNT(kinds) && strcmp(word, kinds[kind]))
        kind++;
    if (!r.verdict && kind == COUNT(kinds))
        reader_fail(&r, "request", "\"%s\" cannot be asked; install, refresh and restart can", word);
    o.kind = (enum order_kind)kind;
    if (!r.verdict && o.kind == ORDER_INSTALL)
        read_install(&r, &o);
    if (reader_done(&r)) {
        if (e)
            e->code = ERR_USAGE;
        return ERR_USAGE;
    }
    *out = o;
    return OK;
}
