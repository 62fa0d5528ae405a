/* project: by which certificates an API knows its clients (api-projects 9, mutual TLS).
 *
 * Client-certificates/client_certificates.yaml gives files an alias and a throttling tier; without
 * it each file counts, by its own name. A file with a client's own certificate is compared with
 * what a client shows. A file with nothing but certificates of authorities vouches, unlike in the
 * contract, for all clients whose certificates these have signed. Where both stand in one file, as
 * in a chain, the authorities do not count: to list a client must not let in its neighbours. */
#include "generator/project_internal.h"

#include "crypto/crypto.h"
#include "crypto/peer.h"

#include <time.h>

#define FOLDER "Client-certificates"

/* How a file is called, and where that is said. */
struct entry {
    struct slice alias, tier;
    struct place place; /* source NULL: each certificate's own */
};

static bool refuse(struct project *p, struct place place, const char *text)
{
    diag_help(diag_error(p->build->diag, CC2405, place, "%s", text),
              "RSA of 2048 bits at least; a subject of at most %d bytes; %d bytes in all",
              PEER_SUBJECT_MAX, PEER_DER_MAX);
    return false;
}

static bool no_memory(struct project *p)
{
    p->build->rc = CC_ENOMEM;
    return false;
}

/* A certificate as the model has it. False after a finding. */
static bool describe(struct project *p, const struct project_certificate *c, struct gw_client *out)
{
    struct place place = {c->source, c->certificate.line, 1};
    struct slice der = SLICE_NONE;
    struct peer peer = {.x = NULL};
    int rc = peer_der_from_text(c->certificate.pem, p->build->arena, &der);
    enum peer_fault fault = rc == CC_OK ? peer_read(der, p->build->arena, &peer) : PEER_BROKEN;
    bool good = fault == PEER_OK, weak = good && peer_is_weak(&peer);

    peer_free(&peer);
    if (rc == CC_ENOMEM || fault == PEER_INTERNAL)
        return no_memory(p);
    if (!good)
        return refuse(p, place, "this certificate cannot be compared with a client's");
    if (weak)
        return refuse(p, place, "the key of this certificate is too weak");
    *out = (struct gw_client){
        .fingerprint = arena_dup(p->build->arena, slice_of(peer.fingerprint)),
        .authority = peer.authority,
        .pem = peer.authority ? c->certificate.pem : SLICE(""),
        .not_after = peer.not_after > 0 ? peer.not_after : 0,
        .origin = place,
    };
    return out->fingerprint.p != NULL || no_memory(p);
}

static void warn_of_chain(struct project *p, struct place place)
{
    diag_help(diag_warning(p->build->diag, CC2412, place,
                           "this certificate of an authority has no effect: it stands beside a "
                           "client's own"),
              "only that one client is known by the file; for all that the authority has signed, "
              "give its certificate a file of its own");
}

/* The certificates of a file, all called alike. */
static void add_file(struct project *p, struct project_file *file, const struct entry *e)
{
    struct project_list read = {NULL, 0, 0};
    const struct project_certificate *all;
    bool authorities = true;
    struct gw_client *clients;
    struct project_file **used = project_list_add(p->build, &p->clients.files, sizeof(*used));

    if (used == NULL)
        return;
    *used = file;
    if (!project_read_certificate_file(p, file, &read))
        return;
    all = read.items;
    clients = project_alloc(p->build, read.n, sizeof(*clients));
    for (size_t i = 0; clients != NULL && i < read.n; i++) {
        if (!describe(p, &all[i], &clients[i]))
            return;
        authorities = authorities && clients[i].authority;
    }
    for (size_t i = 0; clients != NULL && i < read.n; i++) {
        struct gw_client *slot;

        if (clients[i].authority && !authorities) {
            warn_of_chain(p, clients[i].origin);
            continue;
        }
        slot = project_list_add(p->build, &p->clients.list, sizeof(*slot));
        if (slot == NULL)
            return;
        *slot = clients[i];
        slot->alias = e->alias;
        slot->tier = e->tier;
        if (e->place.source != NULL)
            slot->origin = e->place;
    }
}

