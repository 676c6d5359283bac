#!/usr/bin/env bash
# Every test of the project, with its own set-up: format, clippy, unit, wire, store, scenario, kill,
# CLI and tidy tests, official Slack clients, and the page in headless Chromium.
# Installs what it needs where it may (apt as root, pip and npm into folders of its own); where it
# may not, it says what is missing and fails at the end.
set -uo pipefail
cd "$(dirname "$0")/.."

cache=tests/.cache
mkdir -p "$cache"
passed=0
failed=0
missing=()
began=$(date +%s)

say() { printf '\n\033[1m== %s\033[0m\n' "$*"; }
run() { # run NAME COMMAND...
  local name=$1
  shift
  say "$name"
  if "$@"; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
    printf '\033[31m!! %s failed\033[0m\n' "$name"
  fi
}
have() { command -v "$1" >/dev/null 2>&1; }
install() { # install PROGRAM PACKAGE...
  local program=$1
  shift
  have "$program" && return 0
  if have apt-get && [ "$(id -u)" = 0 ]; then
    printf 'installing %s\n' "$*"
    [ -e "$cache/apt-updated" ] || { apt-get update -qq && touch "$cache/apt-updated"; }
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "$@" >"$cache/apt.log" 2>&1 || tail -3 "$cache/apt.log"
  fi
  have "$program" || missing+=("$program (packages: $*)")
}

say "What the tests need"
have cargo || { echo "The Rust toolchain is missing: install it from https://rustup.rs"; exit 1; }
install cc gcc libc6-dev
install python3 python3 python3-venv
install node nodejs npm
install npm npm
install chromium chromium
if have python3; then
  if [ ! -x "$cache/venv/bin/python" ]; then
    python3 -m venv "$cache/venv" || {
      have apt-get && [ "$(id -u)" = 0 ] && apt-get install -y -qq python3-venv && python3 -m venv "$cache/venv"
    } || missing+=("python3 venv")
  fi
  "$cache/venv/bin/python" -m pip install -q --disable-pip-version-check -r tests/official/requirements.txt ||
    missing+=("the Python packages of tests/official/requirements.txt")
fi
if have npm; then
  for folder in tests/official tests/browser; do
    (cd "$folder" && npm ci --ignore-scripts --no-audit --no-fund --silent) || missing+=("the npm packages of $folder")
  done
fi
if [ ${#missing[@]} -gt 0 ]; then
  printf 'missing and not installable here: %s\n' "${missing[@]}"
fi
export ML_INTERN_REQUIRE_OFFICIAL=1

run "Format" cargo fmt --check
run "Build (a first build takes a few minutes)" cargo build --tests
run "Tests" cargo test --no-fail-fast
run "Clippy" cargo clippy --all-targets -- -D warnings
run "The page in Chromium" bash tests/browser/run.sh

say "Result after $(($(date +%s) - began)) s"
if [ ${#missing[@]} -gt 0 ]; then
  printf 'not checked for want of: %s\n' "${missing[@]}"
  failed=$((failed + 1))
fi
printf '%d passed, %d failed\n' "$passed" "$failed"
[ "$failed" = 0 ]
