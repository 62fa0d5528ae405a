/* lint: what its files share.
 *
 *   lint.c            the order of work; rules about single operations
 *   lint_paths.c      path parameters, and paths that look alike
 *   lint_document.c   security schemes, scopes, references, info
 *   lint_routes.c     operations that no request reaches, by the gateway's own route table */
#pragma once

#include "generator/review_openapi.h"

void lint_paths(struct review *r, const struct review_operations *operations);
void lint_document(struct review *r, const struct project_docs *project,
                   const struct review_operations *operations);
void lint_routes(struct review *r);
