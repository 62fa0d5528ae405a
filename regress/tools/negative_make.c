/* negative_make: turns files of cases (regress/negative) into requests for negative_send.
 *
 *     negative_make DIR CASES.yaml...
 *
 * Uses and makes keys in DIR: DIR/pem/NAME.pem (public halves) and DIR/idp/set.json, a key set with
 * good, weak and broken keys. Writes DIR/requests, a case a line: NAME <tab> STATUS <tab> CODE
 * <tab> REQUEST, the last with \r, \n, \t, \\ and \xHH escaped. How a case is written:
 * regress/negative/README.md. */
#include "crypto/crypto.h"
#include "doc/doc.h"

#include <jansson.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <time.h>

enum { TEXT_BYTES = 1 << 20, ARENA_BYTES = 256 << 20, MAX_FILL = 200000 };

#define DEFAULT_HEADER  "{\"alg\":\"RS256\",\"kid\":\"r1\",\"typ\":\"JWT\"}"
#define DEFAULT_REQUEST "GET /neg/1.0/any HTTP/1.1"

/* A key of the suite. Keys and signatures are OpenSSL's own, not the product's: some of them no
 * issuer should have, and what is tested shall not vouch for itself. */
static struct suite_key {
    const char *name;        /* also its kid */
    const char *type;        /* "RSA", "EC", "ED25519" */
    const char *curve;       /* EC */
    unsigned bits, exponent; /* RSA */
    bool in_set;
    EVP_PKEY *key; /* made at start */
} keys[] = {
    {.name = "rsa", .type = "RSA", .bits = 2048, .exponent = 65537},
    {.name = "ec", .type = "EC", .curve = "P-256"},
    {.name = "stranger", .type = "RSA", .bits = 2048, .exponent = 65537},
    {.name = "r1", .type = "RSA", .bits = 2048, .exponent = 65537, .in_set = true},
    {.name = "r2", .type = "RSA", .bits = 2048, .exponent = 65537, .in_set = true},
    {.name = "e1", .type = "EC", .curve = "P-256", .in_set = true},
    {.name = "e3", .type = "EC", .curve = "P-384", .in_set = true},
    {.name = "ed", .type = "ED25519", .in_set = true},
    {.name = "weak1024", .type = "RSA", .bits = 1024, .exponent = 65537, .in_set = true},
    {.name = "exponent3", .type = "RSA", .bits = 2048, .exponent = 3, .in_set = true},
};
enum { N_KEYS = sizeof(keys) / sizeof(keys[0]) };

static struct arena *arena;
static const char *dir;
static int64_t now;

static void need(bool good, const char *what)
{
    if (good)
        return;
    fprintf(stderr, "negative_make: %s\n", what);
    exit(EX_DATAERR);
}

static struct slice keep(struct buf *b)
{
    struct slice s;

    need(buf_error(b) == CC_OK, "a text is too long");
    s = arena_dup(arena, buf_slice(b));
    need(s.p != NULL, "no memory");
    buf_free(b);
    return s;
}

static struct slice base64(struct slice data)
{
    struct buf b;

    buf_init(&b, TEXT_BYTES);
    base64url_encode(data, &b);
    return keep(&b);
}

/* --- placeholders ----------------------------------------------------------------------------- */

struct names {
    struct slice token, good;
};

static int64_t number(struct slice s)
{
    uint64_t n = 0;

    need(slice_to_u64(s, &n) == CC_OK && n < INT32_MAX, "a number of a placeholder is odd");
    return (int64_t)n;
}

static void add_hex(struct slice hex, struct buf *out)
{
    need(hex.n % 2 == 0, "hex: an odd number of digits");
    for (size_t i = 0; i < hex.n; i += 2) {
        char pair[3] = {hex.p[i], hex.p[i + 1], 0};

        buf_add_char(out, (char)strtoul(pair, NULL, 16));
    }
}

/* fill:N is N times 'a', fill:N:TEXT is TEXT as often. */
static void add_fill(struct slice rest, struct buf *out)
{
    struct slice count;
    int64_t n;

    slice_split(&rest, ':', &count);
    n = number(count);
    need(n <= MAX_FILL, "fill: too much");
    for (int64_t i = 0; i < n; i++)
        buf_add(out, rest.n > 0 ? rest : SLICE("a"));
}

