#include "node/dp/dp.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "node/base/clock.h"
#include "node/base/log.h"
#include "node/dp/door.h"

#define PULLS     2
#define KEPT      86400                         /* seconds that content nobody names any more stays */
#define RETRY_MIN 2000
#define RETRY_MAX 300000
#define ROOM_LOOK 60000

enum pull_state { PULL_WAITING, PULL_CHECKING, PULL_FETCHING, PULL_HERE };

struct pull {
    struct dp_role *dp;
    struct pull    *next;
    struct sha256   sha256;
    uint64_t        size, got;
    uint8_t        *torrent;
    size_t          torrent_size;
    enum pull_state state;
    bool            named, was_named, told;
    struct web_request *request;                /* while it is being fetched */
    int64_t         retry_at, retry_ms;
    int             fd;
    uv_work_t       work;
    enum err        code;
    struct error    error;
};

struct dp_role {
    uv_loop_t     *loop;
    struct web    *web;
    struct door   *door;
    char          *name, *content, *partial, *site_url, *site_pin;
    const char    *fixed_site;
    void         (*tell)(void *ctx, json_t *);
    void          *tell_ctx;
    struct pull   *pulls;
    int            running, open;
    uv_timer_t     timer;
    int64_t        room, room_at;               /* free bytes as the site was told last, -1: never; when to look again, monotonic ms */
    bool           closing;
    void         (*closed)(void *);
    void          *closed_ctx;
};

static char *place(const struct pull *p, const char *dir, const char *after)
{
    char hex[SHA256_HEX];

    return must_print("%s/%s%s", dir, sha256_hex(&p->sha256, hex), after);
}

/* --- pulling --- */

static void step(struct dp_role *dp);

static void say(struct pull *p, const char *event, const char *detail)
{
    char hex[SHA256_HEX];

    p->dp->tell(p->dp->tell_ctx, json_pack("{s:s,s:s,s:s,s:s,s:s}", "topic", "dp", "dp", p->dp->name, "subject",
                                           sha256_hex(&p->sha256, hex), "event", event, "detail", detail));
}

/* The free bytes here, when they have changed by more than a sixteenth: the site warns before what is assigned does not fit. */
static void tell_room(struct dp_role *dp)
{
    uint64_t bytes = file_room(dp->content);
    int64_t  room = bytes > INT64_MAX ? -1 : (int64_t)bytes, change = room > dp->room ? room - dp->room : dp->room - room;

    dp->room_at = clock_ms() + ROOM_LOOK;
    if (room < 0 || (dp->room >= 0 && change <= dp->room / 16))
        return;
    dp->room = room;
    dp->tell(dp->tell_ctx, json_pack("{s:s,s:s,s:s,s:I}", "topic", "dp", "dp", dp->name, "event", "room", "room", (json_int_t)room));
}

static void release(struct dp_role *dp)
{
    void (*closed)(void *) = dp->closed;
    void *ctx = dp->closed_ctx;

    if (--dp->open || !dp->closing)
        return;
    while (dp->pulls) {
        struct pull *next = dp->pulls->next;
        fd_end(&dp->pulls->fd);
        free(dp->pulls->torrent);
        free(dp->pulls);
        dp->pulls = next;
    }
    free(dp->name);
    free(dp->content);
    free(dp->partial);
    free(dp->site_url);
    free(dp->site_pin);
    free(dp);
    if (closed)
        closed(ctx);
}

static void later(struct pull *p)
{
    char hex[SHA256_HEX];

    p->retry_ms = p->retry_ms ? p->retry_ms * 2 : RETRY_MIN;
    if (p->retry_ms > RETRY_MAX)
        p->retry_ms = RETRY_MAX;
    p->retry_at = clock_ms() + p->retry_ms;
    p->state = PULL_WAITING;
    log_say(LOG_WARN, "dp.retry", p->error.text, "FERRY_CONTENT", sha256_hex(&p->sha256, hex), NULL);
    if (p->retry_ms >= 16000 || p->code == ERR_VERIFY || p->code == ERR_FULL)
        say(p, "failed", p->error.text);
    if (p->code == ERR_FULL)
        tell_room(p->dp);
}

static void ended(struct pull *p)
{
    struct dp_role *dp = p->dp;

    dp->running--;
    if (p->code) {
        later(p);
    } else {
        p->state = PULL_HERE;
        p->retry_ms = 0;
        if (!p->told)
            say(p, "complete", "");
        p->told = true;
    }
    if (!dp->closing)
        step(dp);
    release(dp);
}

/* The partial file against its name; good: torrent, then content, under their final names. */
static enum err settle(struct pull *p, const char *from)
{
    char         *to = place(p, p->dp->content, ""), *torrent = place(p, p->dp->content, ".torrent");
    struct sha256 real;
    uint64_t      size;
    enum err      code = hash_file(from, &real, &size, &p->error);

