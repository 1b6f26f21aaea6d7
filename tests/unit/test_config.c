#include "node/config.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#define MOST 16

/* Words separated by blanks, as on the command line. */
static enum err load(struct config *c, const char *line, struct error *e)
{
    AUTO(text_free) char *copy = must_copy(line);
    char                 *words[MOST], *save;
    int                   n = 0;

    *e = (struct error){OK, ""};
    *c = (struct config){0};
    for (char *w = strtok_r(copy, " ", &save); w && n < MOST; w = strtok_r(NULL, " ", &save))
        words[n++] = w;
    return config_load(c, NULL, n, words, e);
}

static void accepted(void **state)
{
    struct config c;
    struct error  e;

    (void)state;
    assert_int_equal(
        load(&c, "--role client --site http://127.0.0.1:1 --listen 127.1.0.2:6881 --peer 127.1.0.3:6881,127.1.0.4:6881 --poll 2s", &e), OK);
    assert_true(config_has_role(&c, "client"));
    assert_false(config_has_role(&c, "site"));
    assert_string_equal(c.root, "/");
    assert_string_equal(c.address, "127.1.0.2");
    assert_string_equal(c.dp_state, "/var/lib/ferry/dp");
    assert_string_equal(c.peer[1], "127.1.0.4:6881");
    assert_int_equal(c.poll, 2);
    assert_int_equal(c.wan_requests, 4);
    assert_int_equal(c.cache_max, (int64_t)20 << 30);
    assert_string_equal(c.restart_command, "systemctl reboot");
    assert_string_equal(c.boot_id, "/proc/sys/kernel/random/boot_id");
    assert_true(!c.timezone && !c.machine_kind && !c.notify_command && !c.metered);
    config_end(&c);
    assert_int_equal(load(&c, "--role client --root /srv/root --timezone Europe/Berlin --machine-kind server --metered=yes --notify-command n", &e),
                     OK);
    assert_null(c.restart_command);             /* of another root's machine nothing is known */
    assert_true(c.metered && *c.notify_command == '/');
    config_end(&c);
    assert_int_equal(
        load(&c, "--role site,distribution-point --site-listen 127.0.0.1:0 --dp-name dp-1 --dp-listen [::1]:80 --address 10.0.0.1", &e),
        OK);
    assert_true(config_has_role(&c, "site") && config_has_role(&c, "distribution-point"));
    assert_string_equal(c.address, "10.0.0.1");
    config_end(&c);
}

static void refused(void **state)
{
    static const struct {
        const char *line, *part;
    } cases[] = {
        {"", "role is missing; accepted are client, distribution-point and site"},
        {"--role server", "role cannot be 'server'; accepted are client, distribution-point, site"},
        {"--role site", "site-listen is missing: the role site needs it"},
        {"--role distribution-point --dp-listen 127.0.0.1:1", "dp-name is missing"},
        {"--role distribution-point --dp-name x", "dp-listen is missing"},
        {"--role site --site-listen localhost:80", "site-listen: 'localhost:80' is not an address"},
        {"--role client --listen 0.0.0.0:6881", "must be this machine's own"},
        {"--role client --listen [::]:6881", "must be this machine's own"},
        {"--role client --peer 127.0.0.1:1,nobody", "peer: 'nobody' is not an address"},
        {"--role client --bind-address eth0", "bind-address cannot be 'eth0'"},
        {"--role client --site ftp://x", "a URL begins with http://"},
        {"--role client --wan-requests 0", "accepted are 1 to 64"},
        {"--role client --timezone Mars/Olympus", "timezone: no time zone \"Mars/Olympus\" is known here"},
        {"--role client --machine-kind toaster", "machine-kind cannot be 'toaster'; accepted are server, workstation"},
        {"--role client --metered=auto", "metered cannot be"},
        {"--role client extra", "'extra' is not understood"},
        {"--rolle client", "unknown option '--rolle' (did you mean 'role'?)"},
    };
    struct config c;
    struct error  e;

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        if (load(&c, cases[i].line, &e) != ERR_USAGE || !strstr(e.text, cases[i].part))
            fail_msg("'%s': %s", cases[i].line, e.text);
}

/* Installing without privileges is for laboratories only: never into the running system, never as root. */
static void unprivileged_roots(void **state)
{
    struct config c;
    struct error  e;
    enum err      code;

    (void)state;
    assert_int_equal(load(&c, "--role client --unprivileged-root", &e), ERR_DENIED);
    assert_int_equal(load(&c, "--role client --unprivileged-root --root //", &e), ERR_DENIED);
    code = load(&c, "--role client --unprivileged-root --root /tmp/root", &e);
    assert_int_equal(code, geteuid() ? OK : ERR_DENIED);
    if (!code)
        config_end(&c);
    assert_int_equal(load(&c, "--role client --root /tmp/root", &e), OK);
    config_end(&c);
}

/* Every key has a sentence, and no two have one place. */
static void the_table_is_sound(void **state)
{
    (void)state;
    for (size_t i = 0; i < config_option_count; i++) {
        const char *meaning = config_options[i].meaning;

        assert_non_null(meaning);
        assert_int_equal(meaning[strlen(meaning) - 1], '.');
        for (size_t j = 0; j < i; j++) {
            assert_string_not_equal(config_options[i].name, config_options[j].name);
            assert_int_not_equal(config_options[i].at, config_options[j].at);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accepted),
        cmocka_unit_test(refused),
        cmocka_unit_test(unprivileged_roots),
        cmocka_unit_test(the_table_is_sound),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
