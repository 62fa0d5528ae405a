/* agent_ask: one line for the admin socket of a running agent, and its answer.
 *
 * Whoever listens there may be slow, hostile or no agent at all: the time and the size of its
 * answer are bounded, and nothing in the answer is believed before agent_limits.h has read it.
 * Blocks until the deadline at most. */
#pragma once

#include "base/base.h"

enum { AGENT_ASK_MS = 2000, AGENT_ANSWER_MAX = 128 << 10 };

/* Sends the line and reads until the agent closes; `deadline_us` is of clock_mono_us(). CC_OK;
 * CC_EAGAIN: the time is over; CC_ETOOBIG: the answer is longer than `answer` may be, or the path
 * than a socket's can be; else what errno says. */
int agent_ask(const char *socket, struct slice line, int64_t deadline_us, struct buf *answer);
