#include "policy/document/fleet.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "policy/document/parts.h"

#define GROUPS 10000
#define DPS    10000
#define REVOKED 10000

static void type_check(struct reader *r, const char *type)
{
    if (strcmp(reader_text(r, "type", 32), type))
        reader_fail(r, "type", "\"%s\" was expected", type);
}

static void group_end(struct boundary_group *g)
{
    free(g->name);
    words_free(g->cidrs);
    words_free(g->dps);
    for (size_t i = 0; i < g->neighbour_count; i++)
        free(g->neighbours[i].group);
    free(g->neighbours);
}

void fleet_free(struct fleet *f)
{
    if (!f)
        return;
    for (size_t i = 0; i < f->dp_count; i++) {
        free(f->dps[i].name);
        free(f->dps[i].url);
        free(f->dps[i].pin);
    }
    for (size_t i = 0; i < f->revoked_count; i++) {
        free(f->revoked[i].node);
        free(f->revoked[i].address);
    }
    for (size_t i = 0; i < f->group_count; i++)
        group_end(&f->groups[i]);
    free(f->dps);
    free(f->groups);
    free(f->revoked);
    free(f->audience);
    free(f->site);
    free(f->site_url);
    free(f->site_pin);
    free(f->ca);
    free(f->default_group);
    free(f);
}

static void dps_read(struct reader *r, struct fleet *f)
{
    const json_t *list = reader_array(r, "dps", DPS);

    f->dps = must_alloc((json_array_size(list) + 1) * sizeof *f->dps);
    for (size_t i = 0; i < json_array_size(list) && !r->verdict; i++) {
        struct reader d;
        reader_item(&d, r, "dps", i, json_array_get(list, i));
        f->dp_count = i + 1;
        f->dps[i].name = reader_copy(&d, "name", 64);
        f->dps[i].url = reader_copy(&d, "url", 512);
        f->dps[i].pin = reader_copy_or_null(&d, "pin", 200);
        r->verdict = reader_done(&d);
    }
}

static void revoked_read(struct reader *r, struct fleet *f)
{
    const json_t *list = reader_array_or(r, "revoked", REVOKED);

    f->revoked = must_alloc((json_array_size(list) + 1) * sizeof *f->revoked);
    for (size_t i = 0; i < json_array_size(list) && !r->verdict; i++) {
        struct reader d;
        reader_item(&d, r, "revoked", i, json_array_get(list, i));
        f->revoked_count = i + 1;
        f->revoked[i].node = reader_copy(&d, "node", 64);
        f->revoked[i].address = reader_copy_or_null(&d, "address", 64);
        f->revoked[i].until = reader_time(&d, "until");
        r->verdict = reader_done(&d);
    }
}

/* "10.1.0.0/16" → family, 16 address bytes, bits. */
static bool cidr_read(const char *text, int *family, uint8_t address[16], unsigned *bits)
{
    char        copy[64], *slash;
    unsigned long n;

    if (snprintf(copy, sizeof copy, "%s", text) >= (int)sizeof copy)
        return false;
    slash = strchr(copy, '/');
    if (slash)
        *slash++ = 0;
    *family = strchr(copy, ':') ? AF_INET6 : AF_INET;
    memset(address, 0, 16);
    if (inet_pton(*family, copy, address) != 1)
        return false;
    if (slash && (!*slash || slash[strspn(slash, "0123456789")]))
        return false;
    n = slash ? strtoul(slash, NULL, 10) : *family == AF_INET ? 32 : 128;
    *bits = (unsigned)n;
    return n <= (*family == AF_INET ? 32u : 128u);
}

bool cidr_ok(const char *text)
{
    uint8_t  address[16];
    unsigned bits;
    int      family;

    return cidr_read(text, &family, address, &bits);
}

static void neighbours_read(struct reader *r, struct boundary_group *g)
{
    const json_t *list = reader_array_or(r, "neighbours", 256);

    g->neighbours = must_alloc((json_array_size(list) + 1) * sizeof *g->neighbours);
    for (size_t i = 0; i < json_array_size(list) && !r->verdict; i++) {
        struct reader n;
        reader_item(&n, r, "neighbours", i, json_array_get(list, i));
        g->neighbour_count = i + 1;
        g->neighbours[i].group = reader_copy(&n, "group", 64);
        g->neighbours[i].minutes = reader_number(&n, "minutes", -1, 10080);
        r->verdict = reader_done(&n);
    }
}

