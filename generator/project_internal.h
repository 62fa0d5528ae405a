/* project_internal: what the files of the project module share. Not for other modules.
 *
 *   project.c           the order of work: sources -> documents -> APIs -> the finished model
 *   project_source.c    directories -> files; project_zip.c: zips -> files
 *   project_files.c     files -> documents
 *   project_keys.c      misspelt keys, extensions in the wrong place, what this version ignores
 *   project_unused.c    what no gateway of this contract reads, or decides elsewhere
 *   project_ref.c       $ref
 *   project_api.c       api.yaml
 *   project_deploy.c    deployment_environments.yaml -> virtual hosts
 *   project_url.c       one endpoint URL
 *   project_endpoint.c  endpoint objects, servers, host, endpointConfig -> lists of endpoints
 *   project_options.c   time-outs, retries, limits and health checks of endpoints
 *   project_credential.c  who the gateway is to endpoints
 *   project_certificate.c  whom the certificates of endpoints are checked with
 *   project_choose.c    which declaration of endpoints counts
 *   project_named.c     endpoints with names: x-wso2-endpoints
 *   project_cluster.c   lists of endpoints -> clusters that equal lists share
 *   project_interceptor.c  interceptors
 *   project_tier.c      throttling tiers
 *   project_operations.c  data.operations of api.yaml
 *   project_security.c  security schemes and requirements
 *   project_cors.c      CORS settings -> policies that equal settings share
 *   project_openapi.c   paths -> resources and operations
 *   project_mock.c      responses with examples -> what a mock API answers
 *   project_merge.c     the parts of one project -> its APIs
 *   project_unit.c      what one project came to <-> bytes
 *   project_cache.c     units of an earlier build whose projects did not change
 *   project_issuer.c    cc.yaml's token services -> issuers
 *
 * Findings go to the diag and the work goes on, so that one run shows them all; only a lack of
 * memory ends it early. It is remembered in project_build.rc: an allocating helper returns NULL and
 * sets it, its callers leave, and project_build_model() looks at it in the end. */
#pragma once

#include "config/config.h"
#include "crypto/certificate.h"
#include "doc/doc.h"
#include "gateway/gateway.h"
#include "generator/project.h"
#include "generator/project_source.h"

/* A list that grows in the arena. */
struct project_list {
    void *items;
    size_t n, cap;
};

struct project_clusters;

/* Interceptors that operations share. */
struct project_interceptors {
    struct gw_interceptor *items;
    size_t n;
};

/* One run over all projects. */
struct project_build {
    const struct config *config;
    const struct project_options *options;
    struct arena *arena;
    struct diag *diag;
    int rc; /* CC_OK, or CC_ENOMEM for good */
    struct project_clusters *clusters;
    struct project_list apis;        /* struct gw_api */
    struct project_list credentials; /* struct gw_identity * */
    struct project_list authorities; /* struct project_bundle, also equal ones */
    struct project_list inputs;      /* struct project_input */
    /* const struct gw_cluster ** and const struct gw_identity **: where they are pointed to from,
     * below the APIs, until project_clusters_finish() and project_credentials_finish() */
    struct project_list references, identity_references;
    const struct gw_cors *global_cors; /* of cc.yaml; NULL: not enabled */
    /* Some policy could not be read, and that has been told: that a tier has none says nothing. */
    bool policies_missing;
};

/* What a project may ask for and this version does not do. Each kind is told once a project. */
#define PROJECT_IGNORED(X)                                                                         \
    X(INTERCEPTOR, "interceptors: not called by this version",                                     \
      "requests to these operations are refused with 500, code 103500: none passes without its "   \
      "interceptor")                                                                               \
    X(MAX_RETRIES, "circuitBreakers.maxRetries: not supported by this version and ignored",        \
      "HAProxy limits the retries of each request (retryConfig.count), not those of all together") \
    X(MAX_POOLS, "circuitBreakers.maxConnectionPools: not supported by this version and ignored",  \
      "HAProxy has one pool of connections for each endpoint")                                     \
    X(OPERATION_SERVERS, "servers of single operations: ignored, as the contract does",            \
      "those of the path or document hold")

enum project_ignored {
#define X(name, what, effect) PROJECT_IGNORED_##name,
    PROJECT_IGNORED(X)
#undef X
        PROJECT_IGNORED_COUNT
};

