/* project: keys that are misspelt, stand where they do not count, or ask for what this version does
 * not do. Nothing of that may pass in silence: its author meant something by it. */
#include "generator/project_internal.h"

/* Vendor extensions of the contract (api-projects 3.2), one row each. */
struct extension {
    const char *name;
    unsigned levels; /* enum project_level bits: where it counts */
    enum { EXTENSION_USED, EXTENSION_IDLE } use;
};

/* EXTENSION_USED: read by project_*.c. EXTENSION_IDLE: written by API Manager, read by no gateway;
 * levels do not matter (project_unused.c). */
enum { EVERYWHERE = PROJECT_DOCUMENT | PROJECT_PATH | PROJECT_OPERATION };

static const struct extension extensions[] = {
    {"x-wso2-basePath", PROJECT_DOCUMENT, EXTENSION_USED},
    {"x-wso2-production-endpoints", PROJECT_DOCUMENT | PROJECT_PATH, EXTENSION_USED},
    {"x-wso2-sandbox-endpoints", PROJECT_DOCUMENT | PROJECT_PATH, EXTENSION_USED},
    {"x-wso2-endpoints", PROJECT_DOCUMENT, EXTENSION_USED},
    {"x-wso2-auth-header", PROJECT_DOCUMENT, EXTENSION_USED},
    {"x-wso2-disable-security", EVERYWHERE, EXTENSION_USED},
    {"x-wso2-cors", PROJECT_DOCUMENT, EXTENSION_USED},
    {"x-wso2-throttling-tier", EVERYWHERE, EXTENSION_USED},
    {"x-throttling-tier", EVERYWHERE, EXTENSION_USED},
    {"x-wso2-request-interceptor", EVERYWHERE, EXTENSION_USED},
    {"x-wso2-response-interceptor", EVERYWHERE, EXTENSION_USED},
    {"x-wso2-http2-backend-enabled", PROJECT_DOCUMENT, EXTENSION_USED},
    {"x-wso2-pass-request-payload-to-enforcer", 0, EXTENSION_IDLE},
    {"x-wso2-label", 0, EXTENSION_IDLE},
    {"x-wso2-application-security", 0, EXTENSION_IDLE},
    {"x-wso2-mutual-ssl", 0, EXTENSION_IDLE},
    {"x-wso2-transports", 0, EXTENSION_IDLE},
    {"x-wso2-response-cache", 0, EXTENSION_IDLE},
    {"x-wso2-api-key-header", 0, EXTENSION_IDLE},
    {"x-wso2-example", 0, EXTENSION_IDLE},
    {"x-mediation-script", 0, EXTENSION_IDLE},
    {"x-amzn-resource-name", 0, EXTENSION_IDLE},
    {"x-auth-type", PROJECT_OPERATION, EXTENSION_USED},
};

enum { N_EXTENSIONS = sizeof(extensions) / sizeof(extensions[0]) };

static const struct {
    const char *what, *effect;
} ignored_texts[] = {
#define X(name, what, effect) {what, effect},
    PROJECT_IGNORED(X)
#undef X
};

static const char *levels_text(unsigned levels)
{
    switch (levels) {
    case PROJECT_DOCUMENT:
        return "at the top of the document";
    case PROJECT_OPERATION:
        return "at an operation";
    case PROJECT_DOCUMENT | PROJECT_PATH:
        return "at the top of the document and at a path";
    default:
        return "at the top of the document, at a path and at an operation";
    }
}

static const char *level_text(enum project_level level)
{
    return level == PROJECT_DOCUMENT ? "at the top of the document"
           : level == PROJECT_PATH   ? "at a path"
                                     : "at an operation";
}

void project_ignore(struct project *p, enum project_ignored kind, struct place place)
{
    if (p->ignored[kind].count++ == 0)
        p->ignored[kind].first = place;
}

void project_report_ignored(struct project *p)
{
    for (unsigned i = 0; i < PROJECT_IGNORED_COUNT; i++) {
        unsigned count = p->ignored[i].count;
        struct diag_item *item;

        if (count == 0)
            continue;
        item = diag_warning(p->build->diag, CC1204, p->ignored[i].first, "%s%s",
                            ignored_texts[i].what, count > 1 ? ", here and elsewhere" : "");
        diag_help(item, "%s", ignored_texts[i].effect);
    }
}

