/* Weights that lie, through the program: each has an exit code and a message that names the file and what is wrong. */
#include "cli_support.h"

#include <stdint.h>
#include <unistd.h>

static void expect_run_failure(const char *directory, am_code code, const char *part)
{
    expect_failure(am_test_anymodel(NULL, "run", directory, digit_path()), code, part);
}

/* The digits model with these bytes in place of the header's `from`. The lengths must agree. */
static void expect_header_failure(const char *from, const char *to, am_code code, const char *part)
{
    const char *directory = copy_vit();
    assert_int_equal(strlen(from), strlen(to));
    replace_in_file(am_test_format("%s/model.safetensors", directory), from, to);
    expect_run_failure(directory, code, part);
    expect_run_failure(directory, code, directory);
}

static void end_to_end_weights__that_are_truncated(void **state)
{
    const char *directory = copy_vit();
    kept_text weights = keep(am_test_format("%s/model.safetensors", directory));
    size_t length;
    char *bytes = am_test_read_file(weights.text, &length);
    const size_t lengths[] = {0, 7, 8, 100, 7808, length / 2, length - 1};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        am_test_write_file(weights.text, bytes, lengths[i]);
        expect_run_failure(directory, AM_INVALID_FILE, weights.text);
        expect_run_failure(directory, AM_INVALID_FILE, "truncated?");
    }
    free(bytes);
}

static void end_to_end_weights__with_a_header_of_2_to_the_63(void **state)
{
    const char *directory = copy_vit();
    kept_text weights = keep(am_test_format("%s/model.safetensors", directory));
    size_t length;
    char *bytes = am_test_read_file(weights.text, &length);
    memcpy(bytes, "\0\0\0\0\0\0\0\x80", 8);
    am_test_write_file(weights.text, bytes, length);
    expect_run_failure(directory, AM_INVALID_FILE, "header length 9223372036854775808 goes beyond the file");
    free(bytes);
}

static void end_to_end_weights__whose_header_lies(void **state)
{
    expect_header_failure("\"data_offsets\":[40,3880]", "\"data_offsets\":[36,3876]", AM_INVALID_FILE,
                          "tensors classifier.bias and classifier.weight overlap");
    expect_header_failure("\"data_offsets\":[40,3880]", "\"data_offsets\":[44,3884]", AM_INVALID_FILE,
                          "hole in the data: tensor classifier.weight");
    expect_header_failure("\"data_offsets\":[40,3880]", "\"data_offsets\":[4e9,5e9]", AM_INVALID_FILE,
                          "tensor classifier.weight: data_offsets");
    expect_header_failure("\"data_offsets\":[0,40]", "\"data_offsets\":[40,0]", AM_INVALID_FILE,
                          "end before they begin");
    expect_header_failure("\"dtype\":\"F32\"", "\"dtype\":\"F37\"", AM_INVALID_FILE, "unknown dtype \"F37\"");
    expect_header_failure("\"shape\":[10,96]", "\"shape\":[10,-6]", AM_INVALID_FILE,
                          "tensor classifier.weight: dimension 1");
    expect_header_failure("\"shape\":[10,96]", "\"shape\":[20,96]", AM_INVALID_FILE,
                          "F32 of shape [20, 96] takes 7680 bytes, found 3840");
}

static void end_to_end_weights__of_another_shape_or_dtype(void **state)
{
    expect_header_failure("\"shape\":[10,96]", "\"shape\":[96,10]", AM_INVALID_FILE,
                          "tensor classifier.weight: expected shape [10, 96], found [96, 10]");
    expect_header_failure("\"dtype\":\"F32\"", "\"dtype\":\"I32\"", AM_UNSUPPORTED,
                          "tensor classifier.bias: expected a dtype of real numbers, found I32");
}

