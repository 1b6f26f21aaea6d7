/* Facts about the machine a node manages. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "node/client/inventory.h"
#include "node/client/root.h"

#define SMALL_FILE 65536

/* ROOT/PATH; for a root without that file and `host`, the host's. NULL when neither is there. */
static char *read_small(const char *root, const char *path, bool host)
{
    char *AUTO(text_free) below = root_join(root, path);
    char  *text;
    size_t length;

    if (file_read(below, SMALL_FILE, &text, &length, NULL) == OK)
        return text;
    return host && file_read(path, SMALL_FILE, &text, &length, NULL) == OK ? text : NULL;
}

/* NAME=value or NAME="value" of os-release(5); NULL when absent. */
static char *os_value(const char *text, const char *name)
{
    size_t n = strlen(name);

    for (const char *line = text; line && *line; line = strchr(line, '\n')) {
        const char *value;

        line += *line == '\n';
        if (strncmp(line, name, n) != 0 || line[n] != '=')
            continue;
        value = line + n + 1;
        if (*value == '"' || *value == '\'')
            return must_print("%.*s", (int)strcspn(value + 1, (char[]){*value, '\n', '\0'}), value + 1);
        return must_print("%.*s", (int)strcspn(value, "\n"), value);
    }
    return NULL;
}

static void put(json_t *facts, const char *name, const char *value)
{
    if (value && *value)
        json_object_set_new(facts, name, json_string(value));
}

static void put_os(json_t *facts, const char *root)
{
    static const struct {
        const char *fact, *name;
    } values[] = {{"os.id", "ID"}, {"os.version", "VERSION_ID"}, {"os.codename", "VERSION_CODENAME"}};
    char *AUTO(text_free) text = read_small(root, "/etc/os-release", false);

    if (!text)
        text = read_small(root, "/usr/lib/os-release", true);
    for (size_t i = 0; text && i < COUNT(values); i++) {
        char *AUTO(text_free) value = os_value(text, values[i].name);

        put(facts, values[i].fact, value);
    }
}

/* dpkg's name of the machine's architecture; a root's own when it says so. */
static void put_arch(json_t *facts, const char *root, const char *machine)
{
    static const struct { const char *machine, *arch;
    } names[] = {
        {"x86_64", "amd64"},    {"aarch64", "arm64"},   {"armv7l", "armhf"}, {"i686", "i386"},
        {"ppc64le", "ppc64el"}, {"riscv64", "riscv64"}, {"s390x", "s390x"},
    };
    char *AUTO(text_free) own = read_small(root, "/var/lib/dpkg/arch", false);

    if (own && *own != '\n' && *own) {
        own[strcspn(own, "\n")] = '\0';
        put(facts, "arch", own);
        return;
    }
    for (size_t i = 0; i < COUNT(names); i++)
        if (strcmp(names[i].machine, machine) == 0)
            put(facts, "arch", names[i].arch);
}

static void put_hostname(json_t *facts, const struct config *config)
{
    char *AUTO(text_free) own = root_is_host(config->root) ? NULL : read_small(config->root, "/etc/hostname", false);
    char  name[256] = "";

    if (own)
        own[strcspn(own, "\n")] = '\0';
    gethostname(name, sizeof(name) - 1);
    put(facts, "hostname", config->hostname && *config->hostname ? config->hostname : own && *own ? own : name);
}

/* Debian's own default target is graphical on servers too: only what somebody set up counts. Links are not followed, they are absolute. */
static bool has_desktop(const char *root)
{
    char *AUTO(text_free) manager = root_join(root, "/etc/systemd/system/display-manager.service");
    char *AUTO(text_free) target = root_join(root, "/etc/systemd/system/default.target");
    char        to[512];
    struct stat s;
    ssize_t     n;

    if (!lstat(manager, &s))
        return true;
    n = readlink(target, to, sizeof to - 1);
    to[n > 0 ? n : 0] = '\0';
    return n > 0 && strstr(to, "graphical.target");
}

json_t *facts_read(const struct config *config)
{
    json_t        *facts = json_object();
    struct utsname host;
    struct sysinfo memory;

    put_hostname(facts, config);
    put_os(facts, config->root);
    put(facts, "machine.kind", config->machine_kind ? config->machine_kind : has_desktop(config->root) ? "workstation" : "server");
    if (uname(&host) == 0) {
        put_arch(facts, config->root, host.machine);
        put(facts, "kernel", host.release);
    }
    if (sysinfo(&memory) == 0)
        json_object_set_new(facts, "memory.mib", json_integer((json_int_t)(memory.totalram / (1024 * 1024) * memory.mem_unit)));
    return facts;
}
