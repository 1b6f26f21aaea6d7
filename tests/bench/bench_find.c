/* How long the site's questions take at full size (bench_site.h). Prints seconds; the ledger is made below /tmp and removed. */
#include "tests/bench/bench_site.h"

/* Twice: the first time may find the pages on the disk only. */
static void measure(struct desk *d, const char *name, const char *args, const char *what)
{
    double  first = seconds(), second;
    json_t *out = ask(d, name, args);

    json_decref(out);
    second = seconds();
    out = ask(d, name, args);
    printf("%7.3f s, again %7.3f s  %6lld  %s\n", second - first, seconds() - second,
           (long long)json_integer_value(json_object_get(out, "total")), what);
    json_decref(out);
}

static void bench(void **state)
{
    static const char *const filters[] = {
        "classification = security",
        "(classification = security or classification = critical) and required > 50",
        "required >= 1",
        "name = source-777",
        "name ~ \\\"source-77*\\\"",
        "title contains \\\"77\\\"",
        "description contains kernel",
        "cve = CVE-2026-77",
        "severity >= important and not superseded",
        "deployed",
        "downloaded and required > 0",
        "compliance < 90 and required > 0",
        "not-required = 0",
        "released < 30d",
        "size > 32MiB",
        "not (expired or superseded) and unknown = 0",
    };
    struct desk *d = *state;
    double       begun = seconds();

    fill(d);
    printf("the ledger took %.1f s\n", seconds() - begun);
    measure(d, "update.list", "{}", "no filter");
    for (size_t i = 0; i < COUNT(filters); i++) {
        AUTO(text_free) char *args = must_print("{'filter':'%s'}", filters[i]);
        measure(d, "update.list", args, filters[i]);
    }
    measure(d, "update.list", "{'sort':'-required'}", "sorted by -required");
    measure(d, "update.list", "{'filter':'classification = security','sort':'-released'}", "security, sorted by -released");
    measure(d, "status.show", "{}", "status: 50 deployments, 1,000 nodes, 200 updates each");
    measure(d, "deployment.nodes", "{'name':'d-7','state':'unknown'}", "100 of the nodes of a deployment, with their reasons");
    sql(d, "UPDATE node_update SET state = 2");
    measure(d, "status.show", "{}", "status when everybody requires everything");
    measure(d, "update.list", "{'text':'cve-2026-77 everybody'}", "words of people");
    measure(d, "group.list", "{}", "groups");
    measure(d, "collection.list", "{}", "60 collections");
    measure(d, "node.list", "{}", "nodes");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test_setup_teardown(bench, desk_open, desk_close)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
