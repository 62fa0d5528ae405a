/* plan_shared: by how much gateways that share their counters may exceed each limit. */
#pragma once

#include "config/config.h"
#include "gateway/gateway.h"

#include <stdio.h>

/* A line for each policy; nothing when gateways count by themselves. */
void plan_print_shared(const struct gw_model *model, const struct config *config, FILE *out);
