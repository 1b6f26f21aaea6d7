// Who may connect: the allow list, the neighbours that are wired, and nobody who is blocked. libtorrent asks the filter before it connects and
// after somebody has; an SSL session's handshake comes before that, so an address that is blocked may still be told our certificate.
#include "dht/session.hpp"

namespace ferry {

// "10.1.0.0/16" → the first and last address of it.
static void allow_cidr(lt::ip_filter &filter, const std::string &text)
{
    size_t const slash = text.find('/');
    lt::error_code ec;
    lt::address const base = lt::make_address(text.substr(0, slash), ec);
    int const longest = !ec && base.is_v6() ? 128 : 32;
    std::string const digits = slash == std::string::npos ? std::to_string(longest) : text.substr(slash + 1);
    bool const number = !digits.empty() && digits.size() <= 3 && digits.find_first_not_of("0123456789") == std::string::npos;
    if (ec || !number || std::stoi(digits) > longest)
        throw failure{ERR_USAGE, "\"" + text + "\" is not an address range; 10.1.0.0/16 or 2001:db8::/32 would be"};
    auto const span = [&](auto bytes) {
        auto first = bytes, last = bytes;
        for (size_t bit = static_cast<size_t>(std::stoi(digits)); bit < bytes.size() * 8; bit++) {
            unsigned char const mask = static_cast<unsigned char>(0x80u >> (bit % 8));
            first[bit / 8] = static_cast<unsigned char>(first[bit / 8] & ~mask);
            last[bit / 8] = static_cast<unsigned char>(last[bit / 8] | mask);
        }
        return std::make_pair(first, last);
    };
    if (base.is_v6()) {
        auto const [first, last] = span(base.to_v6().to_bytes());
        filter.add_rule(lt::address_v6(first), lt::address_v6(last), 0);
    } else {
        auto const [first, last] = span(base.to_v4().to_bytes());
        filter.add_rule(lt::address_v4(first), lt::address_v4(last), 0);
    }
}

// Everybody is a stranger until named.
lt::ip_filter filter_of(const char *const *allow)
{
    lt::ip_filter filter;
    filter.add_rule(lt::make_address("0.0.0.0"), lt::make_address("255.255.255.255"), lt::ip_filter::blocked);
    filter.add_rule(lt::make_address("::"), lt::make_address("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"), lt::ip_filter::blocked);
    for (; allow != nullptr && *allow != nullptr; allow++)
        allow_cidr(filter, *allow);
    return filter;
}

bool filter_blocks(const swarm &s, const lt::address &address)
{
    return s.blocked.count(address) > 0;
}

void filter_apply(swarm &s, const std::set<lt::address> &nor)
{
    lt::ip_filter filter = s.filter;
    for (const lt::address &a : s.allowed)
        filter.add_rule(a, a, 0);
    for (const lt::address &a : s.blocked)
        filter.add_rule(a, a, lt::ip_filter::blocked);
    for (const lt::address &a : nor)
        filter.add_rule(a, a, lt::ip_filter::blocked);
    s.session->set_ip_filter(filter);
}

// Policy says where a retired node was last: an address, or an address and a port.
static bool address_read(const char *text, lt::address &out)
{
    lt::error_code ec;
    lt::tcp::endpoint whole;
    out = lt::make_address(text, ec);
    if (!ec)
        return true;
    bool const good = endpoint_read(text, whole);
    out = whole.address();
    return good;
}

} // namespace ferry

using namespace ferry;

extern "C" void swarm_block(struct swarm *s, const char *const *addresses)
{
    try {
        std::set<lt::address> blocked;
        lt::address one;
        for (; addresses != nullptr && *addresses != nullptr; addresses++)
            if (address_read(*addresses, one))
                blocked.insert(one);
        if (blocked == s->blocked)
            return;
        s->blocked.swap(blocked);
        filter_apply(*s);
        for (auto &[name, t] : s->torrents)
            for (const lt::tcp::endpoint &peer : t.wired)
                if (blocked.count(peer.address()) > 0)      // was; wire() knows whether it still is
                    wire(*s, t, peer);
    } catch (const std::exception &) {
        // Out of memory: certificates that run out are what is left.
    }
}
