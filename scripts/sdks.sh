#!/bin/bash
# Fetches the vendors' libraries that targets open at run time, into a folder of the project. Nothing of them is needed to
# build or to test: what is absent is skipped, and said.
# Usage: scripts/sdks.sh [FOLDER]      FOLDER: sdks. The program finds it there, or by ANYMODEL_SDKS=FOLDER.
set -euo pipefail
cd "$(dirname "$0")/.."
folder=${1:-sdks}
packages=$folder/python/lib/python3.11/site-packages
stamp=$folder/.installed
wanted=$(sha256sum scripts/sdks.txt)

if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$wanted" ]; then
    echo "$folder is complete"
    exit 0
fi

# The libraries do not depend on the version of Python; it only names the files to fetch.
machine=$(uname -m)
platforms=()
for libc in 2_28 2_31 2_34 2_35; do platforms+=(--platform "manylinux_${libc}_$machine"); done
rm -rf "$folder/python" "$stamp"
mkdir -p "$packages"
echo "Fetching OpenVINO, Mojo, MAX and wgpu-native into $folder (about 250 MB, 900 MB unpacked)"
python3 -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes --only-binary=:all: \
    "${platforms[@]}" --python-version 3.11 --implementation cp --abi cp311 --abi none \
    --target "$packages" -r scripts/sdks.txt
echo "$wanted" >"$stamp"
du -sh "$folder" | cut -f 1 | sed 's/$/ in all/'
