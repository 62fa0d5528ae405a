/* render_values: the model and the settings as the rows that the templates name. */
#pragma once

#include "generator/render.h"
#include "generator/template.h"

struct render_context {
    const struct gw_model *model;
    const struct config *config;
    const char *directory; /* of the generation; absolute */
    struct arena *arena;
};

/* Fills *root; everything it points to is in the arena, in the model or in the configuration.
 * CC_OK or CC_ENOMEM. */
int render_values(const struct render_context *ctx, struct template_row *root);

/* How many different headers the answers of mock APIs have (render_mock.c). */
size_t render_mock_headers(const struct gw_model *model, struct arena *arena);

/* Does the agent see further lines of this header, because a condition of a policy looks at it? */
bool render_shows_lines(const struct gw_model *model, struct slice header);

enum render_host_kind { RENDER_HOST_NAME, RENDER_HOST_IPV4, RENDER_HOST_IPV6 };

/* A host as written in an endpoint: without brackets. */
enum render_host_kind render_host_kind(struct slice host);

/* Does OpenSSL know all ciphers that router.downstream.tls and router.upstream.tls name? CC_EINVAL
 * after a finding CC3003 for each that it does not (render_tls.c). */
int render_check_ciphers(const struct config *config, struct diag *diag);

/* A file of this name, of a text that was made somewhere else; the buffer's error, CC_ENOMEM
 * (render.c). */
int render_text_file(struct render_file *file, const char *name, const struct buf *text,
                     struct arena *arena);

/* The file of router.trustedProxies; its name is "" when there are none (render_client.c). */
int render_proxy_file(struct render_file *file, const struct config *config, struct arena *arena);

/* Errors of HAProxy by kind of SOAP and code; its name is "" when all are JSON (render_errors.c).
 */
int render_faults_file(struct render_file *file, const struct config *config, struct arena *arena);

enum { RENDER_ERROR_FILES = 8 };

/* The answers that HAProxy needs as files: RENDER_ERROR_FILES of them (render_errors.c). */
int render_error_files(struct render_file *files, struct arena *arena);

/* Does HAProxy log in to Redis? Then with a file that nobody else reads (render_redis.c). */
bool render_needs_redis_map(const struct config *config);
int render_redis_map(const struct config *config, struct arena *arena, struct render_file *file);
