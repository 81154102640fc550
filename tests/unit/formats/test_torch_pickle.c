/* Pickles are written here with the opcodes of protocol 0, which are text: c MODULE NAME is a global, V a
   string, I a whole number (I01 is True), ( a mark, t a tuple to the mark, ) an empty tuple, } a dictionary,
   s sets an item, R calls, Q makes a storage, . ends. */
#include "test_support.h"

#include "base/memory.h"
#include "formats/torch_pickle.h"

#include <stdlib.h>
#include <string.h>

#define STORAGE "(Vstorage\nctorch\nFloatStorage\nVkey\nVcpu\nI6\ntQ"

static void run(const char *pickle, size_t length, am_arena *arena, am_pickle *out)
{
    am_test_expect_ok(am_torch_unpickle((const uint8_t *)pickle, length, "p", arena, out));
    assert_int_equal(out->size_bytes, length);
}

static void expect(am_code code, const char *pickle, size_t length, const char *part)
{
    am_arena arena = {0};
    am_pickle out;
    am_test_expect_error(am_torch_unpickle((const uint8_t *)pickle, length, "p", &arena, &out), code, part);
    am_arena_deinit(&arena);
}

#define expect_rejected(pickle, part) expect(AM_INVALID_FILE, (pickle), sizeof(pickle) - 1, (part))

static void formats_torch_pickle__reads_each_kind_of_value(void **state)
{
    static const struct {
        const char *pickle;
        size_t length;
        am_pickle_kind kind;
        int64_t integer;
    } cases[] = {
#define CASE(pickle, kind, integer) {pickle, sizeof(pickle) - 1, kind, integer}
        CASE("N.", AM_PICKLE_NONE, 0),
        CASE("\x88.", AM_PICKLE_BOOL, 1),
        CASE("\x89.", AM_PICKLE_BOOL, 0),
        CASE("I00\n.", AM_PICKLE_BOOL, 0),
        CASE("I01\n.", AM_PICKLE_BOOL, 1),
        CASE("I-12\n.", AM_PICKLE_INTEGER, -12),
        CASE("L-12L\n.", AM_PICKLE_INTEGER, -12),
        CASE("L99999999999999999999L\n.", AM_PICKLE_OTHER, 0),
        CASE("J\xfe\xff\xff\xff.", AM_PICKLE_INTEGER, -2),
        CASE("K\xff.", AM_PICKLE_INTEGER, 255),
        CASE("M\x01\x02.", AM_PICKLE_INTEGER, 513),
        CASE("\x8a\x00.", AM_PICKLE_INTEGER, 0),
        CASE("\x8a\x01\xff.", AM_PICKLE_INTEGER, -1),
        CASE("\x8a\x02\xff\x00.", AM_PICKLE_INTEGER, 255),
        CASE("\x8a\x08\x00\x00\x00\x00\x00\x00\x00\x80.", AM_PICKLE_INTEGER, INT64_MIN),
        CASE("\x8a\x09\x00\x00\x00\x00\x00\x00\x00\x80\x00.", AM_PICKLE_OTHER, 0),
        CASE("\x8b\x02\x00\x00\x00\x00\x01.", AM_PICKLE_INTEGER, 256),
        CASE("C\003abc.", AM_PICKLE_OTHER, 0),
        CASE("B\x01\0\0\0a.", AM_PICKLE_OTHER, 0),
        CASE("\x96\x01\0\0\0\0\0\0\0a.", AM_PICKLE_OTHER, 0),
        CASE("\x8f(K\x01K\x02\x90.", AM_PICKLE_OTHER, 0),
        CASE("(K\x01K\x02\x91.", AM_PICKLE_OTHER, 0),
        CASE("\x80\x04\x95\x02\0\0\0\0\0\0\0K\x07.", AM_PICKLE_INTEGER, 7),
        CASE("K\x07K\0100.", AM_PICKLE_INTEGER, 7),
        CASE("K\x07(K\0101.", AM_PICKLE_INTEGER, 7),
        CASE("K\x07(0.", AM_PICKLE_INTEGER, 7),
        CASE("K\x07K\x08q\0000h\x00.", AM_PICKLE_INTEGER, 8),
        CASE("K\x07K\x08\x94K\x09\22400h\x01.", AM_PICKLE_INTEGER, 9),
        CASE("K\x07p0\n0g0\n.", AM_PICKLE_INTEGER, 7),
        CASE("K\x07r\x01\0\0\0000j\x01\0\0\0.", AM_PICKLE_INTEGER, 7),
        CASE("cbuiltins\nset\n(]tR.", AM_PICKLE_OTHER, 0),
        CASE("ctorch\ndevice\n(Vcpu\ntR.", AM_PICKLE_OTHER, 0),
        CASE("\x8c\x05torch\x8c\x04Size\x93)\x85R.", AM_PICKLE_TUPLE, 0),
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        am_arena arena = {0};
        am_pickle out;
        run(cases[i].pickle, cases[i].length, &arena, &out);
        assert_int_equal(out.root.kind, cases[i].kind);
        if (out.root.kind <= AM_PICKLE_INTEGER) assert_int_equal(out.root.as.integer, cases[i].integer);
        am_arena_deinit(&arena);
    }
}

