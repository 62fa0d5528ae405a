/* jwks_saved: a key set on disk, so that a restart while its issuer is down still works.
 *
 * One file a URL in the state directory: jwks-<hash of the URL>.json, 0600. Who can write it decides
 * who gets in, so a directory or file that others may write is refused, as a snapshot is; the text
 * is checked like one from the network. Both calls block on the disk. */
#pragma once

#include "crypto/jwks.h"

struct jwks_saved {
    struct slice etag;  /* "" = none */
    struct slice body;  /* the key set as it came */
    int64_t fetched_s;  /* wall clock: when its server last said that it holds */
    int64_t max_age_s;  /* what the server said; -1: nothing */
};

int jwks_saved_write(const char *directory, struct slice url, const struct jwks_saved *saved);

/* CC_ENOENT when nothing is saved; CC_EREFUSED when others could have written it; CC_EPARSE when it
 * is not what was written. Texts live in the arena. */
int jwks_saved_read(const char *directory, struct slice url, struct arena *arena,
                    struct jwks_saved *out);

/* The text of such a file; for jwks_saved_read() and the fuzz target. */
int jwks_saved_parse(struct slice text, struct slice url, struct arena *arena,
                     struct jwks_saved *out);
