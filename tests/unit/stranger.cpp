#include "tests/unit/stranger.h"

#include <algorithm>
#include <cstring>

#include <libtorrent/add_torrent_params.hpp>
#include <libtorrent/peer_info.hpp>
#include <libtorrent/session.hpp>
#include <libtorrent/session_params.hpp>
#include <libtorrent/torrent_handle.hpp>
#include <libtorrent/torrent_info.hpp>
#include <libtorrent/torrent_status.hpp>

struct stranger {
    std::unique_ptr<lt::session> session;
    lt::torrent_handle handle;
};

// RFC 7919 ffdhe2048; libtorrent insists.
static const char dh[] = "-----BEGIN DH PARAMETERS-----\n"
                         "MIIBCAKCAQEA//////////+t+FRYortKmq/cViAnPTzx2LnFg84tNpWp4TZBFGQz\n"
                         "+8yTnc4kmz75fS/jY2MMddj2gbICrsRhetPfHtXV/WVhJDP1H18GbtCFY2VVPe0a\n"
                         "87VXE15/V8k1mE8McODmi3fipona8+/och3xWKE2rec1MKzKT0g6eXq8CrGCsyT7\n"
                         "YdEIqUuyyOP7uWrat2DX9GgdT0Kj3jlN9K5W7edjcrsZCwenyO4KbXCeAvzhzffi\n"
                         "7MA0BM0oNC9hkXL+nOmFg/+OTxIy7vKBg8P+OxtMb61zO7X8vC7CIAXFjvGDfRaD\n"
                         "ssbzSibBsu/6iGtCOGEoXJf//////////wIBAg==\n"
                         "-----END DH PARAMETERS-----\n";

static lt::settings_pack settings_for(const stranger_options &o)
{
    lt::settings_pack pack;
    std::string const listen = o.listen;
    pack.set_str(lt::settings_pack::listen_interfaces, listen + (o.torrent != nullptr ? "s" : ""));
    pack.set_str(lt::settings_pack::outgoing_interfaces, listen.substr(0, listen.rfind(':')));
    for (int const off : {lt::settings_pack::enable_dht, lt::settings_pack::enable_lsd, lt::settings_pack::enable_upnp,
                          lt::settings_pack::enable_natpmp, lt::settings_pack::enable_outgoing_utp, lt::settings_pack::enable_incoming_utp})
        pack.set_bool(off, false);
    pack.set_int(lt::settings_pack::tick_interval, 100);
    pack.set_int(lt::settings_pack::min_reconnect_time, 1);
    pack.set_int(lt::settings_pack::max_failcount, 31);
    return pack;
}

struct stranger *stranger_come(const struct stranger_options *o)
{
    auto s = std::make_unique<stranger>();
    lt::add_torrent_params params;
    if (o->torrent != nullptr)
        params.ti = std::make_shared<lt::torrent_info>(
            lt::span<char const>(reinterpret_cast<const char *>(o->torrent), static_cast<std::ptrdiff_t>(o->size)), lt::from_span);
    else
        params.info_hashes = lt::info_hash_t(lt::sha1_hash(reinterpret_cast<const char *>(o->info_hash)));
    params.save_path = o->directory;
    params.flags = {};
    s->session = std::make_unique<lt::session>(lt::session_params(settings_for(*o)));
    s->handle = s->session->add_torrent(std::move(params));
    if (o->certificate_pem != nullptr)
        s->handle.set_ssl_certificate_buffer(o->certificate_pem, o->key_pem, dh);
    return s.release();
}

void stranger_call(struct stranger *s, const char *address, int port)
{
    s->handle.connect_peer(lt::tcp::endpoint(lt::make_address(address), static_cast<unsigned short>(port)));
}

struct stranger_saw stranger_ask(struct stranger *s)
{
    lt::torrent_status const status = s->handle.status({});
    std::vector<lt::peer_info> peers;
    s->handle.get_peer_info(peers);
    int const shaken = static_cast<int>(std::count_if(peers.begin(), peers.end(), [](const lt::peer_info &p) {
        return !(p.flags & (lt::peer_info::connecting | lt::peer_info::handshake));
    }));
    stranger_saw saw{};
    saw.downloaded = static_cast<uint64_t>(status.total_payload_download);
    saw.metadata = status.has_metadata;
    saw.whole = status.is_seeding;
    saw.peers = shaken;
    return saw;
}

void stranger_go(struct stranger *s)
{
    delete s;
}

void stranger_info_hash(const uint8_t *torrent, size_t size, uint8_t out[20])
{
    lt::torrent_info const info(lt::span<char const>(reinterpret_cast<const char *>(torrent), static_cast<std::ptrdiff_t>(size)),
                                lt::from_span);
    std::memcpy(out, info.info_hashes().v1.data(), 20);
}
