/* doctor: the clock and the limits of the machine. */
#include "generator/doctor.h"

#include "generator/doctor_process.h"

#include <errno.h>
#include <sys/resource.h>
#include <sys/timex.h>

/* 2026-01-01: before this program was written. 2100-01-01: after the life of any certificate. */
#define EARLIEST_S INT64_C(1767225600)
#define LATEST_S   INT64_C(4102444800)

enum { FEW_FILES = 4096, MAX_ERROR_US = 1000000 };

void doctor_check_clock(struct doctor *d)
{
    /* modes 0: only look (adjtimex(2)) */
    struct timex t = {.modes = 0};
    int state = adjtimex(&t);

    if (d->now_s < EARLIEST_S || d->now_s > LATEST_S)
        doctor_say(d, DOCTOR_FAIL, DOCTOR_CLOCK, "set the clock",
                   "it is %lld seconds since 1970, which cannot be", (long long)d->now_s);
    if (state < 0)
        doctor_say(d, DOCTOR_WARN, DOCTOR_CLOCK, "see timedatectl or chronyc tracking",
                   "the kernel does not say whether the clock is synchronised: %s",
                   strerror(errno));
    else if (state == TIME_ERROR || (t.status & STA_UNSYNC) != 0)
        doctor_say(d, DOCTOR_WARN, DOCTOR_CLOCK, "run chrony, ntpd or systemd-timesyncd",
                   "the clock is not synchronised; it may be off by any time");
    else if (t.maxerror > MAX_ERROR_US)
        doctor_say(d, DOCTOR_WARN, DOCTOR_CLOCK, "see timedatectl or chronyc tracking",
                   "the clock is synchronised, but may be off by %ld s", t.maxerror / 1000000);
    else
        doctor_say(d, DOCTOR_OK, DOCTOR_CLOCK, NULL, "synchronised, at most %ld ms off",
                   (t.maxerror + 999) / 1000);
}

static void judge_files(struct doctor *d, const char *who, uint64_t limit)
{
    if (limit < FEW_FILES)
        doctor_say(d, DOCTOR_WARN, DOCTOR_FILES, "LimitNOFILE=65536 in its unit, or ulimit -n",
                   "%s may open %llu files", who, (unsigned long long)limit);
    else if (limit == UINT64_MAX)
        doctor_say(d, DOCTOR_OK, DOCTOR_FILES, NULL, "%s may open any number of files", who);
    else
        doctor_say(d, DOCTOR_OK, DOCTOR_FILES, NULL, "%s may open %llu files", who,
                   (unsigned long long)limit);
}

void doctor_check_files(struct doctor *d)
{
    static const char *const names[] = {"cc-spoa", "haproxy"};
    bool seen = false;

    for (size_t i = 0; i < 2; i++) {
        struct process *processes;
        size_t n = process_find(names[i], d->arena, &processes);
        uint64_t least = 0;

        for (size_t k = 0; k < n; k++)
            if (!processes[k].master && processes[k].open_files != 0 &&
                (least == 0 || processes[k].open_files < least))
                least = processes[k].open_files;
        if (least == 0)
            continue;
        judge_files(d, names[i], least);
        seen = true;
    }
    if (!seen) {
        struct rlimit limit;

        /* Nothing runs yet: what would, started from here, gets this limit. */
        if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
            judge_files(d, "a program that is started here",
                        limit.rlim_cur == RLIM_INFINITY ? UINT64_MAX : (uint64_t)limit.rlim_cur);
    }
}
