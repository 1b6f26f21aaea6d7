#include "node/install/talk_ferryd.h"

#include "base/file.h"
#include "base/text.h"
#include "node/io/packet.h"
#include "policy/document/json.h"

static void say(int socket, json_t *message /* taken */)
{
    packet_send(socket, message, -1, NULL);     /* whoever has gone hears nothing; what runs is not changed by that */
    json_decref(message);
}

static enum err read_answer(const json_t *answer, int fd, struct error *e)
{
    struct reader r;
    bool          given;

    reader_init(&r, answer, "answer", e);
    given = reader_bool_or(&r, "give", false);
    if (reader_done(&r))
        return fail(e, ERR_USAGE, "the answer to what was wanted is not understood");
    return given == (fd >= 0) ? OK : fail(e, ERR_USAGE, "a descriptor comes with \"give\": true and with nothing else");
}

enum err ask_ferryd(int socket, const char *what, const char *name, int *fd, struct error *e)
{
    AUTO(fd_end) int got = -1;
    json_t          *m = json_pack("{s:s, s:s}", "want", what, "name", name);
    enum err         code = packet_send(socket, m, -1, e);

    json_decref(m);
    m = NULL;
    code = code ? code : packet_take(socket, &m, &got, e);
    code = code ? code : read_answer(m, got, e);
    json_decref(m);
    if (!code) {
        *fd = got;
        got = -1;
    }
    return code;
}

enum err ask_ferryd_bytes(int socket, const char *what, const char *name, size_t limit, char **bytes, size_t *length, struct error *e)
{
    AUTO(fd_end) int fd = -1;
    enum err         code = ask_ferryd(socket, what, name, &fd, e);

    *bytes = NULL;
    return code || fd < 0 ? code : packet_bytes(fd, limit, bytes, length, e);
}

enum err hear_order(int socket, struct order *out, struct error *e)
{
    json_t  *m = NULL;
    enum err code = packet_take(socket, &m, NULL, e);

    code = code ? code : order_read(m, out, e);
    json_decref(m);
    return code;
}

void tell_step(int socket, const char *step)
{
    say(socket, json_pack("{s:s}", "step", step));
}

void tell_verdict(int socket, const struct install_result *r)
{
    char hex[SHA256_HEX];

    for (size_t i = 0; i < r->wanted_count; i++)
        say(socket, json_pack("{s:s}", "lack", sha256_hex(&r->wanted[i], hex)));
    say(socket, json_pack("{s:s, s:i, s:b, s:o}", "outcome", install_outcome_word(r->outcome), "code", r->code < -1 ? -1 : r->code, "touched", r->touched,
                          "detail", json_string_nocheck(r->detail)));
}