/* api.yaml, as far as it could be read: what is missing or wrong is empty, and a finding. */
struct project_api {
    struct slice id, name, version, context, auth_header;
    struct place place; /* of the file, or of `data` */
    struct place context_place, auth_header_place;
    bool other_kind;     /* not an HTTP API: told already, and nothing else is looked at */
    bool prototype;      /* lifeCycleStatus: PROTOTYPED, and no mock API */
    bool mock;           /* endpointImplementationType: MOCKED_OAS */
    struct slice status; /* lifeCycleStatus in capitals; "": none */
    struct place status_declared;
    bool ignore_servers; /* endpointConfig.implementation_status: prototyped */
    bool only_oauth2;    /* securityScheme holds oauth2: it alone protects the API */
    bool api_key;        /* ... holds api_key: an API key will do, too */
    struct place api_key_place;
    bool certificate;       /* ... holds mutualssl_mandatory: every client shows a certificate, */
    bool certificate_alone; /* and that is enough: no oauth_basic_auth_api_key_mandatory */
    struct place certificate_place;
    bool default_version; /* isDefaultVersion: also served without the version in its path */
    struct place default_place;
    const struct doc_node *endpoint_config;
    const struct doc_node *tier; /* apiThrottlingPolicy */
    bool unknown_endpoints;      /* there may be some, in what could not be read */
};

/* How the requests of an operation (or of all that do not say otherwise) prove who they are. */
struct project_security {
    const struct gw_requirement *requirements;
    size_t n_requirements;
    bool closed; /* nothing that is supported protects it: no token is good enough */
};

/* By key type of the caller's token. */
enum project_environment { PROJECT_PRODUCTION, PROJECT_SANDBOX };

/* A user name and password as a project says them. */
struct project_basic {
    struct slice user, password;
    const char *what; /* "securityConfig" */
    struct place place;
};

/* Where endpoints were looked for, and what was found. */
enum project_found { PROJECT_ABSENT, PROJECT_BROKEN, PROJECT_FOUND };

struct project_endpoints {
    struct project_list list; /* struct gw_endpoint */
    struct place place;       /* of the whole declaration */
    struct gw_options options;
    bool has_retry;                    /* the options say what is retried, even if nothing */
    bool has_credential;               /* they say who the gateway is to them, even if nobody */
    const struct project_basic *basic; /* NULL: nobody */
    bool service;                      /* an interceptor's, not a backend's */
};

/* One of x-wso2-endpoints. */
struct project_named_entry {
    struct slice name;
    struct place place;
    enum project_found found;
    struct project_endpoints endpoints;
};

struct project_interceptor {
    struct gw_interceptor interceptor; /* without its cluster */
    struct project_endpoints service;
};

/* What holds at one level of a document: for requests, for answers; NULL: none. */
struct project_flows {
    const struct project_interceptor *flow[2];
};

/* A throttling tier, if one is declared. */
struct project_tier {
    struct slice name; /* "" for "Unlimited" */
    struct place declared;
};

/* Certificates of authorities, the end of the first one's validity, and its place. */
struct project_bundle {
    struct gw_authorities authorities; /* name.p == NULL: none */
    int64_t expires;
    struct place origin;
};

struct project_authorities {
    struct project_bundle bundle;
    bool used; /* it is in build->authorities */
};

/* Whom endpoints are checked with that cc.yaml does not decide about. */
struct project_certificates {
    struct project_list map; /* struct project_certificate_entry: of endpoint_certificates.yaml */
    struct project_authorities others[2]; /* for all other endpoints; for interceptors */
};

/* A certificate of a file of the project. */
struct project_certificate {
    struct certificate certificate;
    const struct source *source; /* without text: a finding must not print a private key */
};

/* By which certificates clients are known, and whether somebody asks. */
struct project_clients {
    struct project_list list;  /* struct gw_client */
    struct project_list files; /* struct project_file *: those that were read */
    struct place declared;     /* client_certificates.yaml */
    bool wanted;               /* by an operation, first here: */
    struct place wanted_by;
};

struct declared_operation;

/* Those that the document has by itself: servers, or host. */
struct project_own_endpoints {
    bool read;
    enum project_found found;
    struct project_endpoints endpoints;
};

