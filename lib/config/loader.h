/* loader: what the stages of config_load() share (inside of config only). */
#pragma once

#include "config/settings.h"
#include "doc/doc.h"

enum origin_kind { FROM_DEFAULT, FROM_FILE, FROM_ENVIRONMENT, FROM_OVERRIDE };

/* Where a value comes from. For FROM_ENVIRONMENT the source's name is the variable. */
struct origin {
    enum origin_kind kind;
    struct place place;
};

/* struct config with what config_origin() must know; the public struct comes first. */
struct config_store {
    struct config config;
    struct origin *origins;         /* one a setting outside of lists */
    struct origin *elements[LISTS]; /* [element * number of settings + setting] */
};

struct loader {
    struct config_store *store;
    struct arena *arena;
    struct diag *diag;
    char *const *environ_;
    struct slice directory; /* what relative paths of the present stage are relative to */
};

/* "router.listenerPort", "a.b[2].c"; in the arena. Never fails: falls back to the row's name. */
const char *loader_title(struct loader *l, int setting, size_t element);

/* The struct that has the member of a setting, and the place of its origin. */
void *loader_object(struct config_store *s, int setting, size_t element);
struct origin *loader_origin(struct config_store *s, int setting, size_t element);

size_t loader_list_length(const struct config_store *s, enum setting_list list);
void loader_list_clear(struct config_store *s, enum setting_list list);
/* One more element, with defaults; CC_EFULL after a finding, CC_ENOMEM. */
int loader_list_append(struct loader *l, enum setting_list list, struct origin origin);

/* Gives a setting a value: n texts for a list of text, else one. Findings CC3002 and CC3003, after
 * which the old value stays (its origin changes, so that config_check() knows that something was
 * said about it); CC_ENOMEM only when memory is short. */
int value_set(struct loader *l, int setting, size_t element, const struct slice *texts, size_t n,
              struct origin origin);

/* The same from one text, whose commas separate the elements of a list. */
int value_set_text(struct loader *l, int setting, size_t element, struct slice text,
                   struct origin origin);

int value_set_default(struct loader *l, int setting, size_t element);

/* What the setting takes: "a whole number, 0 to 65535". */
struct slice value_expected(struct loader *l, int setting);

/* The value as it would stand in cc.yaml. */
void value_format(const struct config_store *s, int setting, size_t element, struct buf *out);

/* The stages. CC_OK also after findings; errors are for short memory only. */
int config_read_file(struct loader *l, const char *path);
int config_read_environment(struct loader *l);
int config_read_overrides(struct loader *l, const struct config_override *overrides, size_t n);
void config_check(struct loader *l);
