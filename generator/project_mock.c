/* project: responses of an OpenAPI document -> the answers of a mock API.
 *
 * OpenAPI 2 has `examples` by media type; OpenAPI 3 has `example` or `examples` in each media type of
 * `content`, and examples of headers. Examples inside of schemas are of parts, not of answers, and
 * are not looked at. What cannot be an answer is a finding, and left out. */
#include "generator/project_internal.h"

#include "doc/doc_json.h"
#include "gateway/mock.h"

enum {
    REF_DEPTH_MAX = 16,
    /* Bodies of one API: its line of the snapshot must not become too long. */
    API_BODIES_MAX = 8 << 20
};

/* --- references ------------------------------------------------------------------------------ */

/* What `node` or the $ref in it (or a chain of them) leads to: a map; NULL after a finding. */
static const struct doc_node *follow(struct project *p, const struct doc_node *node,
                                     const char *what)
{
    const struct doc_node *first = doc_get(node, "$ref"), *ref = first;
    struct slice target = SLICE_NONE;

    for (unsigned depth = 0; ref != NULL; depth++) {
        if (!project_text(p, p->openapi, ref, "$ref", &target))
            return NULL;
        if (target.n == 0 || target.p[0] != '#') {
            diag_help(diag_error(p->build->diag, CC1204, doc_place(p->openapi, ref),
                                 "$ref \"%" PRIslice "\" leaves the document", SLICE_ARG(target)),
                      "bundle the definition into one file");
            return NULL;
        }
        node = depth < REF_DEPTH_MAX ? doc_pointer(p->openapi, target) : NULL;
        if (node == NULL || node->type != DOC_MAP) {
            diag_error(p->build->diag, CC1203, doc_place(p->openapi, first),
                       "$ref \"%" PRIslice "\" leads to no %s", SLICE_ARG(first->text), what);
            return NULL;
        }
        ref = doc_get(node, "$ref");
    }
    return node != NULL && doc_is_map(p->openapi, node, what, p->build->diag) ? node : NULL;
}

static const struct doc_node *present(const struct doc_node *node)
{
    return node != NULL && node->type != DOC_NULL ? node : NULL;
}

static struct diag_item *warn(struct project *p, enum diag_code code, const struct doc_node *node,
                              const char *what, struct slice name, const char *fault)
{
    return diag_warning(p->build->diag, code, doc_place(p->openapi, node),
                        "%s \"%" PRIslice "\" is left out: %s", what,
                        SLICE_ARG(slice_first(name, 200)), fault);
}

/* --- bodies ---------------------------------------------------------------------------------- */

/* application/json, application/problem+json; RFC 6839 3.1 */
static bool is_json(struct slice type)
{
    struct slice essence = type;

    slice_split(&essence, ';', &type);
    type = slice_trim(type);
    return slice_ends(type, SLICE("/json")) || slice_ends(type, SLICE("+json"));
}

/* The example as text: as it stands where it is text of a type other than JSON, else JSON. False
 * after a finding. */
static bool read_body(struct project *p, const struct doc_node *value, struct slice type,
                      struct slice *out)
{
    struct place place = doc_place(p->openapi, value);
    bool json = value->type != DOC_TEXT || is_json(type), good = false;
    const char *fault;
    struct buf b;
    int rc = CC_OK;

    buf_init(&b, GW_MOCK_BODY_MAX + 1);
    if (json)
        rc = doc_json(value, &b);
    else
        buf_add(&b, value->text);
    fault = buf_error(&b) == CC_EFULL ? "it is longer than 12288 bytes"
                                      : gw_mock_body_fault(buf_slice(&b));
    p->mock_bytes += b.n;
    if (buf_error(&b) == CC_ENOMEM) {
        p->build->rc = CC_ENOMEM;
    } else if (rc == CC_EINVAL) {
        diag_error(p->build->diag, CC2502, place, "the example has a number that JSON cannot say");
    } else if (fault != NULL) {
        diag_help(diag_error(p->build->diag, CC2502, place, "the example cannot be sent: %s",
                             fault),
                  "the limit is that of HAProxy's buffers; give a shorter example");
    } else if (p->mock_bytes > API_BODIES_MAX) {
        diag_error(p->build->diag, CC2502, place,
                   "the examples of the API together are longer than 8 MiB");
        p->mock_bytes = 0; /* told once for each 8 MiB */
    } else {
        if (json && !is_json(type) && (value->type == DOC_MAP || value->type == DOC_LIST))
            diag_help(diag_warning(p->build->diag, CC2503, place,
                                   "the example is sent as JSON, under the type %" PRIslice,
                                   SLICE_ARG(type)),
                      "write the example as text, in the form of that type");
        *out = arena_dup(p->build->arena, slice_make(b.p != NULL ? b.p : "", b.n));
        good = out->p != NULL;
        if (!good)
            p->build->rc = CC_ENOMEM;
    }
    buf_free(&b);
    return good;
}

