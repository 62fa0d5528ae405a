/* Any bytes as the state file of revocations: refused, or read; and what is read is the same again
 * when it has been written anew. */
#include "revoke/revoke_journal.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char directory[] = "/tmp/cc-fuzz-XXXXXX";

static void clean(void)
{
    file_remove_tree(directory);
}

static size_t read_again(struct revoked *into)
{
    struct revoke_journal_report report;
    struct revoked_stats stats;

    CC_ASSERT(revoke_journal_read(directory, into, 1000000000, &report) == CC_OK);
    revoked_stats(into, &stats);
    return stats.entries;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char path[64];
    struct revoke_journal_report report;
    struct revoke_journal *j = NULL;
    struct revoked *table = NULL, *again = NULL;
    struct revoked_stats stats;
    int fd;

    if (path[0] == '\0') {
        CC_ASSERT(mkdtemp(directory) != NULL);
        atexit(clean);
        snprintf(path, sizeof(path), "%s/revoked.journal", directory);
    }
    fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    CC_ASSERT(fd >= 0 && write(fd, data, size) == (ssize_t)size);
    close(fd);
    CC_ASSERT(revoked_new(&table, 64) == CC_OK && revoked_new(&again, 64) == CC_OK);
    if (revoke_journal_open(&j, directory, table, 1000000000, &report) == CC_OK) {
        CC_ASSERT(revoke_journal_commit(j, table) == CC_OK);
        revoked_stats(table, &stats);
        CC_ASSERT(read_again(again) == stats.entries);
    } else {
        CC_ASSERT(report.broken > 0);
    }
    revoke_journal_close(&j);
    revoked_free(&table);
    revoked_free(&again);
    return 0;
}
