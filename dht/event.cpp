// What libtorrent says, in our words: one switch. Runs in the caller's thread, inside swarm_poll.
#include "dht/session.hpp"

#include <libtorrent/torrent_status.hpp>

namespace ferry {

swarm_event event_of(enum swarm_event_kind kind, const sha256 &name)
{
    swarm_event event{};
    event.kind = kind;
    event.name = name;
    return event;
}

static void tell(swarm &s, enum swarm_event_kind kind, const torrent &t, uint32_t piece = 0, bool injected = false)
{
    swarm_event event = event_of(kind, t.name);
    event.piece = piece;
    event.injected = injected;
    s.queue.push_back(event);
}

static void tell_done(swarm &s, torrent &t)
{
    if (t.ready && !t.done_told && t.count == t.have.size()) {
        t.done_told = true;
        tell(s, SWARM_DONE, t);
    }
}

static void tell_error(swarm &s, const torrent &t, const std::string &text)
{
    swarm_event event = event_of(SWARM_ERROR, t.name);
    std::snprintf(event.text, sizeof event.text, "%s", text.c_str());
    s.queue.push_back(event);
}

// Somebody came or went: said once, however many did since the last poll.
static void tell_peers(swarm &s, torrent &t, bool ended)
{
    t.peers_at = -1;
    for (swarm_event &waiting : s.queue)
        if (waiting.kind == SWARM_PEERS && sha256_same(&waiting.name, &t.name)) {
            waiting.ended |= ended;
            return;
        }
    tell(s, SWARM_PEERS, t);
    s.queue.back().ended = ended;
}

void have_refresh(torrent &t)
{
    lt::torrent_status const status = t.handle.status(lt::torrent_handle::query_pieces);
    t.count = 0;
    for (size_t i = 0; i < t.have.size(); i++) {
        bool const all = status.state == lt::torrent_status::seeding;
        t.have[i] = all || (i < static_cast<size_t>(status.pieces.size()) && status.pieces[lt::piece_index_t{static_cast<int>(i)}]);
        t.count += t.have[i];
    }
}

static void on_checked(swarm &s, torrent &t)
{
    have_refresh(t);
    t.ready = true;
    t.done_told = false;
    t.injected.clear();
    for (const lt::tcp::endpoint &peer : t.wired)
        wire(s, t, peer);
    tell(s, SWARM_READY, t);
    tell_done(s, t);
}

static void on_piece(swarm &s, torrent &t, uint32_t piece)
{
    if (!t.ready || piece >= t.have.size() || t.have[piece])
        return;
    t.have[piece] = true;
    t.count++;
    tell(s, SWARM_PIECE, t, piece, t.injected.erase(piece) > 0);
    tell_done(s, t);
}

// Injected pieces were judged before they went in: a piece that fails now holds a neighbour's bytes.
static void on_hash_failed(swarm &s, torrent &t, uint32_t piece)
{
    t.injected.erase(piece);
    t.last_failed = piece;
    tell(s, SWARM_BAD, t, piece);
}

static void on_ban(swarm &s, torrent &t, const lt::tcp::endpoint &remote)
{
    swarm_event event = event_of(SWARM_BAD, t.name);
    event.piece = t.last_failed;
    lt::tcp::endpoint who = remote;
    for (const lt::peer_info &p : t.peers)      // as last seen: it is being disconnected now
        if (p.ip == remote)
            who = listen_of(t, p.ip, p.client);
    if (who == remote)
        who = listen_of(t, remote, "");
    std::snprintf(event.peer, sizeof event.peer, "%s", endpoint_print(who).c_str());
    s.queue.push_back(event);
}

// Alerts were lost: nothing is believed but what libtorrent has now.
static void resync(swarm &s)
{
    for (auto &[name, t] : s.torrents) {
        if (!t.ready)
            continue;
        std::vector<bool> const before = t.have;
        have_refresh(t);
        for (uint32_t i = 0; i < before.size(); i++)
            if (t.have[i] && !before[i])
                tell(s, SWARM_PIECE, t, i, t.injected.erase(i) > 0);
        tell_done(s, t);
        tell_peers(s, t, true);
    }
}

// "[certificate]", "[private key]": what swarm_identify was given does not do. The torrent itself is well, and waits for better.
static void on_torrent_error(swarm &s, const torrent &t, const lt::torrent_error_alert &a)
{
    tell_error(s, t, a.message());
    if (a.filename()[0] == '[')
        s.queue.back().kind = SWARM_UNTRUSTED;
}

static void on_ended(swarm &s, torrent &t, const lt::tcp::endpoint &remote, const lt::error_code &why)
{
    t.refused.insert(remote);
    tls_judge(s, &t, remote, why);
    tell_peers(s, t, true);
}

static void on_torrent_alert(swarm &s, torrent &t, const lt::alert *a)
{
    switch (a->type()) {
    case lt::torrent_checked_alert::alert_type:
        return on_checked(s, t);
    case lt::piece_finished_alert::alert_type:
        return on_piece(s, t, static_cast<uint32_t>(static_cast<int>(lt::alert_cast<lt::piece_finished_alert>(a)->piece_index)));
    case lt::hash_failed_alert::alert_type:
        return on_hash_failed(s, t, static_cast<uint32_t>(static_cast<int>(lt::alert_cast<lt::hash_failed_alert>(a)->piece_index)));
    case lt::peer_ban_alert::alert_type:
        return on_ban(s, t, static_cast<const lt::peer_alert *>(a)->endpoint);
    case lt::peer_disconnected_alert::alert_type:
        return on_ended(s, t, static_cast<const lt::peer_alert *>(a)->endpoint, lt::alert_cast<lt::peer_disconnected_alert>(a)->error);
    case lt::peer_error_alert::alert_type:
        return on_ended(s, t, static_cast<const lt::peer_alert *>(a)->endpoint, lt::alert_cast<lt::peer_error_alert>(a)->error);
    case lt::peer_connect_alert::alert_type:
        return tell_peers(s, t, false);
    case lt::storage_moved_alert::alert_type:
        return tell(s, SWARM_MOVED, t);
    case lt::storage_moved_failed_alert::alert_type:
    case lt::file_error_alert::alert_type:
        return tell_error(s, t, a->message());
    case lt::torrent_error_alert::alert_type:
        return on_torrent_error(s, t, *lt::alert_cast<lt::torrent_error_alert>(a));
    default:
        return;
    }
}

void events_collect(swarm &s)
{
    std::vector<lt::alert *> alerts;
    s.session->pop_alerts(&alerts);
    for (const lt::alert *a : alerts) {
        if (lt::alert_cast<lt::alerts_dropped_alert>(a) != nullptr) {
            resync(s);
            continue;
        }
        if (dynamic_cast<const lt::torrent_alert *>(a) == nullptr)
            continue;
        if (torrent *t = find(s, static_cast<const lt::torrent_alert *>(a)->handle))
            on_torrent_alert(s, *t, a);
        else if (auto const *refused = lt::alert_cast<lt::peer_error_alert>(a))   // within the handshake: of no torrent yet
            tls_judge(s, nullptr, refused->endpoint, refused->error);
    }
}

} // namespace ferry

using namespace ferry;

extern "C" bool swarm_poll(struct swarm *s, struct swarm_event *out)
{
    try {
        if (s->queue.empty())
            events_collect(*s);
    } catch (const std::exception &) {
        // The torrent in question is being removed; what was queued before stands.
    }
    if (s->queue.empty())
        return false;
    *out = s->queue.front();
    s->queue.pop_front();
    return true;
}
