/* Makes zips in memory, good and bad ones, with libarchive's writer. */
#pragma once

#include "base/base.h"

#include <archive.h>
#include <archive_entry.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

enum { ZIP_ROOM = 4 << 20 };

struct zip_item {
    const char *name;
    const char *text; /* contents; of a link: where it leads */
    unsigned type;    /* AE_IFREG when 0 */
    size_t zeros;     /* so many '#' instead of the text */
};

/* The zip of these items (up to one without a name); options as libarchive takes them, or NULL. */
static inline struct slice zip_make(struct arena *arena, const struct zip_item *items,
                                    const char *options, const char *password)
{
    char *room = arena_alloc(arena, ZIP_ROOM);
    struct archive *a = archive_write_new();
    size_t used = 0;

    assert_non_null(room);
    assert_non_null(a);
    assert_int_equal(archive_write_set_format_zip(a), ARCHIVE_OK);
    if (options != NULL)
        assert_int_equal(archive_write_set_options(a, options), ARCHIVE_OK);
    if (password != NULL)
        assert_int_equal(archive_write_set_passphrase(a, password), ARCHIVE_OK);
    assert_int_equal(archive_write_set_bytes_per_block(a, 0), ARCHIVE_OK);
    assert_int_equal(archive_write_open_memory(a, room, ZIP_ROOM, &used), ARCHIVE_OK);
    for (; items->name != NULL; items++) {
        struct archive_entry *e = archive_entry_new();
        unsigned type = items->type != 0 ? items->type : AE_IFREG;
        size_t n = items->zeros != 0 ? items->zeros : type == AE_IFREG ? strlen(items->text) : 0;
        char *bytes = malloc(n + 1);

        assert_non_null(bytes);
        memset(bytes, '#', n);
        if (items->zeros == 0 && n > 0)
            memcpy(bytes, items->text, n);
        archive_entry_copy_pathname(e, items->name);
        archive_entry_set_filetype(e, type);
        archive_entry_set_perm(e, 0644);
        archive_entry_set_size(e, (la_int64_t)n);
        if (type == AE_IFLNK)
            archive_entry_copy_symlink(e, items->text);
        assert_int_equal(archive_write_header(a, e), ARCHIVE_OK);
        if (n > 0)
            assert_int_equal(archive_write_data(a, bytes, n), n);
        archive_entry_free(e);
        free(bytes);
    }
    assert_int_equal(archive_write_close(a), ARCHIVE_OK);
    archive_write_free(a);
    return slice_make(room, used);
}
