#include "node/site/command_file.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/text.h"
#include "node/site/library.h"

static enum err one(struct site *s, const char *path, json_t *out, struct error *e)
{
    const char   *name = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
    char          hex[SHA256_HEX], *tmp = must_print("%s/.tmp-command", s->content_dir);
    struct sha256 h;
    uint64_t      size = 0;
    enum err      code = *path == '/' ? file_copy(path, tmp, 0600, e) : fail(e, ERR_USAGE, "\"%s\": an absolute path was expected", path);

    code = code ? code : hash_file(tmp, &h, &size, e);
    code = code ? code : library_put(s, tmp, &h, size, name, NULL, e);
    if (!code)
        json_array_append_new(out, json_pack("{s:s,s:s,s:I}", "name", name, "sha256", sha256_hex(&h, hex), "size", (json_int_t)size));
    free(tmp);
    return code;
}

enum err command_files(struct site *s, json_t *args, struct error *e)
{
    json_t  *list = json_array(), *item;
    size_t   i;
    enum err code = OK;

    json_array_foreach(json_object_get(args, "files"), i, item)
        code = code ? code : one(s, json_string_value(item) ? json_string_value(item) : "", list, e);
    json_object_set_new(args, "files", list);
    return code;
}
