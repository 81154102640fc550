#!/bin/bash
# Configures (when needed) and builds a preset of CMakePresets.json. Usage: scripts/build.sh PRESET FOLDER JOBS
set -euo pipefail
cd "$(dirname "$0")/.."
preset=$1
folder=$2
jobs=$3

if [ ! -f "$folder/build.ninja" ]; then
    log=$(mktemp)
    trap 'rm -f "$log"' EXIT
    if ! cmake --preset "$preset" -B "$folder" >"$log" 2>&1; then
        cat "$log" >&2
        exit 1
    fi
fi
# ninja prints one line that changes on a terminal and all of them elsewhere; quiet is enough for those.
if [ -t 1 ]; then
    cmake --build "$folder" --parallel "$jobs"
else
    cmake --build "$folder" --parallel "$jobs" -- --quiet
fi
echo "built $preset in $folder"
