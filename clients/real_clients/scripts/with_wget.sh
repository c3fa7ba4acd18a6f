#!/usr/bin/env bash
# wget: URL KIND; it has no multipart: the field is urlencoded, each file is a body of its own.
set -euo pipefail
case $2 in
  form) flags=() ;;
  expect) flags=(--header 'Expect: 100-continue') ;;
esac
wget -nv -O - "${flags[@]}" --post-data "note=$NOTE_QUOTED" "$1"
wget -nv -O - "${flags[@]}" --method PUT --body-file "$PLAIN" "$1$(basename "$PLAIN")"
wget -nv -O - "${flags[@]}" --method PUT --body-file "$ODD" "$1$ODD_QUOTED"
