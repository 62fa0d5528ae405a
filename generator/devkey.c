#include "generator/devkey.h"
#include "fetch/key_file.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PEM_MAX_BYTES = 64 << 10 };

static const struct {
    const char *file;
    const char *issuer;
} kinds[DEVKEY_KINDS] = {
    [KEY_RSA] = {"dev-rsa.pem", "https://localhost/cc-gen-dev"},
    [KEY_EC_P256] = {"dev-p256.pem", "https://localhost/cc-gen-dev/p256"},
    [KEY_EC_P384] = {"dev-p384.pem", "https://localhost/cc-gen-dev/p384"},
    [KEY_EC_P521] = {"dev-p521.pem", "https://localhost/cc-gen-dev/p521"},
    [KEY_ED25519] = {"dev-ed25519.pem", "https://localhost/cc-gen-dev/ed25519"},
};

enum key_kind devkey_kind(enum jwt_alg alg)
{
    int kind = 0;

    while (!jwt_alg_fits(alg, (enum key_kind)kind)) {
        kind++;
        CC_ASSERT(kind < DEVKEY_KINDS); /* every algorithm has a kind of key */
    }
    return (enum key_kind)kind;
}

const char *devkey_issuer(enum key_kind kind)
{
    return kinds[kind].issuer;
}

/* Where the development keys are; created. NULL after a finding. */
static const char *state_directory(struct arena *arena, struct diag *diag)
{
    const char *state = getenv("XDG_STATE_HOME");
    const char *home = getenv("HOME");
    struct slice path;
    struct stat st;
    int rc;

    /* XDG base directory specification: a relative path is to be ignored. */
    if (state != NULL && state[0] == '/') {
        path = arena_printf(arena, "%s/cc-gen", state);
    } else if (home != NULL && home[0] == '/') {
        path = arena_printf(arena, "%s/.local/state/cc-gen", home);
    } else {
        diag_error(
            diag, CC4001, PLACE_NONE,
            "there is no place for development keys: neither XDG_STATE_HOME nor HOME is set");
        return NULL;
    }
    rc = path.p != NULL ? file_mkdirs(path.p, 0700) : CC_ENOMEM;
    if (rc != CC_OK) {
        diag_error(diag, CC4001, PLACE_NONE, "%s cannot be created: %s",
                   path.p != NULL ? path.p : "the directory of the development keys",
                   cc_strerror(rc));
        return NULL;
    }
    /* Whoever may write into the directory can replace a key and so sign tokens. */
    if (stat(path.p, &st) != 0 || st.st_uid != geteuid() || (st.st_mode & 022) != 0) {
        diag_help(diag_error(diag, CC4003, PLACE_NONE,
                             "others than you may write into %s, where development keys are",
                             path.p),
                  "chmod 700 %s", path.p);
        return NULL;
    }
    return path.p;
}

int devkey_load_file(struct key **out, const char *path, struct diag *diag)
{
    return key_file_read(out, path, KEY_FILE_OWNER_ONLY, PLACE_NONE, diag);
}

/* Writes a new key to `path`. When another process is first, its key is the one that counts. */
static int create(enum key_kind kind, const char *path, struct arena *arena)
{
    struct slice temporary = arena_printf(arena, "%s.%ld", path, (long)getpid());
    struct key *key = NULL;
    struct buf pem;
    int rc;

    buf_init(&pem, PEM_MAX_BYTES);
    rc = temporary.p != NULL ? key_generate(&key, kind) : CC_ENOMEM;
    if (rc == CC_OK)
        rc = key_write_private(key, &pem);
    if (rc == CC_OK)
        rc = file_write_atomic(temporary.p, buf_slice(&pem), 0600);
    if (rc == CC_OK) {
        /* link(2) never replaces: two first uses at once end with one key. */
        if (link(temporary.p, path) != 0 && errno != EEXIST)
            rc = cc_from_errno(errno);
        unlink(temporary.p);
    }
    if (pem.p != NULL)
        OPENSSL_cleanse(pem.p, pem.cap);
    buf_free(&pem);
    key_free(&key);
    return rc;
}

const char *devkey_path(enum key_kind kind, struct arena *arena, struct diag *diag)
{
    const char *directory = state_directory(arena, diag);

    return directory != NULL ? arena_printf(arena, "%s/%s", directory, kinds[kind].file).p : NULL;
}

int devkey_load(struct key **out, enum key_kind kind, struct arena *arena, struct diag *diag)
{
    const char *directory = state_directory(arena, diag);
    const char *path;
    int rc = CC_OK;

    if (directory == NULL)
        return CC_EINVAL;
    path = arena_printf(arena, "%s/%s", directory, kinds[kind].file).p;
    if (path == NULL)
        return CC_ENOMEM;
    if (access(path, F_OK) != 0)
        rc = create(kind, path, arena);
    if (rc != CC_OK) {
        diag_error(diag, CC4001, PLACE_NONE, "the development key %s cannot be made: %s", path,
                   cc_strerror(rc));
        return CC_EINVAL;
    }
    rc = devkey_load_file(out, path, diag);
    if (rc == CC_OK && key_kind_of(*out) != kind) {
        diag_error(diag, CC4001, PLACE_NONE, "%s holds a key of another kind: %s", path,
                   key_describe(*out));
        key_free(out);
        rc = CC_EINVAL;
    }
    return rc;
}

static int make_issuer(struct gw_issuer *issuer, enum key_kind kind, struct arena *arena,
                       struct diag *diag)
{
    struct key *key = NULL;
    struct buf pem;
    int rc = devkey_load(&key, kind, arena, diag);

    if (rc != CC_OK)
        return rc;
    buf_init(&pem, PEM_MAX_BYTES);
    rc = key_write_public(key, &pem);
    issuer->name = kind == KEY_RSA ? SLICE("development")
                                   : arena_printf(arena, "development %s", key_describe(key));
    issuer->issuer = slice_of(kinds[kind].issuer);
    issuer->access_tokens = issuer->api_keys = issuer->internal_keys = true;
    issuer->jwks_url = SLICE("");
    issuer->pem = arena_dup(arena, buf_slice(&pem));
    for (int alg = 0; alg < JWT_ALG_COUNT; alg++)
        if (jwt_alg_fits((enum jwt_alg)alg, kind))
            issuer->algorithms |= 1u << alg;
    if (rc == CC_OK && (issuer->name.p == NULL || issuer->pem.p == NULL))
        rc = CC_ENOMEM;
    buf_free(&pem);
    key_free(&key);
    return rc;
}

int devkey_issuers(struct gw_issuer **out, struct arena *arena, struct diag *diag)
{
    struct gw_issuer *issuers = arena_array(arena, DEVKEY_KINDS, sizeof(*issuers));
    int rc = issuers != NULL ? CC_OK : CC_ENOMEM;

    for (int kind = 0; rc == CC_OK && kind < DEVKEY_KINDS; kind++)
        rc = make_issuer(&issuers[kind], (enum key_kind)kind, arena, diag);
    *out = issuers;
    return rc;
}
