#include "generator/project_unit.h"

#include "crypto/key.h"
#include "gateway/pack.h"

/* --- writing ---------------------------------------------------------------------------------- */

/* What the unit's numbers stand for. */
struct unit_writer {
    const struct project_build *own;
    const struct project_source *project;
    struct project_list sources; /* const struct source *; facts of one file stand together */
    struct project_list cors;    /* const struct gw_cors * */
    struct project_build room;   /* for the lists */
};

/* The number of `p` in the list, which it is added to. Looked for among the last only: a repetition
 * does no harm. */
static uint32_t number_in(struct unit_writer *w, struct project_list *list, const void *p)
{
    const void **items = list->items, **slot;

    if (p == NULL)
        return 0;
    for (size_t i = list->n; i > 0 && list->n - i < 8; i--) {
        if (items[i - 1] == p)
            return (uint32_t)i;
    }
    slot = project_list_add(&w->room, list, sizeof(*slot));
    if (slot == NULL)
        return 0;
    *slot = p;
    return (uint32_t)list->n;
}

static uint32_t source_number(void *context, const struct source *source)
{
    struct unit_writer *w = context;

    return number_in(w, &w->sources, source);
}

static uint32_t cors_number(void *context, const struct gw_cors *cors)
{
    struct unit_writer *w = context;

    return number_in(w, &w->cors, cors);
}

static uint32_t identity_number(void *context, const struct gw_identity *identity)
{
    const struct unit_writer *w = context;
    const struct gw_identity *const *all = w->own->credentials.items;
    size_t i = w->own->credentials.n;

    while (identity != NULL && i > 0 && all[i - 1] != identity)
        i--;
    return identity != NULL ? (uint32_t)i : 0;
}

static uint32_t cluster_number(void *context, const struct gw_cluster *cluster)
{
    (void)context;
    if (cluster == NULL)
        return 0;
    return ((const struct project_cluster_entry *)(const void *)cluster)->number + 1;
}

static void write_authorities(struct unit_writer *w, struct buf *out)
{
    const struct project_bundle *all = w->own->authorities.items;

    gw_pack_number(out, w->own->authorities.n);
    for (size_t i = 0; i < w->own->authorities.n; i++) {
        gw_pack_text(out, all[i].authorities.name);
        gw_pack_text(out, all[i].authorities.pem);
        gw_pack_number(out, (uint64_t)all[i].expires);
        gw_pack_number(out, source_number(w, all[i].origin.source));
        gw_pack_number(out, all[i].origin.line);
    }
}

static void write_clusters(const struct project_build *own, const struct gw_pack_links *links,
                           struct buf *out)
{
    const struct project_cluster_entry *e;
    uint64_t n = 0;

    for (e = project_clusters_first(own); e != NULL; e = e->next)
        n++;
    gw_pack_number(out, n);
    for (e = project_clusters_first(own); e != NULL; e = e->next) {
        gw_pack(out, GW_PACK_CLUSTER, &e->cluster, links);
        gw_pack_text(out, e->canonical);
    }
}

/* APIs of one project have the same resources: they are written once. */
static void write_apis(const struct project_build *own, const struct gw_pack_links *links,
                       struct buf *out)
{
    const struct gw_api *apis = own->apis.items;

    gw_pack_number(out, own->apis.n);
    for (size_t i = 0; i < own->apis.n; i++) {
        struct gw_api api = apis[i];
        bool shared = i > 0 && api.resources == apis[i - 1].resources;

        if (shared)
            api.n_resources = 0;
        gw_pack_number(out, shared);
        gw_pack(out, GW_PACK_API, &api, links);
    }
}

