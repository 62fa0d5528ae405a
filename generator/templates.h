/* The default HAProxy templates, embedded at build time from haproxy-templates/ (embed.sh). */
#pragma once

struct template_file {
    const char *name; /* "cc.cfg.tmpl" */
    const char *text;
};

/* Ends with a {NULL, NULL}. */
extern const struct template_file template_files[];
