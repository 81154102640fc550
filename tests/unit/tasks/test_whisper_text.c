/* Text and times of Whisper's tokens, recorded from WhisperTokenizer._decode_asr. */
#include "test_support.h"

#include "recorded.h"

#include "tasks/speech.h"
#include "text/tokenizer.h"

enum { OUTPUTS = 16, TOKENS = 512 };

static int32_t tokens[OUTPUTS][TOKENS];

static void read_stride(am_json stride, am_whisper_output *out)
{
    double *fields[] = {&out->length_s, &out->left_s, &out->right_s};
    int count = 0;
    for (am_json_iterator i = am_json_iterate(stride); am_json_next(&i) && count < 3; count++)
        *fields[count] = am_json_real(i.value, 0);
    out->has_stride = count == 3;
}

static int read_outputs(am_json list, am_whisper_output *outputs)
{
    int count = 0;
    for (am_json_iterator i = am_json_iterate(list); am_json_next(&i); count++) {
        assert_in_range(count, 0, OUTPUTS - 1);
        am_json_iterator rows = am_json_iterate(am_json_get(i.value, "tokens"));
        assert_true(am_json_next(&rows));
        outputs[count] = (am_whisper_output){.ids = tokens[count]};
        for (am_json_iterator k = am_json_iterate(rows.value); am_json_next(&k);) {
            assert_in_range(outputs[count].count, 0, TOKENS - 1);
            tokens[count][outputs[count].count++] = (int32_t)am_json_int(k.value, -1);
        }
        read_stride(am_json_get(i.value, "stride"), &outputs[count]);
    }
    return count;
}

static void check(const am_tokenizer *tokenizer, am_json recorded, am_buffer *failures)
{
    am_whisper_output outputs[OUTPUTS];
    am_buffer answer = {0};
    am_json given = am_json_get(recorded, "kwargs");
    am_whisper_text_options options = {
        .return_timestamps = am_json_bool(am_json_get(given, "return_timestamps"), false),
        .return_language = am_json_bool(am_json_get(given, "return_language"), false),
        .time_precision = am_json_real(am_json_get(given, "time_precision"), 0),
    };
    int count = read_outputs(am_json_get(recorded, "model_outputs"), outputs);
    am_test_expect_ok(am_append_whisper_text(tokenizer, outputs, count, &options, &answer));
    am_test_compare_answer(am_buffer_text(&answer), am_json_get(recorded, "output"), failures);
    am_buffer_deinit(&answer);
}

static void tasks_whisper_text__is_that_of_decode_asr(void **state)
{
    am_json_document *recorded;
    am_tokenizer *tokenizer;
    am_buffer failures = {0};
    int checked = 0;
    (void)state;
    am_test_expect_ok(am_tokenizer_open(am_test_source_path("tests/unit/text/data/tokenizers/families/whisper"),
                                        AM_TOKENIZER_AUTO, &tokenizer));
    am_test_expect_ok(am_json_open(am_test_source_path("tests/unit/tasks/data/whisper_decode.json"), &recorded));
    for (am_json_iterator i = am_json_iterate(am_json_root(recorded)); am_json_next(&i); checked++)
        check(tokenizer, i.value, &failures);
    if (failures.length) fail_msg("%s", am_buffer_text(&failures));
    am_buffer_deinit(&failures);
    am_json_close(recorded);
    am_tokenizer_close(tokenizer);
    assert_true(checked > 0);
}