static void add_example(struct project *p, struct slice name, const struct doc_node *value,
                        struct slice type, struct project_list *examples)
{
    struct gw_mock_example *e, example = {.name = name};

    if (!read_body(p, value, type, &example.body))
        return;
    e = project_list_add(p->build, examples, sizeof(*e));
    if (e != NULL)
        *e = example;
}

/* One member of `examples` (OpenAPI 3). */
static void read_example(struct project *p, const struct doc_entry *entry, struct slice type,
                         struct project_list *examples)
{
    const struct doc_node *example, *value;

    if (slice_has_control(entry->key->text) || entry->key->text.n == 0) {
        warn(p, CC2501, entry->key, "example", SLICE("?"), "nobody can ask for its name");
        return;
    }
    example = follow(p, entry->value, "example");
    if (example == NULL)
        return;
    value = present(doc_get(example, "value"));
    if (value != NULL)
        add_example(p, entry->key->text, value, type, examples);
    else
        warn(p, CC2501, entry->key, "example", entry->key->text,
             doc_get(example, "externalValue") != NULL ? "its externalValue is not in the document"
                                                       : "it has no value");
}

/* --- media types ----------------------------------------------------------------------------- */

/* What generators of documents write for "whatever it is". */
static struct slice usual_type(struct slice type)
{
    if (slice_is(type, "*/*") || slice_is(type, "application/*"))
        return SLICE("application/json");
    return slice_is(type, "text/*") ? SLICE("text/plain") : type;
}

/* A member of OpenAPI 3's `content` or of OpenAPI 2's `examples`. */
static void read_media_type(struct project *p, const struct doc_entry *entry,
                            struct project_list *contents)
{
    struct slice type = usual_type(slice_trim(entry->key->text));
    const char *fault = gw_mock_media_type_fault(type);
    const struct doc_node *media, *example, *named = NULL;
    struct project_list examples = {NULL, 0, 0};
    struct gw_mock_content *c;

    if (fault != NULL) {
        warn(p, CC2501, entry->key, "media type", type, fault);
        return;
    }
    example = entry->value;
    if (p->openapi3) {
        media = follow(p, entry->value, "media type");
        example = doc_get(media, "example");
        named = present(doc_get(media, "examples"));
    }
    if (present(example) != NULL)
        add_example(p, SLICE(""), example, type, &examples);
    else if (doc_is_map(p->openapi, named, "examples", p->build->diag) && named != NULL)
        for (size_t i = 0; i < named->n && p->build->rc == CC_OK; i++)
            read_example(p, &named->entries[i], type, &examples);
    if (examples.n == 0)
        return;
    c = project_list_add(p->build, contents, sizeof(*c));
    if (c != NULL)
        *c = (struct gw_mock_content){type, examples.items, examples.n};
}

/* --- headers --------------------------------------------------------------------------------- */

static void read_header(struct project *p, const struct doc_entry *entry,
                        struct project_list *headers)
{
    const struct doc_node *node = follow(p, entry->value, "header");
    const struct doc_node *example = present(doc_get(node, "example"));
    struct gw_mock_header *h, header = {.name = project_lower(p->build, entry->key->text)};
    struct slice type = SLICE("application/json"); /* as which lists and numbers are written */
    const char *fault;

    /* OpenAPI 3.1, 4.8.17: a header Content-Type is ignored */
    if (example == NULL || slice_is(header.name, "content-type"))
        return;
    fault = gw_mock_header_name_fault(header.name);
    if (example->type == DOC_TEXT)
        type = SLICE("text/plain");
    if (fault == NULL && !read_body(p, example, type, &header.value))
        return;
    if (fault == NULL)
        fault = gw_mock_header_value_fault(header.value);
    if (fault != NULL) {
        warn(p, CC2504, entry->key, "header", entry->key->text, fault);
        return;
    }
    for (size_t i = 0; i < headers->n; i++) { /* names differ by case, and then are one */
        if (slice_eq(((struct gw_mock_header *)headers->items)[i].name, header.name)) {
            warn(p, CC2504, entry->key, "header", entry->key->text, "it is there already");
            return;
        }
    }
    h = project_list_add(p->build, headers, sizeof(*h));
    if (h != NULL)
        *h = header;
}