static void groups_read(struct reader *r, struct fleet *f)
{
    const json_t *list = reader_array(r, "groups", GROUPS);

    f->groups = must_alloc((json_array_size(list) + 1) * sizeof *f->groups);
    for (size_t i = 0; i < json_array_size(list) && !r->verdict; i++) {
        struct boundary_group *g = &f->groups[i];
        struct reader          b;
        reader_item(&b, r, "groups", i, json_array_get(list, i));
        f->group_count = i + 1;
        g->name = reader_copy(&b, "name", 64);
        g->cidrs = reader_words(&b, "cidrs", 256, 64);
        g->dps = reader_words(&b, "dps", 64, 64);
        neighbours_read(&b, g);
        for (char **c = g->cidrs; c && *c; c++)
            if (!cidr_ok(*c))
                reader_fail(&b, "cidrs", "\"%.60s\" is no address with a prefix such as 10.1.0.0/16", *c);
        r->verdict = reader_done(&b);
    }
}

enum err fleet_from_json(const json_t *value, struct fleet **out, struct error *e)
{
    struct fleet *f = must_alloc(sizeof *f);
    struct reader r;

    reader_init(&r, value, "fleet", e);
    type_check(&r, "fleet");
    f->seq = reader_number(&r, "seq", 1, INT64_MAX);
    f->audience = reader_copy(&r, "audience", 64);
    f->site = reader_copy(&r, "site", 64);
    f->site_url = reader_copy(&r, "site_url", 512);
    if (!hex_decode(reader_text(&r, "seal_key", 64), f->seal_key, 32))
        reader_fail(&r, "seal_key", "64 hexadecimal digits were expected");
    f->site_pin = reader_copy_or_null(&r, "site_pin", 200);
    f->ca = reader_copy_or_null(&r, "ca", 4096);
    f->poll_s = reader_number(&r, "poll_s", 1, 604800);
    f->rescan_s = reader_number(&r, "rescan_s", 60, 31536000);
    f->default_group = reader_copy_or_null(&r, "default_group", 64);
    dps_read(&r, f);
    revoked_read(&r, f);
    groups_read(&r, f);
    if (reader_done(&r)) {
        fleet_free(f);
        return r.verdict;
    }
    *out = f;
    return OK;
}

static json_t *group_print(const struct boundary_group *g)
{
    json_t *o = json_pack("{s:s}", "name", g->name), *list = json_array();

    put_words(o, "cidrs", g->cidrs);
    put_words(o, "dps", g->dps);
    for (size_t i = 0; i < g->neighbour_count; i++)
        json_array_append_new(list,
                              json_pack("{s:s,s:I}", "group", g->neighbours[i].group, "minutes", (json_int_t)g->neighbours[i].minutes));
    json_object_set_new(o, "neighbours", list);
    return o;
}

static json_t *dps_print(const struct fleet *f)
{
    json_t *list = json_array();

    for (size_t i = 0; i < f->dp_count; i++) {
        json_t *o = json_pack("{s:s,s:s}", "name", f->dps[i].name, "url", f->dps[i].url);

        put_text(o, "pin", f->dps[i].pin);
        json_array_append_new(list, o);
    }
    return list;
}

static json_t *revoked_print(const struct fleet *f)
{
    json_t *list = json_array();

    for (size_t i = 0; i < f->revoked_count; i++) {
        json_t *o = json_pack("{s:s}", "node", f->revoked[i].node);

        put_text(o, "address", f->revoked[i].address);
        put_time(o, "until", f->revoked[i].until);
        json_array_append_new(list, o);
    }
    return list;
}

json_t *fleet_to_json(const struct fleet *f)
{
    char    seal[65];
    json_t *o, *groups = json_array();

    hex_encode(f->seal_key, 32, seal);
    for (size_t i = 0; i < f->group_count; i++)
        json_array_append_new(groups, group_print(&f->groups[i]));
    o = json_pack("{s:s,s:I,s:s,s:s,s:s,s:s,s:I,s:I,s:o,s:o}", "type", "fleet", "seq", (json_int_t)f->seq, "audience", f->audience, "site",
                  f->site, "site_url", f->site_url, "seal_key", seal, "poll_s", (json_int_t)f->poll_s, "rescan_s", (json_int_t)f->rescan_s,
                  "dps", dps_print(f), "groups", groups);
    put_text(o, "default_group", f->default_group);
    put_text(o, "site_pin", f->site_pin);
    put_text(o, "ca", f->ca);
    if (f->revoked_count)
        json_object_set_new(o, "revoked", revoked_print(f));
    return o;
}

