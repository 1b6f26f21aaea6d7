/* What tests ask a client over its control socket; part of client_lab.h. */
#ifndef FERRY_TESTS_UNIT_CLIENT_TALK_H
#define FERRY_TESTS_UNIT_CLIENT_TALK_H

/* One request of the control socket; caller decrefs. */
static inline json_t *lab_api(struct client_lab *l, const char *method, const char *path, json_t *body /* taken */, long *status)
{
    AUTO(text_free) char *url = must_print("http://ferryd%s", path), *text = body ? json_dumps(body, 0) : NULL;
    struct came c = net_ask(&l->net, (struct web_call){.method = method, .unix_socket = l->socket, .body = text, .body_length = text ? strlen(text) : 0}, url);
    json_t     *out = json_loads(c.body ? c.body : "", 0, NULL);

    *status = c.status;
    free(c.body);
    json_decref(body);
    return out;
}

/* The answer's text: message, or the problem's detail. */
static inline const char *lab_says(struct client_lab *l, const char *path, json_t *body /* taken */, long status)
{
    static char out[800];
    long        got;
    json_t     *answer = lab_api(l, body ? "POST" : "GET", path, body, &got);
    const char *text = json_string_value(json_object_get(answer, got / 100 == 2 ? "message" : "detail"));

    snprintf(out, sizeof out, "%s", text ? text : "");
    json_decref(answer);
    if (got != status)
        fail_msg("%s: %ld \"%s\", expected %ld", path, got, out, status);
    return out;
}

/* The "text" of an update as `ferry updates` shows it. */
static inline const char *lab_text(struct client_lab *l, const char *name)
{
    static char out[800];
    long        status;
    json_t     *answer = lab_api(l, "GET", "/api/v1/node/updates", NULL, &status), *row;
    size_t      i;

    out[0] = '\0';
    json_array_foreach(json_object_get(answer, "items"), i, row)
        if (!strcmp(json_string_value(json_object_get(row, "name")), name))
            snprintf(out, sizeof out, "%s", json_string_value(json_object_get(row, "text")));
    json_decref(answer);
    return out;
}

#endif
