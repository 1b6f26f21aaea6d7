// The session: opened, rung, closed. Read this first, then torrent.cpp (what is asked of it) and event.cpp (what it says).
#include "dht/session.hpp"

#include <chrono>
#include <future>
#include <new>
#include <thread>

#include <libtorrent/extensions/smart_ban.hpp>
#include <libtorrent/posix_disk_io.hpp>

namespace ferry {

void bell::sound()
{
    std::lock_guard<std::mutex> const hold(lock);
    if (ring != nullptr)
        ring(ctx);
}

void bell::mute()
{
    std::lock_guard<std::mutex> const hold(lock);
    ring = nullptr;
}

int64_t now_ms()
{
    using namespace std::chrono;
    return duration_cast<milliseconds>(steady_clock::now().time_since_epoch()).count();
}

bool endpoint_read(const char *text, lt::tcp::endpoint &out)
{
    std::string whole = text ? text : "";
    size_t const colon = whole.rfind(':');
    if (colon == std::string::npos || colon == 0 || whole.size() - colon < 2 || whole.size() - colon > 6)
        return false;
    std::string host = whole.substr(0, colon), port = whole.substr(colon + 1);
    if (port.find_first_not_of("0123456789") != std::string::npos)
        return false;
    if (host.front() == '[' && host.back() == ']')
        host = host.substr(1, host.size() - 2);
    lt::error_code ec;
    lt::address const address = lt::make_address(host, ec);
    unsigned long const number = std::stoul(port);
    if (ec || number == 0 || number > 65535 || address.is_unspecified())
        return false;
    out = lt::tcp::endpoint(address, static_cast<unsigned short>(number));
    return true;
}

std::string endpoint_print(const lt::tcp::endpoint &e)
{
    std::string const host = e.address().to_string();
    return (e.address().is_v6() ? "[" + host + "]" : host) + ":" + std::to_string(e.port());
}

enum err caught(struct error *e)
{
    try {
        throw;
    } catch (const failure &f) {
        return fail(e, f.code, "%s", f.text.c_str());
    } catch (const lt::system_error &f) {
        return fail(e, ERR_IO, "the swarm: %s", f.what());
    } catch (const std::exception &f) {
        return fail(e, ERR_FAILED, "the swarm: %s", f.what());
    } catch (...) {
        return fail(e, ERR_FAILED, "the swarm failed without saying why");
    }
}

torrent *find(swarm &s, const sha256 *name)
{
    auto const i = s.torrents.find(*name);
    return i == s.torrents.end() ? nullptr : &i->second;
}

torrent *find(swarm &s, const lt::torrent_handle &handle)
{
    for (auto &[name, t] : s.torrents)
        if (t.handle == handle)
            return &t;
    return nullptr;
}

// The socket is bound on libtorrent's thread; a session that cannot listen is refused here, not discovered later.
static void await_listening(lt::session &session, const char *address)
{
    int64_t const end = now_ms() + 3000;
    while (now_ms() < end) {
        if (session.wait_for_alert(std::chrono::milliseconds(200)) == nullptr)
            continue;
        std::vector<lt::alert *> alerts;
        session.pop_alerts(&alerts);
        for (lt::alert *a : alerts) {
            if (auto const *bad = lt::alert_cast<lt::listen_failed_alert>(a))
                throw failure{ERR_IO, std::string("cannot listen on ") + address + " for neighbours: " + bad->error.message()};
            if (lt::alert_cast<lt::listen_succeeded_alert>(a) != nullptr)
                return;
        }
    }
    throw failure{ERR_TIMEOUT, std::string("cannot listen on ") + address + " for neighbours: no answer within 3 s"};
}

} // namespace ferry

using namespace ferry;

extern "C" enum err swarm_open(const struct swarm_options *options, void (*ring)(void *ctx), void *ctx, struct swarm **out, struct error *e)
{
    try {
        auto s = std::make_unique<swarm>();
        if (!endpoint_read(options->listen, s->listen))
            throw failure{ERR_USAGE, std::string("cannot listen on \"") + (options->listen ? options->listen : "") +
                                         "\": an address and a port like 10.1.0.7:6881 are wanted"};
        s->filter = filter_of(options->allow);
        s->tls = options->ssl;
        if (s->tls)
            resumption_off();
        // No plugin but smart_ban: metadata and peers are never taken from peers.
        lt::session_params params(settings_of(*options), std::vector<std::shared_ptr<lt::plugin>>{});
        params.disk_io_constructor = lt::posix_disk_io_constructor; // mapped pages would count as resident memory (p2p.md 5.6)
        params.ip_filter = s->filter;
        s->session = std::make_unique<lt::session>(std::move(params));
        s->session->add_extension(&lt::create_smart_ban_plugin);
        limit_peers(*s->session, *options);
        await_listening(*s->session, options->listen);
        s->bell = std::make_shared<bell>();
        s->bell->ring = ring;
        s->bell->ctx = ctx;
        s->session->set_alert_notify([b = s->bell] { b->sound(); });
        *out = s.release();
        return OK;
    } catch (...) {
        return caught(e);
    }
}

extern "C" void swarm_close(struct swarm *s)
{
    if (s == nullptr)
        return;
    s->bell->mute();
    try {
        lt::session_proxy proxy = s->session->abort();
        s->torrents.clear();
        s->session.reset();
        // The proxy's end waits for libtorrent's thread; a disk that hangs must not hang us.
        auto gone = std::make_shared<std::promise<void>>();
        std::future<void> const ended = gone->get_future();
        std::thread waiter([p = std::move(proxy), gone]() mutable {
            { lt::session_proxy const last = std::move(p); }
            gone->set_value();
        });
        if (ended.wait_for(std::chrono::seconds(2)) == std::future_status::ready)
            waiter.join();
        else
            waiter.detach();
    } catch (const std::exception &) {
        // Nothing is left to be done with a session that cannot end.
    }
    identity_wipe(*s);
    delete s;
}

extern "C" void swarm_hurry(struct swarm *s, bool hurry)
{
    try {
        lt::settings_pack pack;
        pack.set_int(lt::settings_pack::tick_interval, hurry ? tick_hurried : tick_at_rest);
        s->session->apply_settings(std::move(pack));
    } catch (const std::exception &) {
        // A slower tick is all that is lost.
    }
}
