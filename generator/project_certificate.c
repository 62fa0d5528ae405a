/* project: whom the certificates of endpoints are checked with (api-projects 1.1, 1.6).
 *
 * Endpoint-certificates/endpoint_certificates.yaml names a file for an endpoint; all other files
 * beside it are for all other endpoints, those in interceptors/ for interceptors; where a project
 * brings none, cc.yaml decides. Unlike in the reference, an endpoint is recognised by what its URL
 * means and not by its letters, a file may serve several endpoints, and a file that is missing is
 * an error: the endpoint would be checked with others than its author chose.
 *
 * Certificates of a bundle are sorted and written anew, and the bundle is named after its content:
 * the order of files, comments and repetitions make no other gateway. */
#include "generator/project_internal.h"

#include "crypto/crypto.h"

#include <stdlib.h>
#include <time.h>

#define FOLDER       "Endpoint-certificates"
#define INTERCEPTORS FOLDER "/interceptors"

struct project_certificate_entry {
    struct gw_endpoint endpoint;
    struct slice path; /* of the file, in the project */
    struct place place;
    struct project_authorities authorities;
    bool used;
};

/* --- files ----------------------------------------------------------------------------------- */

static struct source *file_source(struct project *p, const char *name)
{
    struct source *s = project_alloc(p->build, 1, sizeof(*s));

    if (s != NULL)
        s->name = name; /* and no text: a finding must not print a private key */
    return s;
}

void project_warn_of_file(struct project *p, const struct project_file *file, enum diag_code code,
                          const char *text, const char *help)
{
    diag_help(
        diag_warning(p->build->diag, code, place_file(file_source(p, file->name)), "%s", text),
        "%s", help);
}

static void refuse_file(struct project *p, struct place place, int rc)
{
    struct diag *d = p->build->diag;

    if (rc == CC_EREFUSED)
        diag_help(diag_error(d, CC2406, place, "the file holds a private key"),
                  "take it out, and make a new one for whom it belongs to");
    else if (rc == CC_ETOOBIG)
        diag_error(d, CC2405, place,
                   "the file is larger than %d bytes or holds more than %d certificates",
                   CERTIFICATES_MAX_BYTES, CERTIFICATES_MAX);
    else if (rc == CC_EUNSUPPORTED)
        diag_help(diag_error(d, CC2405, place, "this is no certificate"),
                  "keep nothing but blocks of -----BEGIN CERTIFICATE-----");
    else if (rc == CC_EPARSE)
        diag_error(d, CC2405, place, "this certificate is damaged");
    else
        diag_help(diag_error(d, CC2405, place, "the file holds no PEM certificate"),
                  "for one in DER: openssl x509 -inform der -in FILE -out FILE.pem");
}

bool project_read_certificate_file(struct project *p, struct project_file *file,
                                   struct project_list *out)
{
    struct source *source = file_source(p, file->name);
    struct certificates list;
    unsigned line;
    int rc;

    if (source == NULL)
        return false;
    rc = project_source_read(file, p->build->arena, p->build->diag);
    if (rc == CC_ENOMEM)
        p->build->rc = rc;
    if (rc != CC_OK)
        return false;
    rc = certificates_from_pem(&list, file->bytes, p->build->arena, &line);
    if (rc == CC_ENOMEM) {
        p->build->rc = rc;
        return false;
    }
    if (rc != CC_OK) {
        refuse_file(p, (struct place){source, line, line > 0}, rc);
        return false;
    }
    for (size_t i = 0; i < list.n; i++) {
        struct project_certificate *slot = project_list_add(p->build, out, sizeof(*slot));

        if (slot == NULL)
            return false;
        *slot = (struct project_certificate){list.items[i], source};
    }
    return true;
}

/* --- bundles --------------------------------------------------------------------------------- */

static int compare_located(const void *a, const void *b)
{
    const struct project_certificate *x = a, *y = b;

    return slice_cmp(x->certificate.pem, y->certificate.pem);
}

static bool has_subject(const struct project_certificate *all, size_t n, struct slice name)
{
    for (size_t i = 0; i < n; i++) {
        if (slice_eq(all[i].certificate.subject, name))
            return true;
    }
    return false;
}

/* OpenSSL's verification, without X509_V_FLAG_PARTIAL_CHAIN, ends in a self-signed certificate. */
static void check_chains(struct project *p, const struct project_certificate *all, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (has_subject(all, n, all[i].certificate.issuer))
            continue;
        diag_help(diag_warning(p->build->diag, CC2410,
                               (struct place){all[i].source, all[i].certificate.line, 1},
                               "the certificate of the authority that signed this one is missing"),
                  "add it to the file, up to the one that is signed by itself");
    }
}