static void write_findings(struct unit_writer *w, struct buf *out)
{
    const struct diag *diag = w->own->diag;
    struct diag_view v;
    uint64_t n = 0;

    gw_pack_number(out, diag_errors(diag));
    gw_pack_number(out, diag_warnings(diag));
    while (diag_get(diag, (size_t)n, &v))
        n++;
    gw_pack_number(out, n);
    for (size_t i = 0; diag_get(diag, i, &v); i++) {
        gw_pack_number(out, v.severity);
        gw_pack_number(out, v.code);
        gw_pack_number(out, source_number(w, v.place.source));
        gw_pack_number(out, v.place.line);
        gw_pack_number(out, v.place.col);
        gw_pack_text(out, v.message);
        gw_pack_text(out, v.help);
    }
}

/* Is it a file of the project? Its name says so. */
static bool is_held(const struct project_source *project, const struct source *s)
{
    size_t n = project != NULL ? strlen(project->path) : 0;

    return project != NULL && strncmp(s->name, project->path, n) == 0 &&
           (s->name[n] == '/' || s->name[n] == ':');
}

static void write_sources(const struct unit_writer *w, struct buf *out)
{
    const struct source *const *sources = w->sources.items;

    gw_pack_text(out, slice_of(w->project != NULL ? w->project->path : NULL));
    gw_pack_number(out, w->sources.n);
    for (size_t i = 0; i < w->sources.n; i++) {
        gw_pack_text(out, slice_of(sources[i]->name));
        gw_pack_number(out, is_held(w->project, sources[i]));
    }
}

static int write_inputs(const struct project_source *source, struct buf *out)
{
    uint64_t n = 0;
    char hex[65];
    int rc = CC_OK;

    for (size_t i = 0; source != NULL && i < source->n_files; i++)
        n += source->files[i].bytes.p != NULL;
    gw_pack_number(out, n);
    for (size_t i = 0; rc == CC_OK && source != NULL && i < source->n_files; i++) {
        if (source->files[i].bytes.p == NULL)
            continue;
        rc = crypto_sha256_hex(source->files[i].bytes, hex);
        gw_pack_text(out, slice_of(source->files[i].name));
        gw_pack_text(out, slice_of(hex));
    }
    return rc;
}

int project_unit_write(const struct project_build *own, const struct project_source *source,
                       struct buf *out)
{
    struct unit_writer w = {.own = own, .project = source, .room = {.arena = own->arena}};
    const struct gw_pack_links links = {.context = &w,
                                        .source_number = source_number,
                                        .cluster_number = cluster_number,
                                        .cors_number = cors_number,
                                        .identity_number = identity_number};
    const struct gw_identity *const *identities = own->credentials.items;
    const struct gw_cors *const *cors;
    struct buf facts;
    int rc;

    /* the facts first, into a buffer of their own: they tell which sources and policies there are */
    buf_init(&facts, PROJECT_UNIT_MAX);
    gw_pack_number(&facts, own->credentials.n);
    for (size_t i = 0; i < own->credentials.n; i++)
        gw_pack(&facts, GW_PACK_IDENTITY, identities[i], &links);
    write_authorities(&w, &facts);
    write_clusters(own, &links, &facts);
    write_apis(own, &links, &facts);
    /* first, for project_unit_refused() */
    write_findings(&w, out);
    write_sources(&w, out);
    gw_pack_number(out, w.cors.n);
    cors = w.cors.items;
    for (size_t i = 0; i < w.cors.n; i++)
        gw_pack(out, GW_PACK_CORS, cors[i], &links);
    buf_add(out, buf_slice(&facts));
    rc = write_inputs(source, out);
    if (rc == CC_OK)
        rc = buf_error(&facts) != CC_OK ? buf_error(&facts) : buf_error(out);
    if (rc == CC_OK)
        rc = w.room.rc;
    buf_free(&facts);
    return rc;
}

/* --- linking ---------------------------------------------------------------------------------- */

struct unit_reader {
    struct project_build *build;
    struct slice in;
    struct source *sources;
    const struct gw_cluster **clusters;
    struct gw_cors *cors;
    struct gw_identity *identities;
    const struct gw_api *api; /* at hand */
    uint64_t n_sources, n_clusters, n_cors, n_identities;
};

