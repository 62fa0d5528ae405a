/* The default HAProxy templates and throttling policies, embedded at build time from
 * haproxy-templates/ and policies/ (embed.sh). */
#pragma once

struct template_file {
    const char *name; /* "cc.cfg.tmpl" */
    const char *text;
};

/* Each ends with a {NULL, NULL}. */
extern const struct template_file template_files[];
extern const struct template_file policy_files[];
