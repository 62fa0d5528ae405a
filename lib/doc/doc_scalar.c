#include "doc/doc_impl.h"

/* The spellings of YAML 1.1 that its readers agree on: lower case, Capitalised, UPPER CASE. */
struct word {
    const char *lower;
    enum doc_type type;
    bool yes;
};

static const struct word words[] = {
    {"null", DOC_NULL, false}, {"true", DOC_BOOL, true}, {"false", DOC_BOOL, false},
    {"yes", DOC_BOOL, true},   {"no", DOC_BOOL, false},  {"on", DOC_BOOL, true},
    {"off", DOC_BOOL, false},
};

static bool is_upper(char c)
{
    return c >= 'A' && c <= 'Z';
}

/* All lower, all upper, or only the first letter upper; "nULL" is text. */
static bool has_word_case(struct slice s)
{
    size_t upper = 0;

    for (size_t i = 0; i < s.n; i++)
        upper += is_upper(s.p[i]);
    return upper == 0 || upper == s.n || (upper == 1 && is_upper(s.p[0]));
}

static const struct word *find_word(struct slice s)
{
    if (s.n < 2 || s.n > 5)
        return NULL;
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (slice_eq_nocase(s, slice_of(words[i].lower)))
            return has_word_case(s) ? &words[i] : NULL;
    return NULL;
}

static size_t skip_digits(struct slice s, size_t i)
{
    while (i < s.n && ascii_is_digit(s.p[i]))
        i++;
    return i;
}

static bool is_hex(char c)
{
    c = ascii_lower(c);
    return ascii_is_digit(c) || (c >= 'a' && c <= 'f');
}

/* What follows 0x or 0o. */
static bool all_of_base(struct slice s, char base)
{
    for (size_t i = 0; i < s.n; i++)
        if (base == 'x' ? !is_hex(s.p[i]) : s.p[i] < '0' || s.p[i] > '7')
            return false;
    return s.n > 0;
}

static bool is_infinite_or_nan(struct slice s, bool has_sign)
{
    if (s.n != 4 || s.p[0] != '.')
        return false;
    s = slice_from(s, 1);
    if (slice_eq_nocase(s, SLICE("inf")))
        return has_word_case(s);
    return !has_sign && (slice_is(s, "nan") || slice_is(s, "NaN") || slice_is(s, "NAN"));
}

/* [0-9]+ is whole; digits, point, digits and exponent as in JSON, but .5 and 5. count too. */
static enum doc_type decimal_type(struct slice s)
{
    size_t whole = skip_digits(s, 0), i = whole, fraction = 0;

    if (i == s.n)
        return whole > 0 ? DOC_INT : DOC_TEXT;
    if (s.p[i] == '.') {
        fraction = skip_digits(s, i + 1) - (i + 1);
        i += 1 + fraction;
    }
    if (whole + fraction == 0)
        return DOC_TEXT;
    if (i < s.n && ascii_lower(s.p[i]) == 'e') {
        size_t digits = i + 1;

        if (digits < s.n && (s.p[digits] == '+' || s.p[digits] == '-'))
            digits++;
        i = skip_digits(s, digits);
        if (i == digits)
            return DOC_TEXT;
    }
    return i == s.n ? DOC_REAL : DOC_TEXT;
}

static enum doc_type number_type(struct slice s)
{
    bool has_sign = s.p[0] == '-' || s.p[0] == '+';

    if (has_sign)
        s = slice_from(s, 1);
    if (s.n > 2 && s.p[0] == '0' && (s.p[1] == 'x' || s.p[1] == 'o'))
        return all_of_base(slice_from(s, 2), s.p[1]) ? DOC_INT : DOC_TEXT;
    return is_infinite_or_nan(s, has_sign) ? DOC_REAL : decimal_type(s);
}

enum doc_type doc_scalar_type(struct slice s)
{
    const struct word *word;

    if (s.n == 0 || slice_is(s, "~"))
        return DOC_NULL;
    if (ascii_is_digit(s.p[0]) || s.p[0] == '-' || s.p[0] == '+' || s.p[0] == '.')
        return number_type(s);
    word = find_word(s);
    return word != NULL ? word->type : DOC_TEXT;
}

bool doc_scalar_true(struct slice s)
{
    const struct word *word = find_word(s);

    return word != NULL && word->yes;
}
