/* The JWT for backends as HAProxy's configuration knows it: the header, and the key set that
 * verifies it. */
#include "generator/render_row.h"

#include "crypto/crypto.h"

enum {
    /* What is kept free in a buffer for rules that make a request larger: HAProxy's own 1024 bytes,
     * the JWT, and its header's name. */
    MAXREWRITE = GW_BACKEND_JWT_REWRITE
};

static int write_key(const struct gw_backend_jwt *jwt, struct slice certificate, struct buf *out)
{
    struct key *key = NULL;
    struct key_id id;
    int rc = key_public_from_pem(&key, certificate);

    if (rc == CC_OK) {
        enum jwt_alg alg = key_id_algorithm(key_kind_of(key));

        rc = key_id_from_pem(&id, certificate, alg, jwt->old_key_ids ? KEY_ID_OLD : KEY_ID_RFC7515);
        if (rc == CC_OK)
            rc = key_id_write_jwk(key, &id, alg, out);
    }
    key_free(&key);
    return rc;
}

static int add_key_set(struct row *root, const struct render_context *ctx)
{
    const struct gw_backend_jwt *jwt = &ctx->model->backend_jwt;
    struct slice text = SLICE("");
    struct buf set;
    int rc = CC_OK;

    buf_init(&set, GW_BACKEND_JWKS_MAX);
    buf_add_str(&set, "{\"keys\":[");
    for (size_t i = 0; rc == CC_OK && i < jwt->n_key_pairs; i++) {
        if (i > 0)
            buf_add_char(&set, ',');
        rc = write_key(jwt, jwt->key_pairs[i].certificate, &set);
    }
    buf_add_str(&set, "]}");
    if (rc == CC_OK)
        rc = buf_error(&set);
    if (rc == CC_OK)
        text = arena_dup(ctx->arena, buf_slice(&set));
    buf_free(&set);
    if (rc == CC_OK && text.p == NULL)
        rc = CC_ENOMEM;
    add_word(root, "jwks", text);
    return rc;
}

int render_jwt(struct row *root, const struct render_context *ctx)
{
    struct slice header = ctx->model->backend_jwt.header;
    int rc;

    add_word(root, "jwt_header", header);
    add_number(root, "maxrewrite", header.n > 0 ? MAXREWRITE : 0);
    if (header.n > 0) {
        rc = add_spellings(root, "jwt_spellings", &header, 1, ctx->arena);
        return rc == CC_OK ? add_key_set(root, ctx) : rc;
    }
    add_list(root, "jwt_spellings", NULL, 0);
    add_word(root, "jwks", SLICE(""));
    return CC_OK;
}

uint64_t render_buffer_bytes(const struct render_context *ctx)
{
    uint64_t bytes = ctx->config->router.buffer_bytes;

    return ctx->model->backend_jwt.header.n > 0 ? bytes + MAXREWRITE - 1024 : bytes;
}
