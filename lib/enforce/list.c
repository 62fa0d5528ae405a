#include "enforce/list.h"

/* Where the element that begins at `rest` ends: at a separator, or at the end of all. */
static size_t element_end(struct slice rest, char separator)
{
    bool quoted = false;
    size_t i = 0;

    for (; i < rest.n && (quoted || rest.p[i] != separator); i++) {
        if (rest.p[i] == '"')
            quoted = !quoted;
        else if (quoted && rest.p[i] == '\\' && i + 1 < rest.n)
            i++; /* quoted-pair */
    }
    return i;
}

bool list_next(struct slice *rest, char separator, struct slice *element)
{
    while (rest->n > 0) {
        size_t end = element_end(*rest, separator);

        *element = slice_trim(slice_first(*rest, end));
        *rest = slice_from(*rest, end + 1);
        if (element->n > 0)
            return true;
    }
    return false;
}

static bool is_token(struct slice s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (!ascii_is_alpha(s.p[i]) && !ascii_is_digit(s.p[i]) &&
            (s.p[i] == '\0' || strchr("!#$%&'*+-.^_`|~", s.p[i]) == NULL))
            return false;
    }
    return s.n > 0;
}

/* quoted-string = DQUOTE *( qdtext / quoted-pair ) DQUOTE; `s` begins with the first quote. */
static bool read_quoted(struct slice s, struct list_word *word)
{
    size_t i = 1;

    while (i < s.n && s.p[i] != '"')
        i += s.p[i] == '\\' ? 2 : 1;
    if (i + 1 != s.n)
        return false; /* not closed, or something follows */
    *word = (struct list_word){slice_make(s.p + 1, s.n - 2), true};
    return true;
}

bool list_pair(struct slice element, struct slice *name, struct list_word *value)
{
    ptrdiff_t equals = slice_find(element, '=');
    struct slice word;

    *value = (struct list_word){SLICE_NONE, false};
    *name = equals < 0 ? element : slice_trim(slice_first(element, (size_t)equals));
    if (!is_token(*name))
        return false;
    word = equals < 0 ? SLICE_NONE : slice_trim(slice_from(element, (size_t)equals + 1));
    if (word.n > 0 && word.p[0] == '"')
        return read_quoted(word, value);
    value->text = word;
    return word.n == 0 || is_token(word);
}

bool list_word_is(struct list_word word, struct slice text, bool any_case)
{
    size_t at = 0;

    for (size_t i = 0; i < word.text.n; i++, at++) {
        if (word.quoted && word.text.p[i] == '\\' && i + 1 < word.text.n)
            i++;
        if (at == text.n)
            return false;
        if (any_case ? ascii_lower(word.text.p[i]) != ascii_lower(text.p[at])
                     : word.text.p[i] != text.p[at])
            return false;
    }
    return at == text.n;
}
