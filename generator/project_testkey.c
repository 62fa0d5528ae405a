/* project: enforcer.jwtIssuer of cc.yaml. Nothing of it is in the model: the agent reads it. */
#include "generator/project_internal.h"

#include "fetch/testkey_file.h"

#include <unistd.h>

void project_check_testkey(struct project_build *build)
{
    const struct config *c = build->config;
    struct slice path = c->jwt_issuer.private_key_path;
    struct enforce_testkey *testkey = NULL;
    int rc;

    if (!c->jwt_issuer.enabled)
        return;
    if (path.n > 0 && access(path.p, R_OK) != 0) {
        diag_help(diag_warning(build->diag, CC3082,
                               config_place(c, "enforcer.jwtIssuer.privateKeyPath"),
                               "%s cannot be read here", path.p),
                  "the agent does not start without it");
        return;
    }
    rc = testkey_load(&testkey, c, build->arena, build->diag);
    if (rc == CC_ENOMEM)
        build->rc = rc;
    enforce_testkey_free(&testkey);
}
