# Sourced by `run` and `slow`: installs what they need, and measures lanes.
# Needs Python >= 3.11; apt installs the rest where it may, pip into a new environment.

python="${PYTHON:-python3}"
export PIP_DISABLE_PIP_VERSION_CHECK=1
unset PYTHONDONTWRITEBYTECODE # the tests start hundreds of interpreters, and each would compile all modules

# install_clients PACKAGE...: the programs that the tests use where they are installed, and these.
install_clients() {
  local packages=(curl nginx-light haproxy iproute2 systemd wget libwww-perl chromium strace prometheus "$@")
  # A Node.js from elsewhere brings its own npm, and conflicts with Debian's.
  command -v npm >/dev/null || packages+=(nodejs npm)
  if command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
    export DEBIAN_FRONTEND=noninteractive
    apt-get -qq update
    apt-get -qq install --yes --no-install-recommends "${packages[@]}" >/dev/null
    export WIREPROOF_CLIENTS_REQUIRED=1 # no real client of tests/real_clients may be skipped
  fi
}

# The first command in the README that contains $1, word for word.
readme_command() {
  local command
  command="$(grep -F -- "$1" README.md | head -1)"
  [ -n "$command" ] || { echo "README.md has no command with '$1'" >&2; return 1; }
  [ "$python" = python3 ] || command="${command/python3 -m venv/$python -m venv}"
  printf '%s\n' "$command"
}

# guided_fuzzing SECONDS AT_ONCE SEED: all targets, each for so long. Its engine has no wheel for every machine.
guided_fuzzing() {
  # Not again where it is: another lane may run, and must find the project installed.
  .venv/bin/python -c 'import atheris' 2>/dev/null || .venv/bin/pip install --quiet --editable '.[test,guided]' || return
  if ! .venv/bin/python -c 'import atheris' 2>/dev/null; then
    echo "SKIPPED: guided fuzzing did NOT run, as there is no atheris for this machine" >&2
    return 0
  fi
  .venv/bin/python -m tests.guided_fuzzing --seconds "$1" --at-once "$2" --seed "$3"
}

figures=()
failed=()

# lane NAME COMMAND: runs the command, and notes how long it took and what pytest counted.
lane() {
  local name="$1" log began=$SECONDS counted status=0
  log="$(mktemp)"
  shift
  echo "== $name: $*"
  "$@" 2>&1 | tee "$log" || status=$?
  counted="$(grep -E '^=+ .* in [0-9.]+s.* =+$|^[0-9]+ (passed|failed).* in ' "$log" | tail -1 | tr -d '=' || true)"
  figures+=("$(printf '%-16s %5d s  %s' "$name" $((SECONDS - began)) "${counted:-exit status $status}")")
  [ "$status" = 0 ] || failed+=("$name")
  rm -f "$log"
}

# lanes NAME COMMAND NAME COMMAND: two lanes at the same time, which wait more than they compute. A command is
# one argument here. What the first one prints comes behind the second one.
lanes() {
  local notes beside
  notes="$(mktemp -d)"
  (
    figures=() failed=()
    # shellcheck disable=SC2086 # the words of a command
    lane "$1" $2 >"$notes/output" 2>&1
    printf '%s\n' "${figures[@]}" >"$notes/figures"
    exit "${#failed[@]}"
  ) &
  beside=$!
  # shellcheck disable=SC2086
  lane "$3" $4
  wait "$beside" || failed+=("$1")
  cat "$notes/output"
  figures+=("$(cat "$notes/figures")")
  rm -rf "$notes"
}

# Prints the figures of all lanes; fails when one failed.
finish() {
  echo "== lanes, $SECONDS s in all"
  printf '%s\n' "${figures[@]}"
  [ "${#failed[@]}" = 0 ] || { echo "FAILED: ${failed[*]}"; return 1; }
}
