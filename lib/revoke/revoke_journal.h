/* revoke_journal: the state file of revocations, DIR/revoked.journal: what others said than the
 * operator's file, so that a restart forgets nothing.
 *
 *     cc-gateway revoked 1
 *     0f3a5c1d8e7b2a46 + 1893456000 6f0c0000-0000-4000-8000-0000000000aa
 *     9be11f04c6d2735a - - 6f0c0000-0000-4000-8000-0000000000aa
 *
 * A line each: a checksum, + (revoked) or - (taken back), until when (- = for ever), and the id to
 * the end of the line. Lines are appended and synced before they count as saved; from time to time
 * the file is written anew with what is left. A crash leaves at most a torn end, of which nobody
 * was told that it is saved: it is cut off. Damage anywhere else refuses the file, because a
 * revocation might be missing.
 *
 * All calls block on the disk. What cannot be written now is kept, in order, for the next commit.
 */
#pragma once

#include "revoke/revoke.h"

struct revoke_journal;

struct revoke_journal_report {
    bool shared;   /* see revoke_journal_set_shared() */
    size_t lines;  /* good ones */
    size_t torn;   /* bytes cut off at the end */
    size_t broken; /* number of the damaged line, when CC_EPARSE */
};

/* Opens or makes the file in `directory`, which is made when it is not there, and adds what is
 * saved to `table` (REVOKED_BY_STATE). CC_EREFUSED: others than we could have written it;
 * CC_EPARSE: damaged; else errors of the disk. That a new file cannot be made is an error of the
 * next commit. */
int revoke_journal_open(struct revoke_journal **out, const char *directory, struct revoked *table,
                        int64_t now_s, struct revoke_journal_report *report);
/* The same without making or changing anything: for whoever only looks. CC_ENOENT: there is none.
 */
int revoke_journal_read(const char *directory, struct revoked *table, int64_t now_s,
                        struct revoke_journal_report *report);
void revoke_journal_close(struct revoke_journal **j);

/* Lines for the next commit. */
void revoke_journal_add(struct revoke_journal *j, struct slice id, int64_t until_s);
void revoke_journal_remove(struct revoke_journal *j, struct slice id);

/* From now on it says that it has what all gateways know: whoever starts with it does not start
 * with less than was known then. */
void revoke_journal_set_shared(struct revoke_journal *j);

/* Appends the lines and syncs them; or writes the file anew from `table`, in which they must be by
 * now, when it is much longer than what is left of it. CC_OK: all that was ever added is on the
 * disk. */
int revoke_journal_commit(struct revoke_journal *j, const struct revoked *table);
