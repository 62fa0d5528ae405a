# complete.bash SCRIPT WORD...: what bash, having read SCRIPT, offers for the last WORD, on one line. Words are
# given as bash cuts them: a '=' is a word of its own.
set -u
script=$1
shift
# shellcheck disable=SC1090
source "$script"
complete -p cc-gen >/dev/null || exit 1
COMP_WORDS=("$@")
COMP_CWORD=$(($# - 1))
function=$(complete -p cc-gen | sed 's/.*-F \([^ ]*\).*/\1/')
set +u
"$function"
echo "${COMPREPLY[*]}"
