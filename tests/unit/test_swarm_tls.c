/* A swarm of certificates: who is let in and who is not, when a certificate runs out and is renewed, who is blocked. On real time: OpenSSL within
 * libtorrent knows no other. */
#include <netinet/in.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include "tests/unit/stranger.h"
#include "tests/unit/swarm_lab.h"

#define PATIENCE_MS 2500                        /* somebody who may gets everything within a tenth of that */

static bool second_done(void)
{
    return t.nodes[1].done > 0;
}

static bool third_done(void)
{
    return t.nodes[2].done > 0;
}

static void wait_ms(int64_t ms)
{
    for (int64_t end = now() + ms; now() < end; usleep(5000))
        pump();
}

static int peers_of(int i)
{
    struct swarm_figures p = {0};
    assert_true(swarm_progress(t.nodes[i].swarm, &t.name, &p));
    return p.peers;
}

/* Node 0 has everything and would give it to anybody whose address is wired. */
static void open_giver(const struct identity *id)
{
    open_bare(0);
    swarm_identify(t.nodes[0].swarm, id->key, id->certificate);
    add(0, true);
    assert_true(until(all_ready));
}

struct visit {
    const char *what;
    bool        plain, nobody, foreign;         /* plain: no TLS; nobody: no certificate; foreign: of another CA */
    int64_t     made;                           /* seconds from now */
    bool        blocked, welcome;
};

static struct stranger *come(const struct visit *v, const struct identity *id, const uint8_t *info_hash)
{
    char dir[80], listen[32];
    struct error e = {0};
    snprintf(dir, sizeof dir, "%s/stranger-%d", root, (int)(now() % 1000000));
    snprintf(listen, sizeof listen, "127.9.0.9:%d", t.port);
    assert_int_equal(file_make_dirs(dir, 0700, &e), OK);
    struct stranger_options o = {.listen = listen, .directory = dir, .info_hash = info_hash};
    if (!v->plain) {
        o.torrent = t.torrent;
        o.size = t.torrent_size;
    }
    if (!v->plain && !v->nobody) {
        o.key_pem = id->key;
        o.certificate_pem = id->certificate;
    }
    return stranger_come(&o);
}

/* The stranger calls and is called; the filter lets its address in, so that nothing but TLS stands in its way. */
static struct stranger_saw visit(const struct visit *v)
{
    struct key other;
    uint8_t info_hash[20];
    char address[32];
    struct error e = {0};
    struct stranger_saw saw = {0};
    const char *block[] = {"127.9.0.9", NULL};
    assert_int_equal(key_generate(&other), OK);
    stranger_info_hash(t.torrent, t.torrent_size, info_hash);
    struct identity id = identity_of(v->foreign ? &other : &t.ca, v->made, CERTIFICATE_LIFE);
    swarm_block(t.nodes[0].swarm, v->blocked ? block : NULL);
    struct stranger *s = come(v, &id, info_hash);
    snprintf(address, sizeof address, "127.9.0.9:%d", t.port);
    assert_int_equal(swarm_peer(t.nodes[0].swarm, &t.name, address, &e), OK);
    stranger_call(s, "127.9.0.1", t.port);
    for (int64_t end = now() + (v->welcome ? 15000 : PATIENCE_MS); now() < end && !saw.whole; usleep(5000)) {
        struct stranger_saw sees = stranger_ask(s);
        pump();
        sees.peers = sees.peers > saw.peers ? sees.peers : saw.peers;
        saw = sees;
        if (!v->welcome)
            assert_int_equal(peers_of(0), 0);
    }
    stranger_go(s);
    identity_end(&id);
    return saw;
}

