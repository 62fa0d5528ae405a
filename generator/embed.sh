#!/bin/sh
# embed.sh ARRAY FILE...: a C source that holds the files as (name, text) pairs, for templates.h.
set -eu
array=$1
shift
echo '/* made by generator/embed.sh; do not edit */'
echo '#include "generator/templates.h"'
echo "const struct template_file $array[] = {"
for f; do
    printf '    {"%s",\n' "$(basename "$f")"
    sed -e 's/\\/\\\\/g' -e 's/"/\\"/g' -e 's/^/     "/' -e 's/$/\\n"/' "$f"
    echo '    },'
done
echo '    {0, 0}};'
