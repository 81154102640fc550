#!/bin/bash
# Configures (when needed) and builds a preset of CMakePresets.json, all of it or the targets that are named.
# Usage: scripts/build.sh PRESET FOLDER JOBS [TARGET...]
set -euo pipefail
cd "$(dirname "$0")/.."
preset=$1
folder=$2
jobs=$3
targets=("${@:4}")

if [ ! -f "$folder/build.ninja" ]; then
    log=$(mktemp)
    trap 'rm -f "$log"' EXIT
    if ! cmake --preset "$preset" -B "$folder" >"$log" 2>&1; then
        cat "$log" >&2
        exit 1
    fi
fi
# ninja prints one line that changes on a terminal and all of them elsewhere; quiet is enough for those.
options=(--parallel "$jobs")
if [ ${#targets[@]} -gt 0 ]; then
    options+=(--target "${targets[@]}")
fi
if [ ! -t 1 ]; then
    options+=(-- --quiet)
fi
cmake --build "$folder" "${options[@]}"
echo "built $preset in $folder"
