#include "base/clock.h"
#include "base/error.h"

#include <time.h>

#define YEAR_9999_END 253402300799u

/* Exactly n digits off the front of *rest, at most `max`. */
static bool take_number(struct slice *rest, size_t n, unsigned max, unsigned *out)
{
    *out = 0;
    if (rest->n < n)
        return false;
    for (size_t i = 0; i < n; i++) {
        if (!ascii_is_digit(rest->p[i]))
            return false;
        *out = *out * 10 + (unsigned)(rest->p[i] - '0');
    }
    *rest = slice_from(*rest, n);
    return *out <= max;
}

static bool take_char(struct slice *rest, const char *any)
{
    if (rest->n == 0 || rest->p[0] == '\0' || strchr(any, rest->p[0]) == NULL)
        return false;
    *rest = slice_from(*rest, 1);
    return true;
}

/* "Z" or "+02:00": seconds to take off (RFC 3339 5.6). */
static bool take_zone(struct slice *rest, int64_t *seconds)
{
    bool east = rest->n > 0 && rest->p[0] == '+';
    unsigned hours, minutes;

    *seconds = 0;
    if (take_char(rest, "Zz"))
        return rest->n == 0;
    if (!take_char(rest, "+-") || !take_number(rest, 2, 23, &hours) || !take_char(rest, ":") ||
        !take_number(rest, 2, 59, &minutes))
        return false;
    *seconds = (int64_t)hours * 3600 + (int64_t)minutes * 60;
    if (!east)
        *seconds = -*seconds;
    return rest->n == 0;
}

static int parse_rfc3339(struct slice rest, int64_t *out)
{
    unsigned year, month, day, hour, minute, second;
    int64_t zone;
    struct tm tm = {0};

    if (!take_number(&rest, 4, 9999, &year) || !take_char(&rest, "-") ||
        !take_number(&rest, 2, 12, &month) || !take_char(&rest, "-") ||
        !take_number(&rest, 2, 31, &day) || !take_char(&rest, "Tt ") ||
        !take_number(&rest, 2, 23, &hour) || !take_char(&rest, ":") ||
        !take_number(&rest, 2, 59, &minute) || !take_char(&rest, ":") ||
        !take_number(&rest, 2, 60, &second))
        return CC_EPARSE;
    if (take_char(&rest, ".")) {
        size_t before = rest.n;

        while (take_char(&rest, "0123456789"))
            continue;
        if (rest.n == before)
            return CC_EPARSE;
    }
    if (!take_zone(&rest, &zone) || year < 1970 || month == 0 || day == 0)
        return CC_EPARSE;
    tm.tm_year = (int)year - 1900;
    tm.tm_mon = (int)month - 1;
    tm.tm_mday = (int)day;
    tm.tm_hour = (int)hour;
    tm.tm_min = (int)minute;
    tm.tm_sec = second == 60 ? 59 : (int)second; /* a leap second */
    *out = (int64_t)timegm(&tm) + (second == 60) - zone;
    /* timegm() brings 31 February to March: that is no date */
    return tm.tm_mday == (int)day ? CC_OK : CC_EPARSE;
}

int clock_parse(struct slice text, int64_t *out)
{
    uint64_t seconds;

    if (slice_to_u64(text, &seconds) == CC_OK) {
        *out = (int64_t)seconds;
        return seconds <= YEAR_9999_END ? CC_OK : CC_EPARSE;
    }
    return parse_rfc3339(text, out) == CC_OK && *out >= 0 ? CC_OK : CC_EPARSE;
}
