/* Which base paths and templates can be served. A template is checked as the path that it becomes
 * when each parameter is one letter, so that templates and requests obey the same rules. */
#include "gateway/path.h"

static const char *normal_form_fault(struct slice text)
{
    char room[GW_PATH_MAX];
    struct slice normal;

    switch (gw_path_normalize(text, room, &normal)) {
    case GW_PATH_OK:
        return slice_eq(text, normal)
                   ? NULL
                   : "an escape is not in normal form: letters, digits and - . _ ~ stand for "
                     "themselves, hex digits are upper case";
    case GW_PATH_NOT_ABSOLUTE:
        return "it does not begin with '/'";
    case GW_PATH_TOO_LONG:
        return "it is longer than 8192 bytes or 256 segments";
    case GW_PATH_DOT_SEGMENT:
        return "it has a '.' or '..' segment, which no request can have";
    case GW_PATH_EMPTY_SEGMENT:
        return "it has an empty segment, which no request can have";
    case GW_PATH_ENCODED_SEPARATOR:
        return "it has an encoded slash or a backslash, which no request can have";
    case GW_PATH_CONTROL:
        return "it has a control character";
    case GW_PATH_PARAMETER:
        return "it has a ';', which no request can have";
    case GW_PATH_BAD_ESCAPE:
        return "it has a broken percent-escape";
    case GW_PATH_OVERLONG:
        return "it has an overlong UTF-8 escape, which no request can have";
    case GW_PATH_BAD_CHARACTER:
        return "it has a character that must be percent-encoded";
    }
    return "it is not a path";
}

static bool is_base_path_char(char c)
{
    return ascii_is_alpha(c) || ascii_is_digit(c) || (c != '\0' && strchr("~/_.-", c) != NULL);
}

const char *gw_base_path_fault(struct slice base_path)
{
    if (base_path.n == 0)
        return NULL;
    for (size_t i = 0; i < base_path.n; i++) {
        if (!is_base_path_char(base_path.p[i]))
            return "it has a character other than letters, digits and ~ / _ . -";
    }
    if (slice_ends(base_path, SLICE("/")))
        return "it ends with '/'";
    return normal_form_fault(base_path);
}

/* The name between braces. Operators of RFC 6570 and of other gateways ("{path+}") would match more
 * than one segment there; served as a plain parameter they would not be what the author meant. */
static const char *parameter_fault(struct slice name)
{
    if (name.n == 0)
        return "a parameter has no name";
    if (slice_has_control(name))
        return "a parameter's name has a control character";
    if (strchr("+#./;?&=,!@|", name.p[0]) != NULL || name.p[name.n - 1] == '*' ||
        name.p[name.n - 1] == '+')
        return "a parameter is {name}; operators as in {+name}, {name*} or {name+} are not "
               "supported";
    return NULL;
}

/* *rest begins with '{': takes the parameter off. */
static const char *take_parameter(struct slice *rest)
{
    struct slice name = slice_from(*rest, 1);
    ptrdiff_t end = slice_find(name, '}');
    const char *fault;

    if (end < 0)
        return "a '{' is not closed";
    name = slice_first(name, (size_t)end);
    if (slice_find(name, '{') >= 0)
        return "a '{' stands inside a parameter";
    if (slice_find(name, '/') > 0)
        return "a '{' is not closed before the next '/'";
    fault = parameter_fault(name);
    *rest = slice_from(*rest, name.n + 2);
    return fault;
}

static const char *literal_fault(char c)
{
    switch (c) {
    case '}':
        return "a '}' closes nothing";
    case '*':
        return "a wildcard is only a final \"/*\"";
    case '?':
        return "it has a query ('?...'), which is no part of a path";
    case '#':
        return "it has a fragment ('#...'), which requests never carry";
    default:
        return NULL;
    }
}

const char *gw_template_fault(struct slice template)
{
    char room[GW_PATH_MAX];
    struct slice rest = template;
    const char *fault = NULL;
    size_t n = 0;

    if (template.n > GW_PATH_MAX)
        return "it is longer than 8192 bytes";
    if (slice_ends(template, SLICE("/*")))
        rest.n -= 2;
    if (template.n > 0 && rest.n == 0)
        return NULL; /* the wildcard alone */
    while (rest.n > 0 && fault == NULL) {
        char c = rest.p[0];

        if (c == '{') {
            fault = take_parameter(&rest);
            c = 'x';
        } else {
            fault = literal_fault(c);
            rest = slice_from(rest, 1);
        }
        room[n++] = c;
    }
    if (fault == NULL)
        fault = normal_form_fault(slice_make(room, n));
    /* a slash before the final wildcard's own */
    if (fault == NULL && room[n - 1] == '/' && template.p[template.n - 1] == '*')
        fault = "it has an empty segment, which no request can have";
    return fault;
}
