/* Files that are whole or not there. Paths are as the caller gives them. Any thread; may block. */
#ifndef FERRY_BASE_FILE_H
#define FERRY_BASE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"

/* The whole file, NUL-terminated behind length; more than limit bytes is refused (ERR_USAGE). Caller frees. */
enum err file_read(const char *path, size_t limit, char **out, size_t *length, struct error *);
/* write → fsync → rename → fsync of the directory; on failure nothing is left and the old file stands. */
enum err file_write(const char *path, const void *bytes, size_t length, mode_t mode, struct error *);
/* Like mkdir -p; the last one gets mode. Existing directories are fine. */
enum err file_make_dirs(const char *path, mode_t mode, struct error *);
/* Copies (reflink where the file system can), synced, under its final name only when whole. */
enum err file_copy(const char *from, const char *to, mode_t mode, struct error *);
/* fsync(file); rename; fsync(directory). Same file system. */
enum err file_move(const char *from, const char *to, struct error *);
/* Like rm -rf below path and path itself; never follows links; absent is fine. */
enum err file_remove(const char *path, struct error *);
bool     file_exists(const char *path);
/* Opens or makes path and takes an exclusive lock without waiting; ERR_AGAIN when another process has it. Close fd to release. */
enum err file_lock(const char *path, int *fd, struct error *);
/* Bytes free for this user on path's file system; UINT64_MAX when it cannot be told. */
uint64_t file_room(const char *path);

/* What tells that a file has not been touched: nanoseconds. Recheck the content when it differs. */
struct file_print {
    uint64_t size, inode;
    int64_t  mtime_ns, ctime_ns;
};
enum err file_print_of(const char *path, struct file_print *out, struct error *);
bool     file_print_same(const struct file_print *, const struct file_print *);

void fd_end(int *fd);                           /* for AUTO(fd_end) int fd = -1 */

#endif
