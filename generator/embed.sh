#!/bin/sh
# embed.sh FILE...: a C source that holds the files as (name, text) pairs, for templates.h.
set -eu
echo '/* made by generator/embed.sh; do not edit */'
echo '#include "generator/templates.h"'
echo 'const struct template_file template_files[] = {'
for f; do
    printf '    {"%s",\n' "$(basename "$f")"
    sed -e 's/\\/\\\\/g' -e 's/"/\\"/g' -e 's/^/     "/' -e 's/$/\\n"/' "$f"
    echo '    },'
done
echo '    {0, 0}};'
