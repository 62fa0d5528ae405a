#include "crypto/jwt_json.h"

/* Deepest nesting of brackets outside of strings. The text need not be JSON: this only bounds the
 * recursion of the parser that will tell. */
size_t jwt_json_nesting(struct slice text)
{
    size_t depth = 0, deepest = 0;
    bool string = false;

    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];

        if (string) {
            if (c == '\\')
                i++;
            else if (c == '"')
                string = false;
        } else if (c == '"') {
            string = true;
        } else if (c == '[' || c == '{') {
            depth++;
            deepest = depth > deepest ? depth : deepest;
        } else if ((c == ']' || c == '}') && depth > 0) {
            depth--;
        }
    }
    return deepest;
}

enum jwt_fault jwt_json_parse(struct slice text, enum jwt_fault fault, json_t **out)
{
    json_error_t error;
    json_t *value;

    if (text.n == 0 || jwt_json_nesting(text) > JWT_MAX_DEPTH)
        return fault;
    /* RFC 7519 4 and 7515 4: names must be unique, or the parser must reject the token. Which of
     * two `exp` members counts is nothing two programs would agree on. */
    value = json_loadb(text.p, text.n, JSON_REJECT_DUPLICATES, &error);
    if (value == NULL)
        return json_error_code(&error) == json_error_out_of_memory ? JWT_INTERNAL : fault;
    if (!json_is_object(value)) {
        json_decref(value);
        return fault;
    }
    *out = value;
    return JWT_OK;
}

struct slice jwt_json_text(const json_t *value)
{
    if (!json_is_string(value))
        return SLICE_NONE;
    return slice_make(json_string_value(value), json_string_length(value));
}
