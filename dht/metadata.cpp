// Torrent files: made from content, and foreign ones judged before libtorrent's session sees them. BEP 52, hybrid: a piece is good only when both
// its SHA-256 (v2) and its SHA-1 (v1) are. Not v2 alone: when a neighbour's piece fails in a v2-only torrent, libtorrent up to 2.0.13 asks for
// block hashes, and a neighbour that refuses makes it write outside its memory (hash_picker::hashes_rejected).
#include "dht/session.hpp"

#include <cerrno>
#include <cstdio>
#include <cstdlib>

#include <libtorrent/bencode.hpp>
#include <libtorrent/create_torrent.hpp>
#include <libtorrent/file_storage.hpp>
#include <libtorrent/hasher.hpp>

namespace ferry {

static const size_t torrent_limit = 1 << 20;     // 52 bytes a piece: 20,000 pieces
static const size_t leaf = 16384;               // BEP 52: the tree's leaves
static const size_t ca_limit = 4096;            // PEM; ed25519 ones have 600
static const char ca_begins[] = "-----BEGIN CERTIFICATE-----\n";
static const size_t piece_least = leaf, piece_most = 4 << 20;
static const size_t piece_usual = 65536;        // below that the requests cost more than they share
static const uint64_t pieces_aimed = 256;

// Content of a piece or less is one piece; else about 256 of them, so that a branch has something to share out.
static size_t piece_size_for(uint64_t size)
{
    size_t piece = piece_least;
    if (size <= piece_usual) {
        while (piece < size)
            piece *= 2;
        return piece;
    }
    for (piece = piece_usual; piece < piece_most && piece * pieces_aimed < size; piece *= 2)
        ;
    return piece;
}

static sha256 pair(const sha256 &left, const sha256 &right)
{
    uint8_t both[2 * SHA256_SIZE];
    std::memcpy(both, left.b, SHA256_SIZE);
    std::memcpy(both + SHA256_SIZE, right.b, SHA256_SIZE);
    return hash_bytes(both, sizeof both);
}

// The root of hashes, filled up to width (a power of two) with pad.
static sha256 root_of(std::vector<sha256> hashes, size_t width, const sha256 &pad)
{
    hashes.resize(width, pad);
    for (; width > 1; width /= 2)
        for (size_t i = 0; i < width / 2; i++)
            hashes[i] = pair(hashes[2 * i], hashes[2 * i + 1]);
    return hashes[0];
}

static size_t width_for(size_t count)
{
    size_t width = 1;
    while (width < count)
        width *= 2;
    return width;
}

static sha256 piece_root(const uint8_t *bytes, size_t size, size_t width)
{
    std::vector<sha256> leaves;
    for (size_t at = 0; at < size; at += leaf)
        leaves.push_back(hash_bytes(bytes + at, size - at < leaf ? size - at : leaf));
    return root_of(std::move(leaves), width, sha256{});
}

static lt::sha256_hash foreign(const sha256 &h)
{
    return lt::sha256_hash(reinterpret_cast<const char *>(h.b));
}

// What the pieces' layer must add up to.
static bool layer_is_whole(const lt::torrent_info &info)
{
    lt::file_index_t const file{0};
    int const pieces = info.num_pieces();
    lt::span<char const> const layer = info.piece_layer(file);
    if (pieces <= 1)
        return pieces == 1;                     // its root is the piece's own hash
    if (layer.size() != static_cast<std::ptrdiff_t>(pieces) * SHA256_SIZE)
        return false;
    std::vector<sha256> hashes(static_cast<size_t>(pieces));
    for (size_t i = 0; i < hashes.size(); i++)
        std::memcpy(hashes[i].b, layer.data() + i * SHA256_SIZE, SHA256_SIZE);
    sha256 const pad = root_of({}, static_cast<size_t>(info.piece_length()) / leaf, sha256{});
    size_t const width = width_for(hashes.size());
    return foreign(root_of(std::move(hashes), width, pad)) == info.files().root(file);
}

static std::string hex_of(const sha256 &name)
{
    char hex[SHA256_HEX];
    return sha256_hex(&name, hex);
}

// libtorrent fills the last piece up with a pad file that exists only in its mind.
static bool is_the_file(const lt::file_storage &files, const std::string &hex)
{
    lt::file_index_t const file{0}, pad{1};
    if (files.num_files() < 1 || files.num_files() > 2 || (files.num_files() == 2 && !files.pad_file_at(pad)))
        return false;
    return files.name() == hex && files.file_path(file) == hex && files.file_flags(file) == lt::file_flags_t{};
}

std::string ca_of(const lt::torrent_info &info)
{
    return std::string(info.ssl_cert());
}

static bool is_a_ca(const std::string &text)
{
    return text.size() <= ca_limit && text.compare(0, sizeof ca_begins - 1, ca_begins) == 0;
}

// None, or one libtorrent will not overlook: an empty one, or none in words, would be no CA to it.
static bool ca_is_sound(const lt::torrent_info &info)
{
    return info.info("ssl-cert").type() == lt::bdecode_node::none_t || is_a_ca(ca_of(info));
}

// What is wrong with it, "" nothing.
static std::string judge(const lt::torrent_info &info, const sha256 &name)
{
    if (!info.is_valid() || !info.info_hashes().has_v2() || !info.info_hashes().has_v1())
        return "it is not a hybrid torrent (BitTorrent v2 with v1 hashes)";
    if (!is_the_file(info.files(), hex_of(name)))
        return "it is not a single plain file named " + hex_of(name);
    if (content_size_of(info) < 1)
        return "its content is empty";
    size_t const piece = static_cast<size_t>(info.piece_length());
    if (piece < piece_least || piece > piece_most || (piece & (piece - 1)) != 0)
        return "its pieces are of " + std::to_string(piece) + " bytes; a power of two from 16 KiB to 4 MiB is accepted";
    if (!info.trackers().empty() || !info.web_seeds().empty() || !info.nodes().empty())
        return "it names trackers, web seeds or DHT nodes; only content is accepted";
    if (!ca_is_sound(info))
        return "its ssl-cert is not a PEM certificate of at most 4096 bytes";
    if (!layer_is_whole(info))
        return "its piece layer is missing or does not add up to its root";
    return "";
}

std::int64_t content_size_of(const lt::torrent_info &info)
{
    return info.files().file_size(lt::file_index_t{0});
}

std::shared_ptr<lt::torrent_info> torrent_parse(const uint8_t *bytes, size_t size, const sha256 &name)
{
    if (size == 0 || size > torrent_limit)
        throw failure{ERR_VERIFY, "torrent of " + std::to_string(size) + " bytes; 1 byte to 1 MiB is accepted"};
    lt::load_torrent_limits limits;
    limits.max_buffer_size = static_cast<int>(torrent_limit);
    limits.max_pieces = static_cast<int>(torrent_limit / SHA256_SIZE);
    limits.max_decode_depth = 12;
    limits.max_decode_tokens = 500;
    std::shared_ptr<lt::torrent_info> info;
    try {
        lt::span<char const> const span(reinterpret_cast<const char *>(bytes), static_cast<std::ptrdiff_t>(size));
        info = std::make_shared<lt::torrent_info>(span, limits, lt::from_span);
    } catch (const std::exception &e) {
        throw failure{ERR_VERIFY, std::string("torrent cannot be read: ") + e.what()};
    }
    std::string const wrong = judge(*info, name);
    if (!wrong.empty())
        throw failure{ERR_VERIFY, "torrent refused: " + wrong};
    return info;
}

bool piece_is_good(const lt::torrent_info &info, uint32_t piece, const void *bytes, size_t size)
{
    lt::piece_index_t const index{static_cast<int>(piece)};
    if (size != static_cast<size_t>(info.files().piece_size2(index)))
        return false;
    const uint8_t *data = static_cast<const uint8_t *>(bytes);
    if (info.num_pieces() == 1)
        return foreign(piece_root(data, size, width_for((size + leaf - 1) / leaf))) == info.files().root(lt::file_index_t{0});
    sha256 const root = piece_root(data, size, static_cast<size_t>(info.piece_length()) / leaf);
    return std::memcmp(root.b, info.piece_layer(lt::file_index_t{0}).data() + size_t{piece} * SHA256_SIZE, SHA256_SIZE) == 0;
}

struct closer {
    void operator()(std::FILE *file) const
    {
        std::fclose(file);
    }
};
using file = std::unique_ptr<std::FILE, closer>;

static failure failure_of_errno(const std::string &what)
{
    error e{};
    enum err const code = fail_errno(&e, "%s", what.c_str());
    return failure{code, e.text};
}

static file file_open(const char *path, uint64_t &size)
{
    file f(std::fopen(path, "rbe"));
    if (!f || std::fseek(f.get(), 0, SEEK_END) != 0)
        throw failure_of_errno(path);
    long const end = std::ftell(f.get());
    if (end < 0)
        throw failure_of_errno(path);
    std::rewind(f.get());
    if (end == 0)
        throw failure{ERR_USAGE, std::string(path) + " is empty; content of at least one byte is accepted"};
    size = static_cast<uint64_t>(end);
    return f;
}

struct piece_hashes {
    std::vector<sha256> roots;                  // v2
    std::vector<lt::sha1_hash> sums;            // v1
};

// One pass over the file: the pieces' hashes, and whether it is what its name says.
static piece_hashes pieces_of(const char *path, const sha256 &name, uint64_t &size, size_t &piece)
{
    file const f = file_open(path, size);
    piece = piece_size_for(size);
    size_t const width = size <= piece ? width_for(static_cast<size_t>((size + leaf - 1) / leaf)) : piece / leaf;
    std::vector<uint8_t> buffer(piece);
    piece_hashes out;
    hash *whole = hash_new();
    size_t got;
    uint64_t total = 0;
    while ((got = std::fread(buffer.data(), 1, piece, f.get())) > 0) {
        hash_add(whole, buffer.data(), got);
        total += got;
        out.roots.push_back(piece_root(buffer.data(), got, width));
        out.sums.push_back(lt::hasher(reinterpret_cast<const char *>(buffer.data()), static_cast<int>(got)).final());
    }
    sha256 const digest = hash_free(whole);
    if (std::ferror(f.get()))
        throw failure_of_errno(path);
    if (total != size || !sha256_same(&digest, &name))
        throw failure{ERR_VERIFY, std::string(path) + " is not the content it is named for: its SHA-256 is " + hex_of(digest) +
                                      ", wanted " + hex_of(name)};
    return out;
}

// No dates, no creator: the same bytes wherever and whenever it is made.
static std::vector<char> torrent_of(const piece_hashes &hashes, const sha256 &name, const std::string &ca, uint64_t size, size_t piece)
{
    lt::file_storage files;
    files.add_file(hex_of(name), static_cast<std::int64_t>(size));
    lt::create_torrent making(files, static_cast<int>(piece));
    making.set_creation_date(0);
    making.set_root_cert(ca);                   // "": none
    for (size_t i = 0; i < hashes.roots.size(); i++) {
        making.set_hash2(lt::file_index_t{0}, lt::piece_index_t::diff_type{static_cast<int>(i)}, foreign(hashes.roots[i]));
        making.set_hash(lt::piece_index_t{static_cast<int>(i)}, hashes.sums[i]);
    }
    std::vector<char> out;
    lt::bencode(std::back_inserter(out), making.generate());
    return out;
}

} // namespace ferry

