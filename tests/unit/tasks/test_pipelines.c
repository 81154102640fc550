/* Answers of transformers' pipelines with tiny models of many types, recorded by tools/record/record_pipelines.py. */
#include "test_support.h"

#include "recorded.h"

#include <anymodel/anymodel.h>

#include <string.h>
#include <unistd.h>

/* Whether this build opens what a case is about. */
static bool is_open(am_json one)
{
    am_buffer text = {0};
    am_json_write(one, &text);
    bool shows_video = strstr(am_buffer_text(&text), "\"video\"") != NULL;
    am_buffer_deinit(&text);
    return !shows_video || am_video_files_decoded();
}

static void check_task(const char *task)
{
    am_json_document *recorded;
    am_buffer failures = {0};
    int checked = 0;
    am_test_expect_ok(am_json_open(am_test_source_path("tests/unit/tasks/data/pipelines.json"), &recorded));
    am_json models = am_json_get(am_json_root(recorded), "models");
    for (am_json_iterator i = am_json_iterate(am_json_get(am_json_root(recorded), "cases")); am_json_next(&i);) {
        if (!am_json_equals(am_json_get(i.value, "task"), task) || !is_open(i.value)) continue;
        const char *name = am_json_text(am_json_get(i.value, "model")).bytes;
        am_json model = am_json_get(models, name);
        const char *directory =
            strchr(name, '/') ? am_test_source_path(name) : am_test_make_model(model, am_json_get(i.value, "files"));
        am_test_check_case(directory, i.value, &failures);
        checked++;
    }
    if (failures.length) fail_msg("%s", am_buffer_text(&failures));
    am_buffer_deinit(&failures);
    am_json_close(recorded);
    assert_true(checked > 0);
}

static void tasks_pipelines__answer_feature_extraction_as_transformers(void **state)
{
    (void)state;
    check_task("feature-extraction");
}

static void tasks_pipelines__answer_sentence_embedding_as_transformers(void **state)
{
    (void)state;
    check_task("sentence-embedding");
}

/* Messages name images by paths from the root folder. */
static void tasks_pipelines__answer_image_text_to_text_as_transformers(void **state)
{
    (void)state;
    assert_int_equal(chdir(am_test_source_path(".")), 0);
    check_task("image-text-to-text");
}

static void tasks_pipelines__answer_video_classification_as_transformers(void **state)
{
    (void)state;
    if (!am_video_files_decoded()) {
        print_message("this build has no video decoding\n");
        skip();
    }
    check_task("video-classification");
}

static void tasks_pipelines__answer_fill_mask_as_transformers(void **state)
{
    (void)state;
    check_task("fill-mask");
}

static void tasks_pipelines__answer_text_classification_as_transformers(void **state)
{
    (void)state;
    check_task("text-classification");
}

static void tasks_pipelines__answer_zero_shot_classification_as_transformers(void **state)
{
    (void)state;
    check_task("zero-shot-classification");
}

static void tasks_pipelines__answer_token_classification_as_transformers(void **state)
{
    (void)state;
    check_task("token-classification");
}

static void tasks_pipelines__answer_question_answering_as_transformers(void **state)
{
    (void)state;
    check_task("question-answering");
}

static void tasks_pipelines__answer_document_question_answering_as_transformers(void **state)
{
    (void)state;
    check_task("document-question-answering");
}

static void tasks_pipelines__answer_table_question_answering_as_transformers(void **state)
{
    (void)state;
    check_task("table-question-answering");
}

static void tasks_pipelines__answer_text_generation_as_transformers(void **state)
{
    (void)state;
    check_task("text-generation");
}

static void tasks_pipelines__answer_summarization_as_transformers(void **state)
{
    (void)state;
    check_task("summarization");
}

static void tasks_pipelines__answer_translation_as_transformers(void **state)
{
    (void)state;
    check_task("translation");
}

static am_status ask(const char *directory, const char *task, const char *pair, const char *options)
{
    am_model *model;
    char *answer = NULL;
    am_task_input input = {.text = "The cat.", .text_pair = pair};
    am_test_expect_ok(am_model_open(directory, NULL, &model));
    am_status status = am_model_run(model, task, &input, options, &answer);
    am_string_free(answer);
    am_model_close(model);
    return status;
}

static am_status translate(const char *directory, const char *options)
{
    return ask(directory, "translation", NULL, options);
}

