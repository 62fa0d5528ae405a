#include "enforce/refuse.h"

/* Bytes of a template, and of what a client prefers, in a body; escaped at most six times that. */
enum { TEMPLATE_SHOWN = 512, PREFERENCE_SHOWN = 128 };

enum shape { SHAPE_ENFORCER, SHAPE_ROUTER };

/* The constant bodies; texts of the table are plain ASCII without '"' and '\'. */
#define BODY_ENFORCER(code, message, description)         \
    "{\"error_message\":\"" message "\",\"code\":\"" code \
    "\",\"error_description\":\"" description "\"}"
#define BODY_ROUTER(code, message, description) \
    "{\"code\":\"" code "\",\"message\":\"" message "\",\"description\":\"" description "\"}"

static const struct refusal_row {
    int status;
    enum shape shape;
    struct slice code, message, body, fault_11, fault_12, challenge;
} rows[] = {
#define X(name, status, shape, code, message, description, challenge)             \
    [REFUSE_##name] = {status,                                                    \
                       SHAPE_##shape,                                             \
                       SLICE_INIT(code),                                          \
                       SLICE_INIT(message),                                       \
                       SLICE_INIT(BODY_##shape(code, message, description)),      \
                       SLICE_INIT(GW_SOAP_FAULT(11, message, code, description)), \
                       SLICE_INIT(GW_SOAP_FAULT(12, message, code, description)), \
                       SLICE_INIT(challenge)},
    REFUSALS(X)
#undef X
};

static struct slice constant_body(const struct refusal_row *row, enum gw_soap soap)
{
    switch (soap) {
    case GW_SOAP_11:
        return row->fault_11;
    case GW_SOAP_12:
        return row->fault_12;
    case GW_SOAP_NONE:
        break;
    }
    return row->body;
}

void refuse(struct enforce_decision *out, enum refusal why)
{
    const struct refusal_row *row = &rows[why];

    out->verdict = ENFORCE_DENY;
    out->backend = out->path = out->host = out->strip_header = out->allow = SLICE_NONE;
    out->strip_keys = out->query = SLICE_NONE;
    out->query_cut = false;
    out->jwt = SLICE_NONE;
    out->content_type = gw_soap_type(out->soap);
    out->headers = SLICE_NONE;
    out->set_headers = out->remove_headers = SLICE_NONE;
    out->lines = 0;
    out->status = row->status;
    out->code = row->code;
    out->body = constant_body(row, out->soap);
    out->challenge = row->challenge;
}

static void add_member(struct buf *b, const char *before, struct slice value)
{
    buf_add_str(b, before);
    buf_add_json(b, value);
}

/* A body with texts that are no constants. */
static void write_body(struct enforce_decision *out, struct refuse_room *room, enum shape shape,
                       struct slice message, struct slice code, struct slice description)
{
    struct buf b;

    buf_init_fixed(&b, room->body, sizeof(room->body));
    if (out->soap != GW_SOAP_NONE) {
        gw_soap_fault(&b, out->soap, message, code, description);
    } else if (shape == SHAPE_ENFORCER) {
        add_member(&b, "{\"error_message\":", message);
        add_member(&b, ",\"code\":", code);
        add_member(&b, ",\"error_description\":", description);
        buf_add_char(&b, '}');
    } else {
        add_member(&b, "{\"code\":", code);
        add_member(&b, ",\"message\":", message);
        add_member(&b, ",\"description\":", description);
        buf_add_char(&b, '}');
    }
    CC_ASSERT(buf_error(&b) == CC_OK); /* all parts are bounded, and their sum is below the room */
    out->body = buf_slice(&b);
}

/* As refuse(), with another description than the table's. */
static void refuse_saying(struct enforce_decision *out, struct refuse_room *room, enum refusal why,
                          struct slice description)
{
    const struct refusal_row *row = &rows[why];

    refuse(out, why);
    write_body(out, room, row->shape, row->message, row->code, description);
}

void refuse_path(struct enforce_decision *out, struct refuse_room *room, enum gw_path_fault fault)
{
    refuse_saying(out, room, fault == GW_PATH_TOO_LONG ? REFUSE_TOO_LONG : REFUSE_BAD_REQUEST,
                  slice_of(gw_path_fault_text(fault)));
}

/* RFC 9110 10.2.1: the methods, in the order of enum gw_method, behind `first`. */
static struct slice allow_header(struct refuse_room *room, const char *first, unsigned methods)
{
    struct buf b;

    buf_init_fixed(&b, room->allow, sizeof(room->allow));
    buf_add_str(&b, first);
    for (unsigned m = 0; m < GW_METHOD_COUNT; m++) {
        if ((methods & 1u << m) == 0)
            continue;
        if (b.n > 0)
            buf_add_str(&b, ", ");
        buf_add_str(&b, gw_method_name((enum gw_method)m));
    }
    CC_ASSERT(buf_error(&b) == CC_OK); /* every method at most once: the room holds them all */
    return buf_slice(&b);
}

void refuse_method(struct enforce_decision *out, struct refuse_room *room, unsigned methods)
{
    refuse(out, REFUSE_METHOD);
    out->allow = allow_header(room, "", methods);
}

void refuse_with_options(struct enforce_decision *out, struct refuse_room *room, unsigned methods)
{
    refuse(out, REFUSE_METHOD);
    out->status = 204;
    out->code = out->body = out->content_type = SLICE_NONE; /* RFC 9110 15.3.5: no content */
    out->allow = allow_header(room, "OPTIONS", methods);
}

void refuse_with_preflight(struct enforce_decision *out)
{
    refuse(out, REFUSE_METHOD);
    out->status = 200; /* the contract's; Fetch takes any ok status */
    out->code = out->body = out->content_type = SLICE_NONE;
    out->cors.preflight = true;
}

/* RFC 6749 3.3: the characters of a scope; what has others cannot stand in a challenge. */
static bool is_scope_token(struct slice s)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];

        if (c <= 0x20 || c >= 0x7f || c == '"' || c == '\\')
            return false;
    }
    return s.n > 0;
}

