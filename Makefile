# make            build the program and the libraries        make install    into PREFIX (DESTDIR is honoured)
# make demo       real models on real input                  make format     clang-format over src, include, tests
# make test       every test; again under sanitizers         make golden     all golden files; reports into BUILD/golden
# make asan       address and undefined sanitizers           make docs       the generated pages under docs/
# make tsan       thread sanitizer                           make cross      64 bit ARM, tests under qemu-user
# make fuzz       libFuzzer, FUZZ_SECONDS for each parser    make bench      beside other engines; docs/performance.md
# make sdks       vendors' libraries for the targets       make test-targets   the tests that need them
# make bench-targets   docs/targets-performance.md       make test-max   golden cases on MAX: hours
# make bench-tokenizers   docs/tokenizers-performance.md   make video   FFmpeg's libraries: build with video files
# make bench-processors   docs/processors-performance.md   make bench-kernels   vector routines, by instruction set
# make bench-regress   instructions that kernels take, beside bench/instructions.txt; UPDATE=--update records them
# make emulate    the cpu's tests in an emulator of AVX-512; TESTS='targets_cpu_rows__*'
# make lying-configs   every wrong value in every recorded configuration, a crash being an error: an hour of a processor
# make clean      remove the build folders
# Variables: BUILD (folder, build), JOBS (processors), PREFIX (/usr/local), DESTDIR, FUZZ_SECONDS (60), ONLY (bench-kernels)
# Missing packages are installed first, on Debian and Ubuntu (scripts/install_packages.sh).
BUILD        ?= build
JOBS         ?= $(shell nproc)
PREFIX       ?= /usr/local
FUZZ_SECONDS ?= 60

CTEST = ctest --output-on-failure --no-tests=error -j $(JOBS)

.PHONY: all video sdks test-targets test-max packages build build-asan demo test asan tsan fuzz lying-configs bench bench-targets bench-tokenizers bench-processors bench-kernels bench-regress emulate install format golden docs cross clean help
all: build

help:
	@sed -n 's/^# //p' Makefile | head -n 16

packages:
	@scripts/install_packages.sh build

build: packages
	@scripts/build.sh release $(BUILD) $(JOBS)

# With FFmpeg's libraries, for --video with files: heavy, so not what `make` installs. A folder that was set up without looks again.
video: packages
	@scripts/install_packages.sh video
	@[ ! -f $(BUILD)/build.ninja ] || cmake $(BUILD) >/dev/null
	@scripts/build.sh release $(BUILD) $(JOBS)

# The program alone: tests take longer to build than it does.
demo: packages
	@scripts/install_packages.sh demo
	@scripts/build.sh release $(BUILD) $(JOBS) anymodel
	@scripts/demo.sh $(BUILD)/anymodel

# All tests, then those that read input or compute once more under the address and undefined behaviour sanitizers.
test: build
	@$(CTEST) --test-dir $(BUILD)
	@$(MAKE) --no-print-directory asan

asan: packages
	@scripts/build.sh asan $(BUILD)-asan $(JOBS)
	@$(CTEST) --test-dir $(BUILD)-asan -L '^(unit|ops|golden|end_to_end|fuzz)$$'

# Mojo's allocator and ThreadSanitizer want the same addresses.
tsan: packages
	@scripts/build.sh tsan $(BUILD)-tsan $(JOBS)
	@$(CTEST) --test-dir $(BUILD)-tsan -L '^(base|api|ops|golden)$$' -E '^ops_mojo'

# OpenVINO, Mojo, MAX, wgpu-native and a Vulkan driver for the cpu; nothing else needs them.
sdks:
	@scripts/install_packages.sh sdks
	@scripts/sdks.sh

# What needs vendors' libraries and minutes of their compilers. Golden files on max: test-max.
test-targets: build
	@ANYMODEL_TEST_SLOW=1 $(CTEST) --test-dir $(BUILD) -L '^targets$$'
	@tools/verify_targets.py --least 95 $(BUILD)/anymodel openvino
	@tools/verify_targets.py --least 98 $(BUILD)/anymodel mojo

