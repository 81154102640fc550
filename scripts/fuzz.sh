#!/bin/bash
# Runs the libFuzzer programs of a build folder, JOBS (processors) side by side, those that ran least first.
# Usage: scripts/fuzz.sh FOLDER [--until] SECONDS_EACH [NAME...]      scripts/fuzz.sh --report [FOLDER] | --record FOLDER
# SECONDS_EACH are the clock's; with --until each runs till its clean seconds of a processor, in all sessions, are as many.
# New inputs stay in FOLDER/corpus, what was printed in FOLDER/logs; an input that fails is left in FOLDER/crashes (add it to
# tests/fuzz/corpus when mended). FOLDER/journal says how long each has run since it last failed, in seconds of a processor:
# sessions add up. --record moves what it says into tests/fuzz/journal, which is kept with the project; --report without a
# folder shows that one.
set -euo pipefail
cd "$(dirname "$0")/.."

# The journal: a line for each fuzzer, with tabs between name, processor seconds and executions since it failed last, edges and inputs
# of its last run, and how often it failed.
report() {
    [ -f "$1/journal" ] || { echo "$1/journal: nothing was run yet" >&2; return 1; }
    sort -t $'\t' -k 2,2nr "$1/journal" | awk -F '\t' '
        BEGIN { printf "%-24s %10s %14s %8s %8s %9s\n", "fuzzer", "clean s", "executions", "edges", "inputs", "failures" }
        { printf "%-24s %10d %14d %8d %8d %9d\n", $1, $2, $3, $4, $5, $6; seconds += $2; executions += $3; failures += $6 }
        END { printf "%-24s %10d %14d %8s %8s %9d\n", NR " fuzzers", seconds, executions, "", "", failures }'
}

# Adds the journal of a folder to the project's: a fuzzer that has failed begins anew with what it ran since.
record() {
    touch tests/fuzz/journal "$1/journal"
    (
        flock 9
        awk -F '\t' -v OFS='\t' '
            FILENAME == ARGV[1] { seconds[$1] = $2; executions[$1] = $3; edges[$1] = $4; inputs[$1] = $5; failures[$1] = $6; next }
            { seconds[$1] = ($6 ? 0 : seconds[$1]) + $2; executions[$1] = ($6 ? 0 : executions[$1]) + $3
              edges[$1] = $4; inputs[$1] = $5; failures[$1] += $6 }
            END { for (name in seconds) print name, seconds[name], executions[name], edges[name], inputs[name], failures[name] + 0 }
        ' tests/fuzz/journal "$1/journal" | sort >tests/fuzz/journal.new
        mv tests/fuzz/journal.new tests/fuzz/journal
        : >"$1/journal"
    ) 9>"$1/journal.lock"
}

