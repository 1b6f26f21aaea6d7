/* The world an apt-get of ours lives in: one APT_CONFIG that names everything, so that nothing of the host's is read (a host's apt.conf.d
 * can switch checks off), lists that are empty at first (with old ones an altered InRelease is only a warning), a mirror only we can write.
 * experiments.md 1-2. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "node/client/install_run.h"
#include "node/client/root.h"

#define LOCK_WAIT_S 20

static const char policy_rc_d[] =
    "#!/bin/sh\n# Ferry installs into this root: nothing is started. Removed when the installation ends.\nexit 101\n";

/* sources.list and apt.conf have no way to quote these. */
static enum err check_path(const char *what, const char *path, struct error *e)
{
    for (const char *c = path; *c; c++)
        if (*c <= ' ' || *c > '~' || strchr("\"\\[]{};#%'", *c))
            return fail(e, ERR_CONDITION, "%s \"%s\": apt's files cannot hold such a path; letters, digits and ._+~,@:=/- are accepted",
                        what, path);
    return OK;
}

char *apt_world_mirror(const struct install_run *run, size_t archive)
{
    return must_print("%s/mirror/%zu", run->work, archive);
}

char **apt_world_dpkg(const struct install_run *run)
{
    bool   host = root_is_host(run->root), free_of_root = root_unprivileged(run->config);
    char **words = must_alloc(8 * sizeof(*words));
    size_t n = 0;

    if (!host) {                                /* dpkg --root alone would write the host's /var/log/dpkg.log */
        words[n++] = must_print("--root=%s", run->root);
        words[n++] = must_print("--log=%s/log/dpkg.log", run->work);
    }
    if (free_of_root) {
        words[n++] = must_copy("--force-not-root");
        words[n++] = must_copy("--force-script-chrootless");
    }
    words[n++] = must_copy("--force-confdef");
    words[n++] = must_copy("--force-confold");
    return words;
}

/* dpkg looks up owners by name (statoverrides, archives' members) in /etc/passwd and /etc/group of where it runs, and reads /etc/dpkg
 * there. With another root those have to be the root's: a name the host lacks ends dpkg, one that means another number there gives files
 * away. So its /etc is the root's, in a mount namespace of its own. Where that is not allowed (some containers) dpkg runs as it is. */
static bool needs_namespace(const struct install_run *run)
{
    char *AUTO(text_free) etc = root_join(run->root, "/etc/passwd");

    return geteuid() == 0 && !root_is_host(run->root) && file_exists(etc);
}

char *apt_world_program(const struct install_run *run)
{
    return needs_namespace(run) ? must_print("%s/dpkg", run->work) : must_copy("/usr/bin/dpkg");
}

static enum err write_program(const struct install_run *run, struct error *e)
{
    char *AUTO(text_free) path = must_print("%s/dpkg", run->work);
    char *AUTO(text_free) text =
        must_print("#!/bin/sh\n"
                   "enter='unshare --mount --propagation private'\n"
                   "$enter true 2>/dev/null || exec /usr/bin/dpkg \"$@\"\n"
                   "exec $enter /bin/sh -c 'mount --bind \"$0/etc\" /etc && exec /usr/bin/dpkg \"$@\"' \"%s\" \"$@\"\n",
                   run->root);

    return needs_namespace(run) ? file_write(path, text, strlen(text), 0700, e) : OK;
}

static void add_architectures(struct text *t, const struct install_run *run)
{
    char *AUTO(text_free) path = root_join(run->root, "/var/lib/dpkg/arch");
    const char *main = run->snapshot_count ? run->snapshots[0].arch : "amd64";
    char       *text = NULL, *save = NULL;
    size_t      length;

    text_add(t, "APT::Architecture \"%s\";\nAPT::Architectures { \"%s\";", main, main);
    if (file_read(path, 4096, &text, &length, NULL) == OK)
        for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
            if (strcmp(line, main) != 0 && strspn(line, "abcdefghijklmnopqrstuvwxyz0123456789-") == strlen(line))
                text_add(t, " \"%s\";", line);
    free(text);
    text_add(t, " };\n");
}

/* The marks of packages that came only as dependencies belong to the root, so that the administrator's autoremove keeps working. */
static void add_state(struct text *t, const struct install_run *run)
{
    char *AUTO(text_free) status = root_join(run->root, "/var/lib/dpkg/status"),
                          *AUTO(text_free) kept = root_join(run->root, "/var/lib/apt");
    bool  there = access(kept, W_OK | X_OK) == 0;

    text_add(t, "Dir::State::status \"%s\";\nDir::State::extended_states \"%s/extended_states\";\nDir::Log \"%s\";\n", status,
             there ? kept : run->work, root_is_host(run->root) ? "/var/log/apt" : "log");
}

static void add_options(struct text *t, const struct install_run *run)
{
    char **words = apt_world_dpkg(run);

    text_add(t, "DPkg::Options {");
    for (size_t i = 0; words[i]; i++)
        text_add(t, " \"%s\";", words[i]);
    text_add(t, " };\n");
    words_free(words);
}

static enum err write_config(const struct install_run *run, struct error *e)
{
    char *AUTO(text_free) path = must_print("%s/apt.conf", run->work), *AUTO(text_free) dpkg = apt_world_program(run);
    struct text AUTO(text_end) t = {0};

