/* What the user should know, through a program of the machine's owner (notify-command): one JSON object on its standard input per event. One
 * child at a time, at most 30 s; events wait in a bounded queue, of which the oldest is dropped. Inside node/client. */
#ifndef FERRY_NODE_CLIENT_NOTIFY_USER_H
#define FERRY_NODE_CLIENT_NOTIFY_USER_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#define NOTIFY_WAITING 64

struct client;
struct child;
struct job;

struct notifier {
    json_t       *queue;                        /* NULL: empty */
    struct child *child;
    int           restart_state;                /* as the user last heard of it */
    int64_t       restart_told;                 /* … and when, seconds */
};
void notify_jobs(struct client *);              /* offers and reminders, as time goes on */
void notify_installing(struct client *, const struct job *);
void notify_restart(struct client *);
void notify_stop(struct client *);              /* at the end of the client */

#endif
