/* project: settings of cc.yaml that every build warns about, not only `cc-gen audit`. */
#include "generator/project_internal.h"

void project_check_settings(struct project_build *build)
{
    static const char name[] = "router.upstream.tls.disableSslVerification";

    if (build->config->router.upstream.disable_ssl_verification)
        diag_help(
            diag_warning(build->diag, CC3008, config_place(build->config, name),
                         "%s is true: ANY certificate of an endpoint is believed, so whoever is "
                         "on the way can read and change all requests and answers",
                         name),
            "for tests only; else trust the right authority: "
            "router.upstream.tls.trustedCertPath, or Endpoint-certificates/ of the project");
}
