/* thread: starts threads that take no signals: those are the main thread's, whose loop handles
 * them. */
#pragma once

#include <pthread.h>

/* As pthread_create(3), whose error it returns; 0: it runs. */
int thread_start(pthread_t *thread, void *(*run)(void *), void *arg);
