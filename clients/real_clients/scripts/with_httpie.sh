#!/usr/bin/env bash
# HTTPie: URL KIND PROGRAM.
set -euo pipefail
flags=()
fields=()
case $2 in
  chunked) flags=(--chunked) ;;
  expect) fields=(Expect:100-continue) ;;
esac
items=("${fields[@]}" "note=$NOTE" "plain@$PLAIN" "odd@$ODD")
exec "$3" --ignore-stdin --check-status --form "${flags[@]}" POST "$1" "${items[@]}"
