/* testkey_file: enforcer.jwtIssuer of cc.yaml and its files -> what signs tokens for tests. Blocks
 * on the disk. */
#pragma once

#include "config/config.h"
#include "enforce/testkey.h"

/* NULL in *out when it is not enabled. CC_EINVAL after a finding: CC1001, CC3003, CC3081, CC4001 to
 * CC4004. */
int testkey_load(struct enforce_testkey **out, const struct config *config, struct arena *arena,
                 struct diag *diag);