void scan_free(struct scan *s)
{
    if (!s)
        return;
    archives_end(s->archives, s->archive_count);
    contents_end(s->contents, s->content_count);
    updates_end(s->updates, s->update_count);
    free(s->audience);
    free(s);
}

enum err scan_from_json(const json_t *value, struct scan **out, struct error *e)
{
    struct scan  *s = must_alloc(sizeof *s);
    struct reader r;

    reader_init(&r, value, "scan", e);
    type_check(&r, "scan");
    s->seq = reader_number(&r, "seq", 1, INT64_MAX);
    s->audience = reader_copy(&r, "audience", 64);
    archives_read(&r, &s->archives, &s->archive_count);
    contents_read(&r, &s->contents, &s->content_count);
    updates_read(&r, &s->updates, &s->update_count);
    contents_sort(s->contents, s->content_count);
    if (reader_done(&r)) {
        scan_free(s);
        return r.verdict;
    }
    *out = s;
    return OK;
}

json_t *scan_to_json(const struct scan *s)
{
    return json_pack("{s:s,s:I,s:s,s:o,s:o,s:o}", "type", "scan", "seq", (json_int_t)s->seq, "audience", s->audience, "archives",
                     archives_print(s->archives, s->archive_count), "contents", contents_print(s->contents, s->content_count), "updates",
                     updates_print(s->updates, s->update_count));
}

void holding_free(struct holding *h)
{
    if (!h)
        return;
    contents_end(h->contents, h->content_count);
    free(h->audience);
    free(h->dp);
    free(h);
}

enum err holding_from_json(const json_t *value, struct holding **out, struct error *e)
{
    struct holding *h = must_alloc(sizeof *h);
    struct reader   r;

    reader_init(&r, value, "dp", e);
    type_check(&r, "dp");
    h->seq = reader_number(&r, "seq", 1, INT64_MAX);
    h->audience = reader_copy(&r, "audience", 64);
    h->dp = reader_copy(&r, "dp", 64);
    contents_read(&r, &h->contents, &h->content_count);
    contents_sort(h->contents, h->content_count);
    if (reader_done(&r)) {
        holding_free(h);
        return r.verdict;
    }
    *out = h;
    return OK;
}

json_t *holding_to_json(const struct holding *h)
{
    return json_pack("{s:s,s:I,s:s,s:s,s:o}", "type", "dp", "seq", (json_int_t)h->seq, "audience", h->audience, "dp", h->dp, "contents",
                     contents_print(h->contents, h->content_count));
}

/* The number of prefix bits when the address lies in the CIDR, -1 when it does not. */
static int cidr_match(const char *cidr, int family, const uint8_t address[16])
{
    uint8_t  net[16];
    unsigned bits;
    int      net_family;

    if (!cidr_read(cidr, &net_family, net, &bits) || net_family != family || memcmp(net, address, bits / 8))
        return -1;
    if (bits % 8 && ((net[bits / 8] ^ address[bits / 8]) >> (8 - bits % 8)))
        return -1;
    return (int)bits;
}

const struct boundary_group *fleet_group_of(const struct fleet *f, const char *text)
{
    const struct boundary_group *best = NULL;
    int                          most = -1, family = strchr(text, ':') ? AF_INET6 : AF_INET;
    uint8_t                      address[16] = {0};

    if (inet_pton(family, text, address) != 1)
        return NULL;
    for (size_t i = 0; i < f->group_count; i++)
        for (char **c = f->groups[i].cidrs; c && *c; c++) {
            int bits = cidr_match(*c, family, address);
            if (bits > most) {
                most = bits;
                best = &f->groups[i];
            }
        }
    return best;
}

const struct boundary_group *fleet_group(const struct fleet *f, const char *name)
{
    for (size_t i = 0; i < f->group_count; i++)
        if (!strcmp(f->groups[i].name, name))
            return &f->groups[i];
    return NULL;
}

const struct dp *fleet_dp(const struct fleet *f, const char *name)
{
    for (size_t i = 0; i < f->dp_count; i++)
        if (!strcmp(f->dps[i].name, name))
            return &f->dps[i];
    return NULL;
}

bool fleet_revoked(const struct fleet *f, const char *node_id)
{
    for (size_t i = 0; i < f->revoked_count; i++)
        if (!strcmp(f->revoked[i].node, node_id))
            return true;
    return false;
}
