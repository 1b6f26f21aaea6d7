/* The node's clock: wall seconds for policy, monotonic milliseconds for waiting. Tests shift the wall clock: FERRY_CLOCK_OFFSET by so many
 * seconds; FERRY_CLOCK_FILE names a file that holds an offset in seconds as text, added as well and read again at most every 50 ms, so that
 * time moves while the process runs. A wall-clock moment is never waited for by monotonic milliseconds alone: the machine may sleep. Any
 * thread. */
#ifndef FERRY_NODE_BASE_CLOCK_H
#define FERRY_NODE_BASE_CLOCK_H
#include <stdint.h>
int64_t clock_now(void);        /* seconds since 1970 */
int64_t clock_ms(void);         /* monotonic */
#endif