static const struct source *find_source(void *context, uint32_t number)
{
    const struct unit_reader *r = context;

    return number <= r->n_sources ? &r->sources[number - 1] : NULL;
}

/* The APIs themselves still move; those who need them know where they are. */
static bool is_in_api(const struct unit_reader *r, const void *p)
{
    uintptr_t place = (uintptr_t)p, api = (uintptr_t)r->api;

    return place >= api && place < api + sizeof(*r->api);
}

static bool put_identity(void *context, uint32_t number, const struct gw_identity **at)
{
    struct unit_reader *r = context;
    const struct gw_identity ***reference;

    if (number > r->n_identities)
        return false;
    *at = &r->identities[number - 1];
    if (is_in_api(r, at))
        return true;
    reference = project_list_add(r->build, &r->build->identity_references, sizeof(*reference));
    if (reference != NULL)
        *reference = at;
    return true;
}

static bool put_cluster(void *context, uint32_t number, const struct gw_cluster **at)
{
    struct unit_reader *r = context;
    const struct gw_cluster ***reference;

    if (number > r->n_clusters)
        return false;
    *at = r->clusters[number - 1];
    if (is_in_api(r, at))
        return true;
    reference = project_list_add(r->build, &r->build->references, sizeof(*reference));
    if (reference != NULL)
        *reference = at;
    return true;
}

static const struct gw_cors *find_cors(void *context, uint32_t number)
{
    const struct unit_reader *r = context;

    return number <= r->n_cors ? &r->cors[number - 1] : NULL;
}

/* How many elements follow, each of a byte at least, and zeroed room for them. */
static int read_count(struct unit_reader *r, size_t size, uint64_t *n, void *list)
{
    void *p;
    int rc = gw_unpack_number(&r->in, r->in.n, n);

    if (rc != CC_OK)
        return rc;
    p = project_alloc(r->build, (size_t)*n, size);
    if (p == NULL)
        return CC_ENOMEM;
    memcpy(list, &p, sizeof(p));
    return CC_OK;
}

struct unit_finding {
    struct diag_view view;
    uint64_t source;
};

static int read_finding(struct unit_reader *r, struct unit_finding *f)
{
    uint64_t severity = 0, code = 0, line = 0, col = 0;

    if (gw_unpack_number(&r->in, DIAG_INFO, &severity) != CC_OK ||
        gw_unpack_number(&r->in, DIAG_CODES - 1, &code) != CC_OK ||
        gw_unpack_number(&r->in, UINT32_MAX, &f->source) != CC_OK ||
        gw_unpack_number(&r->in, UINT32_MAX, &line) != CC_OK ||
        gw_unpack_number(&r->in, UINT32_MAX, &col) != CC_OK ||
        gw_unpack_text(&r->in, &f->view.message) != CC_OK ||
        gw_unpack_text(&r->in, &f->view.help) != CC_OK)
        return CC_EPARSE;
    f->view.severity = (enum diag_severity)severity;
    f->view.code = (enum diag_code)code;
    f->view.place = (struct place){NULL, (unsigned)line, (unsigned)col};
    return CC_OK;
}

static int read_sources(struct unit_reader *r)
{
    struct slice holder, name;
    int rc = gw_unpack_text(&r->in, &holder);

    if (rc == CC_OK)
        rc = read_count(r, sizeof(*r->sources), &r->n_sources, &r->sources);
    for (uint64_t i = 0; rc == CC_OK && i < r->n_sources; i++) {
        uint64_t held = 0;

        rc = gw_unpack_text(&r->in, &name);
        if (rc == CC_OK)
            rc = gw_unpack_number(&r->in, 1, &held);
        if (rc == CC_OK && (name.p == NULL || (held != 0 && holder.p == NULL)))
            rc = CC_EPARSE;
        if (rc == CC_OK)
            r->sources[i] = (struct source){.name = name.p, .holder = held != 0 ? holder.p : NULL};
    }
    return rc;
}

