/* How a ferryd that somebody has taken over may lie to the installer, one table: what is changed on the way, and what is said to it. Each is refused
 * for its own reason. */
#ifndef FERRY_TESTS_UNIT_INSTALLER_ACTS_H
#define FERRY_TESTS_UNIT_INSTALLER_ACTS_H

#include <sys/stat.h>

#include "installer_lab.h"

static void flip(char *bytes, size_t length, const char *in)
{
    char *at = memmem(bytes, length, in, strlen(in));

    assert_non_null(at);
    at[0] ^= 1;
}

static void spoil_metadata(struct installer_lab *l, const char *what, const char *name, char **bytes, size_t *length, int *fd)
{
    (void)l;
    (void)fd;
    if (!strcmp(what, "metadata") && strstr(name, ".all.json"))
        flip(*bytes, *length, "october");
}

static void spoil_timestamp(struct installer_lab *l, const char *what, const char *name, char **bytes, size_t *length, int *fd)
{
    (void)l;
    (void)fd;
    if (!strcmp(what, "metadata") && !strcmp(name, "timestamp.json"))
        flip(*bytes, *length, "\"version\"");
}

static void spoil_document(struct installer_lab *l, const char *what, const char *name, char **bytes, size_t *length, int *fd)
{
    (void)l;
    (void)name;
    (void)fd;
    if (!strcmp(what, "target"))
        flip(*bytes, *length, "October");
}

static void long_document(struct installer_lab *l, const char *what, const char *name, char **bytes, size_t *length, int *fd)
{
    (void)l;
    (void)name;
    (void)fd;
    if (!strcmp(what, "target")) {
        free(*bytes);
        *length += 1;
        *bytes = must_alloc(*length);
    }
}

static void foreign_root(struct installer_lab *l, const char *what, const char *name, char **bytes, size_t *length, int *fd)
{
    AUTO(text_free) char *site = must_print("%s/other", l->lab.dir), *offline = must_print("%s/other-keys", l->lab.dir),
                         *root = must_print("%s/policy/metadata/1.root.json", site);

    (void)fd;
    if (strcmp(what, "metadata") || strcmp(name, "1.root.json"))
        return;
    shell("rm -rf %s %s", site, offline);
    assert_int_equal(repository_create(site, offline, "hq", clock_now(), NULL), OK);
    free(*bytes);
    lab_read(root, bytes, length);
}

/* The content of a descriptor, whatever it really is. */
static void swap(int *fd, int other)
{
    fd_end(fd);
    *fd = other;
}

static bool is_deb(const struct installer_lab *l, const char *what, const char *name)
{
    struct sha256 h;

    return !strcmp(what, "content") && sha256_read(name, &h) && !sha256_same(&h, &l->lab.archive.indexes[0].sha256) &&
           !sha256_same(&h, &l->lab.archive.indexes[1].sha256);
}

static void altered_content(struct installer_lab *l, const char *what, const char *name, char **bytes, size_t *length, int *fd)
{
    AUTO(text_free) char *path = must_print("%s/altered", l->lab.dir);

    (void)bytes;
    (void)length;
    if (!is_deb(l, what, name))
        return;
    shell("cp %s/content/%s %s && chmod u+w %s && printf x | dd of=%s bs=1 seek=200 conv=notrunc status=none", l->lab.config.state_dir, name, path, path,
          path);
    swap(fd, open(path, O_RDONLY | O_CLOEXEC));
}

static void altered_index(struct installer_lab *l, const char *what, const char *name, char **bytes, size_t *length, int *fd)
{
    (void)name;
    (void)bytes;
    (void)length;
    if (!strcmp(what, "content") && !is_deb(l, what, name)) {
        AUTO(text_free) char *path = must_print("%s/altered", l->lab.dir);

        shell("tr a b <%s/content/%s >%s", l->lab.config.state_dir, name, path);
        swap(fd, open(path, O_RDONLY | O_CLOEXEC));
    }
}

static void symlink_instead(struct installer_lab *l, const char *what, const char *name, char **bytes, size_t *length, int *fd)
{
    AUTO(text_free) char *path = must_print("%s/link", l->lab.dir);

    (void)name;
    (void)bytes;
    (void)length;
    if (strcmp(what, "content"))
        return;
    unlink(path);
    assert_int_equal(symlink("/etc/passwd", path), 0);
    swap(fd, open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC));
}

