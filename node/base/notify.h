/* What systemd is told (sd_notify(3)): one datagram to $NOTIFY_SOCKET. Silent where there is none. */
#ifndef FERRY_NODE_BASE_NOTIFY_H
#define FERRY_NODE_BASE_NOTIFY_H

#include <stdint.h>

/* "READY=1\nSTATUS=…". */
void    notify_say(const char *format, ...) __attribute__((format(printf, 1, 2)));
void    notify_reloading(void);                 /* with the monotonic time systemd compares */
/* Milliseconds between two WATCHDOG=1, half of what systemd allows; 0: it does not watch us. */
int64_t notify_watchdog_ms(void);

#endif
