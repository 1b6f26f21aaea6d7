#include "node/client/lend.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/text.h"
#include "node/client/remote.h"
#include "node/io/packet.h"
#include "policy/document/json.h"

#define ROOTS      "roots"                      /* kind in the store; named by version */
#define ROOT_LIMIT (64u << 10)

enum err remote_keep_root(struct store *store, const char *bytes, size_t length, struct error *e)
{
    json_t  *root = NULL;
    char     version[32];
    enum err code = json_read(bytes, length, ROOT_LIMIT, &root, e);

    if (!code) {
        snprintf(version, sizeof version, "%" JSON_INTEGER_FORMAT, json_integer_value(json_object_get(json_object_get(root, "signed"), "version")));
        code = store_blob_put(store, ROOTS, version, bytes, length, e);
    }
    json_decref(root);
    return code;
}

/* "7.root.json" is a root of its own; of the other roles the one in force is here: "12.tills.json" and "timestamp.json". */
static enum err metadata(struct store *store, const char *name, char **bytes, size_t *length, struct error *e)
{
    size_t digits = strspn(name, "0123456789");
    char   role[80];

    if (digits && !strcmp(name + digits, ".root.json")) {
        snprintf(role, sizeof role, "%.*s", digits < 20 ? (int)digits : 20, name);
        return store_blob(store, ROOTS, role, bytes, length, e);
    }
    name += digits && name[digits] == '.' ? digits + 1 : 0;
    snprintf(role, sizeof role, "%.*s", (int)strcspn(name, "."), name);
    return store_blob(store, "role", role, bytes, length, e);
}

/* O_NOFOLLOW for our own sake: the installer gets a descriptor and follows nothing. */
static int content(struct cache *cache, const char *hex)
{
    struct sha256 name;
    char          path[PATH_MAX];

    if (!sha256_read(hex, &name))
        return -1;
    cache_path(cache, &name, path, sizeof path);
    return open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
}

static enum err give(int socket, bool here, const char *bytes, size_t length, int fd, struct error *e)
{
    json_t  *answer = json_pack("{s:b}", "give", here);
    enum err code = bytes ? packet_send_bytes(socket, answer, bytes, length, e) : packet_send(socket, answer, fd, e);

    json_decref(answer);
    return code;
}

enum err lend(int socket, struct cache *cache, const char *what, const char *name, struct error *e)
{
    AUTO(text_free) char *bytes = NULL;
    AUTO(fd_end) int      fd = -1;
    size_t                length = 0;
    enum err              code = OK;

    if (!strcmp(what, "metadata"))
        code = metadata(cache_store(cache), name, &bytes, &length, e);
    else if (!strcmp(what, "target"))
        code = store_blob(cache_store(cache), "target", name, &bytes, &length, e);
    else if (!strcmp(what, "content"))
        fd = content(cache, name);
    return code ? code : give(socket, bytes || fd >= 0, bytes, length, fd, e);
}
