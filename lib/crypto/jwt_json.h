/* The JSON texts of a token, read with limits: for the files of this folder, and for who copies
 * claims of one token into another. */
#pragma once

#include "crypto/jwt.h"

#include <jansson.h>

/* Parses a JSON object with unique members, at most JWT_MAX_DEPTH deep, in valid UTF-8 without
 * NUL. JWT_OK, `fault` when it is not that, or JWT_INTERNAL without memory. The caller gives *out
 * back with json_decref(). */
enum jwt_fault jwt_json_parse(struct slice text, enum jwt_fault fault, json_t **out);

/* How deep it is, be it JSON or not. */
size_t jwt_json_nesting(struct slice text);

/* The bytes of a JSON string; absent when `value` is none. Lives as long as `value`. */
struct slice jwt_json_text(const json_t *value);

/* A text claim, copied. Control characters have no business in names and identifiers, and would
 * otherwise reach headers and log lines: JWT_BAD_CLAIM. Absent is fine. */
enum jwt_fault jwt_read_text(const json_t *value, struct arena *arena, struct slice *out);

/* names->extra -> out->extra. */
enum jwt_fault jwt_read_extra(const json_t *payload, const struct jwt_claim_names *names,
                              struct arena *arena, struct jwt_claims *out);

/* The claims of struct jwt_subscriptions. */
enum jwt_fault jwt_read_subscriptions(const json_t *payload, struct arena *arena,
                                      struct jwt_subscriptions *out);