static bool add_named(struct slice name, const struct names *names, struct buf *out)
{
    if (slice_is(name, "token"))
        buf_add(out, names->token);
    else if (slice_is(name, "good"))
        buf_add(out, names->good);
    else if (slice_starts(name, SLICE("hex:")))
        add_hex(slice_from(name, 4), out);
    else if (slice_starts(name, SLICE("fill:")))
        add_fill(slice_from(name, 5), out);
    else if (slice_is(name, "now"))
        buf_printf(out, "%lld", (long long)now);
    else if (slice_starts(name, SLICE("now+")))
        buf_printf(out, "%lld", (long long)(now + number(slice_from(name, 4))));
    else if (slice_starts(name, SLICE("now-")))
        buf_printf(out, "%lld", (long long)(now - number(slice_from(name, 4))));
    else
        return false;
    return true;
}

/* Puts in what stands between { and }; braces around anything else stay. */
static struct slice fill_in(struct slice s, const struct names *names)
{
    struct buf b;

    buf_init(&b, TEXT_BYTES);
    while (s.n > 0) {
        ptrdiff_t end = s.p[0] == '{' ? slice_find(s, '}') : -1;

        if (end > 0 && add_named(slice_make(s.p + 1, (size_t)end - 1), names, &b)) {
            s = slice_from(s, (size_t)end + 1);
        } else {
            buf_add_char(&b, s.p[0]);
            s = slice_from(s, 1);
        }
    }
    return keep(&b);
}

/* --- keys --------------------------------------------------------------------------------------
 */

static void write_file(const char *name, struct slice text)
{
    struct slice path = arena_printf(arena, "%s/%s", dir, name);

    need(file_write_atomic(path.p, text, 0644) == CC_OK, path.p);
}

static const struct suite_key *find_key(struct slice name)
{
    for (size_t i = 0; i < N_KEYS; i++)
        if (slice_is(name, keys[i].name))
            return &keys[i];
    need(false, arena_printf(arena, "there is no key '%" PRIslice "'", SLICE_ARG(name)).p);
    return NULL;
}

static void make_key(struct suite_key *k)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, k->type, NULL);
    BIGNUM *e = BN_new();
    bool good = ctx != NULL && e != NULL && EVP_PKEY_keygen_init(ctx) > 0;

    if (k->bits > 0)
        good = good && BN_set_word(e, k->exponent) &&
               EVP_PKEY_CTX_set_rsa_keygen_bits(ctx, (int)k->bits) > 0 &&
               EVP_PKEY_CTX_set1_rsa_keygen_pubexp(ctx, e) > 0;
    if (k->curve != NULL)
        good = good && EVP_PKEY_CTX_set_group_name(ctx, k->curve) > 0;
    need(good && EVP_PKEY_keygen(ctx, &k->key) > 0, k->name);
    BN_free(e);
    EVP_PKEY_CTX_free(ctx);
}

/* Its public half; as PEM, or as DER. */
static struct slice public_half(const struct suite_key *k, bool pem)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *text = NULL;
    struct slice copy;
    long n;

    need(bio != NULL && (pem ? PEM_write_bio_PUBKEY(bio, k->key) : i2d_PUBKEY_bio(bio, k->key)) > 0,
         k->name);
    n = BIO_get_mem_data(bio, &text);
    copy = arena_dup(arena, slice_make(text, (size_t)n));
    need(copy.p != NULL, "no memory");
    BIO_free(bio);
    return copy;
}

static struct slice number_of(const struct suite_key *k, const char *part)
{
    BIGNUM *n = NULL;
    char *room;
    int size;

    need(EVP_PKEY_get_bn_param(k->key, part, &n) > 0, k->name);
    size = BN_num_bytes(n);
    room = arena_alloc(arena, (size_t)size);
    need(room != NULL, "no memory");
    BN_bn2bin(n, (unsigned char *)room);
    BN_free(n);
    return slice_make(room, (size_t)size);
}

static void add_to_set(const struct suite_key *k, const char *kid, struct buf *set)
{
    struct key *public = NULL;

    buf_add_char(set, ',');
    if (k->bits > 0) {
        buf_printf(set, "{\"kty\":\"RSA\",\"kid\":\"%s\",\"n\":\"%s\",\"e\":\"%s\"}", kid,
                   base64(number_of(k, "n")).p, base64(number_of(k, "e")).p);
        return;
    }
    need(key_public_from_pem(&public, public_half(k, true)) == CC_OK &&
             jwks_write_key(public, slice_of(kid), JWT_ALG_COUNT, set) == CC_OK,
         k->name);
    key_free(&public);
}

