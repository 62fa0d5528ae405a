/* agent_denials: the deny rules that a running agent was given by command, by its admin socket.
 *
 *     show deny raw
 *
 *     list 17
 *     1700000060 - user bob
 *
 * The lines are those of lib/enforce/deny_file.h. The number tells lists of the agent apart (0: no
 * rules) and is said anew for each part of a long answer. The answer is hostile until
 * agent_denials_read() has taken it. */
#pragma once

#include "enforce/deny_file.h"
#include "generator/agent_ask.h"

/* Takes a whole answer; *out is NULL when there are no rules. CC_EUNSUPPORTED: of an agent that
 * does not know the command. CC_EAGAIN: the rules were changed while they were told. CC_EPARSE. */
int agent_denials_read(struct slice answer, struct deny_list **out);

/* Asks for them. As agent_ask() and agent_denials_read(). */
int agent_denials_ask(const char *socket, struct deny_list **out);