static void end_to_end_weights__that_are_missing_are_counted_and_listed(void **state)
{
    const char *directory = copy_vit(), *config = am_test_format("%s/config.json", directory);
    replace_in_file(am_test_format("%s/model.safetensors", directory), "\"classifier.bias\"", "\"classifier.biaz\"");
    expect_run_failure(directory, AM_NOT_FOUND, "tensor classifier.bias [10] is missing");
    expect_run_failure(directory, AM_NOT_FOUND, directory);
    replace_in_file(config, "\"num_hidden_layers\": 4", "\"num_hidden_layers\": 5");
    expect_run_failure(directory, AM_NOT_FOUND, "17 tensors are missing: vit.encoder.layer.4.");
    expect_run_failure(directory, AM_NOT_FOUND, " and 11 more");
    am_test_result result = am_test_anymodel(NULL, "inspect", directory, "--json");
    expect_code(&result, AM_OK);
    expect_part(result.out, "\"missing\": [\"vit.encoder.layer.4.");
    am_test_result_free(&result);
    unlink(am_test_format("%s/model.safetensors", directory));
    expect_run_failure(directory, AM_NOT_FOUND, "no weights: neither model.safetensors nor");
}

/* The digits model as a shard a.safetensors, with this index. */
static const char *copy_sharded(const char *index)
{
    const char *directory = copy_vit();
    assert_int_equal(
        rename(am_test_format("%s/model.safetensors", directory), am_test_format("%s/a.safetensors", directory)), 0);
    am_test_write_text(directory, "model.safetensors.index.json", index);
    return directory;
}

