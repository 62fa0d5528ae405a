/* The deny rules of a running agent: what is believed of what answers. */
#include "generator/agent_denials.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static void rules(void **state)
{
    const struct gw_deny_rule *r;
    struct deny_list *list = NULL;

    (void)state;
    assert_int_equal(agent_denials_read(SLICE("list 0\n\n"), &list), CC_OK);
    assert_null(list);
    assert_int_equal(agent_denials_read(SLICE("list 17\n"
                                              "1700000060 - user bob invert\n"
                                              "1700000000-0 invert ip 203.0.113.0/24\n"
                                              "list 17\n"
                                              "0 - application alice: My Shop\n\n"),
                                        &list),
                     CC_OK);
    assert_non_null(list);
    assert_int_equal(deny_list_count(list), 3);
    r = deny_list_at(list, 0);
    assert_true(r->kind == GW_DENY_USER && slice_is(r->value, "bob invert") && !r->invert);
    assert_int_equal(r->until_s, 1700000060);
    r = deny_list_at(list, 1);
    assert_true(r->kind == GW_DENY_ADDRESS && slice_is(r->value, "203.0.113.0/24") && r->invert);
    assert_int_equal(r->from_s, 1700000000);
    assert_true(slice_is(deny_list_at(list, 2)->value, "alice: My Shop"));
    deny_list_unref(&list);
}

static void answers_that_are_none(void **state)
{
    static const struct {
        const char *text;
        int rc;
    } rows[] = {
        {"", CC_EPARSE},
        {"\n", CC_EPARSE},
        {"\n\n", CC_EPARSE},
        {"hello\n\n", CC_EPARSE},
        {"HTTP/1.1 400 Bad Request\r\n\r\n", CC_EPARSE},
        {"usage: show deny\n\n", CC_EUNSUPPORTED},
        {"unknown command: show deny; these are known:\n  help\n\n", CC_EUNSUPPORTED},
        {"0 - user bob\n\n", CC_EPARSE},
        {"list 1\n0 - user bob\n", CC_EPARSE}, /* cut, at the end of a line */
        {"list 1\n0 - user bo", CC_EPARSE},
        {"list 1\n\n", CC_EPARSE}, /* its rules are missing */
        {"list 0\n0 - user bob\n\n", CC_EPARSE},
        {"list 1\n0 - user bob\nlist 2\n0 - user eve\n\n", CC_EAGAIN},
        {"list 1\n0 - user bob\nlist 0\n\n", CC_EAGAIN},
        {"list -1\n0 - user bob\n\n", CC_EPARSE},
        {"list 99999999999999999999\n0 - user bob\n\n", CC_EPARSE},
        {"list 1\n0 - user bob\n\n\n", CC_EPARSE},
        {"list 1\n0 - user bob\n\nlist 1\n\n", CC_EPARSE},
        {"list 1\n0 - nobody bob\n\n", CC_EPARSE},
        {"list 1\n0 - ip 203.0.113\n\n", CC_EPARSE},
        {"list 1\n0 - user \033[2J\n\n", CC_EPARSE},
        {"list 1\nuser bob for 5\n\n", CC_EPARSE},
        {"list 1\n5-5 - user bob\n\n", CC_EPARSE},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct deny_list *list = NULL;

        if (agent_denials_read(slice_of(rows[i].text), &list) != rows[i].rc || list != NULL)
            fail_msg("row %zu: %s", i, rows[i].text);
    }
}

/* As many as an agent can have, as long as they can be, and one more. */
static void many(void **state)
{
    static char value[DENY_FILE_VALUE_BYTES + 1];
    struct deny_list *list = NULL;
    struct buf answer;

    (void)state;
    memset(value, 'x', sizeof(value) - 1);
    buf_init(&answer, DENY_FILE_BYTES);
    buf_add_str(&answer, "list 1\n");
    for (unsigned i = 0; i < DENY_FILE_RULES; i++)
        buf_printf(&answer, "%s0 - user %.*s%04u\n", i % 14 == 0 ? "list 1\n" : "",
                   DENY_FILE_VALUE_BYTES - 4, value, i);
    buf_add_char(&answer, '\n');
    assert_int_equal(buf_error(&answer), CC_OK);
    assert_int_equal(agent_denials_read(buf_slice(&answer), &list), CC_OK);
    assert_int_equal(deny_list_count(list), DENY_FILE_RULES);
    deny_list_unref(&list);
    answer.n--;
    buf_add_str(&answer, "0 - user one\n\n");
    assert_int_equal(agent_denials_read(buf_slice(&answer), &list), CC_EPARSE);
    assert_null(list);
    buf_free(&answer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rules),
        cmocka_unit_test(answers_that_are_none),
        cmocka_unit_test(many),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