/* --- the map ---------------------------------------------------------------------------------- */

static struct project_file *find_file(struct project *p, struct slice name, struct place place)
{
    struct slice path = arena_printf(p->build->arena, FOLDER "/%" PRIslice, SLICE_ARG(name));
    struct project_file *file = NULL;

    if (path.p == NULL)
        p->build->rc = CC_ENOMEM;
    else if (slice_find(name, '/') < 0)
        file = project_source_find(p->source, path.p);
    if (file == NULL && path.p != NULL)
        diag_help(diag_error(p->build->diag, CC2411, place,
                             "there is no file \"%" PRIslice "\" in " FOLDER "/", SLICE_ARG(name)),
                  "put the client's certificate there, as PEM, and write its name without a "
                  "folder");
    return file;
}

static bool has_alias(const struct project *p, struct slice alias)
{
    const struct gw_client *clients = p->clients.list.items;

    for (size_t i = 0; i < p->clients.list.n; i++) {
        if (slice_eq(clients[i].alias, alias))
            return true;
    }
    return false;
}

static void read_entry(struct project *p, const struct doc *doc, const struct doc_node *node)
{
    static const char *const keys[] = {"alias", "certificate", "tierName", "apiIdentifier",
                                       "keyType"};
    struct entry e = {.place = doc_place(doc, node), .tier = SLICE("")};
    const struct doc_node *tier;
    struct project_file *file;
    struct slice name;

    if (!doc_is_map(doc, node, "data[]", p->build->diag))
        return;
    project_check_keys(p, doc, node, "data[]", keys, sizeof(keys) / sizeof(keys[0]));
    if (!project_required_text(p, doc, node, "alias", &e.alias) ||
        !project_required_text(p, doc, node, "certificate", &name))
        return;
    tier = doc_get_nocase(node, "tierName");
    if (tier != NULL && tier->type != DOC_NULL && !project_text(p, doc, tier, "tierName", &e.tier))
        return;
    if (has_alias(p, e.alias)) {
        diag_error(p->build->diag, CC2411, doc_place(doc, doc_get_nocase(node, "alias")),
                   "the alias \"%" PRIslice "\" is there already", SLICE_ARG(e.alias));
        return;
    }
    file = find_file(p, name, doc_place(doc, doc_get_nocase(node, "certificate")));
    if (file != NULL)
        add_file(p, file, &e);
}

/* False: there is none, and all files count. */
static bool read_map(struct project *p)
{
    static const char *const names[] = {FOLDER "/client_certificates.yaml",
                                        FOLDER "/client_certificates.yml",
                                        FOLDER "/client_certificates.json"};
    const struct doc *doc;
    bool present;
    const struct doc_node *data = project_read_map(p, names, "client_certificates", &doc, &present);

    if (doc != NULL)
        p->clients.declared = doc_place(doc, doc->root);
    for (size_t i = 0; data != NULL && i < data->n && p->build->rc == CC_OK; i++)
        read_entry(p, doc, data->entries[i].value);
    return present;
}

/* --- the folder ------------------------------------------------------------------------------- */

static bool is_certificate_file(struct slice path)
{
    return slice_ends(path, SLICE(".crt")) || slice_ends(path, SLICE(".pem")) ||
           slice_ends(path, SLICE(".cer"));
}

/* "partner" of "Client-certificates/partner.crt" */
static struct slice name_of(struct slice path)
{
    struct slice name = slice_from(path, sizeof(FOLDER "/") - 1);

    return slice_first(name, name.n - 4);
}

static void read_folder(struct project *p)
{
    struct project_file *file;
    size_t at = 0;

    while (p->build->rc == CC_OK && (file = project_source_next(p->source, FOLDER, &at)) != NULL) {
        struct entry e = {.tier = SLICE("")};

        if (slice_starts(file->path, SLICE(FOLDER "/client_certificates.")))
            continue;
        if (!is_certificate_file(file->path)) {
            project_warn_of_file(p, file, CC2409, "this file is not read",
                                 "call it *.crt, *.cer or *.pem when it holds certificates in PEM");
            continue;
        }
        e.alias = name_of(file->path);
        add_file(p, file, &e);
    }
}

