#include "base/log.h"

#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { LINE_MAX_BYTES = 4096 };

static const char *const level_names[] = {"error", "warn", "info", "debug"};

static struct {
    const char *program;
    enum log_level level;
    enum log_format format;
} settings = {"cc", LOG_INFO, LOG_TEXT};

void log_setup(const char *program, enum log_level level, enum log_format format)
{
    settings.program = program;
    settings.level = level;
    settings.format = format;
}

bool log_enabled(enum log_level level)
{
    return level <= settings.level;
}

bool log_level_parse(struct slice word, enum log_level *out)
{
    for (unsigned i = 0; i < sizeof(level_names) / sizeof(level_names[0]); i++)
        if (slice_is(word, level_names[i])) {
            *out = (enum log_level)i;
            return true;
        }
    return false;
}

static void add_time(struct buf *b)
{
    struct timespec now;
    struct tm utc;
    char text[32];

    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &utc);
    strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &utc);
    buf_printf(b, "%s.%03ldZ", text, now.tv_nsec / 1000000);
}

/* A message comes from anywhere: only printable characters reach a terminal or a line reader. */
static void add_escaped(struct buf *b, struct slice s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (ascii_is_control(s.p[i]))
            buf_printf(b, "\\x%02x", (unsigned char)s.p[i]);
        else
            buf_add_char(b, s.p[i]);
    }
}

static void write_line(struct buf *line)
{
    const char *p = line->p;
    size_t n = line->n;

    while (n > 0) {
        ssize_t w = write(STDERR_FILENO, p, n);

        if (w <= 0)
            return; /* nowhere left to complain to */
        p += w;
        n -= (size_t)w;
    }
}

void log_write(enum log_level level, const char *fmt, ...)
{
    char message[LINE_MAX_BYTES / 2], room[LINE_MAX_BYTES * 2];
    struct buf line;
    va_list args;
    int n;

    if (!log_enabled(level))
        return;
    va_start(args, fmt);
    n = vsnprintf(message, sizeof(message), fmt, args);
    va_end(args);
    if (n < 0)
        return;
    buf_init_fixed(&line, room, sizeof(room) - 1); /* one byte is kept for the newline */
    if (settings.format == LOG_JSON) {
        buf_add_str(&line, "{\"time\":\"");
        add_time(&line);
        buf_printf(&line, "\",\"level\":\"%s\",\"program\":\"%s\",\"message\":",
                   level_names[level], settings.program);
        buf_add_json(&line, slice_of(message));
        buf_add_str(&line, "}");
    } else {
        add_time(&line);
        buf_printf(&line, " %-5s %s: ", level_names[level], settings.program);
        add_escaped(&line, slice_of(message));
    }
    room[line.n] = '\n';
    line.n++;
    write_line(&line);
}

const char *log_mask(struct slice secret, char out[16])
{
    size_t tail = secret.n >= 16 ? 4 : 0;

    memcpy(out, "XXXXX", 5);
    for (size_t i = 0; i < tail; i++) {
        char c = secret.p[secret.n - tail + i];

        out[5 + i] = ascii_is_control(c) ? '?' : c;
    }
    out[5 + tail] = '\0';
    return out;
}