/* One project. */
struct project {
    struct project_build *build;
    struct project_source *source;
    struct doc *api_doc; /* each NULL when it is missing or broken */
    struct doc *openapi;
    struct doc *deployments;
    bool broken_deployments; /* the file is there but cannot be read */
    bool openapi3;           /* else OpenAPI 2 */
    struct project_api api;
    struct {
        unsigned count;
        struct place first;
    } ignored[PROJECT_IGNORED_COUNT];
    bool security_read; /* `security` below holds the document's */
    struct project_security security;
    uint64_t security_work; /* keys compared so far; bounded */
    size_t mock_bytes;      /* of examples read so far; bounded */
    bool open;              /* x-wso2-disable-security of the document */
    bool http2;             /* x-wso2-http2-backend-enabled */
    struct project_own_endpoints own;
    struct project_endpoints defaults[2]; /* the API's, by enum project_environment */
    const struct gw_cluster *clusters[2]; /* of these */
    struct {
        bool known;
        const struct gw_identity *identity;
    } identity[2];             /* who the gateway is to endpoints that do not say so themselves */
    struct project_list named; /* struct project_named_entry, sorted by name */
    struct project_certificates certificates;
    struct project_clients clients;
    struct project_flows flows;        /* of the document */
    struct project_flows shared_flows; /* what `shared` was made of */
    struct project_interceptors shared;
    struct declared_operation *declared; /* data.operations, sorted */
    size_t n_declared;
};

/* --- project.c: memory and text ------------------------------------------------------------ */

/* count * size zeroed bytes, or NULL and build->rc set. */
void *project_alloc(struct project_build *build, size_t count, size_t size);

/* A copy of count elements, or NULL and build->rc set. */
void *project_copy(struct project_build *build, const void *list, size_t count, size_t size);

/* A new zeroed element of `size` bytes at the end of the list, or NULL. The list may move. */
void *project_list_add(struct project_build *build, struct project_list *list, size_t size);

/* `s` in lower case (ASCII). */
struct slice project_lower(struct project_build *build, struct slice s);

/* doc_text() that also refuses control characters (CC1205). True when there is a text, even an
 * empty one; false when there is none or after a finding. */
bool project_text(struct project *p, const struct doc *doc, const struct doc_node *node,
                  const char *what, struct slice *out);

/* The project whose p->build and p->source are set -> its APIs in p->build. */
void project_read(struct project *p);

/* The APIs and clusters of all projects -> *model, checked for collisions. */
void project_finish_model(struct project_build *build, struct gw_model *model);

/* --- project_files.c ------------------------------------------------------------------------ */

/* Reads the one of `names` that is there; NULL after findings too. *present says that one was
 * there, readable or not. */
struct doc *project_read_one_of(struct project *p, const char *const *names, size_t n,
                                bool *present);

/* Reads the map of a folder of certificates, the one of `names` that is there, and checks its
 * members. The list of its entries, in *doc; NULL: there is none, or after findings. *doc is NULL
 * where there is no usable map. *present as above. */
const struct doc_node *project_read_map(struct project *p, const char *const names[3],
                                        const char *what, const struct doc **doc, bool *present);

/* Reads api.yaml or api.json. False when there is none: it is no project. */
bool project_read_api_file(struct project *p);

/* Reads the other documents of a project whose API is of a kind this version serves. */
void project_read_documents(struct project *p);

/* --- project_keys.c ------------------------------------------------------------------------- */

/* Where a vendor extension stands. */
enum project_level { PROJECT_DOCUMENT = 1, PROJECT_PATH = 2, PROJECT_OPERATION = 4 };

/* Looks at the x-... members of `map`: misspelt, misplaced or ignored ones become findings. */
void project_check_extensions(struct project *p, const struct doc_node *map,
                              enum project_level level);

/* Looks at the keys of a map in api.yaml, whose keys are compared without case: one that occurs
 * twice is an error, one that looks like a slip of the pen a warning. */
void project_check_keys(struct project *p, const struct doc *doc, const struct doc_node *map,
                        const char *what, const char *const *known, size_t n_known);

/* The same of a map in the OpenAPI document, whose keys are compared exactly: every key that is not
 * known and no x-... is a warning. */
void project_check_members(struct project *p, const struct doc_node *map, const char *what,
                           const char *const *known, size_t n_known);

/* Notes that the project asks for something this version does not do. */
void project_ignore(struct project *p, enum project_ignored kind, struct place place);

