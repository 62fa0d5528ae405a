/* Any bytes as the certificate of a client, shown or told by a proxy. Besides not crashing: what is
 * read can be logged, and nothing is vouched for, as the authority has signed nothing. */
#include "regress/unit/crypto/peers.h"

#include <openssl/err.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct peer_store *store;

static void prepare(void)
{
    static struct arena *kept;
    struct peers_cert ca;

    if (store != NULL)
        return;
    kept = arena_new((size_t)1 << 20);
    ca = peers_make(&(struct peers_spec){.cn = "ca", .constraints = "critical,CA:TRUE"}, NULL);
    CC_ASSERT(kept != NULL && peer_store_new(&store) == CC_OK);
    CC_ASSERT(peer_store_add(store, peers_pem(&ca, kept)) == CC_OK);
    peers_free(&ca);
}

static void look_at(struct slice der, struct arena *arena)
{
    struct peer_vouched vouched;
    struct peer peer;
    enum peer_fault fault = peer_read(der, arena, &peer);

    CC_ASSERT(ERR_peek_error() == 0);
    CC_ASSERT(fault == PEER_OK || fault == PEER_BROKEN);
    if (fault == PEER_OK) {
        CC_ASSERT(strlen(peer.fingerprint) == PEER_FINGERPRINT_DIGITS);
        CC_ASSERT(peer.subject.n <= PEER_SUBJECT_MAX && !slice_has_control(peer.subject));
        CC_ASSERT(der.n <= PEER_DER_MAX);
    }
    if (fault == PEER_OK) {
        (void)peer_is_weak(&peer);
        fault = peer_verify(store, &peer, PEERS_NOW, &vouched);
        CC_ASSERT(ERR_peek_error() == 0);
        CC_ASSERT(fault != PEER_OK);
    }
    peer_free(&peer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_new((size_t)1 << 20);
    struct slice input = slice_make((const char *)data, size), der;
    int rc;

    prepare();
    CC_ASSERT(arena != NULL);
    look_at(input, arena);
    rc = peer_der_from_text(input, arena, &der);
    CC_ASSERT(rc == CC_OK || rc == CC_EPARSE || rc == CC_ETOOBIG);
    if (rc == CC_OK) {
        CC_ASSERT(der.n <= PEER_DER_MAX + 2);
        look_at(der, arena);
    }
    arena_free(&arena);
    return 0;
}
