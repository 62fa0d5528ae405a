#include "subs/subs_read.h"

#include "subs/subs_item.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

/* A tree of DOC_MAX_NODES nodes and its text. */
#define TREE_MAX ((size_t)2 << 30)

struct file {
    struct source *source; /* in the caller's arena */
    const char *path;
    struct file *next;
};

struct reading {
    struct subs_builder *builder;
    struct arena *arena; /* the caller's: what findings refer to */
    struct diag *diag;
    struct file *files;
};

/* --- findings -----------------------------------------------------------------------------------
 */

/* The text of a file is forgotten when it was read; whoever prints a finding wants to see its line.
 */
static void recall_text(struct reading *r, struct file *file)
{
    if (file->source->text.p == NULL &&
        file_read(r->arena, file->path, DOC_MAX_BYTES, &file->source->text) != CC_OK)
        file->source->text = SLICE_NONE;
}

static void report_dangling(void *context, const char *what, struct slice name, struct place place)
{
    struct reading *r = context;

    for (struct file *f = r->files; f != NULL; f = f->next) {
        if (place.source != NULL && strcmp(f->path, place.source->name) == 0) {
            recall_text(r, f);
            place.source = f->source;
            break;
        }
    }
    diag_error(r->diag, CC3074, place, "there is no %s '%" PRIslice "'", what, SLICE_ARG(name));
}

static int report_file(struct reading *r, const char *path, const char *fault)
{
    struct source *source = arena_alloc(r->arena, sizeof(*source));
    struct slice name = arena_dup(r->arena, slice_of(path));

    if (source == NULL || name.p == NULL)
        return CC_ENOMEM;
    source->name = name.p;
    diag_error(r->diag, CC1001, place_file(source), "%s", fault);
    return CC_EINVAL;
}

/* --- one document -------------------------------------------------------------------------------
 */

static void report_list(struct reading *r, const struct doc *doc, const struct doc_node *key)
{
    const char *names[LIST_COUNT], *near;
    struct diag_item *finding;

    for (unsigned i = 0; i < LIST_COUNT; i++)
        names[i] = subs_list_name((enum subs_list)i);
    finding = diag_error(r->diag, CC3070, doc_place(doc, key),
                         "a subscription file has no list '%" PRIslice "'", SLICE_ARG(key->text));
    near = nearest_word(key->text, names, LIST_COUNT);
    if (near != NULL)
        diag_help(finding, "did you mean %s?", near);
}

static int read_list(struct reading *r, const struct doc *doc, const struct doc_entry *e)
{
    enum subs_list list = subs_list_parse(e->key->text);
    int rc = CC_OK;

    if (list == LIST_COUNT) {
        report_list(r, doc, e->key);
        return CC_OK;
    }
    if (e->value->type == DOC_NULL || !doc_is_list(doc, e->value, e->key->text.p, r->diag))
        return CC_OK;
    for (size_t i = 0; i < e->value->n && rc == CC_OK; i++)
        rc = subs_item_read(r->builder, list, doc, e->value->entries[i].value, r->diag);
    if (rc == CC_EFULL)
        diag_error(r->diag, CC3075, doc_place(doc, e->value), "%s: the store is full",
                   subs_list_name(list));
    return rc;
}

/* `doc` has the source that findings shall refer to. */
static int read_document(struct reading *r, const struct doc *doc)
{
    int rc = subs_add_file(r->builder, doc->source.name);

    if (rc == CC_EFULL)
        diag_error(r->diag, CC3075, place_file(&doc->source), "there are too many files");
    if (rc != CC_OK || doc->root->type == DOC_NULL || /* all lines are comments */
        !doc_is_map(doc, doc->root, "a subscription file", r->diag))
        return rc;
    for (size_t i = 0; i < doc->root->n && rc == CC_OK; i++)
        rc = read_list(r, doc, &doc->root->entries[i]);
    return rc;
}

/* --- files --------------------------------------------------------------------------------------
 */

