#!/usr/bin/env bash
# xh: URL KIND PROGRAM.
set -euo pipefail
case $2 in
  form) flags=() ;;
  chunked) flags=(Transfer-Encoding:chunked) ;;
  expect) flags=(Expect:100-continue) ;;
esac
exec "$3" --ignore-stdin --check-status --form POST "$1" "${flags[@]}" "note=$NOTE" "plain@$PLAIN" "odd@$ODD"
