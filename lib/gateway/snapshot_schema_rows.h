/* How the schema's tables are written (private to the files of the schema). */
#pragma once

#include "gateway/snapshot_schema.h"

#define SCHEMA(rows, owner, check)                                          \
    {                                                                       \
        sizeof(owner), sizeof(rows) / sizeof((rows)[0]), rows, check, false \
    }
#define SCHEMA_WHOLE(rows, owner, check)                                   \
    {                                                                      \
        sizeof(owner), sizeof(rows) / sizeof((rows)[0]), rows, check, true \
    }
#define AT(owner, member) .name = #member, .offset = offsetof(owner, member)
#define LIST(owner, member, element)                                                       \
    AT(owner, member), .type = SNAPSHOT_LIST, .count_offset = offsetof(owner, n_##member), \
                       .of = (element)
#define TEXTS(owner, member, check)                                                         \
    AT(owner, member), .type = SNAPSHOT_TEXTS, .count_offset = offsetof(owner, n_##member), \
                       .fault = (check)

/* Integers that any JSON reader keeps exact (RFC 8259 6). */
#define MAX_EXACT ((UINT64_C(1) << 53) - 1)

/* What is wrong with a text, or NULL. They get into logs, headers and variables of HAProxy. */
const char *snapshot_optional_text(struct slice s);
const char *snapshot_required_text(struct slice s);
const char *snapshot_header_name(struct slice s); /* in lower case */