    text_add(&t, "Dir \"%s/\";\nDir::State \"%s\";\nDir::State::lists \"%s/lists\";\nDir::Cache \"%s/cache\";\nDir::Etc \"%s/etc\";\n",
             run->work, run->work, run->work, run->work, run->work);
    text_add(&t,
             "Dir::Etc::sourcelist \"%s/etc/sources.list\";\nDir::Etc::sourceparts \"%s/etc/sources.list.d\";\nDir::Etc::parts "
             "\"%s/etc/apt.conf.d\";\n",
             run->work, run->work, run->work);
    text_add(&t,
             "Dir::Etc::preferencesparts \"%s/etc/preferences.d\";\nDir::Etc::trusted \"/dev/null\";\nDir::Etc::trustedparts "
             "\"%s/trusted.d\";\n",
             run->work, run->work);
    text_add(&t, "Dir::Bin::dpkg \"%s\";\nDir::Bin::methods \"/usr/lib/apt/methods\";\n", dpkg);
    add_state(&t, run);
    add_architectures(&t, run);
    /* No network is used, and the mirror is 0700: apt's own unprivileged user could not read it. */
    text_add(&t, "APT::Sandbox::User \"%s\";\n", geteuid() == 0 ? "root" : "");
    text_add(&t,
             "APT::Update::Error-Mode \"any\";\nAPT::Install-Recommends \"false\";\nAPT::Get::Always-Include-Phased-Updates \"true\";\n");
    /* Freshness is checked by the site at sync and by the policy's signatures on the node; a deployment outlives the archive's seven days.
     */
    text_add(&t, "Acquire::Check-Valid-Until \"false\";\nAcquire::Check-Date \"false\";\nAcquire::Languages \"none\";\n");
    text_add(&t, "DPkg::Use-Pty \"false\";\nDPkg::Lock::Timeout \"%d\";\n", LOCK_WAIT_S);
    add_options(&t, run);
    return file_write(path, t.data, t.length, 0600, e);
}

static enum err write_sources(const struct install_run *run, struct error *e)
{
    char *AUTO(text_free) path = must_print("%s/etc/sources.list", run->work);
    struct text AUTO(text_end) t = {0};

    for (size_t i = 0; i < run->snapshot_count; i++) {
        const struct archive *a = &run->call.deployment->archives[i];
        char *AUTO(text_free) key = must_print("%s/key-%zu.gpg", run->work, i), *AUTO(text_free) mirror = apt_world_mirror(run, i);
        enum err r = file_write(key, a->keyring, a->keyring_size, 0600, e);

        if (r == OK)
            r = check_path("suite", a->suite, e);
        text_add(&t, "deb [arch=%s signed-by=%s] file:%s %s", a->arch, key, mirror, a->suite);
        for (size_t k = 0; a->components && a->components[k] && r == OK; k++) {
            r = check_path("component", a->components[k], e);
            text_add(&t, " %s", a->components[k]);
        }
        if (r != OK)
            return r;
        text_add(&t, "\n");
    }
    return file_write(path, t.data ? t.data : "", t.length, 0600, e);
}

/* apt asks for by-hash names where InRelease announces them: the same file under both. */
static enum err link_by_hash(const struct copy *c, struct error *e)
{
    char hex[SHA256_HEX];
    char *AUTO(text_free) dir = must_print("%.*s/by-hash/SHA256", (int)(strrchr(c->to, '/') - c->to), c->to);
    char *AUTO(text_free) name = must_print("%s/%s", dir, sha256_hex(&c->sha256, hex));
    enum err r = file_make_dirs(dir, 0700, e);

    if (r == OK && link(c->to, name) != 0 && !file_exists(name))
        r = fail_errno(e, "%s cannot be made", name);
    return r;
}

static enum err lay_indexes(struct install_run *run, struct error *e)
{
    enum err r = copies_make(&run->copies, e);

    for (size_t i = 0; i < run->copies.count && r == OK; i++)
        r = link_by_hash(&run->copies.items[i], e);
    return r;
}

static enum err block_services(const struct install_run *run, struct error *e)
{
    char *AUTO(text_free) dir = root_join(run->root, "/usr/sbin"), *AUTO(text_free) path = root_join(run->root, "/usr/sbin/policy-rc.d");
    enum err r = OK;

    if (run->call.plan_only || root_is_host(run->root) || file_exists(path))
        return OK;
    if (!file_exists(dir))
        r = file_make_dirs(dir, 0755, e);
    return r == OK ? file_write(path, policy_rc_d, sizeof(policy_rc_d) - 1, 0755, e) : r;
}

void apt_world_end(struct install_run *run)
{
    char *AUTO(text_free) path = root_join(run->root, "/usr/sbin/policy-rc.d");
    char  *text;
    size_t length;

    if (run->call.plan_only || root_is_host(run->root) || file_read(path, 4096, &text, &length, NULL) != OK)
        return;
    if (strcmp(text, policy_rc_d) == 0)
        unlink(path);
    free(text);
}

enum err apt_world_make(struct install_run *run, struct error *e)
{
    static const char *const dirs[] = {
        "lists/partial", "cache/archives/partial", "etc/apt.conf.d", "etc/sources.list.d", "etc/preferences.d", "log", "trusted.d",
        "mirror"};
    enum err r = check_path("state directory", run->work, e);

    if (r == OK)
        r = check_path("root", run->root, e);
    if (r == OK)
        r = file_remove(run->work, e);
    for (size_t i = 0; i < COUNT(dirs) && r == OK; i++) {
        char *AUTO(text_free) path = must_print("%s/%s", run->work, dirs[i]);

        r = file_make_dirs(path, 0700, e);
    }
    if (r != OK || (r = write_program(run, e)) != OK || (r = write_config(run, e)) != OK || (r = write_sources(run, e)) != OK ||
        (r = lay_indexes(run, e)) != OK)
        return r;
    return block_services(run, e);
}
