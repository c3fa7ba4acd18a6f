#!/usr/bin/env bash
# curl: URL KIND; the form is curl's own (-F), whatever the framing.
set -euo pipefail
quoted=${ODD//\"/\\\"} # -F takes a name with ; or , in quotes, and \" for a quote
form=(--form-string "note=$NOTE" -F "plain=@$PLAIN" -F "odd=@\"$quoted\"")
case $2 in
  form) flags=() ;;
  chunked) flags=(-H 'Transfer-Encoding: chunked') ;;
  expect) flags=(-H 'Expect: 100-continue') ;;
esac
exec curl -sS --fail-with-body "${flags[@]}" "${form[@]}" "$1"
