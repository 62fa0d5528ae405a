/* credential: what a request brings to be admitted, by kinds (private to enforce).
 *
 * Each kind of gw_credential is a row of functions: where it is in a request, whether it is genuine
 * and what it grants, whether its application may call the API. A new kind is a row in authorize.c
 * and the module with its functions; what requirements combine from them is authorize's. */
#pragma once

#include "enforce/attempt.h"

enum credential_state {
    CREDENTIAL_ABSENT,  /* the request has none */
    CREDENTIAL_REFUSED, /* it has one that does not count */
    CREDENTIAL_GOOD
};

/* On whose behalf, as far as it is known: the members of struct enforce_decision. */
struct subject {
    struct slice user, app, keytype;
    struct enforce_application application;
};

/* One credential of the request: looked at once, however many requirements ask for it. */
struct credential {
    struct credential *before;  /* that was looked at before this one */
    const struct gw_need *need; /* the first that asked for it */
    enum credential_state state;
    struct slice text;      /* as it was sent; when it is good */
    struct grant grant;     /* the same */
    bool kept;              /* another one was looked at since: */
    struct subject subject; /* then this is what it said; until then it is in a->out */
};

/* All functions but `open` of a good one write their refusal into a->out and a->reason. */
struct credential_kind {
    /* Alternatives are tried by the least of their ranks, then in the order of the document. */
    enum credential_rank {
        CREDENTIAL_RANK_CERTIFICATE,
        CREDENTIAL_RANK_INTERNAL_KEY,
        CREDENTIAL_RANK_TOKEN,
        CREDENTIAL_RANK_API_KEY,
        CREDENTIAL_RANKS
    } rank;
    bool has_scopes;
    /* Whose call it is, another credential of the requirement says, if there is one: a certificate
     * may be that of a program that many use. */
    bool yields;
    /* The text of the credential that `need` asks for. */
    enum credential_state (*find)(struct attempt *a, const struct gw_need *need,
                                  struct slice *text);
    /* From the text to what it grants; then fills in user, app and keytype of a->out. */
    bool (*open)(struct attempt *a, const struct gw_need *need, struct slice text,
                 struct grant *out);
    /* May the application of the grant call the API? Fills in a->out->application. */
    bool (*admit)(struct attempt *a, const struct grant *grant);
};

void subject_take(const struct enforce_decision *out, struct subject *subject);
void subject_put(struct enforce_decision *out, const struct subject *subject);

/* Copies into the worker's arena what may lie in the token cache, which the next credential may
 * overwrite. False: no memory. */
bool subject_keep(struct subject *subject, struct arena *arena);
bool grant_keep(struct grant *grant, struct arena *arena);