static void make_keys(void)
{
    struct buf set;

    mkdir(arena_printf(arena, "%s/pem", dir).p, 0755);
    mkdir(arena_printf(arena, "%s/idp", dir).p, 0755);
    buf_init(&set, TEXT_BYTES);
    /* A secret, a point that is on no curve, a modulus of eight bits, and a key for encryption. */
    buf_add_str(&set, "{\"keys\":[{\"kty\":\"oct\",\"kid\":\"oct\",\"k\":\"c2VjcmV0\"},"
                      "{\"kty\":\"EC\",\"kid\":\"off\",\"crv\":\"P-256\","
                      "\"x\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE\","
                      "\"y\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE\"},"
                      "{\"kty\":\"RSA\",\"kid\":\"even\",\"n\":\"gA\",\"e\":\"AQAB\"}");
    for (size_t i = 0; i < N_KEYS; i++) {
        make_key(&keys[i]);
        write_file(arena_printf(arena, "pem/%s.pem", keys[i].name).p, public_half(&keys[i], true));
        if (keys[i].in_set)
            add_to_set(&keys[i], keys[i].name, &set);
    }
    /* Two keys under one kid; and one that is for encryption. */
    add_to_set(find_key(SLICE("r1")), "twice", &set);
    add_to_set(find_key(SLICE("r2")), "twice", &set);
    add_to_set(find_key(SLICE("r1")), "encryption", &set);
    set.n--; /* its brace */
    buf_add_str(&set, ",\"use\":\"enc\"}]}");
    write_file("idp/set.json", keep(&set));
}

/* --- signatures --------------------------------------------------------------------------------
 */

static const EVP_MD *digest_of(struct slice alg)
{
    return slice_ends(alg, SLICE("384"))   ? EVP_sha384()
           : slice_ends(alg, SLICE("512")) ? EVP_sha512()
           : slice_is(alg, "EdDSA")        ? NULL
                                           : EVP_sha256();
}

/* R || S of RFC 7518 3.4. */
static struct slice raw_ecdsa(struct slice der, int half)
{
    const unsigned char *p = (const unsigned char *)der.p;
    ECDSA_SIG *s = d2i_ECDSA_SIG(NULL, &p, (long)der.n);
    unsigned char *room = arena_alloc(arena, 2 * (size_t)half);

    need(s != NULL && room != NULL && BN_bn2binpad(ECDSA_SIG_get0_r(s), room, half) == half &&
             BN_bn2binpad(ECDSA_SIG_get0_s(s), room + half, half) == half,
         "ECDSA");
    ECDSA_SIG_free(s);
    return slice_make(room, 2 * (size_t)half);
}

static struct slice sign_by(const struct suite_key *k, struct slice alg, bool der,
                            struct slice input)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    EVP_PKEY_CTX *pctx = NULL;
    size_t n = 2048;
    unsigned char *room = arena_alloc(arena, n);
    bool good = ctx != NULL && room != NULL &&
                EVP_DigestSignInit(ctx, &pctx, digest_of(alg), NULL, k->key) > 0;

    if (slice_starts(alg, SLICE("PS")))
        good = good && EVP_PKEY_CTX_set_rsa_padding(pctx, RSA_PKCS1_PSS_PADDING) > 0 &&
               EVP_PKEY_CTX_set_rsa_pss_saltlen(pctx, RSA_PSS_SALTLEN_DIGEST) > 0;
    need(good && EVP_DigestSign(ctx, room, &n, (const unsigned char *)input.p, input.n) > 0,
         k->name);
    EVP_MD_CTX_free(ctx);
    if (k->curve != NULL && !der)
        return raw_ecdsa(slice_make(room, n), EVP_PKEY_get_bits(k->key) / 8);
    return slice_make(room, n);
}

/* A public key taken for a shared secret. */
static struct slice sign_hmac(struct slice alg, struct slice secret, struct slice input)
{
    unsigned n = 0;
    unsigned char *room = arena_alloc(arena, EVP_MAX_MD_SIZE);

    need(room != NULL && HMAC(digest_of(alg), secret.p, (int)secret.n,
                              (const unsigned char *)input.p, input.n, room, &n) != NULL,
         "HMAC");
    return slice_make(room, n);
}

/* What `sign` says: NAME of a key; "der NAME"; "hmac pem|der|modulus NAME"; "hmac empty"; "none";
 * or "hex ..." for the very bytes. */
static struct slice sign(struct slice how, struct slice alg, const struct names *names,
                         struct slice input)
{
    struct slice word, form, rest = how;

