#include "fetch/jwks_probe.h"

struct http_limits jwks_limits(const struct config *config)
{
    struct slice ca_file = config->security.jwks.ca_file;

    return (struct http_limits){
        .ca_file = ca_file.n > 0 ? ca_file.p : NULL,
        .timeout_ms = (long)config->security.jwks.timeout_s * 1000,
        .max_bytes = (size_t)config->security.jwks.maximum_bytes,
    };
}

const char *jwks_parse_fault(int rc)
{
    switch (rc) {
    case CC_ENOENT:
        return "there is no key in it that can be used";
    case CC_ETOOBIG:
        return "it has too many keys";
    case CC_EPARSE:
        return "it is no key set (RFC 7517)";
    default:
        return cc_strerror(rc);
    }
}

int jwks_probe(struct slice url, const struct http_limits *limits, struct jwks **out,
               struct jwks_report *report, char error[256])
{
    struct http_result result = {.error = NULL};
    struct http_get *get = NULL;
    const char *why = "";
    struct buf b;
    int rc = http_get_new(&get, url, SLICE(""), limits);

    report->n = 0;
    if (rc != CC_OK) {
        why = cc_strerror(rc);
        goto out;
    }
    http_get_run(get, &result);
    if (result.error != NULL || result.status != 200) {
        why = result.error != NULL ? result.error : "it answers with status 304 to nothing";
        rc = CC_EIO;
        goto out;
    }
    rc = jwks_parse(out, result.body, url, report);
    if (rc != CC_OK)
        why = jwks_parse_fault(rc);
out:
    buf_init_fixed(&b, error, 256);
    buf_add(&b, slice_first(slice_of(why), 255));
    http_get_free(&get);
    return rc;
}
