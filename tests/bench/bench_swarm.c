/* What TLS costs the swarm: eight sessions in one process, 48 MiB injected into the first, the time until the last has everything. Once at the
 * pace of a thin line (4 MB/s: 12.58 s are ideal), once as fast as the machine can; without certificates and with them. */
#define NODES 8
#define SIZE  (48u << 20)
#define PIECE 262144u

#include <sys/resource.h>

#include "tests/unit/swarm_lab.h"

#define PACE 4000000.0                          /* bytes/s */

static double cpu_s(void)
{
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) + (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

/* Seconds until the last one has everything. */
static double run(bool ssl, bool paced, double *cpu)
{
    void *state = NULL;
    assert_int_equal(setup_with(ssl), 0);
    for (int i = 0; i < NODES; i++)
        open_node(i);
    for (int i = 0; i < NODES; i++)
        add(i, false);
    assert_true(until(all_ready));
    assert_true(until(all_connected));
    int64_t begun = now();
    double before = cpu_s();
    for (uint32_t given = 0; !all_done(); usleep(1000)) {
        double due = (double)(now() - begun) / 1000.0 * PACE / PIECE;
        while (given < PIECES && (!paced || given < (uint32_t)due))
            assert_true(inject(0, given++));
        pump();
    }
    double took = (double)(now() - begun) / 1000.0;
    *cpu = cpu_s() - before;
    for (int i = 0; i < NODES; i++)
        is_whole(i, NULL);
    assert_int_equal(teardown(&state), 0);
    return took;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The middle one of several: other processes have the machine too. */
static double middle(bool ssl, bool paced, int times, double *cpu)
{
    double took[9], used[9];
    for (int i = 0; i < times; i++)
        took[i] = run(ssl, paced, &used[i]);
    qsort(took, (size_t)times, sizeof *took, by_size);
    qsort(used, (size_t)times, sizeof *used, by_size);
    *cpu = used[times / 2];
    return took[times / 2];
}

int main(void)
{
    for (int paced = 1; paced >= 0; paced--) {
        double cpu_plain, cpu_tls, plain = middle(false, paced, paced ? 1 : 5, &cpu_plain), tls = middle(true, paced, paced ? 1 : 5, &cpu_tls);
        printf("%s: plain %.3f s (CPU %.2f), TLS %.3f s (CPU %.2f), ratio %.3f\n", paced ? "4 MB/s" : "unpaced", plain, cpu_plain, tls,
               cpu_tls, tls / plain);
        fflush(stdout);
    }
    return 0;
}
