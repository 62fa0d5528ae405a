/* token: the OAuth 2 access token of a request, a JWT (private to enforce; RFC 6750, RFC 9068). */
#pragma once

#include "enforce/credential.h"

/* The token in the API's header. credentials = "Bearer" 1*SP token (RFC 6750 2.1; RFC 9110 11.4:
 * the scheme is case-insensitive). Tabs are let pass for spaces; a second word is not. */
enum credential_state token_find(struct attempt *a, const struct gw_need *need,
                                 struct slice *token);

/* From the token to what it grants, by the cache when it knows it. Only a token that is verified
 * and valid now is remembered: neither forged nor expired ones can push out others. */
bool token_open(struct attempt *a, const struct gw_need *need, struct slice token, struct grant *g);

/* The same for a token of any type. */
bool token_open_as(struct attempt *a, enum gw_token_type type, struct slice token, struct grant *g);

/* Refuses with `where`, or the name of the API's header, before `text`. Returns false. */
bool token_refuse_at(struct attempt *a, enum refusal why, struct slice where, const char *text);
bool token_refuse(struct attempt *a, enum refusal why, const char *text);
