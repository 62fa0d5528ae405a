/* render: the model -> the text of HAProxy's files, through the templates.
 *
 * Pure: no file is read or written but a template directory the operator named. All text of
 * projects and cc.yaml goes through haproxy_quote(), so that it can never become a directive. */
#pragma once

#include "config/config.h"
#include "gateway/gateway.h"

struct render_file {
    struct slice name; /* below the generation's directory: "haproxy/cc.cfg" */
    struct slice text;
    const char *symlink_to; /* not NULL: a symbolic link instead of a file */
    bool secret;            /* nobody else may read it */
};

struct render_output {
    struct render_file *files;
    size_t n_files;
};

/* Renders all HAProxy files of the model. `directory` is the absolute path under which the files
 * will stand (".../generations/7"); model->haproxy_generation must be set. `templates` names a
 * directory whose files replace the embedded ones of the same name; NULL = embedded only.
 * Findings: CC3003, CC5004, CC5005, CC5006, CC5007. */
int render_haproxy(struct render_output *out, const struct gw_model *model,
                   const struct config *config, const char *directory, const char *templates,
                   struct arena *arena, struct diag *diag);

/* `s` as one word of HAProxy configuration: plain when it is made of safe characters only, else in
 * single quotes. CC_EINVAL when it has control characters or bytes that are not UTF-8: no quoting
 * makes those safe. */
int haproxy_quote(struct buf *out, struct slice s);

/* `s` for a log-format string: '%' doubled, then quoted as above. */
int haproxy_quote_format(struct buf *out, struct slice s);
