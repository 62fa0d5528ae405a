/* audit: what its files share.
 *
 *   audit.c            the model: operations, CORS, hosts, endpoints, deny rules
 *   audit_document.c   documents: passwords, schemes and flows
 *   audit_settings.c   cc.yaml            audit_files.c   permissions of files */
#pragma once

#include "generator/review.h"

void audit_documents(struct review *r, const struct project_docs *project);

/* An address that only this machine reaches. */
bool audit_is_local(struct slice host);
