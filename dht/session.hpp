// What the parts of the swarm share. Only dht/*.cpp includes this. Everything but the bell happens in the caller's thread.
#ifndef FERRY_DHT_SESSION_HPP
#define FERRY_DHT_SESSION_HPP

#include <cstring>
#include <deque>
#include <exception>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include <libtorrent/alert_types.hpp>
#include <libtorrent/ip_filter.hpp>
#include <libtorrent/peer_info.hpp>
#include <libtorrent/session.hpp>
#include <libtorrent/session_params.hpp>
#include <libtorrent/torrent_handle.hpp>
#include <libtorrent/torrent_info.hpp>

#include "dht/swarm.h"

namespace ferry {

struct before {
    bool operator()(const sha256 &a, const sha256 &b) const
    {
        return std::memcmp(a.b, b.b, SHA256_SIZE) < 0;
    }
};

// Rings until it is muted; libtorrent's thread may hold a copy a moment longer than the session lives.
struct bell {
    std::mutex lock;
    void (*ring)(void *ctx) = nullptr;
    void *ctx = nullptr;
    void sound();
    void mute();
};

struct torrent {
    sha256 name{};
    lt::torrent_handle handle;
    std::shared_ptr<const lt::torrent_info> info;
    bool ready = false, done_told = false;
    std::vector<bool> have;
    uint32_t count = 0;
    std::set<uint32_t> injected;                // handed to libtorrent, verdict to come
    std::set<lt::tcp::endpoint> wired, refused; // neighbours told to us; those that were not there, or left
    std::map<lt::tcp::endpoint, int64_t> met;   // since when (ms) they have been connected and have named themselves
    uint32_t last_failed = 0;                   // for the ban that follows a failed piece
    std::vector<lt::peer_info> peers;           // as of peers_at (ms); asking libtorrent is a round trip to its thread
    int64_t peers_at = -1;
};

using torrents = std::map<sha256, torrent, before>;

// settings.cpp
lt::settings_pack settings_of(const swarm_options &options);
void limit_peers(lt::session &, const swarm_options &options);   // the peer class that makes limits bind
extern const int tick_hurried, tick_at_rest;                     // ms

// metadata.cpp: a parsed, bounded torrent that is nothing but one file of that name; throws failure
struct failure {
    enum err code;
    std::string text;
};
std::shared_ptr<lt::torrent_info> torrent_parse(const uint8_t *bytes, size_t size, const sha256 &name);
std::string ca_of(const lt::torrent_info &);                       // PEM, "" none
std::int64_t content_size_of(const lt::torrent_info &);            // without libtorrent's padding
bool piece_is_good(const lt::torrent_info &, uint32_t piece, const void *bytes, size_t size);

// event.cpp
void events_collect(swarm &);                   // everything libtorrent has to say, into swarm.queue
void have_refresh(torrent &);                   // asks libtorrent what is here
swarm_event event_of(enum swarm_event_kind, const sha256 &name);

// torrent.cpp
// The listen address of a peer seen at remote that calls itself client.
lt::tcp::endpoint listen_of(const torrent &, const lt::tcp::endpoint &remote, const std::string &client);
// Connects when it can be: the content is checked, the neighbour is not blocked, and we can say who we are.
void wire(const swarm &, torrent &, const lt::tcp::endpoint &peer);

// filter.cpp: who may connect
lt::ip_filter filter_of(const char *const *allow);
bool filter_blocks(const swarm &, const lt::address &);
// The allow list, wired neighbours, without the blocked ones, nor these.
void filter_apply(swarm &, const std::set<lt::address> &nor = {});

// identity.cpp: TLS
void resumption_off();                          // before a session is made
void identity_give(const swarm &, torrent &);
void identity_wipe(swarm &);
// A connection ended with that error; t NULL: it was not known yet for which content. An event when certificates were the reason.
void tls_judge(swarm &, const torrent *t, const lt::tcp::endpoint &remote, const lt::error_code &);

// session.cpp
bool endpoint_read(const char *text, lt::tcp::endpoint &out);    // "127.1.0.2:6881", "[::1]:6881"
std::string endpoint_print(const lt::tcp::endpoint &);
int64_t now_ms();
torrent *find(swarm &, const sha256 *name);
torrent *find(swarm &, const lt::torrent_handle &);
enum err caught(struct error *e);               // inside catch (...): what was thrown, as an error

} // namespace ferry

struct swarm {
    std::unique_ptr<lt::session> session;
    std::shared_ptr<ferry::bell> bell;
    lt::tcp::endpoint listen;
    ferry::torrents torrents;
    std::deque<swarm_event> queue;
    lt::ip_filter filter;                       // of the options
    std::set<lt::address> allowed, blocked;     // by swarm_peer, by swarm_block
    bool tls = false;
    std::string key, certificate;               // PEM; empty: nobody yet
    std::set<lt::address> estranged;            // wired neighbours TLS failed with since we have been who we are
    std::map<lt::address, int64_t> told;        // when (ms) an event said so
};

#endif
