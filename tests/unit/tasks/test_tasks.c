/* Answers recorded from transformers by tools/record/record_tasks.py. */
#include "test_support.h"

#include "recorded.h"

#include "tasks/task.h"

#include <anymodel/anymodel.h>

#include <string.h>

static void check_task(const char *task)
{
    am_json_document *recorded;
    am_buffer failures = {0};
    int checked = 0;
    am_test_expect_ok(am_json_open(am_test_source_path("tests/unit/tasks/data/expected.json"), &recorded));
    for (am_json_iterator i = am_json_iterate(am_json_root(recorded)); am_json_next(&i);) {
        if (!am_json_equals(am_json_get(i.value, "task"), task)) continue;
        am_test_check_case(am_test_source_path(am_json_text(am_json_get(i.value, "model")).bytes), i.value, &failures);
        checked++;
    }
    if (failures.length) fail_msg("%s", am_buffer_text(&failures));
    am_buffer_deinit(&failures);
    am_json_close(recorded);
    assert_true(checked > 0);
}

static void tasks_fill_mask__answers_as_recorded(void **state)
{
    (void)state;
    check_task("fill-mask");
}

static void tasks_feature_extraction__answers_as_recorded(void **state)
{
    (void)state;
    check_task("feature-extraction");
}

static void tasks_token_classification__answers_as_recorded(void **state)
{
    (void)state;
    check_task("token-classification");
}

static void tasks_text_classification__answers_as_recorded(void **state)
{
    (void)state;
    check_task("text-classification");
}

static void tasks_zero_shot_classification__answers_as_recorded(void **state)
{
    (void)state;
    check_task("zero-shot-classification");
}

static void tasks_question_answering__answers_as_recorded(void **state)
{
    (void)state;
    check_task("question-answering");
}

static void tasks_text_generation__answers_as_recorded(void **state)
{
    (void)state;
    check_task("text-generation");
}

static void tasks_image_classification__answers_as_recorded(void **state)
{
    (void)state;
    check_task("image-classification");
}

static void tasks_automatic_speech_recognition__answers_as_recorded(void **state)
{
    (void)state;
    check_task("automatic-speech-recognition");
}

/* --- errors --- */

static am_status run_masked(const char *task, const char *text, const char *options)
{
    am_model *model;
    am_task_input input = {.text = text};
    char *answer = NULL;
    am_test_expect_ok(am_model_open(am_test_source_path("tests/unit/tasks/data/masked"), NULL, &model));
    am_status status = am_model_run(model, task, &input, options, &answer);
    am_string_free(answer);
    am_model_close(model);
    return status;
}

static void tasks__say_what_is_wrong_with_their_input(void **state)
{
    (void)state;
    am_test_expect_error(run_masked("fill-mask", NULL, NULL), AM_INVALID_ARGUMENT, "needs a text");
    am_test_expect_error(run_masked("fill-mask", "the cat", NULL), AM_INVALID_ARGUMENT, "no mask_token ([MASK])");
    am_test_expect_error(run_masked("fill-mask", "[MASK]", "{\"top_k\": 0}"), AM_INVALID_ARGUMENT,
                         "top_k: expected at least 1, found 0");
    am_test_expect_error(run_masked("fill-mask", "[MASK]", "[]"), AM_INVALID_ARGUMENT,
                         "expected an object, found an array");
    am_test_expect_error(run_masked("dance", "a", NULL), AM_UNSUPPORTED, "task \"dance\"");
    am_test_expect_error(run_masked("question-answering", "a", NULL), AM_INVALID_ARGUMENT, "question and its context");
    am_test_expect_error(run_masked("zero-shot-classification", "a", NULL), AM_INVALID_ARGUMENT, "candidate_labels");
}

static void tasks__name_both_numbers_when_a_text_is_too_long(void **state)
{
    char text[512] = "[MASK]";
    (void)state;
    for (int i = 0; i < 70; i++) strcat(text, " cat");
    am_test_expect_error(run_masked("fill-mask", text, NULL), AM_OUT_OF_RANGE, "73 tokens, and the model takes 64");
}

/* --- generation --- */

static bool take_text(void *context, const char *text, size_t length)
{
    am_buffer_append(context, text, length);
    return true;
}

static void tasks_generation__streams_what_it_answers_and_cuts_stop_texts_off(void **state)
{
    am_model *model;
    am_text_result whole, cut;
    am_buffer streamed = {0};
    const char *const stop[] = {"gentlemen"};
    am_text_options options = {.max_new_tokens = 20, .greedy = true, .on_text = take_text, .context = &streamed};
    (void)state;
    am_test_expect_ok(am_model_open(am_test_source_path("examples/models/tiny-llama-text"), NULL, &model));
    am_test_expect_ok(am_model_generate(model, "Once upon a time", &options, &whole));
    assert_string_equal(am_buffer_text(&streamed), whole.text);
    assert_string_equal(whole.finish_reason, "length");
    assert_int_equal(whole.id_count, 20);
    am_buffer_clear(&streamed);
    options.stop = stop;
    options.stop_count = 1;
    am_test_expect_ok(am_model_generate(model, "Once upon a time", &options, &cut));
    assert_string_equal(cut.text, ", however, the two ");
    assert_string_equal(am_buffer_text(&streamed), cut.text);
    assert_string_equal(cut.finish_reason, "stop");
    am_buffer_deinit(&streamed);
    am_text_result_deinit(&whole);
    am_text_result_deinit(&cut);
    am_model_close(model);
}

static void tasks_registry__finds_tasks_by_name(void **state)
{
    (void)state;
    assert_non_null(am_task_find("fill-mask"));
    assert_null(am_task_find("fill_mask"));
}