/* Findings are read before the sources that their places are in, and added after them. */
static int add_findings(struct unit_reader *r, const struct unit_finding *list, uint64_t n,
                        uint64_t errors, uint64_t warnings)
{
    for (uint64_t i = 0; i < n; i++) {
        struct diag_view v = list[i].view;

        if (list[i].source > r->n_sources || v.message.p == NULL)
            return CC_EPARSE;
        if (list[i].source > 0)
            v.place.source = &r->sources[list[i].source - 1];
        errors -= v.severity == DIAG_ERROR && errors > 0;
        warnings -= v.severity == DIAG_WARNING && warnings > 0;
        diag_copy(r->build->diag, &v);
    }
    diag_count(r->build->diag, DIAG_ERROR, (size_t)errors);
    diag_count(r->build->diag, DIAG_WARNING, (size_t)warnings);
    return CC_OK;
}

static int link_findings(struct unit_reader *r)
{
    struct unit_finding *list = NULL;
    uint64_t n = 0, errors = 0, warnings = 0;
    int rc = gw_unpack_number(&r->in, UINT32_MAX, &errors);

    if (rc == CC_OK)
        rc = gw_unpack_number(&r->in, UINT32_MAX, &warnings);
    if (rc == CC_OK)
        rc = read_count(r, sizeof(*list), &n, &list);
    for (uint64_t i = 0; rc == CC_OK && i < n; i++)
        rc = read_finding(r, &list[i]);
    if (rc == CC_OK)
        rc = read_sources(r);
    return rc == CC_OK ? add_findings(r, list, n, errors, warnings) : rc;
}

static int link_identities(struct unit_reader *r, const struct gw_pack_links *links)
{
    int rc = read_count(r, sizeof(*r->identities), &r->n_identities, &r->identities);

    for (uint64_t i = 0; rc == CC_OK && i < r->n_identities; i++) {
        struct gw_identity **slot;

        rc = gw_unpack(&r->in, GW_PACK_IDENTITY, &r->identities[i], links, r->build->arena);
        if (rc == CC_OK && r->identities[i].origin.source == NULL)
            rc = CC_EPARSE; /* they are sorted by it */
        if (rc != CC_OK)
            return rc;
        slot = project_list_add(r->build, &r->build->credentials, sizeof(struct gw_identity *));
        if (slot == NULL)
            return CC_ENOMEM;
        *slot = &r->identities[i];
    }
    return rc;
}

static int link_authorities(struct unit_reader *r)
{
    uint64_t n = 0, expires = 0, source = 0, line = 0;
    int rc = gw_unpack_number(&r->in, r->in.n, &n);

    for (uint64_t i = 0; rc == CC_OK && i < n; i++) {
        struct project_bundle *b = project_list_add(r->build, &r->build->authorities, sizeof(*b));
        char hex[65];

        if (b == NULL)
            return CC_ENOMEM;
        if (gw_unpack_text(&r->in, &b->authorities.name) != CC_OK ||
            gw_unpack_text(&r->in, &b->authorities.pem) != CC_OK ||
            gw_unpack_number(&r->in, UINT64_MAX, &expires) != CC_OK ||
            gw_unpack_number(&r->in, r->n_sources, &source) != CC_OK || source == 0 ||
            gw_unpack_number(&r->in, UINT32_MAX, &line) != CC_OK)
            return CC_EPARSE;
        b->expires = (int64_t)expires;
        b->origin = (struct place){&r->sources[source - 1], (unsigned)line, 1};
        rc = crypto_sha256_hex(b->authorities.pem, hex);
        if (rc == CC_OK && !slice_eq(b->authorities.name, slice_make(hex, GW_AUTHORITIES_NAME)))
            rc = CC_EPARSE; /* it becomes the name of a file */
    }
    return rc;
}

