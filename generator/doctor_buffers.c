/* doctor: has HAProxy room for the JWT for endpoints? */
#include "generator/doctor.h"

#include "gateway/gateway.h"
#include "generator/doctor_process.h"

#include <limits.h>
#include <unistd.h>

enum {
    CONFIG_MAX = 16 << 20,
    CMDLINE_MAX = 64 << 10,
    DEFAULT_BUFSIZE = 16384,
    DEFAULT_MAXREWRITE = 1024,
    SMALL = 2048 /* an RSA-signed JWT with the gateway's claims alone has more than 1024 */
};

/* "16384", "16k"; 0: it is none */
static uint64_t size_of(struct slice text)
{
    uint64_t unit = 1, v = 0;

    if (text.n > 0 && (text.p[text.n - 1] == 'k' || text.p[text.n - 1] == 'm'))
        unit = text.p[--text.n] == 'k' ? 1024 : 1024 * 1024;
    return slice_to_u64(text, &v) == CC_OK && v <= UINT32_MAX ? v * unit : 0;
}

static bool next_word(struct slice *rest, struct slice *word)
{
    size_t n = 0;

    *rest = slice_trim(*rest);
    while (n < rest->n && rest->p[n] != ' ' && rest->p[n] != '\t' && rest->p[n] != '#')
        n++;
    *word = slice_first(*rest, n);
    *rest = slice_from(*rest, n);
    return n > 0;
}

void doctor_read_buffers(struct slice text, struct doctor_buffers *out)
{
    struct slice line, name, value;

    while (slice_split(&text, '\n', &line)) {
        uint64_t n;

        if (!next_word(&line, &name) || !next_word(&line, &value))
            continue;
        n = size_of(value);
        if (n > 0 && slice_is(name, "tune.bufsize"))
            out->bufsize = n;
        else if (n > 0 && slice_is(name, "tune.maxrewrite"))
            out->maxrewrite = n;
    }
}

static bool read_file(const struct doctor *d, const char *path, struct doctor_buffers *out)
{
    struct slice text;

    if (file_read(d->arena, path, CONFIG_MAX, &text) != CC_OK)
        return false;
    doctor_read_buffers(text, out);
    return true;
}

/* The files that a process was given by -f, as far as this user sees them. False: none. */
static bool read_process(const struct doctor *d, pid_t pid, struct doctor_buffers *out)
{
    char path[64], directory[PATH_MAX], full[PATH_MAX + 256];
    struct slice words = SLICE_NONE, word;
    bool is_file = false, any = false;
    FILE *f;
    ssize_t n;
    char *room = arena_alloc(d->arena, CMDLINE_MAX);

    snprintf(path, sizeof(path), "/proc/%d/cmdline", (int)pid);
    f = room != NULL ? fopen(path, "re") : NULL;
    if (f == NULL)
        return false;
    words = slice_make(room, fread(room, 1, CMDLINE_MAX - 1, f));
    fclose(f);
    room[words.n] = '\0';
    snprintf(path, sizeof(path), "/proc/%d/cwd", (int)pid);
    n = readlink(path, directory, sizeof(directory) - 1);
    directory[n > 0 ? n : 0] = '\0';
    while (slice_split(&words, '\0', &word)) {
        if (is_file && snprintf(full, sizeof(full), "%s%s%" PRIslice,
                                word.n > 0 && word.p[0] == '/' ? "" : directory,
                                word.n > 0 && word.p[0] == '/' ? "" : "/",
                                SLICE_ARG(word)) < (int)sizeof(full))
            any = read_file(d, full, out) || any;
        is_file = slice_is(word, "-f");
    }
    return any;
}

static void judge(struct doctor *d, const char *where, const struct doctor_buffers *b)
{
    static const char help[] =
        "in `global`: tune.maxrewrite 8192, and tune.bufsize larger by 7168 (23552)";
    uint64_t free_ = b->maxrewrite < b->bufsize / 2 ? b->maxrewrite : b->bufsize / 2;

    if (free_ < GW_BACKEND_JWT_REWRITE)
        doctor_say(d, free_ < SMALL ? DOCTOR_FAIL : DOCTOR_WARN, DOCTOR_BUFFER, help,
                   "%s keeps %llu bytes free for the JWT for endpoints, which has up to %d: a "
                   "request that brings its body in its first packet is answered with 500 when it "
                   "does not fit",
                   where, (unsigned long long)free_, (int)GW_BACKEND_JWT_MAX);
    else
        doctor_say(d, DOCTOR_OK, DOCTOR_BUFFER, NULL,
                   "%s keeps %llu bytes free, enough for the JWT for endpoints", where,
                   (unsigned long long)free_);
}

void doctor_check_buffers(struct doctor *d)
{
    const struct doctor_buffers defaults = {DEFAULT_BUFSIZE, DEFAULT_MAXREWRITE};
    struct doctor_buffers b = defaults;
    struct process *processes;
    size_t n, seen = 0;

    if (!d->config->jwt_generator.enabled)
        return;
    if (d->haproxy_config != NULL) {
        if (read_file(d, d->haproxy_config, &b))
            judge(d, d->haproxy_config, &b);
        else
            doctor_say(d, DOCTOR_FAIL, DOCTOR_BUFFER, "name the file with the `global` section",
                       "%s cannot be read", d->haproxy_config);
        return;
    }
    n = process_find("haproxy", d->arena, &processes);
    for (size_t i = 0; i < n; i++) {
        b = defaults;
        if (processes[i].master || !read_process(d, processes[i].pid, &b))
            continue;
        judge(d, arena_printf(d->arena, "HAProxy (process %d)", (int)processes[i].pid).p, &b);
        seen++;
    }
    if (seen == 0)
        doctor_say(d, DOCTOR_WARN, DOCTOR_BUFFER,
                   "name its main configuration with --haproxy-config",
                   "no configuration of a running HAProxy can be read here: has it tune.maxrewrite "
                   "%d, for the JWT for endpoints?",
                   (int)GW_BACKEND_JWT_REWRITE);
}