if [ "${1:-}" = --report ] && [ $# -le 2 ]; then
    report "${2:-tests/fuzz}"
    exit
fi
if [ "${1:-}" = --record ] && [ $# -eq 2 ]; then
    record "$2"
    report tests/fuzz
    exit
fi
folder=${1:-}
until=0
if [ "${2:-}" = --until ]; then
    until=1
    set -- "$1" "${@:3}"
fi
[[ $# -ge 2 && $2 =~ ^[0-9]+$ ]] || { sed -n '3,4s/^# //p' "$0" >&2; exit 2; }
seconds=$2
names=("${@:3}")
jobs=${JOBS:-$(nproc)}
mkdir -p "$folder/crashes" "$folder/logs"

if [ ${#names[@]} -eq 0 ]; then
    for program in "$folder"/tests/fuzz/fuzz_*; do
        if [ -f "$program" ] && [ -x "$program" ]; then names+=("${program##*/fuzz_}"); fi
    done
fi
# Those without a line have run 0 seconds.
mapfile -t names < <(touch "$folder/journal" tests/fuzz/journal; printf '%s\n' "${names[@]}" |
    awk -F '\t' 'FILENAME != "-" { ran[$1] += $2; next } NF { printf "%d\t%s\n", ran[$1], $1 }' tests/fuzz/journal "$folder/journal" - |
    sort -s -n -k 1,1 | cut -f 2)

# The seconds of the clock that a fuzzer is to run now: with --until what is missing, which takes longer than that, so it comes again.
seconds_for() {
    if [ "$until" -eq 0 ]; then echo "$seconds"; return; fi
    awk -F '\t' -v name="$1" -v goal="$seconds" '
        $1 == name { ran = ($6 && FILENAME != ARGV[1] ? 0 : ran) + $2 }
        END { missing = goal - ran; print missing <= 0 ? 0 : missing < 30 ? 30 : missing }' tests/fuzz/journal "$folder/journal"
}

# The last number after a word in a log, 0 where there is none.
number_in() {
    { grep -ao "$2 *[0-9]*" "$1" || true; } | awk '{ n = $NF } END { print n + 0 }'
}

# Adds a run to the journal, which other sessions may be writing, too.
account() {
    local name=$1 ran=$2 has_failed=$3 log=$folder/logs/$1
    (
        flock 9
        awk -F '\t' -v OFS='\t' -v name="$name" -v ran="$ran" -v failed="$has_failed" -v edges="$(number_in "$log" 'cov:')" \
            -v executions="$(number_in "$log" 'stat::number_of_executed_units:')" -v inputs="$(number_in "$log" 'corp:')" '
            function line(all, executed, failures) {
                print name, failed ? 0 : all + ran, failed ? 0 : executed + executions, edges, inputs, failures + failed
            }
            $1 == name { line($2, $3, $6); found = 1; next }
            { print }
            END { if (!found) line(0, 0, 0) }' "$folder/journal" >"$folder/journal.new"
        mv "$folder/journal.new" "$folder/journal"
    ) 9>"$folder/journal.lock"
}

declare -A name_of=()
failed=0
stopped=0

start() {
    local name=$1 now=$2 options=()
    mkdir -p "$folder/corpus/$name"
    if [ -f "tests/fuzz/dictionaries/$name.dict" ]; then options+=("-dict=tests/fuzz/dictionaries/$name.dict"); fi
    (
        export ASAN_OPTIONS=allocator_may_return_null=1
        TIMEFORMAT='%U %S'
        trap '' TERM # the journal's seconds would be lost with this shell; stop() sends what libFuzzer ends by
        time "$folder/tests/fuzz/fuzz_$name" -max_total_time="$now" -timeout=60 \
            -report_slow_units=10 -rss_limit_mb=2048 -malloc_limit_mb=1024 -print_final_stats=1 \
            -artifact_prefix="$folder/crashes/$name-" "${options[@]}" \
            "$folder/corpus/$name" "tests/fuzz/corpus/$name" >"$folder/logs/$name" 2>&1
    ) 2>"$folder/logs/$name.seconds" &
    name_of[$!]=$name
}

# 72 is libFuzzer's status after an interrupt.
finish() {
    local pid=$1 status=$2 name=${name_of[$1]} has_failed=0
    if [ "$status" -ne 0 ] && { [ "$status" -ne 72 ] || [ "$stopped" -eq 0 ]; }; then
        has_failed=1
        failed=$((failed + 1))
        echo "$name failed; the end of $folder/logs/$name:"
        grep -av '^#[0-9]*[[:space:]]*\(NEW\|REDUCE\|pulse\)' "$folder/logs/$name" | tail -n 60
    elif [ "$until" -eq 1 ]; then
        queue=("$name" "${queue[@]}")
    fi
    account "$name" "$(awk '{ printf "%d", $1 + $2 }' "$folder/logs/$name.seconds")" "$has_failed"
    awk -F '\t' -v name="$name" '$1 == name { print name ": " $2 " s without a failure, " $4 " edges, " $5 " inputs" }' "$folder/journal"
    unset "name_of[$pid]"
}

# The programs of a pipeline in the background take no notice of a terminal's interrupt before libFuzzer is set up.
stop() {
    stopped=1
    local shells="${!name_of[*]}"
    if [ -n "$shells" ]; then pkill -INT --parent "${shells// /,}" || true; fi
}
trap stop INT TERM

# `wait` ends without a process when a signal comes, and with 127 where somebody else has ended those that it waits for.
await_one() {
    local pid='' status=0
    wait -n -p pid "${!name_of[@]}" || status=$?
    if [ -n "${pid:-}" ]; then
        finish "$pid" "$status"
    elif [ "$status" -eq 127 ]; then
        echo "no longer known, and not in the journal: ${name_of[*]}" >&2
        name_of=()
        failed=$((failed + 1))
    fi
}

# With --until a fuzzer that has ended comes again, till nothing is missing.
queue=("${names[@]}")
while [ "$stopped" -eq 0 ] && [ $((${#queue[@]} + ${#name_of[@]})) -gt 0 ]; do
    if [ ${#queue[@]} -eq 0 ] || [ ${#name_of[@]} -ge "$jobs" ]; then
        await_one
        continue
    fi
    name=${queue[0]}
    queue=("${queue[@]:1}")
    now=$(seconds_for "$name")
    if [ "$now" -gt 0 ]; then start "$name" "$now"; fi
done
while [ ${#name_of[@]} -gt 0 ]; do await_one; done

slow=$(find "$folder/crashes" -name '*slow-unit-*' | wc -l)
[ "$slow" -eq 0 ] || echo "$slow inputs in $folder/crashes took more than 10 s"
echo "${#names[@]} fuzzers, $failed failed"
if [ "$stopped" -eq 1 ]; then exit 130; fi
[ ${#names[@]} -gt 0 ] && [ "$failed" -eq 0 ]
