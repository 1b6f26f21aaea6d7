#include "node/io/request.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define BODY_LIMIT    (64u << 20)
#define REFUSAL_LIMIT (64u << 10)               /* of the body that comes with an error status */
#define STALL_MS      30000
#define CONNECT_MS    10000

static long status_of(const struct web_request *r)
{
    long status = 0;

    curl_easy_getinfo(r->easy, CURLINFO_RESPONSE_CODE, &status);
    return status;
}

/* The range that came is the one that was asked for; a server without ranges may send the whole, if the whole was meant. */
static enum err check_range(struct web_request *r, long status)
{
    uint64_t   first = 0, last = 0, want = r->call.range_first, length = r->call.range_length;
    curl_off_t announced = -1;

    if (!length)
        return status != 206 ? OK : fail(&r->refused, ERR_VERIFY, "%s: the whole was asked for and a part came", r->url);
    if (status == 206) {
        if (sscanf(r->content_range, "bytes %" SCNu64 "-%" SCNu64 "/", &first, &last) != 2 || first != want || last < first ||
            last - first != length - 1)
            return fail(&r->refused, ERR_VERIFY, "%s: bytes %" PRIu64 "-%" PRIu64 " were asked for and '%s' came", r->url, want,
                        want + length - 1, r->content_range);
        return OK;
    }
    curl_easy_getinfo(r->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &announced);
    if (want || announced < 0 || (uint64_t)announced != length)
        return fail(&r->refused, ERR_VERIFY, "%s: the server ignored the range (bytes %" PRIu64 "-%" PRIu64 ") and sent something else",
                    r->url, want, want + length - 1);
    return OK;
}

static enum err judge_head(struct web_request *r, long status)
{
    if (r->judged)
        return OK;
    r->judged = true;
    return status / 100 == 2 ? check_range(r, status) : OK;
}

static size_t on_body(char *bytes, size_t one, size_t n, void *ctx)
{
    struct web_request *r = ctx;
    long                status = status_of(r);
    size_t              limit = r->call.limit ? r->call.limit : BODY_LIMIT;

    (void)one;
    if (r->cancelled || judge_head(r, status))
        return CURL_WRITEFUNC_ERROR;
    *r->received += n;
    r->got += n;
    if (status / 100 != 2) {
        text_put(&r->body, bytes, r->body.length + n > REFUSAL_LIMIT ? REFUSAL_LIMIT - r->body.length : n);
        return r->got > 16 * REFUSAL_LIMIT ? CURL_WRITEFUNC_ERROR : n;
    }
    if (r->call.range_length && r->call.range_length < limit)
        limit = r->call.range_length;
    if (r->got > limit) {
        fail(&r->refused, ERR_VERIFY, "%s: more than the %zu bytes that are accepted came", r->url, limit);
        return CURL_WRITEFUNC_ERROR;
    }
    if (!r->call.on_data) {
        text_put(&r->body, bytes, n);
        return n;
    }
    r->refused.code = r->call.on_data(r->call.ctx, bytes, n, &r->refused);
    return r->refused.code ? CURL_WRITEFUNC_ERROR : n;
}

static size_t on_header(char *line, size_t one, size_t n, void *ctx)
{
    static const char   name[] = "content-range:";
    struct web_request *r = ctx;

    (void)one;
    if (n >= 5 && !strncasecmp(line, "HTTP/", 5)) {             /* another answer begins: a redirect, a 100, a proxy's */
        r->content_range[0] = '\0';
    } else if (n > sizeof name && !strncasecmp(line, name, sizeof name - 1)) {
        const char *value = line + sizeof name - 1;
        size_t      length = n - (sizeof name - 1);

        for (; length && (*value == ' ' || *value == '\t'); length--)
            value++;
        while (length && strchr("\r\n \t", value[length - 1]))
            length--;
        snprintf(r->content_range, sizeof r->content_range, "%.*s", (int)(length < 79 ? length : 79), value);
    }
    return n;
}

