/* The option table and nothing else: what a ferryd can be told. config.c holds the table. */
#ifndef FERRY_NODE_CONFIG_H
#define FERRY_NODE_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "node/base/option.h"

struct config {
    char  **role;                               /* client distribution-point site */
    char   *state_dir, *control_socket, *log_level;
    /* site */
    char   *site_state, *site_listen, *site_url;
    /* distribution point */
    char   *dp_name, *dp_listen, *dp_state;
    /* client */
    char   *site, *enrol_token, *root, *hostname;
    bool    unprivileged_root;
    char   *listen, **peer, *bind_address, *address /* this node's address for boundaries; default: of listen */;
    char   *proxy;
    bool    proxy_tunnel;
    int64_t poll, cache_max, wan_requests, upload_limit, connections;
    char   *timezone, *machine_kind;            /* NULL: found out below root */
    char   *boot_id, *restart_command, *notify_command;
    char   *installer;                          /* NULL: ferryd installs itself */
    bool    metered;
};

extern const struct option config_options[];
extern const size_t        config_option_count;

/* Defaults, then the file, then the words; then the rules between options ("unprivileged-root needs a root other than /"). */
enum err config_load(struct config *, const char *path, int argc, char **argv, struct error *);
void     config_end(struct config *);
bool     config_has_role(const struct config *, const char *role);

#endif
