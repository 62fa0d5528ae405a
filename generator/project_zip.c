/* project_source: zips, by libarchive.
 *
 * Read twice: first all names, which say where the project is in it and whether it is one that can
 * be believed; then the files that count. Only the central directory is followed (APPNOTE 4.3.12);
 * what it leaves out does not exist, so that no two readers can see two projects in one zip. */
#include "generator/project_source_internal.h"

#include <archive.h>
#include <archive_entry.h>
#include <locale.h>
#include <stdlib.h>

enum {
    NAME_MAX_BYTES = 1024,
    RATIO_MAX = 200,      /* YAML packs to a tenth; what packs to less than this is no document */
    RATIO_FROM = 1 << 20, /* unpacked bytes below which the ratio does not matter */
    CHUNK_BYTES = 64 << 10,
};

struct unzip {
    struct slice zip;
    const char *name;
    struct arena *arena;
    struct diag *diag;
    struct project_source *source;
    size_t room;
    struct slice *names; /* normal forms of the regular files, in the order of the zip */
    size_t n_names, cap_names;
    size_t entries;
    struct slice root; /* folder that the project is in, "" or "pets/" */
    size_t unpacked;
};

/* --- findings -------------------------------------------------------------------------------- */

static struct place zip_place(struct unzip *u)
{
    return project_source_place(u->name, u->arena);
}

/* What is refused about one entry. Its name may hold anything and is shown in the message only,
 * which prints no control characters. */
static int refuse_entry(struct unzip *u, enum diag_code code, const char *name, const char *why,
                        const char *help)
{
    struct place place = zip_place(u);

    if (place.source == NULL)
        return CC_ENOMEM;
    diag_help(diag_error(u->diag, code, place, "entry \"%.200s\" %s", name, why), "%s", help);
    return CC_EINVAL;
}

static int refuse_zip(struct unzip *u, enum diag_code code, const char *why, const char *help)
{
    struct place place = zip_place(u);

    if (place.source == NULL)
        return CC_ENOMEM;
    diag_help(diag_error(u->diag, code, place, "%s", why), "%s", help);
    return CC_EINVAL;
}

static int damaged(struct unzip *u, struct archive *a)
{
    const char *words = archive_error_string(a);

    /* an entry, or the end of a zip without any; not only at the front: some unpack themselves */
    if (!slice_contains(u->zip, SLICE("PK\3\4")) && !slice_contains(u->zip, SLICE("PK\5\6")))
        return refuse_zip(u, CC1301, "this is neither a directory nor a zip",
                          "give the directory of an API project, or a zip of it; `cc-gen init NAME "
                          "--oas FILE` makes one of an OpenAPI document");
    return refuse_zip(u, CC1301, words != NULL ? words : "the zip cannot be read",
                      "make the zip again, from the project's directory: zip -r pets.zip pets");
}

/* --- names ----------------------------------------------------------------------------------- */

static const char *entry_name(struct archive_entry *entry)
{
    const char *name = archive_entry_pathname_utf8(entry);

    if (name == NULL)
        name = archive_entry_pathname(entry); /* not UTF-8: as it is */
    return name;
}

/* Why a name cannot be that of a file in a project; NULL when it can. */
static const char *name_fault(struct slice name)
{
    struct slice rest = name, part;

    if (name.n == 0)
        return "has no name";
    if (name.n > NAME_MAX_BYTES)
        return "has a name of more than 1024 bytes";
    if (name.p[0] == '/')
        return "has an absolute path";
    if (name.n > 1 && ascii_is_alpha(name.p[0]) && name.p[1] == ':')
        return "has a path with a drive letter";
    if (slice_find(name, '\\') >= 0)
        return "has a backslash in its name";
    if (slice_has_control(name))
        return "has a control character in its name";
    while (slice_split(&rest, '/', &part)) {
        if (slice_is(part, ".."))
            return "leads out of the zip";
    }
    return NULL;
}

/* Without "." and empty parts: "./a//b/" -> "a/b". In the arena. */
static struct slice normal_name(struct unzip *u, struct slice name)
{
    char *to = arena_alloc(u->arena, name.n + 1);
    struct slice part;
    size_t n = 0;

    if (to == NULL)
        return SLICE_NONE;
    while (slice_split(&name, '/', &part)) {
        if (part.n == 0 || slice_is(part, "."))
            continue;
        if (n > 0)
            to[n++] = '/';
        memcpy(to + n, part.p, part.n);
        n += part.n;
    }
    return slice_make(to, n);
}

static int add_name(struct unzip *u, struct slice name)
{
    if (u->n_names == u->cap_names) {
        size_t cap = u->cap_names == 0 ? 64 : u->cap_names * 2;
        struct slice *names = reallocarray(u->names, cap, sizeof(*names));

        if (names == NULL)
            return CC_ENOMEM;
        u->names = names;
        u->cap_names = cap;
    }
    u->names[u->n_names++] = name;
    return CC_OK;
}

