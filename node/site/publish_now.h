/* The ledger as it stands becomes the signed policy. */
#ifndef FERRY_NODE_SITE_PUBLISH_NOW_H
#define FERRY_NODE_SITE_PUBLISH_NOW_H

#include "policy/authoring/author.h"

enum err publish_now(struct author *, struct repository *, struct error *);

#endif