static void arm_method(struct web_request *r, const struct web_call *call)
{
    const char           *method = call->method ? call->method : "GET";
    AUTO(text_free) char *type = must_print("Content-Type: %s", call->content_type ? call->content_type : "application/json");
    bool                  post = !strcmp(method, "POST");

    if (post || call->body) {
        curl_easy_setopt(r->easy, CURLOPT_POST, 1L);
        curl_easy_setopt(r->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)call->body_length);
        curl_easy_setopt(r->easy, CURLOPT_COPYPOSTFIELDS, call->body ? call->body : "");
        r->headers = curl_slist_append(r->headers, type);
        r->headers = curl_slist_append(r->headers, "Expect:");  /* no second of waiting for "100 Continue" */
    }
    if (!strcmp(method, "HEAD"))
        curl_easy_setopt(r->easy, CURLOPT_NOBODY, 1L);
    else if (!post && strcmp(method, "GET"))
        curl_easy_setopt(r->easy, CURLOPT_CUSTOMREQUEST, method);
    if (!strcmp(method, "GET") || !strcmp(method, "HEAD")) {
        curl_easy_setopt(r->easy, CURLOPT_FOLLOWLOCATION, 1L);
        curl_easy_setopt(r->easy, CURLOPT_MAXREDIRS, 5L);
    }
    curl_easy_setopt(r->easy, CURLOPT_HTTPHEADER, r->headers);
}

static void arm_times(struct web_request *r)
{
    int64_t stall = r->call.stall_ms ? r->call.stall_ms : STALL_MS;

    curl_easy_setopt(r->easy, CURLOPT_CONNECTTIMEOUT_MS, (long)(r->call.connect_ms ? r->call.connect_ms : CONNECT_MS));
    curl_easy_setopt(r->easy, CURLOPT_TIMEOUT_MS, (long)r->call.timeout_ms);
    curl_easy_setopt(r->easy, CURLOPT_LOW_SPEED_LIMIT, 1L);     /* bytes/s */
    curl_easy_setopt(r->easy, CURLOPT_LOW_SPEED_TIME, (long)((stall + 999) / 1000));
}

/* The way there: nothing of the environment (http_proxy, no_proxy) has a say. */
static void arm_way(struct web_request *r, const struct web_options *o, const struct web_call *call)
{
    curl_easy_setopt(r->easy, CURLOPT_PROXY, o->proxy && !call->unix_socket ? o->proxy : "");
    curl_easy_setopt(r->easy, CURLOPT_NOPROXY, "");
    curl_easy_setopt(r->easy, CURLOPT_HTTPPROXYTUNNEL, (long)o->proxy_tunnel);
    if (o->bind_address && !call->unix_socket) {
        AUTO(text_free) char *host = must_print("host!%s", o->bind_address);

        curl_easy_setopt(r->easy, CURLOPT_INTERFACE, host);
    }
    if (call->unix_socket)
        curl_easy_setopt(r->easy, CURLOPT_UNIX_SOCKET_PATH, call->unix_socket);
}

static struct curl_blob blob_of(const char *pem)
{
    return (struct curl_blob){.data = (void *)(uintptr_t)pem, .len = strlen(pem), .flags = CURL_BLOB_COPY};
}

static void arm_identity(struct web_request *r, const struct request_identity *who)
{
    struct curl_blob key = blob_of(who->key), certificate = blob_of(who->certificate);

    curl_easy_setopt(r->easy, CURLOPT_SSLKEYTYPE, "PEM");
    curl_easy_setopt(r->easy, CURLOPT_SSLCERTTYPE, "PEM");
    curl_easy_setopt(r->easy, CURLOPT_SSLKEY_BLOB, &key);
    curl_easy_setopt(r->easy, CURLOPT_SSLCERT_BLOB, &certificate);
}

/* A pinned key is checked by curl whatever else it is told not to check. */
static void arm_trust(struct web_request *r, const struct web_call *call, const struct request_identity *who)
{
    if (!call->pin && !call->unverified)
        return;
    curl_easy_setopt(r->easy, CURLOPT_SSL_VERIFYPEER, 0L);
    curl_easy_setopt(r->easy, CURLOPT_SSL_VERIFYHOST, 0L);
    curl_easy_setopt(r->easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_3);
    curl_easy_setopt(r->easy, CURLOPT_REDIR_PROTOCOLS_STR, "https");
    if (call->pin)
        curl_easy_setopt(r->easy, CURLOPT_PINNEDPUBLICKEY, call->pin);
    if (call->pin && who->key && who->certificate)
        arm_identity(r, who);
}

