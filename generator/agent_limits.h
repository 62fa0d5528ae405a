/* agent_limits: what the limits of one request have used in a running agent, by its admin socket.
 *
 *     show info; peek limit advanced:Few:/pets 0 requests,fixed,enforce,default,2,86400000,0; peek
 * ...
 *
 * Keys hold what clients say of themselves. So that none becomes another command, all but letters
 * and digits are escaped, and a key with control characters is not asked for at all.
 * The answer is hostile until agent_limits_read() has taken it. */
#pragma once

#include "enforce/trace.h"
#include "generator/agent_ask.h"

/* A line is at most as long as the agent reads (spoa/admin.h), and a key, with all of it escaped,
 * half as long. */
enum { AGENT_LINE_MAX = 8000, AGENT_KEY_MAX = 2000, AGENT_CONTENT_HEX = 64 };

/* X(name, word): with whom the agent counts. */
#define AGENT_COUNTINGS(X) \
    X(LOCAL, "local")      \
    X(ASYNC, "async")      \
    X(STRICT, "strict")

enum agent_counting {
#define X(name, word) AGENT_COUNTS_##name,
    AGENT_COUNTINGS(X)
#undef X
        AGENT_COUNTING_COUNT
};

const char *agent_counting_name(enum agent_counting counting);

/* X(name, word, text): who says where a limit stands when gateways count together strictly, and why
 * it is not Redis. */
#define AGENT_SOURCES(X)                                                \
    X(HERE, "", "")                                                     \
    X(REDIS, "decides", "")                                             \
    X(AWAY, "away", "Redis cannot be asked")                            \
    X(LATE, "late", "Redis does not answer in time")                    \
    X(HELD, "waits", "other gateways have not told yet what they used") \
    X(UNKNOWN, "not-asked", "Redis was not asked")

enum agent_source {
#define X(name, word, text) AGENT_BY_##name,
    AGENT_SOURCES(X)
#undef X
        AGENT_SOURCE_COUNT
};

const char *agent_source_name(enum agent_source source);
const char *agent_source_text(enum agent_source source);

struct agent_limit {
    bool asked; /* false: the key cannot be asked for, and nothing else is known */
    bool known; /* the agent has a counter of this key */
    bool told;  /* what follows is its; false: it says nothing, and nothing is used */
    bool fits;  /* a request is within it */
    bool burst; /* spike arrest is what is in the way */
    bool shared;
    uint64_t used, max, remaining, others;
    int64_t reset_ms, retry_ms; /* as struct counter_state has them */
    enum agent_source source;
    enum counter_away away; /* what it does when Redis cannot be used; UNSET: it is not shared */
};

struct agent_limits {
    uint64_t generation;                 /* of the agent's rules; 0: it has none */
    char content[AGENT_CONTENT_HEX + 1]; /* of the same, as gw_snapshot_hash(); "": it says none */
    enum agent_counting counting;
    size_t n;
    struct agent_limit limits[COUNTER_MAX_LIMITS];
};

/* The limits from `from` on, as many as one line holds; returns the first that it does not ask for.
 * Sets limits[i].asked of those before. */
size_t agent_limits_line(const struct enforce_trace *trace, size_t from, struct agent_limits *out,
                         struct buf *line);

/* Takes the answer to a line that asked for the limits from `from` to before `end`. CC_OK,
 * CC_EUNSUPPORTED (an agent that does not know the command), CC_EPARSE. */
int agent_limits_read(struct slice answer, size_t from, size_t end, struct agent_limits *out);

/* All of it. With a trace without limits, only the generation is asked for. CC_EAGAIN when the
 * agent is given other rules meanwhile or is too slow; else as agent_ask() and agent_limits_read().
 */
int agent_limits_ask(const char *socket, const struct enforce_trace *trace,
                     struct agent_limits *out);