/* The scopes of a challenge: [from, b->n) is `a b`. */
static bool has_scope(const struct buf *b, size_t from, struct slice scope)
{
    struct slice rest = slice_from(buf_slice(b), from), word;

    while (slice_split(&rest, ' ', &word))
        if (slice_eq(word, scope))
            return true;
    return false;
}

/* Adds one scope; what has no room any more is left out, whole. */
static void add_scope(struct buf *b, size_t from, struct slice scope)
{
    if (!is_scope_token(scope) || has_scope(b, from, scope) ||
        scope.n + 2 > b->max - b->n) /* a space before it, a quote after it */
        return;
    if (b->n > from)
        buf_add_char(b, ' ');
    buf_add(b, scope);
}

/* RFC 6750 3: scope="a b". Requirements are alternatives, which the attribute cannot say, so it
 * lists the scopes of all. */
static struct slice scope_challenge(struct refuse_room *room, const struct gw_operation *op)
{
    static const struct slice start =
        SLICE_INIT(REFUSE_BARE_CHALLENGE ", error=\"insufficient_scope\"");
    static const struct slice attribute = SLICE_INIT(", scope=\"");
    size_t from = start.n + attribute.n;
    struct buf b;

    buf_init_fixed(&b, room->challenge, sizeof(room->challenge));
    buf_add(&b, start);
    buf_add(&b, attribute);
    for (size_t i = 0; i < op->n_requirements; i++) {
        const struct gw_requirement *r = &op->requirements[i];

        for (size_t k = 0; k < r->n_needs; k++)
            for (size_t m = 0; m < r->needs[k].n_scopes; m++)
                add_scope(&b, from, r->needs[k].scopes[m]);
    }
    buf_add_char(&b, '"');
    CC_ASSERT(buf_error(&b) == CC_OK);
    return b.n > from + 1 ? buf_slice(&b) : start;
}

