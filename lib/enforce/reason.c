#include "enforce/reason.h"

void reason_add(struct reason *r, struct slice s)
{
    for (size_t i = 0; i < s.n && r->n < sizeof(r->text); i++) {
        char c = s.p[i];

        if (ascii_is_control(c) || c == '"' || c == '\\')
            c = '?';
        r->text[r->n++] = c;
    }
}

static void add_as_is(struct reason *r, struct slice s)
{
    s = slice_first(s, sizeof(r->text) - r->n);
    memcpy(r->text + r->n, s.p, s.n);
    r->n += s.n;
}

void reason_add_str(struct reason *r, const char *s)
{
    add_as_is(r, slice_of(s));
}

void reason_add_int(struct reason *r, int64_t v)
{
    char digits[20];
    size_t n = sizeof(digits);
    uint64_t rest = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;

    do
        digits[--n] = (char)('0' + rest % 10);
    while ((rest /= 10) > 0);
    if (v < 0)
        digits[--n] = '-';
    add_as_is(r, slice_make(digits + n, sizeof(digits) - n));
}

void reason_add_place(struct reason *r, struct place place)
{
    if (place.source == NULL || place.source->name == NULL)
        return;
    r->words = r->n;
    r->place = place;
    reason_add_str(r, "; ");
    reason_add(r, slice_of(place.source->name));
    if (place.line == 0)
        return;
    reason_add_str(r, ":");
    reason_add_int(r, place.line);
    if (place.col == 0)
        return;
    reason_add_str(r, ":");
    reason_add_int(r, place.col);
}