/* One warning (CC1204) for each kind noted. */
void project_report_ignored(struct project *p);

/* --- project_unused.c ----------------------------------------------------------------------- */

/* An x-... member that is not read, and fields of `data` that are not: a finding (CC2600) where the
 * value asks for something. */
void project_check_unused_extension(struct project *p, const struct doc_entry *entry);
void project_check_unused_fields(struct project *p, const struct doc_node *data);

/* --- project_ref.c -------------------------------------------------------------------------- */

/* The mapping that the $ref of `node`, or a chain of them, leads to; `node` itself when it has
 * none, NULL after a finding of this severity. `what` names what it should be: "path item". */
const struct doc_node *project_follow(struct project *p, const struct doc_node *node,
                                      const char *what, enum diag_severity severity);

/* The references in `parameters` of a path or an operation. Nothing is decided by parameters: those
 * that lead nowhere are warnings. */
void project_check_parameters(struct project *p, const struct doc_node *map);

/* --- project_api.c, project_deploy.c -------------------------------------------------------- */

/* p->api_doc -> p->api. */
void project_read_api(struct project *p);

/* The distinct virtual hosts the project is deployed on, in lower case: struct slice. Empty after
 * findings. */
void project_read_vhosts(struct project *p, struct project_list *vhosts);

/* --- project_url.c -------------------------------------------------------------------------- */

/* `url` at `place` -> *out. False after a finding. */
bool project_parse_url(struct project *p, struct slice url, struct place place,
                       struct gw_endpoint *out);

/* --- project_endpoint.c --------------------------------------------------------------------- */

/* x-wso2-production-endpoints or x-wso2-sandbox-endpoints of `map` (the document or a path). */
enum project_found project_endpoint_extension(struct project *p, enum project_environment env,
                                              const struct doc_node *map,
                                              struct project_endpoints *out);

/* An endpoint object, {urls, type, ...}, which findings call `what`. */
enum project_found project_endpoint_object(struct project *p, const struct doc_node *object,
                                           const char *what, struct project_endpoints *out);

/* The absolute URLs of a `servers` list of `map` (OpenAPI 3), variables at their defaults. */
enum project_found project_servers(struct project *p, const struct doc_node *map,
                                   struct project_endpoints *out);

/* host, schemes and basePath of an OpenAPI 2 document. */
enum project_found project_host(struct project *p, struct project_endpoints *out);

/* endpointConfig of api.yaml. */
enum project_found project_endpoint_config(struct project *p, enum project_environment env,
                                           struct project_endpoints *out);

/* --- project_options.c ---------------------------------------------------------------------- */

/* advanceEndpointConfig -> out->options. False after a finding. */
bool project_read_advanced(struct project *p, const struct doc_node *map,
                           struct project_endpoints *out);

/* What the first endpoint of api.yaml's endpointConfig says beside its URL, where nothing else has
 * said it; it holds wherever the endpoints come from (api-projects 2.4). */
void project_read_config_options(struct project *p, enum project_environment env,
                                 struct project_endpoints *out);

/* Time-out and retries of the API's endpoints for a path's that have none of their own. */
void project_inherit_options(struct project_endpoints *e, const struct project_endpoints *above);

/* --- project_credential.c ------------------------------------------------------------------- */

/* securityConfig of an endpoint object -> out. False after a finding. */
bool project_read_security_config(struct project *p, const struct doc_node *map,
                                  struct project_endpoints *out);

/* Who the gateway is to endpoints `e` of the API or of one of its paths: what they say themselves,
 * else what the API's say, else endpoint_security of api.yaml (api-projects 2.2). NULL: nobody, or
 * after a finding. */
const struct gw_identity *project_credential(struct project *p, enum project_environment env,
                                             const struct project_endpoints *e);

/* Warns of credentials that travel to `cluster` in clear text, and of those of `api` (may be NULL)
 * that go to other hosts than that. */
void project_check_credential(struct project *p, const struct gw_identity *credential,
                              const struct gw_cluster *cluster, const struct gw_cluster *api);

/* All credentials, in the order of their places, into the model, with the pointers of its APIs and
 * resources moved to them. */
void project_credentials_finish(struct project_build *build, struct gw_model *model);

/* --- project_jwt.c -------------------------------------------------------------------------- */

