#!/bin/bash
# Installs the Debian or Ubuntu packages that are missing, and nothing else. Does nothing, quickly, when all are there.
# Usage: scripts/install_packages.sh [GROUP...]      groups: build (default) video demo fuzz format cross bench regress emulate sdks
set -euo pipefail

# docs/decisions/ says why each library was chosen.
build="make gcc g++ libc6-dev cmake ninja-build pkg-config ccache python3 libcmocka-dev
       libsimdjson-dev libpcre2-dev libutf8proc-dev
       libpng-dev libjpeg-dev libwebp-dev libgif-dev libtiff-dev libsndfile1-dev libmpg123-dev libvorbis-dev libsoxr-dev libzip-dev zlib1g-dev nettle-dev
       python3-jieba" # of this the dictionary, by which tokenizers of Chinese cut words
video="libavformat-dev libavcodec-dev libavutil-dev libswscale-dev"
demo="python3-pip"
fuzz="clang llvm libclang-rt-dev $video"
format="clang-format"
cross="gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user"
bench="python3-venv"
regress="valgrind"
emulate="binutils bochs bochsbios bochs-term vgabios isolinux syslinux-common xorriso busybox-static cpio gzip"
sdks="python3-pip mesa-vulkan-drivers libvulkan1"

wanted=()
for group in "${@:-build}"; do
    case $group in
        build | video | demo | fuzz | format | cross | bench | regress | emulate | sdks) read -r -d '' -a packages <<<"${!group}" || true ;;
        *)
            echo "install_packages.sh: unknown group '$group' (build video demo fuzz format cross bench regress emulate sdks)" >&2
            exit 2
            ;;
    esac
    wanted+=("${packages[@]}")
done

if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
    echo "This is neither Debian nor Ubuntu. Needed, under the names that Debian gives them:" >&2
    echo "    ${wanted[*]}" >&2
    exit 0
fi

# dpkg-query fails when it does not know one of the names, and prints the others all the same.
present=$(dpkg-query -W -f '${db:Status-Status} ${Package}\n' "${wanted[@]}" 2>/dev/null | sed -n 's/^installed //p' || true)
missing=()
for package in "${wanted[@]}"; do
    grep -qxF -e "$package" <<<"$present" || missing+=("$package")
done
if [ ${#missing[@]} -eq 0 ]; then
    exit 0
fi

as_root=()
if [ "$(id -u)" -ne 0 ]; then
    if ! command -v sudo >/dev/null; then
        echo "Packages are missing, and this is neither root nor is there sudo. Let an administrator run:" >&2
        echo "    apt-get install --no-install-recommends ${missing[*]}" >&2
        exit 1
    fi
    as_root=(sudo)
fi

install() {
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 install -y -q --no-install-recommends "${missing[@]}"
}

echo "Installing packages: ${missing[*]}"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# The package lists may be absent or old; then the first attempt fails.
if ! install >"$log" 2>&1; then
    if ! { "${as_root[@]}" apt-get update -q && install; } >"$log" 2>&1; then
        tail -n 20 "$log" >&2
        echo "install_packages.sh: apt-get failed" >&2
        exit 1
    fi
fi