static void tasks_pipelines__translate_between_languages_that_are_there(void **state)
{
    am_json_document *recorded;
    (void)state;
    am_test_expect_ok(am_json_open(am_test_source_path("tests/unit/tasks/data/pipelines.json"), &recorded));
    am_json model = am_json_get(am_json_get(am_json_root(recorded), "models"), "mbart");
    const char *directory = am_test_make_model(model, (am_json){0});
    am_test_expect_error(translate(directory, NULL), AM_INVALID_ARGUMENT, "needs the options src_lang and tgt_lang");
    am_test_expect_error(translate(directory, "{\"src_lang\": \"en_XX\"}"), AM_INVALID_ARGUMENT, "tgt_lang");
    am_test_expect_error(translate(directory, "{\"src_lang\": \"en_XX\", \"tgt_lang\": \"cat\"}"), AM_INVALID_ARGUMENT,
                         "option tgt_lang: the tokenizer has no language \"cat\"");
    am_json_close(recorded);
}

static void tasks_pipelines__say_what_is_wrong_with_a_page(void **state)
{
    static const char task[] = "document-question-answering";
    static const char *const wrong[][2] = {
        {"[]", "expected a list of words with their boxes"},
        {"{\"a\": 1}", "expected a list of words with their boxes, found an object"},
        {"[[\"a\"]]", "word 0: expected a text and its box"},
        {"[[\"a\", [0, 0, 1, 1]], [1, [0, 0, 1, 1]]]", "word 1: expected a text and its box"},
        {"[[\"a\", [0, 0, 1]]]", "word 0: expected a box of 4 whole numbers from 0 to 1000"},
        {"[[\"a\", [0, 0, 1, 1001]]]", "word 0: expected a box"},
        {"[[\"a\", [0, 0, 1, 0.5]]]", "word 0: expected a box"},
    };
    am_json_document *recorded;
    (void)state;
    am_test_expect_ok(am_json_open(am_test_source_path("tests/unit/tasks/data/pipelines.json"), &recorded));
    am_json model = am_json_get(am_json_get(am_json_root(recorded), "models"), "layoutlm-answers");
    const char *directory = am_test_make_model(model, (am_json){0});
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        am_test_expect_error(ask(directory, task, wrong[i][0], NULL), AM_INVALID_ARGUMENT, wrong[i][1]);
    am_test_expect_error(ask(directory, task, NULL, NULL), AM_INVALID_ARGUMENT, "words with their boxes as JSON");
    am_test_expect_error(ask(directory, task, "[[", NULL), AM_INVALID_FILE, "words and boxes");
    am_json_close(recorded);
}

static void tasks_pipelines__say_what_is_wrong_with_a_table(void **state)
{
    static const char task[] = "table-question-answering";
    static const char *const wrong[][2] = {
        {"[]", "the table is empty"},
        {"{\"A\": []}", "the table is empty"},
        {"{\"A\": [\"1\"], \"B\": []}", "column B: expected a list of 1 texts"},
        {"{\"A\": [\"1\"], \"B\": \"2\"}", "column B: expected a list of 1 texts"},
        {"{\"A\": [\"1\", 2]}", "column A, row 1: expected a text, found an integer"},
    };
    am_json_document *recorded;
    (void)state;
    am_test_expect_ok(am_json_open(am_test_source_path("tests/unit/tasks/data/pipelines.json"), &recorded));
    am_json models = am_json_get(am_json_root(recorded), "models");
    const char *directory = am_test_make_model(am_json_get(models, "tapas-answers"), (am_json){0});
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        am_test_expect_error(ask(directory, task, wrong[i][0], NULL), AM_INVALID_ARGUMENT, wrong[i][1]);
    am_test_expect_error(ask(directory, task, NULL, NULL), AM_INVALID_ARGUMENT, "a table as JSON");
    am_test_write_text(directory, "tokenizer_config.json",
                       "{\"tokenizer_class\": \"TapasTokenizer\", \"max_column_id\": 2}");
    am_test_expect_error(ask(directory, task, "{\"A\": [\"1\"], \"B\": [\"2\"]}", NULL), AM_OUT_OF_RANGE,
                         "a table of 2 columns");
    directory = am_test_make_model(am_json_get(models, "bert-nli"), (am_json){0});
    am_test_expect_error(ask(directory, task, "{\"A\": [\"1\"]}", NULL), AM_UNSUPPORTED, "need a TapasTokenizer");
    am_json_close(recorded);
}

static void tasks_pipelines__answer_image_classification_as_transformers(void **state)
{
    (void)state;
    check_task("image-classification");
}

static void tasks_pipelines__answer_image_feature_extraction_as_transformers(void **state)
{
    (void)state;
    check_task("image-feature-extraction");
}

static void tasks_pipelines__answer_zero_shot_image_classification_as_transformers(void **state)
{
    (void)state;
    check_task("zero-shot-image-classification");
}

