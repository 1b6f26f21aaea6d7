/* How an exchange ends: JSON, bytes, a file with ranges (RFC 9110 section 14), or a problem (RFC 9457). */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "node/io/exchange.h"
#include "node/io/range.h"

#define FILE_BLOCK (64u << 10) /* 4 KiB, libmicrohttpd's own for descriptors, costs four times the CPU (experiments.md section 3) */

struct reading {
    struct server *server;
    int            fd;
    uint64_t       first;
};

static void out_of_memory(const void *p)
{
    if (!p)
        abort();
}

static void set_response(struct exchange *x, int status, struct MHD_Response *response)
{
    out_of_memory(response);
    x->response = response;
    x->status = (unsigned)status;
    exchange_answered(x);
}

static struct MHD_Response *response_of(struct exchange *x, const char *type, const void *bytes, size_t length)
{
    /* The cast: copied, never written to. */
    struct MHD_Response *r = MHD_create_response_from_buffer(length, (void *)(uintptr_t)(length ? bytes : ""), MHD_RESPMEM_MUST_COPY);

    out_of_memory(r);
    if (type)
        MHD_add_response_header(r, "Content-Type", type);
    if (x->server && strcmp(x->method, "HEAD"))
        server_count(x->server, length);
    return r;
}

void answer_bytes(struct exchange *x, int status, const char *type, const void *bytes, size_t length)
{
    set_response(x, status, response_of(x, type, bytes, length));
}

static struct MHD_Response *json_response(struct exchange *x, const char *type, json_t *body)
{
    AUTO(text_free) char *text = json_dumps(body, JSON_COMPACT | JSON_ENCODE_ANY);
    AUTO(text_free) char *line = must_print("%s\n", text ? text : "null");

    json_decref(body);
    return response_of(x, type, line, strlen(line));
}

void answer_json(struct exchange *x, int status, json_t *body)
{
    set_response(x, status, json_response(x, "application/json", body));
}

void answer_error(struct exchange *x, const struct error *e)
{
    static const char *const titles[] = {[OK] = "no error",
#define X(name, exit, http, text) [ERR_##name] = text,
                                         ERR_LIST(X)
#undef X
    };
    int                   status = x->allow ? MHD_HTTP_METHOD_NOT_ALLOWED : x->too_long ? MHD_HTTP_CONTENT_TOO_LARGE : err_http(e->code);
    AUTO(text_free) char *type = must_print("ferry:%s", err_name(e->code));
    json_t               *detail = json_string(e->text);
    struct MHD_Response  *r =
        json_response(x, "application/problem+json",
                      json_pack("{s:s, s:s, s:o, s:i}", "type", type, "title", titles[e->code], "detail",
                                detail ? detail : json_string("(not UTF-8)"), "status", status));

    if (x->allow)
        MHD_add_response_header(r, "Allow", x->allow);
    set_response(x, status, r);
}

/* --- files --- */

static ssize_t on_more(void *ctx, uint64_t position, char *buffer, size_t room)
{
    struct reading *r = ctx;
    ssize_t         n = pread(r->fd, buffer, room, (off_t)(r->first + position));

    if (n <= 0)                                 /* shorter than it was: the client must not take it for whole */
        return MHD_CONTENT_READER_END_WITH_ERROR;
    server_count(r->server, (size_t)n);
    return n;
}

static void on_read_enough(void *ctx)
{
    struct reading *r = ctx;

    close(r->fd);
    free(r);
}

/* fd is taken. */
static struct MHD_Response *file_response(struct exchange *x, int *fd, uint64_t first, uint64_t length)
{
    struct reading      *reading = must_alloc(sizeof *reading);
    struct MHD_Response *r;

    *reading = (struct reading){x->server, *fd, first};
    *fd = -1;
    r = MHD_create_response_from_callback(length, FILE_BLOCK, on_more, reading, on_read_enough);
    out_of_memory(r);
    return r;
}

/* The range that applies: none when If-Range names another version of the file. */
static enum range wanted_range(struct exchange *x, const char *tag, uint64_t size, uint64_t *first, uint64_t *length)
{
    const char *range = exchange_header(x, "Range"), *condition = exchange_header(x, "If-Range");

    return range && (!condition || !strcmp(condition, tag)) ? range_read(range, size, first, length) : RANGE_WHOLE;
}

static void send_file(struct exchange *x, int *fd, uint64_t size, const char *tag, const char *type)
{
    uint64_t              first = 0, length = size;
    enum range            range = wanted_range(x, tag, size, &first, &length);
    AUTO(text_free) char *say = NULL;
    struct MHD_Response  *r;
    int                   status = MHD_HTTP_OK;

    if (range_tag_matches(exchange_header(x, "If-None-Match"), tag)) {
        status = MHD_HTTP_NOT_MODIFIED;
        r = response_of(x, NULL, "", 0);
    } else if (range == RANGE_BEYOND) {
        status = MHD_HTTP_RANGE_NOT_SATISFIABLE;
        say = must_print("bytes */%" PRIu64, size);
        r = response_of(x, NULL, "", 0);
    } else {
        if (range == RANGE_PART) {
            status = MHD_HTTP_PARTIAL_CONTENT;
            say = must_print("bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64, first, first + length - 1, size);
        }
        r = length ? file_response(x, fd, first, length) : response_of(x, NULL, "", 0);
        MHD_add_response_header(r, "Content-Type", type ? type : "application/octet-stream");
    }
    if (say)
        MHD_add_response_header(r, "Content-Range", say);
    MHD_add_response_header(r, "ETag", tag);
    MHD_add_response_header(r, "Accept-Ranges", "bytes");
    set_response(x, status, r);
}

void answer_file(struct exchange *x, const char *path, const char *type)
{
    AUTO(fd_end) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);    /* a FIFO must not hold the loop */
    struct stat      st;
    struct error     e;
    char             tag[64];

    if (!x->server) {                           /* nobody listens any more */
        answer_bytes(x, MHD_HTTP_OK, NULL, "", 0);
        return;
    }
    if (fd < 0 || fstat(fd, &st) || !S_ISREG(st.st_mode)) {
        fail(&e, ERR_NOT_FOUND, "%s is not here", x->path);
        answer_error(x, &e);
        return;
    }
    snprintf(tag, sizeof tag, "\"%" PRIx64 "-%" PRIx64 "\"", (uint64_t)st.st_size,
             (uint64_t)st.st_mtim.tv_sec * 1000000000u + (uint64_t)st.st_mtim.tv_nsec);
    send_file(x, &fd, (uint64_t)st.st_size, tag, type);
}
