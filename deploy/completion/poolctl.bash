# Completion of poolctl for bash. poolctl itself knows what may come: its commands and options, and the daemon's pools,
# functions and handles. Where it knows nothing there are files.
_poolctl() {
  local IFS=$'\n'
  COMPREPLY=($("${COMP_WORDS[0]}" --complete "${COMP_WORDS[@]:1:COMP_CWORD}" 2> /dev/null))
}
complete -o default -F _poolctl poolctl
