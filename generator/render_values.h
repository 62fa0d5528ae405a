/* render_values: the model and the settings as the rows that the templates name. */
#pragma once

#include "generator/render.h"
#include "generator/template.h"

struct render_context {
    const struct gw_model *model;
    const struct config *config;
    const char *directory; /* of the generation; absolute */
    struct arena *arena;
};

/* Fills *root; everything it points to is in the arena, in the model or in the configuration.
 * CC_OK or CC_ENOMEM. */
int render_values(const struct render_context *ctx, struct template_row *root);

/* Is the host of an endpoint an IP address? */
bool render_is_address(struct slice host);