static void directory_instead(struct installer_lab *l, const char *what, const char *name, char **bytes, size_t *length, int *fd)
{
    (void)l;
    (void)name;
    (void)bytes;
    (void)length;
    if (!strcmp(what, "content"))
        swap(fd, open("/etc", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

/* Nobody ever writes into it: whoever reads it waits for ever. */
static void fifo_instead(struct installer_lab *l, const char *what, const char *name, char **bytes, size_t *length, int *fd)
{
    AUTO(text_free) char *path = must_print("%s/fifo", l->lab.dir);

    (void)name;
    (void)bytes;
    (void)length;
    if (strcmp(what, "content"))
        return;
    mkfifo(path, 0600);
    swap(fd, open(path, O_RDWR | O_CLOEXEC));
}

/* Another file of the machine, outside the cache: it is not what was signed. */
static void passwd_instead(struct installer_lab *l, const char *what, const char *name, char **bytes, size_t *length, int *fd)
{
    (void)l;
    (void)name;
    (void)bytes;
    (void)length;
    if (!strcmp(what, "content"))
        swap(fd, open("/etc/passwd", O_RDONLY | O_CLOEXEC));
}

static void withdraw(struct installer_lab *l)
{
    json_object_set_new(l->document, "updates", json_array());
    json_object_set_new(l->document, "contents", json_array());
    json_object_set_new(l->document, "archives", json_array());
    lab_change(l, "withdrawn", json_true());
}

static void disable(struct installer_lab *l)
{
    lab_change(l, "enabled", json_false());
}

static void halt(struct installer_lab *l)
{
    lab_change(l, "halted", json_string("failures > 5"));
}

static void later(struct installer_lab *l)
{
    char text[TIME_SIZE];

    json_object_del(l->document, "deadline");
    json_object_set_new(l->document, "purpose", json_string("available"));
    lab_change(l, "available", json_string(time_print(clock_now() + 3600, text)));
}

static void no_token(struct installer_lab *l)
{
    l->lab.config.enrol_token = NULL;
}

static const struct act acts[] = {
    {.name = "altered metadata", .give = spoil_metadata, .outcome = "refused", .says = "policy: "},
    {.name = "altered timestamp", .give = spoil_timestamp, .outcome = "refused", .says = "policy: "},
    {.name = "altered document", .give = spoil_document, .outcome = "refused", .says = "not what was"},
    {.name = "longer document", .give = long_document, .outcome = "refused", .says = "at most"},
    {.name = "a root nobody vouched for", .give = foreign_root, .outcome = "refused", .says = "not the one the enrolment token names"},
    {.name = "no token, no root", .before = no_token, .outcome = "refused", .says = "--pin-root"},
    {.name = "an update it does not have", .order = "{\"request\":\"install\",\"target\":\"" TARGET "\",\"update\":\"apt:demo:evil:1\"}",
     .outcome = "refused", .says = "has no update apt:demo:evil:1"},
    {.name = "a deployment nobody signed",
     .order = "{\"request\":\"install\",\"target\":\"policy/all/november.json\",\"update\":\"%s\"}", .outcome = "refused", .says = "no policy in force"},
    {.name = "withdrawn", .before = withdraw, .outcome = "refused", .says = "withdrawn"},
    {.name = "disabled", .before = disable, .outcome = "refused", .says = "disabled"},
    {.name = "halted", .before = halt, .outcome = "refused", .says = "halted: failures > 5"},
    {.name = "not yet available", .before = later, .outcome = "refused", .says = "not yet"},
    {.name = "altered content", .give = altered_content, .outcome = "refused", .says = "what was given is not content"},
    {.name = "altered index", .give = altered_index, .outcome = "refused", .says = "what was given is not content"},
    {.name = "a symbolic link", .give = symlink_instead, .outcome = "refused", .says = "no plain file"},
    {.name = "a directory", .give = directory_instead, .outcome = "refused", .says = "no plain file"},
    {.name = "a fifo", .give = fifo_instead, .outcome = "refused", .says = "no plain file"},
    {.name = "a file outside the cache", .give = passwd_instead, .outcome = "refused", .says = "bytes were given for a content of"},
    {.name = "a path", .order = "{\"request\":\"install\",\"target\":\"" TARGET "\",\"update\":\"%s\",\"content\":\"/etc/passwd\"}", .outcome = "refused",
     .says = "content"},
    {.name = "a path as target", .order = "{\"request\":\"install\",\"target\":\"policy/../../etc/x.json\",\"update\":\"%s\"}", .outcome = "refused",
     .says = "names no deployment"},
    {.name = "another request", .order = "{\"request\":\"run\",\"command\":\"sh\"}", .outcome = "refused", .says = "cannot be asked"},
    {.name = "no JSON", .order = "install everything", .outcome = "refused", .says = "JSON"},
    {.name = "an array", .order = "[1,2,3]", .outcome = "refused", .says = "one JSON object"},
    {.name = "a restart nobody configured", .order = "{\"request\":\"restart\"}", .outcome = "refused", .says = "no restart-command"},
};

#endif
