/* `anymodel run`: what people read of the tasks' answers, and what it says when a task does not fit. */
#include "cli_support.h"

static const char *speech_path(void)
{
    return am_test_source_path("examples/data/speech/two-five-nine.wav");
}

static void end_to_end_run__shows_when_words_are_said(void **state)
{
    (void)state;
    am_test_result result = am_test_anymodel(NULL, "run", model_path("spoken-words-wav2vec2"), speech_path(),
                                             "--option", "return_timestamps=word");
    expect_code(&result, AM_OK);
    assert_string_equal(result.out, "two five nine\n0.08 to 0.30  two\n0.42 to 0.74  five\n0.88 to 1.24  nine\n");
    am_test_result_free(&result);
}

/* The words and frames of pyctcdecode. */
static void end_to_end_run__searches_for_words_with_beams(void **state)
{
    (void)state;
    am_test_result result =
        am_test_anymodel(NULL, "run", model_path("spoken-words-wav2vec2"), speech_path(), "--option",
                         "return_timestamps=word", "--option", "decoder_kwargs={\"beam_width\": 50}");
    expect_code(&result, AM_OK);
    assert_string_equal(result.out, "two five nine\n0.08 to 0.28  two\n0.42 to 0.74  five\n0.86 to 1.26  nine\n");
    am_test_result_free(&result);
    expect_failure(am_test_anymodel(NULL, "run", model_path("spoken-words-wav2vec2"), speech_path(), "--option",
                                    "return_timestamps=char", "--option", "decoder_kwargs={}"),
                   AM_INVALID_ARGUMENT, "expected \"word\" with decoder_kwargs");
    expect_failure(am_test_anymodel(NULL, "run", model_path("spoken-words-wav2vec2"), speech_path(), "--option",
                                    "decoder_kwargs={\"alpha\": 1}"),
                   AM_UNSUPPORTED, "decoder_kwargs: alpha");
}

static void end_to_end_run__answers_a_conversation(void **state)
{
    static const char messages[] = "messages=[{\"role\": \"user\", \"content\": \"Hello\"}]";
    (void)state;
    kept_text llama = keep(model_path("tiny-llama-text"));
    am_test_result people =
        am_test_anymodel(NULL, "run", llama.text, "--option", messages, "--option", "max_new_tokens=6");
    am_test_result json =
        am_test_anymodel(NULL, "run", llama.text, "--option", messages, "--option", "max_new_tokens=6", "--json");
    expect_code(&people, AM_OK);
    expect_code(&json, AM_OK);
    expect_part(json.out, "[{\"generated_text\": [{\"role\":\"user\",\"content\":\"Hello\"}, {\"role\": \"assistant\"");
    assert_null(strstr(people.out, "Hello"));
    assert_true(people.out_length > 1);
    am_test_result_free(&people);
    am_test_result_free(&json);
}

static void end_to_end_run__says_what_a_class_is_for_when_a_task_does_not_fit(void **state)
{
    (void)state;
    static const char *const label_tasks[] = {"text-classification", "token-classification",
                                              "zero-shot-classification"};
    kept_text wav2vec2 = keep(model_path("spoken-words-wav2vec2")), llama = keep(model_path("tiny-llama-text"));
    for (size_t i = 0; i < sizeof label_tasks / sizeof *label_tasks; i++)
        expect_failure(am_test_anymodel(NULL, "run", llama.text, "She", "--task", label_tasks[i], "--candidate-labels",
                                        "sport,art"),
                       AM_UNSUPPORTED, "class LlamaForCausalLM gives scores of tokens, not of labels");
    expect_failure(
        am_test_anymodel(NULL, "run", wav2vec2.text, speech_path(), "--task", "audio-captioning"), AM_UNSUPPORTED,
        "there are audio-classification, automatic-speech-recognition, depth-estimation, document-question-answering");
    expect_failure(am_test_anymodel(NULL, "run", wav2vec2.text, "--question", "a", "--context", "b", "--task",
                                    "zero-shot-classification"),
                   AM_INVALID_ARGUMENT, "(class Wav2Vec2ForCTC is for automatic-speech-recognition)");
    expect_failure(am_test_anymodel(NULL, "run", wav2vec2.text, speech_path(), "--option", "return_timestamps=true"),
                   AM_INVALID_ARGUMENT, "expected \"char\" or \"word\"");
    expect_failure(am_test_anymodel(NULL, "run", wav2vec2.text, speech_path(), "--option", "chunk_length_s=1",
                                    "--option", "stride_length_s=0.6"),
                   AM_INVALID_ARGUMENT, "chunk_length_s: expected more than the strides' 1.2 s, found 1 s");
}
