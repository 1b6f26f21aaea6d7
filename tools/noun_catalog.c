/* ferry catalog, update, search: what the vendors offer, and how it is found. */
#include "tools/verb.h"

static const struct flag add_flags[] = {
    {"uri", FLAG_TEXT, NULL, "URI", "the archive, as in sources.list: http://deb.example.org/debian-security"},
    {"suite", FLAG_TEXT, NULL, "SUITE", "bookworm-security"},
    {"component", FLAG_LIST, "components", "NAME", "main"},
    {"arch", FLAG_TEXT, NULL, "ARCH", "architecture; the site's own unless given"},
    {"keyring", FLAG_PATH, NULL, "FILE", "binary OpenPGP keyring whose keys may sign the archive"},
    {NULL, FLAG_BOOL, NULL, NULL, NULL},
};
static const struct flag sync_flags[] = {
    {"only", FLAG_LIST, "names", "NAME", "these catalogs, not all"},
    {NULL, FLAG_BOOL, NULL, NULL, NULL},
};
const struct verb catalog_verbs[] = {
    {"catalog", "add", "TYPE NAME", add_flags, "POST", "/api/v1/catalogs", NULL, NULL, "name a vendor's catalog; TYPE is apt",
     "ferry catalog add apt debian-security --uri http://deb.example.org/debian-security --suite bookworm-security --component main "
     "--keyring /usr/share/keyrings/debian-archive-keyring.gpg"},
    {"catalog", "sync", NULL, sync_flags, "POST", "/api/v1/catalogs/sync", NULL, run_job,
     "fetch and verify every catalog; on any doubt the old one stays", NULL},
    {"catalog", "list", NULL, NULL, "GET", "/api/v1/catalogs", "name:NAME uri:URI suite:SUITE updates:UPDATES:n synced:SYNCED", NULL,
     "catalogs and when they were synced", NULL},
    {"catalog", "remove", "NAME", NULL, "DELETE", "/api/v1/catalogs/{name}", NULL, NULL, "forget a catalog that no group uses", NULL},
    {NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL},
};

static const struct flag list_flags[] = {
    {"filter", FLAG_TEXT, NULL, "EXPRESSION", "classification = security and required >= 1 and not title contains \"kernel\""},
    {"search", FLAG_TEXT, NULL, "NAME", "a saved search; together with --filter: what both select"},
    {"text", FLAG_TEXT, NULL, "WORDS", "words of title, name, article, bulletin or CVE; every one somewhere"},
    {"sort", FLAG_TEXT, NULL, "PROPERTY", "name, required, released, size; - in front reverses"},
    {"limit", FLAG_NUMBER, NULL, "N", "at most so many; 100"},
    {NULL, FLAG_BOOL, NULL, NULL, NULL},
};
static const struct flag command_flags[] = {
    {"title", FLAG_TEXT, NULL, "TEXT", "what people see"},
    {"description", FLAG_TEXT, NULL, "TEXT", "the long text"},
    {"article", FLAG_LIST, "articles", "ID", "a number of the vendor's knowledge base"},
    {"bulletin", FLAG_LIST, "bulletins", "ID", "a security bulletin"},
    {"cve", FLAG_LIST, "cves", "ID", "what it closes"},
    {"language", FLAG_LIST, "languages", "WORD", "what it is for: de"},
    {"released", FLAG_TEXT, NULL, "DATE", "when its vendor released it: 2026-11-10"},
    {"version", FLAG_TEXT, NULL, "VERSION", "1 unless given"},
    {"classification", FLAG_TEXT, NULL, "WORD", "update, security, critical, tool …"},
    {"severity", FLAG_TEXT, NULL, "WORD", "low, moderate, important, critical"},
    {"file", FLAG_PATHS, "files", "PATH", "a file that belongs to it; the site reads it"},
    {"program", FLAG_TEXT, NULL, "NAME", "one of the files, or an absolute path below the node's root"},
    {"arg", FLAG_EACH, "args", "TEXT", "its arguments; {root} and {content} are replaced"},
    {"return", FLAG_LIST, "codes", "N=success|restart|retry|failure", "the table of return codes; 0 is success unless listed"},
    {"detect-program", FLAG_TEXT, "detect_program", "NAME", "exits 0 when installed, 1 when required, 2 when not applicable"},
    {"detect-file", FLAG_TEXT, "detect_file", "PATH", "installed when this file below the root …"},
    {"detect-sha256", FLAG_TEXT, "detect_sha256", "HEX", "… has this SHA-256"},
    {"max-run", FLAG_TEXT, "max_run", "DURATION", "asked to stop then, killed 30 s later; 1h unless given"},
    {"applies", FLAG_TEXT, NULL, "EXPRESSION", "facts of the nodes it is for; all unless given"},
    {NULL, FLAG_BOOL, NULL, NULL, NULL},
};
static const struct flag set_flags[] = {
    {"custom-severity", FLAG_TEXT, NULL, "WORD", "your own: none, low, moderate, important, critical"},
    {NULL, FLAG_BOOL, NULL, NULL, NULL},
};

