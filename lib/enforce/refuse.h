/* refuse: what a client is told when it is refused (private to enforce).
 *
 * One table of refusals: status, code and texts of the contract. Two shapes of JSON: the enforcer's
 * for what concerns credentials, the router's for what concerns the request itself. Nothing of a
 * token ever gets into an answer. */
#pragma once

#include "enforce/enforce.h"
#include "enforce/mock.h"

#define REFUSE_BARE_CHALLENGE "Bearer realm=\"cc-gateway\""
#define REFUSE_TOKEN_CHALLENGE                          \
    REFUSE_BARE_CHALLENGE ", error=\"invalid_token\", " \
                          "error_description=\"The provided token is invalid\""

/* The contract's word; no scheme that is registered asks for a certificate. */
#define REFUSE_CERTIFICATE_CHALLENGE "Mutual SSL realm=\"cc-gateway\""

#define REFUSE_SUFFIX "Make sure you have provided the correct security credentials"

#define REFUSE_THROTTLED "Message throttled out"
#define REFUSE_EXCEEDED  "You have exceeded your quota"

#define REFUSE_SUBSCRIPTION \
    "User is NOT authorized to access the Resource. API Subscription validation failed."

/* X(name, status, shape, code, message, description, challenge). RFC 6750 3: no error attribute
 * when the request has no bearer credential at all. */
#define REFUSALS(X)                                                                               \
    X(BAD_REQUEST, 400, ROUTER, "400", "Bad Request", "The Host header is missing or malformed.", \
      "")                                                                                         \
    X(NOT_FOUND, 404, ROUTER, "404", "Not Found", "The requested resource is not available.", "") \
    X(METHOD, 405, ROUTER, "405", "Method Not Allowed",                                           \
      "The requested resource does not support this method.", "")                                 \
    X(TOO_LONG, 414, ROUTER, "414", "URI Too Long",                                               \
      "The path is too long for the backend of this resource.", "")                               \
    X(INTERNAL, 503, ROUTER, "102500", "Unclassified Validation Failure",                         \
      "Error during validating the request", "")                                                  \
    X(NO_CREDENTIAL, 401, ENFORCER, "900901", "Invalid Credentials", REFUSE_SUFFIX,               \
      REFUSE_BARE_CHALLENGE)                                                                      \
    X(NOT_BEARER, 401, ENFORCER, "900902", "Missing Credentials",                                 \
      "Missing Credentials. Make sure your API invocation call has a header: "                    \
      "Authorization: Bearer ACCESS_TOKEN",                                                       \
      REFUSE_BARE_CHALLENGE)                                                                      \
    X(NOT_APPLICABLE, 401, ENFORCER, "900901", "Invalid Credentials", REFUSE_SUFFIX,              \
      REFUSE_TOKEN_CHALLENGE)                                                                     \
    X(NOT_JWT, 401, ENFORCER, "900901", "Invalid Credentials",                                    \
      "Not a JWT token. Failed to decode the token header. " REFUSE_SUFFIX,                       \
      REFUSE_TOKEN_CHALLENGE)                                                                     \
    X(BAD_TOKEN, 401, ENFORCER, "900901", "Invalid Credentials",                                  \
      "Invalid Credentials. " REFUSE_SUFFIX, REFUSE_TOKEN_CHALLENGE)                              \
    X(BAD_API_KEY, 401, ENFORCER, "900901", "Invalid Credentials",                                \
      "API key authentication failed. " REFUSE_SUFFIX, REFUSE_BARE_CHALLENGE)                     \
    X(BAD_INTERNAL_KEY, 401, ENFORCER, "900901", "Invalid Credentials",                           \
      "Invalid Credentials. " REFUSE_SUFFIX, REFUSE_BARE_CHALLENGE)                               \
    X(NOT_PERMITTED, 403, ENFORCER, "900908", "Resource forbidden ",                              \
      "Access forbidden for the invocations", REFUSE_BARE_CHALLENGE)                              \
    X(NO_KEYS, 401, ENFORCER, "900900", "Unclassified Authentication Failure",                    \
      "The keys of the token's issuer are not available", REFUSE_BARE_CHALLENGE)                  \
    X(NO_CERTIFICATE, 401, ENFORCER, "900901", "Invalid Credentials", REFUSE_SUFFIX,              \
      REFUSE_CERTIFICATE_CHALLENGE)                                                               \
    X(NOT_CERTIFICATE, 401, ENFORCER, "900900", "Unclassified Authentication Failure",            \
      "Invalid client certificate", REFUSE_CERTIFICATE_CHALLENGE)                                 \
    X(SANDBOX, 401, ENFORCER, "900901", "Invalid Credentials",                                    \
      "Sandbox key offered to an API with no sandbox endpoint. " REFUSE_SUFFIX,                   \
      REFUSE_TOKEN_CHALLENGE)                                                                     \
    X(PRODUCTION, 401, ENFORCER, "900901", "Invalid Credentials",                                 \
      "Production key offered to an API with no production endpoint. " REFUSE_SUFFIX,             \
      REFUSE_TOKEN_CHALLENGE)                                                                     \
    X(KEY_TYPE, 401, ENFORCER, "900901", "Invalid Credentials",                                   \
      "Invalid key type. " REFUSE_SUFFIX, REFUSE_TOKEN_CHALLENGE)                                 \
    X(API_BLOCKED, 503, ENFORCER, "700700", "API blocked",                                        \
      "This API has been blocked temporarily. Please try again later or contact the system "      \
      "administrators.",                                                                          \
      "")                                                                                         \
    X(SUBSCRIPTION_BLOCKED, 403, ENFORCER, "900907", "The requested API is temporarily blocked",  \
      REFUSE_SUBSCRIPTION, REFUSE_BARE_CHALLENGE)                                                 \
    X(NOT_SUBSCRIBED, 403, ENFORCER, "900908", "Resource forbidden ", REFUSE_SUBSCRIPTION,        \
      REFUSE_BARE_CHALLENGE)                                                                      \
    X(NOT_IN_TOKEN, 403, ENFORCER, "900908", "Resource forbidden ", "Resource forbidden ",        \
      REFUSE_BARE_CHALLENGE)                                                                      \
    X(SUBSCRIPTION_INACTIVE, 403, ENFORCER, "900909", "The subscription to the API is inactive",  \
      REFUSE_SUBSCRIPTION, REFUSE_BARE_CHALLENGE)                                                 \
    X(INTERCEPTOR, 500, ENFORCER, "103500", "Internal Server Error", "Internal Server Error", "") \
    X(BACKEND_JWT, 500, ENFORCER, "900900", "Unclassified Authentication Failure",                \
      "The JWT for the backend cannot be made", "")                                               \
    X(SCOPE, 403, ENFORCER, "900910",                                                             \
      "The access token does not allow you to access the requested resource",                     \
      "User is NOT authorized to access the Resource. Scope validation failed.", "")              \
    X(DENIED, 403, ENFORCER, "900805", "Message blocked",                                         \
      "You have been blocked from accessing the resource", "")                                    \
    X(API_LIMIT, 429, ENFORCER, "900800", REFUSE_THROTTLED, REFUSE_EXCEEDED, "")                  \
    X(RESOURCE_LIMIT, 429, ENFORCER, "900802", REFUSE_THROTTLED, REFUSE_EXCEEDED, "")             \
    X(APPLICATION_LIMIT, 429, ENFORCER, "900803", REFUSE_THROTTLED, REFUSE_EXCEEDED, "")          \
    X(SUBSCRIPTION_LIMIT, 429, ENFORCER, "900804", REFUSE_THROTTLED, REFUSE_EXCEEDED, "")         \
    X(CUSTOM_LIMIT, 429, ENFORCER, "900806", REFUSE_THROTTLED, REFUSE_EXCEEDED, "")               \
    X(NO_LENGTH, 411, ROUTER, "411", "Length Required",                                           \
      "The length of the request must be known before it is sent: Content-Length.", "")           \
    X(UNDECIDED, 400, ROUTER, "400", "Bad Request",                                               \
      "It cannot be decided which limits the request has.", "")                                   \
    X(MOCK_REQUEST, 400, ENFORCER, "900870", "Bad Request", "Invalid format for code preference", \
      "")                                                                                         \
    X(MOCK_ANSWER, 501, ENFORCER, "900871", "Not Implemented",                                    \
      "This resource has no example to answer with.", "")

