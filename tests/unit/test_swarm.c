/* What a swarm moves, whom it bans, what it refuses: without certificates and with them. */
#include "tests/unit/swarm_lab.h"

static void one_injects_and_all_have_it(void **state)
{
    (void)state;
    for (int i = 0; i < NODES; i++)
        open_node(i);
    for (int i = 0; i < NODES; i++)
        add(i, false);
    assert_true(until(all_ready));
    assert_true(until(all_connected));
    for (uint32_t p = 0; p < PIECES; p++)
        assert_true(inject(0, p));
    int64_t begun = now();
    assert_true(until(all_done));
    assert_true(now() - begun < 5000);          /* closing redundant connections would hang the last piece for 60 s */
    for (int i = 0; i < NODES; i++) {
        is_whole(i, NULL);
        assert_int_equal(t.nodes[i].pieces, PIECES);
        assert_int_equal(t.nodes[i].injected, i == 0 ? PIECES : 0);
        assert_true(atomic_load(&t.nodes[i].rings) > 0);
    }
    assert_false(inject(0, 3));                 /* had already */
}

static void neighbours_are_known_by_their_listen_address(void **state)
{
    (void)state;
    char who[8][64];
    bool seeds[8];
    uint8_t bitmap[PIECES / 8];
    for (int i = 0; i < NODES; i++)
        open_node(i);
    for (int i = 0; i < NODES; i++)
        add(i, i == 1);
    assert_true(until(all_ready));
    assert_true(until(all_done));
    for (int i = 0; i < NODES; i++) {
        size_t n = swarm_peers(t.nodes[i].swarm, &t.name, who, 8, seeds);
        assert_true(n >= 1 && n < NODES);       /* two that are whole have no need of each other */
        for (size_t k = 0; k < n; k++) {
            bool known = false;
            for (int j = 0; j < NODES; j++)
                known |= strcmp(who[k], t.nodes[j].listen) == 0;
            assert_true(known);
        }
    }
    assert_true(swarm_available(t.nodes[0].swarm, &t.name, bitmap));
    for (size_t i = 0; i < sizeof bitmap; i++)
        assert_int_equal(bitmap[i], 0);         /* nothing we do not have */
}

static bool first_bad(void)
{
    return t.nodes[0].bad_injected > 0;
}

static void a_bad_piece_from_outside_is_told_and_goes_nowhere(void **state)
{
    (void)state;
    uint8_t *wrong = must_alloc(PIECE);
    open_node(0);
    add(0, false);
    assert_true(until(all_ready));
    memcpy(wrong, t.bytes, PIECE);
    wrong[PIECE / 2] ^= 1;
    assert_true(swarm_inject(t.nodes[0].swarm, &t.name, 0, wrong, PIECE));
    assert_true(swarm_inject(t.nodes[0].swarm, &t.name, 1, t.bytes + PIECE, PIECE - 1));
    assert_true(until(first_bad));
    assert_int_equal(t.nodes[0].bad_injected, 2);
    assert_false(swarm_has(t.nodes[0].swarm, &t.name, 0));
    for (uint32_t p = 0; p < PIECES; p++)
        assert_true(inject(0, p));
    assert_true(until(all_done));
    is_whole(0, NULL);
    free(wrong);
}

static bool second_done(void)
{
    return t.nodes[1].done > 0;
}

static bool liar_banned(void)
{
    return t.nodes[2].banned > 0;
}

/* Node 0 is honest until node 1 has everything; then its file is altered under it. libtorrent does not notice: the receivers must. */
static void a_neighbour_that_lies_is_banned_and_named(void **state)
{
    (void)state;
    struct error e = {0};
    open_node(0);
    open_node(1);
    add(0, true);
    add(1, false);
    assert_true(until(second_done));
    swarm_close(t.nodes[1].swarm);
    t.nodes[1].swarm = NULL;
    alter(0);
    open_node(2);
    add(2, false);
    assert_int_equal(swarm_peer(t.nodes[0].swarm, &t.name, t.nodes[2].listen, &e), OK);
    assert_true(until(liar_banned));
    assert_string_equal(t.nodes[2].liar, t.nodes[0].listen);
    assert_true(t.nodes[2].bad_peer > 0);
    for (uint32_t p = 0; p < PIECES; p++)
        inject(2, p);                           /* from elsewhere */
    for (int64_t end = now() + 10000; now() < end && !t.nodes[2].done; usleep(20000)) {
        pump();
        for (uint32_t p = 0; p < PIECES; p++)
            if (!swarm_has(t.nodes[2].swarm, &t.name, p))
                inject(2, p);
    }
    assert_true(t.nodes[2].done > 0);
    is_whole(2, NULL);
}

static bool first_rechecked(void)
{
    return t.nodes[0].ready >= 2;
}

