/* json_lines: is each line of standard input one JSON object? Prints the members NAME... of each line, "NAME=VALUE" in
 * JSON and separated by blanks, for a scenario to match.
 *
 *     json_lines [NAME]... <FILE */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

static int print_members(const json_t *line, char *const *names)
{
    for (; *names != NULL; names++) {
        char *value = json_dumps(json_object_get(line, *names), JSON_ENCODE_ANY | JSON_COMPACT);

        if (value == NULL)
            return EX_DATAERR;
        printf("%s=%s%s", *names, value, names[1] != NULL ? " " : "\n");
        free(value);
    }
    return EX_OK;
}

int main(int argc, char **argv)
{
    char *text = NULL;
    size_t room = 0, number = 0;
    int rc = EX_OK;

    (void)argc;
    while (rc == EX_OK && getline(&text, &room, stdin) > 0) {
        json_error_t error;
        json_t *line = json_loads(text, JSON_REJECT_DUPLICATES, &error);

        number++;
        if (!json_is_object(line)) {
            fprintf(stderr, "line %zu is not a JSON object: %s\n%s", number, error.text, text);
            rc = EX_DATAERR;
        } else {
            rc = print_members(line, argv + 1);
            if (rc != EX_OK)
                fprintf(stderr, "line %zu has not all members: %s", number, text);
        }
        json_decref(line);
    }
    free(text);
    return number > 0 ? rc : EX_NOINPUT;
}