/* Reads it once more, for findings that outlive the tree. */
static int report_syntax(struct reading *r, const char *path)
{
    struct doc *doc;
    int rc = doc_read_file(&doc, path, NULL, r->arena, r->diag);

    if (rc == CC_OK)
        return report_file(r, path, "it changed while it was read") == CC_ENOMEM ? CC_ENOMEM
                                                                                 : CC_OK;
    return rc == CC_ENOMEM ? rc : CC_OK;
}

/* Reads the file into memory that is given back, but for what findings need. */
static int read_file(struct reading *r, const char *path)
{
    size_t before = diag_errors(r->diag);
    struct arena *scratch = arena_new(TREE_MAX);
    struct diag *syntax = diag_new();
    struct doc *kept = arena_alloc(r->arena, sizeof(*kept)), *doc;
    struct file *file = arena_alloc(r->arena, sizeof(*file));
    struct slice name = arena_dup(r->arena, slice_of(path));
    int rc = CC_ENOMEM;

    if (scratch == NULL || syntax == NULL || kept == NULL || file == NULL || name.p == NULL)
        goto out;
    rc = doc_read_file(&doc, name.p, NULL, scratch, syntax);
    if (rc == CC_ENOMEM)
        goto out;
    if (rc != CC_OK) {
        rc = report_syntax(r, name.p);
        goto out;
    }
    *kept = (struct doc){.source = {.name = name.p}, .root = doc->root};
    *file = (struct file){&kept->source, name.p, r->files};
    r->files = file;
    rc = read_document(r, kept);
    kept->root = NULL;
    if (diag_errors(r->diag) > before)
        recall_text(r, file);
out:
    diag_free(&syntax);
    arena_free(&scratch);
    return rc;
}

static int read_directory(struct reading *r, const char *path)
{
    struct dirent **entries = NULL;
    int n = doc_list(path, &entries);
    int rc = CC_OK;

    if (n < 0)
        return report_file(r, path, cc_strerror(cc_from_errno(errno)));
    if (n == 0)
        rc = report_file(r, path, "the directory has no *.yaml, *.yml or *.json");
    for (int i = 0; i < n; i++) {
        struct slice name =
            rc == CC_OK ? arena_printf(r->arena, "%s/%s", path, entries[i]->d_name) : SLICE_NONE;

        if (rc == CC_OK)
            rc = name.p == NULL ? CC_ENOMEM : read_file(r, name.p);
        free(entries[i]);
    }
    free(entries);
    return rc;
}

static int read_path(struct reading *r, const char *path)
{
    struct stat st;

    if (stat(path, &st) != 0)
        return report_file(r, path, cc_strerror(cc_from_errno(errno)));
    return S_ISDIR(st.st_mode) ? read_directory(r, path) : read_file(r, path);
}

/* The store, when there is nothing wrong. */
static int finish(struct reading *r, size_t errors_before, int rc, struct subs **out)
{
    if (rc == CC_OK && diag_errors(r->diag) > errors_before)
        rc = CC_EINVAL; /* what was refused would be missing everywhere: not worth telling */
    if (rc == CC_OK)
        rc = subs_build(r->builder, out, report_dangling, r);
    return rc == CC_EFULL ? CC_EINVAL : rc;
}

int subs_read(struct subs **out, const char *path, struct arena *arena, struct diag *diag)
{
    struct reading r = {.arena = arena, .diag = diag};
    size_t before = diag_errors(diag);
    int rc = subs_builder_new(&r.builder);

    if (rc == CC_OK)
        rc = finish(&r, before, read_path(&r, path), out);
    subs_builder_free(&r.builder);
    return rc;
}

int subs_read_text(struct subs **out, struct slice text, const char *name, struct arena *arena,
                   struct diag *diag)
{
    struct reading r = {.arena = arena, .diag = diag};
    size_t before = diag_errors(diag);
    struct file file = {.path = name};
    struct doc *doc;
    int rc = subs_builder_new(&r.builder);

    if (rc == CC_OK)
        rc = doc_read(&doc, text, name, arena, diag);
    if (rc == CC_OK) {
        file.source = &doc->source;
        r.files = &file;
    }
    if (rc == CC_OK)
        rc = finish(&r, before, read_document(&r, doc), out);
    else if (rc != CC_ENOMEM)
        rc = CC_EINVAL;
    subs_builder_free(&r.builder);
    return rc;
}
