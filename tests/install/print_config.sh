#!/bin/bash
# poold --print-config | poold --config: the same again; and the example that we ship is right.
#
#   print_config.sh POOLD SCRATCH_FOLDER
set -euo pipefail
poold=$1
scratch=$2
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

"$poold" --print-config > "$scratch/first.toml"
"$poold" --config "$scratch/first.toml" --print-config > "$scratch/second.toml"
cmp "$scratch/first.toml" "$scratch/second.toml"
"$poold" --config "$here/../../deploy/config/poold.toml" --check-config

status_of() {
  status=0
  "$@" > /dev/null 2>&1 || status=$?
  echo $status
}
[ "$(status_of "$poold" --no-such-flag)" = 64 ]
[ "$(status_of "$poold" --check-config --set 'limits.max_polls = 1')" = 78 ]
[ "$(status_of "$poold" --check-config --listen 0.0.0.0:7070)" = 78 ]
[ "$(status_of "$poold" --check-config --module no-such-module)" = 78 ]
