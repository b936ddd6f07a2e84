#!/bin/sh
# A manual page from its template. What a program says of itself with --help (or --print-config) is put where the
# template says so, so that no option can be missing there:
#   @VERSION@    the version
#   @OPTIONS@    the options of the program
#   @COMMANDS@   its commands, each with its arguments and options
#   @KEYS@       the keys of the configuration
#
#   page.sh TEMPLATE VERSION PROGRAM > PAGE
set -eu
template=$1
version=$2
program=$3
here=$(cd "$(dirname "$0")" && pwd)

# Where the explanations begin.
column=$("$program" --help | awk '/^  -h,--help/ { print index($0, "Print") }')
roff() { awk -v column="$column" -f "$here/help.awk" "$@"; }

commands() {
  "$program" --help | awk '/^Subcommands:/ { on = 1; next } /^$/ { on = 0 } on { print $1 }' | while read -r command; do
    "$program" "$command" --help | roff -v command="$command"
  done
}

while IFS= read -r line; do
  case $line in
  @OPTIONS@) "$program" --help | roff ;;
  @COMMANDS@) commands ;;
  @KEYS@) "$program" --set 'pools.default.workers = 1' --print-config | awk -f "$here/keys.awk" ;;
  *) printf '%s\n' "$line" | sed "s/@VERSION@/$version/" ;;
  esac
done < "$template"