    if (!code && (size != p->size || !sha256_same(&real, &p->sha256)))
        code = fail(&p->error, ERR_VERIFY, "%s is not what its name says", from);
    code = code ? code : file_write(torrent, p->torrent, p->torrent_size, 0644, &p->error);
    if (!code && chmod(from, 0644))
        code = fail_errno(&p->error, "%s", from);
    if (!code && strcmp(from, to))
        code = file_move(from, to, &p->error);
    if (code == ERR_VERIFY)
        unlink(from);
    free(torrent);
    free(to);
    return code;
}

static void on_settle(uv_work_t *work)
{
    struct pull *p = work->data;
    char        *from = place(p, p->dp->partial, "");

    p->code = settle(p, from);
    free(from);
}

static void on_work_end(uv_work_t *work, int status)
{
    struct pull *p = work->data;

    if (status)
        p->code = fail(&p->error, ERR_AGAIN, "ended");
    ended(p);
}

static enum err on_data(void *ctx, const char *bytes, size_t length, struct error *e)
{
    struct pull *p = ctx;

    if (p->got + length > p->size)
        return fail(e, ERR_VERIFY, "the site sends more than was announced");
    for (size_t at = 0; at < length;) {
        ssize_t n = write(p->fd, bytes + at, length - at);
        if (n < 0)
            return fail_errno(e, "the partial file");
        at += (size_t)n;
    }
    p->got += length;
    return OK;
}

static void on_fetched(void *ctx, const struct web_answer *answer)
{
    struct pull *p = ctx;

    p->request = NULL;
    p->code = answer->code;
    if (p->code)
        p->error = answer->error;
    else if (fsync(p->fd))
        p->code = fail_errno(&p->error, "the partial file");
    fd_end(&p->fd);
    p->work.data = p;
    if (p->code || p->dp->closing || uv_queue_work(p->dp->loop, &p->work, on_settle, on_work_end))
        ended(p);
}

static bool secure(const struct dp_role *dp)
{
    return !strncmp(dp->site_url, "https:", 6);
}

/* Never from an https site whose key is not known: its content would be believed by its hash, but it would learn who we are. */
static bool site_known(const struct dp_role *dp)
{
    return dp->site_url && (!secure(dp) || dp->site_pin);
}

static void fetch(struct pull *p)
{
    struct dp_role *dp = p->dp;
    char *path = place(p, dp->partial, ""), hex[SHA256_HEX], *url = must_print("%s/content/%s", dp->site_url, sha256_hex(&p->sha256, hex));
    struct stat     st = {0};
    struct web_call call = {.url = url, .on_data = on_data, .on_done = on_fetched, .ctx = p, .limit = (size_t)p->size + 1};

    call.pin = secure(dp) ? dp->site_pin : NULL;
    p->state = PULL_FETCHING;
    p->fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (p->fd >= 0 && !fstat(p->fd, &st) && (uint64_t)st.st_size >= p->size && ftruncate(p->fd, 0) == 0)
        st.st_size = 0;
    p->got = (uint64_t)st.st_size;
    if (p->got) {
        call.range_first = p->got;
        call.range_length = p->size - p->got;
    }
    p->request = web_start(dp->web, &call);
    free(path);
    free(url);
}

/* What lies there from before is hashed once before it is believed. */
static void on_check(uv_work_t *work)
{
    struct pull *p = work->data;
    char        *path = place(p, p->dp->content, "");

    p->code = settle(p, path);
    free(path);
}

static void on_checked(uv_work_t *work, int status)
{
    struct pull *p = work->data;

    if (!p->code && !status) {
        ended(p);
        return;
    }
    p->dp->running--;
    p->state = PULL_WAITING;
    p->retry_at = 0;
    if (!p->dp->closing)
        step(p->dp);
    release(p->dp);
}

static void begin(struct pull *p)
{
    char *path = place(p, p->dp->content, "");

    p->dp->running++;
    p->dp->open++;
    p->work.data = p;
    if (file_exists(path)) {
        p->state = PULL_CHECKING;
        uv_queue_work(p->dp->loop, &p->work, on_check, on_checked);
    } else {
        fetch(p);
    }
    free(path);
}

static void step(struct dp_role *dp)
{
    int64_t now = clock_ms();

    for (struct pull *p = dp->pulls; p && dp->running < PULLS && site_known(dp) && !dp->closing; p = p->next)
        if (p->named && p->state == PULL_WAITING && p->retry_at <= now)
            begin(p);
}

/* --- what it has to hold --- */

static struct pull *find(struct dp_role *dp, const struct sha256 *h)
{
    struct pull *p = dp->pulls;

    while (p && !sha256_same(&p->sha256, h))
        p = p->next;
    return p;
}

static void name_it(struct dp_role *dp, const struct content *c)
{
    struct pull *p = find(dp, &c->sha256);

    if (!p) {
        p = must_alloc(sizeof *p);
        p->dp = dp;
        p->fd = -1;
        p->sha256 = c->sha256;
        p->size = c->size;
        p->torrent = must_alloc(c->torrent_size);
        memcpy(p->torrent, c->torrent, c->torrent_size);
        p->torrent_size = c->torrent_size;
        p->next = dp->pulls;
        dp->pulls = p;
    }
    p->named = true;
}