static void formats_torch_pickle__reads_reals_and_strings(void **state)
{
    static const char *const strings[] = {"Vab\n.", "S'ab'\n.", "S\"ab\"\n.", "U\002ab.", "\x8c\002ab."};
    am_arena arena = {0};
    am_pickle out;
    run("G\x3f\xf8\0\0\0\0\0\0.", 10, &arena, &out);
    assert_true(out.root.kind == AM_PICKLE_REAL && out.root.as.real == 1.5);
    run("F-2.5e3\n.", 9, &arena, &out);
    assert_true(out.root.kind == AM_PICKLE_REAL && out.root.as.real == -2500);
    for (size_t i = 0; i < sizeof strings / sizeof *strings; i++) {
        run(strings[i], strlen(strings[i]), &arena, &out);
        assert_int_equal(out.root.kind, AM_PICKLE_STRING);
        assert_int_equal(out.root.length, 2);
        assert_memory_equal(out.root.as.text, "ab", 2);
    }
    run("X\x02\0\0\0ab.", 8, &arena, &out);
    assert_int_equal(out.root.length, 2);
    run("\x8d\x02\0\0\0\0\0\0\0ab.", 12, &arena, &out);
    assert_int_equal(out.root.length, 2);
    am_arena_deinit(&arena);
}

static void formats_torch_pickle__reads_containers(void **state)
{
    static const char *const dictionaries[] = {
        "}Va\nI1\nsVb\nI2\ns.",
        "}(Va\nI1\nVb\nI2\nu.",
        "(Va\nI1\nVb\nI2\nd.",
        "ccollections\nOrderedDict\n)R(Va\nI1\nVb\nI2\nu.",
        "ccollections\nOrderedDict\n(((Va\nI1\nt(Vb\nI2\nlltR.",
        "ccollections\nOrderedDict\n)\x81(Va\nI1\nVb\nI2\nu}Vattribute\nI1\nsb.",
    };
    am_arena arena = {0};
    am_pickle out;
    for (size_t i = 0; i < sizeof dictionaries / sizeof *dictionaries; i++) {
        run(dictionaries[i], strlen(dictionaries[i]), &arena, &out);
        assert_int_equal(out.root.kind, AM_PICKLE_DICT);
        assert_int_equal(out.root.as.items->count, 4);
        assert_int_equal(am_pickle_get(&out.root, "a").as.integer, 1);
        assert_int_equal(am_pickle_get(&out.root, "b").as.integer, 2);
        assert_int_equal(am_pickle_get(&out.root, "c").kind, AM_PICKLE_UNSET);
    }
    run("](I1\nI2\neI3\na.", 14, &arena, &out);
    assert_int_equal(out.root.kind, AM_PICKLE_LIST);
    assert_int_equal(out.root.as.items->count, 3);
    assert_int_equal(out.root.as.items->values[2].as.integer, 3);
    run("]p0\ng0\na.", 9, &arena, &out); /* a list that holds itself */
    assert_ptr_equal(out.root.as.items->values[0].as.items, out.root.as.items);
    run("I1\nI2\nI3\n\x87.", 11, &arena, &out);
    assert_int_equal(out.root.as.items->count, 3);
    assert_int_equal(out.root.as.items->values[0].as.integer, 1);
    am_arena_deinit(&arena);
}