using namespace ferry;

extern "C" enum err swarm_torrent_make(const char *path, const struct sha256 *name, const char *ca_pem, uint8_t **torrent, size_t *size,
                                       struct sha256 *info_hash, struct error *e)
{
    try {
        std::string const ca = ca_pem ? ca_pem : "";
        if (ca_pem != nullptr && !is_a_ca(ca))
            throw failure{ERR_USAGE, "the CA of a torrent has to be a PEM certificate of at most 4096 bytes"};
        uint64_t length = 0;
        size_t piece = 0;
        piece_hashes const hashes = pieces_of(path, *name, length, piece);
        std::vector<char> const bytes = torrent_of(hashes, *name, ca, length, piece);
        auto const info = torrent_parse(reinterpret_cast<const uint8_t *>(bytes.data()), bytes.size(), *name);
        uint8_t *copy = static_cast<uint8_t *>(std::malloc(bytes.size()));
        if (copy == nullptr)
            throw std::bad_alloc();
        std::memcpy(copy, bytes.data(), bytes.size());
        std::memcpy(info_hash->b, info->info_hashes().v2.data(), SHA256_SIZE);
        *torrent = copy;
        *size = bytes.size();
        return OK;
    } catch (...) {
        return caught(e);
    }
}

extern "C" enum err swarm_torrent_check(const uint8_t *torrent, size_t size, const struct sha256 *name, uint64_t content_size,
                                        const struct sha256 *info_hash, const char *ca_pem, uint32_t *piece_size, struct error *e)
{
    try {
        auto const info = torrent_parse(torrent, size, *name);
        if (static_cast<uint64_t>(content_size_of(*info)) != content_size)
            return fail(e, ERR_VERIFY, "torrent refused: its content has %lld bytes, %llu are wanted",
                        static_cast<long long>(content_size_of(*info)), static_cast<unsigned long long>(content_size));
        if (ca_of(*info) != (ca_pem ? ca_pem : ""))
            return fail(e, ERR_VERIFY, "torrent refused: %s", ca_pem == nullptr        ? "it has a CA, and this fleet has none"
                                                              : ca_of(*info).empty() ? "it has no CA: strangers would be neighbours"
                                                                                     : "its CA is not this fleet's");
        if (std::memcmp(info->info_hashes().v2.data(), info_hash->b, SHA256_SIZE) != 0)
            return fail(e, ERR_VERIFY, "torrent refused: its info-hash is not the one that was signed");
        if (piece_size != nullptr)
            *piece_size = static_cast<uint32_t>(info->piece_length());
        return OK;
    } catch (...) {
        return caught(e);
    }
}
