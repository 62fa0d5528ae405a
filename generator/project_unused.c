/* project: what a project may say and no gateway of this contract reads, or decides elsewhere. A
 * finding says so where the value asks for something, because its author may rely on it; what every
 * export of API Manager has in it gives none. */
#include "generator/project_internal.h"

#define N(array) (sizeof(array) / sizeof((array)[0]))

struct unused {
    const char *key;
    bool (*asks)(const struct doc_node *value);
    const char *help; /* why it does not count, and what does */
};

/* --- does the value ask for something? -------------------------------------------------------- */

static bool is_true(const struct doc_node *v)
{
    return v != NULL && v->type == DOC_BOOL && doc_scalar_true(v->text);
}

static bool is_there(const struct doc_node *v)
{
    switch (v->type) {
    case DOC_NULL:
        return false;
    case DOC_BOOL:
        return is_true(v);
    case DOC_LIST:
    case DOC_MAP:
        return v->n > 0;
    default:
        return v->text.n > 0;
    }
}

/* [https] without http */
static bool is_https_only(const struct doc_node *v)
{
    bool https = false;

    for (size_t i = 0; v->type == DOC_LIST && i < v->n; i++) {
        if (slice_eq_nocase(v->entries[i].value->text, SLICE("http")))
            return false;
        https = https || slice_eq_nocase(v->entries[i].value->text, SLICE("https"));
    }
    return https;
}

static bool is_other_label(const struct doc_node *v)
{
    for (size_t i = 0; v->type == DOC_LIST && i < v->n; i++) {
        if (!slice_eq_nocase(v->entries[i].value->text, SLICE("default")))
            return true;
    }
    return v->type == DOC_TEXT && v->text.n > 0 && !slice_eq_nocase(v->text, SLICE("default"));
}

static bool is_optional(const struct doc_node *v)
{
    return is_true(doc_get(v, "optional"));
}

static bool is_enabled(const struct doc_node *v)
{
    return is_true(doc_get(v, "enabled"));
}

static bool has_number(const struct doc_node *v)
{
    for (size_t i = 0; v->type == DOC_MAP && i < v->n; i++) {
        if (v->entries[i].value->type == DOC_INT)
            return true;
    }
    return false;
}

static bool is_session(const struct doc_node *v)
{
    return v->type == DOC_TEXT && v->text.n > 0 && !slice_eq_nocase(v->text, SLICE("none"));
}

static bool is_other_algorithm(const struct doc_node *v)
{
    return v->type == DOC_TEXT && v->text.n > 0 && !slice_contains(v->text, SLICE("RoundRobin"));
}

static bool is_withdrawn(const struct doc_node *v)
{
    return slice_eq_nocase(v->text, SLICE("RETIRED"));
}

/* --- what there is ---------------------------------------------------------------------------- */

static const struct unused extensions[] = {
    {"x-wso2-label", is_other_label, "deployment_environments.yaml says where an API is deployed"},
    {"x-wso2-transports", is_https_only,
     "the API is served by all listeners; router.listenerPort: 0 leaves HTTPS alone"},
    {"x-wso2-mutual-ssl", is_there,
     "securityScheme of api.yaml says whether clients show certificates: mutualssl_mandatory"},
    {"x-wso2-application-security", is_optional,
     "a token is needed all the same; x-wso2-disable-security: true lets everybody in"},
    {"x-wso2-pass-request-payload-to-enforcer", is_true,
     "no decision looks at bodies; an interceptor can be told them"},
    {"x-wso2-response-cache", is_enabled, "answers are not cached"},
    {"x-mediation-script", is_there, "no gateway of this contract runs scripts"},
    {"x-amzn-resource-name", is_there, "AWS Lambda is no endpoint here"},
};

static const struct unused data_fields[] = {
    {"lifeCycleStatus", is_withdrawn,
     "the API is served like a published one; leave this project out of the build to withdraw it"},
    {"transport", is_https_only,
     "the API is served by all listeners; router.listenerPort: 0 leaves HTTPS alone"},
    {"responseCachingEnabled", is_true, "answers are not cached"},
    {"enableSchemaValidation", is_true, "bodies are not checked against the document"},
    {"maxTps", has_number,
     "requests to the backend are not counted; circuitBreakers limit those at the same time"},
    {"mediationPolicies", is_there, "no gateway of this contract runs mediation sequences"},
    {"threatProtectionPolicies", is_there, "bodies are not looked at"},
};

static const struct unused endpoint_fields[] = {
    {"sessionManagement", is_session, "requests of one client can go to any endpoint"},
    {"algoCombo", is_other_algorithm, "the load is shared round robin"},
};

static void tell(struct project *p, const struct unused *row, struct place place)
{
    diag_help(diag_warning(p->build->diag, CC2600, place, "%s does not count here", row->key), "%s",
              row->help);
}

void project_check_unused_extension(struct project *p, const struct doc_entry *entry)
{
    for (size_t i = 0; i < N(extensions); i++) {
        if (slice_is(entry->key->text, extensions[i].key) && extensions[i].asks(entry->value))
            tell(p, &extensions[i], doc_place(p->openapi, entry->key));
    }
}

static void check_fields(struct project *p, const struct doc_node *map, const struct unused *rows,
                         size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct doc_node *value = doc_get_nocase(map, rows[i].key);

        if (value != NULL && rows[i].asks(value))
            tell(p, &rows[i], doc_place(p->api_doc, value));
    }
}

void project_check_unused_fields(struct project *p, const struct doc_node *data)
{
    check_fields(p, data, data_fields, N(data_fields));
    check_fields(p, doc_get_nocase(data, "endpointConfig"), endpoint_fields, N(endpoint_fields));
}
