/* Which class a directory is opened as. */
#include "api/api_support.h"

#include <stdlib.h>
#include <unistd.h>

/* A directory of the example's files whose config.json names no class. */
static const char *without_architectures(void)
{
    static const char *const files[] = {"model.safetensors", "tokenizer.json", "tokenizer_config.json"};
    const char *folder = am_test_temporary_directory();
    char *config = am_test_read_file(am_test_source_path(LLAMA "/config.json"), NULL);
    char *list = strstr(config, "\"architectures\"");
    assert_non_null(list);
    memcpy(list, "\"architecturez\"", 15);
    am_test_write_text(folder, "config.json", config);
    free(config);
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        const char *from = am_test_source_path(am_test_format(LLAMA "/%s", files[i]));
        assert_int_equal(symlink(from, am_test_format("%s/%s", folder, files[i])), 0);
    }
    return folder;
}

static void expect_class(const char *folder, const char *auto_class, const char *name)
{
    am_model *model;
    am_test_expect_ok(am_model_open(folder, &(am_model_options){.auto_class = auto_class}, &model));
    assert_string_equal(am_model_architecture(model), name);
    am_model_close(model);
}

static void api_open__an_auto_class_chooses_by_model_type(void **state)
{
    const char *folder = am_test_source_path(LLAMA);
    expect_class(folder, NULL, "LlamaForCausalLM");
    expect_class(folder, "AutoModel", "LlamaModel");
    expect_class(folder, "AutoModelForTokenClassification", "LlamaForTokenClassification");
}

static void api_open__auto_model_stands_in_for_absent_architectures(void **state)
{
    const char *folder = without_architectures();
    expect_class(folder, NULL, "LlamaModel");
    expect_class(folder, "AutoModelForCausalLM", "LlamaForCausalLM");
}

static void api_open__an_auto_class_that_does_not_fit_says_which_do(void **state)
{
    am_model *model;
    const char *folder = am_test_source_path(LLAMA);
    am_test_expect_error(am_model_open(folder, &(am_model_options){.auto_class = "AutoModelForCTC"}, &model),
                         AM_UNSUPPORTED, "AutoModelForCausalLM (LlamaForCausalLM)");
    am_test_expect_error(am_model_open(folder, &(am_model_options){.auto_class = "AutoModelForAll"}, &model),
                         AM_INVALID_ARGUMENT, "AutoModelForAll is no auto class");
}
