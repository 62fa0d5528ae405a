/* key_file: private keys on disk.
 *
 * Who can read a private key can sign as the gateway, so a file that too many may read is not used
 * at all. Blocks on the disk; the text of the key is wiped from memory. */
#pragma once

#include "crypto/key.h"

/* The permissions that such a file may not have: none but the owner's; or the group's reading, too,
 * for a key of a service. */
enum { KEY_FILE_OWNER_ONLY = 077, KEY_FILE_GROUP_READS = 037 };

/* Reads a PEM key. The file must be a regular one, of this user or of root. Otherwise a finding at
 * `place` says what is wrong (CC1001, CC4001, CC4003), and CC_EINVAL comes back. */
int key_file_read(struct key **out, const char *path, unsigned forbidden, struct place place,
                  struct diag *diag);
