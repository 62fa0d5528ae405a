#include "generator/haproxy_checked.h"

#include "crypto/crypto.h"
#include "generator/program.h"
#include "generator/project_source.h"

#include <inttypes.h>
#include <openssl/x509.h>
#include <stdio.h>

#define MAGIC "cc-gen checked 1 "

enum { RECORD_MAX_BYTES = 256, KEY_MAX_BYTES = 256 << 20, RECORD_MODE = 0600 };

/* What the key is made of. */
struct parts {
    struct buf text;
    int64_t now_ns;
    bool complete; /* all that HAProxy would look at is there, and old enough */
};

/* With its length, so that no two lists of texts are one text. */
static void add_text(struct parts *p, const char *what, struct slice text)
{
    buf_printf(&p->text, "%s %zu ", what, text.n);
    buf_add(&p->text, text);
    buf_add_char(&p->text, '\n');
}

static void add_identity(struct parts *p, const char *what, const char *path)
{
    struct project_identity id;

    add_text(p, what, slice_of(path));
    p->complete =
        p->complete && project_identity_get(path, &id) && project_identity_settled(&id, p->now_ns);
    if (p->complete)
        buf_printf(&p->text, "%" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRId64 " %" PRId64 "\n",
                   id.device, id.inode, id.size, id.modified_ns, id.changed_ns);
}

/* Links stand below the generation; they lead to absolute paths, or do not count. */
static void add_file(struct parts *p, const struct render_file *file)
{
    add_text(p, "file", file->name);
    if (file->symlink_to == NULL)
        add_text(p, "text", file->text);
    else if (file->symlink_to[0] == '/')
        add_identity(p, "link", file->symlink_to);
    else
        p->complete = false;
}

static void add_authorities(struct parts *p, struct slice path, struct arena *arena)
{
    const char *text = arena_dup(arena, path).p;

    if (path.n > 0 && text != NULL)
        add_identity(p, "authorities", text);
    else if (path.n == 0)
        add_identity(p, "authorities of the system", X509_get_default_cert_dir());
    else
        p->complete = false;
}

static int make_key(struct haproxy_checked *c, const char *program, const struct config *config,
                    const struct render_output *files, int64_t now_ns, struct arena *arena)
{
    const char *path = program_find(program != NULL ? program : "haproxy", arena);
    struct parts p = {.now_ns = now_ns, .complete = path != NULL};
    int rc = CC_OK;

    buf_init(&p.text, KEY_MAX_BYTES);
    if (path != NULL)
        add_identity(&p, "program", path);
    for (size_t i = 0; i < files->n_files; i++)
        add_file(&p, &files->files[i]);
    add_authorities(&p, config->router.upstream.ca_file, arena);
    add_authorities(&p, config->agent.redis.ca_file, arena);
    if (p.complete && buf_error(&p.text) == CC_OK)
        rc = crypto_sha256_hex(buf_slice(&p.text), c->key);
    buf_free(&p.text);
    return rc;
}

int haproxy_checked_look(struct haproxy_checked *out, const char *directory, const char *program,
                         const struct config *config, const struct render_output *files,
                         int64_t now_ns, struct arena *arena)
{
    struct slice text;
    int rc;

    *out =
        (struct haproxy_checked){.record = arena_printf(arena, "%s/.cc-gen.checked", directory).p};
    if (out->record == NULL)
        return CC_ENOMEM;
    rc = make_key(out, program, config, files, now_ns, arena);
    if (rc != CC_OK || out->key[0] == '\0')
        return rc;
    out->before = file_check_ours(directory, out->record) == CC_OK &&
                  file_read(arena, out->record, RECORD_MAX_BYTES, &text) == CC_OK &&
                  slice_eq(text, arena_printf(arena, MAGIC "%s\n", out->key));
    return CC_OK;
}

void haproxy_checked_keep(const struct haproxy_checked *c)
{
    char text[sizeof(MAGIC) + sizeof(c->key) + 1];

    if (c->record == NULL || c->key[0] == '\0' || c->before)
        return;
    (void)snprintf(text, sizeof(text), MAGIC "%s\n", c->key);
    (void)file_write_atomic(c->record, slice_of(text), RECORD_MODE);
}
