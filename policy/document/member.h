/* A struct whose members stand in one table: the documents' JSON both ways, the commands' arguments, the defaults, the help. terms.h and
 * settings.h are such tables. Values are int64_t (numbers, durations in seconds, percents, index of a word) or bool. Pure; any thread. */
#ifndef FERRY_POLICY_DOCUMENT_MEMBER_H
#define FERRY_POLICY_DOCUMENT_MEMBER_H

#include "policy/document/json.h"

enum member_type {
    MEMBER_BOOL,
    MEMBER_NUMBER,
    MEMBER_DURATION,                            /* JSON of documents: NAME_s, an integer; arguments: "2h" or seconds */
    MEMBER_WORD                                 /* JSON: the word; in the struct: its index */
};
struct member {
    const char        *name;                    /* "soft_deadline"; the flag is --soft-deadline */
    enum member_type   type;
    size_t             at;                      /* offset in the struct */
    int64_t            standard, low, high;
    const char *const *words;                   /* MEMBER_WORD: NULL-terminated */
    bool               inside;                  /* the site's own affair: never in a document nodes read */
    const char        *meaning;                 /* one clause, for help */
};

void     members_default(const struct member *, size_t count, void *out);
/* Arguments of a command: members of args whose name is in the table are taken over out; others are left alone (somebody else reads them).
 * Booleans, integers and text ("2h", "95%", "true") are understood. ERR_USAGE names the flag and what is accepted. */
enum err members_take(const struct member *, size_t count, const json_t *args, void *out, struct error *);
/* From a document or the ledger: strict; an absent member gets its default. */
void     members_read(struct reader *, const struct member *, size_t count, void *out, bool inside);
/* What differs from the default, into o. inside: those marked so as well. */
void     members_print(const struct member *, size_t count, const void *in, json_t *o, bool inside);
/* For people: every member as text: {"soft_deadline": "yes", "randomize": "2h"}. */
json_t  *members_show(const struct member *, size_t count, const void *in);

#endif
