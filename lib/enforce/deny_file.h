/* deny_file: deny rules that were added while the agent runs, on disk, so that a restart does not
 * let in again whom somebody shut out.
 *
 * One file, `denied.rules` in the state directory, a line a rule, in which an operator can read:
 *
 *     cc deny rules 1 SHA256-OF-THE-LINES
 *     1700000060 - user bob
 *     1700000000-0 invert ip 203.0.113.0/24
 *
 * the seconds since 1970 at which a rule begins, if it is not at once, and ends (0: never), whether
 * it is inverted, kind and value. It is written beside the old one, synced and renamed. A file that
 * is damaged is refused as a whole: a rule may be missing in it.
 *
 * The admin socket's `show deny raw` has the same lines. */
#pragma once

#include "enforce/deny_list.h"

#define DENY_FILE_NAME "denied.rules"

enum {
    DENY_FILE_RULES = 1000,       /* at most */
    DENY_FILE_VALUE_BYTES = 1024, /* of a rule */
    DENY_FILE_BYTES = 2 << 20
};

/* What is wrong with a rule's value, for people; NULL: nothing. */
const char *deny_file_fault(const struct gw_deny_rule *rule);

/* One line of such a file: adds it, with its line feed; takes it, without one, false when it is
 * none. The value lies in the line then. */
void deny_file_add_rule(struct buf *out, const struct gw_deny_rule *rule);
bool deny_file_read_rule(struct slice line, struct gw_deny_rule *out);

/* Writes the rules (NULL: none) to the directory, and makes the directory. Blocks. */
int deny_file_write(const char *directory, const struct deny_list *list);

/* Reads them; *out is NULL when there are none, or the file is not there. CC_EREFUSED: others than
 * this user and root can write the file or the directory. CC_EPARSE: damaged. CC_EVERSION: of
 * another version. Blocks. */
int deny_file_read(struct deny_list **out, const char *directory);

/* The content of such a file; for deny_file_read() and the fuzz target. */
int deny_file_parse(struct deny_list **out, struct slice text, struct arena *scratch);