    slice_split(&rest, ' ', &word);
    if (slice_is(word, "none"))
        return SLICE("");
    if (slice_is(word, "bytes"))
        return fill_in(rest, names);
    if (slice_is(word, "der"))
        return sign_by(find_key(rest), alg, true, input);
    if (!slice_is(word, "hmac"))
        return sign_by(find_key(word), alg, false, input);
    slice_split(&rest, ' ', &form);
    if (slice_is(form, "empty"))
        return sign_hmac(alg, SLICE(""), input);
    if (slice_is(form, "modulus"))
        return sign_hmac(alg, number_of(find_key(rest), "n"), input);
    return sign_hmac(alg, public_half(find_key(rest), slice_is(form, "pem")), input);
}

/* --- tokens ------------------------------------------------------------------------------------
 */

/* The claims of a good token, with those of the case over them; null takes one away. */
static struct slice merge_claims(struct slice claims, const struct names *names)
{
    struct slice good =
        fill_in(SLICE("{\"iss\":\"https://rsa\",\"sub\":\"alice\",\"exp\":{now+3600},"
                      "\"iat\":{now},\"jti\":\"j1\",\"scope\":\"read\",\"azp\":\"app\"}"),
                names);
    struct slice over = fill_in(claims, names);
    json_t *a = json_loadb(good.p, good.n, 0, NULL),
           *b = json_loadb(over.p, over.n, JSON_ALLOW_NUL, NULL);
    const char *name;
    json_t *value;
    char *text;

    need(a != NULL, "the good claims are broken");
    need(json_is_object(b),
         arena_printf(arena, "claims are no object: %" PRIslice, SLICE_ARG(over)).p);
    json_object_foreach(b, name, value) if (json_is_null(value)) json_object_del(a, name);
    else json_object_set(a, name, value);
    text = json_dumps(a, JSON_COMPACT);
    need(text != NULL, "no memory");
    good = arena_dup(arena, slice_of(text));
    free(text);
    json_decref(a);
    json_decref(b);
    return good;
}

/* A text member of a case; `otherwise` when it is not there. */
static struct slice text_of(const struct doc_node *node, const char *member, struct slice otherwise)
{
    const struct doc_node *value = doc_get(node, member);

    return value == NULL ? otherwise : value->text;
}

static struct slice alg_of(const struct doc_node *node, struct slice header)
{
    json_t *h = json_loadb(header.p, header.n, 0, NULL);
    const char *alg = json_string_value(json_object_get(h, "alg"));
    struct slice copy = arena_dup(arena, slice_of(alg != NULL ? alg : "RS256"));

    json_decref(h);
    return text_of(node, "alg", copy);
}

/* append TEXT, prepend TEXT, cut N (bytes at its end), part N TEXT (that part of it, from 0). */
static struct slice edit(struct slice token, struct slice how, const struct names *names)
{
    struct slice word, which, part, rest = fill_in(how, names);
    struct buf b;

    buf_init(&b, TEXT_BYTES);
    slice_split(&rest, ' ', &word);
    if (slice_is(word, "append")) {
        buf_add(&b, token);
        buf_add(&b, rest);
    } else if (slice_is(word, "prepend")) {
        buf_add(&b, rest);
        buf_add(&b, token);
    } else if (slice_is(word, "cut")) {
        buf_add(&b, slice_first(token, token.n - (size_t)number(rest)));
    } else {
        need(slice_is(word, "part") && slice_split(&rest, ' ', &which), "edit: what?");
        for (int64_t i = 0; slice_split(&token, '.', &part); i++) {
            buf_add_str(&b, i > 0 ? "." : "");
            buf_add(&b, i == number(which) ? rest : part);
        }
    }
    return keep(&b);
}

static struct slice make_token(const struct doc_node *node, const struct names *names)
{
    struct slice header = fill_in(text_of(node, "header", SLICE(DEFAULT_HEADER)), names);
    struct slice payload = text_of(node, "payload", SLICE_NONE);
    struct slice input, token;

    payload = payload.p != NULL ? fill_in(payload, names)
                                : merge_claims(text_of(node, "claims", SLICE("{}")), names);
    input = arena_printf(arena, "%s.%s", base64(header).p, base64(payload).p);
    token = arena_printf(
        arena, "%s.%s", input.p,
        base64(sign(text_of(node, "sign", SLICE("rsa")), alg_of(node, header), names, input)).p);
    need(token.p != NULL, "no memory");
    if (doc_get(node, "edit") != NULL)
        token = edit(token, doc_get(node, "edit")->text, names);
    return token;
}

