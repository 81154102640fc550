/* What single nodes do not show: how graphs are compiled, kept and judged, states in place, and the faults of MAX 26.7
   that we write around. A script stands for the compiler where MAX is not needed. */
#include "test_support.h"

#include "max_ops.h"
#include "max_texts.h"

#include "base/file.h"
#include "base/memory.h"
#include "base/warning.h"
#include "graph/ops.h"
#include "targets/cpu/isa.h"
#include "targets/cpu/program.h"
#include "targets/max/cache.h"
#include "targets/max/compile.h"
#include "targets/max/lower.h"
#include "targets/max/verdict.h"
#include "targets/program.h"

#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* --- warnings --- */

static char warned[4096];

static void note_warning(void *context, const char *message)
{
    snprintf(warned, sizeof warned, "%s", message);
}

static void watch_warnings(void)
{
    warned[0] = 0;
    am_warning_set_handler(note_warning, NULL, NULL);
}

/* --- a script in the compiler's place --- */

static void use_compiler(const char *script)
{
    const char *folder = am_test_temporary_directory();
    const char *path = am_test_write_text(folder, "anymodel-max-compile", script);
    assert_int_equal(chmod(path, 0700), 0);
    setenv("ANYMODEL_LIBEXEC", folder, 1);
    setenv("TMPDIR", folder, 1);
}

static am_status compile(const atomic_bool *cancelled, am_max_mef *out)
{
    return am_max_compile("/folder/of/max", "mo.graph", 8, cancelled, out);
}

/* Nothing is left in the folder for temporary ones. */
static void expect_clean(void)
{
    const char *listing = am_test_format("ls -d %s/anymodel-compile-* 2>/dev/null", getenv("TMPDIR"));
    am_test_result found = am_test_run((const char *const[]){"sh", "-c", listing, NULL}, NULL);
    assert_string_equal(found.out, "");
    am_test_result_free(&found);
}

static void targets_max__compiling_takes_the_graph_without_its_tail(void **state)
{
    am_max_mef mef;
    use_compiler("#!/bin/sh\n[ \"$1\" = /folder/of/max ] && [ \"$(cat \"$3\")\" = mo.graph ] || exit 1\n"
                 "d=\"$2/.max_cache/mof/mef/version\"; mkdir -p \"$d\"\n"
                 "printf 'what was compiled0123456789abcdef' > \"$d/entry\"; printf x > \"$d/other\"\n");
    am_test_expect_ok(compile(NULL, &mef));
    assert_int_equal(mef.length, 17);
    assert_memory_equal(mef.bytes, "what was compiled", 17);
    am_free(mef.bytes);
    expect_clean();
}

static void targets_max__a_compiler_that_dies_is_an_error_with_its_words(void **state)
{
    am_max_mef mef;
    use_compiler("#!/bin/sh\necho 'graph.mlir:3:8: error: unknown operation rmo.nothing' >&2\n"
                 "echo 'PLEASE submit a bug report' >&2\nkill -SEGV $$\n");
    am_status status = compile(NULL, &mef);
    assert_non_null(status);
    assert_null(strstr(am_status_message(status), "PLEASE"));
    assert_non_null(strstr(am_status_message(status), "signal 11"));
    am_test_expect_error(status, AM_INTERNAL, "unknown operation rmo.nothing");
    assert_true(mef.is_final);
    expect_clean();
    use_compiler("#!/bin/sh\nkill -KILL $$\n");
    am_test_expect_error(compile(NULL, &mef), AM_INTERNAL, "signal 9");
    assert_false(mef.is_final);
    use_compiler("#!/bin/sh\necho 'error: no room' >&2\nexit 1\n");
    am_test_expect_error(compile(NULL, &mef), AM_INTERNAL, "no room");
    assert_true(mef.is_final);
    use_compiler("#!/bin/sh\nexit 0\n");
    am_test_expect_error(compile(NULL, &mef), AM_INTERNAL, "left no compiled graph");
    setenv("ANYMODEL_LIBEXEC", "/nonexistent", 1);
    am_test_expect_error(compile(NULL, &mef), AM_UNAVAILABLE, "ANYMODEL_LIBEXEC is /nonexistent");
}

