/* fetch: what comes from servers that are not ours, off the path of decisions.
 *
 *   http.h        one GET by libcurl, with everything bounded that the server may do
 *   jwks_saved.h  a key set on disk, between two runs of the agent
 *   key_file.h    a private key on disk: ours, and nobody else's to read
 *   jwks_probe.h  one blocking look at a key set: cc-spoa -t, cc-gen doctor
 *
 * Servers and files are hostile: nothing that comes from them is used before it was checked. */
#pragma once

#include "fetch/http.h"
#include "fetch/jwks_probe.h"
#include "fetch/jwks_saved.h"
#include "fetch/key_file.h"
