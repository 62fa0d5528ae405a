/* The state file of revocations: what a restart finds, torn ends, damage, full disks. */
#include "revoke/revoke_journal.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NOW = 1700000000, LATER = NOW + 1000 };

struct fixture {
    char dir[64], path[128];
    struct revoked *table;
    struct revoke_journal *journal;
    struct revoke_journal_report report;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);

    if (f == NULL)
        return -1;
    snprintf(f->dir, sizeof f->dir, "/tmp/cc-journal-XXXXXX");
    if (mkdtemp(f->dir) == NULL)
        return -1;
    snprintf(f->path, sizeof f->path, "%s/revoked.journal", f->dir);
    *state = f;
    return 0;
}

static void close_all(struct fixture *f)
{
    revoke_journal_close(&f->journal);
    revoked_free(&f->table);
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    close_all(f);
    file_remove_tree(f->dir);
    free(f);
    return 0;
}

/* As after a restart. */
static int open_again(struct fixture *f)
{
    close_all(f);
    assert_int_equal(revoked_new(&f->table, 1000), CC_OK);
    return revoke_journal_open(&f->journal, f->dir, f->table, NOW, &f->report);
}

static void add(struct fixture *f, const char *id, int64_t until_s)
{
    revoked_add(f->table, slice_of(id), until_s, REVOKED_BY_STATE, NOW);
    revoke_journal_add(f->journal, slice_of(id), until_s);
}

static int commit(struct fixture *f)
{
    return revoke_journal_commit(f->journal, f->table);
}

static size_t entries(const struct fixture *f)
{
    struct revoked_stats s;

    revoked_stats(f->table, &s);
    return s.entries;
}

static bool has(const struct fixture *f, const char *id)
{
    return revoked_has(f->table, revoked_key(f->table, slice_of(id)));
}

static off_t size_of(const struct fixture *f)
{
    struct stat st;

    assert_int_equal(stat(f->path, &st), 0);
    return st.st_size;
}

/* Cuts the file, or writes text over it. */
static void damage(const struct fixture *f, off_t at, const char *text)
{
    int fd = open(f->path, O_WRONLY);

    assert_true(fd >= 0);
    if (text == NULL)
        assert_int_equal(ftruncate(fd, at), 0);
    else
        assert_int_equal(pwrite(fd, text, strlen(text), at), (ssize_t)strlen(text));
    close(fd);
}

