#include "node/client/root.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"

bool root_is_host(const char *root)
{
    return !root || root[strspn(root, "/")] == '\0';
}

char *root_join(const char *root, const char *path)
{
    size_t n = root ? strlen(root) : 0;

    while (n && root[n - 1] == '/')
        n--;
    return must_print("%.*s%s", (int)n, root ? root : "", path);
}

bool root_path_ok(const char *path)
{
    if (!path || *path != '/')
        return false;
    for (const char *part = path + 1;; part++) {
        size_t n = strcspn(part, "/");

        if (n == 2 && part[0] == '.' && part[1] == '.')
            return false;
        part += n;
        if (!*part)
            return true;
    }
}

bool root_unprivileged(const struct config *config)
{
    return config->unprivileged_root && geteuid() != 0 && !root_is_host(config->root);
}

bool root_interrupted(const char *root)
{
    char *AUTO(text_free) path = root_join(root, "/var/lib/dpkg/updates");
    DIR           *dir = opendir(path);
    struct dirent *entry;
    bool           found = false;

    while (dir && (entry = readdir(dir)))
        found = found || strspn(entry->d_name, "0123456789") == strlen(entry->d_name);
    if (dir)
        closedir(dir);
    return found;
}

/* Asking takes no lock and needs no right to write. */
bool root_locked(const char *root)
{
    static const char *const locks[] = {"/var/lib/dpkg/lock-frontend", "/var/lib/dpkg/lock"};

    for (size_t i = 0; i < COUNT(locks); i++) {
        char *AUTO(text_free) path = root_join(root, locks[i]);
        int AUTO(fd_end) fd = open(path, O_RDONLY | O_CLOEXEC);
        struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

        if (fd >= 0 && fcntl(fd, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK)
            return true;
    }
    return false;
}

static char *zone_file(const char *root)
{
    char *AUTO(text_free) path = root_join(root, "/etc/timezone");
    char  *text = NULL;
    size_t length;

    if (file_read(path, 4096, &text, &length, NULL))
        return NULL;
    text[strcspn(text, " \t\r\n")] = '\0';
    if (*text)
        return text;
    free(text);
    return NULL;
}

/* /etc/localtime → ../usr/share/zoneinfo/Europe/Berlin */
static char *zone_link(const char *root)
{
    char *AUTO(text_free) path = root_join(root, "/etc/localtime");
    char        to[512];
    ssize_t     n = readlink(path, to, sizeof to - 1);
    const char *name;

    if (n <= 0)
        return NULL;
    to[n] = '\0';
    name = strstr(to, "zoneinfo/");
    return name ? must_copy(name + strlen("zoneinfo/")) : NULL;
}

char *root_zone(const struct config *config)
{
    char *name = must_copy(config->timezone);

    name = name ? name : zone_file(config->root);
    name = name ? name : zone_link(config->root);
    name = name ? name : zone_file("/");
    name = name ? name : zone_link("/");
    return name ? name : must_copy("UTC");
}
