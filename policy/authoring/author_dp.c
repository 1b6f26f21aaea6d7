/* Distribution points: where their content is, and by which key nodes know the server. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "policy/authoring/making.h"
#include "policy/authoring/noun.h"
#include "policy/trust/certificate.h"

#define PIN_HEAD   "sha256//"
#define PIN_DIGITS 44                           /* base64 of 32 bytes */

/* "sha256//…", or two and three of them with ";" between while a key is being changed. */
static bool pin_ok(const char *pin)
{
    size_t head = strlen(PIN_HEAD);

    if (strlen(pin) >= DP_PIN)
        return false;
    for (;; pin++) {
        char     digits[PIN_DIGITS + 1];
        size_t   n = 0;
        uint8_t *hash = NULL;

        if (strncmp(pin, PIN_HEAD, head) || strcspn(pin + head, ";") != PIN_DIGITS)
            return false;
        snprintf(digits, sizeof digits, "%s", pin + head);
        hash = base64_decode(digits, SHA256_SIZE, &n);
        free(hash);
        if (!hash || n != SHA256_SIZE)
            return false;
        pin += head + PIN_DIGITS;
        if (!*pin)
            return true;
    }
}

/* With node and pin, the node pulls and another server, which that pin is of, hands its tree out.
 * Nobody is asked who signed a server's certificate: its key is known, or the link is open to everybody and says so. */
static enum err key_known(const char *url, const char *node, const char *pin, struct error *e)
{
    bool tls = !strncmp(url, "https://", 8);

    if (pin && !tls)
        return fail(e, ERR_USAGE, "--pin goes with https://; over http:// there is no key to be known");
    if (pin && !pin_ok(pin))
        return fail(e, ERR_USAGE, "--pin \"%.80s\" is not accepted; what `ferry dp pin CERTIFICATE.pem` prints is: " PIN_HEAD
                                  " and %d digits of base64, at most three of them with \";\" between", pin, PIN_DIGITS);
    if (tls && !pin && !node)
        return fail(e, ERR_USAGE, "an https:// server is known by its key: accepted are --node NODE, when an enrolled node runs it, and --pin "
                                  "with what `ferry dp pin CERTIFICATE.pem` prints");
    return OK;
}

enum err dp_add(struct author *a, const json_t *args, json_t **out, struct error *e)
{
    const char           *name = NULL, *pin = arg_text(args, "pin");
    AUTO(text_free) char *node = NULL, *base = NULL;
    enum err              code = arg_name(args, "name", "distribution point", &name, e);

    if (!code && rows_number(a->ledger, LEDGER_DP_HAS, "s", name))
        code = fail(e, ERR_EXISTS, "distribution point %s exists already", name);
    code = code ? code : url_base(arg_text(args, "url"), &base, e);
    if (!code && arg_text(args, "node"))
        code = node_resolve(a->ledger, arg_text(args, "node"), &node, e);
    code = code ? code : key_known(base, node, pin, e);
    code = code ? code : rows_run(a->ledger, LEDGER_DP_PUT, e, "ssss", name, base, node ? node : "", pin ? pin : "");
    if (!code)
        *out = message("distribution point %s serves %s/content/%s", name, base,
                       strncmp(base, "http://", 7) ? "" : ". Over http:// anybody on the way can read what it sends, and anybody can fetch it; "
                                                          "altering it is noticed");
    return code;
}

char *dp_pin(const json_t *row, char out[DP_PIN])
{
    const char *url = arg_text(row, "url"), *given = arg_text(row, "pin"), *hex = arg_text(row, "public");
    char        pin[CERTIFICATE_PIN] = "";
    uint8_t     public[32];

    if (hex && hex_decode(hex, public, 32))
        certificate_pin(public, pin);
    snprintf(out, DP_PIN, "%s", !url || strncmp(url, "https://", 8) ? "" : given ? given : pin);
    return out;
}

enum err dp_list(struct author *a, const json_t *args, json_t **out, struct error *e)
{
    json_t  *rows = NULL, *row;
    size_t   i;
    char     pin[DP_PIN];
    enum err code = rows_all(a->ledger, LEDGER_DPS, &rows, e, "");

    (void)args;
    json_array_foreach(rows, i, row)
    {
        json_object_set_new(row, "pin", json_string(dp_pin(row, pin)));
        json_object_del(row, "public");
    }
    if (!code)
        *out = listing(rows);
    return code;
}

static enum err drop_from_boundaries(struct author *a, const char *dp, struct error *e)
{
    json_t  *rows = NULL, *row, *item;
    size_t   i, k;
    enum err code = rows_all(a->ledger, LEDGER_BOUNDARIES, &rows, e, "");

    json_array_foreach(rows, i, row) {
        json_t *kept = json_array();
        char   *cidrs = json_dumps(json_object_get(row, "cidrs"), JSON_COMPACT), *dps;
        json_array_foreach(json_object_get(row, "dps"), k, item)
            if (strcmp(json_string_value(item), dp))
                json_array_append(kept, item);
        dps = json_dumps(kept, JSON_COMPACT);
        code = code ? code : rows_run(a->ledger, LEDGER_BOUNDARY_PUT, e, "sss", arg_text(row, "group"), cidrs, dps);
        free(cidrs);
        free(dps);
        json_decref(kept);
    }
    json_decref(rows);
    return code;
}

enum err dp_remove(struct author *a, const json_t *args, json_t **out, struct error *e)
{
    const char *name = arg_text(args, "name");
    enum err    code;

    if (!name || !rows_number(a->ledger, LEDGER_DP_HAS, "s", name))
        return no_such(a->ledger, LEDGER_DP_NAMES, "distribution point", name ? name : "", e);
    code = making_dp_unused(a, name, e);
    code = code ? code : drop_from_boundaries(a, name, e);
    code = code ? code : rows_run(a->ledger, LEDGER_DP_GROUP_DROP, e, "s", name);
    code = code ? code : rows_run(a->ledger, LEDGER_DP_HELD_DROP, e, "s", name);
    code = code ? code : rows_run(a->ledger, LEDGER_DP_DROP, e, "s", name);
    if (!code)
        *out = message("nodes no longer use distribution point %s", name);
    return code;
}
