/* The verified plan carried out: node/client's own installer code, on content of this program's. Tells steps and verdict itself; an error means that
 * it has not begun and nothing was told. */
#ifndef FERRY_NODE_INSTALL_CARRY_H
#define FERRY_NODE_INSTALL_CARRY_H

#include "node/client/install.h"

struct carry {
    const struct deployment *deployment;
    const struct update     *update;
    const char              *work_dir;
    int64_t                  max_run_s;
};
enum err carry_out(int socket, const struct config *, struct cache *, const struct carry *, struct error *);
/* The configuration's own restart command; ferryd names none. */
enum err carry_restart(int socket, const struct config *, struct error *);

#endif
