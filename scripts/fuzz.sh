#!/bin/bash
# Runs every libFuzzer program of a build folder. Usage: scripts/fuzz.sh FOLDER SECONDS_EACH
# New inputs stay in FOLDER/corpus; one that fails is left in FOLDER/crashes (add it to tests/fuzz/corpus when mended).
set -euo pipefail
cd "$(dirname "$0")/.."
folder=$1
seconds=$2
failed=0
found=0
mkdir -p "$folder/crashes"
for program in "$folder"/tests/fuzz/fuzz_*; do
    [ -x "$program" ] && [ -f "$program" ] || continue
    found=$((found + 1))
    name=${program##*/fuzz_}
    mkdir -p "$folder/corpus/$name"
    echo "fuzzing $name for $seconds s"
    if ! ASAN_OPTIONS=allocator_may_return_null=1 "$program" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 \
        -malloc_limit_mb=1024 -print_final_stats=1 -verbosity=0 -artifact_prefix="$folder/crashes/$name-" \
        "$folder/corpus/$name" "tests/fuzz/corpus/$name"; then
        failed=$((failed + 1))
    fi
done
echo "$found fuzzers run, $failed failed"
[ "$found" -gt 0 ] && [ "$failed" -eq 0 ]
