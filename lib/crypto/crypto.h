/* crypto: keys, base64url and JSON Web Tokens on OpenSSL 3.
 *
 *   key.h        public and private keys, parsed once and checked for strength
 *   base64url.h  strict coding without padding
 *   jwt.h        split, verify, claims, sign
 *   jwks.h       sets of public keys
 *   key_id.h     names of signing keys: kid and x5t
 *   certificate.h  certificates of authorities
 *   peer.h       the certificate of a client
 *
 * Nothing here reads files or the network, and nothing blocks. */
#pragma once

#include "crypto/base64url.h"
#include "crypto/certificate.h"
#include "crypto/jwks.h"
#include "crypto/jwt.h"
#include "crypto/key.h"
#include "crypto/key_id.h"
#include "crypto/peer.h"
