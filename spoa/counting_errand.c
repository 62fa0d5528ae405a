#include "spoa/counting_errand.h"

#include <stdlib.h>

/* Each client has one at a time, and may leave while it is under way. */
enum { ERRANDS_MAX = 4 * ADMIN_SESSIONS_MAX };

static void free_if_done(struct counting_errand *e)
{
    if (e->under_way || !e->released)
        return;
    e->all->n--;
    free(e);
}

static void on_gone(struct admin_wait *wait)
{
    counting_errand_end((struct counting_errand *)wait);
}

static void on_timer(struct ev_loop *loop, ev_timer *timer, int revents)
{
    struct counting_errand *e = timer->data;

    (void)loop;
    (void)revents;
    e->state = COUNTING_ERRAND_LATE;
    e->all->n_late++;
    admin_wake(&e->wait);
}

struct counting_errand *counting_errand_new(struct counting_errands *all)
{
    struct counting_errand *e =
        all->n_late == 0 && all->n < ERRANDS_MAX ? calloc(1, sizeof(*e)) : NULL;

    if (e == NULL)
        return NULL;
    all->n++;
    e->all = all;
    e->wait.gone = on_gone;
    e->timer.data = e;
    ev_init(&e->timer, on_timer);
    return e;
}

void counting_errand_drop(struct counting_errand *e)
{
    e->released = true;
    free_if_done(e);
}

void counting_errand_wait(struct counting_errand *e, struct admin_call *call, uint64_t ms)
{
    e->under_way = true;
    ev_now_update(e->all->loop); /* from now on, not from when this turn of the loop began */
    ev_timer_set(&e->timer, (ev_tstamp)ms / 1000, 0.);
    ev_timer_start(e->all->loop, &e->timer);
    call->wait = &e->wait;
}

void counting_errand_back(struct counting_errand *e, bool good)
{
    e->under_way = false;
    if (e->state == COUNTING_ERRAND_LATE)
        e->all->n_late--;
    if (e->released || e->state != COUNTING_ERRAND_ASKS) {
        free_if_done(e);
        return;
    }
    ev_timer_stop(e->all->loop, &e->timer);
    e->state = good ? COUNTING_ERRAND_ANSWERED : COUNTING_ERRAND_LOST;
    admin_wake(&e->wait);
}

struct counting_errand *counting_errand_of(struct admin_call *call)
{
    struct counting_errand *e = (struct counting_errand *)call->wait;

    call->wait = NULL;
    return e;
}

void counting_errand_end(struct counting_errand *e)
{
    ev_timer_stop(e->all->loop, &e->timer);
    e->released = true;
    free_if_done(e);
}