static const struct extension *find_extension(struct slice name)
{
    for (size_t i = 0; i < N_EXTENSIONS; i++) {
        if (slice_is(name, extensions[i].name))
            return &extensions[i];
    }
    return NULL;
}

/* A name that is no known extension: a slip of the pen, or somebody else's. */
static void check_unknown(struct project *p, const struct doc_node *key)
{
    const char *names[N_EXTENSIONS];
    const char *near;

    for (size_t i = 0; i < N_EXTENSIONS; i++)
        names[i] = extensions[i].name;
    near = nearest_word(key->text, names, N_EXTENSIONS);
    if (near != NULL)
        diag_help(diag_warning(p->build->diag, CC1206, doc_place(p->openapi, key),
                               "%" PRIslice " is not an extension that counts here",
                               SLICE_ARG(key->text)),
                  "did you mean %s?", near);
}

/* Does it ask for what happens anyway? API Manager writes x-auth-type everywhere. */
static bool asks_for_nothing(const struct doc_node *key, const struct doc_node *value)
{
    return slice_is(key->text, "x-auth-type") && !slice_is(value->text, "None");
}

void project_check_extensions(struct project *p, const struct doc_node *map,
                              enum project_level level)
{
    for (size_t i = 0; map != NULL && map->type == DOC_MAP && i < map->n; i++) {
        const struct doc_node *key = map->entries[i].key;
        const struct extension *e;

        if (!slice_starts(key->text, SLICE("x-")))
            continue;
        e = find_extension(key->text);
        if (e == NULL) {
            if (slice_starts(key->text, SLICE("x-w")))
                check_unknown(p, key);
            continue;
        }
        if (e->use == EXTENSION_IDLE) {
            project_check_unused_extension(p, &map->entries[i]);
            continue;
        }
        if ((e->levels & (unsigned)level) == 0 && !asks_for_nothing(key, map->entries[i].value))
            diag_help(diag_warning(p->build->diag, CC1204, doc_place(p->openapi, key),
                                   "%s has no effect %s", e->name, level_text(level)),
                      "it counts %s", levels_text(e->levels));
    }
}

void project_check_keys(struct project *p, const struct doc *doc, const struct doc_node *map,
                        const char *what, const char *const *known, size_t n_known)
{
    /* first[i]: where known key i was seen; a map of 100 keys is a large api.yaml already */
    const struct doc_node **first = project_alloc(p->build, n_known, sizeof(*first));
    unsigned hints = 0;

    if (first == NULL)
        return;
    for (size_t i = 0; i < map->n; i++) {
        const struct doc_node *key = map->entries[i].key;
        const char *near;
        size_t k = 0;

        while (k < n_known && !slice_eq_nocase(key->text, slice_of(known[k])))
            k++;
        if (k < n_known) {
            if (first[k] != NULL)
                diag_help(diag_error(p->build->diag, CC1003, doc_place(doc, key),
                                     "%s has \"%" PRIslice "\" and \"%" PRIslice "\"", what,
                                     SLICE_ARG(first[k]->text), SLICE_ARG(key->text)),
                          "keys of api.yaml are compared without case; remove one of them");
            first[k] = key;
            continue;
        }
        /* bounded, because each costs a comparison with every known key */
        if (hints++ >= 100)
            continue;
        near = nearest_word(key->text, known, n_known);
        if (near != NULL)
            diag_help(diag_warning(p->build->diag, CC1206, doc_place(doc, key),
                                   "%s has no key \"%" PRIslice "\"; it is ignored", what,
                                   SLICE_ARG(key->text)),
                      "did you mean %s?", near);
    }
}

void project_check_members(struct project *p, const struct doc_node *map, const char *what,
                           const char *const *known, size_t n_known)
{
    for (size_t i = 0; i < map->n; i++) {
        const struct doc_node *key = map->entries[i].key;
        struct diag_item *item;
        const char *near;
        size_t k = 0;

        while (k < n_known && !slice_is(key->text, known[k]))
            k++;
        if (k < n_known || slice_starts(key->text, SLICE("x-")))
            continue;
        item = diag_warning(p->build->diag, CC1206, doc_place(p->openapi, key),
                            "%s has no member \"%" PRIslice "\"; it is ignored", what,
                            SLICE_ARG(key->text));
        near = nearest_word(key->text, known, n_known);
        if (near != NULL)
            diag_help(item, "did you mean %s?", near);
    }
}
