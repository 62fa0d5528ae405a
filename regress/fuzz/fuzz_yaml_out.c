/* Any document that can be read is written so that it is read back as the same. */
#include "generator/yaml_out.h"

#include "regress/unit/generator/tree_fixture.h"

enum { ARENA_BYTES = 64 << 20, TEXT_BYTES = 4 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_new(ARENA_BYTES);
    struct diag *diag = diag_new();
    struct doc *doc = NULL, *again = NULL;
    struct yaml_out *y = NULL;
    struct buf text;
    int rc;

    buf_init(&text, TEXT_BYTES);
    if (arena == NULL || diag == NULL ||
        doc_read(&doc, slice_make(data, size), "fuzz", arena, diag) != CC_OK)
        goto out;
    y = yaml_out_new(&text);
    if (y == NULL)
        goto out;
    yaml_out_node(y, doc->root);
    rc = yaml_out_close(&y);
    CC_ASSERT(rc != CC_EINVAL);
    if (rc != CC_OK)
        goto out;
    rc = doc_read(&again, buf_slice(&text), "again", arena, diag);
    CC_ASSERT(rc == CC_ENOMEM || (rc == CC_OK && tree_equal(doc->root, again->root)));
out:
    buf_free(&text);
    diag_free(&diag);
    arena_free(&arena);
    return 0;
}
