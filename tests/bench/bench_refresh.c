/* What a node's refresh costs: requests, bytes and CPU of the metadata, when nothing is new and when everything is, for 10 and for 100
 * collections with a deployment each. From files, as a web server would hand them over; the documents themselves are not counted. */
#include <time.h>

#include "tests/unit/site_trust.h"

#define TIMES 200

static double cpu(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void publish(struct place *p, size_t collections, int64_t seq, const char *what)
{
    char *names[128];

    for (size_t i = 0; i < collections; i++)
        names[i] = must_print("policy/collection-%zu/october.json", i);
    place_publish(p, (const char *const *)names, collections, what, seq);
    for (size_t i = 0; i < collections; i++)
        free(names[i]);
}

static void say_size(struct place *p, const char *below)
{
    size_t length = 0;

    free(place_read(p, below, 1 << 20, &length));
    printf("%-44s %6zu bytes\n", below, length);
}

static void measure(struct place *p, const char *what)
{
    int    requests = 0;
    size_t bytes = 0;
    double begun = cpu();

    if (place_refresh(p, &requests, &bytes) == VERIFIER_FAILED)
        fail_msg("%s", p->node.e.text);
    printf("%-44s %6zu bytes, %3d requests, %.3f ms CPU\n", what, bytes, requests, (cpu() - begun) * 1e3);
}

static void unchanged(struct place *p)
{
    double begun = cpu();
    int    requests = 0;
    size_t bytes = 0;

    for (int i = 0; i < TIMES; i++)
        assert_int_equal(place_refresh(p, &requests, &bytes), VERIFIER_UNCHANGED);
    printf("%-44s %6zu bytes, %3d requests, %.3f ms CPU (mean of %d, stored roles verified again each time)\n", "nothing new", bytes, requests,
           (cpu() - begun) * 1e3 / TIMES, TIMES);
}

static void bench(void **state)
{
    struct place *p = *state;

    publish(p, 10, 1, "first");
    say_size(p, "metadata/timestamp.json");
    measure(p, "the first refresh, 10 collections");
    unchanged(p);
    publish(p, 10, 2, "second");
    measure(p, "10 collections, all changed");
    publish(p, 100, 3, "third");
    measure(p, "100 collections, all changed or new");
    unchanged(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test_setup_teardown(bench, place_open, place_close)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
