/* Fuzz target: the snapshot reader. The input is taken as it is, and as the content of a snapshot
 * with right hashes, so that the fuzzer gets past them. What is accepted must be written back as the
 * same content. */
#include "regress/unit/gateway/seal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct gw_snapshot *read_text(struct slice text)
{
    struct gw_snapshot *s = NULL;
    struct diag *diag = diag_new();
    int rc;

    CC_ASSERT(diag != NULL);
    rc = gw_snapshot_read(&s, text, "gateway.json", diag);
    CC_ASSERT((rc == CC_OK) == (s != NULL));
    CC_ASSERT(rc == CC_OK || diag_errors(diag) > 0);
    diag_free(&diag);
    return s;
}

/* Numbers, escapes and order of members have several spellings in JSON, and the writer has one: what
 * was written from what was read must be a fixed point. */
static void check_round_trip(const struct gw_snapshot *s)
{
    struct buf first, second;
    struct gw_snapshot *again;

    buf_init(&first, GW_SNAPSHOT_MAX_BYTES);
    buf_init(&second, GW_SNAPSHOT_MAX_BYTES);
    CC_ASSERT(gw_snapshot_write(gw_snapshot_model(s), &first) == CC_OK);
    again = read_text(buf_slice(&first));
    CC_ASSERT(again != NULL);
    CC_ASSERT(gw_snapshot_write(gw_snapshot_model(again), &second) == CC_OK);
    CC_ASSERT(slice_eq(buf_slice(&first), buf_slice(&second)));
    gw_snapshot_unref(&again);
    buf_free(&first);
    buf_free(&second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice input = slice_make(data, size);
    struct gw_snapshot *s = read_text(input);
    struct buf sealed;

    gw_snapshot_unref(&s);
    buf_init(&sealed, GW_SNAPSHOT_MAX_BYTES);
    seal_snapshot(&sealed, SLICE("\"generation\":7,\"haproxy_generation\":6,"), input);
    CC_ASSERT(buf_error(&sealed) == CC_OK);
    s = read_text(buf_slice(&sealed));
    if (s != NULL)
        check_round_trip(s);
    gw_snapshot_unref(&s);
    buf_free(&sealed);
    return 0;
}
