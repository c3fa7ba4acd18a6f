# bash with_curl.sh URL PATH: tus by hand. Each round asks for the offset and sends the rest, in chunks.
set -uo pipefail
url="$1" path="$2"
size="$(stat -c %s "$path")"
tus=(-H 'Tus-Resumable: 1.0.0')

field() { tr -d '\r' | sed -n "s/^$1: //Ip" | tail -1; }

created="$(curl -sS -X POST "${tus[@]}" -H "Upload-Length: $size" -H 'Content-Length: 0' -D - -o /dev/null "$url")" || exit 1
location="$(field Location <<<"$created")"
case "$location" in
  http*) upload="$location" ;;
  /*) upload="$(sed -E 's,^(https?://[^/]+).*,\1,' <<<"$url")$location" ;;
  *) echo "no Location: $created" >&2; exit 1 ;;
esac

for _ in $(seq 200); do
  offset="$(curl -s -I "${tus[@]}" "$upload" | field Upload-Offset)"
  [ -n "$offset" ] || { sleep 0.05; continue; }
  [ "$offset" = "$size" ] && { echo "$upload"; exit 0; }
  tail -c "+$((offset + 1))" "$path" | curl -s -o /dev/null -X PATCH "${tus[@]}" -H "Upload-Offset: $offset" \
    -H 'Content-Type: application/offset+octet-stream' -H 'Expect:' -T - "$upload"
done
exit 1
