#include "fetch/jwks_saved.h"

#include <jansson.h>

enum { PATH_ROOM = 4096, FILE_MAX = 7 * JWKS_MAX_BYTES }; /* each byte may need six as JSON */

#define TIME_END (INT64_C(1) << 40)

static int path_of(const char *directory, struct slice url, char path[PATH_ROOM])
{
    char hex[65];
    struct buf b;
    int rc = crypto_sha256_hex(url, hex);

    buf_init_fixed(&b, path, PATH_ROOM);
    buf_printf(&b, "%s/jwks-%.32s.json", directory, hex);
    return rc == CC_OK ? buf_error(&b) : rc;
}

int jwks_saved_write(const char *directory, struct slice url, const struct jwks_saved *saved)
{
    char path[PATH_ROOM];
    struct buf b;
    int rc = path_of(directory, url, path);

    buf_init(&b, FILE_MAX);
    buf_add_str(&b, "{\"schema\":1,\"url\":");
    buf_add_json(&b, url);
    buf_add_str(&b, ",\"etag\":");
    buf_add_json(&b, saved->etag);
    buf_printf(&b, ",\"fetched\":%lld,\"max_age\":%lld,\"keys\":", (long long)saved->fetched_s,
               (long long)saved->max_age_s);
    buf_add_json(&b, saved->body);
    buf_add_str(&b, "}\n");
    if (rc == CC_OK)
        rc = buf_error(&b);
    if (rc == CC_OK)
        rc = file_write_atomic(path, buf_slice(&b), 0600);
    buf_free(&b);
    return rc;
}

static bool read_text(const json_t *o, const char *name, struct arena *arena, struct slice *out)
{
    const json_t *text = json_object_get(o, name);

    if (!json_is_string(text))
        return false;
    *out = arena_dup(arena, slice_make(json_string_value(text), json_string_length(text)));
    return out->p != NULL;
}

static bool read_number(const json_t *o, const char *name, int64_t min, int64_t *out)
{
    const json_t *number = json_object_get(o, name);

    *out = json_integer_value(number);
    return json_is_integer(number) && *out >= min && *out < TIME_END;
}

int jwks_saved_parse(struct slice text, struct slice url, struct arena *arena,
                     struct jwks_saved *out)
{
    json_t *o = json_loadb(text.n > 0 ? text.p : "", text.n, JSON_REJECT_DUPLICATES, NULL);
    struct slice named = SLICE_NONE;
    int64_t schema = 0;
    bool ok = json_is_object(o) && read_number(o, "schema", 1, &schema) && schema == 1 &&
              read_text(o, "url", arena, &named) && slice_eq(named, url) &&
              read_text(o, "etag", arena, &out->etag) && read_text(o, "keys", arena, &out->body) &&
              read_number(o, "fetched", 0, &out->fetched_s) &&
              read_number(o, "max_age", -1, &out->max_age_s);

    json_decref(o);
    return ok ? CC_OK : CC_EPARSE;
}

int jwks_saved_read(const char *directory, struct slice url, struct arena *arena,
                    struct jwks_saved *out)
{
    char path[PATH_ROOM];
    struct slice text;
    int rc = path_of(directory, url, path);

    if (rc == CC_OK)
        rc = file_check_ours(directory, path);
    if (rc == CC_OK)
        rc = file_read(arena, path, FILE_MAX, &text);
    return rc == CC_OK ? jwks_saved_parse(text, url, arena, out) : rc;
}
