#include "throttle/counter_internal.h"

/* Days since 1970-01-01 of a day in the proleptic Gregorian calendar, and back. Years begin in
 * March, so that the leap day is the last of its year; 400 years have 146097 days. UTC knows no
 * daylight saving, and POSIX time no leap seconds: each day has 86400 seconds. */
struct day {
    int64_t year;
    int64_t month; /* 0 = January */
    int64_t day;   /* 1 to 31 */
};

enum { DAY_S = 86400, ERA_DAYS = 146097, DAYS_TO_1970 = 719468 }; /* from 0000-03-01 */

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

static int64_t days_of(struct day d)
{
    int64_t shifted = (d.month + 10) % 12; /* 0 = March */
    int64_t year = d.year - (d.month < 2);
    int64_t era = floor_div(year, 400);
    int64_t of_era = year - era * 400;
    int64_t of_year = (153 * shifted + 2) / 5 + d.day - 1;

    return era * ERA_DAYS + of_era * 365 + of_era / 4 - of_era / 100 + of_year - DAYS_TO_1970;
}

static struct day day_of(int64_t days)
{
    int64_t since = days + DAYS_TO_1970;
    int64_t era = floor_div(since, ERA_DAYS);
    int64_t of_era = since - era * ERA_DAYS;
    int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
    int64_t shifted = (5 * of_year + 2) / 153;
    int64_t month = (shifted + 2) % 12;

    return (struct day){year + era * 400 + (month < 2), month,
                        of_year - (153 * shifted + 2) / 5 + 1};
}

static int64_t days_in_month(int64_t year, int64_t month)
{
    struct day first = {year, month, 1};
    struct day next = {year + (month == 11), (month + 1) % 12, 1};

    return days_of(next) - days_of(first);
}

int64_t calendar_add_months(int64_t wall_s, unsigned months)
{
    int64_t days = floor_div(wall_s, DAY_S);
    struct day d = day_of(days);
    int64_t month = d.month + (int64_t)months, last;

    d.year += month / 12;
    d.month = month % 12;
    last = days_in_month(d.year, d.month);
    if (d.day > last)
        d.day = last;
    return days_of(d) * DAY_S + (wall_s - days * DAY_S);
}