static void test_restart(void **state)
{
    struct fixture *f = *state;
    struct revoked_entry e;
    struct stat st;

    assert_int_equal(open_again(f), CC_OK);
    assert_int_equal(commit(f), CC_OK); /* makes the file */
    assert_int_equal(stat(f->path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    add(f, "a", LATER);
    add(f, "b c", REVOKED_FOREVER);
    add(f, "d", LATER);
    assert_int_equal(commit(f), CC_OK);
    revoked_remove(f->table, SLICE("d"), REVOKED_BY_STATE);
    revoke_journal_remove(f->journal, SLICE("d"));
    assert_int_equal(commit(f), CC_OK);
    assert_int_equal(open_again(f), CC_OK);
    assert_int_equal(f->report.lines, 4);
    assert_int_equal(f->report.torn, 0);
    assert_int_equal(entries(f), 2);
    assert_true(revoked_find(f->table, SLICE("a"), &e));
    assert_int_equal(e.until_s, LATER);
    assert_int_equal(e.sources, REVOKED_BY_STATE);
    assert_true(revoked_find(f->table, SLICE("b c"), &e));
    assert_true(e.until_s == REVOKED_FOREVER);
}

/* It remembers that it had what all gateways know. */
static void test_shared(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(open_again(f), CC_OK);
    add(f, "a", LATER);
    assert_int_equal(commit(f), CC_OK);
    assert_int_equal(open_again(f), CC_OK);
    assert_false(f->report.shared);
    revoke_journal_set_shared(f->journal);
    assert_int_equal(commit(f), CC_OK);
    add(f, "b", LATER);
    assert_int_equal(commit(f), CC_OK);
    assert_int_equal(open_again(f), CC_OK);
    assert_true(f->report.shared);
    assert_true(has(f, "a") && has(f, "b"));
    assert_int_equal(commit(f), CC_OK);
    assert_int_equal(open_again(f), CC_OK);
    assert_true(f->report.shared);
}

/* Whoever only looks changes nothing. */
static void test_read(void **state)
{
    struct fixture *f = *state;
    struct revoked *table = NULL;
    off_t size;

    assert_int_equal(revoked_new(&table, 10), CC_OK);
    assert_int_equal(revoke_journal_read(f->dir, table, NOW, &f->report), CC_ENOENT);
    assert_int_equal(access(f->path, F_OK), -1);
    assert_int_equal(open_again(f), CC_OK);
    add(f, "a", LATER);
    add(f, "b", LATER);
    assert_int_equal(commit(f), CC_OK);
    size = size_of(f);
    damage(f, size - 3, NULL);
    assert_int_equal(revoke_journal_read(f->dir, table, NOW, &f->report), CC_OK);
    assert_int_equal(size_of(f), size - 3);
    assert_true(revoked_has(table, revoked_key(table, SLICE("a"))));
    assert_false(revoked_has(table, revoked_key(table, SLICE("b"))));
    revoked_free(&table);
}

/* A crash at any byte: what was there before the last line is there. */
static void test_torn(void **state)
{
    struct fixture *f = *state;
    off_t before, after;

    assert_int_equal(open_again(f), CC_OK);
    add(f, "a", LATER);
    assert_int_equal(commit(f), CC_OK);
    before = size_of(f);
    add(f, "the last one", LATER);
    assert_int_equal(commit(f), CC_OK);
    after = size_of(f);
    for (off_t at = after - 1; at > before; at--) {
        damage(f, at, NULL);
        assert_int_equal(open_again(f), CC_OK);
        assert_int_equal(f->report.torn, at - before);
        assert_true(has(f, "a"));
        assert_false(has(f, "the last one"));
        assert_int_equal(size_of(f), before);
        add(f, "the last one", LATER); /* what is written now is good */
        assert_int_equal(commit(f), CC_OK);
        assert_int_equal(open_again(f), CC_OK);
        assert_int_equal(f->report.torn, 0);
        assert_true(has(f, "the last one"));
    }
    /* down to nothing, header included */
    for (off_t at = 20; at >= 0; at--) {
        damage(f, at, NULL);
        assert_int_equal(open_again(f), CC_OK);
        assert_int_equal(entries(f), 0);
        add(f, "b", LATER);
        assert_int_equal(commit(f), CC_OK);
        assert_int_equal(open_again(f), CC_OK);
        assert_true(has(f, "b"));
    }
}

/* The last line may be damaged by a crash; any other refuses the file. */
static void test_damaged(void **state)
{
    struct fixture *f = *state;
    off_t first, second;

    assert_int_equal(open_again(f), CC_OK);
    assert_int_equal(commit(f), CC_OK);
    first = size_of(f);
    add(f, "a", LATER);
    assert_int_equal(commit(f), CC_OK);
    second = size_of(f);
    add(f, "b", LATER);
    assert_int_equal(commit(f), CC_OK);
    damage(f, second + 20, "x");
    assert_int_equal(open_again(f), CC_OK);
    assert_true(has(f, "a"));
    assert_false(has(f, "b"));
    add(f, "c", LATER);
    assert_int_equal(commit(f), CC_OK);
    damage(f, first + 20, "x");
    assert_int_equal(open_again(f), CC_EPARSE);
    assert_int_equal(f->report.broken, 2);
    damage(f, 0, "something else");
    assert_int_equal(open_again(f), CC_EPARSE);
    assert_int_equal(f->report.broken, 1);
}

static void test_owner(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(open_again(f), CC_OK);
    assert_int_equal(commit(f), CC_OK);
    chmod(f->path, 0620);
    assert_int_equal(open_again(f), CC_EREFUSED);
    chmod(f->path, 0600);
    chmod(f->dir, 0770);
    assert_int_equal(open_again(f), CC_EREFUSED);
    chmod(f->dir, 0700);
    assert_int_equal(open_again(f), CC_OK);
    assert_int_equal(unlink(f->path), 0);
    assert_int_equal(symlink("/etc/passwd", f->path), 0);
    assert_int_equal(open_again(f), CC_EREFUSED);
}

/* It does not grow for ever, and what has expired goes. */
static void test_rewrite(void **state)
{
    struct fixture *f = *state;
    char id[32];

    assert_int_equal(open_again(f), CC_OK);
    for (unsigned i = 0; i < 20000; i++) {
        snprintf(id, sizeof id, "id-%u", i);
        add(f, id, LATER);
        if (i >= 10) {
            snprintf(id, sizeof id, "id-%u", i - 10);
            revoked_remove(f->table, slice_of(id), REVOKED_BY_STATE);
            revoke_journal_remove(f->journal, slice_of(id));
        }
        if (i % 100 == 99)
            assert_int_equal(commit(f), CC_OK);
    }
    assert_true(size_of(f) < 200000); /* 40,000 lines were written */
    assert_int_equal(open_again(f), CC_OK);
    assert_int_equal(entries(f), 10);
    assert_true(has(f, "id-19999") && has(f, "id-19990"));
    assert_false(has(f, "id-19989"));
}

/* More than the table holds: the file keeps all, for a table that is larger next time. */
static void test_overflow(void **state)
{
    struct fixture *f = *state;
    char id[32];

    assert_int_equal(revoked_new(&f->table, 16), CC_OK);
    assert_int_equal(revoke_journal_open(&f->journal, f->dir, f->table, NOW, &f->report), CC_OK);
    assert_int_equal(commit(f), CC_OK);
    for (unsigned i = 0; i < 3000; i++) {
        snprintf(id, sizeof id, "id-%u", i % 500);
        add(f, id, LATER);
        assert_int_equal(i % 100 == 0 ? commit(f) : CC_OK, CC_OK);
    }
    assert_int_equal(commit(f), CC_OK);
    assert_int_equal(open_again(f), CC_OK); /* with room for 1000 */
    assert_int_equal(entries(f), 500);
}

/* A disk that is full in the middle of a line, and then is not any more. */
static void test_full_disk(void **state)
{
    struct fixture *f = *state;
    struct rlimit before, small;
    char id[600];

    memset(id, 'x', sizeof id);
    id[sizeof id - 1] = '\0';
    assert_int_equal(open_again(f), CC_OK);
    add(f, "a", LATER);
    assert_int_equal(commit(f), CC_OK);
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before);
    small = before;
    small.rlim_cur = (rlim_t)size_of(f) + 100;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    add(f, id, LATER);
    assert_int_not_equal(commit(f), CC_OK);
    add(f, "b", LATER);
    assert_int_not_equal(commit(f), CC_OK);
    assert_true(has(f, id) && has(f, "b"));
    /* a crash now: a torn end */
    {
        struct revoked *table = NULL;

        assert_int_equal(revoked_new(&table, 10), CC_OK);
        assert_int_equal(revoke_journal_read(f->dir, table, NOW, &f->report), CC_OK);
        assert_true(f->report.torn > 0);
        assert_true(revoked_has(table, revoked_key(table, SLICE("a"))));
        revoked_free(&table);
    }
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(commit(f), CC_OK);
    assert_int_equal(open_again(f), CC_OK);
    assert_int_equal(f->report.torn, 0);
    assert_int_equal(entries(f), 3);
}

static void test_no_directory(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(revoked_new(&f->table, 10), CC_OK);
    assert_int_equal(revoke_journal_open(&f->journal, "/dev/null/x", f->table, NOW, &f->report),
                     CC_OK);
    add(f, "a", LATER);
    assert_int_not_equal(commit(f), CC_OK);
    assert_true(has(f, "a"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_restart, setup, teardown),
        cmocka_unit_test_setup_teardown(test_shared, setup, teardown),
        cmocka_unit_test_setup_teardown(test_read, setup, teardown),
        cmocka_unit_test_setup_teardown(test_torn, setup, teardown),
        cmocka_unit_test_setup_teardown(test_damaged, setup, teardown),
        cmocka_unit_test_setup_teardown(test_owner, setup, teardown),
        cmocka_unit_test_setup_teardown(test_rewrite, setup, teardown),
        cmocka_unit_test_setup_teardown(test_overflow, setup, teardown),
        cmocka_unit_test_setup_teardown(test_full_disk, setup, teardown),
        cmocka_unit_test_setup_teardown(test_no_directory, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
