/* Levelled log on standard error: text for people, JSON lines for machines.
 *
 * One call writes one line with one write(2); control characters in arguments are escaped, so a
 * hostile string can neither forge a line nor colour a terminal. Secrets: pass tokens only through
 * log_mask(). Safe from any thread once log_setup() has run. Never call it on the decision path
 * for an ordinary refusal; what happened to a request is in HAProxy's log line. */
#pragma once

#include "base/slice.h"

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };
enum log_format { LOG_TEXT, LOG_JSON };

/* Names the program and sets what is shown. Call before threads start. */
void log_setup(const char *program, enum log_level level, enum log_format format);

/* Is this level shown? For arguments that are costly to make. */
bool log_enabled(enum log_level level);

void log_write(enum log_level level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#define log_error(...) log_write(LOG_ERROR, __VA_ARGS__)
#define log_warn(...) log_write(LOG_WARN, __VA_ARGS__)
#define log_info(...) log_write(LOG_INFO, __VA_ARGS__)
#define log_debug(...) log_write(LOG_DEBUG, __VA_ARGS__)

/* "error", "warn", "info", "debug" and back; false when the word is none of them. */
bool log_level_parse(struct slice word, enum log_level *out);

/* A token or other secret made fit for a log: "XXXXX" and at most its last 4 characters, and those
 * only when the secret is long enough (16) to spare them. Writes into out (>= 16 bytes), returns out. */
const char *log_mask(struct slice secret, char out[16]);
