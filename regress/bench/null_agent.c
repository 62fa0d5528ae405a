/* null_agent: an agent that answers at once and decides nothing.
 *
 * It is cc-spoa with another responder: same protocol code, same worker, same writes. What the real
 * agent costs more than this one is the price of the decision.
 *
 *     null_agent SOCKET BACKEND [HOST]                                                       */
#include "spoa/server.h"
#include "spoa/vars.h"

#include <stdio.h>
#include <sysexits.h>

struct null_responder {
    struct responder responder;
    struct vars vars;
};

static size_t null_answer(struct responder *self, const struct spop_frame *notify,
                          struct defer_line *line, const struct clock *clock,
                          struct counters *counters, void *room, size_t max_frame)
{
    struct null_responder *n = (struct null_responder *)self;
    struct spop_writer w;

    (void)line;
    (void)clock;
    (void)counters;
    spop_begin(&w, room, SPOP_LENGTH_SIZE + max_frame, SPOP_ACK, notify->stream_id,
               notify->frame_id);
    vars_put(&w, &n->vars, VARS_ALLOW);
    return spop_end(&w, max_frame);
}

int main(int argc, char **argv)
{
    struct null_responder null = {
        .responder = {.answer = null_answer},
        .vars = {.path = SLICE_INIT("/"), .host = SLICE_INIT("localhost"), .gen = 1},
    };
    struct responder *responder = &null.responder;
    struct server_options options = {
        .responders = &responder, .n_workers = 1, .drain_timeout_s = 1};

    if (argc < 3 || argc > 4) {
        fprintf(stderr, "usage: %s SOCKET BACKEND [HOST]\n", argv[0]);
        return EX_USAGE;
    }
    options.listener = (struct listener_options){.address = slice_of(argv[1]), .mode = 0666};
    null.vars.backend = slice_of(argv[2]);
    if (argc == 4)
        null.vars.host = slice_of(argv[3]);
    log_setup("null_agent", LOG_WARN, LOG_TEXT);
    server_raise_limits();
    return server_run(&options) == CC_OK ? EX_OK : EX_UNAVAILABLE;
}
