#!/bin/bash
# Real models on real input, one after the other. Usage: scripts/demo.sh [PROGRAM]     (make demo builds it first)
set -euo pipefail
export LC_ALL=C.UTF-8
cd "$(dirname "$0")/.."
program=${1:-build/anymodel}
if [ ! -x "$program" ]; then
    echo "demo.sh: $program is not there; run: make" >&2
    exit 1
fi
program=$(cd "$(dirname "$program")" && pwd)/$(basename "$program")
begin=$(date +%s%N)

bold=''
plain=''
if [ -t 1 ]; then
    bold=$'\e[1m'
    plain=$'\e[0m'
fi

heading() {
    printf '\n%s%s%s\n' "$bold" "$1" "$plain"
}

# Shows a command as the reader would type it.
put_command() {
    local line='$ anymodel' word
    for word in "$@"; do
        if [[ $word == *' '* ]]; then line+=" \"$word\""; else line+=" $word"; fi
    done
    echo "$line"
}

show() {
    put_command "$@"
    "$program" "$@"
}

# Cosine of the first vector with each further one, one a line. Vectors: numbers separated by anything else.
cosines() {
    awk '{ gsub(/[^-+.0-9eE]+/, " "); n = split($0, v, " "); dot = norm = 0
           for (i = 1; i <= n; i++) { if (NR == 1) q[i] = v[i]; dot += q[i] * v[i]; norm += v[i] * v[i] }
           if (NR == 1) query_norm = norm; else printf "%.3f\n", dot / sqrt(query_norm * norm) }'
}

sentences="A cat is asleep on the windowsill.
The stock market fell sharply on Monday.
How to bake bread with a sourdough starter.
Two kittens are napping in the sun.
The train to Lisbon leaves at nine.
My bicycle has a flat tyre."
query="Animals that are resting"

heading "1. What this machine has"
echo "anymodel runs a model on whatever it finds. A target is a way to compute: a processor, a graphics card."
show targets

heading "2. Which sentence is closest in meaning?"
echo "all-MiniLM-L6-v2 is a published model that turns a sentence into a vector of 384 numbers; sentences that mean"
echo "similar things get vectors that point the same way. 1.000 would be the same direction, 0.000 an unrelated one."
if model=$(scripts/fetch_minilm.sh); then
    printf '%s\n%s\n' "$query" "$sentences" >.cache/minilm/sentences.txt
    put_command embed "$model" .cache/minilm/sentences.txt
    vectors=$("$program" embed "$model" .cache/minilm/sentences.txt)
    echo "query: $query"
    paste -d ' ' <(cosines <<<"$vectors") - <<<"$sentences" | sort -rn | sed 's/^/  /'
else
    echo "SKIPPED: the model could not be fetched (see above); everything else here needs no network."
fi

heading "3. Text, written token by token"
echo "A small language model that learnt from the novels of Jane Austen continues a sentence. It writes in her manner;"
echo "sense is not to be expected at its size."
show generate examples/models/tiny-llama-text --prompt "It is a truth universally acknowledged, that" \
    --max-new-tokens 60 --temperature 0.3 --seed 2 --stream

heading "4. What is in this image?"
echo "A small vision transformer reads a handwritten digit that it has not seen in training: a colour picture of a 4 on"
echo "an unevenly lit background. It gives each class a score from 0 to 1."
show run examples/models/digits-vit examples/data/digits/photo-4.jpg

heading "5. What is said in this recording?"
echo "A small speech model writes down spoken commands, here in a voice that it has not heard in training. The words are"
echo "in the file's name."
show run examples/models/spoken-words-wav2vec2 examples/data/speech/stop-go-left-right.wav

milliseconds=$((($(date +%s%N) - begin) / 1000000))
heading "Done in $((milliseconds / 1000)).$((milliseconds / 100 % 10)) s."
echo "Next: anymodel run MODEL_DIR INPUT with any Hugging Face model directory; anymodel --help."