/* A full disk for everything that this process and its children write from now on; RLIM_INFINITY: none. */
static void limit_files(rlim_t bytes)
{
    struct rlimit limit;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = bytes;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* Where the compiler fails for want of room, the graph is tried again another time. */
static void targets_max__a_compiler_without_room_says_nothing_about_the_graph(void **state)
{
    am_max_mef mef;
    use_compiler("#!/bin/sh\nhead -c 100000 /dev/zero > \"$2/file\" && exit 0\necho 'error: no room' >&2\nexit 1\n");
    limit_files(1 << 12);
    am_test_expect_error(compile(NULL, &mef), AM_INTERNAL, "no room");
    assert_false(mef.is_final);
    limit_files(RLIM_INFINITY);
    expect_clean();
}

static void make_folder(const char *name, const char *file)
{
    const char *path = am_test_format("%s/%s", getenv("TMPDIR"), name);
    assert_int_equal(mkdir(path, 0700), 0);
    am_test_write_text(path, file, "");
}

/* Who was killed while it compiled left its folder; who still compiles holds the lock in it. */
static void targets_max__folders_that_were_abandoned_are_deleted(void **state)
{
    am_max_mef mef;
    use_compiler("#!/bin/sh\nexit 1\n");
    make_folder("anymodel-compile-111111", "lock");
    make_folder("anymodel-compile-222222", "lock");
    make_folder("anymodel-compile-333333", "something");
    int lock = open(am_test_format("%s/anymodel-compile-222222/lock", getenv("TMPDIR")), O_RDWR);
    assert_int_equal(flock(lock, LOCK_EX), 0);
    am_test_expect_error(compile(NULL, &mef), AM_INTERNAL, "exit code 1");
    const char *listing = am_test_format("cd '%s'; ls -d anymodel-compile-*", getenv("TMPDIR"));
    am_test_result left = am_test_run((const char *const[]){"sh", "-c", listing, NULL}, NULL);
    assert_string_equal(left.out, "anymodel-compile-222222\nanymodel-compile-333333\n");
    am_test_result_free(&left);
    close(lock);
}

/* Children of the compiler go with it, and the pipe that they hold keeps nobody waiting. */
static void targets_max__compiling_can_be_cancelled(void **state)
{
    am_max_mef mef;
    atomic_bool cancelled = true;
    use_compiler("#!/bin/sh\nsleep 1000 &\nsleep 1000\n");
    am_test_expect_error(compile(&cancelled, &mef), AM_INTERNAL, "cancelled");
    assert_false(mef.is_final);
    expect_clean();
}

static void targets_max__releases_that_were_never_tried_are_refused(void **state)
{
    am_test_expect_ok(am_max_check_version("26.7.0", "libmax.so", false));
    am_test_expect_ok(am_max_check_version("26.7", "libmax.so", false));
    am_test_expect_error(am_max_check_version("26.70.0", "libmax.so", false), AM_UNSUPPORTED,
                         "libmax.so is MAX 26.70.0");
    am_test_expect_error(am_max_check_version("", "libmax.so", false), AM_UNSUPPORTED, "of an unknown release");
    am_test_expect_ok(am_max_check_version("27.1.0", "libmax.so", true));
}

/* --- kept graphs --- */

static const uint8_t key_a[AM_SHA256_BYTES] = {1}, key_b[AM_SHA256_BYTES] = {2};

static const char *use_cache(void)
{
    const char *folder = am_test_temporary_directory();
    setenv("ANYMODEL_CACHE", folder, 1);
    return folder;
}

static void store(const uint8_t *key, const char *mef)
{
    am_mx_cache cache;
    am_mx_entry entry = {.verdict = AM_MX_RIGHT, .mef = (char *)(uintptr_t)mef, .length = strlen(mef)};
    am_test_expect_ok(am_mx_cache_open(key, NULL, &cache));
    am_mx_cache_store(&cache, &entry);
    am_mx_cache_close(&cache);
}

static bool load(const uint8_t *key, const char *expected)
{
    am_mx_cache cache;
    am_mx_entry entry;
    am_test_expect_ok(am_mx_cache_open(key, NULL, &cache));
    bool found = am_mx_cache_load(&cache, &entry);
    if (found) {
        assert_int_equal(entry.length, strlen(expected));
        assert_memory_equal(entry.mef, expected, entry.length);
    } else assert_null(entry.mef);
    am_free(entry.mef);
    am_mx_cache_close(&cache);
    return found;
}

static const char *entry_path(const char *folder, const uint8_t *key)
{
    char name[AM_SHA256_TEXT];
    am_sha256_text(key, name);
    return am_test_format("%s/max/%s", folder, name);
}

static void targets_max__kept_graphs_are_found_again(void **state)
{
    use_cache();
    assert_false(load(key_a, ""));
    store(key_a, "graph a");
    store(key_b, "another one");
    assert_true(load(key_a, "graph a"));
    assert_true(load(key_b, "another one"));
}

/* Every byte matters, and so does every length. */
static void targets_max__damaged_entries_are_not_used(void **state)
{
    const char *folder = use_cache();
    size_t length;
    store(key_a, "graph a");
    char *path = am_copy_string(entry_path(folder, key_a), strlen(entry_path(folder, key_a)));
    char *whole = am_test_read_file(path, &length);
    for (size_t i = 0; i < length; i += i < 80 || i + 50 > length ? 1 : 31) {
        whole[i] ^= 4;
        am_test_write_file(path, whole, length);
        watch_warnings();
        assert_false(load(key_a, "graph a"));
        assert_non_null(strstr(warned, "is compiled again"));
        whole[i] ^= 4;
    }
    for (size_t cut = 0; cut < length; cut += 97) {
        am_test_write_file(path, whole, cut);
        assert_false(load(key_a, "graph a"));
    }
    am_test_write_file(entry_path(folder, key_b), whole, length);
    assert_false(load(key_b, "graph a"));
    am_test_write_file(path, whole, length);
    assert_true(load(key_a, "graph a"));
    free(whole);
    am_free(path);
    am_warning_set_handler(NULL, NULL, NULL);
}

/* Written as this program would write it, with another number of the format. */
static void targets_max__entries_of_another_format_are_not_used(void **state)
{
    enum { FORMAT_AT = 8, SUM_AT = 8 + 4 + 4 + 8 + AM_SHA256_BYTES + AM_MX_REASON };
    const char *folder = use_cache();
    size_t length;
    am_sha256 hash;
    store(key_a, "graph a");
    const char *path = entry_path(folder, key_a);
    char *bytes = am_test_read_file(path, &length);
    for (char format = 1; format <= 2; format++) {
        bytes[FORMAT_AT] = format;
        am_sha256_begin(&hash);
        am_sha256_add(&hash, bytes, SUM_AT);
        am_sha256_add(&hash, bytes + SUM_AT + AM_SHA256_BYTES, length - SUM_AT - AM_SHA256_BYTES);
        am_sha256_end(&hash, (uint8_t *)bytes + SUM_AT);
        am_test_write_file(entry_path(folder, key_a), bytes, length);
        assert_int_equal(load(key_a, "graph a"), format == 1);
    }
    free(bytes);
}

static void targets_max__an_entry_that_the_disk_has_no_room_for_is_a_warning(void **state)
{
    static char large[1 << 18];
    const char *folder = use_cache();
    memset(large, 'x', sizeof large - 1);
    watch_warnings();
    limit_files(1 << 16);
    store(key_a, large);
    limit_files(RLIM_INFINITY);
    assert_non_null(strstr(warned, "is not kept"));
    am_warning_set_handler(NULL, NULL, NULL);
    am_test_result listing = am_test_run((const char *const[]){"ls", am_test_format("%s/max", folder), NULL}, NULL);
    assert_non_null(strstr(listing.out, ".lock\n"));
    assert_ptr_equal(strchr(listing.out, '\n') + 1, listing.out + strlen(listing.out));
    am_test_result_free(&listing);
    assert_false(load(key_a, large));
    store(key_a, large);
    assert_true(load(key_a, large));
}

/* The other process holds the lock while it compiles. */
static void targets_max__who_comes_second_waits_and_loads(void **state)
{
    am_mx_cache cache;
    int ends[2], end;
    char byte;
    use_cache();
    assert_int_equal(pipe(ends), 0);
    pid_t first = fork();
    if (first == 0) {
        am_mx_entry entry = {.verdict = AM_MX_RIGHT, .mef = (char *)(uintptr_t) "graph a", .length = 7};
        am_status status = am_mx_cache_open(key_a, NULL, &cache);
        if (status || write(ends[1], "", 1) != 1) _exit(1);
        nanosleep(&(struct timespec){.tv_nsec = 300000000}, NULL);
        am_mx_cache_store(&cache, &entry);
        am_mx_cache_close(&cache);
        _exit(0);
    }
    assert_true(first > 0);
    assert_int_equal(read(ends[0], &byte, 1), 1);
    assert_true(load(key_a, "graph a"));
    assert_int_equal(waitpid(first, &end, 0), first);
    assert_int_equal(end, 0);
    close(ends[0]);
    close(ends[1]);
}

static void targets_max__an_unusable_cache_is_a_warning(void **state)
{
    setenv("ANYMODEL_CACHE", am_test_write_text(am_test_temporary_directory(), "file", "x"), 1);
    watch_warnings();
    store(key_a, "graph a");
    assert_non_null(strstr(warned, "are not kept"));
    assert_false(load(key_a, "graph a"));
    am_warning_set_handler(NULL, NULL, NULL);
}

static void targets_max__the_key_depends_on_text_and_version(void **state)
{
    uint8_t a[AM_SHA256_BYTES], b[AM_SHA256_BYTES];
    am_mx_cache_key("text", 4, "26.7.0", a);
    am_mx_cache_key("text", 4, "26.7.0", b);
    assert_memory_equal(a, b, sizeof a);
    am_mx_cache_key("texu", 4, "26.7.0", b);
    assert_memory_not_equal(a, b, sizeof a);
    am_mx_cache_key("text", 4, "26.7.1", b);
    assert_memory_not_equal(a, b, sizeof a);
}

/* The key by hand: of this version of the lowering it is the same, of the next one another. */
static void targets_max__the_key_depends_on_the_lowering(void **state)
{
    uint8_t key[AM_SHA256_BYTES], mine[AM_SHA256_BYTES];
    const char *cpu = am_cpu_model_name();
    am_mx_cache_key("text", 4, "26.7.0", key);
    for (uint32_t more = 0; more < 2; more++) {
        am_sha256 hash;
        uint32_t version = AM_MX_VERSION + more;
        am_sha256_begin(&hash);
        am_sha256_add(&hash, &version, sizeof version);
        am_sha256_add(&hash, "26.7.0", 7);
        am_sha256_add(&hash, cpu, strlen(cpu) + 1);
        am_sha256_add(&hash, "text", 4);
        am_sha256_end(&hash, mine);
        assert_int_equal(memcmp(key, mine, sizeof key) == 0, more == 0);
    }
}

/* --- the verdict --- */

/* Rows of a table by ids, in the cache of 4 places at `offset`: indices of all kinds. With `angles` also cosine and
   sine of 100000.7 + offset, in f64 as rotary tables are. */
static am_graph *build_cached(bool angles)
{
    am_builder *b;
    am_graph *graph;
    am_test_expect_ok(am_builder_create(&b));
    am_value table = am_graph_input(b, "table", AM_F32, am_shape_of(5, 2)),
             ids = am_graph_input(b, "ids", AM_I32, am_shape_of(2)),
             offset = am_graph_input(b, "offset", AM_I32, (am_shape){0}),
             kept = am_graph_state_input(b, "cache", AM_F32, am_shape_of(4, 2));
    am_value places = am_add(b, am_constant_copy(b, AM_I32, am_shape_of(2), (int32_t[]){0, 1}), offset);
    am_value updated = am_scatter(b, kept, places, am_gather(b, table, ids, 0, false), &(am_scatter_attributes){0});
    am_state_update(b, kept, updated);
    am_output(b, "sums", am_reduce(b, AM_REDUCE_SUM, updated, am_shape_of(1), false));
    am_value angle = am_add_number(b, am_cast(b, offset, AM_F64), 100000.7);
    if (angles) am_output(b, "cos", am_cast(b, am_unary(b, AM_COS, angle), AM_F32));
    if (angles) am_output(b, "sin", am_cast(b, am_unary(b, AM_SIN, angle), AM_F32));
    am_test_expect_ok(am_builder_finish(b, &graph));
    am_builder_destroy(b);
    return graph;
}

typedef struct spoiled {
    am_cpu_program *cpu;
    float copy[4];
    float difference; /* added to element 2 */
    bool out_of_range;
} spoiled;

static am_status run_spoiled(void *program, const am_tensor *inputs, void *const *states)
{
    spoiled *s = program;
    AM_TRY(am_cpu_program_run(s->cpu, inputs, states));
    memcpy(s->copy, am_cpu_program_output(s->cpu, 0).data, sizeof s->copy);
    s->copy[2] += s->difference;
    return NULL;
}

static am_tensor output_spoiled(const void *program, int i)
{
    const spoiled *s = program;
    return (am_tensor){AM_F32, am_shape_of(4), (void *)(uintptr_t)s->copy};
}

static am_mx_verdict judge(float difference, char *reason)
{
    am_mx_verdict verdict;
    am_graph *graph = build_cached(false);
    spoiled s = {.difference = difference};
    am_test_expect_ok(am_cpu_program_create(graph, NULL, &s.cpu));
    am_mx_runner runner = {&s, run_spoiled, output_spoiled};
    am_test_expect_ok(am_mx_judge(graph, &runner, &verdict, reason));
    am_cpu_program_destroy(s.cpu);
    am_graph_destroy(graph);
    return verdict;
}

static void targets_max__the_verdict_sees_a_wrong_element(void **state)
{
    char reason[AM_MX_REASON];
    assert_int_equal(judge(0, reason), AM_MX_RIGHT);
    assert_int_equal(judge(1e-6F, reason), AM_MX_RIGHT);
    assert_int_equal(judge(0.1F, reason), AM_MX_WRONG);
    assert_non_null(strstr(reason, "element 2 of output sums"));
    assert_int_equal(judge(NAN, reason), AM_MX_WRONG);
}

/* --- the text --- */

static char *lower(const am_graph *graph)
{
    am_mlir m;
    am_buffer text = {0};
    am_test_expect_ok(am_mx_lower(&m, graph, &text));
    am_mx_deinit(&m);
    return am_buffer_take(&text);
}

static void targets_max__a_cache_at_an_offset_is_written_in_place(void **state)
{
    am_graph *graph = build_cached(false);
    char *text = lower(graph);
    assert_non_null(strstr(text, "%v3: !mo.buffer<[4, 2], f32>) -> (!mo.tensor<[4], f32>)"));
    assert_non_null(strstr(text, "rmo.mo.mutable.store.slice(%v3, "));
    assert_null(strstr(text, "rmo.mo.scatter"));
    am_free(text);
    am_graph_destroy(graph);
}

/* The old values are read too: they must not be overwritten. */
static void targets_max__a_state_that_is_read_elsewhere_is_copied(void **state)
{
    am_builder *b;
    am_graph *graph;
    am_test_expect_ok(am_builder_create(&b));
    am_value x = am_graph_input(b, "x", AM_F32, am_shape_of(1, 2)), i = am_graph_input(b, "i", AM_I32, am_shape_of(1)),
             kept = am_graph_state_input(b, "cache", AM_F32, am_shape_of(4, 2));
    am_value places = am_add(b, am_constant_copy(b, AM_I32, am_shape_of(1), (int32_t[]){0}), i);
    am_value updated = am_scatter(b, kept, places, x, &(am_scatter_attributes){0});
    am_state_update(b, kept, updated);
    am_output(b, "change", am_sub(b, updated, kept));
    am_test_expect_ok(am_builder_finish(b, &graph));
    am_builder_destroy(b);
    char *text = lower(graph);
    assert_null(strstr(text, "!mo.buffer"));
    assert_non_null(strstr(text, "rmo.mo.scatter("));
    am_free(text);
    am_graph_destroy(graph);
}

static void targets_max__other_devices_than_the_cpu_are_refused(void **state)
{
    void *program;
    am_graph *graph = build_cached(false);
    const am_target *max = am_target_find("max", 3);
    am_test_expect_error(max->create(graph, &(am_target_options){.device = "gpu"}, &program), AM_UNSUPPORTED,
                         "not on gpu");
    assert_null(program);
    am_graph_destroy(graph);
}

/* --- with MAX: each graph takes its compiler a minute or more the first time --- */

static const am_max *need_max(void)
{
    const am_max *max;
    am_target_report report = {0};
    am_max_find(&report);
    if (!getenv("ANYMODEL_TEST_SLOW")) {
        print_message("not run: MAX compiles for minutes; make test-targets runs it\n");
        skip();
    }
    if (!report.present) {
        print_message("max is not available: %s\n", report.reason.text);
        skip();
    }
    const char *program = am_test_program(); /* the compiler is built beside it */
    setenv("ANYMODEL_LIBEXEC", am_test_format("%.*s", (int)(am_path_base(program) - program), program), 1);
    am_test_expect_ok(am_max_open(false, 0, &max));
    return max;
}

static void targets_max__states_live_from_run_to_run(void **state)
{
    float table[10] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, cache[8] = {0};
    int32_t ids[2] = {1, 4}, offset = 0;
    am_program *program;
    am_target_choice choice;
    need_max();
    am_graph *graph = build_cached(true);
    am_test_expect_ok(am_target_choose("max", "require", &choice));
    am_test_expect_ok(am_program_create(graph, &choice, NULL, &program));
    const am_tensor inputs[] = {
        {AM_F32, am_shape_of(5, 2), table}, {AM_I32, am_shape_of(2), ids}, {AM_I32, (am_shape){0}, &offset}};
    am_test_expect_ok(am_program_run(program, inputs, (void *[]){cache}));
    offset = 2;
    am_test_expect_ok(am_program_run(program, inputs, (void *[]){cache}));
    const float expected[] = {2, 3, 8, 9, 2, 3, 8, 9}, sums[] = {5, 17, 5, 17};
    assert_memory_equal(cache, expected, sizeof expected);
    assert_memory_equal(am_program_output(program, 0).data, sums, sizeof sums);
    assert_true(fabs((double)*(const float *)am_program_output(program, 1).data - cos(100002.7)) < 1e-7);
    assert_true(fabs((double)*(const float *)am_program_output(program, 2).data - sin(100002.7)) < 1e-7);
    offset = 3;
    am_test_expect_error(am_program_run(program, inputs, (void *[]){cache}), AM_OUT_OF_RANGE, "places 3 to 4 of 4");
    ids[0] = 5;
    am_test_expect_error(am_program_run(program, inputs, (void *[]){cache}), AM_OUT_OF_RANGE, "is not in [0, 5)");
    assert_memory_equal(cache, expected, sizeof expected);
    am_program_destroy(program);
    am_graph_destroy(graph);
}

/* --- faults of 26.7, each written around in our lowering. Who reads this because a test fails: MAX has changed there,
   and what is said beside the code that writes around it may be outdated. --- */

/* The text compiled, by way of the cache; how that failed in `reason`. */
static am_mx_entry compiled(const am_max *max, const char *text)
{
    am_mx_cache cache;
    am_mx_entry entry;
    am_max_mef mef;
    uint8_t key[AM_SHA256_BYTES];
    am_mx_cache_key(text, strlen(text), max->version, key);
    am_test_expect_ok(am_mx_cache_open(key, NULL, &cache));
    if (!am_mx_cache_load(&cache, &entry)) {
        am_status status = am_max_compile(max->root, text, strlen(text), NULL, &mef);
        entry = (am_mx_entry){.verdict = status ? AM_MX_WRONG : AM_MX_RIGHT, .mef = mef.bytes, .length = mef.length};
        snprintf(entry.reason, sizeof entry.reason, "%s", am_status_message(status));
        am_status_free(status);
        am_mx_cache_store(&cache, &entry);
    }
    am_mx_cache_close(&cache);
    return entry;
}

typedef struct raw_input {
    const am_tensor tensor;
    const char *name;
} raw_input;

/* Runs what was compiled and copies its outputs ("output0", ..) as f32. */
static void run_raw(const am_max *max, const am_mx_entry *entry, const raw_input *inputs, int input_count,
                    float *const *outputs, const size_t *counts, int output_count)
{
    max_handle *status = max->M_newStatus(), *configuration = max->M_newCompileConfig();
    const char *path = am_test_format("%s/graph.mef", am_test_temporary_directory());
    am_test_write_file(path, entry->mef, entry->length);
    max->M_setModelPath(configuration, path);
    max_handle *graph = max->M_compileModelSync(max->context, &configuration, status);
    am_test_expect_ok(am_max_check(max, status, "loading"));
    max_handle *registry = max->M_newWeightsRegistry((const char *[]){""}, (const void *[]){NULL}, 0, status);
    max_handle *model = max->M_initModel(max->context, graph, registry, status);
    am_test_expect_ok(am_max_check(max, status, "opening"));
    max->M_waitForModel(model, status);
    max_handle *map = max->M_newAsyncTensorMap(max->context);
    for (int i = 0; i < input_count; i++) {
        const am_tensor *x = &inputs[i].tensor;
        max_handle *spec = max->M_newTensorSpec(x->shape.dims, x->shape.rank, MAX_F32, inputs[i].name, max->device);
        max->M_borrowTensorInto(map, x->data, spec, status);
        max->M_freeTensorSpec(spec);
    }
    max_handle *results = max->M_executeModelSync(max->context, model, map, status);
    am_test_expect_ok(am_max_check(max, status, "running"));
    for (int i = 0; i < output_count; i++) {
        max_handle *y = max->M_getTensorByNameFrom(results, am_test_format("output%d", i), status);
        assert_int_equal(max->M_getTensorNumElements(y), counts[i]);
        memcpy(outputs[i], max->M_getTensorData(y), counts[i] * sizeof(float));
        max->M_freeTensor(y);
    }
    max->M_freeAsyncTensorMap(results);
    max->M_freeAsyncTensorMap(map);
    max->M_freeModel(model);
    max->M_freeWeightsRegistry(registry);
    max->M_freeCompiledModel(graph);
    max->M_freeStatus(status);
}

/* With q = 0 all visible keys weigh the same, and v[s, e] = (s == e) shows which they are: query t should see t + 1
   keys, but sees what query 0 sees. This is why our graphs are static, and why each compiled graph is judged. */
static void targets_max__fault_a_symbolic_mask_is_that_of_the_first_row(void **state)
{
    static float q[4 * 5 * 16], k[4 * 32 * 16], v[4 * 32 * 16], y[4 * 5 * 16];
    const am_max *max = need_max();
    am_mx_entry entry = compiled(max, max_text_symbolic_mask);
    assert_int_equal(entry.verdict, AM_MX_RIGHT);
    for (int h = 0; h < 4; h++)
        for (int e = 0; e < 16; e++) v[(h * 32 + e) * 16 + e] = 1;
    const raw_input inputs[] = {{{AM_F32, am_shape_of(4, 5, 16), q}, "input0"},
                                {{AM_F32, am_shape_of(4, 32, 16), k}, "input1"},
                                {{AM_F32, am_shape_of(4, 32, 16), v}, "input2"}};
    run_raw(max, &entry, inputs, 3, (float *[]){y}, (size_t[]){4 * 5 * 16}, 1);
    assert_true(fabsf(y[0] - 1) < 1e-5F);
    assert_true(fabsf(y[4 * 16] - 1) < 1e-5F); /* right: 0.2 */
    am_free(entry.mef);
}

/* Of ones every average should be 1. */
static void targets_max__fault_averages_at_the_edge_are_divided_by_other_counts(void **state)
{
    static float x[64], padded[16], hanging[16];
    const am_max *max = need_max();
    am_mx_entry entry = compiled(max, max_text_average);
    assert_int_equal(entry.verdict, AM_MX_RIGHT);
    for (int i = 0; i < 64; i++) x[i] = 1;
    const raw_input inputs[] = {{{AM_F32, am_shape_of(1, 8, 8, 1), x}, "input0"}};
    run_raw(max, &entry, inputs, 1, (float *[]){padded, hanging}, (size_t[]){16, 16}, 2);
    bool padded_right = true;
    for (int i = 0; i < 16; i++) padded_right = padded_right && fabsf(padded[i] - 1) < 1e-5F;
    assert_false(padded_right);
    assert_true(fabsf(hanging[15] - 1) > 1e-5F);
    am_free(entry.mef);
}

static void targets_max__fault_softmax_of_an_input_and_a_mask_ends_the_compiler(void **state)
{
    const am_max *max = need_max();
    am_mx_entry entry = compiled(max, max_text_input_plus_mask);
    assert_int_equal(entry.verdict, AM_MX_WRONG);
    assert_non_null(strstr(entry.reason, "ended by signal"));
    am_free(entry.mef);
}

/* The convolution gives 1 everywhere; channel c of the result should be c. */
static void targets_max__fault_factors_of_a_convolution_of_one_place_are_of_other_channels(void **state)
{
    static float x[2 * 10], w[10 * 40], factors[40], y[2 * 40];
    const am_max *max = need_max();
    am_mx_entry entry = compiled(max, max_text_one_place);
    assert_int_equal(entry.verdict, AM_MX_RIGHT);
    for (int i = 0; i < 20; i++) x[i] = 1;
    for (int i = 0; i < 400; i++) w[i] = 0.1F;
    for (int i = 0; i < 40; i++) factors[i] = (float)i;
    const raw_input inputs[] = {{{AM_F32, am_shape_of(2, 1, 1, 10), x}, "input0"},
                                {{AM_F32, am_shape_of(1, 1, 10, 40), w}, "input1"},
                                {{AM_F32, am_shape_of(40, 1, 1), factors}, "input2"}};
    run_raw(max, &entry, inputs, 3, (float *[]){y}, (size_t[]){2 * 40}, 1);
    bool right = true;
    for (int i = 0; i < 40; i++) right = right && fabsf(y[i] - factors[i]) < 1e-3F;
    assert_false(right);
    am_free(entry.mef);
}

/* --- every op --- */

static bool is_close(const am_tensor *expected, double e, double f)
{
    if (isnan(e) || isnan(f)) return isnan(e) && isnan(f);
    if (e == f) return true;
    return am_dtype_is_float(expected->dtype) && fabs(e - f) <= 2e-5 * (1 + fabs(e));
}

/* The number of elements that differ, the first of them printed. */
static int count_differences(const char *name, const am_tensor *expected, const am_tensor *found)
{
    int differences = 0;
    for (int64_t i = 0, count = am_shape_count(&expected->shape); i < count; i++) {
        double e = am_load_real(expected->dtype, expected->data, i), f = am_load_real(found->dtype, found->data, i);
        if (is_close(expected, e, f)) continue;
        if (differences++ == 0) print_message("%s: element %lld is %.9g, expected %.9g\n", name, (long long)i, f, e);
    }
    return differences;
}

static void targets_max__agrees_with_the_reference_on_every_op(void **state)
{
    am_arena arena = {0};
    am_tensor inputs[MAX_OPS_INPUTS];
    am_cpu_program *reference;
    am_program *program;
    am_target_choice choice;
    int differences = 0;
    need_max();
    am_graph *graph = max_ops_graph();
    max_ops_fill(graph, &arena, inputs);
    am_test_expect_ok(am_cpu_program_create(graph, &(am_cpu_program_options){.reference_only = true}, &reference));
    am_test_expect_ok(am_cpu_program_run(reference, inputs, NULL));
    am_test_expect_ok(am_target_choose("max", "require", &choice));
    am_test_expect_ok(am_program_create(graph, &choice, NULL, &program));
    am_test_expect_ok(am_program_run(program, inputs, NULL));
    for (int i = 0; i < graph->output_count; i++) {
        am_tensor expected = am_cpu_program_output(reference, i), found = am_program_output(program, i);
        differences += count_differences(graph->outputs[i].name, &expected, &found);
    }
    assert_int_equal(differences, 0);
    am_program_destroy(program);
    am_cpu_program_destroy(reference);
    am_graph_destroy(graph);
    am_arena_deinit(&arena);
}