static void a_recheck_finds_what_was_altered(void **state)
{
    (void)state;
    struct swarm_figures p;
    open_node(0);
    add(0, true);
    assert_true(until(all_done));
    alter(0);
    swarm_recheck(t.nodes[0].swarm, &t.name);
    assert_true(until(first_rechecked));
    assert_true(swarm_progress(t.nodes[0].swarm, &t.name, &p));
    assert_int_equal(p.pieces, PIECES);
    assert_int_equal(p.have, 0);
    assert_int_equal(p.size, SIZE);
}

static bool first_moved(void)
{
    return t.nodes[0].moved > 0;
}

static void a_partial_file_is_checked_completed_and_moved(void **state)
{
    (void)state;
    char path[200], to[80], hex[SHA256_HEX];
    struct error e = {0};
    open_node(0);
    snprintf(path, sizeof path, "%s/%s", t.nodes[0].dir, sha256_hex(&t.name, hex));
    snprintf(to, sizeof to, "%s/moved", root);
    assert_int_equal(file_make_dirs(to, 0700, &e), OK);
    assert_int_equal(file_write(path, t.bytes, 10 * PIECE, 0600, &e), OK);
    add(0, false);
    assert_true(until(all_ready));
    for (uint32_t p = 0; p < PIECES; p++)
        assert_int_equal(swarm_has(t.nodes[0].swarm, &t.name, p), p < 10);
    for (uint32_t p = 10; p < PIECES; p++)
        assert_true(inject(0, p));
    assert_true(until(all_done));
    swarm_move(t.nodes[0].swarm, &t.name, to);
    assert_true(until(first_moved));
    is_whole(0, to);
    assert_false(file_exists(path));
    assert_int_equal(t.nodes[0].errors, 0);
}

static void strangers_do_not_get_in(void **state)
{
    (void)state;
    struct swarm_figures p;
    struct error e = {0};
    open_node(0);
    add(0, true);
    open_node(1);
    assert_int_equal(swarm_add(t.nodes[1].swarm, &t.name, t.torrent, t.torrent_size, t.nodes[1].dir, false, &e), OK);
    assert_true(until(all_ready));
    assert_int_equal(swarm_peer(t.nodes[1].swarm, &t.name, t.nodes[0].listen, &e), OK);  /* node 0 was never told of node 1 */
    for (int i = 0; i < 100; i++, usleep(10000))
        pump();
    assert_true(swarm_progress(t.nodes[1].swarm, &t.name, &p));
    assert_int_equal(p.peers, 0);
    assert_int_equal(p.have, 0);
}

static void wrong_words_are_refused(void **state)
{
    (void)state;
    struct error e = {0};
    struct swarm *s = NULL;
    static const char *const bad[] = {"", "127.9.0.1", "127.9.0.1:0", "127.9.0.1:70000", "0.0.0.0:6881", "host:6881", "127.9.0.1:68x"};
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct swarm_options options = {.listen = bad[i]};
        assert_int_equal(swarm_open(&options, ring, NULL, &s, &e), ERR_USAGE);
    }
    static const char *const allow[] = {"10.1.0.0/33", NULL};
    struct swarm_options options = {.listen = "127.9.0.1:6999", .allow = allow};
    assert_int_equal(swarm_open(&options, ring, NULL, &s, &e), ERR_USAGE);
    options = (struct swarm_options){.listen = "192.0.2.1:6999", .ssl = t.ssl};
    assert_int_equal(swarm_open(&options, ring, NULL, &s, &e), ERR_IO);
    assert_null(s);
    open_node(0);
    assert_int_equal(swarm_add(t.nodes[0].swarm, &t.name, t.torrent, t.torrent_size / 2, t.nodes[0].dir, false, &e), ERR_VERIFY);
    assert_int_equal(swarm_peer(t.nodes[0].swarm, &t.name, "127.9.0.2:1", &e), ERR_NOT_FOUND);
    add(0, false);
    assert_int_equal(swarm_add(t.nodes[0].swarm, &t.name, t.torrent, t.torrent_size, t.nodes[0].dir, false, &e), ERR_EXISTS);
    swarm_drop(t.nodes[0].swarm, &t.name);
    swarm_drop(t.nodes[0].swarm, &t.name);
    assert_int_equal(swarm_add(t.nodes[0].swarm, &t.name, t.torrent, t.torrent_size, t.nodes[0].dir, false, &e), OK);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown), {#f ", with certificates", f, setup_ssl, teardown, NULL}
    const struct CMUnitTest tests[] = {
        TEST(one_injects_and_all_have_it),
        TEST(neighbours_are_known_by_their_listen_address),
        TEST(a_bad_piece_from_outside_is_told_and_goes_nowhere),
        TEST(a_neighbour_that_lies_is_banned_and_named),
        TEST(a_recheck_finds_what_was_altered),
        TEST(a_partial_file_is_checked_completed_and_moved),
        TEST(strangers_do_not_get_in),
        TEST(wrong_words_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
