/* One HTTP request of the client: what it asks of curl, what it makes of the answer. Only web.c uses this. Loop thread only. */
#ifndef FERRY_NODE_IO_REQUEST_H
#define FERRY_NODE_IO_REQUEST_H

#include <curl/curl.h>

#include "base/text.h"
#include "node/io/web.h"

struct web_request {
    struct web         *web;
    struct web_request *next, *previous;
    CURL               *easy;
    struct curl_slist  *headers;
    struct web_call     call;                   /* url, pin, body and unix_socket are not kept: curl copies them */
    char               *url;                    /* for messages */
    struct text         body;
    uint64_t           *received;               /* the web's counter */
    size_t              got;                    /* body bytes of the final answer */
    bool                added, cancelled, judged;
    struct error        refused;                /* why we stopped it ourselves */
    char                content_range[80];
    char                curl_says[CURL_ERROR_SIZE];
};

struct request_identity {                       /* PEM; NULL: none */
    char *key, *certificate;
};
/* Sets every option of the request, with its reason. */
void request_arm(struct web_request *, const struct web_options *, const struct request_identity *, const struct web_call *);
/* What came of it, given curl's own verdict. The answer borrows from the request. */
void request_judge(struct web_request *, CURLcode, struct web_answer *out);
void request_free(struct web_request *);

#endif