static void end_to_end_weights__whose_index_lies(void **state)
{
    static const struct {
        const char *index;
        am_code code;
        const char *part;
    } cases[] = {
        {"{\"weight_map\": {\"classifier.bias\": \"b.safetensors\"}}", AM_NOT_FOUND,
         "shard of tensor classifier.bias is missing"},
        {"{\"weight_map\": {\"classifier.bias\": \"a.safetensors\", \"not.there\": \"a.safetensors\"}}",
         AM_INVALID_FILE, "tensor not.there is not in"},
        {"{\"weight_map\": {\"classifier.bias\": \"../a.safetensors\"}}", AM_INVALID_FILE,
         "tensor classifier.bias: its shard must be the name of a file in the same folder"},
        {"{\"weight_map\": {\"classifier.bias\": 3}}", AM_INVALID_FILE, "found an integer"},
        {"{\"weight_map\": []}", AM_INVALID_FILE, "weight_map must be an object"},
        {"{\"weight_map\": {}}", AM_INVALID_FILE, "weight_map must be an object with at least one member"},
        {"{\"weight_map\":", AM_INVALID_FILE, "not JSON"},
        {"", AM_INVALID_FILE, "the text is empty"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *directory = copy_sharded(cases[i].index);
        expect_run_failure(directory, cases[i].code, cases[i].part);
        expect_run_failure(directory, cases[i].code, "model.safetensors.index.json");
    }
}

/* --- pickles --- */

typedef struct bytes {
    uint8_t bytes[1024];
    size_t length;
} bytes;

static void put(bytes *b, const void *from, size_t length)
{
    assert_in_range(b->length + length, 0, sizeof b->bytes);
    memcpy(b->bytes + b->length, from, length);
    b->length += length;
}

static void put_number(bytes *b, uint32_t value, size_t length)
{
    uint8_t little[4] = {(uint8_t)value, (uint8_t)(value >> 8), (uint8_t)(value >> 16), (uint8_t)(value >> 24)};
    put(b, little, length);
}

static uint32_t crc32_of(const void *from, size_t length)
{
    uint32_t crc = 0xffffffffu;
    for (size_t i = 0; i < length; i++) {
        crc ^= ((const uint8_t *)from)[i];
        for (int bit = 0; bit < 8; bit++) crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
    }
    return ~crc;
}

/* What the header of an entry in the file and that in the directory have in common. */
static void put_entry(bytes *b, const void *data, uint32_t length, uint32_t said_length, const char *name)
{
    put_number(b, 10, 2); /* version, flags, stored, time, date */
    put_number(b, 0, 4);
    put_number(b, 0, 4);
    put_number(b, crc32_of(data, length), 4);
    put_number(b, said_length, 4);
    put_number(b, said_length, 4);
    put_number(b, (uint32_t)strlen(name), 2);
    put_number(b, 0, 2);
}

/* A zip archive of one stored entry archive/data.pkl whose headers say it has said_length bytes. */
static void make_zip(bytes *b, const void *data, uint32_t length, uint32_t said_length)
{
    static const char name[] = "archive/data.pkl";
    *b = (bytes){0};
    put(b, "PK\3\4", 4);
    put_entry(b, data, length, said_length, name);
    put(b, name, strlen(name));
    put(b, data, length);
    uint32_t begin = (uint32_t)b->length;
    put(b, "PK\1\2", 4);
    put_number(b, 10, 2);
    put_entry(b, data, length, said_length, name);
    for (int i = 0; i < 3; i++) put_number(b, 0, i ? 4 : 2); /* comment, disk and attributes; then the offset */
    put_number(b, 0, 4);
    put(b, name, strlen(name));
    uint32_t end = (uint32_t)b->length;
    put(b, "PK\5\6\0\0\0\0\1\0\1\0", 12);
    put_number(b, end - begin, 4);
    put_number(b, begin, 4);
    put_number(b, 0, 2);
}

static void expect_pickle_failure(const bytes *file, am_code code, const char *part)
{
    const char *directory = copy_vit();
    unlink(am_test_format("%s/model.safetensors", directory));
    am_test_write_file(am_test_format("%s/pytorch_model.bin", directory), file->bytes, file->length);
    expect_run_failure(directory, code, part);
    expect_run_failure(directory, code, "pytorch_model.bin");
}

/* Bytes of a literal, and how many there are without its zero. */
#define LITERAL(text) text, sizeof(text) - 1

static void end_to_end_weights__of_a_pickle_that_calls_are_refused_by_name(void **state)
{
    static const char mark[] = "anymodel_was_fooled";
    static const struct {
        const char *pickle;
        uint32_t length;
        const char *name;
    } cases[] = {
        {LITERAL("\x80\x02"
                 "cposix\nsystem\nX\x19\0\0\0touch anymodel_was_fooled\x85R."),
         "posix.system refused"},
        {LITERAL("\x80\x02"
                 "cos\nsystem\nX\x19\0\0\0touch anymodel_was_fooled\x85R."),
         "os.system refused"},
        {LITERAL("\x80\x02"
                 "c__builtin__\neval\nX\x03\0\0\0"
                 "1+1\x85R."),
         "__builtin__.eval refused"},
        {LITERAL("\x80\x02}X\x01\0\0\0a]cbuiltins\neval\nX\x03\0\0\0"
                 "1+1\x85R"
                 "as."),
         "builtins.eval refused"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        bytes file;
        make_zip(&file, cases[i].pickle, cases[i].length, cases[i].length);
        expect_pickle_failure(&file, AM_INVALID_FILE, cases[i].name);
        assert_int_not_equal(access(mark, F_OK), 0);
        file = (bytes){0}; /* the form without an archive around it */
        put(&file, cases[i].pickle, cases[i].length);
        expect_pickle_failure(&file, AM_INVALID_FILE, "pytorch_model.bin");
        assert_int_not_equal(access(mark, F_OK), 0);
    }
}

static void end_to_end_weights__of_an_archive_that_lies_or_is_cut(void **state)
{
    static const char pickle[] = "\x80\x02}X\x01\0\0\0aK\x01s.";
    static const uint32_t lies[] = {0, 1, 1000000, 0x80000000u, 0xfffffffeu};
    bytes file;
    make_zip(&file, pickle, sizeof pickle - 1, sizeof pickle - 1);
    expect_pickle_failure(&file, AM_INVALID_FILE, "no tensors");
    size_t whole = file.length;
    for (file.length = whole - 1; file.length > 10; file.length -= 20)
        expect_pickle_failure(&file, AM_INVALID_FILE, "pytorch_model.bin");
    for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
        make_zip(&file, pickle, sizeof pickle - 1, lies[i]);
        expect_pickle_failure(&file, AM_INVALID_FILE, "pytorch_model.bin");
    }
}
