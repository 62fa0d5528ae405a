/* project: api.yaml, whose keys are compared without case (the contract reads it with Go's JSON
 * decoder). */
#include "generator/project_internal.h"

#define N(array) (sizeof(array) / sizeof((array)[0]))

static const char *const root_keys[] = {"type", "version", "data"};

/* What API Manager and apictl write below `data`; most of it means nothing to a gateway. */
/* clang-format off */
static const char *const data_keys[] = {
    "id", "name", "description", "context", "contextTemplate", "version", "provider",
    "lifeCycleStatus", "wsdlInfo", "wsdlUrl", "responseCachingEnabled", "cacheTimeout",
    "destinationStatsEnabled", "hasThumbnail", "thumbnailUri", "isDefaultVersion", "isRevision",
    "revisionedApiId", "revisionId", "enableSchemaValidation", "enableStore",
    "enableSubscriberVerification", "type", "subtypeConfiguration", "transport", "tags",
    "policies", "apiPolicies", "apiThrottlingPolicy", "authorizationHeader", "apiKeyHeader",
    "securityScheme", "maxTps", "visibility", "visibleRoles", "visibleTenants",
    "visibleOrganizations", "mediationPolicies", "subscriptionAvailability",
    "subscriptionAvailableTenants", "additionalProperties", "additionalPropertiesMap",
    "monetization", "accessControl", "accessControlRoles", "businessInformation",
    "corsConfiguration", "websubSubscriptionConfiguration", "workflowStatus", "createdTime",
    "lastUpdatedTime", "lastUpdatedTimestamp", "endpointConfig", "endpointImplementationType",
    "scopes", "scopePrefix", "operations", "threatProtectionPolicies", "categories",
    "keyManagers", "serviceInfo", "advertiseInfo", "gatewayVendor", "gatewayType",
    "gatewayEnvironments", "asyncTransportProtocols", "organizationId", "apiOwner", "audience",
    "audiences", "vhost", "deploymentStatus", "endpointSecurity", "egress", "displayName"};
/* clang-format on */

/* A key without a value is like none. */
static const struct doc_node *present(const struct doc_node *node)
{
    return node != NULL && node->type != DOC_NULL ? node : NULL;
}

/* A field that cannot be done without. */
/* What the agent says of the API with each request must fit into its answer: one that does not is
 * none, and the request would be refused. */
static void check_length(struct project *p, const struct doc_node *data, const char *key,
                         struct slice text)
{
    if (text.n > GW_API_TEXT_MAX)
        diag_error(p->build->diag, CC1203, doc_place(p->api_doc, doc_get_nocase(data, key)),
                   "data.%s is longer than %d bytes", key, GW_API_TEXT_MAX);
}

static void read_required(struct project *p, const struct doc_node *data, const char *key,
                          const char *what, const char *help, struct slice *out)
{
    const struct doc_node *node = doc_get_nocase(data, key);
    struct slice text = SLICE_NONE;

    if (node != NULL && node->type != DOC_NULL && !project_text(p, p->api_doc, node, what, &text))
        return;
    if (slice_trim(text).n == 0)
        diag_help(diag_error(p->build->diag, CC1202, doc_place(p->api_doc, node ? node : data),
                             "%s is %s", what, node ? "empty" : "missing"),
                  "%s", help);
    *out = slice_trim(text);
}

static void read_optional(struct project *p, const struct doc_node *data, const char *key,
                          const char *what, struct slice *out, struct place *place)
{
    const struct doc_node *node = doc_get_nocase(data, key);

    if (node == NULL || node->type == DOC_NULL)
        return;
    if (place != NULL)
        *place = doc_place(p->api_doc, node);
    if (project_text(p, p->api_doc, node, what, out))
        *out = slice_trim(*out);
}

/* What the document is for; API products have the same shape and are another thing. */
static void read_document_type(struct project *p, const struct doc_node *root)
{
    struct slice type = SLICE_NONE;
    const struct doc_node *node = doc_get_nocase(root, "type");

    read_required(p, root, "type", "type", "write type: api", &type);
    if (type.n > 0 && !slice_eq_nocase(type, SLICE("api")))
        diag_help(diag_error(p->build->diag, CC1203, doc_place(p->api_doc, node),
                             "type is \"%" PRIslice "\", expected api", SLICE_ARG(type)),
                  "only projects of single APIs can be served");
}

