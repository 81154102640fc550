#!/bin/bash
# Installs a build into a temporary prefix, then compiles and runs programs against what was installed, with the shared
# and with the static library, as a user of the library does. Usage: scripts/test_install.sh BUILD_FOLDER
set -euo pipefail
cd "$(dirname "$0")/.."
build=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
prefix=$work/prefix
cmake --install "$build" --prefix "$prefix" >"$work/log" || { cat "$work/log"; exit 1; }

PKG_CONFIG_PATH=$(dirname "$(find "$prefix" -name anymodel.pc)")
export PKG_CONFIG_PATH
library=$(pkg-config --variable=libdir anymodel)
export LD_LIBRARY_PATH=$library

cat >"$work/link.c" <<'END'
#include <anymodel/status.h>
#include <anymodel/tensor.h>
#include <stdio.h>

int main(void)
{
    return puts(am_code_text(AM_UNSUPPORTED)) < 0 || am_dtype_bytes(AM_F32) != 4;
}
END

for source in "$work/link.c" $(find examples -name '*.c' | sort); do
    name=$(basename "$source" .c)
    # shellcheck disable=SC2046
    ${CC:-cc} -std=c11 -Wall -Wextra -Werror "$source" -o "$work/$name.shared" $(pkg-config --cflags --libs anymodel)
    # shellcheck disable=SC2046
    ${CC:-cc} -std=c11 -DAM_STATIC "$source" -o "$work/$name.static" $(pkg-config --cflags anymodel) \
        "$library/libanymodel.a" $(pkg-config --static --libs anymodel | sed 's/-lanymodel//')
    ldd "$work/$name.shared" | grep -q "$prefix/.*libanymodel" || { echo "$name does not use the installed library"; exit 1; }
    ldd "$work/$name.static" | grep -q libanymodel && { echo "$name uses the shared library"; exit 1; }
    echo "$name: compiled against both libraries"
done
[ "$("$work/link.shared")" = unsupported ]
[ "$("$work/link.static")" = unsupported ]

# Every public symbol carries the prefix, so that no program collides with this library.
strays=$(nm -D --defined-only "$library/libanymodel.so" | awk '$3 !~ /^am_/ { print $3 }')
[ -z "$strays" ] || { echo "symbols without the prefix am_: $strays"; exit 1; }

if [ -x "$prefix/bin/anymodel" ]; then
    "$prefix/bin/anymodel" --version
fi
echo "installed and used: $(find "$prefix" -type f | wc -l) files"
