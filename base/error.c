#include "base/error.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct {
    const char *name;
    int         exit, http;
} table[] = {
    [OK] = {"ok", 0, 200},
#define X(name, exit, http, text) [ERR_##name] = {#name, exit, http},
    ERR_LIST(X)
#undef X
};

enum err fail(struct error *e, enum err code, const char *format, ...)
{
    if (e) {
        va_list args;
        e->code = code;
        va_start(args, format);
        vsnprintf(e->text, sizeof e->text, format, args);
        va_end(args);
    }
    return code;
}

static enum err code_of(int number)
{
    switch (number) {
    case ENOSPC: case EDQUOT:             return ERR_FULL;
    case ENOENT: case ENOTDIR:            return ERR_NOT_FOUND;
    case EACCES: case EPERM: case EROFS:  return ERR_DENIED;
    case EEXIST:                          return ERR_EXISTS;
    case ETIMEDOUT:                       return ERR_TIMEOUT;
    default:                              return ERR_IO;
    }
}

enum err fail_errno(struct error *e, const char *format, ...)
{
    int      number = errno;
    enum err code = code_of(number);
    char     why[600];
    va_list  args;

    va_start(args, format);
    vsnprintf(why, sizeof why, format, args);
    va_end(args);
    return fail(e, code, "%s: %s", why, strerror(number));
}

int err_exit(enum err code)
{
    return table[code].exit;
}

int err_http(enum err code)
{
    return table[code].http;
}

const char *err_name(enum err code)
{
    static char names[sizeof table / sizeof table[0]][16];
    char       *name = names[code];

    for (size_t i = 0; table[code].name[i] && i < sizeof names[0] - 1; i++)
        name[i] = table[code].name[i] == '_' ? '-' : (char)tolower((unsigned char)table[code].name[i]);
    return name;
}

enum err err_by_name(const char *name)
{
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        if (!strcmp(err_name((enum err)i), name))
            return (enum err)i;
    return ERR_FAILED;
}
