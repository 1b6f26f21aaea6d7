/* Real sessions on 127.9.0.x and what they share: no mock stands for libtorrent here, because its defaults are what goes wrong. */
#ifndef FERRY_TESTS_UNIT_SWARM_LAB_H
#define FERRY_TESTS_UNIT_SWARM_LAB_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "dht/swarm.h"
#include "policy/trust/certificate.h"

#include <cmocka.h> /* last: it takes the name fail */

#ifndef NODES
#define NODES  4
#define SIZE   (1500 * 1024 + 77)               /* the last piece is short */
#define PIECE  65536u
#endif
#define PIECES ((uint32_t)((SIZE + PIECE - 1) / PIECE))

struct node {
    struct swarm *swarm;
    char          listen[32], dir[64];
    atomic_int    rings;
    unsigned      ready, done, moved, pieces, injected, bad_injected, bad_peer, banned, errors, untrusted;
    char          liar[64], text[200];          /* of the last event that had one */
};

static char root[40];

static struct {
    char          whole[80];
    uint8_t      *bytes, *torrent;
    size_t        torrent_size;
    struct sha256 name, info_hash;
    struct node   nodes[NODES];
    int           port;
    bool          ssl;
    struct key    ca;
    char         *ca_pem;                       /* NULL: a swarm without certificates */
} t;

static inline void ring(void *ctx)
{
    atomic_fetch_add((atomic_int *)ctx, 1);
}

static inline void on_event(struct node *n, const struct swarm_event *e)
{
    switch (e->kind) {
    case SWARM_READY: n->ready++; break;
    case SWARM_DONE:  n->done++; break;
    case SWARM_MOVED: n->moved++; break;
    case SWARM_ERROR:
        n->errors++;
        snprintf(n->text, sizeof n->text, "%s", e->text);
        break;
    case SWARM_UNTRUSTED:
        n->untrusted++;
        snprintf(n->text, sizeof n->text, "%s", e->text);
        break;
    case SWARM_PEERS: break;
    case SWARM_PIECE:
        n->pieces++;
        n->injected += e->injected;
        break;
    case SWARM_BAD:
        n->bad_injected += e->injected;
        n->bad_peer += !e->injected && e->peer[0] == '\0';
        if (e->peer[0]) {
            n->banned++;
            snprintf(n->liar, sizeof n->liar, "%s", e->peer);
        }
        break;
    }
}

static inline void pump(void)
{
    struct swarm_event e;
    for (int i = 0; i < NODES; i++)
        while (t.nodes[i].swarm && swarm_poll(t.nodes[i].swarm, &e))
            on_event(&t.nodes[i], &e);
}

