#include "spoa/fetcher.h"

#include <stdlib.h>

struct flight {
    struct flight *next;
    struct http_get *get;
    void (*done)(void *context, const struct http_result *result);
    void *context;
};

struct fetcher {
    struct ev_loop *loop;
    CURLM *multi;
    ev_timer timer;
    struct flight *flights;
};

/* A socket that libcurl asked to watch. */
struct watch {
    ev_io io;
    struct fetcher *fetcher;
};

static void remove_flight(struct fetcher *f, struct flight *flight)
{
    struct flight **at = &f->flights;

    while (*at != flight)
        at = &(*at)->next;
    *at = flight->next;
    curl_multi_remove_handle(f->multi, http_get_handle(flight->get));
    http_get_free(&flight->get);
    free(flight);
}

/* Tells those that are done. The message is gone once the handle is removed, so it is copied. */
static void finish(struct fetcher *f)
{
    CURLMsg *message;
    int left;

    while ((message = curl_multi_info_read(f->multi, &left)) != NULL) {
        CURLcode code = message->data.result;
        struct http_result result;
        struct flight *flight = f->flights;

        if (message->msg != CURLMSG_DONE)
            continue;
        while (flight != NULL && http_get_handle(flight->get) != message->easy_handle)
            flight = flight->next;
        CC_ASSERT(flight != NULL);
        http_get_finish(flight->get, code, &result);
        flight->done(flight->context, &result);
        remove_flight(f, flight);
    }
}

static void act(struct fetcher *f, curl_socket_t fd, int events)
{
    int running;

    curl_multi_socket_action(f->multi, fd, events, &running);
    finish(f);
}

static void on_socket(struct ev_loop *loop, ev_io *io, int revents)
{
    struct watch *w = io->data;

    (void)loop;
    act(w->fetcher, io->fd,
        (revents & EV_READ ? CURL_CSELECT_IN : 0) | (revents & EV_WRITE ? CURL_CSELECT_OUT : 0));
}

static void on_timer(struct ev_loop *loop, ev_timer *timer, int revents)
{
    (void)loop;
    (void)revents;
    act(timer->data, CURL_SOCKET_TIMEOUT, 0);
}

/* libcurl: from now on, watch this socket for that. */
static int watch_socket(CURL *easy, curl_socket_t fd, int what, void *context, void *assigned)
{
    struct fetcher *f = context;
    struct watch *w = assigned;

    (void)easy;
    if (w != NULL)
        ev_io_stop(f->loop, &w->io);
    if (what == CURL_POLL_REMOVE) {
        free(w);
        curl_multi_assign(f->multi, fd, NULL);
        return 0;
    }
    if (w == NULL) {
        w = calloc(1, sizeof *w);
        if (w == NULL)
            return -1; /* libcurl fails the transfer */
        w->fetcher = f;
        w->io.data = w;
        ev_init(&w->io, on_socket);
        curl_multi_assign(f->multi, fd, w);
    }
    ev_io_set(&w->io, fd, (what & CURL_POLL_IN ? EV_READ : 0) | (what & CURL_POLL_OUT ? EV_WRITE : 0));
    ev_io_start(f->loop, &w->io);
    return 0;
}

/* libcurl: wake me then; -1: not at all. Never from here: it would be called inside of itself. */
static int watch_time(CURLM *multi, long timeout_ms, void *context)
{
    struct fetcher *f = context;

    (void)multi;
    ev_timer_stop(f->loop, &f->timer);
    if (timeout_ms >= 0) {
        ev_timer_set(&f->timer, (double)timeout_ms / 1000, 0.);
        ev_timer_start(f->loop, &f->timer);
    }
    return 0;
}

int fetcher_new(struct fetcher **out, struct ev_loop *loop)
{
    struct fetcher *f = calloc(1, sizeof *f);
    int rc = CC_ENOMEM;

    if (f == NULL)
        goto out;
    f->loop = loop;
    f->timer.data = f;
    ev_init(&f->timer, on_timer);
    f->multi = curl_multi_init();
    if (f->multi == NULL ||
        curl_multi_setopt(f->multi, CURLMOPT_SOCKETFUNCTION, watch_socket) != CURLM_OK ||
        curl_multi_setopt(f->multi, CURLMOPT_SOCKETDATA, f) != CURLM_OK ||
        curl_multi_setopt(f->multi, CURLMOPT_TIMERFUNCTION, watch_time) != CURLM_OK ||
        curl_multi_setopt(f->multi, CURLMOPT_TIMERDATA, f) != CURLM_OK)
        goto out;
    *out = f;
    f = NULL;
    rc = CC_OK;
out:
    fetcher_free(&f);
    return rc;
}

void fetcher_free(struct fetcher **pf)
{
    struct fetcher *f = *pf;

    *pf = NULL;
    if (f == NULL)
        return;
    while (f->flights != NULL)
        remove_flight(f, f->flights);
    if (f->multi != NULL)
        curl_multi_cleanup(f->multi);
    ev_timer_stop(f->loop, &f->timer);
    free(f);
}

int fetcher_start(struct fetcher *f, struct http_get *get,
                  void (*done)(void *context, const struct http_result *result), void *context,
                  struct flight **out)
{
    struct flight *flight = calloc(1, sizeof *flight);

    if (flight == NULL || curl_multi_add_handle(f->multi, http_get_handle(get)) != CURLM_OK) {
        free(flight);
        http_get_free(&get);
        return CC_ENOMEM;
    }
    *flight = (struct flight){f->flights, get, done, context};
    f->flights = flight;
    *out = flight;
    return CC_OK;
}

void fetcher_cancel(struct fetcher *f, struct flight **flight)
{
    if (*flight != NULL)
        remove_flight(f, *flight);
    *flight = NULL;
}
