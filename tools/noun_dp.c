/* ferry dp: distribution points, and what makes one of a stock nginx. */
#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"
#include "base/text.h"
#include "policy/trust/certificate.h"
#include "tools/verb.h"

#define NGINX "/etc/nginx/ferry"

static const char *flag_or(const struct invocation *in, const char *name, const char *or_else)
{
    const char *value = json_string_value(json_object_get(in->args, name));

    return value ? value : or_else;
}

/* The whole configuration for a stock nginx that serves the tree of a distribution point, and how its key is made. */
static enum err run_nginx(struct invocation *in, struct error *e)
{
    const char *root = flag_or(in, "root", ""), *listen = flag_or(in, "listen", "443"), *key = flag_or(in, "key", NGINX "/dp.key"),
               *certificate = flag_or(in, "certificate", NGINX "/dp.pem"), *ca = flag_or(in, "ca", NGINX "/ca.pem");

    if (*root != '/')
        return fail(e, ERR_USAGE, "--root wants the absolute directory that holds content/");
    printf("# /etc/nginx/conf.d/ferry-dp.conf: nodes trust hashes and signatures, not this server; it serves files and ranges to them, nothing else.\n"
           "#\n"
           "# Its key and certificate, made here once. Nodes know the server by this key, whatever the certificate says:\n"
           "#   openssl req -x509 -newkey ed25519 -noenc -days 3650 -subj /CN=ferry-dp -keyout %s -out %s\n"
           "#\n"
           "# The CA that has signed the certificates of all nodes; printed at the site, to be laid here as %s:\n"
           "#   ferry site ca > ca.pem\n"
           "#\n"
           "# What nodes are to know it by, printed here, given to the site:\n"
           "#   ferry dp pin %s\n"
           "#   ferry dp add NAME --url https://THIS-SERVER --pin 'sha256//...'\n"
           "server {\n    listen %s ssl;\n    ssl_protocols TLSv1.3;\n    ssl_certificate %s;\n    ssl_certificate_key %s;\n"
           "    ssl_client_certificate %s;\n    ssl_verify_client on;\n    ssl_verify_depth 1;\n\n",
           key, certificate, ca, certificate, listen, certificate, key, ca);
    printf("    root %s;\n    autoindex off;\n    access_log off;\n    location /content/ {\n        limit_except GET { deny all; }\n"
           "        default_type application/octet-stream;\n        sendfile on;\n        tcp_nopush on;\n        etag on;\n    }\n"
           "    location / {\n        return 404;\n    }\n}\n",
           root);
    return OK;
}

static enum err run_pin(struct invocation *in, struct error *e)
{
    const char           *path = flag_or(in, "certificate", "");
    char                  pin[CERTIFICATE_PIN];
    AUTO(text_free) char *pem = NULL;
    size_t                length;
    json_t               *answer;
    enum err              code = file_read(path, CERTIFICATE_CHAIN, &pem, &length, e);

    if (!code && certificate_pin_of(pem, pin, NULL))
        code = fail(e, ERR_VERIFY, "%s: no X.509 certificate in PEM, which is what was expected", path);
    if (code)
        return code;
    answer = json_pack("{s:s}", "pin", pin);
    if (in->json)
        verb_show(in, answer);
    else
        printf("%s\n", pin);
    json_decref(answer);
    return OK;
}

static const struct flag dp_flags[] = {
    {"url", FLAG_TEXT, NULL, "URL", "where nodes fetch: URL/content/…; https:// with --node or --pin, or http://, which anybody can read"},
    {"node", FLAG_TEXT, NULL, "NODE", "the enrolled node that runs the role, by id or hostname; none for a plain web server"},
    {"pin", FLAG_TEXT, NULL, "PIN", "of a server that is no node, or hands out what NODE pulls: what `ferry dp pin` prints of its certificate"},
    {NULL, FLAG_BOOL, NULL, NULL, NULL},
};
static const struct flag nginx_flags[] = {
    {"root", FLAG_TEXT, NULL, "DIR", "the directory that holds content/"},
    {"listen", FLAG_TEXT, NULL, "ADDRESS", "443 unless given"},
    {"certificate", FLAG_TEXT, NULL, "FILE", "the server's; " NGINX "/dp.pem unless given"},
    {"key", FLAG_TEXT, NULL, "FILE", "the server's; " NGINX "/dp.key unless given"},
    {"ca", FLAG_TEXT, NULL, "FILE", "what `ferry site ca` prints; " NGINX "/ca.pem unless given"},
    {NULL, FLAG_BOOL, NULL, NULL, NULL},
};
const struct verb dp_verbs[] = {
    {"dp", "add", "NAME", dp_flags, "POST", "/api/v1/dps", NULL, NULL, "a distribution point",
     "ferry dp add dp-1 --url https://dp-1.example.org --node dp-1"},
    {"dp", "list", NULL, NULL, "GET", "/api/v1/dps", "name:NAME url:URL node:NODE pin:PIN groups:GROUPS", NULL, "distribution points", NULL},
    {"dp", "remove", "NAME", NULL, "DELETE", "/api/v1/dps/{name}", NULL, NULL, "nodes no longer use it", NULL},
    {"dp", "nginx-config", NULL, nginx_flags, NULL, NULL, NULL, run_nginx,
     "print the configuration for a stock nginx as distribution point", "ferry dp nginx-config --root /srv/ferry"},
    {"dp", "pin", "CERTIFICATE", NULL, NULL, NULL, NULL, run_pin, "print by which key nodes know a server, from its certificate's file",
     "ferry dp pin " NGINX "/dp.pem"},
    {NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL},
};
