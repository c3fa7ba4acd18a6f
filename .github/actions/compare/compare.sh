#!/usr/bin/env bash
# Installs wireproof of this checkout into an environment of its own, and judges the endpoint at WIREPROOF_URL.
# WIREPROOF_ARGUMENTS has further arguments, one a line; the reports go to the folder WIREPROOF_REPORTS.
set -euo pipefail

venv="${RUNNER_TEMP:?}/wireproof"
"${PYTHON:-python3}" -m venv "$venv"
"$venv/bin/pip" install --quiet --disable-pip-version-check "${GITHUB_ACTION_PATH:?}/../../.."

mkdir -p "$WIREPROOF_REPORTS"
reports="$(cd "$WIREPROOF_REPORTS" && pwd)"
arguments=()
while IFS= read -r line || [ -n "$line" ]; do
  [ -z "${line//[[:space:]]/}" ] || arguments+=("$line")
done <<<"$WIREPROOF_ARGUMENTS"
exec "$venv/bin/wireproof" compare "$WIREPROOF_URL" --github \
  --html "$reports/compare.html" --json "$reports/compare.json" --junit "$reports/compare.xml" \
  ${arguments[@]+"${arguments[@]}"}
