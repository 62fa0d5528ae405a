/* cc-gen init: a new API project. */
#include "generator/cmd.h"

#include "generator/init.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

/* The directory without trailing slashes, and its last part; false after a message. */
static bool take_name(const char *word, struct arena *arena, struct slice *directory,
                      struct slice *last)
{
    struct slice path = slice_of(word);

    while (path.n > 1 && path.p[path.n - 1] == '/')
        path.n--;
    *directory = arena_dup(arena, path);
    *last = path;
    for (size_t i = path.n; i > 0 && last->n == path.n; i--) {
        if (path.p[i - 1] == '/')
            *last = slice_from(path, i);
    }
    if (last->n == 0 || slice_is(*last, ".") || slice_is(*last, "..") || slice_has_control(path) ||
        utf8_valid_prefix(path) != path.n) {
        cli_say("init: '%s' is no name for a directory to be made", word);
        return false;
    }
    return directory->p != NULL;
}

/* Everything that comes on standard input, in the arena. */
static int read_stdin(struct arena *arena, struct slice *out)
{
    struct buf text;
    char chunk[16384];
    ssize_t n;
    int rc = CC_OK;

    buf_init(&text, DOC_MAX_BYTES);
    while (rc == CC_OK && (n = read(STDIN_FILENO, chunk, sizeof(chunk))) != 0) {
        if (n < 0 && errno != EINTR)
            rc = CC_EIO;
        if (n > 0)
            buf_add(&text, slice_make(chunk, (size_t)n));
        if (rc == CC_OK)
            rc = buf_error(&text);
    }
    if (rc == CC_OK) {
        *out = arena_dup(arena, slice_make(text.p, text.n));
        rc = out->p != NULL ? CC_OK : CC_ENOMEM;
    }
    buf_free(&text);
    return rc == CC_EFULL ? CC_ETOOBIG : rc;
}

static int read_document(struct cmd_work *w, const char *from, struct doc **out)
{
    struct slice text;
    int rc;

    if (strcmp(from, "-") != 0) {
        if (slice_contains(slice_of(from), SLICE("://"))) {
            cli_say(
                "init: documents are not fetched; try: curl -sS '%s' | cc-gen init NAME --oas -",
                from);
            return CC_EINVAL;
        }
        return doc_read_file(out, from, NULL, w->arena, w->diag);
    }
    rc = read_stdin(w->arena, &text);
    if (rc == CC_OK)
        return doc_read(out, text, "standard input", w->arena, w->diag);
    cli_say("init: standard input: %s", cc_strerror(rc));
    return rc;
}

/* Checks what was written as `cc-gen check` does, so that nobody finds out later. */
static int check(struct cmd_work *w, const struct cli_args *args, const char *directory)
{
    /* who signs tokens is not this project's matter: no finding about that */
    static const struct gw_issuer somebody = {.name = SLICE_INIT("init"),
                                              .issuer = SLICE_INIT("init"),
                                              .access_tokens = true,
                                              .api_keys = true};
    struct project_options options = {.development_issuers = &somebody, .n_development_issuers = 1};
    int rc = cmd_load_config(w, args, NULL, 0);

    if (rc != CC_OK)
        return rc;
    return project_build_model(&w->model, &directory, 1, w->config, &options, w->arena, w->diag);
}

static void print_made(const struct init_project *p, const struct init_files *files,
                       const char *directory)
{
    cli_say("%s: API %" PRIslice " %" PRIslice, directory, SLICE_ARG(p->name),
            SLICE_ARG(p->version));
    for (size_t i = 0; i < files->n; i++)
        fprintf(stderr, "  %s/%s\n", directory, files->list[i].path);
    for (size_t i = 0; init_directories[i] != NULL; i++)
        fprintf(stderr, "  %s/%s/\n", directory, init_directories[i]);
}

static void print_next(const char *directory, bool good)
{
    if (good)
        fprintf(stderr,
                "next:\n"
                "  cc-gen run %s      try it\n"
                "  cc-gen lint %s     what could be better\n",
                directory, directory);
    else
        fprintf(stderr,
                "next: correct what is above, then\n"
                "  cc-gen check %s\n",
                directory);
}

/* The model of what was made; CC_EREFUSED when the document cannot be served as it is. */
static int make(struct cmd_work *w, const struct cli_args *args, const char *directory,
                struct slice name)
{
    const char *from = cli_value(args, "oas");
    struct doc *doc = NULL;
    struct init_project project;
    struct init_files files;
    int rc = CC_OK;

    if (from != NULL)
        rc = read_document(w, from, &doc);
    if (rc == CC_OK)
        rc = init_read(&project, doc, name, w->arena, w->diag);
    if (rc == CC_OK)
        rc = init_make_files(&files, &project, w->arena);
    if (rc == CC_OK)
        rc = init_write(directory, &files, cli_has(args, "force"), w->arena, w->diag);
    if (rc != CC_OK)
        return rc;
    print_made(&project, &files, directory);
    rc = check(w, args, directory);
    return rc == CC_OK || rc == CC_ENOMEM ? rc : CC_EREFUSED;
}

int cmd_init(const struct cli_args *args)
{
    struct slice directory, name;
    struct cmd_work w;
    int rc = cmd_work_open(&w);

    if (rc != CC_OK)
        goto out;
    if (!take_name(args->words[0], w.arena, &directory, &name)) {
        cmd_work_close(&w);
        return CLI_USAGE;
    }
    rc = make(&w, args, directory.p, name);
    cmd_print_findings(&w, stderr);
    if (rc == CC_OK || rc == CC_EREFUSED)
        print_next(directory.p, rc == CC_OK);
out:
    cmd_work_close(&w);
    return cmd_exit_code(rc);
}