static void read_kind(struct project *p, const struct doc_node *data)
{
    static const char *const later[] = {"WS",   "WEBSUB",     "SSE",  "GRAPHQL",
                                        "SOAP", "SOAPTOREST", "ASYNC"};
    struct slice type = SLICE_NONE;
    const struct doc_node *node = doc_get_nocase(data, "type");
    struct place place = doc_place(p->api_doc, node);
    bool known = false;
    ptrdiff_t comment;

    read_required(p, data, "type", "data.type", "write type: HTTP", &type);
    /* the contract treats WEBHOOK exactly like HTTP */
    comment = slice_find(type, '/');
    if (comment > 0 && slice_starts(slice_from(type, (size_t)comment), SLICE("//"))) {
        diag_help(diag_error(p->build->diag, CC1203, place,
                             "data.type is \"%" PRIslice "\", comment included", SLICE_ARG(type)),
                  "comments begin with # in YAML; do the other values have some, too?");
        p->api.other_kind = true; /* whichever: nothing else in it can be relied on */
        return;
    }
    if (type.n == 0 || slice_eq_nocase(type, SLICE("HTTP")) ||
        slice_eq_nocase(type, SLICE("WEBHOOK")))
        return;
    for (size_t i = 0; i < N(later); i++)
        known = known || slice_eq_nocase(type, slice_of(later[i]));
    p->api.other_kind = known;
    if (known)
        diag_help(diag_error(p->build->diag, CC1204, place,
                             "data.type is %" PRIslice "; this version serves HTTP APIs only",
                             SLICE_ARG(type)),
                  "leave this project out of the build");
    else
        diag_help(diag_error(p->build->diag, CC1203, place,
                             "data.type is \"%" PRIslice "\", which is no kind of API",
                             SLICE_ARG(type)),
                  "write type: HTTP");
}

/* Mock scripts of API Manager (INLINE) are code for another machine; the contract refuses them too.
 */
static void read_implementation(struct project *p, const struct doc_node *data)
{
    static const char *const known[] = {"ENDPOINT", "MOCKED_OAS", "MARKDOWN"};
    const struct doc_node *node = doc_get_nocase(data, "endpointImplementationType");
    struct slice type = SLICE_NONE;
    const char *near;

    read_optional(p, data, "endpointImplementationType", "data.endpointImplementationType", &type,
                  NULL);
    p->api.mock = slice_eq_nocase(type, SLICE("MOCKED_OAS"));
    if (slice_eq_nocase(type, SLICE("INLINE"))) {
        diag_help(diag_error(p->build->diag, CC1204, doc_place(p->api_doc, node),
                             "data.endpointImplementationType is %" PRIslice
                             ": mock scripts are not supported",
                             SLICE_ARG(type)),
                  "write MOCKED_OAS to answer from the examples of the document, or ENDPOINT and "
                  "an endpointConfig");
        return;
    }
    for (size_t i = 0; i < N(known); i++) {
        if (type.n == 0 || slice_eq_nocase(type, slice_of(known[i])))
            return;
    }
    near = nearest_word(type, known, 2);
    diag_help(diag_warning(p->build->diag, CC1206, doc_place(p->api_doc, node),
                           "data.endpointImplementationType is \"%" PRIslice
                           "\"; it counts as ENDPOINT",
                           SLICE_ARG(type)),
              "did you mean %s?", near != NULL ? near : "MOCKED_OAS");
}

/* What securityScheme holds beside ways in; the contract compares its entries exactly. */
struct schemes {
    bool certificate, certificate_mandatory, application_mandatory;
};

static void refuse_scheme(struct project *p, struct slice s, struct place place)
{
    static const char *const known[] = {"oauth2",
                                        "api_key",
                                        "basic_auth",
                                        "mutualssl",
                                        "mutualssl_mandatory",
                                        "oauth_basic_auth_api_key_mandatory"};
    struct diag_item *item =
        diag_error(p->build->diag, CC1203, place,
                   "data.securityScheme has \"%" PRIslice "\", which is no scheme", SLICE_ARG(s));
    const char *near = nearest_word(s, known, N(known));

    if (near != NULL)
        diag_help(item, "did you mean %s?", near);
    else
        diag_help(item, "the usual list is [oauth2]");
}

