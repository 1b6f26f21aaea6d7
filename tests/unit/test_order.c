/* What may be asked of the installer: a table of requests, and what comes of each. */
#include "paper.h"

#include "node/install/order.h"

#define LONG "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static void requests(void **state)
{
    static const struct {
        const char     *text;
        enum err        code;
        enum order_kind kind;
        const char     *says;
    } cases[] = {
        {"{'request':'install','target':'policy/tills/october.json','update':'apt:x:y:1'}", OK, ORDER_INSTALL, ""},
        {"{'request':'refresh'}", OK, ORDER_REFRESH, ""},
        {"{'request':'restart'}", OK, ORDER_RESTART, ""},
        {"{}", ERR_USAGE, 0, "request"},
        {"[]", ERR_USAGE, 0, ""},
        {"{'request':1}", ERR_USAGE, 0, "request"},
        {"{'request':'shell'}", ERR_USAGE, 0, "cannot be asked"},
        {"{'request':'restart','command':'sh'}", ERR_USAGE, 0, "command"},
        {"{'request':'refresh','target':'policy/tills/october.json'}", ERR_USAGE, 0, "target"},
        {"{'request':'install','target':'policy/tills/october.json'}", ERR_USAGE, 0, "update"},
        {"{'request':'install','update':'x'}", ERR_USAGE, 0, "target"},
        {"{'request':'install','target':'policy/tills/../fleet.json','update':'x'}", ERR_USAGE, 0, "names no deployment"},
        {"{'request':'install','target':'policy/../october.json','update':'x'}", ERR_USAGE, 0, "names no deployment"},
        {"{'request':'install','target':'/etc/shadow','update':'x'}", ERR_USAGE, 0, "names no deployment"},
        {"{'request':'install','target':'policy/tills/.json','update':'x'}", ERR_USAGE, 0, "names no deployment"},
        {"{'request':'install','target':'policy//october.json','update':'x'}", ERR_USAGE, 0, "names no deployment"},
        {"{'request':'install','target':'policy/tills/october','update':'x'}", ERR_USAGE, 0, "names no deployment"},
        {"{'request':'install','target':'policy/tills','update':'x'}", ERR_USAGE, 0, "names no deployment"},
        {"{'request':'install','target':'policy/" LONG "/october.json','update':'x'}", ERR_USAGE, 0, "names no deployment"},
        {"{'request':'install','target':'policy/tills/" LONG LONG LONG ".json','update':'x'}", ERR_USAGE, 0, "target"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        json_t      *j = paper(cases[i].text);
        struct order o;
        struct error e = {0};
        enum err     code = order_read(j, &o, &e);

        if (code != cases[i].code || (code && (e.code != code || !strstr(e.text, cases[i].says))) || (!code && o.kind != cases[i].kind))
            fail_msg("%s: %d, \"%s\"", cases[i].text, code, e.text);
        json_decref(j);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(requests)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