/* Files that no holding has named for a day. */
static void sweep(struct dp_role *dp)
{
    DIR           *d = opendir(dp->content);
    struct dirent *entry;
    struct stat    st;

    while (d && (entry = readdir(d))) {
        struct sha256 h;
        char          hex[SHA256_HEX];
        struct pull  *p;
        snprintf(hex, sizeof hex, "%.64s", entry->d_name);
        if (!sha256_read(hex, &h) || ((p = find(dp, &h)) && p->named) || fstatat(dirfd(d), entry->d_name, &st, 0) ||
            st.st_ctime + KEPT > clock_now())
            continue;
        unlinkat(dirfd(d), entry->d_name, 0);
        if (p && p->state == PULL_HERE) {       /* should it be named again */
            p->state = PULL_WAITING;
            p->told = false;
        }
    }
    if (d)
        closedir(d);
}

/* Its day begins now: a file's change time says since when nobody names it, also after a restart. */
static void let_go(struct pull *p)
{
    char *file = place(p, p->dp->content, ""), *torrent = place(p, p->dp->content, ".torrent");

    utimensat(AT_FDCWD, file, NULL, 0);
    utimensat(AT_FDCWD, torrent, NULL, 0);
    free(file);
    free(torrent);
}

void dp_holding(struct dp_role *dp, const struct fleet *fleet, const struct holding *holding)
{
    if (dp->closing)
        return;
    if (fleet)
        door_fleet(dp->door, fleet);
    if (!holding)
        return;
    free(dp->site_url);
    dp->site_url = must_copy(dp->fixed_site ? dp->fixed_site : fleet ? fleet->site_url : NULL);
    for (struct pull *p = dp->pulls; p; p = p->next) {
        p->was_named = p->named;
        p->named = false;
    }
    for (size_t i = 0; i < holding->content_count; i++)
        name_it(dp, &holding->contents[i]);
    for (struct pull *p = dp->pulls; p; p = p->next)
        if (p->was_named && !p->named)
            let_go(p);
    sweep(dp);
    tell_room(dp);
    step(dp);
}

void dp_identity(struct dp_role *dp, const char *key, const char *certificate, const char *ca, const char *site_pin)
{
    if (dp->closing)
        return;
    free(dp->site_pin);
    dp->site_pin = must_copy(site_pin);
    door_identity(dp->door, key, certificate, ca);
    step(dp);
}

static void on_timer(uv_timer_t *timer)
{
    struct dp_role *dp = timer->data;

    door_step(dp->door);
    if (dp->room_at && clock_ms() >= dp->room_at)
        tell_room(dp);
    step(dp);
}

static void on_timer_closed(uv_handle_t *handle)
{
    release(handle->data);
}

static void on_door_closed(void *ctx)
{
    release(ctx);
}

enum err dp_open(uv_loop_t *loop, const struct config *config, struct web *web, void (*tell)(void *ctx, json_t *message), void *ctx,
                 struct dp_role **out, struct error *e)
{
    struct dp_role *dp = must_alloc(sizeof *dp);
    enum err        code;

    dp->loop = loop;
    dp->web = web;
    dp->tell = tell;
    dp->tell_ctx = ctx;
    dp->room = -1;
    dp->name = must_copy(config->dp_name);
    dp->fixed_site = config->site;
    dp->content = must_print("%s/content", config->dp_state);
    dp->partial = must_print("%s/.partial", config->dp_state);
    code = file_make_dirs(config->dp_state, 0755, e);
    code = code ? code : file_make_dirs(dp->content, 0755, e);
    code = code ? code : file_make_dirs(dp->partial, 0700, e);
    if (code) {
        free(dp->name);
        free(dp->content);
        free(dp->partial);
        free(dp);
        return code;
    }
    dp->door = door_new(loop, config->dp_listen, dp->content);
    uv_timer_init(loop, &dp->timer);
    dp->timer.data = dp;
    uv_timer_start(&dp->timer, on_timer, 1000, 1000);
    *out = dp;
    return OK;
}

void dp_close(struct dp_role *dp, void (*closed)(void *ctx), void *ctx)
{
    dp->closing = true;
    dp->closed = closed;
    dp->closed_ctx = ctx;
    dp->open += 2;
    for (struct pull *p = dp->pulls; p; p = p->next)
        if (p->request)
            web_cancel(p->request);
    uv_timer_stop(&dp->timer);
    uv_close((uv_handle_t *)&dp->timer, on_timer_closed);
    door_close(dp->door, on_door_closed, dp);
}

json_t *dp_status(struct dp_role *dp)
{
    json_int_t here = 0, all = 0;

    for (struct pull *p = dp->pulls; p; p = p->next) {
        all += p->named;
        here += p->named && p->state == PULL_HERE;
    }
    return json_pack("{s:s,s:I,s:I,s:s}", "dp", dp->name, "contents", all, "complete", here, "problem", door_problem(dp->door));
}

const char *dp_status_line(struct dp_role *dp)
{
    const char *why = door_problem(dp->door);

    return *why ? why : NULL;
}
