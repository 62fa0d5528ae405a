/* yaml_out: YAML that is written, by libyaml's emitter.
 *
 * Whatever a text holds - quotes, colons, line breaks, "yes" or "1.0" - it is read back as the same
 * text by lib/doc and by other readers of YAML 1.1 and 1.2: it stands plain only when it cannot be
 * anything else. Errors stick; yaml_out_close() tells. */
#pragma once

#include "doc/doc.h"

struct yaml_out;

/* Begins a document that is written to `out`. NULL without memory. */
struct yaml_out *yaml_out_new(struct buf *out);

/* Ends the document. CC_OK; the buffer's error; CC_ENOMEM; CC_EINVAL (a text that is not UTF-8). */
int yaml_out_close(struct yaml_out **y);

void yaml_out_map(struct yaml_out *y);
void yaml_out_map_end(struct yaml_out *y);
void yaml_out_list(struct yaml_out *y);
void yaml_out_list_end(struct yaml_out *y);

/* A text: a key of a map, its value, or an element of a list. */
void yaml_out_text(struct yaml_out *y, struct slice text);
/* A key and its text. */
void yaml_out_member(struct yaml_out *y, const char *key, struct slice text);
/* A key; its value follows. */
void yaml_out_key(struct yaml_out *y, const char *key);
void yaml_out_bool(struct yaml_out *y, bool value);

/* A whole tree. Aliases are written out; lib/doc bounds how much that can be. */
void yaml_out_node(struct yaml_out *y, const struct doc_node *node);
