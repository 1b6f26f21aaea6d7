// What is asked of one torrent: added, dropped, moved, wired, injected, looked at.
#include "dht/session.hpp"

#include <algorithm>

#include <libtorrent/add_torrent_params.hpp>
#include <libtorrent/torrent_flags.hpp>
#include <libtorrent/torrent_status.hpp>

using namespace ferry;

// Asking libtorrent for peers is a round trip to its thread; within this time (ms) the last answer serves.
static const int64_t peers_fresh = 100;
// What a peer has follows its name in the same breath; this long (ms) after the name it is certainly known.
static const int64_t bitfield_due = 50;

extern "C" enum err swarm_add(struct swarm *s, const struct sha256 *name, const uint8_t *bytes, size_t size, const char *directory,
                              bool whole, struct error *e)
{
    try {
        if (find(*s, name) != nullptr)
            return fail(e, ERR_EXISTS, "this content is in the swarm already");
        lt::add_torrent_params params;
        params.ti = torrent_parse(bytes, size, *name);
        if (ca_of(*params.ti).empty() == s->tls)
            return fail(e, ERR_USAGE, s->tls ? "this torrent has no CA, and the swarm is one of certificates"
                                             : "this torrent has a CA, and the swarm is one without certificates");
        params.save_path = directory;
        // Not auto-managed: no queue decides which content may be active. The filter applies. Nothing but wired neighbours.
        params.flags = lt::torrent_flags::apply_ip_filter | lt::torrent_flags::duplicate_is_error | lt::torrent_flags::disable_dht
            | lt::torrent_flags::disable_lsd | lt::torrent_flags::disable_pex;
        if (whole)
            params.flags |= lt::torrent_flags::seed_mode;
        torrent t;
        t.name = *name;
        t.info = params.ti;
        t.have.assign(static_cast<size_t>(t.info->num_pieces()), false);
        t.handle = s->session->add_torrent(std::move(params));
        identity_give(*s, t);
        s->torrents.emplace(*name, std::move(t));
        return OK;
    } catch (...) {
        return caught(e);
    }
}

extern "C" void swarm_drop(struct swarm *s, const struct sha256 *name)
{
    try {
        torrent const *t = find(*s, name);
        if (t == nullptr)
            return;
        lt::torrent_handle const handle = t->handle;
        s->torrents.erase(*name);
        auto const of_it = [name](const swarm_event &e) { return sha256_same(&e.name, name); };
        s->queue.erase(std::remove_if(s->queue.begin(), s->queue.end(), of_it), s->queue.end());
        s->session->remove_torrent(handle);
    } catch (const std::exception &) {
        // It was gone already.
    }
}

extern "C" void swarm_move(struct swarm *s, const struct sha256 *name, const char *directory)
{
    try {
        if (torrent *t = find(*s, name))
            t->handle.move_storage(directory);
    } catch (const std::exception &f) {
        swarm_event event = event_of(SWARM_ERROR, *name);
        std::snprintf(event.text, sizeof event.text, "%s", f.what());
        s->queue.push_back(event);
        s->bell->sound();
    }
}

extern "C" void swarm_recheck(struct swarm *s, const struct sha256 *name)
{
    try {
        if (torrent *t = find(*s, name)) {
            t->ready = t->done_told = false;
            t->handle.force_recheck();
        }
    } catch (const std::exception &) {
        // It was gone already.
    }
}

namespace ferry {

// Called again whenever one of the conditions has come true.
void wire(const swarm &s, torrent &t, const lt::tcp::endpoint &peer)
{
    if (t.ready && (!s.tls || !s.certificate.empty()) && !filter_blocks(s, peer.address()))
        t.handle.connect_peer(peer);
}

} // namespace ferry

extern "C" enum err swarm_peer(struct swarm *s, const struct sha256 *name, const char *address, struct error *e)
{
    try {
        torrent *t = find(*s, name);
        lt::tcp::endpoint peer;
        if (t == nullptr)
            return fail(e, ERR_NOT_FOUND, "this content is not in the swarm");
        if (!endpoint_read(address, peer))
            return fail(e, ERR_USAGE, "\"%s\" is not a neighbour: an address and a port like 10.1.0.8:6881 are wanted", address);
        if (peer == s->listen)
            return OK;
        if (s->allowed.insert(peer.address()).second)
            filter_apply(*s);
        t->wired.insert(peer);
        wire(*s, *t, peer);
        return OK;
    } catch (...) {
        return caught(e);
    }
}

extern "C" bool swarm_inject(struct swarm *s, const struct sha256 *name, uint32_t piece, const void *bytes, size_t size)
{
    try {
        torrent *t = find(*s, name);
        if (t == nullptr || !t->ready || piece >= t->have.size() || t->have[piece])
            return false;
        // Judged here: once in libtorrent, blocks of peers may be mixed in and nobody could say whose fault a bad hash is.
        if (!piece_is_good(*t->info, piece, bytes, size)) {
            swarm_event event = event_of(SWARM_BAD, *name);
            event.piece = piece;
            event.injected = true;
            s->queue.push_back(event);
            s->bell->sound();
            return true;
        }
        lt::piece_index_t const index{static_cast<int>(piece)};
        const char *data = static_cast<const char *>(bytes);
        std::vector<char> filled(data, data + size);
        filled.resize(static_cast<size_t>(t->info->piece_size(index)));    // the last one to full length: other sizes are silently ignored
        t->injected.insert(piece);
        t->handle.add_piece(index, std::move(filled));
        return true;
    } catch (const std::exception &) {
        return false;
    }
}

