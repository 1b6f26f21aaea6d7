#include "node/client/plan.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"

#define ITEMS 20000

/* "Inst PACKAGE[:ARCH] [OLD] (NEW ARCHIVE, ARCHIVE [ARCH]) [what else…]"; without [OLD] the name is new. */
static enum err read_inst(struct plan *p, const char *line, size_t length, struct error *e)
{
    const char *end = line + length, *open = memchr(line, '(', length), *close = open ? memchr(open, ')', (size_t)(end - open)) : NULL;
    const char *arch = close ? memrchr(open, '[', (size_t)(close - open)) : NULL, *old = memchr(line, '[', length);
    size_t      name = strcspn(line, " :\n");

    if (!arch || p->count == ITEMS)
        return fail(e, ERR_VERIFY, "apt-get's plan is not understood: \"%.*s\"", (int)length, line);
    if (p->count % 64 == 0)
        p->items = must_grow(p->items, p->count + 64, sizeof(*p->items));
    p->items[p->count++] = (struct plan_item){
        .name = must_print("%.*s", (int)name, line),
        .arch = must_print("%.*s", (int)strcspn(arch + 1, "]"), arch + 1),
        .version = must_print("%.*s", (int)strcspn(open + 1, " )"), open + 1),
        .fresh = !old || old > open,
    };
    return OK;
}

enum err plan_read(const char *text, struct plan *out, struct error *e)
{
    struct plan p = {0};
    enum err    r = OK;

    for (const char *line = text, *stop; *line && r == OK; line = *stop ? stop + 1 : stop) {
        stop = strchrnul(line, '\n');
        if (strncmp(line, "Inst ", 5) == 0)
            r = read_inst(&p, line + 5, (size_t)(stop - line) - 5, e);
        else if ((strncmp(line, "Remv ", 5) == 0 || strncmp(line, "Purg ", 5) == 0) && !p.removes)
            p.removes = must_print("%.*s", (int)strcspn(line + 5, " \n"), line + 5);
    }
    if (r == OK)
        *out = p;
    else
        plan_end(&p);
    return r;
}

void plan_end(struct plan *p)
{
    for (size_t i = 0; i < p->count; i++) {
        free(p->items[i].name);
        free(p->items[i].arch);
        free(p->items[i].version);
    }
    free(p->items);
    free(p->removes);
    memset(p, 0, sizeof(*p));
}

bool plan_names(const struct plan *p, const char *name)
{
    for (size_t i = 0; i < p->count; i++)
        if (strcmp(p->items[i].name, name) == 0)
            return true;
    return false;
}

enum install_outcome plan_verdict(const char *words, enum install_outcome otherwise)
{
    static const struct { const char *says; enum install_outcome outcome; } signs[] = {
        {"Could not get lock", INSTALL_RETRY},
        {"locked by another process", INSTALL_RETRY},
        {"is another process using it", INSTALL_RETRY},
        {"Hash Sum mismatch", INSTALL_REFUSED},
        {"remove is disabled", INSTALL_REFUSED},
        {"Held packages were changed", INSTALL_REFUSED},
        {"unmet dependencies", INSTALL_CLOSURE},
        {"Unmet dependencies", INSTALL_CLOSURE},
        {"held broken packages", INSTALL_CLOSURE},
        {"Unable to correct problems", INSTALL_CLOSURE},
    };

    for (size_t i = 0; i < COUNT(signs); i++)
        if (strstr(words, signs[i].says))
            return signs[i].outcome;
    return otherwise;
}

static void join(char *out, size_t room, const char *line, size_t length)
{
    size_t n = strlen(out);

    snprintf(out + n, room - n, "%s%.*s", n ? "; " : "", (int)length, line);
}

/* "dpkg: unrecoverable fatal error, aborting:" goes on in the next, indented line. What needs what comes in lines before the errors:
 * "app : Depends: lib (>= 3) but it is not installable". */
static bool tells(const char *line, size_t length, bool before)
{
    if (before && *line == ' ')
        return true;
    return strncmp(line, "E: ", 3) == 0 || (strncmp(line, "dpkg", 4) == 0 && memmem(line, length, "error", 5)) ||
           memmem(line, length, "Depends: ", 9);
}

void plan_reason(const char *words, char *out, size_t room)
{
    const char *last[3] = {NULL, NULL, NULL};
    bool        told = false;

    *out = '\0';
    for (const char *line = words; *line; line += *line == '\n') {
        size_t n = strcspn(line, "\n"), indent = strspn(line, " ");

        told = n && tells(line, n, told);
        if (told)
            join(out, room, line + indent, n > indent ? n - indent : 0);
        if (n) {
            last[0] = last[1];
            last[1] = last[2];
            last[2] = line;
        }
        line += n;
    }
    if (*out)
        return;
    for (size_t i = 0; i < COUNT(last); i++)
        if (last[i])
            join(out, room, last[i], strcspn(last[i], "\n"));
}
