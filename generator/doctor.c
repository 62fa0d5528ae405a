#include "generator/doctor.h"

#include "gateway/snapshot.h"

#include <stdarg.h>

enum { TEXT_MAX_BYTES = 4096, JSON_MAX_BYTES = 16 << 20 };

static const char *const level_words[] = {"ok", "warn", "fail"};

static const struct {
    const char *word;
    enum diag_code code;
} checks[DOCTOR_CHECK_COUNT] = {
#define X(name, word, code) [name] = {word, code},
    DOCTOR_CHECKS(X)
#undef X
};

void doctor_say(struct doctor *d, enum doctor_level level, enum doctor_check check,
                const char *help, const char *fmt, ...)
{
    char room[TEXT_MAX_BYTES];
    struct doctor_item *item;
    va_list ap;
    int n;

    /* Lists of settings are bounded far below that: no finding is ever dropped. */
    CC_ASSERT(d->n < DOCTOR_MAX_ITEMS);
    va_start(ap, fmt);
    n = vsnprintf(room, sizeof(room), fmt, ap);
    va_end(ap);
    if (n < 0)
        return;
    for (char *p = room; *p != '\0'; p++) /* names of files may hold anything */
        if (ascii_is_control(*p))
            *p = '?';
    item = &d->items[d->n++];
    *item = (struct doctor_item){check, level, arena_dup(d->arena, slice_of(room)),
                                 level == DOCTOR_OK ? NULL : help};
    if (item->text.p == NULL)
        item->text = SLICE("(out of memory)");
}

void doctor_run(struct doctor *d)
{
    doctor_check_programs(d);
    doctor_check_clock(d);
    doctor_check_output(d);
    if (d->config != NULL) {
        doctor_check_ports(d);
        doctor_check_ready(d);
        doctor_check_agent(d);
        doctor_check_permissions(d);
        doctor_check_chroot(d);
        doctor_check_certificates(d);
        doctor_check_issuers(d);
        doctor_check_clients(d);
        doctor_check_jwt(d);
        doctor_check_buffers(d);
        doctor_check_revoked(d);
        doctor_check_filters(d);
        doctor_check_redis(d);
    }
    doctor_check_files(d);
}

void doctor_close(struct doctor *d)
{
    gw_snapshot_unref(&d->snapshot);
}

size_t doctor_count(const struct doctor *d, enum doctor_level level)
{
    size_t n = 0;

    for (size_t i = 0; i < d->n; i++)
        n += d->items[i].level == level;
    return n;
}

void doctor_print(const struct doctor *d, FILE *out, bool colour)
{
    static const char *const paints[] = {"\033[32m", "\033[1;33m", "\033[1;31m"};

    for (size_t i = 0; i < d->n; i++) {
        const struct doctor_item *item = &d->items[i];

        fprintf(out, "%s%-4s%s %s", colour ? paints[item->level] : "", level_words[item->level],
                colour ? "\033[0m" : "", checks[item->check].word);
        if (item->level != DOCTOR_OK)
            fprintf(out, "[%s]", diag_code_name(checks[item->check].code));
        fprintf(out, ": %" PRIslice "\n", SLICE_ARG(item->text));
        if (item->help != NULL)
            fprintf(out, "       help: %s\n", item->help);
    }
}

int doctor_print_json(const struct doctor *d, FILE *out)
{
    struct buf text;
    int rc;

    buf_init(&text, JSON_MAX_BYTES);
    buf_printf(&text, "{\"schema\":%d,\"ok\":%s,\"checks\":[", DOCTOR_SCHEMA,
               doctor_count(d, DOCTOR_FAIL) == 0 ? "true" : "false");
    for (size_t i = 0; i < d->n; i++) {
        const struct doctor_item *item = &d->items[i];

        buf_printf(&text, "%s{\"check\":\"%s\",\"level\":\"%s\",\"code\":\"%s\",\"text\":",
                   i > 0 ? ",\n" : "\n", checks[item->check].word, level_words[item->level],
                   diag_code_name(checks[item->check].code));
        buf_add_json(&text, item->text);
        if (item->help != NULL) {
            buf_add_str(&text, ",\"help\":");
            buf_add_json(&text, slice_of(item->help));
        }
        buf_add_char(&text, '}');
    }
    buf_add_str(&text, "]}\n");
    rc = buf_error(&text);
    if (rc == CC_OK)
        fwrite(text.p, 1, text.n, out);
    buf_free(&text);
    return rc;
}
