/* review_openapi: the operations of an OpenAPI document as a list, for reviewers. */
#pragma once

#include "generator/review.h"

enum { REVIEW_REF_DEPTH = 16 };

struct review_operation {
    const struct doc_node *path; /* the key below `paths` */
    const struct doc_node *item; /* the path item, references followed */
    const struct doc_node *key;  /* "get", where it stands */
    const struct doc_node *node; /* the operation, a map */
    enum gw_method method;
};

struct review_operations {
    const struct doc *doc;
    struct review_operation *list; /* in the order of the document */
    size_t n;
};

void review_list_operations(struct review *r, const struct doc *doc, struct review_operations *out);

/* A node, or what its $ref leads to; NULL when that leads nowhere. */
const struct doc_node *review_follow(const struct doc *doc, const struct doc_node *node);

/* The name of the next {parameter} of a template: *rest is what is left of it. False at the end. */
bool review_next_parameter(struct slice *rest, struct slice *name);
