/* devkey: the private keys that sign development tokens, one file for each kind of key.
 *
 * They are made on first use in ${XDG_STATE_HOME:-$HOME/.local/state}/cc-gen/ (mode 0700), files
 * 0600. Each kind has an issuer of its own, because an issuer has one key; `cc-gen run` trusts all
 * of them, nothing else does. */
#pragma once

#include "config/config.h"
#include "crypto/crypto.h"
#include "gateway/gateway.h"

enum { DEVKEY_KINDS = KEY_ED25519 + 1 };

/* The kind of key that signs `alg`. */
enum key_kind devkey_kind(enum jwt_alg alg);

/* `iss` of tokens that the development key of this kind signs. */
const char *devkey_issuer(enum key_kind kind);

/* Loads the development key of this kind, making it when there is none. Findings: CC4001, CC4003.
 */
int devkey_load(struct key **out, enum key_kind kind, struct arena *arena, struct diag *diag);

/* Loads a private key from `path`. A file that others than its owner may read is refused (CC4003).
 */
int devkey_load_file(struct key **out, const char *path, struct diag *diag);

/* The file of the development key of this kind, which may not be there yet. NULL after a finding. */
const char *devkey_path(enum key_kind kind, struct arena *arena, struct diag *diag);

/* The issuers of all development keys (made when missing), in the arena: DEVKEY_KINDS of them. */
int devkey_issuers(struct gw_issuer **out, struct arena *arena, struct diag *diag);
