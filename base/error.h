/* The one error type. A function that can fail returns enum err and, as its last argument, takes a
 * struct error to explain itself in (may be NULL). The text is written once, where the error is born:
 * what was refused, why, what would be accepted. Callers pass it up unchanged. */
#ifndef FERRY_BASE_ERROR_H
#define FERRY_BASE_ERROR_H

/*    name       exit  http  what it means to a user                                      */
#define ERR_LIST(X) \
    X(FAILED,    1,    500, "failed")                                                      \
    X(IO,        1,    500, "the disk or the network refused")                             \
    X(FULL,      1,    507, "no space left")                                               \
    X(USAGE,     2,    400, "the request is not understood")                               \
    X(CONDITION, 3,    409, "a condition is not met")                                      \
    X(EXISTS,    3,    409, "it exists already")                                           \
    X(NOT_FOUND, 4,    404, "no such object")                                              \
    X(TIMEOUT,   5,    504, "timed out")                                                   \
    X(HALTED,    6,    409, "halted by a gate")                                            \
    X(VERIFY,    7,    422, "verification failed")                                         \
    X(DENIED,    8,    403, "not permitted")                                               \
    X(AGAIN,     75,   503, "try again later")

enum err {
    OK = 0,
#define X(name, exit, http, text) ERR_##name,
    ERR_LIST(X)
#undef X
};

struct error {
    enum err code;
    char     text[768];
};

/* Writes code and text into e (if any) and returns code: `return fail(e, ERR_VERIFY, "…")`. */
enum err fail(struct error *e, enum err code, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* The same with ": strerror(errno)" behind the text; the code follows errno (ENOSPC → FULL, ENOENT → NOT_FOUND, EACCES → DENIED …). */
enum err fail_errno(struct error *e, const char *format, ...) __attribute__((format(printf, 2, 3)));

int         err_exit(enum err);                 /* process exit status                                     */
int         err_http(enum err);                 /* HTTP status                                             */
const char *err_name(enum err);                 /* "verify", "not-found": stable, for JSON                 */
enum err    err_by_name(const char *name);      /* FAILED when unknown                                     */

#endif