#define UPDATE_COLUMNS \
    "name:NAME version:VERSION classification:CLASS required:REQUIRED:n installed:INSTALLED:n unknown:UNKNOWN:n size:SIZE:size " \
    "title:TITLE"
const struct verb update_verbs[] = {
    {"update", "list", NULL, list_flags, "GET", "/api/v1/updates", UPDATE_COLUMNS, NULL, "updates of every catalog",
     "ferry update list --filter 'classification = security and required >= 1'"},
    {"update", "show", "ID", NULL, "GET", "/api/v1/updates/{id}", NULL, NULL, "one update: its files, its states, the groups that hold it",
     "ferry update show openssl"},
    {"update", "set", "ID", set_flags, "PATCH", "/api/v1/updates/{id}", NULL, NULL, "your own severity, which filters know",
     "ferry update set openssl --custom-severity important"},
    {"update", "add", "NAME", command_flags, "POST", "/api/v1/updates", NULL, NULL, "make an update that runs a program (type command)",
     "ferry update add banner --file ./set-banner.sh --program set-banner.sh --arg '{root}' --detect-file /etc/banner --detect-sha256 HEX"},
    {NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL},
};

static const struct flag save_flags[] = {
    {"description", FLAG_TEXT, NULL, "TEXT", "for people"},
    {NULL, FLAG_BOOL, NULL, NULL, NULL},
};
static const struct flag run_flags[] = {
    {"filter", FLAG_TEXT, NULL, "EXPRESSION", "and what this selects as well"},
    {"sort", FLAG_TEXT, NULL, "PROPERTY", "name, required, released, size; - in front reverses"},
    {"limit", FLAG_NUMBER, NULL, "N", "at most so many; 100"},
    {NULL, FLAG_BOOL, NULL, NULL, NULL},
};
const struct verb search_verbs[] = {
    {"search", "save", "NAME FILTER", save_flags, "POST", "/api/v1/searches", NULL, NULL, "give a filter a name; saved again: another filter",
     "ferry search save urgent '(classification = security or classification = critical) and required > 50'"},
    {"search", "list", NULL, NULL, "GET", "/api/v1/searches", "name:NAME changed:CHANGED:time filter:FILTER:text description:DESCRIPTION:text",
     NULL, "saved searches", NULL},
    {"search", "show", "NAME", NULL, "GET", "/api/v1/searches/{name}", NULL, NULL, "its filter, how many it finds, which rules use it", NULL},
    {"search", "run", "NAME", run_flags, "GET", "/api/v1/searches/{name}/updates", UPDATE_COLUMNS, NULL, "the updates it finds", NULL},
    {"search", "delete", "NAME", NULL, "DELETE", "/api/v1/searches/{name}", NULL, NULL, "forget it", NULL},
    {NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL},
};