static void strangers_get_nothing(void **state)
{
    (void)state;
    static const struct visit cases[] = {
        {"no certificate", .nobody = true},
        {"another CA's certificate", .foreign = true},
        {"a certificate that ran out", .made = -2 * CERTIFICATE_LIFE},
        {"a certificate of days to come", .made = 2 * CERTIFICATE_LIFE},
        {"plain BitTorrent", .plain = true},
        {"a good certificate from a blocked address", .blocked = true},
        {"a good certificate", .welcome = true},
    };
    struct identity id = identity_of(&t.ca, 0, CERTIFICATE_LIFE);
    open_giver(&id);
    for (size_t i = 0; i < COUNT(cases); i++) {
        print_message("  %s\n", cases[i].what);
        struct stranger_saw saw = visit(&cases[i]);
        assert_int_equal(saw.downloaded >= SIZE, cases[i].welcome);
        assert_int_equal(saw.whole, cases[i].welcome);
        if (!cases[i].welcome)
            assert_int_equal(saw.downloaded, 0);
        assert_int_equal(saw.metadata, !cases[i].plain);    /* those others brought the torrent themselves */
        if (cases[i].plain || cases[i].blocked)
            assert_int_equal(saw.peers, 0);
    }
    struct swarm_figures p;
    assert_true(swarm_progress(t.nodes[0].swarm, &t.name, &p));
    assert_true(p.uploaded >= SIZE && p.uploaded < SIZE + SIZE / 2);
    assert_int_equal(t.nodes[0].errors, 0);
    identity_end(&id);
}

/* The other way round: nobody asks a stranger for anything. */
static void nothing_is_taken_from_whoever_has_another_ca(void **state)
{
    (void)state;
    struct key other;
    assert_int_equal(key_generate(&other), OK);
    struct identity foreign = identity_of(&other, 0, CERTIFICATE_LIFE), own = identity_of(&t.ca, 0, CERTIFICATE_LIFE);
    open_giver(&foreign);
    open_node(1);
    add(1, false);
    wait_ms(PATIENCE_MS);
    assert_int_equal(peers_of(1), 0);
    assert_int_equal(t.nodes[1].pieces, 0);
    assert_true(t.nodes[1].untrusted > 0);
    assert_int_equal(swarm_peer(t.nodes[0].swarm, &t.name, t.nodes[1].listen, NULL), OK);
    swarm_identify(t.nodes[0].swarm, own.key, own.certificate);
    assert_true(until(second_done));
    identity_end(&foreign);
    identity_end(&own);
}

static void without_an_identity_a_torrent_waits(void **state)
{
    (void)state;
    open_node(0);
    open_bare(1);
    add(0, true);
    add(1, false);
    assert_int_equal(swarm_peer(t.nodes[0].swarm, &t.name, t.nodes[1].listen, NULL), OK);
    assert_true(until(all_ready));
    wait_ms(PATIENCE_MS);
    assert_int_equal(t.nodes[1].pieces, 0);
    assert_int_equal(t.nodes[1].errors, 0);
    assert_true(t.nodes[0].untrusted + t.nodes[1].untrusted <= 2);
    assert_true(swarm_inject(t.nodes[1].swarm, &t.name, 0, t.bytes, PIECE));    /* the WAN needs no neighbours */
    identify(1, 0, CERTIFICATE_LIFE);
    assert_true(until(second_done));
    is_whole(1, NULL);
}

static void a_certificate_that_runs_out_is_told_and_its_renewal_heals(void **state)
{
    (void)state;
    open_bare(0);
    identify(0, -2 * CERTIFICATE_LIFE, CERTIFICATE_LIFE);
    open_node(1);
    add(0, true);
    add(1, false);
    assert_true(until(all_ready));
    wait_ms(4000);
    assert_int_equal(t.nodes[1].pieces, 0);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(t.nodes[i].errors, 0);
        assert_true(t.nodes[i].untrusted >= 1 && t.nodes[i].untrusted <= 2);    /* no storm: once a minute of each address */
    }
    assert_non_null(strstr(t.nodes[0].text, "refuses this node's certificate"));
    assert_non_null(strstr(t.nodes[1].text, "no certificate of this fleet that holds now"));
    identify(0, 0, CERTIFICATE_LIFE);
    int64_t begun = now();
    assert_true(until(second_done));
    assert_true(now() - begun < 3000);          /* who had refused is asked again at once, however often it had */
    is_whole(1, NULL);
}

