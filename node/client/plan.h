/* What apt-get says it would do (`apt-get -s`), and what its complaints mean. Pure. */
#ifndef FERRY_NODE_CLIENT_PLAN_H
#define FERRY_NODE_CLIENT_PLAN_H

#include "node/client/install.h"

struct plan_item {
    char *name, *arch, *version;
    bool  fresh;                                /* nothing of that name is installed */
};
struct plan {
    struct plan_item *items;                    /* "Inst" lines, in order */
    size_t            count;
    char             *removes;                  /* the first package it would remove; NULL none */
};
enum err plan_read(const char *text, struct plan *out, struct error *);
void     plan_end(struct plan *);
bool     plan_names(const struct plan *, const char *name);

/* apt-get ends with 100 for everything: its words tell. `otherwise` when they do not. */
enum install_outcome plan_verdict(const char *words, enum install_outcome otherwise);
/* The lines that tell why: "E: …" if there are any, else the last ones. */
void plan_reason(const char *words, char *out, size_t room);

#endif
