/* config.json in every state but a good one, through the program. */
#include "cli_support.h"

static void expect_text_failure(const char *text, am_code code, const char *part)
{
    const char *directory = copy_vit();
    am_test_write_text(directory, "config.json", text);
    expect_failure(am_test_anymodel(NULL, "run", directory, digit_path()), code, part);
    expect_failure(am_test_anymodel(NULL, "run", directory, digit_path()), code,
                   am_test_format("%s/config.json", directory));
}

static void end_to_end_config__that_is_no_object(void **state)
{
    char *opened = repeated("[", 10000), *closed = repeated("]", 10000);
    expect_text_failure("", AM_INVALID_FILE, "the text is empty");
    expect_text_failure("hello", AM_INVALID_FILE, "not JSON");
    expect_text_failure("{\"model_type\": \"vit\"", AM_INVALID_FILE, "not JSON");
    expect_text_failure("[]", AM_INVALID_FILE, "expected an object, found an array");
    expect_text_failure("\xff\xfe{}", AM_INVALID_FILE, "not JSON");
    size_t length = strlen(opened);
    char *deep = realloc(opened, 2 * length + 1);
    assert_non_null(deep);
    memcpy(deep + length, closed, length + 1);
    expect_text_failure(deep, AM_INVALID_FILE, "JSON nested more than 512 levels deep");
    free(deep);
    free(closed);
}

static void end_to_end_config__without_a_class_to_choose(void **state)
{
    expect_text_failure("{}", AM_INVALID_FILE, "model_type: missing");
    expect_text_failure("{\"model_type\": 3}", AM_INVALID_FILE, "model_type: expected a string, found an integer");
    expect_text_failure("{\"model_type\": \"no_such\", \"architectures\": []}", AM_UNSUPPORTED,
                        "AutoModel makes no class of model_type \"no_such\"");
    expect_text_failure("{\"model_type\": \"vit\", \"architectures\": \"ViTModel\"}", AM_INVALID_FILE,
                        "architectures: expected a list of class names, found a string");
    expect_text_failure("{\"model_type\": \"vit\", \"architectures\": [7]}", AM_INVALID_FILE,
                        "architectures: expected class names, found an integer");
}

static void end_to_end_config__of_an_unknown_class_says_which_there_are(void **state)
{
    static const struct {
        const char *text, *parts[4];
    } cases[] = {
        {"{\"model_type\": \"bert\", \"architectures\": [\"BertForEverything\"]}",
         {"class BertForEverything (model_type \"bert\") is not supported", "of model type bert there are",
          "BertForMaskedLM", "BertForSequenceClassification"}},
        {"{\"model_type\": \"lama\", \"architectures\": [\"LamaForCausalLM\"]}",
         {"class LamaForCausalLM (model_type \"lama\")", "similar names are LlamaForCausalLM", "there are",
          "classes of other model types"}},
        {"{\"model_type\": \"zzz\", \"architectures\": [\"Zzz\"]}",
         {"class Zzz (model_type \"zzz\")", "not supported yet; there are", "classes of other model types",
          "`anymodel models` lists all"}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (int j = 0; j < 4; j++) expect_text_failure(cases[i].text, AM_UNSUPPORTED, cases[i].parts[j]);
}

/* The digits model with another value of a field. */
static void expect_value_failure(const char *field, const char *value, am_code code, const char *part)
{
    const char *directory = copy_vit();
    kept_text expected = keep(part);
    replace_in_file(am_test_format("%s/config.json", directory), am_test_format("\"%s\": ", field),
                    am_test_format("\"%s\": %s, \"was\": ", field, value));
    expect_failure(am_test_anymodel(NULL, "run", directory, digit_path()), code, expected.text);
    expect_failure(am_test_anymodel(NULL, "run", directory, digit_path()), code, directory);
}

static void end_to_end_config__with_impossible_sizes(void **state)
{
    static const char *const sizes[] = {"hidden_size", "intermediate_size", "num_attention_heads", "image_size",
                                        "patch_size"};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        expect_value_failure(sizes[i], "-1", AM_INVALID_FILE,
                             am_test_format("config.json: %s: expected 1 to 2147483647, found -1", sizes[i]));
        expect_value_failure(sizes[i], "0", AM_INVALID_FILE,
                             am_test_format("config.json: %s: expected 1 to 2147483647, found 0", sizes[i]));
        expect_value_failure(sizes[i], "1000000000000000000", AM_INVALID_FILE,
                             am_test_format("%s: expected 1 to 2147483647, found 1000000000000000000", sizes[i]));
        expect_value_failure(sizes[i], "1e300", AM_INVALID_FILE,
                             am_test_format("%s: expected an integer, found a number", sizes[i]));
    }
    expect_value_failure("num_attention_heads", "7", AM_INVALID_FILE, "7 does not divide hidden_size 96");
    expect_value_failure("hidden_size", "2147483640", AM_INVALID_FILE, "expected shape");
    expect_value_failure("num_hidden_layers", "65536", AM_NOT_FOUND, "tensors are missing");
}

static void end_to_end_config__with_values_of_other_types(void **state)
{
    static const struct {
        const char *field, *wanted;
    } fields[] = {{"hidden_size", "an integer"},
                  {"num_hidden_layers", "an integer"},
                  {"layer_norm_eps", "a number"},
                  {"hidden_act", "a string"},
                  {"qkv_bias", "true or false"}};
    static const char *const values[][2] = {{"[1]", "an array"}, {"{}", "an object"}};
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        for (int j = 0; j < 2; j++)
            expect_value_failure(
                fields[i].field, values[j][0], AM_INVALID_FILE,
                am_test_format("%s: expected %s, found %s", fields[i].field, fields[i].wanted, values[j][1]));
    expect_value_failure("hidden_act", "\"nope\"", AM_UNSUPPORTED, "activation \"nope\" is not supported");
}
