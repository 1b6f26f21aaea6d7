/* The node's clock: wall seconds for policy, monotonic milliseconds for waiting. FERRY_CLOCK_OFFSET (seconds) shifts the wall clock in
 * tests. */
#ifndef FERRY_NODE_BASE_CLOCK_H
#define FERRY_NODE_BASE_CLOCK_H
#include <stdint.h>
int64_t clock_now(void);        /* seconds since 1970 */
int64_t clock_ms(void);         /* monotonic */
#endif
