#include "enforce/refuse.h"

enum { TEMPLATE_SHOWN = 512 }; /* bytes of a template in a body; escaped at most six times that */

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
    struct slice code, message, body, challenge;
} rows[] = {
#define X(name, status, shape, code, message, description, challenge)        \
    [REFUSE_##name] = {status,                                               \
                       SHAPE_##shape,                                        \
                       SLICE_INIT(code),                                     \
                       SLICE_INIT(message),                                  \
                       SLICE_INIT(BODY_##shape(code, message, description)), \
                       SLICE_INIT(challenge)},
    REFUSALS(X)
#undef X
};

void refuse(struct enforce_decision *out, enum refusal why)
{
    const struct refusal_row *row = &rows[why];

    out->verdict = ENFORCE_DENY;
    out->backend = out->path = out->host = out->strip_header = out->allow = SLICE_NONE;
    out->status = row->status;
    out->code = row->code;
    out->body = row->body;
    out->challenge = row->challenge;
}

static void add_member(struct buf *b, const char *before, struct slice value)
{
    buf_add_str(b, before);
    buf_add_json(b, value);
}

/* As refuse(), with another description than the table's. */
static void refuse_saying(struct enforce_decision *out, struct refuse_room *room, enum refusal why,
                          struct slice description)
{
    const struct refusal_row *row = &rows[why];
    struct buf b;

    refuse(out, why);
    buf_init_fixed(&b, room->body, sizeof(room->body));
    if (row->shape == SHAPE_ENFORCER) {
        add_member(&b, "{\"error_message\":", row->message);
        add_member(&b, ",\"code\":", row->code);
        add_member(&b, ",\"error_description\":", description);
    } else {
        add_member(&b, "{\"code\":", row->code);
        add_member(&b, ",\"message\":", row->message);
        add_member(&b, ",\"description\":", description);
    }
    buf_add_char(&b, '}');
    CC_ASSERT(buf_error(&b) == CC_OK); /* all parts are bounded, and their sum is below the room */
    out->body = buf_slice(&b);
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
    out->code = out->body = SLICE_NONE; /* RFC 9110 15.3.5: no content */
    out->allow = allow_header(room, "OPTIONS", methods);
}

void refuse_with_preflight(struct enforce_decision *out)
{
    refuse(out, REFUSE_METHOD);
    out->status = 200; /* the contract's; Fetch takes any ok status */
    out->code = out->body = SLICE_NONE;
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

/* Does an earlier place of the operation list this scope already? */
static bool is_repeated(const struct gw_operation *op, size_t requirement, size_t scope)
{
    struct slice s = op->requirements[requirement].scopes[scope];

    for (size_t i = 0; i <= requirement; i++) {
        size_t n = i < requirement ? op->requirements[i].n_scopes : scope;

        for (size_t k = 0; k < n; k++)
            if (slice_eq(op->requirements[i].scopes[k], s))
                return true;
    }
    return false;
}

/* Adds one scope to the attribute; false when it does not fit any more. */
static bool add_scope(struct buf *b, struct slice scope, bool first)
{
    struct slice before = first ? SLICE(", scope=\"") : SLICE(" ");

    if (scope.n > b->max - b->n || before.n + 1 > b->max - b->n - scope.n)
        return false;
    buf_add(b, before);
    buf_add(b, scope);
    return true;
}

/* RFC 6750 3: scope="a b". Requirements are alternatives, which the attribute cannot say, so it
 * lists the scopes of all; those beyond the room are left out, whole. */
static struct slice scope_challenge(struct refuse_room *room, const struct gw_operation *op)
{
    struct buf b;
    bool first = true;

    buf_init_fixed(&b, room->challenge, sizeof(room->challenge));
    buf_add_str(&b, REFUSE_BARE_CHALLENGE ", error=\"insufficient_scope\"");
    for (size_t i = 0; i < op->n_requirements; i++) {
        for (size_t k = 0; k < op->requirements[i].n_scopes; k++) {
            struct slice s = op->requirements[i].scopes[k];

            if (is_scope_token(s) && !is_repeated(op, i, k) && add_scope(&b, s, first))
                first = false;
        }
    }
    if (!first)
        buf_add_char(&b, '"');
    CC_ASSERT(buf_error(&b) == CC_OK);
    return buf_slice(&b);
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

void refuse_token(struct enforce_decision *out, enum jwt_fault fault)
{
    switch (fault) {
    case JWT_INTERNAL:
        refuse(out, REFUSE_INTERNAL);
        break;
    case JWT_NOT_THREE_PARTS:
        refuse(out, REFUSE_NOT_APPLICABLE);
        break;
    case JWT_BAD_BASE64:
    case JWT_BAD_HEADER:
        refuse(out, REFUSE_NOT_JWT);
        break;
    default:
        refuse(out, REFUSE_BAD_TOKEN);
    }
}
