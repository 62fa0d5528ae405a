/* counting_strict_script: what Redis runs for counter_strict.h. See the .c for keys and replies. */
#pragma once

enum { COUNTING_ASKED = 6, COUNTING_FIELDS = 10 }; /* numbers of a verdict, and of an ask */

extern const char counting_ask_script[];
extern const char counting_look_script[];
extern const char counting_strict_tell_script[];
extern const char counting_strict_clear_script[];