static void read_scheme(struct project *p, const struct doc_node *node, struct schemes *out)
{
    struct slice s = SLICE_NONE;
    struct place place = doc_place(p->api_doc, node);

    if (!project_text(p, p->api_doc, node, "data.securityScheme[]", &s))
        return;
    if (slice_is(s, "oauth_basic_auth_api_key_mandatory")) {
        out->application_mandatory = true;
    } else if (slice_is(s, "oauth2")) {
        p->api.only_oauth2 = true;
    } else if (slice_is(s, "api_key")) {
        p->api.api_key = true;
        p->api.api_key_place = place;
    } else if (slice_is(s, "basic_auth")) { /* a way in that is left out: only stricter */
        diag_help(diag_warning(p->build->diag, CC2102, place,
                               "%" PRIslice " is not supported by this version", SLICE_ARG(s)),
                  "it is left out; the other ways in are not");
    } else if (slice_is(s, "mutualssl") || slice_is(s, "mutualssl_mandatory")) {
        out->certificate = true;
        out->certificate_mandatory =
            out->certificate_mandatory || slice_is(s, "mutualssl_mandatory");
        p->api.certificate_place = place;
    } else {
        refuse_scheme(p, s, place);
    }
}

/* Transport and application security are two gates. A certificate that is mandatory is enough by
 * itself unless the application's security is mandatory, too; one that is optional opens nothing:
 * the contract then demands the application's security in any case. */
static void set_certificate(struct project *p, const struct schemes *schemes)
{
    p->api.certificate = schemes->certificate_mandatory;
    p->api.certificate_alone = schemes->certificate_mandatory && !schemes->application_mandatory;
    if (schemes->certificate && !schemes->certificate_mandatory)
        diag_help(diag_warning(p->build->diag, CC2113, p->api.certificate_place,
                               "mutualssl makes client certificates optional: a client may show "
                               "one, and needs a token all the same"),
                  "write mutualssl_mandatory beside it to demand a certificate; then a token is "
                  "needed, too, only with oauth_basic_auth_api_key_mandatory");
}

static void read_security_scheme(struct project *p, const struct doc_node *data)
{
    const struct doc_node *list = doc_get_nocase(data, "securityScheme");
    struct schemes schemes = {.certificate = false};

    if (list == NULL || list->type == DOC_NULL ||
        !doc_is_list(p->api_doc, list, "data.securityScheme", p->build->diag))
        return;
    for (size_t i = 0; i < list->n; i++)
        read_scheme(p, list->entries[i].value, &schemes);
    set_certificate(p, &schemes);
}

/* The contract compares states without case; a state that it does not know stays as it is. */
static struct slice in_capitals(struct slice status)
{
    static const char *const states[] = {"CREATED", "PUBLISHED",  "PROTOTYPED",
                                         "BLOCKED", "DEPRECATED", "RETIRED"};

    for (size_t i = 0; i < N(states); i++) {
        if (slice_eq_nocase(status, slice_of(states[i])))
            return slice_of(states[i]);
    }
    return status;
}

static void read_life_cycle(struct project *p, const struct doc_node *data)
{
    struct slice status = SLICE_NONE;
    struct place place = PLACE_NONE;

    read_optional(p, data, "lifeCycleStatus", "data.lifeCycleStatus", &status, &place);
    p->api.status = status.n > 0 ? in_capitals(status) : SLICE("");
    p->api.status_declared = status.n > 0 ? place : PLACE_NONE;
    /* later versions of the contract ask for tokens of mock APIs whatever their life cycle */
    p->api.prototype = slice_is(p->api.status, "PROTOTYPED") && !p->api.mock;
    if (p->api.prototype)
        diag_help(diag_warning(p->build->diag, CC2110, place,
                               "the API is a prototype: all its operations are open"),
                  "write lifeCycleStatus: PUBLISHED to protect it");
}

