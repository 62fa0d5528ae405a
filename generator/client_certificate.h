/* client_certificate: who the gateway is to endpoints that ask for a certificate. */
#pragma once

#include "config/config.h"

/* Can HAProxy use router.upstream.tls.certPath and keyPath? Reads both: a finding here names the
 * setting and what is wrong with its file, where HAProxy would name a line that nobody wrote.
 * CC_EREFUSED after CC4001 or CC4004; CC_OK when there are none; CC_ENOMEM. */
int client_certificate_check(const struct config *config, struct arena *arena, struct diag *diag);
