/* The site of a client's laboratory: signed static files, status, turns, content; on time, late, or not at all. Part of client_lab.h. */
#ifndef FERRY_TESTS_UNIT_CLIENT_SITE_H
#define FERRY_TESTS_UNIT_CLIENT_SITE_H

struct late {
    uv_timer_t       timer;
    struct exchange *exchange;                  /* NULL: the asker has gone */
    char            *file;
};

static inline void lab_late_closed(uv_handle_t *timer)
{
    struct late *late = timer->data;

    free(late->file);
    free(late);
}

static inline void lab_late_now(uv_timer_t *timer)
{
    struct late *late = timer->data;

    if (late->exchange)
        answer_file(late->exchange, late->file, "application/json");
    uv_close((uv_handle_t *)timer, lab_late_closed);
}

static inline void lab_late_gone(void *ctx)
{
    ((struct late *)ctx)->exchange = NULL;
}

static inline void lab_late(struct client_lab *l, struct exchange *x, const char *file)
{
    struct late *late = must_alloc(sizeof *late);

    late->exchange = x;
    late->file = must_copy(file);
    late->timer.data = late;
    exchange_on_gone(x, lab_late_gone, late);
    uv_timer_init(&l->net.loop, &late->timer);
    uv_timer_start(&late->timer, lab_late_now, (uint64_t)l->delay_ms, 0);
}

static inline void lab_on_policy(void *ctx, struct exchange *x)
{
    struct client_lab *l = ctx;
    const char        *path = exchange_part(x, "path");
    AUTO(text_free) char *file = must_print("%s/site/policy/%s", l->dir, path);

    l->polls += !strcmp(path, "metadata/timestamp.json");
    l->questions++;
    if (l->mute)
        answer_error(x, &(struct error){ERR_AGAIN, "mute"});
    else if (l->delay_ms)
        lab_late(l, x, file);
    else
        answer_file(x, file, "application/json");
}

static inline json_t *lab_unseal(struct client_lab *l, struct exchange *x)
{
    struct error e = {0};
    uint8_t      node[32];
    size_t       size, length;
    const char  *bytes = exchange_body(x, &size);
    char        *text = NULL;
    json_t      *out;

    if (envelope_open(l->seal_public, l->seal_secret, SITE_ID, (const uint8_t *)bytes, size, node, &text, &length, &e) != OK)
        fail_msg("%s", e.text);
    out = json_loads(text, 0, NULL);
    free(text);
    return out;
}

static inline void lab_on_status(void *ctx, struct exchange *x)
{
    struct client_lab *l = ctx;
    json_t            *batch = lab_unseal(l, x);
    const json_t      *last = json_array_get(batch, json_array_size(batch) - 1);

    answer_json(x, 200, json_pack("{s:O}", "held", json_object_get(last, "serial")));
    json_array_extend(l->messages, batch);
    json_decref(batch);
}

static inline void lab_on_turn(void *ctx, struct exchange *x)
{
    struct client_lab *l = ctx;
    json_t            *asked = lab_unseal(l, x);

    json_array_append(l->turns, json_object_get(asked, "op"));
    if (l->turn_answer)
        answer_json(x, 200, json_incref(l->turn_answer));
    else
        answer_error(x, &(struct error){ERR_AGAIN, "no answer"});
    json_decref(asked);
}

static inline void lab_on_content(void *ctx, struct exchange *x)
{
    struct client_lab *l = ctx;
    AUTO(text_free) char *file = must_print("%s/content/%s", l->dir, exchange_part(x, "hex"));

    l->contents++;
    answer_file(x, file, "application/octet-stream");
}

static const struct route lab_routes[] = {
    {"GET", "/policy/{path...}", 0, lab_on_policy, "signed policy"},
    {"POST", "/api/v1/status", ENVELOPE_LIMIT, lab_on_status, "status"},
    {"POST", "/api/v1/turn", 65536, lab_on_turn, "turns"},
    {"GET", "/content/{hex}", 0, lab_on_content, "content"},
};

/* The document is taken; its seq rises. NULL: not published any more. */
static inline void lab_put(struct client_lab *l, const char *name, json_t *document)
{
    if (document) {
        json_object_set_new(document, "seq", json_integer(++l->seq));
        json_object_set_new(document, "audience", json_string(SITE_ID));
        json_object_set_new(l->documents, name, document);
    } else {
        json_object_del(l->documents, name);
    }
}

static inline void lab_publish(struct client_lab *l)
{
    struct publication all[32];
    struct error       e = {0};
    size_t             n = 0;
    const char        *name;
    json_t            *body;

    json_object_foreach(l->documents, name, body) all[n++] = (struct publication){name, body};
    if (repository_publish(l->repository, all, n, lab_now(l), NULL, &e) != OK)
        fail_msg("%s", e.text);
}

static inline void lab_site(struct client_lab *l)
{
    struct error e = {0};
    AUTO(text_free) char *site = must_print("%s/site", l->dir), *offline = must_print("%s/offline", l->dir), *content = must_print("%s/content", l->dir);
    json_t *fleet = paper("{'type':'fleet','site':'lab','poll_s':3600,'rescan_s':604800,'dps':[],'groups':[]}");

    if (file_make_dirs(content, 0755, &e) != OK || repository_create(site, offline, SITE_ID, lab_now(l), &e) != OK ||
        repository_open(site, &l->repository, &e) != OK)
        fail_msg("%s", e.text);
    crypto_box_keypair(l->seal_public, l->seal_secret);
    hex_encode(l->seal_public, 32, l->seal);
    l->documents = json_object();
    l->messages = json_array();
    l->turns = json_array();
    json_object_set_new(fleet, "site_url", json_string(l->net.url));
    json_object_set_new(fleet, "seal_key", json_string(l->seal));
    lab_put(l, "policy/fleet/fleet.json", fleet);
    lab_put(l, "policy/fleet/scan.json", paper("{'type':'scan','archives':[],'contents':[],'updates':[]}"));
    lab_put(l, "policy/all/collection.json", paper("{'type':'collection','name':'all','rule':'node.id != \\'\\''}"));
}

#endif
