/* What nodes say, once it has been opened: policy/authoring/compliance.c and turns, then everything that looks at it. A line is a node's number
 * and what it says: "0 [messages]" or "1 {turn}". What is refused leaves the ledger as it was, and so does what was taken already: a batch
 * that comes again changes nothing. */
#include "tests/fuzz/desk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define LINES 8

static struct fuzz_desk *f;

static void batch(const char *node, const json_t *messages)
{
    struct author *a = &f->desk->a;
    struct sha256  before = fuzz_desk_digest(f);
    struct error   e;
    int64_t        held = -1, again = -1;

    if (compliance_ingest(a, node, messages, &held, &e)) {
        fuzz_must(fuzz_same(before, fuzz_desk_digest(f)), "status was refused and changed the ledger");
        return;
    }
    before = fuzz_desk_digest(f);
    fuzz_must(!compliance_ingest(a, node, messages, &again, &e) && again == held, "a batch was taken once only");
    fuzz_must(fuzz_same(before, fuzz_desk_digest(f)), "a batch that came again changed the ledger");
}

static void turn(const char *node, const json_t *body)
{
    struct sha256 before = fuzz_desk_digest(f);
    struct error  e;
    json_t       *out = NULL;

    if (turn_new(&f->desk->a, node, body, &e))
        fuzz_must(fuzz_same(before, fuzz_desk_digest(f)), "a question that is not a new one changed the ledger");
    else
        fuzz_must(turn_new(&f->desk->a, node, body, &e) == ERR_DENIED, "a question was new twice");
    before = fuzz_desk_digest(f);
    if (turn_ask(&f->desk->a, node, body, &out, &e))
        fuzz_must(fuzz_same(before, fuzz_desk_digest(f)), "a turn was refused and changed the ledger");
    json_decref(out);
}

static void line(const char *text)
{
    struct error e;
    json_t      *json = NULL;
    const char  *node;

    if (!*text || text[1] != ' ' || json_read(text + 2, strlen(text + 2), 1u << 20, &json, &e))
        return;
    node = f->nodes[(unsigned char)*text % DESK_NODES];
    if (json_is_object(json))
        turn(node, json);
    else
        batch(node, json);
    json_decref(json);
}

/* Whatever a node has said, the administrator's questions (one in three, by which) are answered, and the fleet's policy is published. */
static void look(size_t which)
{
    static const char *const questions[][2] = {
        {"status.show", "{}"},          {"node.show", "{'name':'till-0'}"},         {"deployment.show", "{'name':'october'}"},
        {"alert.list", "{}"},           {"deployment.nodes", "{'name':'october'}"}, {"why.show", "{'node':'till-0','update':'curl'}"},
        {"content.status", "{}"},       {"update.list", "{'filter':'required > 0'}"}, {"collection.show", "{'name':'tills'}"},
        {"orchestration.list", "{}"},
    };
    struct publication_list list;
    struct wanted_file     *files = NULL;
    char                  **missing = NULL;
    size_t                  count = 0;
    struct error            e;

    for (size_t i = which % 3; i < COUNT(questions); i += 3)
        say(f->desk, questions[i][0], questions[i][1]);
    fuzz_must(!author_publications(&f->desk->a, &list, &e), "what a node said keeps the policy from being published");
    author_publications_free(&list);
    if (which % 2 && !content_wanted(&f->desk->a, "october", &files, &count, &missing, &e)) {
        wanted_free(files, count);
        words_free(missing);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t which = size;
    char  *text;

    f = f ? f : fuzz_desk_open();
    fuzz_desk_again(f);
    for (int i = 0; i < LINES && (text = fuzz_line(&data, &size)); i++) {
        line(text);
        free(text);
    }
    look(which);
    return 0;
}