static const std::vector<lt::peer_info> &peers_of(torrent &t)
{
    int64_t const now = now_ms();
    if (t.peers_at < 0 || now - t.peers_at >= peers_fresh) {
        t.peers.clear();
        t.handle.get_peer_info(t.peers);
        t.peers_at = now;
    }
    return t.peers;
}

static bool connected(const lt::peer_info &p)
{
    return !(p.flags & (lt::peer_info::connecting | lt::peer_info::handshake));
}

extern "C" bool swarm_progress(struct swarm *s, const struct sha256 *name, struct swarm_figures *out)
{
    try {
        torrent *t = find(*s, name);
        if (t == nullptr)
            return false;
        lt::torrent_status const status = t->handle.status({});
        *out = {};
        out->pieces = static_cast<uint32_t>(t->have.size());
        out->have = t->count;
        out->piece_size = static_cast<uint32_t>(t->info->piece_length());
        out->size = static_cast<uint64_t>(content_size_of(*t->info));
        for (const lt::peer_info &p : peers_of(*t))
            out->peers += connected(p);
        out->down_rate = static_cast<uint64_t>(status.download_payload_rate);
        out->up_rate = static_cast<uint64_t>(status.upload_payload_rate);
        out->downloaded = static_cast<uint64_t>(status.total_payload_download);
        out->uploaded = static_cast<uint64_t>(status.total_payload_upload);
        out->wasted = static_cast<uint64_t>(status.total_redundant_bytes + status.total_failed_bytes);
        return true;
    } catch (const std::exception &) {
        return false;
    }
}

extern "C" bool swarm_has(struct swarm *s, const struct sha256 *name, uint32_t piece)
{
    torrent const *t = find(*s, name);
    return t != nullptr && piece < t->have.size() && t->have[piece];
}

extern "C" bool swarm_available(struct swarm *s, const struct sha256 *name, uint8_t *bitmap)
{
    try {
        torrent *t = find(*s, name);
        if (t == nullptr)
            return false;
        std::memset(bitmap, 0, (t->have.size() + 7) / 8);
        for (const lt::peer_info &p : peers_of(*t)) {
            if (!connected(p))
                continue;
            for (size_t i = 0; i < t->have.size() && i < static_cast<size_t>(p.pieces.size()); i++)
                if (!t->have[i] && p.pieces[lt::piece_index_t{static_cast<int>(i)}])
                    bitmap[i / 8] = static_cast<uint8_t>(bitmap[i / 8] | 0x80u >> (i % 8));
        }
        return true;
    } catch (const std::exception &) {
        return false;
    }
}

namespace ferry {

// What a peer says of itself is believed for its own IP only; else it is the wired neighbour of that IP.
lt::tcp::endpoint listen_of(const torrent &t, const lt::tcp::endpoint &remote, const std::string &client)
{
    lt::tcp::endpoint said;
    if (client.compare(0, 6, "ferry ") == 0 && endpoint_read(client.c_str() + 6, said) && said.address() == remote.address())
        return said;
    for (const lt::tcp::endpoint &w : t.wired)
        if (w == remote)
            return w;
    for (const lt::tcp::endpoint &w : t.wired)
        if (w.address() == remote.address())
            return w;
    return remote;
}

} // namespace ferry

extern "C" size_t swarm_peers(struct swarm *s, const struct sha256 *name, char (*out)[64], size_t room, bool *seeds)
{
    try {
        torrent *t = find(*s, name);
        size_t n = 0;
        if (t == nullptr)
            return 0;
        for (const lt::peer_info &p : peers_of(*t)) {
            if (n == room || !connected(p))
                continue;
            std::snprintf(out[n], sizeof out[n], "%s", endpoint_print(listen_of(*t, p.ip, p.client)).c_str());
            if (seeds != nullptr)
                seeds[n] = p.pieces.size() > 0 && p.pieces.all_set();
            n++;
        }
        return n;
    } catch (const std::exception &) {
        return 0;
    }
}

extern "C" bool swarm_settled(struct swarm *s, const struct sha256 *name)
{
    try {
        torrent *t = find(*s, name);
        if (t == nullptr || !t->ready)
            return false;
        std::set<lt::tcp::endpoint> answered = t->refused;
        for (const lt::peer_info &p : peers_of(*t)) {
            if (!connected(p) || p.client.compare(0, 6, "ferry ") != 0)
                continue;
            lt::tcp::endpoint const who = listen_of(*t, p.ip, p.client);
            if (now_ms() - t->met.emplace(who, now_ms()).first->second >= bitfield_due)
                answered.insert(who);
        }
        for (const lt::tcp::endpoint &w : t->wired)
            if (answered.count(w) == 0 && !filter_blocks(*s, w.address()))
                return false;
        return true;
    } catch (const std::exception &) {
        return false;
    }
}
