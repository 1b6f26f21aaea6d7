/* Flags made from the tables of members: what documents, the site and nodes know of terms and settings is typed once, there. */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "policy/document/settings.h"
#include "policy/document/terms.h"
#include "tools/verb.h"

struct made {
    struct flag *items;
    size_t       count;
    char       **texts;                         /* what the items point to */
    size_t       text_count;
};

static const char *keep(struct made *m, char *text /* taken */)
{
    m->texts = must_grow(m->texts, m->text_count + 1, sizeof *m->texts);
    m->texts[m->text_count++] = text;
    return text;
}

static void add(struct made *m, struct flag f)
{
    m->items = must_grow(m->items, m->count + 1, sizeof *m->items);
    m->items[m->count++] = f;
}

static char *dashed(const char *before, const char *name)
{
    char *text = must_print("%s%s", before, name);

    for (char *c = text; *c; c++)
        *c = *c == '_' ? '-' : *c;
    return text;
}

/* "all|restart|none" */
static char *choices(const char *const *words)
{
    struct text t = {0};

    for (; *words; words++)
        text_add(&t, "%s%s", t.length ? "|" : "", *words);
    return text_take(&t);
}

static void add_member(struct made *m, const struct member *of)
{
    const char *name = keep(m, dashed("", of->name));

    if (of->type == MEMBER_BOOL) {
        add(m, (struct flag){name, FLAG_BOOL, of->name, NULL, of->meaning});
        add(m, (struct flag){keep(m, dashed("no-", of->name)), FLAG_NO, of->name, NULL, of->meaning});
    } else if (of->type == MEMBER_WORD) {
        add(m, (struct flag){name, FLAG_TEXT, of->name, keep(m, choices(of->words)), of->meaning});
    } else {
        add(m, (struct flag){name, FLAG_TEXT, of->name, of->type == MEMBER_DURATION ? "DURATION" : "N", of->meaning});
    }
}

static void clear(struct made *m)
{
    for (size_t i = 0; i < m->text_count; i++)
        free(m->texts[i]);
    free(m->texts);
    free(m->items);
    memset(m, 0, sizeof *m);
}

const struct flag *flags_of(const struct verb *v)
{
    static struct made made;

    clear(&made);
    for (const struct flag *f = v->flags; f && f->name; f++)
        if (f->type == FLAG_TERMS)
            for (size_t i = 1; i < terms_count; i++)        /* the first is the purpose, which is --required or --optional */
                add_member(&made, &terms_table[i]);
        else if (f->type == FLAG_SETTINGS)
            for (size_t i = 0; i < settings_count; i++)
                add_member(&made, &settings_table[i]);
        else
            add(&made, *f);
    add(&made, (struct flag){NULL, FLAG_BOOL, NULL, NULL, NULL});
    return made.items;
}