/* --- pass 1: what is in it ------------------------------------------------------------------- */

static int check_entry(struct unzip *u, struct archive_entry *entry)
{
    const char *name = entry_name(entry);
    const char *fault = name_fault(slice_of(name));
    unsigned type = archive_entry_filetype(entry);
    struct slice normal;

    if (fault != NULL)
        return refuse_entry(u, CC1302, name != NULL ? name : "", fault,
                            "names in a zip are relative, with '/' between their parts");
    if (type == AE_IFLNK || archive_entry_symlink(entry) != NULL ||
        archive_entry_hardlink(entry) != NULL)
        return refuse_entry(u, CC1303, name, "is a link",
                            "pack what it leads to: zip -r without --symlinks");
    if (type == AE_IFDIR)
        return CC_OK;
    if (type != AE_IFREG)
        return refuse_entry(u, CC1303, name, "is neither a file nor a directory",
                            "leave it out of the zip");
    if (archive_entry_is_encrypted(entry))
        return refuse_entry(u, CC1305, name, "is encrypted", "pack the project without a password");
    normal = normal_name(u, slice_of(name));
    if (normal.p == NULL)
        return CC_ENOMEM;
    return normal.n > 0 ? add_name(u, normal)
                        : refuse_entry(u, CC1302, name, "has no name", "leave it out of the zip");
}

static int open_archive(struct unzip *u, struct archive **out)
{
    struct archive *a = archive_read_new();

    *out = a;
    if (a == NULL)
        return CC_ENOMEM;
    if (archive_read_support_format_zip_seekable(a) != ARCHIVE_OK ||
        archive_read_open_memory(a, u->zip.p, u->zip.n) != ARCHIVE_OK)
        return damaged(u, a);
    return CC_OK;
}

/* The next entry; CC_ENOENT at the end. libarchive warns when the two headers of an entry do not
 * agree: then it depends on the reader what the zip holds. */
static int next_entry(struct unzip *u, struct archive *a, struct archive_entry **entry)
{
    int rc = archive_read_next_header(a, entry);

    if (rc == ARCHIVE_EOF)
        return CC_ENOENT;
    return rc == ARCHIVE_OK ? CC_OK : damaged(u, a);
}

static int compare_names(const void *a, const void *b)
{
    const struct slice *x = a, *y = b;

    return slice_cmp(*x, *y);
}

static int check_names(struct unzip *u)
{
    if (u->n_names > 0)
        qsort(u->names, u->n_names, sizeof(*u->names), compare_names);
    for (size_t i = 1; i < u->n_names; i++) {
        if (slice_eq(u->names[i], u->names[i - 1]))
            return refuse_entry(u, CC1304, u->names[i].p, "is there twice",
                                "which of them counts would depend on the reader; remove one");
    }
    return CC_OK;
}

static int read_names(struct unzip *u)
{
    struct archive_entry *entry;
    struct archive *a;
    int rc = open_archive(u, &a);

    while (rc == CC_OK) {
        rc = next_entry(u, a, &entry);
        if (rc == CC_OK && ++u->entries > PROJECT_FILES_MAX)
            rc = refuse_zip(u, CC1306, "the zip has more than 10000 entries",
                            "pack one API project only");
        if (rc == CC_OK)
            rc = check_entry(u, entry);
    }
    archive_read_free(a);
    return rc == CC_ENOENT ? check_names(u) : rc;
}

/* --- the folder that the project is in ------------------------------------------------------- */

static bool is_definition(struct slice name)
{
    return slice_is(name, "api.yaml") || slice_is(name, "api.json");
}

/* What finders and archivers add. */
static bool is_litter(struct slice name)
{
    return slice_starts(name, SLICE("__MACOSX/")) || name.p[0] == '.';
}

/* The first part of a name with its slash; empty when it has one part only. */
static struct slice top_folder(struct slice name)
{
    return slice_first(name, (size_t)(slice_find(name, '/') + 1));
}

/* Tells once that things beside the project's folder do not count. */
static int check_outside(struct unzip *u)
{
    for (size_t i = 0; i < u->n_names; i++) {
        struct place place;

        if (slice_starts(u->names[i], u->root) || is_litter(u->names[i]))
            continue;
        place = zip_place(u);
        if (place.source == NULL)
            return CC_ENOMEM;
        diag_help(diag_warning(u->diag, CC1308, place,
                               "entry \"%.200s\" is outside of the project's folder %" PRIslice,
                               u->names[i].p, SLICE_ARG(u->root)),
                  "it is ignored; pack the project's folder alone");
        break;
    }
    return CC_OK;
}

