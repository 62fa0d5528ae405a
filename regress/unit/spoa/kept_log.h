/* What is written to the log meanwhile, kept for a test to count. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

struct kept_log {
    FILE *file;
    int before; /* where the log went */
};

static inline struct kept_log kept_log_begin(void)
{
    struct kept_log k = {tmpfile(), dup(STDERR_FILENO)};

    assert_true(k.file != NULL && k.before >= 0);
    assert_int_equal(dup2(fileno(k.file), STDERR_FILENO), STDERR_FILENO);
    return k;
}

/* The log goes where it went before. How many lines had this text in them. */
static inline unsigned kept_log_end(struct kept_log *k, const char *text)
{
    char line[1024];
    unsigned n = 0;

    assert_int_equal(dup2(k->before, STDERR_FILENO), STDERR_FILENO);
    close(k->before);
    rewind(k->file);
    while (fgets(line, sizeof(line), k->file) != NULL)
        n += strstr(line, text) != NULL;
    fclose(k->file);
    return n;
}
