/* The path of a request: node/io/route.c. What a handler is given is safe below a directory, whatever was asked. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "node/io/route.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct route routes[] = {
    {"GET", "/", 0, NULL, NULL},    {"GET", "/a/{name}", 0, NULL, NULL},    {"POST", "/a/{name}", 0, NULL, NULL},
    {"GET", "/a/b", 0, NULL, NULL}, {"GET", "/t/{path...}", 0, NULL, NULL}, {"GET", "/t/{x}/{y}/c", 0, NULL, NULL},
};

static void check(const char *part)
{
    for (const char *p = part; *p; p += strcspn(p, "/")) {
        p += p != part;
        if (!*p || *p == '/' || !strncmp(p, "../", 3) || !strcmp(p, "..") || !strncmp(p, "./", 2) || !strcmp(p, "."))
            abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct route_set     set = {routes, COUNT(routes), NULL};
    AUTO(text_end) struct text path = {0}, allow = {0};
    struct route_match         match;

    text_put(&path, data, size);
    route_find(&set, 1, "GET", path.data, &match, &allow);
    for (size_t i = 0; i < match.parts; i++)
        check(match.part[i].value);
    route_end(&match);
    return 0;
}
