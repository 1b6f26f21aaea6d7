// Every setting of libtorrent that is not as it comes, with its reason. p2p.md section 5, experiments.md section 4.
#include "dht/session.hpp"

#include <climits>

#include <libtorrent/peer_class.hpp>
#include <libtorrent/settings_pack.hpp>

namespace ferry {

// ms. Outgoing connections and rates move with the tick; at rest every tick is a wake-up of the machine.
const int tick_hurried = 100, tick_at_rest = 2000;

using lt::settings_pack;

struct number {
    int name, value;
    const char *reason;
};
struct flag {
    int name;
    bool value;
    const char *reason;
};

static const number numbers[] = {
    {settings_pack::tick_interval, tick_at_rest, "outgoing connections wait for a tick; swarm_hurry() shortens it"},
    {settings_pack::min_reconnect_time, 1, "60 s would leave a neighbour that restarts alone for a minute"},
    {settings_pack::max_failcount, 31,
     "a neighbour that is down at first is still asked later; it backs off by itself (the counter has 5 bits)"},
    {settings_pack::peer_connect_timeout, 5, "a LAN answers at once; 15 s of waiting blocks the decision who carries"},
    {settings_pack::handshake_timeout, 5, "as above"},
    {settings_pack::peer_timeout, 20, "a neighbour whose power went must stop owning pieces soon, not after 120 s"},
    {settings_pack::inactivity_timeout, 120, "an idle neighbour is cheap and wanted again; below 20 s of silence peer_timeout acts"},
    {settings_pack::request_timeout, 10, "a request lost on a LAN is lost; ask somebody else"},
    {settings_pack::piece_timeout, 10, "as above"},
    {settings_pack::connection_speed, 200, "every neighbour of every content is wired at the same moment"},
    {settings_pack::connections_limit, 200, "the default, made visible; swarm_options.connections"},
    {settings_pack::max_peerlist_size, 1000, "the branch, not the Internet"},
    {settings_pack::unchoke_slots_limit, -1, "choking is for strangers; inside a branch everybody may ask (the upload limit bounds it)"},
    {settings_pack::mixed_mode_algorithm, settings_pack::prefer_tcp, "uTP on a LAN yields to itself"},
    {settings_pack::out_enc_policy, settings_pack::pe_disabled, "RC4 hides nothing from anybody and costs time"},
    {settings_pack::in_enc_policy, settings_pack::pe_disabled, "as above"},
    {settings_pack::max_queued_disk_bytes, 8 << 20, "two of the largest pieces injected at once must not stall the session"},
    {settings_pack::alert_queue_size, 20000, "a lost piece_finished would be a hole in the byte ledger (event.cpp resyncs if it happens)"},
    {settings_pack::alert_mask,
     static_cast<int>(static_cast<std::uint32_t>(lt::alert_category::error | lt::alert_category::peer | lt::alert_category::storage |
                                                 lt::alert_category::status | lt::alert_category::connect |
                                                 lt::alert_category::piece_progress)),
     "what event.cpp understands, nothing else"},
};

static const flag flags[] = {
    {settings_pack::close_redundant_connections, false, "closing them hangs the last piece for min_reconnect_time (p2p.md 5.5)"},
    {settings_pack::allow_multiple_connections_per_ip, true, "several nodes behind one address; duplicates are told apart by peer id"},
    {settings_pack::enable_outgoing_utp, false, "TCP on a LAN: 20 → 70 MB/s"},
    {settings_pack::enable_incoming_utp, false, "as above"},
    {settings_pack::enable_upnp, false, "no node opens the branch's router"},
    {settings_pack::enable_natpmp, false, "as above"},
    {settings_pack::enable_lsd, false, "neighbours are told to us; multicast would reach the next branch on the same wire"},
    {settings_pack::enable_dht, false, "a public DHT would tell the world what is being patched"},
    {settings_pack::anonymous_mode, false, "the client's version carries the listen address (swarm_peers)"},
    {settings_pack::announce_crypto_support, false, "no encryption, see above"},
    {settings_pack::rate_limit_ip_overhead, false, "the limit is one of payload, as its option says"},
};

lt::settings_pack settings_of(const swarm_options &options)
{
    settings_pack pack;
    for (const number &n : numbers)
        pack.set_int(n.name, n.value);
    for (const flag &f : flags)
        pack.set_bool(f.name, f.value);
    if (options.connections > 0)
        pack.set_int(settings_pack::connections_limit, options.connections);
    lt::tcp::endpoint listen;
    endpoint_read(options.listen, listen);
    // Explicit: 0.0.0.0 would bring interfaces that are not the branch's, and connections would leave by the wrong address.
    // "s": TLS alone. Both on one port cannot be: libtorrent's listener speaks TLS or does not.
    pack.set_str(settings_pack::listen_interfaces, std::string(options.listen) + (options.ssl ? "s" : ""));
    pack.set_str(settings_pack::outgoing_interfaces, listen.address().to_string());
    pack.set_str(settings_pack::dht_bootstrap_nodes, "");
    // Connections come from ephemeral ports; this tells the neighbour which of its wired peers we are. Believed only for our own IP.
    pack.set_str(settings_pack::handshake_client_version, "ferry " + endpoint_print(listen));
    pack.set_str(settings_pack::user_agent, "ferry");
    return pack;
}

// libtorrent counts every private address as "local": no limit binds and everything is unchoked. Here all addresses are of one class:
// unchoked, and limited.
void limit_peers(lt::session &session, const swarm_options &options)
{
    lt::peer_class_t const branch = session.create_peer_class("branch");
    lt::peer_class_info info = session.get_peer_class(branch);
    info.ignore_unchoke_slots = true;
    info.connection_limit_factor = 100;
    info.upload_limit = options.upload_limit > INT_MAX ? INT_MAX : static_cast<int>(options.upload_limit);
    session.set_peer_class(branch, info);
    std::uint32_t const mask = 1u << static_cast<std::uint32_t>(branch);
    lt::ip_filter classes;
    classes.add_rule(lt::make_address("0.0.0.0"), lt::make_address("255.255.255.255"), mask);
    classes.add_rule(lt::make_address("::"), lt::make_address("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"), mask);
    session.set_peer_class_filter(classes);
}

} // namespace ferry
