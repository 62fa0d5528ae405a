/* A reader that is late: it is stopped before it looks, while the table is written anew, and goes
 * on when the memory that it looks into is empty, about to be written anew once more. */
#include "revoke/revoke.h"

static void stop_reader(void);
static void stop_writer(void);
#define REVOKED_STOP_READER() stop_reader()
#define REVOKED_STOP_WRITER() stop_writer()
#include "lib/revoke/revoke.c"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>

enum { NOW = 1700000000, LATER = NOW + 1000 };

static struct revoked *table;
static pthread_t reader;
static bool late;               /* the reader's: its first look is */
static unsigned stopped_writer; /* how often the writer came by */
static bool found;
static sem_t reader_is_there, reader_may_go, reader_is_done;

static void stop_reader(void)
{
    if (!pthread_equal(pthread_self(), reader) || !late)
        return;
    late = false;
    sem_post(&reader_is_there);
    sem_wait(&reader_may_go);
}

/* The first time the array that nobody looks into is empty; the second time that of the reader. */
static void stop_writer(void)
{
    if (++stopped_writer != 2)
        return;
    sem_post(&reader_may_go);
    sem_wait(&reader_is_done);
}

static void *read_late(void *arg)
{
    (void)arg;
    sem_wait(&reader_may_go); /* `reader` is set */
    late = true;
    found = revoked_has(table, revoked_key(table, SLICE("kept")));
    sem_post(&reader_is_done);
    return NULL;
}

static void test_late(void **state)
{
    char id[24];

    (void)state;
    sem_init(&reader_is_there, 0, 0);
    sem_init(&reader_may_go, 0, 0);
    sem_init(&reader_is_done, 0, 0);
    assert_int_equal(revoked_new(&table, 100), CC_OK);
    assert_int_equal(revoked_add(table, SLICE("kept"), LATER, REVOKED_BY_STATE, NOW), REVOKED_NEW);
    assert_int_equal(pthread_create(&reader, NULL, read_late, NULL), 0);
    sem_post(&reader_may_go);
    sem_wait(&reader_is_there);
    for (unsigned n = 0; table->rebuilt < 2; n++) {
        snprintf(id, sizeof(id), "other-%u", n);
        assert_int_equal(revoked_add(table, slice_of(id), LATER, REVOKED_BY_STATE, NOW),
                         REVOKED_NEW);
        assert_int_equal(revoked_remove(table, slice_of(id), REVOKED_BY_STATE), CC_OK);
    }
    pthread_join(reader, NULL);
    assert_true(found);
    assert_int_equal(stopped_writer, 2);
    revoked_free(&table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_late)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
