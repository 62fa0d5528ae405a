/* doc_json: a node of a document -> compact JSON (RFC 8259).
 *
 * For examples, which go out as bodies. Numbers keep their digits where JSON has such a number, and
 * are brought into its form where it has not (0x1f, +1, .5); keys of maps are texts, whatever YAML
 * took them for. */
#pragma once

#include "doc/doc.h"

/* Appends the JSON of `node` to `out`. CC_OK; CC_EINVAL for what JSON cannot say (.inf, .nan), then
 * null stands for it; else the buffer's error. Stops early when the buffer is full. */
int doc_json(const struct doc_node *node, struct buf *out);
