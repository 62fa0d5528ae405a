#include "spoa/oracle.h"

#include "spoa/worker.h"

void postbox_init(struct postbox *p)
{
    *p = (struct postbox){.n = 0};
    pthread_mutex_init(&p->lock, NULL);
}

void postbox_open(struct postbox *p, struct worker *const *workers, size_t n)
{
    pthread_mutex_lock(&p->lock);
    p->workers = workers;
    p->n = n;
    pthread_mutex_unlock(&p->lock);
}

void postbox_close(struct postbox *p)
{
    postbox_open(p, NULL, 0);
}

void postbox_cleanup(struct postbox *p)
{
    pthread_mutex_destroy(&p->lock);
}

void postbox_put(struct postbox *p, size_t worker, struct enforce_reply *reply)
{
    pthread_mutex_lock(&p->lock);
    if (worker < p->n) {
        worker_deliver(p->workers[worker], reply);
        reply = NULL;
    }
    pthread_mutex_unlock(&p->lock);
    enforce_reply_unref(&reply);
}
