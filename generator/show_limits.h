/* show_limits: throttling as tables: which limit counts where, all policies, all deny rules. */
#pragma once

#include "gateway/gateway.h"
#include "generator/table.h"

extern const struct table_column limit_columns[], policy_columns[], deny_rule_columns[];

void show_limits(struct table *table, const struct gw_model *model, struct arena *arena);
void show_policies(struct table *table, const struct gw_model *model, struct arena *arena);
void show_deny_rules(struct table *table, const struct gw_model *model, struct arena *arena);
