#!/bin/bash
# Runs the tests of the cpu's vector routines, and golden cases, inside an emulated processor that has AVX-512 with VNNI, for
# machines that have not: Bochs boots Debian's kernel with these programs as all there is (docs/decisions/emulator.md).
# Usage: scripts/emulate.sh BUILD [PATTERN...]     PATTERN: tests by name, as test_unit_targets_cpu takes them; without any,
#                                                  all but those that take long here; '*' is all of them
# Environment: EMULATE_SECONDS (1500)  ends it, and fails, after so long
#              EMULATE_CASES           golden cases, files below tests/golden/data without .json; '' for none
#              EMULATE_LEVEL (avx512)  the instruction set that must be there; amx wants Bochs 3, and the kernel's headers
#              EMULATE_CPU             a model of `bochs --help cpu`
#              EMULATE_BOCHS, EMULATE_SHARE   another bochs-bin, and the folder of its BIOS
#              EMULATE_KERNEL          a bzImage; without one Debian's, fetched into .cache/emulate
set -euo pipefail
cd "$(dirname "$0")/.."
[ $# -ge 1 ] || { sed -n '4,6s/^# //p' "$0" >&2; exit 2; }
build=$1
patterns=("${@:2}")
limit=${EMULATE_SECONDS:-1500}
level=${EMULATE_LEVEL:-avx512}
model=corei7_icelake_u
bochs=${EMULATE_BOCHS:-bochs-bin}
share=${EMULATE_SHARE:-/usr/share/bochs}
cache=.cache/emulate
read -r -a cases <<<"${EMULATE_CASES-llama bert}"
tests=$build/tests/test_unit_targets_cpu
program=$build/anymodel

fail() {
    echo "emulate.sh: $*" >&2
    exit 1
}

# Features that the kernel is to leave alone. Bochs 2.7 says nothing right about protection keys and compact XSAVE areas, and
# the kernel would then do without AVX; without clearing the others of this list, together, it came to a halt. Bochs 3 is
# right about XSAVE, but has its own halts, and one in the system management mode that ACPI asks for.
cleared=smap,fsgsbase,erms,fsrm,rdpid,umip,pcid,invpcid,pku
options=''
preload=''
if [ "$level" = amx ]; then
    model=sapphire_rapids
    cleared+=,amx_tile
    options='acpi=off'
    preload='LD_PRELOAD=/amx_permit.so'
else
    cleared+=,xsavec,xsaves
fi
model=${EMULATE_CPU:-$model}

work=$(mktemp -d)
bochs_pid=''
end() {
    [ -z "$bochs_pid" ] || { kill -KILL "$bochs_pid"; wait "$bochs_pid"; } 2>/dev/null || true # it does not end by TERM
    rm -rf "$work"
}
trap end EXIT

# The kernel of Debian's virtual machines: what a disk, a network or a screen needs is mostly left out of it.
fetch_kernel() {
    local package
    package=$(apt-cache depends linux-image-cloud-amd64 | sed -n 's/^ *Depends: //p' | head -n 1)
    [ -n "$package" ] || fail "apt knows no package linux-image-cloud-amd64; name a kernel with EMULATE_KERNEL=FILE"
    echo "Fetching $package into $cache (27 MB)"
    (cd "$work" && apt-get download -q "$package") >"$work/log" 2>&1 || { cat "$work/log" >&2; fail "apt-get download failed; after apt-get update?"; }
    dpkg-deb -x "$work"/linux-image-*.deb "$work/package"
    mkdir -p $cache
    mv "$work"/package/boot/vmlinuz-* $cache/vmlinuz
    rm -rf "$work/package" "$work"/linux-image-*.deb
}

# Copies a program, without what debuggers read, and the shared libraries that it needs.
add_program() {
    local library
    strip -o "$work/system/bin/$(basename "$1")" "$1"
    while read -r library; do
        mkdir -p "$work/system$(dirname "$library")"
        cp -Lu "$library" "$work/system$library"
    done < <(ldd "$1" | sed -n 's/^.*[[:space:]]\(\/[^ ]*\) (0x.*/\1/p')
}

# The release of a bzImage: its header has the place of the text, less 0x200, at 0x20e.
release_of() {
    local place
    place=$(od -An -tu2 -j $((0x20e)) -N 2 "$1")
    dd if="$1" bs=1 skip=$((place + 0x200)) count=100 status=none | tr -d '\0' | cut -d ' ' -f 1
}

# What lets programs use AMX (amx_states.c, amx_permit.c).
add_amx() {
    local release headers
    "$bochs" --help cpu >"$work/log" 2>&1 || true
    grep -qx "$model" "$work/log" || fail "$bochs has no $model; Bochs 3 has (Debian 13)"
    release=$(release_of "${EMULATE_KERNEL:-$cache/vmlinuz}")
    headers=/lib/modules/$release/build
    [ -d "$headers" ] || fail "a kernel module is to be built: install linux-headers-$release"
    mkdir "$work/module"
    cp scripts/emulate/amx_states.c "$work/module/"
    echo 'obj-m := amx_states.o' >"$work/module/Makefile"
    make -s -C "$headers" M="$work/module" modules >"$work/log" 2>&1 || { cat "$work/log" >&2; fail "the module cannot be built"; }
    cp "$work/module/amx_states.ko" "$work/system/"
    ${CC:-cc} -shared -fPIC -O1 -o "$work/system/amx_permit.so" scripts/emulate/amx_permit.c
}

# All that the system has: /init, the programs, files of golden cases.
make_root() {
    local case
    mkdir -p "$work"/system/{bin,proc,sys,dev,tmp,golden}
    cp "$(command -v busybox)" "$work/system/bin/busybox"
    add_program "$tests"
    for case in "${cases[@]}"; do
        cp tests/golden/data/"$case".* "$work/system/golden/" || fail "no golden case $case"
    done
    [ ${#cases[@]} -eq 0 ] || add_program "$program"
    [ "$level" != amx ] || add_amx
    cat >"$work/system/init" <<INIT
#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/bin HOME=/tmp ANYMODEL_WEIGHT_CACHE=0 ANYMODEL_JIEBA=
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
echo "emulate: begins"
sed -n 's/^model name.*: /emulated: /p' /proc/cpuinfo
echo "emulated:" \$(tr ' ' '\n' </proc/cpuinfo | grep -E '^(avx|fma|f16c)')
[ ! -f /amx_states.ko ] || insmod /amx_states.ko
$preload test_unit_targets_cpu --verbose --level $level ${patterns[*]@Q}
echo "emulate: tests ended with \$?"
for case in ${cases[*]@Q}; do
    $preload anymodel verify /golden/\$case.json
    echo "emulate: case \$case ended with \$?"
done
echo "emulate: end"
sleep 10
poweroff -f
INIT
    chmod +x "$work/system/init"
}

# A CD that starts it.
make_cd() {
    mkdir -p "$work/cd/isolinux"
    (cd "$work/system" && find . | cpio --quiet -o -H newc | gzip -1) >"$work/cd/initrd.gz"
    cp "${EMULATE_KERNEL:-$cache/vmlinuz}" "$work/cd/vmlinuz"
    cp /usr/lib/ISOLINUX/isolinux.bin /usr/lib/syslinux/modules/bios/ldlinux.c32 "$work/cd/isolinux/"
    cat >"$work/cd/isolinux/isolinux.cfg" <<CONFIGURATION
default linux
prompt 0
label linux
  kernel /vmlinuz
  initrd /initrd.gz
  append console=ttyS0 quiet loglevel=1 mitigations=off nokaslr idle=halt random.trust_cpu=on panic=-1 $options clearcpuid=$cleared
CONFIGURATION
    xorriso -as mkisofs -quiet -o "$work/cd.iso" -b isolinux/isolinux.bin -c isolinux/boot.cat -no-emul-boot \
        -boot-load-size 4 -boot-info-table "$work/cd" >"$work/log" 2>&1 || { cat "$work/log" >&2; fail "xorriso failed"; }
}

start_bochs() {
    cat >"$work/bochsrc" <<CONFIGURATION
plugin_ctrl: unmapped=0, biosdev=0, speaker=0, extfpuirq=0, parallel=0, gameport=0
config_interface: textconfig
display_library: term
cpu: model=$model, count=1, ips=100000000, reset_on_triple_fault=0
memory: guest=512, host=512
romimage: file=$share/BIOS-bochs-latest
vgaromimage: file=$share/VGABIOS-lgpl-latest
ata0-master: type=cdrom, path=$work/cd.iso, status=inserted
boot: cdrom
clock: sync=none, time0=local
com1: enabled=1, mode=file, dev=$work/serial
log: $work/bochs.log
panic: action=fatal
error: action=ignore
info: action=ignore
debug: action=ignore
CONFIGURATION
    : >"$work/serial"
    printf 'continue\nquit\n' >"$work/commands" # Debian builds it with the debugger, which begins with a prompt
    # bochs itself is a script that starts bochs-bin
    TERM=vt100 "$bochs" -q -f "$work/bochsrc" -rc "$work/commands" </dev/null >"$work/screen" 2>&1 &
    bochs_pid=$!
}

# Prints what comes over the serial line, with seconds since the start, and keeps it in $work/output.
follow() {
    local part line='' begun=''
    SECONDS=0
    : >"$work/output"
    exec 3<"$work/serial"
    while true; do
        if ! IFS= read -r part <&3; then
            line+=$part
            kill -0 "$bochs_pid" 2>/dev/null || return 0
            [ $SECONDS -lt "$limit" ] || return 0
            sleep 0.2
            continue
        fi
        line+=$part
        line=${line%$'\r'}
        case $line in
            'emulate: begins') begun=yes ;;
            'emulate: end') return 0 ;;
        esac
        if [ -n "$begun" ]; then
            echo "$line" >>"$work/output"
            printf '%5d s  %s\n' $SECONDS "$line"
        fi
        line=''
    done
}

# Whether what was to be tested was, and passed.
judge() {
    local passed case
    if [ ! -s "$work/output" ]; then
        tail -n 40 "$work/serial" "$work/bochs.log" "$work/screen" >&2
        fail "after $SECONDS s the system had not started"
    fi
    [ $SECONDS -lt "$limit" ] || fail "not done after $limit s (EMULATE_SECONDS)"
    grep -q '^emulate: tests ended with ' "$work/output" || fail "the emulator ended before the tests did"
    grep -qx 'emulate: tests ended with 0' "$work/output" || fail "tests failed"
    passed=$(grep -c '^\[       OK \]' "$work/output" || true)
    ! grep -q "^$level: " "$work/output" || fail "$level was not tested"
    grep -q "^\[       OK \] targets_cpu_levels__${level}_is_tested_here" "$work/output" || fail "$level was not tested"
    [ "$passed" -gt 1 ] || fail "no test matches"
    for case in "${cases[@]}"; do
        grep -qx "emulate: case $case ended with 0" "$work/output" || fail "the golden case $case failed"
    done
    echo "$passed tests and ${#cases[@]} golden cases passed on an emulated $model with $level in $SECONDS s"
}

[ -x "$tests" ] || fail "$tests is not there; run: make"
[ -n "${EMULATE_KERNEL:-}" ] || [ -f $cache/vmlinuz ] || fetch_kernel
if [ ${#patterns[@]} -eq 0 ]; then
    # Of whole programs those whose reference kernels are done in seconds here; all take twice the time.
    patterns=('targets_cpu_*' 'cpu_forms__*' 'cpu_layout__permutations_*' 'cpu_layout__strides_*')
fi
patterns+=("targets_cpu_levels__${level}_is_tested_here")
make_root
make_cd
start_bochs
follow
judge