static int link_clusters(struct unit_reader *r, const struct gw_pack_links *links)
{
    static const struct gw_cluster refused;
    int rc = read_count(r, sizeof(*r->clusters), &r->n_clusters, &r->clusters);

    for (uint64_t i = 0; rc == CC_OK && i < r->n_clusters; i++) {
        struct gw_cluster cluster;
        struct slice canonical;

        rc = gw_unpack(&r->in, GW_PACK_CLUSTER, &cluster, links, r->build->arena);
        if (rc == CC_OK)
            rc = gw_unpack_text(&r->in, &canonical);
        if (rc == CC_OK && cluster.n_endpoints == 0)
            rc = CC_EPARSE;
        if (rc != CC_OK)
            return rc;
        r->clusters[i] = project_clusters_add(r->build, &cluster, canonical,
                                              cluster.endpoints[0].origin);
        /* after a finding: what follows refers to it all the same */
        if (r->clusters[i] == NULL)
            r->clusters[i] = &refused;
        rc = r->build->rc;
    }
    return rc;
}

static int link_apis(struct unit_reader *r, const struct gw_pack_links *links)
{
    uint64_t n = 0;
    int rc = gw_unpack_number(&r->in, r->in.n, &n);

    for (uint64_t i = 0; rc == CC_OK && i < n; i++) {
        struct gw_api *api = project_list_add(r->build, &r->build->apis, sizeof(*api));
        uint64_t shared = 0;

        r->api = api;
        rc = api != NULL ? gw_unpack_number(&r->in, 1, &shared) : CC_ENOMEM;
        if (rc == CC_OK)
            rc = gw_unpack(&r->in, GW_PACK_API, api, links, r->build->arena);
        if (rc == CC_OK && shared != 0 && i == 0)
            rc = CC_EPARSE;
        if (rc == CC_OK && shared != 0) {
            api->resources = (api - 1)->resources;
            api->n_resources = (api - 1)->n_resources;
        }
        if (rc == CC_OK && links->strict && api->n_resources == 0)
            rc = CC_EPARSE;
    }
    return rc;
}

static int link_inputs(struct unit_reader *r)
{
    uint64_t n = 0;
    int rc = gw_unpack_number(&r->in, r->in.n, &n);

    for (uint64_t i = 0; rc == CC_OK && i < n; i++) {
        struct project_input *input =
            project_list_add(r->build, &r->build->inputs, sizeof(*input));

        if (input == NULL)
            return CC_ENOMEM;
        rc = gw_unpack_text(&r->in, &input->name);
        if (rc == CC_OK)
            rc = gw_unpack_text(&r->in, &input->sha256);
        if (rc == CC_OK && (input->name.p == NULL || input->sha256.n != 64))
            rc = CC_EPARSE;
    }
    return rc;
}

int project_unit_link(struct project_build *build, struct slice unit, bool strict)
{
    struct unit_reader r = {.build = build, .in = unit};
    const struct gw_pack_links links = {.context = &r,
                                        .strict = strict,
                                        .source = find_source,
                                        .cluster = put_cluster,
                                        .cors = find_cors,
                                        .identity = put_identity};
    int rc = link_findings(&r);

    if (rc == CC_OK)
        rc = read_count(&r, sizeof(*r.cors), &r.n_cors, &r.cors);
    for (uint64_t i = 0; rc == CC_OK && i < r.n_cors; i++)
        rc = gw_unpack(&r.in, GW_PACK_CORS, &r.cors[i], &links, build->arena);
    if (rc == CC_OK)
        rc = link_identities(&r, &links);
    if (rc == CC_OK)
        rc = link_authorities(&r);
    if (rc == CC_OK)
        rc = link_clusters(&r, &links);
    if (rc == CC_OK)
        rc = link_apis(&r, &links);
    if (rc == CC_OK)
        rc = link_inputs(&r);
    if (rc == CC_OK)
        rc = build->rc;
    return rc == CC_OK && r.in.n > 0 ? CC_EPARSE : rc;
}

bool project_unit_refused(struct slice unit)
{
    uint64_t errors = 0;

    return gw_unpack_number(&unit, UINT64_MAX, &errors) != CC_OK || errors > 0;
}
