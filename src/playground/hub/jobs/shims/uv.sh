#!/bin/sh
# What a small Hub has for uv: runs scripts with this machine's python3 and installs nothing.
if [ "$1" != run ]; then
  echo "uv $1: only 'uv run' works here" >&2
  exit 2
fi
shift
packages=0
while [ $# -gt 0 ]; do
  case "$1" in
    --with) packages=$((packages + 1)); shift 2 ;;
    --with=*) packages=$((packages + 1)); shift ;;
    -p | --python | --with-requirements | --with-editable | --index | --index-url | --extra-index-url | --find-links | --env-file | --project | --directory | --prerelease | --extra | --group | --refresh-package)
      shift 2 ;;
    -s | --script) shift; break ;;
    --) shift; break ;;
    -) break ;;
    -*) shift ;;
    *) break ;;
  esac
done
[ "$packages" -gt 0 ] && echo "Installed $packages packages in 1ms" >&2
if [ $# -eq 0 ]; then
  echo "uv run: no command" >&2
  exit 2
fi
first=$1
shift
case "$first" in
  -) exec python3 - "$@" ;;
  http://127.0.0.1:* | http://localhost:*)
    python3 -c 'import sys, urllib.request; open(sys.argv[2], "wb").write(urllib.request.urlopen(sys.argv[1], timeout=60).read())' \
      "$first" "$TMPDIR/script.py" || exit 1
    exec python3 "$TMPDIR/script.py" "$@" ;;
  http://* | https://*)
    echo "uv run: this small Hub fetches nothing from other machines: $first" >&2
    exit 1 ;;
  *.py) exec python3 "$first" "$@" ;;
  *) exec "$first" "$@" ;;
esac