/* After the APIs' headers are known. */
void project_read_backend_jwt(struct project_build *build, struct gw_model *model);
/* enforcer.jwtIssuer, which is the agent's to read: findings, as far as its files may be read here. */
void project_check_testkey(struct project_build *build);

/* --- project_certificate.c ------------------------------------------------------------------ */

/* The certificates of a file, struct project_certificate, at the end of `out`. False after a
 * finding. */
bool project_read_certificate_file(struct project *p, struct project_file *file,
                                   struct project_list *out);

/* `what` of a map in a document, which must be there. */
bool project_required_text(struct project *p, const struct doc *doc, const struct doc_node *map,
                           const char *what, struct slice *out);

/* A warning about a whole file. */
void project_warn_of_file(struct project *p, const struct project_file *file, enum diag_code code,
                          const char *text, const char *help);

/* Endpoint-certificates/ -> p->certificates. */
void project_read_certificates(struct project *p);

/* The name of the authorities that the certificate of `e` is checked with, which are in the model
 * from now on; "" when cc.yaml decides. `service`: it is an interceptor's. */
struct slice project_endpoint_ca(struct project *p, const struct gw_endpoint *e, bool service);

/* Warns of entries of the map that no endpoint needs. Once the project is read. */
void project_report_certificates(struct project *p);

/* All bundles that endpoints use into the model, with warnings of those that have expired: only the
 * finished model is made anew at each build. */
void project_certificates_finish(struct project_build *build, struct gw_model *model);

/* --- project_client.c ----------------------------------------------------------------------- */

/* Client-certificates/ -> p->clients. */
void project_read_clients(struct project *p);

/* Notes that clients must show a certificate, because of this place. */
void project_want_clients(struct project *p, struct place by);

/* What the API needs of them; findings when there are none, or none are needed. */
void project_set_clients(struct project *p, struct gw_api *api);

/* Warns of those that have expired. */
void project_clients_finish(struct project_build *build, const struct gw_model *model);

/* --- project_choose.c ----------------------------------------------------------------------- */

/* servers or host of the document -> p->own. */
enum project_found project_own_endpoints(struct project *p);

/* The clusters of the API; also sets p->defaults. */
void project_choose_clusters(struct project *p, struct gw_api *api);

/* Those that a path has for itself. */
void project_choose_path_clusters(struct project *p, const struct doc_node *item,
                                  struct gw_resource *resource);

/* --- project_cluster.c ---------------------------------------------------------------------- */

/* Do both lead to the same place? */
bool project_same_endpoint(const struct gw_endpoint *a, const struct gw_endpoint *b);

struct project_clusters *project_clusters_new(struct project_build *build);

/* A cluster, what its name is derived from, and how many came before it. */
struct project_cluster_entry {
    struct gw_cluster cluster; /* first: what points to it points to the entry */
    struct slice canonical;
    uint32_t number;
    struct project_cluster_entry *next;
};

/* The list of all clusters, in the order they came. */
const struct project_cluster_entry *project_clusters_first(const struct project_build *build);

/* The cluster of this name, added when there is none. NULL after a finding at `place`: one of
 * another content has the name. */
const struct gw_cluster *project_clusters_add(struct project_build *build,
                                              const struct gw_cluster *cluster,
                                              struct slice canonical, struct place place);

/* The cluster of these endpoints, made when there is no equal one; NULL after a finding. All
 * endpoints of a cluster share one path. Where those listed do not, a warning (CC2007) says that
 * the ones that differ from the first are left out, or all when there are others to `fall_back` to.
 */
const struct gw_cluster *project_cluster(struct project *p, const struct project_endpoints *e,
                                         bool fall_back);

/* All clusters, sorted by name, into the model, with the pointers of its APIs and resources moved
 * to them. */
void project_clusters_finish(struct project_build *build, struct gw_model *model);

/* Asks the resolver for each host once (CC2008). */
void project_clusters_resolve(struct project_build *build, const struct gw_model *model);

/* --- project_named.c ------------------------------------------------------------------------ */

/* x-wso2-endpoints -> p->named. */
void project_read_named(struct project *p);

/* Those that `ref` refers to, "#/x-wso2-endpoints/NAME". */
enum project_found project_named_endpoints(struct project *p, const struct doc_node *ref,
                                           struct project_endpoints *out);