static inline int64_t now(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* Waits until what() holds, at most 15 s. */
static inline bool until(bool (*what)(void))
{
    for (int64_t end = now() + 15000; now() < end; usleep(5000)) {
        pump();
        if (what())
            return true;
    }
    return false;
}

static inline void open_bare(int i)
{
    struct node *n = &t.nodes[i];
    struct error e = {0};
    snprintf(n->listen, sizeof n->listen, "127.9.0.%d:%d", i + 1, t.port);
    snprintf(n->dir, sizeof n->dir, "%s/%d", root, i);
    struct swarm_options options = {.listen = n->listen, .ssl = t.ssl};
    assert_int_equal(file_make_dirs(n->dir, 0700, &e), OK);
    if (swarm_open(&options, ring, &n->rings, &n->swarm, &e) != OK)
        fail_msg("%s", e.text);
    swarm_hurry(n->swarm, true);
}

/* A private key as TLS takes it. Caller frees. */
static inline char *pem_of(const struct key *k)
{
    char path[80], *pem = NULL;
    struct error e = {0};
    snprintf(path, sizeof path, "%s/key.pem", root);
    unlink(path);
    if (key_save(path, k, &e) != OK || file_read(path, 4096, &pem, NULL, &e) != OK)
        fail_msg("%s", e.text);
    return pem;
}

struct identity {
    char *key, *certificate;                    /* PEM */
};

/* A key nobody had before, and a certificate for it that CA signed at that time (seconds from now). */
static inline struct identity identity_of(const struct key *ca, int64_t made, int64_t life_s)
{
    struct identity id = {0};
    struct error e = {0};
    struct key k;
    assert_int_equal(key_generate(&k), OK);
    id.key = pem_of(&k);
    assert_int_equal(certificate_make(ca, "hq-1", "n123", k.public, time(NULL) + made, life_s, &id.certificate, &e), OK);
    return id;
}

static inline void identity_end(struct identity *id)
{
    free(id->key);
    free(id->certificate);
    *id = (struct identity){0};
}

static inline void identify(int i, int64_t made, int64_t life_s)
{
    struct identity id = identity_of(&t.ca, made, life_s);
    swarm_identify(t.nodes[i].swarm, id.key, id.certificate);
    identity_end(&id);
}

static inline void open_node(int i)
{
    open_bare(i);
    if (t.ssl)
        identify(i, 0, CERTIFICATE_LIFE);
}

static inline void add(int i, bool whole)
{
    struct node *n = &t.nodes[i];
    struct error e = {0};
    char path[200], hex[SHA256_HEX];
    snprintf(path, sizeof path, "%s/%s", n->dir, sha256_hex(&t.name, hex));
    if (whole)
        assert_int_equal(file_copy(t.whole, path, 0600, &e), OK);
    if (swarm_add(n->swarm, &t.name, t.torrent, t.torrent_size, n->dir, whole, &e) != OK)
        fail_msg("%s", e.text);
    for (int k = 0; k < NODES; k++)
        if (t.nodes[k].swarm && k != i)
            assert_int_equal(swarm_peer(n->swarm, &t.name, t.nodes[k].listen, &e), OK);
}

static inline bool all_ready(void)
{
    for (int i = 0; i < NODES; i++)
        if (t.nodes[i].swarm && !t.nodes[i].ready)
            return false;
    return true;
}

static inline bool all_done(void)
{
    for (int i = 0; i < NODES; i++)
        if (t.nodes[i].swarm && !t.nodes[i].done)
            return false;
    return true;
}

static inline size_t length_of(uint32_t piece)
{
    return piece == PIECES - 1 ? SIZE - (size_t)piece * PIECE : PIECE;
}

static inline bool inject(int i, uint32_t piece)
{
    return swarm_inject(t.nodes[i].swarm, &t.name, piece, t.bytes + (size_t)piece * PIECE, length_of(piece));
}

static inline void alter(int i)
{
    char path[200], hex[SHA256_HEX];
    snprintf(path, sizeof path, "%s/%s", t.nodes[i].dir, sha256_hex(&t.name, hex));
    FILE *f = fopen(path, "r+b");
    assert_non_null(f);
    for (long at = 0; at < (long)SIZE; at += 32768) {
        assert_int_equal(fseek(f, at, SEEK_SET), 0);
        fputc(t.bytes[at] ^ 0x55, f);
    }
    assert_int_equal(fclose(f), 0);
}

static inline void is_whole(int i, const char *dir)
{
    char path[200], hex[SHA256_HEX];
    struct sha256 got;
    struct error e = {0};
    snprintf(path, sizeof path, "%s/%s", dir ? dir : t.nodes[i].dir, sha256_hex(&t.name, hex));
    assert_int_equal(hash_file(path, &got, NULL, &e), OK);
    assert_true(sha256_same(&got, &t.name));
}

static inline int setup_with(bool ssl)
{
    struct error e = {0};
    int port = t.port ? t.port + 1 : 20000 + getpid() % 20000;
    memset(&t, 0, sizeof t);
    t.port = port;
    t.ssl = ssl;
    if (ssl) {
        assert_int_equal(key_generate(&t.ca), OK);
        assert_int_equal(certificate_make_ca(&t.ca, "hq-1", time(NULL), &t.ca_pem, &e), OK);
    }
    strcpy(root, "/tmp/ferry-swarm-XXXXXX");
    assert_non_null(mkdtemp(root));
    t.bytes = must_alloc(SIZE);
    for (size_t i = 0; i < SIZE; i++)
        t.bytes[i] = (uint8_t)(i * 31 + i / 7919);
    t.name = hash_bytes(t.bytes, SIZE);
    snprintf(t.whole, sizeof t.whole, "%s/whole", root);
    assert_int_equal(file_write(t.whole, t.bytes, SIZE, 0600, &e), OK);
    assert_int_equal(swarm_torrent_make(t.whole, &t.name, t.ca_pem, &t.torrent, &t.torrent_size, &t.info_hash, &e), OK);
    return 0;
}

static inline int setup(void **state)
{
    (void)state;
    return setup_with(false);
}

static inline int setup_ssl(void **state)
{
    (void)state;
    return setup_with(true);
}

static inline int teardown(void **state)
{
    (void)state;
    struct error e = {0};
    for (int i = 0; i < NODES; i++)
        swarm_close(t.nodes[i].swarm);
    free(t.bytes);
    free(t.torrent);
    free(t.ca_pem);
    return file_remove(root, &e) == OK ? 0 : -1;
}

static inline bool all_connected(void)
{
    struct swarm_figures p;
    for (int i = 0; i < NODES; i++)
        if (t.nodes[i].swarm &&
            (!swarm_progress(t.nodes[i].swarm, &t.name, &p) || p.peers != NODES - 1 || !swarm_settled(t.nodes[i].swarm, &t.name)))
            return false;
    return true;
}

#endif
