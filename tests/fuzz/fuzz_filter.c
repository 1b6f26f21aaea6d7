/* policy/authoring/find.c, with the ledger behind it: a filter that is accepted is SQL that runs, alone, with searched words, and as a
 * collection's rule. */
#include "tests/fuzz/desk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct fuzz_desk *f;

static void asked(const char *filter, const char *words)
{
    json_t     *args = json_pack("{s:s,s:s}", "filter", filter, "text", words), *out = NULL, *preview = json_pack("{s:s}", "rule", filter);
    struct error e = {0};

    for (size_t i = 0; args && i < author_command_count; i++)
        if (!strcmp(author_commands[i].name, "update.list") && author_run(&author_commands[i], &f->desk->a, args, &out, &e) == ERR_IO)
            fuzz_must(false, e.text);
    json_decref(out);
    out = NULL;
    for (size_t i = 0; preview && i < author_command_count; i++)
        if (!strcmp(author_commands[i].name, "collection.preview") && author_run(&author_commands[i], &f->desk->a, preview, &out, &e) == ERR_IO)
            fuzz_must(false, e.text);
    json_decref(out);
    json_decref(args);
    json_decref(preview);
}

/* The first line is the filter, the second the words. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char        *filter, *words, *where = NULL;
    int64_t      n = 0;
    json_t      *parameters = NULL;
    struct error e;

    f = f ? f : fuzz_desk_open();
    filter = fuzz_line(&data, &size);
    words = fuzz_line(&data, &size);
    if (filter && !find_where(filter, DESK_NOW, &where, &parameters, &e)) {
        json_decref(parameters);
        free(where);
        fuzz_must(!find_count(&f->desk->a, filter, &n, &e), e.text);
    }
    if (filter)
        asked(filter, words ? words : "");
    free(words);
    free(filter);
    return 0;
}
