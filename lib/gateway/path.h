/* The one normal form of a request path: what is matched, decided on and sent to the backend.
 *
 * Percent-encoded unreserved characters are decoded (RFC 3986 6.2.2.2), other escapes get
 * upper-case digits (6.2.2.1); nothing is decoded twice. Everything that two parties could read
 * differently is refused instead of repaired: dot segments, empty segments, encoded slash,
 * backslash, NUL or control characters, ';' parameters, '#', raw non-ASCII bytes, broken escapes. A
 * trailing slash is kept and is not an empty segment. What remains is made of RFC 3986 pchar
 * without ';', and '/'.
 *
 * All functions are pure, allocate nothing and are safe from any thread. */
#pragma once

#include "base/base.h"

enum { GW_PATH_MAX = 8192, GW_PATH_MAX_SEGMENTS = 256, GW_HOST_MAX = 255 };

#define GW_PATH_FAULTS(X)                                                        \
    X(GW_PATH_OK, "")                                                            \
    X(GW_PATH_NOT_ABSOLUTE, "the path does not begin with '/'")                  \
    X(GW_PATH_TOO_LONG, "the path is longer than 8192 bytes or 256 segments")    \
    X(GW_PATH_DOT_SEGMENT, "the path has a '.' or '..' segment")                 \
    X(GW_PATH_EMPTY_SEGMENT, "the path has an empty segment")                    \
    X(GW_PATH_ENCODED_SEPARATOR, "the path has an encoded slash or a backslash") \
    X(GW_PATH_CONTROL, "the path has a control character")                       \
    X(GW_PATH_PARAMETER, "the path has a ';' parameter")                         \
    X(GW_PATH_BAD_ESCAPE, "the path has a broken percent-escape")                \
    X(GW_PATH_OVERLONG, "the path has an overlong UTF-8 escape")                 \
    X(GW_PATH_BAD_CHARACTER, "the path has a character that must be percent-encoded")

enum gw_path_fault {
#define X(name, text) name,
    GW_PATH_FAULTS(X)
#undef X
};

/* Why a path was refused, as told to the client. */
const char *gw_path_fault_text(enum gw_path_fault fault);

/* Normalises `raw` (without query). When it is normal already, *out is `raw` itself; else it is in
 * `room` (at least raw.n bytes: a normal path is never longer). When a path has several faults, the
 * first one in it is told. */
enum gw_path_fault gw_path_normalize(struct slice raw, char *room, struct slice *out);

/* Host header -> the name to look up: lower case, without port and trailing dot, IPv6 without
 * brackets in its shortest spelling (RFC 5952). False when it is empty, longer than GW_HOST_MAX or
 * has characters no host has. `room` takes GW_HOST_MAX bytes. */
bool gw_host_normalize(struct slice raw, char *room, struct slice *out);

/* Is this base path (resp. template below one, virtual host) usable, in the form that the model
 * holds? NULL when it is, else what is wrong with it, for a finding. A base path is "" or begins
 * with '/' and does not end with it. Literal text of a template must be in normal form, for no
 * request could match it else. */
const char *gw_base_path_fault(struct slice base_path);
const char *gw_template_fault(struct slice template);
const char *gw_vhost_fault(struct slice vhost);
