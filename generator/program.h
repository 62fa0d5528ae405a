/* program: finding other programs and hearing what they say. Never through a shell. */
#pragma once

#include "base/base.h"

/* Where `name` is, as an absolute or given path in the arena: itself when it has a slash, else from
 * PATH, then from the sbin directories, which Debian leaves out of an ordinary user's PATH. NULL
 * when there is no such executable file. */
const char *program_find(const char *name, struct arena *arena);

/* The path of `name` in the directory of the running program, or NULL. */
const char *program_beside(const char *name, struct arena *arena);

/* Runs argv[0] (a path) with nothing on stdin and collects what it writes on stdout and stderr, cut
 * after the buffer's maximum. Waits at most `timeout_ms`, then kills it. CC_OK when it ran, with
 * its wait status in *status; CC_ECHILD when it cannot be started; CC_EAGAIN when it was killed. */
int program_output(const char *const *argv, int timeout_ms, struct buf *out, int *status);

/* "exit status 1", "signal 9 (Killed)". `room` takes 64 bytes; returns it. */
const char *program_status_text(int status, char room[64]);