void request_arm(struct web_request *r, const struct web_options *o, const struct request_identity *who, const struct web_call *call)
{
    r->call = *call;
    r->url = must_copy(call->url);
    r->easy = curl_easy_init();
    if (!r->easy)
        abort();                                /* out of memory */
    curl_easy_setopt(r->easy, CURLOPT_PRIVATE, r);
    curl_easy_setopt(r->easy, CURLOPT_ERRORBUFFER, r->curl_says);
    curl_easy_setopt(r->easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(r->easy, CURLOPT_QUICK_EXIT, 1L);          /* a name server that hangs does not hold up our end */
    curl_easy_setopt(r->easy, CURLOPT_URL, call->url);
    curl_easy_setopt(r->easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(r->easy, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(r->easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);  /* ranges in parallel want connections of their own */
    curl_easy_setopt(r->easy, CURLOPT_USERAGENT, o->agent);
    curl_easy_setopt(r->easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(r->easy, CURLOPT_WRITEDATA, r);
    curl_easy_setopt(r->easy, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(r->easy, CURLOPT_HEADERDATA, r);
    if (call->range_length) {
        AUTO(text_free) char *range = must_print("%" PRIu64 "-%" PRIu64, call->range_first, call->range_first + call->range_length - 1);

        curl_easy_setopt(r->easy, CURLOPT_RANGE, range);
    }
    arm_way(r, o, call);
    arm_trust(r, call, who);
    arm_method(r, call);
    arm_times(r);
    r->call.method = r->call.url = r->call.pin = r->call.unix_socket = r->call.content_type = NULL;      /* the caller's, gone when we return */
    r->call.body = NULL;
}

static enum err code_of_status(long status)
{
    switch (status) {
    case 404: case 410: return ERR_NOT_FOUND;
    case 401: case 403: return ERR_DENIED;
    case 408: case 429: return ERR_AGAIN;
    default:            return status >= 500 ? ERR_AGAIN : ERR_USAGE;
    }
}

static enum err code_of_curl(const struct web_request *r, CURLcode code)
{
    long asked = 0;

    curl_easy_getinfo(r->easy, CURLINFO_REQUEST_SIZE, &asked);
    switch (code) {
    case CURLE_UNSUPPORTED_PROTOCOL:            /* of the URL, or of whoever answered something that is not HTTP */
        return asked && !status_of(r) ? ERR_IO : ERR_USAGE;
    case CURLE_OPERATION_TIMEDOUT: return ERR_TIMEOUT;
    case CURLE_COULDNT_CONNECT: case CURLE_COULDNT_RESOLVE_HOST: case CURLE_COULDNT_RESOLVE_PROXY: case CURLE_GOT_NOTHING: return ERR_AGAIN;
    case CURLE_PEER_FAILED_VERIFICATION: case CURLE_SSL_PINNEDPUBKEYNOTMATCH: return ERR_VERIFY;
    case CURLE_URL_MALFORMAT: case CURLE_TOO_MANY_REDIRECTS: return ERR_USAGE;
    default: return ERR_IO;
    }
}

/* Short of what was promised: of a range by us, of a whole by curl itself (CURLE_PARTIAL_FILE). */
static void judge_whole(struct web_request *r, struct web_answer *out)
{
    if (judge_head(r, out->status))
        out->error = r->refused;
    else if (r->call.range_length && r->got != r->call.range_length)
        fail(&out->error, ERR_VERIFY, "%s: %" PRIu64 " bytes were asked for and %zu came", r->url, r->call.range_length, r->got);
}

void request_judge(struct web_request *r, CURLcode code, struct web_answer *out)
{
    char *type = NULL;

    text_put(&r->body, "", 0);
    curl_easy_getinfo(r->easy, CURLINFO_CONTENT_TYPE, &type);
    *out = (struct web_answer){.status = status_of(r), .body = r->body.data, .length = r->got, .content_type = type ? type : ""};
    if (r->cancelled)
        fail(&out->error, ERR_AGAIN, "%s: cancelled", r->url);
    else if (r->refused.code)
        out->error = r->refused;
    else if (code && out->status / 100 > 3 && code == CURLE_WRITE_ERROR)
        fail(&out->error, code_of_status(out->status), "%s: the server answered %ld", r->url, out->status);
    else if (code)
        fail(&out->error, code_of_curl(r, code), "%s: %s", r->url, *r->curl_says ? r->curl_says : curl_easy_strerror(code));
    else if (out->status / 100 != 2)
        fail(&out->error, code_of_status(out->status), "%s: the server answered %ld", r->url, out->status);
    else
        judge_whole(r, out);
    if (out->status / 100 != 2)
        out->length = r->body.length;           /* what body holds */
    out->code = out->error.code;
}

void request_free(struct web_request *r)
{
    curl_easy_cleanup(r->easy);
    curl_slist_free_all(r->headers);
    text_end(&r->body);
    free(r->url);
    free(r);
}