/* All of them, for an API with interceptors, which may choose one. After project_read_paths(). */
void project_set_named(struct project *p, struct gw_api *api);

/* --- project_interceptor.c ------------------------------------------------------------------ */

/* Those of `map` (the document, a path or an operation); where it has none, those above. */
void project_read_interceptors(struct project *p, const struct doc_node *map,
                               const struct project_flows *above, struct project_flows *out);

void project_set_interceptors(struct project *p, const struct project_flows *flows,
                              struct gw_operation *out);

/* --- project_tier.c, project_operations.c --------------------------------------------------- */

/* The tier that `map` (the document, a path or an operation) declares, or `node` of api.yaml.
 * False, with *out as it was, when there is none. */
bool project_tier_extension(struct project *p, const struct doc_node *map,
                            struct project_tier *out);
bool project_tier_config(struct project *p, const struct doc_node *node, const char *what,
                         struct project_tier *out);

/* Puts a tier into the model. */
void project_set_tier(const struct project_tier *tier, struct slice *name, struct place *declared);

/* data.operations and data.apiPolicies of api.yaml. */
void project_read_operations(struct project *p, const struct doc_node *data);

/* The tier that data.operations has for an operation. */
bool project_operation_tier(struct project *p, struct slice target, enum gw_method method,
                            struct project_tier *out);

/* Tiers in data.operations for operations that the document does not have. */
void project_report_operations(struct project *p);

/* --- project_security.c --------------------------------------------------------------------- */

/* Are the declared schemes what they should be? Whether or not an operation refers to them. */
void project_check_schemes(struct project *p);

/* The security of an operation that is not open: its own list, else the document's. `subject` names
 * it in findings ("GET /pets"). */
void project_read_security(struct project *p, const struct doc_node *operation, const char *subject,
                           struct project_security *out);

/* Where the operations of the API take keys: its key_headers and key_params. */
void project_collect_keys(struct project *p, struct gw_api *api);

/* Can a credential be in the header of this name, in whatever case? (project_merge.c) */
bool project_header_is_usable(struct slice name);

/* --- project_cors.c ------------------------------------------------------------------------- */

/* router.cors of cc.yaml -> build->global_cors. */
void project_read_global_cors(struct project_build *build);

/* Sets the policy of the API and where it was declared; both documents must be there. */
void project_read_cors(struct project *p, struct gw_api *api);

/* The distinct policies of all APIs, sorted, into the model, with the APIs' pointers moved to them.
 */
void project_cors_finish(struct project_build *build, struct gw_model *model);

/* --- project_openapi.c ---------------------------------------------------------------------- */

/* Checks the version of the document; false after a finding. */
bool project_read_version(struct project *p);

/* paths -> struct gw_resource. */
void project_read_paths(struct project *p, struct project_list *resources);

/* --- project_mock.c ------------------------------------------------------------------------- */

/* The responses of an operation -> out->answers. `subject` names it in findings. */
void project_read_answers(struct project *p, const struct doc_node *operation, const char *subject,
                          struct gw_operation *out);

void project_check_mock_endpoints(struct project *p);

/* --- project_merge.c ------------------------------------------------------------------------ */

/* The documents of a project -> its APIs in build->apis, one for each virtual host. */
void project_merge(struct project *p);

/* --- project_issuer.c ----------------------------------------------------------------------- */

/* Token services of cc.yaml and the development issuer -> model->issuers. */
void project_read_issuers(struct project_build *build, struct gw_model *model);

/* --- project_filter.c ----------------------------------------------------------------------- */

/* enforcer.filters of cc.yaml -> model->filters. */
void project_read_filters(struct project_build *build, struct gw_model *model);
/* The request headers that filters may look at, each as often as it is named; names may be NULL. */
size_t project_filter_headers(const struct gw_model *model, struct slice *names);

/* --- project_introspection.c ----------------------------------------------------------------- */

/* Fills in what belongs to introspection; then what holds among all issuers. */
void project_read_introspection(struct project_build *build, const struct config_token_service *t,
                                struct gw_issuer *out);
void project_check_introspection(struct project_build *build, const struct gw_issuer *issuers,
                                 size_t n);

/* --- project_settings.c --------------------------------------------------------------------- */

/* Warns of settings that make a gateway unsafe. */
void project_check_settings(struct project_build *build);