/* Node 0's certificate runs out while it serves: who is connected stays, who comes is refused, until it is renewed. */
static void a_running_session_is_renewed(void **state)
{
    (void)state;
    struct error e = {0};
    open_bare(0);
    identify(0, 0, 4);
    open_node(1);
    add(0, true);
    add(1, false);
    assert_true(until(second_done));
    wait_ms(5000);
    assert_int_equal(peers_of(1), 1);
    open_node(2);
    assert_int_equal(swarm_add(t.nodes[2].swarm, &t.name, t.torrent, t.torrent_size, t.nodes[2].dir, false, &e), OK);
    assert_int_equal(swarm_peer(t.nodes[2].swarm, &t.name, t.nodes[0].listen, &e), OK);
    assert_int_equal(swarm_peer(t.nodes[0].swarm, &t.name, t.nodes[2].listen, &e), OK);
    wait_ms(PATIENCE_MS);
    assert_int_equal(t.nodes[2].pieces, 0);
    identify(0, 0, CERTIFICATE_LIFE);
    assert_true(until(third_done));
    is_whole(2, NULL);
    assert_int_equal(t.nodes[0].errors + t.nodes[1].errors + t.nodes[2].errors, 0);
}

static void what_is_no_identity_is_told_and_forgotten(void **state)
{
    (void)state;
    struct identity a = identity_of(&t.ca, 0, CERTIFICATE_LIFE), b = identity_of(&t.ca, 0, CERTIFICATE_LIFE);
    open_node(0);
    open_bare(1);
    add(0, true);
    add(1, false);
    assert_true(until(all_ready));
    swarm_identify(t.nodes[1].swarm, a.key, b.certificate);
    wait_ms(300);
    assert_int_equal(t.nodes[1].errors, 0);
    assert_true(t.nodes[1].untrusted > 0);
    swarm_identify(t.nodes[1].swarm, "garbage", "garbage");
    wait_ms(300);
    assert_int_equal(t.nodes[1].errors, 0);
    assert_int_equal(t.nodes[1].pieces, 0);
    swarm_identify(t.nodes[1].swarm, b.key, b.certificate);
    assert_true(until(second_done));
    identity_end(&a);
    identity_end(&b);
}

/* One TLS connection to node 0, for its torrent. */
static SSL *shake(SSL_CTX *context, SSL_SESSION *before)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)t.port), .sin_addr.s_addr = htonl(0x7f090001)};
    uint8_t info_hash[20];
    char name[41], byte;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    struct timeval patience = {.tv_usec = 300000};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    stranger_info_hash(t.torrent, t.torrent_size, info_hash);
    for (int i = 0; i < 20; i++)
        snprintf(name + 2 * i, 3, "%02x", info_hash[i]);
    SSL *ssl = SSL_new(context);
    SSL_set_fd(ssl, fd);
    SSL_set_tlsext_host_name(ssl, name);
    if (before)
        SSL_set_session(ssl, before);
    assert_int_equal(SSL_connect(ssl), 1);
    SSL_read(ssl, &byte, 1);                    /* tickets come behind the handshake */
    return ssl;
}

static void hang_up(SSL *ssl)
{
    close(SSL_get_fd(ssl));
    SSL_free(ssl);
}

static SSL_SESSION *ticket;

static int on_ticket(SSL *ssl, SSL_SESSION *session)
{
    (void)ssl;
    SSL_SESSION_free(ticket);
    ticket = SSL_SESSION_dup(session);          /* its own would be spoiled when the filter hangs up on our address */
    return 0;
}

