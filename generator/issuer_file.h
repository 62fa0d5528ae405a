/* issuer_file: the file with an issuer's key, by path or by alias. */
#pragma once

#include "config/config.h"

/* The path of the certificate or public key of `t`, NUL-terminated; empty when it has none, as with
 * a key set. NULL, or why an alias leads to no file. CC_ENOMEM looks like no such file. */
const char *issuer_file(const struct config *config, const struct config_token_service *t,
                        struct arena *arena, struct slice *path);
