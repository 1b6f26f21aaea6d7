/* A stock BitTorrent client on the command line, for test_strangers.sh: what does it get from one peer?
 *
 *   stranger LISTEN DIRECTORY PEER PORT TORRENT [KEY CERTIFICATE]     with the torrent, TLS, that identity or none
 *   stranger LISTEN DIRECTORY PEER PORT magnet:TORRENT                knowing its info-hash only, without TLS
 *
 * Prints {"downloaded": bytes, "metadata": bool, "whole": bool, "peers": n} when it has everything or 6 s are over. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "tests/unit/stranger.h"

#define LIMIT (4u << 20)

static char *read_whole(const char *path, size_t *size)
{
    char        *out = NULL;
    struct error e;

    if (file_read(path, LIMIT, &out, size, &e)) {
        fprintf(stderr, "stranger: %s\n", e.text);
        exit(2);
    }
    return out;
}

int main(int argc, char **argv)
{
    struct stranger_options o = {0};
    struct stranger        *s;
    struct stranger_saw     saw = {0};
    bool                    magnet;
    uint8_t                 hash[20];
    size_t                  size, ignored;
    char                   *torrent;

    if (argc != 6 && argc != 8)
        return 2;
    magnet = !strncmp(argv[5], "magnet:", 7);
    torrent = read_whole(argv[5] + (magnet ? 7 : 0), &size);
    stranger_info_hash((const uint8_t *)torrent, size, hash);
    o.listen = argv[1];
    o.directory = argv[2];
    o.torrent = magnet ? NULL : (const uint8_t *)torrent;
    o.size = size;
    o.info_hash = hash;
    if (argc == 8) {
        o.key_pem = read_whole(argv[6], &ignored);
        o.certificate_pem = read_whole(argv[7], &ignored);
    }
    s = stranger_come(&o);
    for (int i = 0; i < 60 && !saw.whole; i++) {
        if (i % 10 == 0)
            stranger_call(s, argv[3], atoi(argv[4]));
        usleep(100000);
        saw = stranger_ask(s);
    }
    printf("{\"downloaded\": %llu, \"metadata\": %s, \"whole\": %s, \"peers\": %d}\n", (unsigned long long)saw.downloaded,
           saw.metadata ? "true" : "false", saw.whole ? "true" : "false", saw.peers);
    fflush(stdout);
    _exit(0);                                   /* a session that was refused everywhere takes its time to end */
}