static bool was_read(const struct project *p, const struct project_file *file)
{
    struct project_file *const *files = p->clients.files.items;

    for (size_t i = 0; i < p->clients.files.n; i++) {
        if (files[i] == file)
            return true;
    }
    return false;
}

/* Who lists some does not mean the others. */
static void warn_of_others(struct project *p)
{
    struct project_file *file;
    size_t at = 0;

    while ((file = project_source_next(p->source, FOLDER, &at)) != NULL) {
        if (slice_starts(file->path, SLICE(FOLDER "/client_certificates.")) || was_read(p, file))
            continue;
        project_warn_of_file(p, file, CC2412, "client_certificates.yaml does not name this file",
                             "no client is known by it; add an entry, or remove the file");
    }
}

void project_read_clients(struct project *p)
{
    if (read_map(p))
        warn_of_others(p);
    else
        read_folder(p);
}

void project_want_clients(struct project *p, struct place by)
{
    if (!p->clients.wanted)
        p->clients.wanted_by = by;
    p->clients.wanted = true;
}

void project_set_clients(struct project *p, struct gw_api *api)
{
    const struct gw_client *clients = p->clients.list.items;
    struct place place = p->clients.declared;

    if (place.source == NULL && p->clients.list.n > 0)
        place = clients[0].origin;
    if (p->clients.wanted && p->clients.list.n == 0)
        diag_help(diag_error(p->build->diag, CC2411, p->clients.wanted_by,
                             "clients must show a certificate, and the project has none to compare "
                             "it with: nobody could call"),
                  "put certificates of clients, or of the authority that signs them, into " FOLDER
                  "/");
    if (!p->clients.wanted && p->clients.list.n > 0)
        diag_help(diag_warning(p->build->diag, CC2412, place,
                               "the API asks no client for a certificate, so these have no effect"),
                  "write mutualssl_mandatory into securityScheme of api.yaml, or use a scheme of "
                  "type mutualTLS in the document");
    if (!p->clients.wanted)
        return;
    api->clients = clients;
    api->n_clients = p->clients.list.n;
    api->clients_declared = place;
}

/* --- the finished model ----------------------------------------------------------------------- */

/* The same certificate of an API on two hosts is told once. */
static bool told_before(const struct project_list *told, const struct gw_client *c)
{
    const struct gw_client *const *items = told->items;

    for (size_t i = 0; i < told->n; i++) {
        if (items[i]->origin.source != NULL && c->origin.source != NULL &&
            strcmp(items[i]->origin.source->name, c->origin.source->name) == 0 &&
            items[i]->origin.line == c->origin.line)
            return true;
    }
    return false;
}

static void check_expiry(struct project_build *build, const struct gw_client *c,
                         struct project_list *told)
{
    time_t when = (time_t)c->not_after;
    const struct gw_client **slot;
    char date[32];
    struct tm tm;

    if (clock_wall_s(&clock_system) <= c->not_after || told_before(told, c) ||
        gmtime_r(&when, &tm) == NULL || strftime(date, sizeof(date), "%Y-%m-%d", &tm) == 0)
        return;
    slot = project_list_add(build, told, sizeof(struct gw_client *));
    if (slot == NULL)
        return;
    *slot = c;
    diag_help(diag_warning(build->diag, CC2407, c->origin, "this certificate expired on %s", date),
              "no client is let in because of it");
}

void project_clients_finish(struct project_build *build, const struct gw_model *model)
{
    struct project_list told = {NULL, 0, 0};

    for (size_t i = 0; i < model->n_apis; i++) {
        for (size_t k = 0; k < model->apis[i].n_clients; k++)
            check_expiry(build, &model->apis[i].clients[k], &told);
    }
}
