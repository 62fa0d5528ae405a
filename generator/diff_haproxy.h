/* diff_haproxy: what differs between two sets of HAProxy's files, by section, and between the
 * settings they were made with. Pure, like diff.h, whose list it continues. */
#pragma once

#include "config/config.h"
#include "generator/diff.h"
#include "generator/output_manifest.h"

/* Appends sections that are new, gone or changed (comments and empty lines do not count), and other
 * files that are. Backends of clusters that `d` already tells as new or gone are left out, and
 * those that changed are told as one. CC_ENOMEM. */
int diff_haproxy(struct diff *d, const struct render_output *before,
                 const struct render_output *after);

/* Takes the number `generation` out of the files, wherever the templates write it as that of the
 * generation, so that files of two generations can be compared. In the arena; CC_ENOMEM. */
int diff_haproxy_mask(struct render_output *files, uint64_t generation, struct arena *arena);

/* Appends the settings whose values differ from those `built` was made with. Nothing when it does
 * not say. CC_ENOMEM. */
int diff_settings(struct diff *d, const struct manifest *built, const struct config *config);

/* Gives settings in `d` that have no place yet the one `config` knows. CC_ENOMEM. */
int diff_setting_places(struct diff *d, const struct config *config);
