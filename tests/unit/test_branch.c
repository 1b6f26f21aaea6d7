/* The branch on a loop: who this node is and who is retired reach the swarm, and what the swarm says reaches the log and whoever listens. */
#include "node/base/log.h"
#include "node/client/branch.h"
#include "tests/unit/swarm_lab.h"

struct side {
    struct branch *branch;
    struct config  config;
    char           listen[32], *peers[2];
    unsigned       done, untrusted;
};

static struct {
    uv_loop_t   loop;
    struct side sides[2];
    int         open;
} b;

static void on_branch_event(void *ctx, const struct swarm_event *e)
{
    struct side *s = ctx;
    s->done += e->kind == SWARM_DONE;
    s->untrusted += e->kind == SWARM_UNTRUSTED;
}

static void on_closed(void *ctx)
{
    (void)ctx;
    b.open--;
}

static void on_tick(uv_timer_t *timer)
{
    (void)timer;
}

static void side_open(int i, bool whole)
{
    struct side *s = &b.sides[i];
    struct error e = {0};
    char dir[64], path[200], hex[SHA256_HEX];
    snprintf(s->listen, sizeof s->listen, "127.9.0.%d:%d", i + 1, t.port);
    s->peers[0] = b.sides[!i].listen;
    s->config = (struct config){.listen = s->listen, .peer = s->peers, .connections = 50};
    struct branch_options options = {.loop = &b.loop, .config = &s->config, .ssl = true, .on_event = on_branch_event, .ctx = s};
    if (branch_open(&options, &s->branch, &e) != OK)
        fail_msg("%s", e.text);
    b.open++;
    branch_hurry(s->branch, true);
    snprintf(dir, sizeof dir, "%s/%d", root, i);
    snprintf(path, sizeof path, "%s/%s", dir, sha256_hex(&t.name, hex));
    assert_int_equal(file_make_dirs(dir, 0700, &e), OK);
    if (whole)
        assert_int_equal(file_copy(t.whole, path, 0600, &e), OK);
    assert_int_equal(swarm_add(branch_swarm(s->branch), &t.name, t.torrent, t.torrent_size, dir, whole, &e), OK);
}

static bool run_until(unsigned *what, int64_t ms)
{
    for (int64_t end = now() + ms; now() < end && *what == 0;)
        uv_run(&b.loop, UV_RUN_ONCE);
    return *what > 0;
}

static void side_identify(int i, int64_t made)
{
    struct identity id = identity_of(&t.ca, made, CERTIFICATE_LIFE);
    branch_identify(b.sides[i].branch, id.key, id.certificate);
    identity_end(&id);
}

static void a_branch_is_identified_and_blocked(void **state)
{
    (void)state;
    const char *block[] = {"127.9.0.2", NULL};
    uv_timer_t timer;
    uv_loop_init(&b.loop);
    uv_timer_init(&b.loop, &timer);
    uv_timer_start(&timer, on_tick, 20, 20);
    snprintf(b.sides[1].listen, sizeof b.sides[1].listen, "127.9.0.2:%d", t.port);
    side_open(0, true);
    side_open(1, false);
    side_identify(0, 0);
    side_identify(1, -2 * CERTIFICATE_LIFE);
    for (int i = 0; i < 2; i++)
        branch_wire(b.sides[i].branch, &t.name);
    assert_true(run_until(&b.sides[1].untrusted, 10000));
    branch_block(b.sides[0].branch, block);
    side_identify(1, 0);
    assert_false(run_until(&b.sides[1].done, 2500));
    branch_block(b.sides[0].branch, NULL);
    assert_true(run_until(&b.sides[1].done, 15000));
    for (int i = 0; i < 2; i++)
        branch_close(b.sides[i].branch, on_closed, NULL);
    uv_close((uv_handle_t *)&timer, NULL);
    uv_run(&b.loop, UV_RUN_DEFAULT);
    assert_int_equal(b.open, 0);
    assert_int_equal(uv_loop_close(&b.loop), 0);
}

int main(void)
{
    log_open(LOG_FATAL, "test", NULL);
    const struct CMUnitTest tests[] = {cmocka_unit_test_setup_teardown(a_branch_is_identified_and_blocked, setup_ssl, teardown)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
