/* signer: a small pool of threads that signs JWTs for backends when many new ones are needed at
 * once.
 *
 * A worker signs by itself, but only so often that it stays free for requests that need no
 * signature (enforce/backend_jwt.h); what comes beyond that waits here. Jobs are bounded: what is
 * not taken is refused. The same JWT is signed once, however many workers ask for it. */
#pragma once

#include "spoa/oracle.h"

enum { SIGNER_MAX_THREADS = 8, SIGNER_MAX_JOBS = 1024 };

struct signer;

/* Starts the threads. Replies go to the postbox, which must outlive the signer. */
int signer_new(struct signer **out, size_t n_threads, struct postbox *postbox);
/* Waits for the signatures under way; jobs that wait are thrown away. Accepts a pointer to NULL. */
void signer_free(struct signer **s);

struct oracle *signer_oracle(struct signer *s);

/* JWTs signed so far; any thread. */
uint64_t signer_count(const struct signer *s);