enum refusal {
#define X(name, ...) REFUSE_##name,
    REFUSALS(X)
#undef X
};

/* Room for what is not constant; one a worker. */
struct refuse_room {
    char body[4096];
    char challenge[1024];
    char allow[64];
};

/* Turns `out` into a denial. Facts and the reason stay. */
void refuse(struct enforce_decision *out, enum refusal why);

/* 400, or 414 for a path that is too long; the description says what is wrong with it. */
void refuse_path(struct enforce_decision *out, struct refuse_room *room, enum gw_path_fault fault);

/* 405 with `methods`, a bit set of 1u << enum gw_method, in the Allow header. */
void refuse_method(struct enforce_decision *out, struct refuse_room *room, unsigned methods);

/* The 204 that answers OPTIONS where it is not declared; Allow has OPTIONS before `methods`. */
void refuse_with_options(struct enforce_decision *out, struct refuse_room *room, unsigned methods);

/* The 200 that answers a CORS preflight; what it says is out->cors. */
void refuse_with_preflight(struct enforce_decision *out);

/* 403: the body names the resource's template, the challenge all scopes of the operation. */
void refuse_scope(struct enforce_decision *out, struct refuse_room *room,
                  const struct gw_resource *resource, const struct gw_operation *operation);

/* What a mock API says when it has no answer (400 or 501). */
void refuse_mock(struct enforce_decision *out, struct refuse_room *room, enum mock_fault fault,
                 struct slice preferred);

/* What a filter says: all parts bounded, the texts to 256 bytes. `code` lives as long as the
 * decision. */
void refuse_as_told(struct enforce_decision *out, struct refuse_room *room, int status,
                    struct slice code, struct slice message, struct slice description);

/* 401 for a token or the keys of its issuer, or 503 when the fault is not the token's. */
void refuse_token(struct enforce_decision *out, enum gw_token_type type, enum jwt_fault fault);