void refuse_scope(struct enforce_decision *out, struct refuse_room *room,
                  const struct gw_resource *resource, const struct gw_operation *operation)
{
    char text[TEMPLATE_SHOWN + 128];
    struct buf b;

    buf_init_fixed(&b, text, sizeof(text));
    buf_add_str(&b, "User is NOT authorized to access the Resource: ");
    buf_add(&b, slice_first(resource->template, TEMPLATE_SHOWN));
    buf_add_str(&b, ". Scope validation failed.");
    refuse_saying(out, room, REFUSE_SCOPE, buf_slice(&b));
    out->challenge = scope_challenge(room, operation);
}

void refuse_mock(struct enforce_decision *out, struct refuse_room *room, enum mock_fault fault,
                 struct slice preferred)
{
    /* what stands around the client's own words; NULL: the text of the table */
    static const struct {
        const char *before, *after;
    } texts[MOCK_FAULT_COUNT] = {
        [MOCK_MANY_LINES] = {"More than three lines of Prefer or Accept", ""},
        [MOCK_NO_CODE] = {"Preferred code ", " is not supported for this resource."},
        [MOCK_NO_TYPE] = {"Accept type [", "] is not supported for this resource"},
        [MOCK_NO_EXAMPLE] = {"Example preference ", " is not supported for this resource"},
    };
    char text[PREFERENCE_SHOWN + 128];
    struct buf b;

    if (texts[fault].before == NULL) {
        refuse(out, fault == MOCK_BAD_CODE ? REFUSE_MOCK_REQUEST : REFUSE_MOCK_ANSWER);
        return;
    }
    buf_init_fixed(&b, text, sizeof(text));
    buf_add_str(&b, texts[fault].before);
    buf_add(&b, slice_first(preferred, PREFERENCE_SHOWN));
    buf_add_str(&b, texts[fault].after);
    refuse_saying(out, room, fault == MOCK_MANY_LINES ? REFUSE_MOCK_REQUEST : REFUSE_MOCK_ANSWER,
                  buf_slice(&b));
}

void refuse_as_told(struct enforce_decision *out, struct refuse_room *room, int status,
                    struct slice code, struct slice message, struct slice description)
{
    refuse(out, REFUSE_INTERNAL);
    out->status = status;
    out->code = code;
    write_body(out, room, SHAPE_ENFORCER, message, code, description);
}

void refuse_token(struct enforce_decision *out, enum gw_token_type type, enum jwt_fault fault)
{
    static const enum refusal bad[GW_TOKEN_TYPE_COUNT] = {
        [GW_ACCESS_TOKEN] = REFUSE_BAD_TOKEN,
        [GW_API_KEY] = REFUSE_BAD_API_KEY,
        [GW_INTERNAL_KEY] = REFUSE_BAD_INTERNAL_KEY,
    };
    bool token = type == GW_ACCESS_TOKEN;

    switch (fault) {
    case JWT_INTERNAL:
    case JWT_BAD_INTROSPECTION: /* says nothing about the token */
        refuse(out, REFUSE_INTERNAL);
        break;
    case JWT_NOT_THREE_PARTS:
        refuse(out, token ? REFUSE_NOT_APPLICABLE : bad[type]);
        break;
    case JWT_BAD_BASE64:
    case JWT_BAD_HEADER:
        refuse(out, token ? REFUSE_NOT_JWT : bad[type]);
        break;
    case JWT_NO_KEYS:
    case JWT_KEYS_UNKNOWN:
    case JWT_KEYS_FETCHING: /* the token may be good: nothing says that it is not */
        refuse(out, REFUSE_NO_KEYS);
        break;
    default:
        refuse(out, bad[type]);
    }
}
