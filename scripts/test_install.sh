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
    [[ $(ldd "$work/$name.shared") == *"$prefix"*libanymodel* ]] || { echo "$name: not the installed library"; exit 1; }
    [[ $(ldd "$work/$name.static") != *libanymodel* ]] || { echo "$name: not the static library"; exit 1; }
    echo "$name: compiled against both libraries"
done
[ "$("$work/link.shared")" = unsupported ]
[ "$("$work/link.static")" = unsupported ]

# The example answers from a model: one number a line.
for kind in shared static; do
    [ "$("$work/embed.$kind" examples/models/tiny-llama-text "It was a fine morning." | grep -c '^-\?[0-9.]*$')" -gt 1 ]
done

# Every public symbol carries the prefix, so that no program collides with this library.
strays=$(nm -D --defined-only "$library/libanymodel.so" | awk '$3 !~ /^(am_|__bss_start$|_edata$|_end$)/ { print $3 }')
[ -z "$strays" ] || { echo "symbols without the prefix am_: $strays"; exit 1; }

"$prefix/bin/anymodel" --version
[ -s "$prefix/share/bash-completion/completions/anymodel" ] && bash -n "$prefix/share/bash-completion/completions/anymodel"
echo "installed and used: $(find "$prefix" -type f | wc -l) files"
