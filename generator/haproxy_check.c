#include "generator/haproxy_check.h"

#include "generator/program.h"

#include <sys/wait.h>

enum { CHECK_TIMEOUT_MS = 60000, SAID_MAX_BYTES = 64 << 10, MAX_CONFIGS = 2 };

/* The file that HAProxy means by `path`, as a source for findings; NULL when it is none of ours. */
static struct source *find_source(struct slice path, const char *directory,
                                  const struct render_output *files, struct arena *arena)
{
    struct slice prefix = slice_of(directory);
    struct slice name;
    struct source *source = arena_alloc(arena, sizeof(*source));

    if (source == NULL || !slice_starts(path, prefix))
        return NULL;
    name = slice_from(path, prefix.n + 1);
    for (size_t i = 0; i < files->n_files; i++) {
        if (!slice_eq(files->files[i].name, name) || files->files[i].symlink_to != NULL)
            continue;
        source->name = files->files[i].name.p;
        source->text = files->files[i].text;
        return source;
    }
    return NULL;
}

/* Finds "parsing [PATH:LINE]" in a line of HAProxy's: its place, and the words after it. */
static struct place find_place(struct slice *line, const char *directory,
                               const struct render_output *files, struct arena *arena)
{
    struct slice rest = *line, path, number;
    uint64_t n = 0;
    struct place place = PLACE_NONE;
    ptrdiff_t open = slice_find(rest, '['), colon;

    if (open < 0)
        return place;
    rest = slice_from(rest, (size_t)open + 1);
    colon = slice_find(rest, ':');
    if (colon < 0)
        return place;
    path = slice_first(rest, (size_t)colon);
    rest = slice_from(rest, (size_t)colon + 1);
    if (!slice_split(&rest, ']', &number) || slice_to_u64(number, &n) != CC_OK || n > 0x7fffffff)
        return place;
    place.source = find_source(path, directory, files, arena);
    if (place.source == NULL)
        return place;
    place.line = (unsigned)n;
    place.col = 1;
    rest = slice_trim(rest);
    *line = slice_trim(slice_starts(rest, SLICE(":")) ? slice_from(rest, 1) : rest);
    return place;
}

/* "[ALERT]    (8) : config : words" -> "words"; false for lines that only go along with others. */
static bool take_words(struct slice *line)
{
    struct slice mark = SLICE(" : ");

    if (slice_starts(*line, SLICE("[NOTICE]")) || slice_trim(*line).n == 0)
        return false;
    if (!slice_starts(*line, SLICE("[")))
        return true;
    for (size_t i = 0; i + mark.n <= line->n; i++) {
        if (!slice_starts(slice_from(*line, i), mark))
            continue;
        *line = slice_from(*line, i + mark.n);
        if (slice_starts(*line, SLICE("config : ")))
            *line = slice_from(*line, strlen("config : "));
        return true;
    }
    return true;
}

static void report(struct slice said, int status, const char *directory,
                   const struct render_output *files, struct arena *arena, struct diag *diag)
{
    struct slice line;
    char room[64];
    size_t before = diag_errors(diag);

    while (slice_split(&said, '\n', &line)) {
        struct place place;

        if (!take_words(&line))
            continue;
        place = find_place(&line, directory, files, arena);
        diag_error(diag, CC5001, place, "HAProxy says: %" PRIslice, SLICE_ARG(line));
    }
    if (diag_errors(diag) == before)
        diag_error(diag, CC5001, PLACE_NONE, "haproxy -c ended with %s and said nothing",
                   program_status_text(status, room));
}

/* Fills argv after the program: "-c -dW -f ... NULL". CC_ENOMEM when the arena is full. */
static int make_argv(const char **argv, const char *directory, const struct render_output *files,
                     struct arena *arena)
{
    static const char *const configs[] = {"haproxy/standalone.cfg", "haproxy/cc.cfg"};
    size_t n = 0;

    argv[n++] = "-c";
    argv[n++] = "-dW";
    for (size_t c = 0; c < sizeof(configs) / sizeof(configs[0]); c++) {
        for (size_t i = 0; i < files->n_files; i++) {
            struct slice path;

            if (!slice_is(files->files[i].name, configs[c]))
                continue;
            path = arena_printf(arena, "%s/%s", directory, configs[c]);
            if (path.p == NULL)
                return CC_ENOMEM;
            argv[n++] = "-f";
            argv[n++] = path.p;
        }
    }
    argv[n] = NULL;
    return CC_OK;
}

int haproxy_check(const char *program, const char *directory, const struct render_output *files,
                  struct arena *arena, struct diag *diag)
{
    const char *argv[3 + 2 * MAX_CONFIGS + 1];
    const char *name = program != NULL ? program : "haproxy";
    struct buf said;
    int status = 0;
    int rc;

    argv[0] = program_find(name, arena);
    if (argv[0] == NULL) {
        diag_help(diag_error(diag, CC5002, PLACE_NONE, "there is no program '%s'", name),
                  "install it (apt-get install haproxy), name it with --haproxy, or build "
                  "unchecked with --no-haproxy-check");
        return CC_ECHILD;
    }
    rc = make_argv(argv + 1, directory, files, arena);
    if (rc != CC_OK)
        return rc;
    buf_init(&said, SAID_MAX_BYTES);
    rc = program_output(argv, CHECK_TIMEOUT_MS, &said, &status);
    if (rc == CC_EAGAIN) {
        diag_error(diag, CC5001, PLACE_NONE, "haproxy -c did not end within %d s",
                   CHECK_TIMEOUT_MS / 1000);
        rc = CC_EREFUSED;
    } else if (rc != CC_OK) {
        diag_error(diag, CC5002, PLACE_NONE, "%s cannot be run: %s", argv[0], cc_strerror(rc));
    } else if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        report(buf_slice(&said), status, directory, files, arena, diag);
        rc = CC_EREFUSED;
    }
    buf_free(&said);
    return rc;
}

const char *haproxy_version(const char *program, struct arena *arena)
{
    const char *argv[] = {program_find(program != NULL ? program : "haproxy", arena), "-v", NULL};
    struct buf said;
    struct slice rest, line = SLICE_NONE;
    int status;

    if (argv[0] == NULL)
        return NULL;
    buf_init(&said, SAID_MAX_BYTES);
    if (program_output(argv, 5000, &said, &status) == CC_OK && status == 0) {
        rest = buf_slice(&said);
        if (slice_split(&rest, '\n', &line))
            line = arena_dup(arena, line);
    }
    buf_free(&said);
    return line.p;
}
