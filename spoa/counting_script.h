/* counting_script: what Redis does when it is told of counters (private to counting_redis and its
 * tests). */
#pragma once

extern const char counting_script[];