/* Sorts `all` and takes repetitions out; tells how many bytes are left. */
static size_t make_distinct(struct project_certificate *all, size_t *n)
{
    size_t kept = 0, bytes = 0;

    qsort(all, *n, sizeof(*all), compare_located);
    for (size_t i = 0; i < *n; i++) {
        if (kept > 0 && compare_located(&all[kept - 1], &all[i]) == 0)
            continue;
        bytes += all[i].certificate.pem.n;
        all[kept++] = all[i];
    }
    *n = kept;
    return bytes;
}

/* struct project_certificate -> *out; an empty list is none. */
static void make_bundle(struct project *p, struct project_list *list, struct project_bundle *out)
{
    struct project_certificate *all = list->items;
    size_t n = list->n, bytes, at = 0;
    char hex[65];
    char *text;

    if (n == 0)
        return;
    bytes = make_distinct(all, &n);
    if (n > CERTIFICATES_MAX) {
        diag_error(p->build->diag, CC2405, place_file(all[0].source),
                   "the files of this folder hold %zu certificates together, at most %d can be", n,
                   CERTIFICATES_MAX);
        return;
    }
    check_chains(p, all, n);
    text = project_alloc(p->build, bytes, 1);
    if (text == NULL)
        return;
    for (size_t i = 0; i < n; i++) {
        const struct certificate *c = &all[i].certificate;

        memcpy(text + at, c->pem.p, c->pem.n);
        at += c->pem.n;
        if (i > 0 && c->not_after >= out->expires)
            continue;
        out->expires = c->not_after;
        out->origin = (struct place){all[i].source, c->line, 1};
    }
    out->authorities.pem = slice_make(text, bytes);
    if (crypto_sha256_hex(out->authorities.pem, hex) == CC_OK)
        out->authorities.name = arena_dup(p->build->arena, slice_make(hex, GW_AUTHORITIES_NAME));
    if (out->authorities.name.p == NULL)
        p->build->rc = CC_ENOMEM;
}

/* --- the map --------------------------------------------------------------------------------- */

bool project_required_text(struct project *p, const struct doc *doc, const struct doc_node *map,
                           const char *what, struct slice *out)
{
    const struct doc_node *node = doc_get_nocase(map, what);

    if (node == NULL || node->type == DOC_NULL) {
        diag_error(p->build->diag, CC1202, doc_place(doc, map), "%s is missing", what);
        return false;
    }
    return project_text(p, doc, node, what, out);
}

/* The file that an entry names, made a bundle. */
static bool read_mapped(struct project *p, struct slice name, struct place place,
                        struct project_certificate_entry *e)
{
    struct slice path = arena_printf(p->build->arena, FOLDER "/%" PRIslice, SLICE_ARG(name));
    struct project_list list = {NULL, 0, 0};
    struct project_file *file;

    if (path.p == NULL) {
        p->build->rc = CC_ENOMEM;
        return false;
    }
    if (slice_find(name, '/') >= 0) {
        diag_help(diag_error(p->build->diag, CC2408, place,
                             "\"%" PRIslice "\" is no name of a file", SLICE_ARG(name)),
                  "write the name that it has in " FOLDER "/, without a folder");
        return false;
    }
    file = project_source_find(p->source, path.p);
    if (file == NULL) {
        diag_help(diag_error(p->build->diag, CC2408, place,
                             "there is no file \"%" PRIslice "\" in " FOLDER "/", SLICE_ARG(name)),
                  "put the certificate of the endpoint's authority there, as PEM");
        return false;
    }
    e->path = path;
    if (!project_read_certificate_file(p, file, &list))
        return false;
    make_bundle(p, &list, &e->authorities.bundle);
    return true;
}

static struct project_certificate_entry *find_entry(const struct project *p,
                                                    const struct gw_endpoint *e)
{
    struct project_certificate_entry *entries = p->certificates.map.items;

    for (size_t i = 0; i < p->certificates.map.n; i++) {
        if (project_same_endpoint(&entries[i].endpoint, e))
            return &entries[i];
    }
    return NULL;
}

static void read_entry(struct project *p, const struct doc *doc, const struct doc_node *node)
{
    static const char *const keys[] = {"alias", "endpoint", "certificate"};
    struct project_certificate_entry e = {.place = doc_place(doc, node)}, *slot;
    struct slice url, name;

    if (!doc_is_map(doc, node, "data[]", p->build->diag))
        return;
    project_check_keys(p, doc, node, "data[]", keys, 3);
    if (!project_required_text(p, doc, node, "endpoint", &url) ||
        !project_required_text(p, doc, node, "certificate", &name) ||
        !project_parse_url(p, url, doc_place(doc, doc_get_nocase(node, "endpoint")), &e.endpoint))
        return;
    if (find_entry(p, &e.endpoint) != NULL) {
        diag_help(diag_error(p->build->diag, CC2408, e.endpoint.origin,
                             "this endpoint has an entry already"),
                  "keep one; a file can hold several certificates");
        return;
    }
    if (!read_mapped(p, name, doc_place(doc, doc_get_nocase(node, "certificate")), &e))
        return;
    slot = project_list_add(p->build, &p->certificates.map, sizeof(*slot));
    if (slot != NULL)
        *slot = e;
}

