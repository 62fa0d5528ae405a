/* cc-gen completion. */
#include "generator/completion.h"

enum { SCRIPT_MAX_BYTES = 4 << 20, COMPLETION_ARENA_BYTES = 64 << 20 };

int cmd_completion(const struct cli_args *args)
{
    struct arena *arena = arena_new(COMPLETION_ARENA_BYTES);
    struct buf script;
    int rc;

    buf_init(&script, SCRIPT_MAX_BYTES);
    rc = arena != NULL ? completion_write(args->words[0], arena, &script) : CC_ENOMEM;
    if (rc == CC_OK)
        fwrite(script.p, 1, script.n, stdout);
    else if (rc == CC_ENOENT)
        cli_say("completion: '%s' is not bash, zsh or fish", args->words[0]);
    else
        cli_say("completion: %s", cc_strerror(rc));
    buf_free(&script);
    arena_free(&arena);
    return rc == CC_OK ? CLI_OK : rc == CC_ENOENT ? CLI_USAGE : CLI_SOFTWARE;
}