/* Whoever was in once does not come in again without its certificate being looked at. */
static void nobody_resumes(void **state)
{
    (void)state;
    struct identity id = identity_of(&t.ca, 0, CERTIFICATE_LIFE);
    open_giver(&id);
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    BIO *key = BIO_new_mem_buf(id.key, -1), *certificate = BIO_new_mem_buf(id.certificate, -1);
    EVP_PKEY *k = PEM_read_bio_PrivateKey(key, NULL, NULL, NULL);
    X509 *x = PEM_read_bio_X509(certificate, NULL, NULL, NULL);
    assert_int_equal(SSL_CTX_use_certificate(context, x), 1);
    assert_int_equal(SSL_CTX_use_PrivateKey(context, k), 1);
    SSL_CTX_clear_options(context, SSL_OP_NO_TICKET);       /* the product's hook saw this context too: it is to ask for all there is */
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT);
    SSL_CTX_sess_set_new_cb(context, on_ticket);
    SSL *first = shake(context, NULL);
    assert_false(SSL_session_reused(first));
    SSL *second = shake(context, ticket ? ticket : SSL_get_session(first));
    assert_false(SSL_session_reused(second));
    hang_up(first);
    hang_up(second);
    SSL_SESSION_free(ticket);
    ticket = NULL;
    EVP_PKEY_free(k);
    X509_free(x);
    BIO_free(key);
    BIO_free(certificate);
    SSL_CTX_free(context);
    identity_end(&id);
}

static bool nobody_at_second(void)
{
    return peers_of(1) == 0;
}

static bool somebody_at_second(void)
{
    return peers_of(1) == 1;
}

static void who_is_blocked_is_cut_off_until_it_is_not(void **state)
{
    (void)state;
    const char *block[] = {"127.9.0.2:7777", "10.1.0.8", "no address", NULL};
    open_node(0);
    open_node(1);
    add(0, false);
    add(1, false);
    assert_true(until(somebody_at_second));
    swarm_block(t.nodes[0].swarm, block);
    assert_true(until(nobody_at_second));
    for (uint32_t p = 0; p < PIECES; p++)
        assert_true(inject(0, p));
    assert_int_equal(swarm_peer(t.nodes[0].swarm, &t.name, t.nodes[1].listen, NULL), OK);   /* being wired does not help */
    wait_ms(PATIENCE_MS);
    assert_int_equal(t.nodes[1].pieces, 0);
    assert_true(swarm_settled(t.nodes[0].swarm, &t.name));  /* nobody waits for it */
    swarm_block(t.nodes[0].swarm, block + 1);
    assert_true(until(second_done));
    swarm_block(t.nodes[0].swarm, NULL);
}

static void certificates_or_none_but_never_both(void **state)
{
    (void)state;
    struct error e = {0};
    struct swarm *plain = NULL;
    uint8_t *torrent = NULL;
    size_t size;
    struct sha256 info_hash;
    char listen[32];
    snprintf(listen, sizeof listen, "127.9.0.8:%d", t.port);
    struct swarm_options options = {.listen = listen};
    open_node(0);
    assert_int_equal(swarm_torrent_make(t.whole, &t.name, NULL, &torrent, &size, &info_hash, &e), OK);
    assert_int_equal(swarm_add(t.nodes[0].swarm, &t.name, torrent, size, t.nodes[0].dir, false, &e), ERR_USAGE);
    assert_non_null(strstr(e.text, "no CA"));
    assert_int_equal(swarm_open(&options, ring, &t.nodes[1].rings, &plain, &e), OK);
    assert_int_equal(swarm_add(plain, &t.name, t.torrent, t.torrent_size, t.nodes[0].dir, false, &e), ERR_USAGE);
    assert_int_equal(swarm_add(plain, &t.name, torrent, size, t.nodes[0].dir, false, &e), OK);
    swarm_close(plain);
    free(torrent);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup_ssl, teardown)
    const struct CMUnitTest tests[] = {
        TEST(strangers_get_nothing),
        TEST(nothing_is_taken_from_whoever_has_another_ca),
        TEST(without_an_identity_a_torrent_waits),
        TEST(a_certificate_that_runs_out_is_told_and_its_renewal_heals),
        TEST(a_running_session_is_renewed),
        TEST(what_is_no_identity_is_told_and_forgotten),
        TEST(nobody_resumes),
        TEST(who_is_blocked_is_cut_off_until_it_is_not),
        TEST(certificates_or_none_but_never_both),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
