/* certificate_files: the files of cc.yaml that HAProxy reads to know itself and others by. */
#pragma once

#include "config/config.h"

/* Can HAProxy use router.keystore, unless there is no HTTPS listener, and certPath, keyPath and
 * trustedCertPath of router.upstream.tls? Reads them all: a finding here names the setting and what
 * is wrong with its file, where HAProxy would name a line that nobody wrote. CC_EREFUSED after
 * CC4001 or CC4004; CC_OK, also where none is set; CC_ENOMEM. */
int certificate_files_check(const struct config *config, struct arena *arena, struct diag *diag);