static void formats_torch_pickle__reads_tensors(void **state)
{
    static const char *const pickles[] = {
        "ctorch._utils\n_rebuild_tensor_v2\n(" STORAGE "I1\n(I2\nI1\nt(I3\nI1\ntI00\n)tR.",
        "ctorch._utils\n_rebuild_tensor\n(" STORAGE "I1\n(I2\nI1\nt(I3\nI1\nttR.",
        "ctorch._utils\n_rebuild_tensor_v3\n(" STORAGE "I1\n(I2\nI1\nt(I3\nI1\ntI00\n)ctorch\nfloat32\ntR.",
        "ctorch._utils\n_rebuild_parameter\n(ctorch._utils\n_rebuild_tensor_v2\n(" STORAGE
        "I1\n(I2\nI1\nt(I3\nI1\ntI00\n)tRI01\n)tR.",
        "ctorch._tensor\n_rebuild_from_type_v2\n(ctorch._utils\n_rebuild_tensor_v2\nctorch\nTensor\n(" STORAGE
        "I1\n(I2\nI1\nt(I3\nI1\ntI00\n)t}tR.",
    };
    for (size_t i = 0; i < sizeof pickles / sizeof *pickles; i++) {
        am_arena arena = {0};
        am_pickle out;
        run(pickles[i], strlen(pickles[i]), &arena, &out);
        assert_int_equal(out.root.kind, AM_PICKLE_TENSOR);
        const am_pickle_tensor *tensor = out.root.as.tensor;
        assert_int_equal(tensor->dtype, AM_F32);
        assert_int_equal(tensor->offset, 1);
        assert_int_equal(tensor->shape.rank, 2);
        assert_int_equal(tensor->shape.dims[0], 2);
        assert_int_equal(tensor->strides[0], 3);
        assert_ptr_equal(tensor->storage, out.last_storage);
        assert_int_equal(tensor->storage->count, 6);
        assert_memory_equal(tensor->storage->key, "key", tensor->storage->key_length);
        assert_null(tensor->storage->before);
        am_arena_deinit(&arena);
    }
}

static void formats_torch_pickle__refuses_globals_by_name(void **state)
{
    expect_rejected("cos\nsystem\n(Vtouch executed\ntR.", "os.system refused");
    expect_rejected("cposix\nsystem\n(Vtouch executed\ntR.", "posix.system refused");
    expect_rejected("\x80\x04\x8c\x02os\x8c\x06system\x93\x8c\x02ls\x85R.", "os.system refused");
    expect_rejected("cbuiltins\neval\n(V1\ntR.", "builtins.eval refused");
    expect_rejected("cbuiltins\ngetattr\n.", "builtins.getattr refused"); /* even when it is not called */
    expect_rejected("ctorch.storage\n_load_from_bytes\n(C\001atR.", "torch.storage._load_from_bytes refused");
    expect_rejected("ctorch\nload\n.", "torch.load refused");
    expect_rejected("ccollections\nOrderedDict.fromkeys\n.", "collections.OrderedDict.fromkeys refused");
    expect_rejected("(ios\nsystem\n.", "opcode 0x69 refused");     /* INST */
    expect_rejected("(cbuiltins\nset\no.", "opcode 0x6f refused"); /* OBJ */
    expect_rejected("P0\n.", "opcode 0x50 refused");               /* PERSID */
    expect_rejected("\x82\x01.", "opcode 0x82 refused");           /* EXT1 */
    expect_rejected("\x97.", "opcode 0x97 refused");               /* NEXT_BUFFER */
    expect_rejected("I1\nI2\n\x93.", "a global whose name is an integer");
}

static void formats_torch_pickle__says_what_is_not_supported(void **state)
{
    const char *complex_storage = "ctorch\nComplexFloatStorage\n.";
    const char *quantized = "ctorch._utils\n_rebuild_qtensor\n.";
    const char *escape = "Va\\u00e9\n.";
    const char *view = "(Vstorage\nctorch\nFloatStorage\nVkey\nVcpu\nI6\n(Vk\nI0\nI3\nttQ.";
    expect(AM_UNSUPPORTED, complex_storage, strlen(complex_storage), "torch.ComplexFloatStorage is not supported");
    expect(AM_UNSUPPORTED, quantized, strlen(quantized), "torch._utils._rebuild_qtensor is not supported");
    expect(AM_UNSUPPORTED, escape, strlen(escape), "escapes");
    expect(AM_UNSUPPORTED, view, strlen(view), "storage key is a view of another one");
}

