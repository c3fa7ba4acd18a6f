#!/usr/bin/env bash
# Installs wireproof of this checkout into an environment of its own, and judges the endpoint at INPUT_URL.
# INPUT_ARGUMENTS has further arguments, one a line; the reports go to the folder INPUT_REPORTS.
set -euo pipefail

venv="${RUNNER_TEMP:?}/wireproof"
"${PYTHON:-python3}" -m venv "$venv"
"$venv/bin/pip" install --quiet --disable-pip-version-check "${GITHUB_ACTION_PATH:?}/../../.."

mkdir -p "$INPUT_REPORTS"
reports="$(cd "$INPUT_REPORTS" && pwd)"
arguments=()
while IFS= read -r line || [ -n "$line" ]; do
  [ -z "${line//[[:space:]]/}" ] || arguments+=("$line")
done <<<"$INPUT_ARGUMENTS"
exec "$venv/bin/wireproof" compare "$INPUT_URL" --github \
  --html "$reports/compare.html" --json "$reports/compare.json" --junit "$reports/compare.xml" \
  ${arguments[@]+"${arguments[@]}"}
