#!/usr/bin/env bash
# Builds ml-intern and opens a local Slack workspace in the browser. Needs git, a C compiler and the
# Rust toolchain; no account and no key. Arguments go to `ml-intern playground`.
set -euo pipefail
cd "$(dirname "$0")/.."
if ! command -v cargo >/dev/null; then
  echo "The Rust toolchain is missing. Install it from https://rustup.rs and run this again." >&2
  exit 1
fi
if ! command -v cc >/dev/null; then
  echo "A C compiler is missing (Debian and Ubuntu: apt install gcc libc6-dev; macOS: xcode-select --install)." >&2
  exit 1
fi
if [ ! -x "${CARGO_TARGET_DIR:-target}/debug/ml-intern" ]; then
  echo "Building ml-intern. The first build compiles some 350 crates: about 3 minutes on 2 cores." >&2
else
  echo "Checking whether ml-intern needs rebuilding …" >&2
fi
cargo build --bin ml-intern
exec "${CARGO_TARGET_DIR:-target}/debug/ml-intern" playground "$@"
