#include "generator/agent_limits.h"

#include "throttle/counter_words.h"

static const char *const counting_names[] = {
#define X(name, word) word,
    AGENT_COUNTINGS(X)
#undef X
};

static const char *const source_names[] = {
#define X(name, word, text) word,
    AGENT_SOURCES(X)
#undef X
};

static const char *const source_texts[] = {
#define X(name, word, text) text,
    AGENT_SOURCES(X)
#undef X
};

const char *agent_source_name(enum agent_source source)
{
    return source_names[source];
}

const char *agent_source_text(enum agent_source source)
{
    return source_texts[source];
}

const char *agent_counting_name(enum agent_counting counting)
{
    return counting_names[counting];
}

/* --- asking ---------------------------------------------------------------------------------- */

static bool is_plain(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static bool can_be_asked(const struct enforce_trace_limit *limit)
{
    return !limit->cut && limit->key.n > 0 && limit->key.n <= AGENT_KEY_MAX &&
           !slice_has_control(limit->key);
}

/* So that the agent can tell of a key that it has not seen: others may have used it. */
static void add_rule(struct buf *b, const struct counter_rule *rule)
{
    buf_printf(b, " %s,%s,%s,%s,", counter_units[rule->unit], counter_windows[rule->window],
               counter_modes[rule->mode], counter_aways[rule->away]);
    buf_add_u64(b, rule->max);
    buf_add_char(b, ',');
    buf_add_u64(b, rule->months > 0 ? rule->months : rule->window_ms);
    buf_add_str(b, rule->months > 0 ? "m," : ",");
    buf_add_u64(b, rule->burst_max);
}

static void add_command(struct buf *b, struct slice key, uint64_t bytes)
{
    buf_add_str(b, ";peek limit ");
    for (size_t i = 0; i < key.n; i++) {
        if (!is_plain(key.p[i]))
            buf_add_char(b, '\\');
        buf_add_char(b, key.p[i]);
    }
    buf_add_char(b, ' ');
    buf_add_u64(b, bytes);
}

size_t agent_limits_line(const struct enforce_trace *trace, size_t from, struct agent_limits *out,
                         struct buf *line)
{
    enum { BESIDES = 160 /* what a command has besides its key */ };
    size_t i = from;

    buf_add_str(line, "show info");
    for (; i < trace->n_limits; i++) {
        const struct enforce_trace_limit *limit = &trace->limits[i];

        out->limits[i] = (struct agent_limit){.asked = can_be_asked(limit)};
        if (!out->limits[i].asked)
            continue;
        if (line->n + 2 * limit->key.n + BESIDES > AGENT_LINE_MAX)
            break;
        add_command(line, limit->key, trace->limit_bytes);
        add_rule(line, &limit->rule);
    }
    buf_add_char(line, '\n');
    return i;
}

/* --- answers --------------------------------------------------------------------------------- */

/* An answer is lines, then an empty one. False: there is no whole one left. */
static bool next_answer(struct slice *rest, struct slice *out)
{
    for (size_t i = 0; i + 1 < rest->n; i++) {
        if (rest->p[i] != '\n' || rest->p[i + 1] != '\n')
            continue;
        *out = slice_first(*rest, i);
        *rest = slice_from(*rest, i + 2);
        return true;
    }
    return false;
}

static bool read_content(struct slice hex, char out[AGENT_CONTENT_HEX + 1])
{
    if (hex.n != AGENT_CONTENT_HEX)
        return false;
    for (size_t i = 0; i < hex.n; i++)
        if (slice_find(SLICE("0123456789abcdef"), hex.p[i]) < 0)
            return false;
    memcpy(out, hex.p, hex.n);
    out[hex.n] = '\0';
    return true;
}

static int read_info(struct slice answer, struct agent_limits *out)
{
    struct slice line, number = SLICE("Generation: "), content = SLICE("Content: ");
    bool agent = false;

    out->generation = 0;
    out->content[0] = '\0';
    while (slice_split(&answer, '\n', &line)) {
        agent = agent || slice_is(line, "Name: cc-spoa");
        if (slice_starts(line, number) &&
            slice_to_u64(slice_from(line, number.n), &out->generation) != CC_OK)
            return CC_EPARSE;
        if (slice_starts(line, content) && !read_content(slice_from(line, content.n), out->content))
            return CC_EPARSE;
    }
    return agent ? CC_OK : CC_EPARSE;
}

/* The value of `name=` among the words; absent when it is not there. */
static struct slice value_of(struct slice words, const char *name)
{
    struct slice label = slice_of(name), word;

    while (slice_split(&words, ' ', &word))
        if (slice_starts(word, label) && word.n > label.n && word.p[label.n] == '=')
            return slice_from(word, label.n + 1);
    return SLICE_NONE;
}

/* Twice what one gateway can have used: of all together it may be more than the quota. */
static bool read_number(struct slice words, const char *name, uint64_t *out)
{
    return slice_to_u64(value_of(words, name), out) == CC_OK && *out <= 2 * COUNTER_MAX_QUOTA;
}

static bool read_ms(struct slice words, const char *name, int64_t *out)
{
    uint64_t ms;

    *out = -1;
    if (slice_is(value_of(words, name), "-1"))
        return true;
    if (!read_number(words, name, &ms))
        return false;
    *out = (int64_t)ms;
    return true;
}

static bool read_flag(struct slice words, const char *name, bool *out)
{
    struct slice value = value_of(words, name);

    *out = slice_is(value, "1");
    return *out || slice_is(value, "0");
}

static bool read_counting(struct slice words, enum agent_counting *out)
{
    struct slice value = value_of(words, "counting");

    for (size_t i = 0; i < AGENT_COUNTING_COUNT; i++) {
        if (!slice_is(value, counting_names[i]))
            continue;
        *out = (enum agent_counting)i;
        return true;
    }
    return false;
}

/* Absent words are those of an agent that counts by itself. */
static bool read_choice(struct slice words, const char *name, const char *const *choices, size_t n,
                        size_t *out)
{
    struct slice value = value_of(words, name);

    *out = 0;
    if (value.p == NULL)
        return true;
    for (size_t i = 1; i < n; i++) {
        if (!slice_is(value, choices[i]))
            continue;
        *out = i;
        return true;
    }
    return false;
}

static bool read_source(struct slice line, struct agent_limit *limit)
{
    size_t source, away;

    if (!read_choice(line, "redis", source_names, AGENT_SOURCE_COUNT, &source) ||
        !read_choice(line, "away", counter_aways, COUNTER_AWAY_ALLOW + 1, &away))
        return false;
    limit->source = (enum agent_source)source;
    limit->away = (enum counter_away)away;
    return true;
}

static int read_limit(struct slice line, struct agent_limits *out, struct agent_limit *limit)
{
    *limit = (struct agent_limit){.asked = true, .fits = true};
    if (slice_starts(line, SLICE("unknown command")) || slice_starts(line, SLICE("usage:")))
        return CC_EUNSUPPORTED;
    if (slice_find(line, '\n') >= 0 || slice_has_control(line) ||
        !read_flag(line, "known", &limit->known) || !read_flag(line, "shared", &limit->shared) ||
        !read_counting(line, &out->counting) || !read_source(line, limit))
        return CC_EPARSE;
    limit->told = limit->known || value_of(line, "used").p != NULL;
    if (!limit->told)
        return CC_OK;
    return read_number(line, "used", &limit->used) && read_number(line, "max", &limit->max) &&
                   read_number(line, "remaining", &limit->remaining) &&
                   read_number(line, "others", &limit->others) &&
                   read_ms(line, "reset_ms", &limit->reset_ms) && limit->reset_ms >= 0 &&
                   read_ms(line, "retry_ms", &limit->retry_ms) &&
                   read_flag(line, "burst", &limit->burst) && read_flag(line, "fits", &limit->fits)
               ? CC_OK
               : CC_EPARSE;
}

int agent_limits_read(struct slice answer, size_t from, size_t end, struct agent_limits *out)
{
    struct slice one;
    int rc = next_answer(&answer, &one) ? read_info(one, out) : CC_EPARSE;

    for (size_t i = from; rc == CC_OK && i < end; i++) {
        if (!out->limits[i].asked)
            continue;
        rc = next_answer(&answer, &one) ? read_limit(one, out, &out->limits[i]) : CC_EPARSE;
    }
    return rc == CC_OK && answer.n > 0 ? CC_EPARSE : rc;
}

/* --------------------------------------------------------------------------------------------- */

/* One line and its answer; *at is moved behind the limits that it asked for. */
static int ask_some(const char *socket, const struct enforce_trace *trace, int64_t deadline_us,
                    size_t *at, struct agent_limits *out)
{
    struct buf line, answer;
    size_t end;
    int rc;

    buf_init(&line, AGENT_LINE_MAX + 1);
    buf_init(&answer, AGENT_ANSWER_MAX);
    end = agent_limits_line(trace, *at, out, &line);
    rc = buf_error(&line);
    if (rc == CC_OK)
        rc = agent_ask(socket, buf_slice(&line), deadline_us, &answer);
    if (rc == CC_OK)
        rc = agent_limits_read(buf_slice(&answer), *at, end, out);
    buf_free(&line);
    buf_free(&answer);
    *at = end;
    return rc;
}

int agent_limits_ask(const char *socket, const struct enforce_trace *trace,
                     struct agent_limits *out)
{
    int64_t deadline_us = clock_mono_us(&clock_system) + (int64_t)AGENT_ASK_MS * 1000;
    char content[sizeof(out->content)] = "";
    size_t at = 0;
    int rc;

    *out = (struct agent_limits){.n = trace->n_limits};
    do {
        rc = ask_some(socket, trace, deadline_us, &at, out);
        if (rc == CC_OK && content[0] != '\0' && strcmp(content, out->content) != 0)
            rc = CC_EAGAIN;
        memcpy(content, out->content, sizeof(content));
    } while (rc == CC_OK && at < trace->n_limits);
    return rc;
}
