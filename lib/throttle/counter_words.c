#include "throttle/counter_words.h"

const char *const counter_units[] = {[COUNTER_REQUESTS] = "requests", [COUNTER_BYTES] = "bytes"};
const char *const counter_windows[] = {[COUNTER_FIXED] = "fixed", [COUNTER_SLIDING] = "sliding"};
const char *const counter_modes[] = {
    [COUNTER_ENFORCE] = "enforce", [COUNTER_SHADOW] = "shadow", [COUNTER_NO_STOP] = "no-stop"};
const char *const counter_aways[] = {[COUNTER_AWAY_UNSET] = "default",
                                     [COUNTER_AWAY_LOCAL] = "local",
                                     [COUNTER_AWAY_DENY] = "deny",
                                     [COUNTER_AWAY_ALLOW] = "allow"};