# Every golden case on MAX, which takes some minutes for each graph that is not in the cache folder yet. May be ended: what
# this program passed is not run again (AGAIN=--again: it is).
test-max: build
	@nice tools/verify_targets.py --least 90 --journal $(BUILD)/verified-max.jsonl $(AGAIN) $(BUILD)/anymodel max

fuzz: packages
	@scripts/install_packages.sh fuzz
	@scripts/build.sh fuzz $(BUILD)-fuzz $(JOBS)
	@JOBS=$(JOBS) scripts/fuzz.sh $(BUILD)-fuzz $(FUZZ_SECONDS)

# Each of forty parts tells every fortieth lie.
lying-configs: build
	@seq 0 39 | xargs -P $(JOBS) -I{} sh -c 'ANYMODEL_WEIGHT_CACHE=0 nice $(BUILD)/tests/lying_configs tests/golden/data {} 40 || exit 255'

cross: packages
	@scripts/install_packages.sh cross
	@scripts/build.sh cross-aarch64 $(BUILD)-cross-aarch64 $(JOBS)
	@$(CTEST) --test-dir $(BUILD)-cross-aarch64

bench: packages
	@scripts/install_packages.sh bench
	@scripts/build.sh release $(BUILD) $(JOBS) anymodel anymodel_worker
	@bench/bench.py --build $(BUILD)

# The targets beside the cpu: docs/targets-performance.md. Minutes of vendors' compilers.
bench-targets: packages
	@scripts/install_packages.sh bench
	@scripts/build.sh release $(BUILD) $(JOBS) anymodel anymodel_worker anymodel-max-compile
	@bench/bench.py --build $(BUILD) --targets

# Beside the package of that name: docs/tokenizers-performance.md.
bench-tokenizers: packages
	@scripts/install_packages.sh bench
	@scripts/build.sh release $(BUILD) $(JOBS) anymodel tokenizer_worker
	@bench/bench.py --build $(BUILD) --tokenizers

# Images and sounds beside transformers: docs/processors-performance.md.
bench-processors: packages
	@scripts/install_packages.sh bench
	@scripts/build.sh release $(BUILD) $(JOBS) anymodel processor_worker
	@bench/bench.py --build $(BUILD) --processors

# Times of the cpu's vector routines and of plain loops: ONLY='unary*' those that match.
bench-kernels: packages
	@scripts/build.sh release $(BUILD) $(JOBS) test_unit_targets_cpu
	@$(BUILD)/tests/test_unit_targets_cpu --bench $(if $(ONLY),'$(ONLY)')

# Fails where a kernel takes more instructions than bench/instructions.txt says.
bench-regress: packages
	@scripts/install_packages.sh regress
	@scripts/build.sh release $(BUILD) $(JOBS) instruction_worker
	@bench/instructions.py --worker $(BUILD)/bench/instruction_worker $(UPDATE)

# The cpu's tests on an emulated processor that has AVX-512: some minutes. EMULATE_SECONDS and others: scripts/emulate.sh.
emulate: packages
	@scripts/install_packages.sh emulate
	@scripts/build.sh release $(BUILD) $(JOBS) anymodel test_unit_targets_cpu
	@scripts/emulate.sh $(BUILD) $(if $(TESTS),'$(TESTS)')

install: build
	@cmake --install $(BUILD) --prefix $(PREFIX)

format:
	@scripts/install_packages.sh format
	@find src include tests examples tools bench \( -name '*.[ch]' -o -name '*.cc' \) ! -name "*_table.c" ! -name "*_tables.[ch]" -print0 | xargs -0 clang-format -i

golden: build
	@tools/golden_report.py $(BUILD)/anymodel tests/golden/data tests/golden/variations --out $(BUILD)/golden

docs: golden
	@tools/generate_docs.py $(BUILD)/anymodel $(BUILD)/golden/golden.json
	@scripts/build.sh release $(BUILD) $(JOBS) resampling_doc
	@$(BUILD)/resampling_doc >docs/resampling.md

clean:
	@rm -rf $(BUILD) $(BUILD)-asan $(BUILD)-tsan $(BUILD)-fuzz $(BUILD)-clang $(BUILD)-debug $(BUILD)-cross-aarch64
