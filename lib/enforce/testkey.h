/* testkey: tokens for tests, signed by the agent for users with a password (enforcer.jwtIssuer).
 *
 * A struct enforce_testkey is made when the agent starts and is immutable from then on: all workers
 * look into it. Of the passwords it holds only SHA-256, of which all are compared each time, so
 * that an answer takes as long for a wrong name as for a wrong password. */
#pragma once

#include "crypto/crypto.h"

#define TESTKEY_PATH "/testkey"

enum {
    TESTKEY_MAX_USERS = 64,
    TESTKEY_NAME_MAX = 128,
    TESTKEY_PASSWORD_MAX = 256,
    TESTKEY_LOGIN_MAX = 1024,      /* bytes of an Authorization header that is looked at */
    TESTKEY_SCOPE_MAX = 1024,      /* of a scope, decoded */
    TESTKEY_TEXT_MAX = 255,        /* of the issuer and of the dialect */
    TESTKEY_ATTEMPTS_A_SECOND = 20 /* that one worker looks at */
};

struct testkey_user {
    struct slice name, password;
};

struct testkey_settings {
    struct slice issuer;      /* the iss claim */
    struct slice dialect;     /* what keytype and sub begin with; "" = nothing */
    struct slice certificate; /* PEM, whose names are in the header of tokens; "" = no names */
    bool base64url; /* as RFC 7515 says, or else nobody's verifier takes it but old ones */
    int64_t validity_s;
    const struct testkey_user *users;
    size_t n_users;
};

struct enforce_testkey;

/* Copies the settings, and takes the key in any case. CC_EINVAL: it is not the certificate's, is
 * not private, or is neither RSA nor P-256; or a text is too long. */
int enforce_testkey_new(struct enforce_testkey **out, const struct testkey_settings *settings,
                        struct key *key);
/* Accepts a pointer to NULL. */
void enforce_testkey_free(struct enforce_testkey **t);