/* --- responses ------------------------------------------------------------------------------- */

/* Contents and headers of a response; false when it can be no answer: what it would hold is said
 * only by a schema. */
static bool read_response(struct project *p, const struct doc_node *response,
                          struct gw_mock_answer *out)
{
    const struct doc_node *content = present(doc_get(response, p->openapi3 ? "content" : "examples"));
    const struct doc_node *headers = present(doc_get(response, "headers"));
    struct project_list contents = {NULL, 0, 0}, list = {NULL, 0, 0};
    bool empty = p->openapi3 ? content == NULL || content->n == 0
                             : content == NULL && present(doc_get(response, "schema")) == NULL;

    if (!doc_is_map(p->openapi, content, p->openapi3 ? "content" : "examples", p->build->diag) &&
        content != NULL)
        return false;
    for (size_t i = 0; content != NULL && i < content->n && p->build->rc == CC_OK; i++)
        read_media_type(p, &content->entries[i], &contents);
    /* OpenAPI 2 has no examples of headers */
    if (p->openapi3 && headers != NULL &&
        doc_is_map(p->openapi, headers, "headers", p->build->diag))
        for (size_t i = 0; i < headers->n && p->build->rc == CC_OK; i++)
            read_header(p, &headers->entries[i], &list);
    out->contents = contents.items;
    out->n_contents = contents.n;
    out->headers = list.items;
    out->n_headers = list.n;
    return contents.n > 0 || empty;
}

static void add_answer(struct project *p, const struct doc_entry *entry,
                       struct project_list *answers)
{
    struct gw_mock_answer *slot, answer = {.code = project_lower(p->build, entry->key->text),
                                           .origin = doc_place(p->openapi, entry->key)};
    const struct doc_node *response;
    const char *fault;

    if (slice_starts(answer.code, SLICE("x-")))
        return;
    fault = gw_mock_code_fault(answer.code);
    if (fault != NULL) {
        warn(p, CC2501, entry->key, "response", entry->key->text, fault);
        return;
    }
    response = follow(p, entry->value, "response");
    if (response == NULL || !read_response(p, response, &answer))
        return;
    fault = gw_mock_answer_fault(&answer);
    if (fault != NULL) {
        diag_error(p->build->diag, CC2502, answer.origin, "response \"%" PRIslice "\": %s",
                   SLICE_ARG(answer.code), fault);
        return;
    }
    for (size_t i = 0; i < answers->n; i++) {
        if (slice_eq(((struct gw_mock_answer *)answers->items)[i].code, answer.code)) {
            warn(p, CC2501, entry->key, "response", entry->key->text, "it is there already");
            return;
        }
    }
    slot = project_list_add(p->build, answers, sizeof(*slot));
    if (slot != NULL)
        *slot = answer;
}

void project_read_answers(struct project *p, const struct doc_node *operation, const char *subject,
                          struct gw_operation *out)
{
    const struct doc_node *responses = present(doc_get(operation, "responses"));
    struct project_list answers = {NULL, 0, 0};
    size_t errors = diag_errors(p->build->diag);

    if (responses != NULL && doc_is_map(p->openapi, responses, "responses", p->build->diag))
        for (size_t i = 0; i < responses->n && p->build->rc == CC_OK; i++)
            add_answer(p, &responses->entries[i], &answers);
    out->answers = answers.items;
    out->n_answers = answers.n;
    if (answers.n == 0 && diag_errors(p->build->diag) == errors)
        diag_help(diag_warning(p->build->diag, CC2500, out->origin,
                               "%s of a mock API has no example", subject),
                  "requests are answered with 501; add an example to one of its responses");
}

/* The endpoints of a mock API are not called: an author who writes some may think otherwise. */
void project_check_mock_endpoints(struct project *p)
{
    static const char *const extensions[] = {"x-wso2-production-endpoints",
                                             "x-wso2-sandbox-endpoints"};

    for (size_t i = 0; i < 2; i++) {
        const struct doc_node *node = present(doc_get(p->openapi->root, extensions[i]));

        if (node != NULL)
            diag_help(diag_warning(p->build->diag, CC2505, doc_place(p->openapi, node),
                                   "%s of a mock API: no request reaches them", extensions[i]),
                      "write endpointImplementationType: ENDPOINT to call them");
    }
}