static void read_map(struct project *p)
{
    static const char *const names[] = {FOLDER "/endpoint_certificates.yaml",
                                        FOLDER "/endpoint_certificates.yml",
                                        FOLDER "/endpoint_certificates.json"};
    const struct doc *doc;
    bool present;
    const struct doc_node *data =
        project_read_map(p, names, "endpoint_certificates", &doc, &present);

    for (size_t i = 0; data != NULL && i < data->n && p->build->rc == CC_OK; i++)
        read_entry(p, doc, data->entries[i].value);
}

/* --- folders --------------------------------------------------------------------------------- */

static bool is_mapped(const struct project *p, struct slice path)
{
    const struct project_certificate_entry *entries = p->certificates.map.items;

    for (size_t i = 0; i < p->certificates.map.n; i++) {
        if (slice_eq(entries[i].path, path))
            return true;
    }
    return false;
}

/* All files of a folder that the map does not name. */
static void read_others(struct project *p, const char *folder, struct project_authorities *out)
{
    struct project_list list = {NULL, 0, 0};
    struct project_file *file;
    size_t at = 0;

    while (p->build->rc == CC_OK && (file = project_source_next(p->source, folder, &at)) != NULL) {
        if (slice_starts(file->path, SLICE(FOLDER "/endpoint_certificates.")) ||
            is_mapped(p, file->path))
            continue;
        if (slice_ends(file->path, SLICE(".crt")) || slice_ends(file->path, SLICE(".pem"))) {
            project_read_certificate_file(p, file, &list);
            continue;
        }
        project_warn_of_file(p, file, CC2409, "this file is not read",
                             "call it *.crt or *.pem when it holds certificates in PEM");
    }
    if (p->build->rc == CC_OK)
        make_bundle(p, &list, &out->bundle);
}

void project_read_certificates(struct project *p)
{
    read_map(p);
    read_others(p, FOLDER, &p->certificates.others[0]);
    read_others(p, INTERCEPTORS, &p->certificates.others[1]);
}

/* --- use ------------------------------------------------------------------------------------- */

struct slice project_endpoint_ca(struct project *p, const struct gw_endpoint *e, bool service)
{
    struct project_certificate_entry *entry = find_entry(p, e);
    struct project_authorities *a =
        entry != NULL ? &entry->authorities : &p->certificates.others[service];
    struct project_bundle *slot;

    if (!e->tls || a->bundle.authorities.name.p == NULL)
        return SLICE("");
    if (entry != NULL)
        entry->used = true;
    if (!a->used) {
        slot = project_list_add(p->build, &p->build->authorities, sizeof(*slot));
        if (slot == NULL)
            return SLICE("");
        *slot = a->bundle;
        a->used = true;
    }
    return a->bundle.authorities.name;
}

void project_report_certificates(struct project *p)
{
    const struct project_certificate_entry *entries = p->certificates.map.items;

    for (size_t i = 0; i < p->certificates.map.n; i++) {
        if (entries[i].used)
            continue;
        diag_help(diag_warning(p->build->diag, CC2409, entries[i].endpoint.origin,
                               entries[i].endpoint.tls
                                   ? "no endpoint of this project has this URL"
                                   : "this endpoint is not https: it has no certificate"),
                  entries[i].endpoint.tls ? "write the URL as in api.yaml or the OpenAPI document"
                                          : "remove the entry, or make the endpoint https");
    }
}

/* --- the finished model ---------------------------------------------------------------------- */

static void check_expiry(struct project_build *build, const struct project_bundle *b)
{
    time_t when = (time_t)b->expires;
    char date[32];
    struct tm tm;

    if (clock_wall_s(&clock_system) <= b->expires || gmtime_r(&when, &tm) == NULL ||
        strftime(date, sizeof(date), "%Y-%m-%d", &tm) == 0)
        return;
    diag_help(diag_warning(build->diag, CC2407, b->origin, "this certificate expired on %s", date),
              "no endpoint is believed because of it");
}

static int compare_authorities(const void *a, const void *b)
{
    const struct gw_authorities *x = a, *y = b;

    return slice_cmp(x->name, y->name);
}

void project_certificates_finish(struct project_build *build, struct gw_model *model)
{
    const struct project_bundle *bundles = build->authorities.items;
    size_t n = build->authorities.n, kept = 0;
    struct gw_authorities *all = project_alloc(build, n, sizeof(*all));

    if (all == NULL)
        return;
    for (size_t i = 0; i < n; i++) {
        check_expiry(build, &bundles[i]);
        all[i] = bundles[i].authorities;
    }
    if (n > 0)
        qsort(all, n, sizeof(*all), compare_authorities);
    for (size_t i = 0; i < n; i++) {
        if (kept == 0 || !slice_eq(all[kept - 1].name, all[i].name))
            all[kept++] = all[i];
    }
    model->authorities = all;
    model->n_authorities = kept;
}
