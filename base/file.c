#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/text.h"

#define COPY_BLOCK (1u << 20)

void fd_end(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

bool file_exists(const char *path)
{
    struct stat st;

    return !lstat(path, &st);
}

enum err file_read(const char *path, size_t limit, char **out, size_t *length, struct error *e)
{
    AUTO(fd_end) int      fd = open(path, O_RDONLY | O_CLOEXEC);
    AUTO(text_end) struct text t = {0};
    char                  block[16384];
    ssize_t               n;

    if (fd < 0)
        return fail_errno(e, "%s cannot be opened", path);
    while ((n = read(fd, block, sizeof block)) > 0 || (n < 0 && errno == EINTR)) {
        if (n > 0 && (size_t)n > limit - t.length)
            return fail(e, ERR_USAGE, "%s has more than the %zu bytes that are accepted", path, limit);
        text_put(&t, block, n > 0 ? (size_t)n : 0);
    }
    if (n < 0)
        return fail_errno(e, "%s cannot be read", path);
    if (length)
        *length = t.length;
    *out = text_take(&t);
    return OK;
}

static bool write_all(int fd, const char *p, size_t size)
{
    while (size) {
        ssize_t n = write(fd, p, size);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        p += n;
        size -= (size_t)n;
    }
    return true;
}

/* A rename is on the platter only when its directory is. */
static bool sync_directory_of(const char *path)
{
    const char           *slash = strrchr(path, '/');
    AUTO(text_free)
    char *directory = !slash          ? must_copy(".")
                      : slash == path ? must_copy("/")
                                      : must_print("%.*s", (int)(slash - path), path);
    AUTO(fd_end) int      fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    return fd >= 0 && (!fsync(fd) || errno == EINVAL);         /* EINVAL: a file system that cannot, and need not */
}

/* A neighbour of path that nobody looks for: "DIR/.NAME.XXXXXX". */
static char *beside(const char *path)
{
    const char *slash = strrchr(path, '/');
    int         head = slash ? (int)(slash - path) + 1 : 0;

    return must_print("%.*s.%s.XXXXXX", head, path, path + head);
}

static bool fill_bytes(int fd, const void *bytes, size_t length)
{
    return write_all(fd, bytes, length);
}

static bool fill_copy(int fd, const void *from, size_t unused)
{
    AUTO(text_free) char *block = NULL;
    int                   in = *(const int *)from;
    ssize_t               n;

    (void)unused;
    if (!ioctl(fd, FICLONE, in))
        return true;
    while ((n = copy_file_range(in, NULL, fd, NULL, 1u << 30, 0)) > 0)
        ;
    if (!n)
        return true;
    if (lseek(in, 0, SEEK_SET) < 0 || ftruncate(fd, 0) || lseek(fd, 0, SEEK_SET) < 0)
        return false;
    block = must_alloc(COPY_BLOCK);
    while ((n = read(in, block, COPY_BLOCK)) > 0 || (n < 0 && errno == EINTR))
        if (n > 0 && !write_all(fd, block, (size_t)n))
            return false;
    return !n;
}

/* The one way a file comes to be: filled beside its place, synced, moved there. */
static enum err whole_file(const char *path, mode_t mode, bool (*fill)(int fd, const void *from, size_t), const void *from, size_t length,
                           struct error *e)
{
    AUTO(text_free) char *name = beside(path);
    AUTO(fd_end) int      fd = mkostemp(name, O_CLOEXEC);
    const char           *op;

    if (fd < 0)
        return fail_errno(e, "%s cannot be made", path);
    op = "given its mode";
    if (fchmod(fd, mode))
        goto undo;
    op = "written";
    if (!fill(fd, from, length) || fsync(fd))
        goto undo;
    op = "put in place";
    if (rename(name, path))
        goto undo;
    if (!sync_directory_of(path))
        return fail_errno(e, "the directory of %s cannot be synced", path);
    return OK;
undo:
    fail_errno(e, "%s cannot be %s", path, op);
    unlink(name);
    return e ? e->code : ERR_IO;
}

enum err file_write(const char *path, const void *bytes, size_t length, mode_t mode, struct error *e)
{
    return whole_file(path, mode, fill_bytes, bytes, length, e);
}

enum err file_copy(const char *from, const char *to, mode_t mode, struct error *e)
{
    AUTO(fd_end) int in = open(from, O_RDONLY | O_CLOEXEC);

    if (in < 0)
        return fail_errno(e, "%s cannot be opened", from);
    return whole_file(to, mode, fill_copy, &in, 0, e);
}

enum err file_move(const char *from, const char *to, struct error *e)
{
    AUTO(fd_end) int fd = open(from, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return fail_errno(e, "%s cannot be opened", from);
    if (fsync(fd))
        return fail_errno(e, "%s cannot be synced", from);
    if (rename(from, to))
        return fail_errno(e, "%s cannot be moved to %s", from, to);
    if (!sync_directory_of(to))
        return fail_errno(e, "the directory of %s cannot be synced", to);
    return OK;
}

static enum err make_one(const char *path, mode_t mode, struct error *e)
{
    struct stat st;

    if (!mkdir(path, mode))
        return OK;
    if (errno != EEXIST)
        return fail_errno(e, "directory %s cannot be made", path);
    if (stat(path, &st))
        return fail_errno(e, "directory %s cannot be used", path);
    if (!S_ISDIR(st.st_mode))
        return fail(e, ERR_EXISTS, "%s is there and is not a directory", path);
    return OK;
}

enum err file_make_dirs(const char *path, mode_t mode, struct error *e)
{
    AUTO(text_free) char *copy = must_copy(path);
    size_t                length = strlen(copy);
    enum err              code;

    while (length > 1 && copy[length - 1] == '/')
        copy[--length] = '\0';
    if (!length)
        return fail(e, ERR_USAGE, "a directory needs a name");
    for (char *slash = strchr(copy + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        code = make_one(copy, 0755, e);
        *slash = '/';
        if (code)
            return code;
    }
    return make_one(copy, mode, e);
}

/* Below a descriptor, so that nobody can slip a link into the path while we go down. */
static bool remove_at(int parent, const char *name)
{
    struct dirent *entry;
    DIR           *dir;
    int            fd;
    bool           good = true;

    if (!unlinkat(parent, name, 0) || errno == ENOENT)
        return true;
    if (errno != EISDIR && errno != EPERM)
        return false;
    fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return false;
    dir = fdopendir(fd);
    if (!dir) {
        close(fd);
        return false;
    }
    while (good && (entry = readdir(dir)))
        if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, ".."))
            good = remove_at(fd, entry->d_name);
    if (good)
        good = !unlinkat(parent, name, AT_REMOVEDIR) || errno == ENOENT;
    closedir(dir);
    return good;
}

enum err file_remove(const char *path, struct error *e)
{
    return remove_at(AT_FDCWD, path) ? OK : fail_errno(e, "%s cannot be removed", path);
}

enum err file_lock(const char *path, int *fd, struct error *e)
{
    AUTO(fd_end) int lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    char             pid[24] = "";
    ssize_t          n;

    if (lock < 0)
        return fail_errno(e, "%s cannot be opened", path);
    if (flock(lock, LOCK_EX | LOCK_NB)) {
        if (errno != EWOULDBLOCK)
            return fail_errno(e, "%s cannot be locked", path);
        n = pread(lock, pid, sizeof pid - 1, 0);
        pid[n > 0 ? n : 0] = '\0';
        pid[strcspn(pid, "\n")] = '\0';
        return fail(e, ERR_AGAIN, "%s is held by another process%s%s: stop that one first, or use another directory", path,
                    *pid ? ", pid " : "", pid);
    }
    n = snprintf(pid, sizeof pid, "%ld\n", (long)getpid());
    if (ftruncate(lock, 0) || pwrite(lock, pid, (size_t)n, 0) != n)
        return fail_errno(e, "%s cannot be written", path);
    *fd = lock;
    lock = -1;
    return OK;
}

uint64_t file_room(const char *path)
{
    struct statvfs st;

    return statvfs(path, &st) ? UINT64_MAX : (uint64_t)st.f_bavail * (uint64_t)st.f_frsize;
}

static int64_t nanoseconds(struct timespec t)
{
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

enum err file_print_of(const char *path, struct file_print *out, struct error *e)
{
    struct stat st;

    if (lstat(path, &st))
        return fail_errno(e, "%s cannot be looked at", path);
    *out = (struct file_print){(uint64_t)st.st_size, (uint64_t)st.st_ino, nanoseconds(st.st_mtim), nanoseconds(st.st_ctim)};
    return OK;
}

bool file_print_same(const struct file_print *a, const struct file_print *b)
{
    return a->size == b->size && a->inode == b->inode && a->mtime_ns == b->mtime_ns && a->ctime_ns == b->ctime_ns;
}