/* Told to a control plane, which there is none of; checked, because the contract does. */
static void check_number(struct project *p, const struct doc_node *data, const char *key)
{
    const struct doc_node *node = present(doc_get_nocase(data, key));
    uint64_t number;

    if (node != NULL)
        (void)doc_u64(p->api_doc, node, key, 0, INT32_MAX, p->build->diag, &number);
}

/* Types whose endpoints are no URLs; all others are told apart by what stands beside. */
static void check_endpoint_type(struct project *p, const struct doc_node *config)
{
    static const char *const others[] = {"awslambda", "default", "sequence_backend"};
    const struct doc_node *node = present(doc_get_nocase(config, "endpoint_type"));
    struct slice type = SLICE_NONE;

    if (node == NULL || !project_text(p, p->api_doc, node, "endpoint_type", &type))
        return;
    for (size_t i = 0; i < N(others); i++) {
        if (slice_eq_nocase(type, slice_of(others[i])))
            diag_help(diag_error(p->build->diag, CC1204, doc_place(p->api_doc, node),
                                 "endpoint_type %s is not supported", others[i]),
                      "endpoints are URLs: endpoint_type: http");
    }
}

static void read_data(struct project *p, const struct doc_node *data)
{
    struct project_api *api = &p->api;
    const struct doc_node *context = doc_get_nocase(data, "context");
    const struct doc_node *config = doc_get_nocase(data, "endpointConfig");
    const struct doc_node *is_default = present(doc_get_nocase(data, "isDefaultVersion"));
    const struct doc_node *status;
    struct slice organization;

    api->unknown_endpoints = false;
    api->tier = doc_get_nocase(data, "apiThrottlingPolicy");
    project_check_keys(p, p->api_doc, data, "data", data_keys, N(data_keys));
    read_required(p, data, "name", "data.name", "name the API: name: Petstore", &api->name);
    read_required(p, data, "version", "data.version",
                  "give the version of the API in quotes: version: \"1.0.0\"", &api->version);
    read_required(p, data, "context", "data.context",
                  "give the path below which the API is served: context: /petstore", &api->context);
    api->context_place = doc_place(p->api_doc, context ? context : data);
    read_optional(p, data, "id", "data.id", &api->id, NULL);
    check_length(p, data, "name", api->name);
    check_length(p, data, "version", api->version);
    check_length(p, data, "id", api->id);
    read_optional(p, data, "authorizationHeader", "data.authorizationHeader", &api->auth_header,
                  &api->auth_header_place);
    api->default_place = doc_place(p->api_doc, is_default);
    doc_bool(p->api_doc, is_default, "data.isDefaultVersion", p->build->diag,
             &api->default_version);
    read_implementation(p, data);
    read_life_cycle(p, data);
    read_security_scheme(p, data);
    project_read_operations(p, data);
    project_check_unused_fields(p, data);
    check_number(p, data, "revisionId");
    read_optional(p, data, "organizationId", "data.organizationId", &organization, NULL);
    if (config == NULL || config->type == DOC_NULL)
        return;
    api->unknown_endpoints = !doc_is_map(p->api_doc, config, "data.endpointConfig", p->build->diag);
    if (api->unknown_endpoints)
        return;
    api->endpoint_config = config;
    check_endpoint_type(p, config);
    status = doc_get_nocase(config, "implementation_status");
    api->ignore_servers = status != NULL && slice_is(status->text, "prototyped");
}

void project_read_api(struct project *p)
{
    const struct doc_node *root = p->api_doc->root;
    const struct doc_node *data = doc_get_nocase(root, "data");

    p->api.place = doc_place(p->api_doc, data);
    p->api.unknown_endpoints = true; /* until data was read */
    project_check_keys(p, p->api_doc, root, "api.yaml", root_keys, N(root_keys));
    read_document_type(p, root);
    if (data == NULL) {
        diag_help(
            diag_error(p->build->diag, CC1202, doc_place(p->api_doc, NULL), "data is missing"),
            "the name, version and context of the API stand below data:");
        return;
    }
    if (!doc_is_map(p->api_doc, data, "data", p->build->diag))
        return;
    read_kind(p, data);
    if (!p->api.other_kind)
        read_data(p, data);
}
