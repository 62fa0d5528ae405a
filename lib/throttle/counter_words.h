/* counter_words: what rules are called in answers of the admin socket, and by who reads them. */
#pragma once

#include "throttle/counter.h"

extern const char *const counter_units[COUNTER_BYTES + 1];
extern const char *const counter_windows[COUNTER_SLIDING + 1];
extern const char *const counter_modes[COUNTER_NO_STOP + 1];
extern const char *const counter_aways[COUNTER_AWAY_ALLOW + 1];