static void formats_torch_pickle__rejects_stack_errors(void **state)
{
    expect_rejected(".", "nothing left on the stack");
    expect_rejected("0.", "nothing left on the stack");
    expect_rejected("2.", "nothing left on the stack");
    expect_rejected("t.", "no mark on the stack");
    expect_rejected("1.", "no mark on the stack");
    expect_rejected("K\x01\x86.", "nothing left on the stack");
    expect_rejected("K\x01(\x85.", "nothing left on the stack"); /* a mark cannot be popped as a value */
    expect_rejected("K\x01(R.", "nothing left on the stack");
    expect_rejected("}K\x01s.", "nothing left on the stack");
    expect_rejected("K\x01K\x02K\x03s.", "adds items to an integer, expected a dictionary");
    expect_rejected("}K\001a.", "adds items to a dictionary, expected a list");
    expect_rejected("}(K\x01u.", "a key that has no value");
    expect_rejected("(K\001d.", "a key that has no value");
    expect_rejected("](K\x01\x90.", "adds items to a list, expected something else");
    expect_rejected("K\x01)R.", "calls an integer with a tuple");
    expect_rejected("cbuiltins\nset\n]R.", "calls a global with a list");
    expect_rejected("ctorch\nfloat32\n)R.", "torch.float32 cannot be called");
    expect_rejected("K\x01}b.", "sets attributes of an integer");
}

static void formats_torch_pickle__rejects_memo_errors(void **state)
{
    expect_rejected("h\x00.", "memo number 0 was never set");
    expect_rejected("j\xff\xff\xff\xff.", "memo number 4294967295 was never set");
    expect_rejected("Nr\xff\xff\xff\xff.", "memo number 4294967295 is too large");
    expect_rejected("Np-1\n.", "a memo number out of range");
    expect_rejected("Np99999999999999999999\n.", "a memo number out of range");
    expect_rejected("Npx\n.", "is no whole number");
    expect_rejected("q\x00.", "nothing left on the stack");
}

static void formats_torch_pickle__rejects_truncated_pickles(void **state)
{
    static const char sound[] = "\x80\x02}X\x01\0\0\0wctorch._utils\n_rebuild_tensor_v2\n(" STORAGE
                                "I1\n(I2\nI1\nt(I3\nI1\ntI00\n)tRs\x8a\x02\x01\x02G\x3f\xf8\0\0\0\0\0\00000.";
    am_arena arena = {0};
    am_pickle out;
    run(sound, sizeof sound - 1, &arena, &out);
    for (size_t cut = 0; cut < sizeof sound - 1; cut++) {
        char *bytes = malloc(cut + (cut == 0)); /* so that the sanitizer sees the first byte read beyond it */
        assert_non_null(bytes);
        memcpy(bytes, sound, cut);
        am_test_expect_error(am_torch_unpickle((const uint8_t *)bytes, cut, "p", &arena, &out), AM_INVALID_FILE,
                             "truncated");
        free(bytes);
    }
    am_arena_deinit(&arena);
}

static void formats_torch_pickle__rejects_lengths_that_lie(void **state)
{
    expect_rejected("X\xff\xff\xff\xff.", "a string of 4294967295 bytes");
    expect_rejected("X\xff\xff\x00\x00.", "truncated: 65535 bytes wanted, 1 left");
    expect_rejected("\x8d\xff\xff\xff\xff\xff\xff\xff\xff.", "a string of 18446744073709551615 bytes");
    expect_rejected("\x8b\xff\xff\xff\xff.", "a number of 4294967295 bytes");
    expect_rejected("\x80\x06.", "protocol 6");
}

static void formats_torch_pickle__rejects_impossible_tensors(void **state)
{
#define VIEW(arguments) "ctorch._utils\n_rebuild_tensor_v2\n(" arguments "tR."
    expect_rejected(VIEW(""), "argument 0 must be a storage, found nothing");
    expect_rejected(VIEW("I1\n"), "argument 0 must be a storage, found an integer");
    expect_rejected(VIEW(STORAGE "Va\n"), "argument 1 must be an integer, found a string");
    expect_rejected(VIEW(STORAGE "I0\nI0\n"), "argument 2 must be a tuple, found an integer");
    expect_rejected(VIEW(STORAGE "I0\n(I1\nt"), "argument 3 must be a tuple, found nothing");
    expect_rejected(VIEW(STORAGE "I0\n(I1\nt)"), "cannot be");
    expect_rejected(VIEW(STORAGE "I-1\n))"), "cannot be");
    expect_rejected(VIEW(STORAGE "I0\n(I-1\nt(I1\nt"), "not a whole number");
    expect_rejected(VIEW(STORAGE "I0\n(I1\nt(I-1\nt"), "not a whole number");
    expect_rejected(VIEW(STORAGE "I0\n(Va\nt(I1\nt"), "not a whole number");
    expect_rejected(VIEW(STORAGE "I0\n(I4294967296\nI4294967296\nt(I1\nI1\nt"), "cannot be");
    expect_rejected(VIEW(STORAGE "I0\n(I1\nI1\nI1\nI1\nI1\nI1\nI1\nI1\nI1\nt)"), "a tensor of 9 dimensions");
    expect_rejected("ctorch._utils\n_rebuild_tensor_v3\n(" STORAGE "I0\n))I00\n)ctorch\nSize\ntR.",
                    "argument 6 must be a dtype, found Size");
    expect_rejected("ctorch._utils\n_rebuild_parameter\n(I1\ntR.", "argument 0 must be a tensor");
    expect_rejected("ctorch._tensor\n_rebuild_from_type_v2\n(ctorch._tensor\n_rebuild_from_type_v2\nN)tR.",
                    "_rebuild_from_type_v2 cannot be called");
}

