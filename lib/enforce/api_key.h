/* api_key: a signed API key, in a header or a query parameter (private to enforce).
 *
 * It is a JWT with token_type apiKey of an issuer that signs API keys. Whom it permits is asked for
 * each request anew; what it grants is remembered like that of a token. */
#pragma once

#include "enforce/credential.h"

enum credential_state api_key_find_in_header(struct attempt *a, const struct gw_need *need,
                                             struct slice *text);
enum credential_state api_key_find_in_query(struct attempt *a, const struct gw_need *need,
                                            struct slice *text);
bool api_key_open(struct attempt *a, const struct gw_need *need, struct slice text,
                  struct grant *out);