static int find_root(struct unzip *u)
{
    u->root = SLICE("");
    for (size_t i = 0; i < u->n_names; i++) {
        if (is_definition(u->names[i]))
            return CC_OK; /* at the top: the folders are the project's own */
    }
    for (size_t i = 0; i < u->n_names; i++) {
        struct slice top = top_folder(u->names[i]);

        if (!is_definition(slice_from(u->names[i], top.n)) || is_litter(u->names[i]))
            continue;
        if (u->root.n > 0 && !slice_eq(u->root, top))
            return refuse_entry(u, CC1309, u->names[i].p,
                                "is a second API definition: there is one in another folder too",
                                "pack each API project into a zip of its own");
        u->root = top;
    }
    return u->root.n > 0 ? check_outside(u) : CC_OK;
}

/* --- pass 2: the files that count ------------------------------------------------------------ */

static bool is_common_method(struct archive *a)
{
    struct slice format = slice_of(archive_format_name(a));

    return slice_ends(format, SLICE("(deflation)")) || slice_ends(format, SLICE("(uncompressed)"));
}

static int too_large(struct unzip *u, const char *name)
{
    return refuse_entry(u, CC1306, name, "unpacks to too much",
                        "a file may have 64 MiB, all that count 128 MiB, and 200 times the size of "
                        "the zip");
}

static int unpack(struct unzip *u, struct archive *a, const char *name, struct slice *out)
{
    char *chunk = malloc(CHUNK_BYTES);
    size_t limit = u->zip.n * RATIO_MAX > RATIO_FROM ? u->zip.n * RATIO_MAX : RATIO_FROM;
    struct buf text;
    la_ssize_t n = 0;
    int rc = chunk != NULL ? CC_OK : CC_ENOMEM;

    buf_init(&text, PROJECT_FILE_MAX_BYTES);
    while (rc == CC_OK && (n = archive_read_data(a, chunk, CHUNK_BYTES)) > 0) {
        u->unpacked += (size_t)n;
        buf_add(&text, slice_make(chunk, (size_t)n));
        rc = buf_error(&text);
        if (rc == CC_EFULL || u->unpacked > PROJECT_UNPACKED_MAX_BYTES || u->unpacked > limit)
            rc = too_large(u, name);
    }
    if (rc == CC_OK && n < 0)
        rc = damaged(u, a);
    if (rc == CC_OK) {
        *out = arena_dup(u->arena, slice_make(text.p, text.n));
        rc = out->p != NULL ? CC_OK : CC_ENOMEM;
    }
    buf_free(&text);
    free(chunk);
    return rc;
}

static int take_entry(struct unzip *u, struct archive *a, struct archive_entry *entry)
{
    struct slice path = normal_name(u, slice_of(entry_name(entry))), bytes, name;
    int rc;

    if (path.p == NULL)
        return CC_ENOMEM;
    if (archive_entry_filetype(entry) != AE_IFREG || !slice_starts(path, u->root))
        return CC_OK;
    path = slice_from(path, u->root.n);
    if (!project_source_counts(path))
        return CC_OK;
    name = arena_printf(u->arena, "%s:%" PRIslice, u->name, SLICE_ARG(path));
    if (name.p == NULL)
        return CC_ENOMEM;
    if (!is_common_method(a))
        return refuse_entry(u, CC1307, path.p, "is compressed in an unusual way",
                            "pack it with deflate, which all programs can: zip -r pets.zip pets");
    rc = unpack(u, a, path.p, &bytes);
    return rc != CC_OK ? rc
                       : project_source_add(u->source, &u->room, path, name.p, bytes, u->arena);
}

static int read_files(struct unzip *u)
{
    struct archive_entry *entry;
    struct archive *a;
    int rc = open_archive(u, &a);

    while (rc == CC_OK) {
        rc = next_entry(u, a, &entry);
        if (rc == CC_OK)
            rc = take_entry(u, a, entry);
    }
    archive_read_free(a);
    project_source_sort(u->source);
    return rc == CC_ENOENT ? CC_OK : rc;
}

int project_source_from_zip(struct project_source **out, struct slice zip, const char *name,
                            struct arena *arena, struct diag *diag)
{
    struct unzip u = {.zip = zip, .name = name, .arena = arena, .diag = diag};
    /* libarchive takes names apart by the locale of the thread; a project means the same in all */
    locale_t utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
    locale_t before = utf8 != (locale_t)0 ? uselocale(utf8) : (locale_t)0;
    int rc = CC_ENOMEM;

    u.source = arena_alloc(arena, sizeof(*u.source));
    if (u.source == NULL)
        goto out;
    u.source->path = name;
    u.source->is_zip = true;
    rc = zip.n > 0 ? read_names(&u) : refuse_zip(&u, CC1301, "the file is empty", "is it a zip?");
    if (rc == CC_OK)
        rc = find_root(&u);
    if (rc == CC_OK)
        rc = read_files(&u);
    if (rc == CC_OK)
        *out = u.source;
out:
    free(u.names);
    if (utf8 != (locale_t)0) {
        uselocale(before);
        freelocale(utf8);
    }
    return rc;
}
