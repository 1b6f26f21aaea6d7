#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "dht/rendezvous.h"

#include <cmocka.h> /* last: it takes the name fail */

#define PIECES 512

static const char *const members[] = {"127.1.0.1:6881", "127.1.0.2:6881", "127.1.0.3:6881", "127.1.0.4:6881"};

static struct sha256 content(void)
{
    return hash_bytes("content", 7);
}

static void everybody_carries_a_fair_share(void **state)
{
    (void)state;
    struct sha256 c = content();
    unsigned share[4] = {0};
    for (uint32_t p = 0; p < PIECES; p++)
        share[rendezvous_owner(&c, p, members, 4)]++;
    for (int i = 0; i < 4; i++) {
        assert_true(share[i] > PIECES / 4 - 50);
        assert_true(share[i] < PIECES / 4 + 50);
    }
}

static void the_order_of_the_list_does_not_matter(void **state)
{
    (void)state;
    struct sha256 c = content();
    const char *const turned[] = {members[2], members[0], members[3], members[1]};
    for (uint32_t p = 0; p < PIECES; p++)
        assert_string_equal(members[rendezvous_owner(&c, p, members, 4)], turned[rendezvous_owner(&c, p, turned, 4)]);
}

static void a_member_that_leaves_moves_only_its_own_pieces(void **state)
{
    (void)state;
    struct sha256 c = content();
    for (uint32_t p = 0; p < PIECES; p++) {
        size_t before = rendezvous_owner(&c, p, members, 4);
        size_t after = rendezvous_owner(&c, p, members, 3);
        assert_true(before == 3 ? after < 3 : after == before);
    }
}

static void the_walk_is_a_permutation_of_ones_own(void **state)
{
    (void)state;
    struct sha256 c = content();
    uint32_t one[PIECES], again[PIECES], two[PIECES];
    uint8_t seen[PIECES] = {0};
    rendezvous_walk(&c, members[0], PIECES, one);
    rendezvous_walk(&c, members[0], PIECES, again);
    rendezvous_walk(&c, members[1], PIECES, two);
    for (uint32_t i = 0; i < PIECES; i++)
        seen[one[i]]++;
    for (uint32_t i = 0; i < PIECES; i++)
        assert_int_equal(seen[i], 1);
    assert_memory_equal(one, again, sizeof one);
    assert_memory_not_equal(one, two, sizeof one);
    rendezvous_walk(&c, members[0], 0, one);
}

/* Nodes of different versions must agree: these answers are for ever. */
static void the_answers_are_fixed(void **state)
{
    (void)state;
    struct sha256 c = content();
    uint32_t walk[8];
    char text[64] = "";
    rendezvous_walk(&c, members[0], 8, walk);
    for (uint32_t p = 0; p < 8; p++)
        snprintf(text + strlen(text), sizeof text - strlen(text), "%zu/%u ", rendezvous_owner(&c, p, members, 4), walk[p]);
    assert_string_equal(text, "3/2 2/1 2/4 3/3 3/0 0/5 0/6 0/7 ");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everybody_carries_a_fair_share),
        cmocka_unit_test(the_order_of_the_list_does_not_matter),
        cmocka_unit_test(a_member_that_leaves_moves_only_its_own_pieces),
        cmocka_unit_test(the_walk_is_a_permutation_of_ones_own),
        cmocka_unit_test(the_answers_are_fixed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
