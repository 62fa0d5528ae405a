/* run_talk: what `cc-gen run` tells once the gateway is ready. */
#pragma once

#include "config/config.h"
#include "gateway/gateway.h"

/* The URL alone on stdout; where to connect, a line to paste and the warning on stderr. `password`: of
 * /testkey when it was made for this run, else "". */
void run_talk_ready(const struct gw_model *model, const struct config *config, bool self_signed,
                    const char *password);