/* --- requests ----------------------------------------------------------------------------------
 */

static struct slice make_request(const struct doc_node *node, const struct names *names)
{
    const struct doc_node *headers = doc_get(node, "headers");
    struct slice authorization = text_of(node, "authorization", SLICE("Bearer {token}"));
    struct buf b;

    if (doc_get(node, "raw") != NULL)
        return fill_in(doc_get(node, "raw")->text, names);
    buf_init(&b, TEXT_BYTES);
    buf_add(&b, text_of(node, "request", SLICE(DEFAULT_REQUEST)));
    if (!slice_contains(buf_slice(&b), SLICE(" HTTP/")))
        buf_add_str(&b, " HTTP/1.1");
    buf_add_str(&b, "\r\nHost: localhost\r\n");
    if (authorization.n > 0)
        buf_printf(&b, "Authorization: %" PRIslice "\r\n", SLICE_ARG(authorization));
    for (size_t i = 0; headers != NULL && i < headers->n; i++)
        buf_printf(&b, "%" PRIslice "\r\n", SLICE_ARG(headers->entries[i].value->text));
    buf_add_str(&b, "\r\n");
    return fill_in(keep(&b), names);
}

static void print_escaped(struct slice s, FILE *to)
{
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];

        if (c == '\r')
            fputs("\\r", to);
        else if (c == '\n')
            fputs("\\n", to);
        else if (c < 0x20 || c >= 0x7f || c == '\\')
            fprintf(to, "\\x%02x", c);
        else
            fputc(c, to);
    }
}

static const char *const members[] = {"case", "expect", "request", "authorization", "headers",
                                      "raw",  "header", "claims",  "payload",       "sign",
                                      "alg",  "edit",   "from"};

static void print_case(const struct doc_node *node, FILE *to)
{
    struct names names = {SLICE(""), SLICE("")};
    struct slice expect = text_of(node, "expect", SLICE_NONE), status;

    for (size_t i = 0; i < node->n; i++) {
        bool known = false;

        for (size_t k = 0; k < sizeof(members) / sizeof(members[0]); k++)
            known = known || slice_is(node->entries[i].key->text, members[k]);
        need(known, arena_printf(arena, "line %u: a case has no member '%" PRIslice "'",
                                 node->entries[i].key->line, SLICE_ARG(node->entries[i].key->text))
                        .p);
    }
    need(text_of(node, "case", SLICE_NONE).p != NULL && expect.p != NULL,
         arena_printf(arena, "line %u: a case needs a name and what to expect", node->line).p);
    names.good = make_token(NULL, &names);
    names.token = make_token(node, &names);
    slice_split(&expect, ' ', &status);
    fprintf(to, "%" PRIslice "\t%" PRIslice "\t%" PRIslice "\t%" PRIslice "\t",
            SLICE_ARG(text_of(node, "case", SLICE_NONE)), SLICE_ARG(status),
            SLICE_ARG(expect.n > 0 ? expect : SLICE("-")),
            SLICE_ARG(text_of(node, "from", SLICE("192.0.2.7"))));
    print_escaped(make_request(node, &names), to);
    fputc('\n', to);
}

int main(int argc, char **argv)
{
    struct diag *diag = diag_new();
    FILE *to;

    if (argc < 3) {
        fputs("usage: negative_make DIR CASES.yaml...\n", stderr);
        return EX_USAGE;
    }
    dir = argv[1];
    arena = arena_new(ARENA_BYTES);
    now = time(NULL);
    need(arena != NULL && diag != NULL, "no memory");
    make_keys();
    to = fopen(arena_printf(arena, "%s/requests", dir).p, "w");
    need(to != NULL, "requests: cannot be written");
    for (int i = 2; i < argc; i++) {
        struct doc *doc = NULL;

        if (doc_read_file(&doc, argv[i], argv[i], arena, diag) != CC_OK ||
            doc->root->type != DOC_LIST) {
            diag_print(diag, stderr, false);
            return EX_DATAERR;
        }
        for (size_t k = 0; k < doc->root->n; k++)
            print_case(doc->root->entries[k].value, to);
    }
    for (size_t i = 0; i < N_KEYS; i++)
        EVP_PKEY_free(keys[i].key);
    diag_free(&diag);
    arena_free(&arena);
    return fclose(to) == 0 ? EX_OK : EX_IOERR;
}