static void formats_torch_pickle__rejects_impossible_storages(void **state)
{
    expect_rejected("I1\nQ.", "a persistent id that is no storage");
    expect_rejected(")Q.", "a persistent id that is no storage");
    expect_rejected("(Vmodule\ntQ.", "a persistent id that is no storage");
    expect_rejected("(Vstorage\nVx\ntQ.", "argument 1 must be a global, found a string");
    expect_rejected("(Vstorage\nctorch\nfloat32\nV0\nVcpu\nI1\ntQ.",
                    "argument 1 must be a type of storage, found float32");
    expect_rejected("(Vstorage\nctorch\nFloatStorage\nI0\nVcpu\nI1\ntQ.", "argument 2 must be a string");
    expect_rejected("(Vstorage\nctorch\nFloatStorage\nV0\nVcpu\ntQ.", "argument 4 must be an integer, found nothing");
    expect_rejected("(Vstorage\nctorch\nFloatStorage\nV0\nVcpu\nI-1\ntQ.", "a storage of -1 elements");
    expect_rejected("(Vstorage\nctorch\nFloatStorage\nV0\nVcpu\nI2305843009213693953\ntQ.",
                    "a storage of 2305843009213693953 elements");
}

/* A million values are the limit of the stack; each opcode that makes one costs a byte. */
static void formats_torch_pickle__limits_the_stack(void **state)
{
    enum { LENGTH = 3 << 20 };
    char *bytes = malloc(LENGTH);
    assert_non_null(bytes);
    memset(bytes, 'N', LENGTH);
    expect(AM_INVALID_FILE, bytes, LENGTH, "stack deeper than 1048576");
    memset(bytes, '(', LENGTH);
    expect(AM_INVALID_FILE, bytes, LENGTH, "more than 1048576 marks");
    free(bytes);
}

/* A list of 100,000 pairs that is made into a dictionary again and again: 7 bytes of pickle that take 3 MB
   each time. */
static void formats_torch_pickle__limits_memory(void **state)
{
    enum { PAIRS = 100000, CALLS = 2000 };
    static char bytes[1 << 20];
    size_t length = 0;
    const char *beginning = "ccollections\nOrderedDict\np0\n0((NNtp1\n0(";
    memcpy(bytes, beginning, strlen(beginning));
    length = strlen(beginning);
    for (int i = 0; i < PAIRS; i++, length += 2) memcpy(bytes + length, "h\x01", 2);
    memcpy(bytes + length, "lp2\n0", 5);
    length += 5;
    for (int i = 0; i < CALLS; i++, length += 8) memcpy(bytes + length, "h\0(h\2tR0", 8);
    bytes[length++] = '.';
    expect(AM_INVALID_FILE, bytes, length, "its values take more than 268435456 bytes");
}

static void formats_torch_pickle__failed_allocations_lose_nothing(void **state)
{
    static const char pickle[] = "ccollections\nOrderedDict\n)R(Va\np7\nctorch._utils\n_rebuild_tensor_v2\n(" STORAGE
                                 "I1\n(I2\nI1\nt(I3\nI1\ntI00\n)tRVb\n](I1\nI2\neVc\n}u.";
    int64_t n = 0;
    for (bool done = false; !done; n++) {
        am_arena arena = {0};
        am_pickle out;
        am_memory_fail_after(n);
        am_status status = am_torch_unpickle((const uint8_t *)pickle, sizeof pickle - 1, "p", &arena, &out);
        am_memory_fail_after(-1);
        done = !status;
        if (!done) am_test_expect_error(status, AM_OUT_OF_MEMORY, "");
        am_arena_deinit(&arena);
        assert_true(n <= 1000);
    }
    assert_in_range(n, 4, 1000);
}
