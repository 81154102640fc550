/* What the program does, with the n-th allocation failing, for n = 0, 1, 2 ...: each attempt ends in AM_OUT_OF_MEMORY
   or in success, and nothing is lost (the address sanitizer looks). */
#include "api_support.h"

#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

typedef am_status (*attempt)(void);

/* The first are tried one by one, later ones in growing steps: there are thousands. */
static int64_t next(int64_t n)
{
    return n < 200 ? n + 1 : n + 1 + n / 40;
}

static void expect_survival(attempt try)
{
    int64_t n = 0, failures = 0;
    for (;; n = next(n)) {
        int64_t before = am_memory_allocations();
        am_memory_fail_after(n);
        am_status status = try();
        am_memory_fail_after(-1);
        bool is_whole = am_memory_allocations() - before <= n; /* the n-th was not reached */
        if (status) {
            am_test_expect_error(status, AM_OUT_OF_MEMORY, "");
            failures++;
        }
        if (is_whole) break;
        assert_true(n < 1000000);
    }
    assert_true(failures > 50);
}

static am_status with_model(const char *name, am_status (*use)(am_model *model))
{
    am_model *model;
    am_status status = am_model_open(am_test_source_path(am_test_format("examples/models/%s", name)), NULL, &model);
    if (status) {
        assert_null(model);
        return status;
    }
    status = use(model);
    am_model_close(model);
    return status;
}

static am_status use_task(am_model *model, const am_task_input *input)
{
    char *json = NULL, *text = NULL;
    am_status status = am_model_run(model, NULL, input, NULL, &json);
    if (!status) status = am_result_text(json, &text);
    am_string_free(json);
    am_string_free(text);
    return status;
}

static am_status classify(am_model *model)
{
    return use_task(model, &(am_task_input){.path = am_test_source_path("examples/data/digits/digit-3.png")});
}

static am_status transcribe(am_model *model)
{
    return use_task(model, &(am_task_input){.path = am_test_source_path("examples/data/speech/yes.wav")});
}

static am_status generate(am_model *model)
{
    static const char *const stops[] = {"zzz"};
    am_text_options options = {
        .max_new_tokens = 2, .temperature = 0.8, .top_k = 5, .top_p = 0.9, .seed = 3, .stop = stops, .stop_count = 1};
    am_text_result result;
    am_status status = am_model_generate(model, "She", &options, &result);
    am_text_result_deinit(&result);
    return status;
}

static am_status chat(am_model *model)
{
    am_text_options options = {.max_new_tokens = 2, .greedy = true};
    am_text_result result;
    am_status status = am_model_chat(model, "[{\"role\": \"user\", \"content\": \"Hello\"}]", &options, &result);
    am_text_result_deinit(&result);
    return status;
}

static am_status embed(am_model *model)
{
    static const char *const texts[] = {"She", "He was"};
    float *vectors = NULL;
    size_t dims;
    am_status status = am_model_embed(model, texts, 2, &vectors, &dims);
    am_floats_free(vectors);
    return status;
}

static am_status try_classify(void)
{
    return with_model("digits-vit", classify);
}

static am_status try_transcribe(void)
{
    return with_model("spoken-words-wav2vec2", transcribe);
}

static am_status try_generate(void)
{
    return with_model("tiny-llama-text", generate);
}

static am_status try_chat(void)
{
    return with_model("tiny-llama-text", chat);
}

static am_status try_embed(void)
{
    return with_model("tiny-llama-text", embed);
}

static void api_want_of_memory__while_an_image_is_classified(void **state)
{
    expect_survival(try_classify);
}

static void api_want_of_memory__while_speech_is_transcribed(void **state)
{
    expect_survival(try_transcribe);
}

static void api_want_of_memory__while_text_is_generated(void **state)
{
    expect_survival(try_generate);
}

static void api_want_of_memory__while_a_chat_is_answered(void **state)
{
    expect_survival(try_chat);
}

static void api_want_of_memory__while_texts_are_embedded(void **state)
{
    expect_survival(try_embed);
}
