/* What dpkg has, as a sorted list: from dpkg-query's columns, from and to JSON. */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "policy/catalog/apt.h"

#define ITEMS   200000
#define COLUMNS 7

bool installed_absent(const struct installed *i)
{
    return i->status == 'n' || i->status == 'c';
}

bool installed_broken(const struct installed *i)
{
    return i->status == 'U' || i->status == 'F' || i->status == 'H';
}

static int by_key(const void *a, const void *b)
{
    const struct installed *x = a, *y = b;
    int                     order = strcmp(x->package, y->package);

    return order ? order : strcmp(x->arch, y->arch);
}

static enum err add(struct inventory *inv, const char *const column[COLUMNS], struct error *e)
{
    if (inv->count == ITEMS)
        return fail(e, ERR_VERIFY, "over %d installed packages", ITEMS);
    if (strlen(column[0]) < 2 || !strchr("uihrp", column[0][0]) || !strchr("ncHUFWti", column[0][1]))
        return fail(e, ERR_VERIFY, "\"%.8s\" is no state of a package (as dpkg-query prints it: \"ii\", \"rc\" …)", column[0]);
    if (!*column[1] || !*column[2])
        return fail(e, ERR_VERIFY, "an installed package without name or architecture");
    if (inv->count % 256 == 0)
        inv->items = must_grow(inv->items, inv->count + 256, sizeof(*inv->items));
    inv->items[inv->count++] = (struct installed){
        .package = must_copy(column[1]),
        .arch = must_copy(column[2]),
        .version = must_copy(column[3]),
        .source = must_copy(*column[4] ? column[4] : column[1]),
        .source_version = must_copy(*column[5] ? column[5] : column[3]),
        .provides = must_copy(column[6]),
        .want = column[0][0],
        .status = column[0][1],
    };
    return OK;
}

static enum err read_line(struct inventory *inv, char *line, size_t number, struct error *e)
{
    const char *column[COLUMNS] = {"", "", "", "", "", "", ""};
    size_t      n = 0;

    for (char *at = line, *tab; at; at = tab) {
        if (n == COLUMNS)
            return fail(e, ERR_VERIFY, "line %zu of dpkg-query's output has over %d columns", number, COLUMNS);
        tab = strchr(at, '\t');
        if (tab)
            *tab++ = '\0';
        column[n++] = at;
    }
    if (n < 6)
        return fail(e, ERR_VERIFY, "line %zu of dpkg-query's output has %zu columns instead of 6 or 7", number, n);
    return add(inv, column, e);
}

static enum err finish(struct inventory *inv, enum err r, struct inventory *out)
{
    if (r != OK) {
        inventory_end(inv);
        return r;
    }
    if (inv->count)
        qsort(inv->items, inv->count, sizeof(*inv->items), by_key);
    *out = *inv;
    return OK;
}

enum err inventory_read(const char *text, size_t length, struct inventory *out, struct error *e)
{
    struct inventory inv = {0};
    char *AUTO(text_free) copy = must_alloc(length + 1);
    size_t   number = 0;
    enum err r = OK;

    memcpy(copy, text, length);
    if (strlen(copy) != length)
        return fail(e, ERR_VERIFY, "dpkg-query's output holds a byte 0");
    for (char *line = copy, *stop; *line && r == OK; line = stop) {
        stop = strchrnul(line, '\n');
        if (*stop)
            *stop++ = '\0';
        r = read_line(&inv, line, ++number, e);
    }
    return finish(&inv, r, out);
}

void inventory_end(struct inventory *inv)
{
    for (size_t i = 0; i < inv->count; i++) {
        struct installed *p = &inv->items[i];

        free(p->package);
        free(p->arch);
        free(p->version);
        free(p->source);
        free(p->source_version);
        free(p->provides);
    }
    free(inv->items);
    memset(inv, 0, sizeof(*inv));
}

json_t *inventory_to_json(const struct inventory *inv)
{
    json_t *list = json_array();

    for (size_t i = 0; i < inv->count; i++) {
        const struct installed *p = &inv->items[i];
        const char  state[3] = {p->want, p->status, '\0'};
        json_t     *row;

        if (installed_absent(p))
            continue;
        row = json_pack("[ssssss]", state, p->package, p->arch, p->version, p->source, p->source_version);
        if (row && *p->provides)
            json_array_append_new(row, json_string(p->provides));
        if (row)
            json_array_append_new(list, row);
    }
    return list;
}

enum err inventory_from_json(const json_t *list, struct inventory *out, struct error *e)
{
    struct inventory inv = {0};
    enum err r = OK;
    size_t   i;
    json_t  *row;

    if (!json_is_array(list))
        return fail(e, ERR_VERIFY, "packages: must be a list");
    json_array_foreach(list, i, row) {
        const char *column[COLUMNS] = {"", "", "", "", "", "", ""};
        size_t      n = json_array_size(row);

        for (size_t k = 0; k < n && k < COLUMNS; k++)
            column[k] = json_is_string(json_array_get(row, k)) ? json_string_value(json_array_get(row, k)) : NULL;
        if (n < 4 || n > COLUMNS)
            r = fail(e, ERR_VERIFY, "packages[%zu]: must be a list of 4 to %d texts", i, COLUMNS);
        for (size_t k = 0; k < COLUMNS && r == OK; k++)
            if (!column[k])
                r = fail(e, ERR_VERIFY, "packages[%zu][%zu]: must be a text", i, k);
        if (r == OK)
            r = add(&inv, column, e);
        if (r != OK)
            break;
    }
    return finish(&inv, r, out);
}

/* The first item with that name, or count. */
static size_t first_of(const struct inventory *inv, const char *package)
{
    size_t low = 0, high = inv->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (strcmp(inv->items[middle].package, package) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool wild(const char *arch)
{
    return strcmp(arch, "all") == 0 || strcmp(arch, "any") == 0;
}

/* The same architecture goes first; a package that is present goes before one of which only the configuration is left. */
const struct installed *inventory_find(const struct inventory *inv, const char *package, const char *arch)
{
    const struct installed *found = NULL;

    for (size_t i = first_of(inv, package); i < inv->count && strcmp(inv->items[i].package, package) == 0; i++) {
        const struct installed *p = &inv->items[i];

        if (strcmp(p->arch, arch) != 0 && !wild(arch) && !wild(p->arch))
            continue;
        if (!found || (installed_absent(found) && !installed_absent(p)) ||
            (strcmp(p->arch, arch) == 0 && installed_absent(found) == installed_absent(p)))
            found = p;
    }
    return found;
}