static void tasks_pipelines__answer_audio_classification_as_transformers(void **state)
{
    (void)state;
    check_task("audio-classification");
}

static void tasks_pipelines__answer_automatic_speech_recognition_as_transformers(void **state)
{
    (void)state;
    check_task("automatic-speech-recognition");
}

/* alignment_heads of generation_config.json, null: as the file is, and what is said of them. */
static void expect_alignment_error(am_json model, const char *heads, am_code code, const char *part)
{
    am_json_document *files = NULL;
    const char *text = heads ? am_test_format("{\"+generation_config.json\": {\"alignment_heads\": %s}}", heads) : "{}";
    am_model *opened;
    char *answer = NULL;
    am_test_expect_ok(am_json_parse(text, strlen(text), "files", &files));
    am_test_expect_ok(am_model_open(am_test_make_model(model, am_json_root(files)), NULL, &opened));
    am_task_input input = {.path = am_test_source_path("examples/data/speech/yes.wav")};
    am_test_expect_error(am_model_run(opened, "automatic-speech-recognition", &input,
                                      "{\"return_timestamps\": \"word\", \"language\": \"en\"}", &answer),
                         code, part);
    am_model_close(opened);
    am_json_close(files);
}

static void expect_option_error(am_model *model, const char *option, const char *part)
{
    char *answer = NULL;
    am_task_input input = {.path = am_test_source_path("examples/data/speech/yes.wav")};
    const char *options = am_test_format("{\"return_timestamps\": true, \"language\": \"en\", %s}", option);
    am_test_expect_error(am_model_run(model, "automatic-speech-recognition", &input, options, &answer),
                         AM_INVALID_ARGUMENT, part);
}

static void tasks_pipelines__names_options_of_speech_that_are_wrong(void **state)
{
    static const char *const wrong[][2] = {
        {"\"temperature\": \"hot\"", "option temperature: expected numbers of 0 at least"},
        {"\"temperature\": [0, -1]", "option temperature: expected numbers of 0 at least"},
        {"\"temperature\": []", "option temperature: an empty array"},
        {"\"temperature\": [0,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1]",
         "option temperature: more than 32 of them"},
        {"\"logprob_threshold\": true", "option logprob_threshold: expected a number"},
        {"\"compression_ratio_threshold\": []", "option compression_ratio_threshold: expected a number"},
        {"\"no_speech_threshold\": 0.6", "option no_speech_threshold: needs a logprob_threshold"},
        {"\"condition_on_prev_tokens\": 1", "option condition_on_prev_tokens: expected"},
        {"\"prompt_condition_type\": \"no-segment\"", "expected first-segment or all-segments"},
        {"\"prompt_condition_type\": \"all-segments\"", "all-segments needs condition_on_prev_tokens=true"},
        {"\"prompt_ids\": []", "option prompt_ids: expected a text, or an array of token ids"},
        {"\"prompt_ids\": [1, -1]", "option prompt_ids: expected token ids"},
        {"\"prompt_ids\": \"a <|en|> b\"", "option prompt_ids: the text has the special token <|en|>"},
    };
    am_json_document *recorded;
    am_model *model;
    (void)state;
    am_test_expect_ok(am_json_open(am_test_source_path("tests/unit/tasks/data/pipelines.json"), &recorded));
    am_json files = am_json_get(am_json_get(am_json_root(recorded), "models"), "whisper");
    am_test_expect_ok(am_model_open(am_test_make_model(files, (am_json){0}), NULL, &model));
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) expect_option_error(model, wrong[i][0], wrong[i][1]);
    am_model_close(model);
    am_json_close(recorded);
}

static void tasks_pipelines__times_of_words_need_heads_that_are_there(void **state)
{
    am_json_document *recorded;
    (void)state;
    am_test_expect_ok(am_json_open(am_test_source_path("tests/unit/tasks/data/pipelines.json"), &recorded));
    am_json model = am_json_get(am_json_get(am_json_root(recorded), "models"), "whisper");
    expect_alignment_error(model, NULL, AM_UNSUPPORTED, "times of words need alignment_heads");
    expect_alignment_error(model, "[[0]]", AM_INVALID_FILE, "alignment_heads: expected [[layer, head], ...]");
    expect_alignment_error(model, "[]", AM_INVALID_FILE, "alignment_heads: none");
    expect_alignment_error(model, "[[0, 7]]", AM_UNSUPPORTED, "encoder_attn: head 7 of a layer with 2");
    expect_alignment_error(model, "[[3, 0]]", AM_UNSUPPORTED, "argument cross_attention_heads.3");
    am_json_close(recorded);
}
