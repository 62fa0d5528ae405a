#include "enforce/deny_file.h"

#include "base/file.h"
#include "crypto/key.h"

#include <stdio.h>

#define MAGIC   "cc deny rules "
#define VERSION "1 "

enum {
    HASH_HEX = 64,
    LINE_EXTRA = 64, /* of a line beside its value */
    SCRATCH_BYTES = 4 << 20
};

_Static_assert(DENY_FILE_RULES *(DENY_FILE_VALUE_BYTES + LINE_EXTRA) < DENY_FILE_BYTES,
               "a full list fits");

const char *deny_file_fault(const struct gw_deny_rule *rule)
{
    struct gw_address_range range;

    if (rule->value.n == 0 || rule->value.n > DENY_FILE_VALUE_BYTES ||
        slice_has_control(rule->value))
        return "the value is empty, too long, or has a control character";
    return rule->kind == GW_DENY_ADDRESS ? gw_address_range_parse(rule->value, &range) : NULL;
}

/* False: there is no such directory, or its path is too long. */
static bool path_in(const char *directory, char path[PATH_MAX])
{
    int n = snprintf(path, PATH_MAX, "%s/" DENY_FILE_NAME, directory);

    return n > 0 && n < PATH_MAX;
}

/* --- writing --------------------------------------------------------------------------------- */

void deny_file_add_rule(struct buf *out, const struct gw_deny_rule *r)
{
    if (r->from_s > 0)
        buf_printf(out, "%lld-", (long long)r->from_s);
    buf_printf(out, "%lld %s %s %" PRIslice "\n", (long long)r->until_s, r->invert ? "invert" : "-",
               gw_denial_name(r->kind), SLICE_ARG(r->value));
}

int deny_file_write(const char *directory, const struct deny_list *list)
{
    char path[PATH_MAX], hex[HASH_HEX + 1];
    struct buf lines, text;
    int rc;

    if (!path_in(directory, path))
        return CC_EINVAL;
    buf_init(&lines, DENY_FILE_BYTES);
    buf_init(&text, DENY_FILE_BYTES);
    for (size_t i = 0; list != NULL && i < deny_list_count(list); i++)
        deny_file_add_rule(&lines, deny_list_at(list, i));
    rc = buf_error(&lines);
    if (rc == CC_OK)
        rc = crypto_sha256_hex(buf_slice(&lines), hex);
    if (rc == CC_OK) {
        buf_printf(&text, MAGIC VERSION "%s\n", hex);
        buf_add(&text, buf_slice(&lines));
        rc = buf_error(&text);
    }
    if (rc == CC_OK)
        rc = file_mkdirs(directory, 0700);
    if (rc == CC_OK)
        rc = file_write_atomic(path, buf_slice(&text), 0600);
    buf_free(&text);
    buf_free(&lines);
    return rc;
}

/* --- reading --------------------------------------------------------------------------------- */

static bool read_second(struct slice text, int64_t *out)
{
    uint64_t s;

    if (slice_to_u64(text, &s) != CC_OK || s > INT64_MAX)
        return false;
    *out = (int64_t)s;
    return true;
}

/* UNTIL, or FROM-UNTIL. */
static bool read_times(struct slice text, struct gw_deny_rule *out)
{
    struct slice from = SLICE_NONE;

    if (slice_find(text, '-') >= 0 &&
        (!slice_split(&text, '-', &from) || !read_second(from, &out->from_s) || out->from_s == 0))
        return false;
    return read_second(text, &out->until_s) && (out->until_s == 0 || out->from_s < out->until_s);
}

bool deny_file_read_rule(struct slice line, struct gw_deny_rule *out)
{
    struct slice times, invert, kind;

    *out = (struct gw_deny_rule){.until_s = 0};
    if (!slice_split(&line, ' ', &times) || !slice_split(&line, ' ', &invert) ||
        !slice_split(&line, ' ', &kind) || !read_times(times, out) ||
        !gw_denial_find(kind, &out->kind))
        return false;
    out->invert = slice_is(invert, "invert");
    out->value = line;
    return (out->invert || slice_is(invert, "-")) && deny_file_fault(out) == NULL;
}

int deny_file_parse(struct deny_list **out, struct slice text, struct arena *scratch)
{
    struct gw_deny_rule *rules = arena_array(scratch, DENY_FILE_RULES, sizeof(*rules));
    char hex[HASH_HEX + 1];
    struct slice head, line;
    size_t n = 0;

    *out = NULL;
    if (rules == NULL)
        return CC_ENOMEM;
    if (!slice_split(&text, '\n', &head) || !slice_starts(head, SLICE(MAGIC)))
        return CC_EPARSE;
    head = slice_from(head, sizeof(MAGIC) - 1);
    if (!slice_starts(head, SLICE(VERSION)))
        return CC_EVERSION;
    if (crypto_sha256_hex(text, hex) != CC_OK)
        return CC_ENOMEM;
    if (!slice_eq(slice_from(head, sizeof(VERSION) - 1), slice_of(hex)))
        return CC_EPARSE;
    while (text.n > 0 && slice_split(&text, '\n', &line)) {
        if (n == DENY_FILE_RULES || !deny_file_read_rule(line, &rules[n]))
            return CC_EPARSE;
        n++;
    }
    return n > 0 ? deny_list_new(out, rules, n) : CC_OK;
}

int deny_file_read(struct deny_list **out, const char *directory)
{
    struct arena *scratch;
    char path[PATH_MAX];
    struct slice text;
    int rc;

    *out = NULL;
    if (!path_in(directory, path))
        return CC_EINVAL;
    scratch = arena_new(SCRATCH_BYTES);
    if (scratch == NULL)
        return CC_ENOMEM;
    rc = file_read(scratch, path, DENY_FILE_BYTES, &text);
    if (rc == CC_ENOENT) {
        arena_free(&scratch);
        return CC_OK;
    }
    if (rc == CC_OK)
        rc = file_check_ours(directory, path);
    if (rc == CC_OK)
        rc = deny_file_parse(out, text, scratch);
    arena_free(&scratch);
    return rc;
}
