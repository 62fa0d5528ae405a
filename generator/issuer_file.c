#include "generator/issuer_file.h"

#include <unistd.h>

/* A plain name: nothing that leads out of the directory. */
static bool is_name(struct slice s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!ascii_is_alpha(s.p[i]) && !ascii_is_digit(s.p[i]) &&
            slice_find(SLICE("._-"), s.p[i]) < 0)
            return false;
    return s.n > 0 && s.p[0] != '.';
}

const char *issuer_file(const struct config *config, const struct config_token_service *t,
                        struct arena *arena, struct slice *path)
{
    static const char *const suffixes[] = {".pem", ".crt", ".cer"};
    size_t n = 0;

    *path = SLICE("");
    if (t->certificate_file_path.n > 0) {
        *path = arena_dup(arena, t->certificate_file_path);
        return NULL;
    }
    if (t->certificate_alias.n == 0)
        return NULL;
    if (config->truststore.n == 0)
        return "enforcer.truststore.location is not set";
    if (!is_name(t->certificate_alias))
        return "an alias has letters, digits and the characters . _ - only";
    for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
        struct slice file =
            arena_printf(arena, "%" PRIslice "/%" PRIslice "%s", SLICE_ARG(config->truststore),
                         SLICE_ARG(t->certificate_alias), suffixes[i]);

        if (file.p == NULL || access(file.p, F_OK) != 0)
            continue;
        *path = file;
        n++;
    }
    if (n == 1)
        return NULL;
    *path = SLICE("");
    return n == 0 ? "the trust store has no such file with .pem, .crt or .cer"
                  : "the trust store has more than one such file";
}
