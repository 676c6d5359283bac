#!/usr/bin/env bash
# Starts the playground and drives its page in headless Chromium: once with the bot and its
# demonstration model, once with the workspace alone. Screenshots go to the target directory.
#
#   tests/browser/run.sh [FOLDER FOR SCREENSHOTS]
#
# CHROMIUM names the browser, ML_INTERN the program (default: the debug build, made anew).
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
target=${CARGO_TARGET_DIR:-$root/target}
shots=${1:-$target/browser}
program=${ML_INTERN:-$target/debug/ml-intern}
export CHROMIUM=${CHROMIUM:-$(command -v chromium || command -v chromium-browser || command -v google-chrome)}
[ -n "$CHROMIUM" ] || { echo "Chromium is missing: install it, or name it in CHROMIUM"; exit 1; }

[ -d "$here/node_modules" ] || (cd "$here" && npm ci --ignore-scripts --no-audit --no-fund --silent) || exit 1
[ -n "${ML_INTERN:-}" ] || (cd "$root" && cargo build --quiet --bin ml-intern) || exit 1

work=$(mktemp -d)
pid=
finish() {
  if [ -n "$pid" ]; then
    kill "$pid" 2>/dev/null
    wait "$pid" 2>/dev/null
  fi
  rm -rf "$work"
}
trap finish EXIT

# Runs the page's test against one playground; the arguments go to the program.
drive() {
  local name=$1 mode=$2
  shift 2
  mkdir -p "$work/$name"
  # Nothing of the caller's environment: no model key, so the demonstration model answers.
  (cd "$work/$name" && exec env -i PATH="$PATH" HOME="$work/$name" LANG=C.UTF-8 "$program" playground --json "$@") \
    >"$work/$name.json" 2>"$work/$name.log" &
  pid=$!
  for _ in $(seq 100); do
    grep -q page_url "$work/$name.json" && break
    kill -0 "$pid" 2>/dev/null || break
    sleep 0.2
  done
  if ! grep -q page_url "$work/$name.json"; then
    echo "the playground did not start ($name):"
    tail -n 20 "$work/$name.log"
    return 1
  fi
  node "$here/page.mjs" "$work/$name.json" "$shots/$name" $mode
  local result=$?
  [ $result = 0 ] || { echo "the program's last lines ($name):"; tail -n 20 "$work/$name.log"; }
  kill "$pid" 2>/dev/null
  wait "$pid" 2>/dev/null
  pid=
  return $result
}

status=0
echo "With the bot:"
drive bot "" || status=1
echo "The workspace alone:"
drive alone --no-bot --no-bot || status=1
exit $status
