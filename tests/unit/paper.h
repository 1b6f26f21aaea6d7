/* For tests of documents: JSON written with ' for ", members set by path, and the two things every reader has to refuse everywhere. */
#ifndef FERRY_TESTS_UNIT_PAPER_H
#define FERRY_TESTS_UNIT_PAPER_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "policy/document/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h> /* last: its fail() is a macro */

/* Reads, frees what was read, returns the verdict. */
typedef enum err (*paper_reader)(const json_t *, struct error *);

struct refusal {
    const char *path, *value; /* below the document; NULL value: removed */
    const char *error;        /* part of the text */
};

static json_t *paper(const char *text)
{
    char *copy = must_copy(text);
    json_error_t why;
    json_t *j;

    for (char *c = copy; *c; c++)
        *c = *c == '\'' ? '"' : *c;
    j = json_loads(copy, JSON_DECODE_ANY, &why);
    if (!j)
        fail_msg("%s: %s", copy, why.text);
    free(copy);
    return j;
}

/* path: "updates[0].files[0].size" */
static void paper_set(json_t *object, const char *path, const char *value)
{
    size_t n = strcspn(path, ".[");
    char *name = must_print("%.*s", (int)n, path);

    while (path[n] == '[' || path[n] == '.') {
        json_t *next = json_object_get(object, name);
        if (path[n] == '[') {
            next = json_array_get(next, (size_t)strtoul(path + n + 1, NULL, 10));
            n += strcspn(path + n, "]") + 1;
        }
        assert_non_null(next);
        object = next;
        path += n + 1;
        n = strcspn(path, ".[");
        free(name);
        name = must_print("%.*s", (int)n, path);
    }
    if (value)
        json_object_set_new(object, name, paper(value));
    else
        assert_int_equal(json_object_del(object, name), 0);
    free(name);
}

static void paper_expect(const json_t *doc, paper_reader read, const char *part)
{
    struct error e = {0};

    if (read(doc, &e) != ERR_VERIFY)
        fail_msg("accepted; expected: %s", part);
    if (!strstr(e.text, part))
        fail_msg("\"%s\" does not say \"%s\"", e.text, part);
}

__attribute__((unused)) static void paper_refuse(const char *good, paper_reader read, const struct refusal *table, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        json_t *doc = paper(good);
        paper_set(doc, table[i].path, table[i].value);
        paper_expect(doc, read, table[i].error);
        json_decref(doc);
    }
}

/* In every object below here: a member nobody knows, and null for each value, are refused with their path. Returns how many were tried. */
__attribute__((unused)) static size_t paper_torture(const json_t *doc, json_t *here, const char *path, paper_reader read)
{
    size_t tried = 0, i;
    json_t *names = json_array(), *name, *item;
    const char *key;

    json_object_foreach(here, key, item) json_array_append_new(names, json_string(key));
    json_array_foreach(names, i, name)
    {
        char *below = must_print("%s.%s", path, json_string_value(name));
        json_t *old = json_incref(json_object_get(here, json_string_value(name)));
        json_object_set_new(here, json_string_value(name), json_null());
        paper_expect(doc, read, below);
        json_object_set_new(here, json_string_value(name), old);
        tried += 1 + paper_torture(doc, old, below, read);
        free(below);
    }
    json_array_foreach(here, i, item)
    {
        char *below = must_print("%s[%zu]", path, i);
        json_t *old = json_incref(item);
        json_array_set_new(here, i, json_null());
        paper_expect(doc, read, below);
        json_array_set_new(here, i, old);
        tried += 1 + paper_torture(doc, old, below, read);
        free(below);
    }
    if (json_is_object(here)) {
        char *below = must_print("%s.surprise: is not known", path);
        json_object_set_new(here, "surprise", json_integer(1));
        paper_expect(doc, read, below);
        json_object_del(here, "surprise");
        tried++;
        free(below);
    }
    json_decref(names);
    return tried;
}

#define HEX_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define HEX_B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define HEX_C "cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc"

/* Every member that an update can have. */
#define UPDATE_APT                                                                                                                         \
    "{'id':'apt:demo:jq:1.6-2','catalog':'demo','name':'jq','version':'1.6-2','title':'jq security update','description':'d',"             \
    "'classification':'security','severity':'important','urgency':'high','product':'Debian bookworm','vendor':'Debian',"                   \
    "'cves':['CVE-2026-1','CVE-2026-2'],'released':'2026-11-23T21:00:00Z','applies':'os.codename = bookworm',"                             \
    "'files':[{'sha256':'" HEX_A "','size':1000,'name':'pool/main/j/jq/jq_1.6-2_amd64.deb','origin':'http://deb/jq.deb',"                  \
    "'package':'jq','version':'1.6-2','arch':'amd64'}],"                                                                                   \
    "'detect':{'type':'dpkg'},'install':{'type':'apt','max_run_s':3600}}"
#define UPDATE_COMMAND                                                                                                                     \
    "{'id':'command:banner:1','catalog':'command','name':'banner','version':'1','title':'banner','description':'','classification':"       \
    "'update','severity':'unspecified','urgency':'','product':'','vendor':'','files':[{'sha256':'" HEX_B "','size':20,'name':'set.sh'}],"  \
    "'detect':{'type':'file','program':'is-set.sh','args':['-q'],'path':'/etc/banner','sha256':'" HEX_C "'},"                              \
    "'install':{'type':'command','program':'set.sh','args':['{root}','{content}'],'codes':[{'code':0,'meaning':'success'},"                \
    "{'code':3010,'meaning':'restart'},{'code':4294967295,'meaning':'failure'}],'max_run_s':300,'exclusive':true}}"
#define CONTENT(hex) "{'sha256':'" hex "','size':1000,'info_hash':'" hex "','torrent':'ZDg6','origin':'http://deb/x'}"
#define ARCHIVE                                                                                                                            \
    "{'name':'demo','uri':'http://deb/debian','suite':'bookworm-security','components':['main','contrib'],'arch':'amd64',"                 \
    "'keyring':'Zm9v','indexes':[{'path':'InRelease','sha256':'" HEX_B "','size':1000},"                                                   \
    "{'path':'main/binary-amd64/Packages.xz','sha256':'" HEX_C "','size':1000}]}"
/* … and a deployment: every term is what it is not by default. */
#define TERMS                                                                                                                              \
    "'local_time':true,'randomize_s':3600,'gradual_s':86400,'soft_deadline':true,'notify':'restart','install_outside':true,"               \
    "'restart_outside':true,'suppress_restart_servers':true,'suppress_restart_workstations':true,'reevaluate_after_restart':true,"         \
    "'predownload':true,'neighbour_fallback':false,'default_group_fallback':false,'origin_fallback':true,'metered':true,"                  \
    "'verbosity':'outcome'"
#define DEPLOYMENT                                                                                                                         \
    "{'type':'deployment','seq':7,'audience':'site-1','id':'october','name':'October','collection':'tills','enabled':true,"                \
    "'withdrawn':false,'halted':'5 of 20 nodes failed','purpose':'required','available':'2026-11-23T21:00:00Z',"                           \
    "'deadline':'2026-11-24T21:00:00Z'," TERMS ",'updates':[" UPDATE_APT "," UPDATE_COMMAND                                                \
    "],'contents':[" CONTENT(HEX_A) "," CONTENT(HEX_B) "," CONTENT(HEX_C) "],'archives':[" ARCHIVE "]}"

#endif
