// TLS within the swarm: who we are to neighbours, and what is said when a certificate does not do. libtorrent checks that a neighbour's was signed by
// the CA inside the torrent and names the torrent or "*", OpenSSL that it holds now.
#include "dht/session.hpp"

#include <string.h>

#include <libtorrent/ssl.hpp>
#include <openssl/ssl.h>

namespace ferry {

static const int64_t tell_again = 60000;        // ms
static const size_t told_most = 256;            // strangers may call from anywhere
static const int alerts_from = 1000;            // OpenSSL: reasons above are alerts, what the other end objected to

// RFC 7919 ffdhe2048, as "openssl genpkey -genparam -algorithm DH -pkeyopt group:ffdhe2048" prints it. libtorrent will not do without;
// TLS 1.3, which is what two nodes speak, has no use for them.
static const char dh_parameters[] = "-----BEGIN DH PARAMETERS-----\n"
                                    "MIIBCAKCAQEA//////////+t+FRYortKmq/cViAnPTzx2LnFg84tNpWp4TZBFGQz\n"
                                    "+8yTnc4kmz75fS/jY2MMddj2gbICrsRhetPfHtXV/WVhJDP1H18GbtCFY2VVPe0a\n"
                                    "87VXE15/V8k1mE8McODmi3fipona8+/och3xWKE2rec1MKzKT0g6eXq8CrGCsyT7\n"
                                    "YdEIqUuyyOP7uWrat2DX9GgdT0Kj3jlN9K5W7edjcrsZCwenyO4KbXCeAvzhzffi\n"
                                    "7MA0BM0oNC9hkXL+nOmFg/+OTxIy7vKBg8P+OxtMb61zO7X8vC7CIAXFjvGDfRaD\n"
                                    "ssbzSibBsu/6iGtCOGEoXJf//////////wIBAg==\n"
                                    "-----END DH PARAMETERS-----\n";

// A session ticket is an entrance without a certificate: whoever was in once could come again and again after its own ran out, for as long as
// our session lives. libtorrent does not let us at its contexts; OpenSSL calls this for every one that is made in this process. With neither
// tickets nor a cache behind them nothing can be resumed. Of clients it takes nothing: libcurl keeps its sessions itself.
static void on_context(void *context, void *, CRYPTO_EX_DATA *, int, long, void *)
{
    SSL_CTX_set_options(static_cast<SSL_CTX *>(context), SSL_OP_NO_TICKET);
    SSL_CTX_set_session_cache_mode(static_cast<SSL_CTX *>(context), SSL_SESS_CACHE_OFF);
}

void resumption_off()
{
    static std::once_flag once;
    std::call_once(once, [] { SSL_CTX_get_ex_new_index(0, nullptr, on_context, nullptr, nullptr); });
}

void identity_give(const swarm &s, torrent &t)
{
    if (s.tls && !s.certificate.empty())
        t.handle.set_ssl_certificate_buffer(s.certificate, s.key, dh_parameters);
}

void identity_wipe(swarm &s)
{
    explicit_bzero(s.key.data(), s.key.size());
    s.key.clear();
}

// Room for one more address that was told of; false when so many are that it would be a storm.
static bool room_to_tell(swarm &s, int64_t now)
{
    if (s.told.size() < told_most)
        return true;
    for (auto i = s.told.begin(); i != s.told.end();)
        i = now - i->second >= tell_again ? s.told.erase(i) : std::next(i);
    return s.told.size() < told_most;
}

void tls_judge(swarm &s, const torrent *t, const lt::tcp::endpoint &remote, const lt::error_code &ec)
{
    if (std::strcmp(ec.category().name(), "asio.ssl") != 0)    // by name: libtorrent's own copy of the category is another object
        return;
    int const reason = ERR_GET_REASON(static_cast<unsigned long>(ec.value()));
    if (reason == SSL_R_TLSV1_UNRECOGNIZED_NAME || reason == SSL_R_CALLBACK_FAILED)
        return;                                 // whoever was called does not have that torrent yet: no matter of trust
    if (t != nullptr && s.allowed.count(remote.address()) > 0)
        s.estranged.insert(remote.address());
    int64_t const now = now_ms();
    auto const before = s.told.find(remote.address());
    if (before != s.told.end() ? now - before->second < tell_again : !room_to_tell(s, now))
        return;
    s.told[remote.address()] = now;
    swarm_event event = event_of(SWARM_UNTRUSTED, t != nullptr ? t->name : sha256{});
    // The port of one who called us says nothing.
    std::string const who = t != nullptr ? endpoint_print(listen_of(*t, remote, "")) : remote.address().to_string();
    std::snprintf(event.peer, sizeof event.peer, "%s", who.c_str());
    std::snprintf(event.text, sizeof event.text, "TLS with %s: %s: %s", event.peer,
                  reason > alerts_from ? "it refuses this node's certificate"
                                                                                       : "no certificate of this fleet that holds now",
                  ec.message().c_str());
    s.queue.push_back(event);
}

} // namespace ferry

using namespace ferry;

extern "C" void swarm_identify(struct swarm *s, const char *key_pem, const char *certificate_pem)
{
    try {
        identity_wipe(*s);
        s->key = key_pem;
        s->certificate = certificate_pem;
        for (auto &[name, t] : s->torrents)
            identity_give(*s, t);
        // After some 30 failures libtorrent asks a neighbour no more. Blocked for a moment, it is forgotten, and new when it is wired below.
        if (!s->estranged.empty()) {
            filter_apply(*s, s->estranged);
            filter_apply(*s);
        }
        s->estranged.clear();
        s->told.clear();
        for (auto &[name, t] : s->torrents)
            for (const lt::tcp::endpoint &peer : t.wired)
                wire(*s, t, peer);
    } catch (const std::exception &) {
        // Out of memory, or a torrent is being removed: the next renewal comes.
    }
}
