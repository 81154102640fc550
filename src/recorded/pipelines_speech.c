/* Speech: what is made of CTC's logits and of what Whisper generated. */
#include "recorded/pipelines.h"
#include "tasks/ctc_beams.h"
#include "tasks/speech.h"
#include "tensor/shape.h"

#include <inttypes.h>
#include <math.h>

/* --- automatic-speech-recognition --- */

/* Logits [1, frames, classes], changed as the recorder's logits_note says, so that most frames are blank: class 0 is
   raised by 3, class 4 of every third frame by 2. */
static am_status make_logits(am_pipeline_case *c, am_json recipe, am_tensor *out)
{
    AM_TRY(am_pipeline_numbers(c, recipe, 3, out));
    int64_t classes = out->shape.dims[2], count = am_shape_count(&out->shape);
    float *values = out->data;
    for (int64_t i = 0; i < count; i++) {
        if (i % classes == 0) values[i] += 3.0f;
        if (i % classes == 4 && i / classes % 3 == 0) values[i] += 2.0f;
    }
    return NULL;
}

static am_status best_classes(am_pipeline_case *c, am_json recipe, int32_t **out, int64_t *frames)
{
    am_tensor logits;
    AM_TRY(make_logits(c, recipe, &logits));
    int64_t classes = logits.shape.dims[2];
    *frames = logits.shape.dims[1];
    *out = am_arena_array(&c->arena, (size_t)*frames, sizeof **out);
    if (!*out) return am_out_of_memory();
    for (int64_t t = 0; t < *frames; t++) {
        const float *row = (const float *)logits.data + t * classes;
        for (int64_t k = 1; k < classes; k++)
            if (row[k] > row[(*out)[t]]) (*out)[t] = (int32_t)k;
    }
    return NULL;
}

/* Frames of all chunks, without those of the strides [total, left, right] that belong to their neighbours. */
static am_status join_chunks(am_pipeline_case *c, int32_t **out, int64_t *count)
{
    am_json strides = am_json_get(c->line, "strides"), logits = am_json_get(c->line, "logits");
    int64_t number = 0, room = 0;
    *count = 0;
    for (am_json_iterator i = am_json_iterate(logits); am_json_next(&i);)
        room += am_json_int(am_verify_element(am_json_get(i.value, "shape"), 1), 0);
    *out = room > 0 && room < 1 << 24 ? am_arena_array(&c->arena, (size_t)room, sizeof **out) : NULL;
    if (!*out) return am_error(AM_INVALID_FILE, "logits: no frames");
    for (am_json_iterator i = am_json_iterate(logits); am_json_next(&i); number++) {
        int32_t *ids;
        int64_t frames;
        AM_TRY(best_classes(c, i.value, &ids, &frames));
        am_json stride = am_verify_element(strides, number);
        int64_t left = am_json_int(am_verify_element(stride, 1), 0);
        int64_t end = am_json_int(am_verify_element(stride, 0), frames) - am_json_int(am_verify_element(stride, 2), 0);
        for (int64_t t = left; t < end && t < frames; t++) (*out)[(*count)++] = ids[t];
    }
    return NULL;
}

am_status am_pipeline_ctc(am_pipeline_case *c, am_buffer *out)
{
    am_json times = am_json_get_path(c->line, "kwargs.return_timestamps");
    am_ctc_text_options options = {.frame_samples = am_json_int(am_json_get(c->line, "align_to"), 0),
                                   .sampling_rate = 16000};
    if (am_json_equals(times, "char")) options.times = AM_CTC_CHARACTERS;
    if (am_json_equals(times, "word")) options.times = AM_CTC_WORDS;
    int32_t *ids;
    int64_t count;
    AM_TRY(join_chunks(c, &ids, &count));
    return am_append_ctc_text(c->tokenizer, ids, count, &options, out);
}

/* --- ctc-beam-search: beams of pyctcdecode, best first --- */

static void append_hypothesis(const am_ctc_hypothesis *h, am_buffer *out)
{
    am_buffer_append_string(out, "{\"text\": ");
    am_buffer_append_json_string(out, h->text.bytes, h->text.length);
    am_buffer_printf(out, ", \"score\": %.17g, \"words\": [", h->score);
    for (int64_t i = 0; i < h->word_count; i++) {
        am_buffer_append_string(out, i ? ", [" : "[");
        am_buffer_append_json_string(out, h->words[i].text.bytes, h->words[i].text.length);
        am_buffer_printf(out, ", %" PRId64 ", %" PRId64 "]", h->words[i].start, h->words[i].end);
    }
    am_buffer_append_string(out, "]}");
}

am_status am_pipeline_ctc_beams(am_pipeline_case *c, am_buffer *out)
{
    int64_t wanted = (int64_t)am_json_count(am_json_get_path(c->line, "output.beams")), count;
    am_ctc_beam_options options;
    am_ctc_hypothesis *beams;
    am_tensor logits;
    am_text *labels;
    AM_TRY(am_ctc_beam_options_read(c->kwargs, &options));
    AM_TRY(make_logits(c, am_json_get(c->line, "logits"), &logits));
    int64_t frames = logits.shape.dims[1], classes = logits.shape.dims[2];
    AM_TRY(am_ctc_labels(c->tokenizer, classes, &c->arena, &labels));
    AM_TRY(am_ctc_beam_search(logits.data, frames, labels, classes, &options, &c->arena, &beams, &count));
    am_buffer_printf(out, "{\"count\": %" PRId64 ", \"beams\": [", count);
    for (int64_t i = 0; i < count && i < wanted; i++) {
        if (i) am_buffer_append_string(out, ", ");
        append_hypothesis(&beams[i], out);
    }
    am_buffer_append_string(out, "]}");
    return NULL;
}

/* --- whisper-decode --- */

static am_status read_whisper_output(am_pipeline_case *c, am_json given, am_whisper_output *out)
{
    am_json tokens = am_verify_element(am_json_get(given, "tokens"), 0), stride = am_json_get(given, "stride");
    am_json times = am_verify_element(am_json_get(given, "token_timestamps"), 0);
    size_t count = am_json_count(tokens);
    int32_t *ids = am_arena_array(&c->arena, count + 1, sizeof *ids);
    double *seconds = am_arena_array(&c->arena, count + 1, sizeof *seconds);
    if (!ids || !seconds) return am_out_of_memory();
    *out = (am_whisper_output){.ids = ids,
                               .count = (int64_t)count,
                               .has_stride = am_json_kind_of(stride) == AM_JSON_ARRAY,
                               .length_s = am_json_real(am_verify_element(stride, 0), 0.0),
                               .left_s = am_json_real(am_verify_element(stride, 1), 0.0),
                               .right_s = am_json_real(am_verify_element(stride, 2), 0.0)};
    for (am_json_iterator i = am_json_iterate(tokens); am_json_next(&i);) *ids++ = (int32_t)am_json_int(i.value, -1);
    if (am_json_count(times) != count) return NULL;
    out->token_times = seconds;
    for (am_json_iterator i = am_json_iterate(times); am_json_next(&i);) *seconds++ = am_json_real(i.value, NAN);
    return NULL;
}

am_status am_pipeline_whisper(am_pipeline_case *c, am_buffer *out)
{
    am_json given = am_json_get(c->line, "model_outputs"), kwargs = c->kwargs;
    am_json times = am_json_get(kwargs, "return_timestamps");
    am_whisper_text_options options = {.return_timestamps = am_json_bool(times, false) || am_json_equals(times, "word"),
                                       .word_times = am_json_equals(times, "word"),
                                       .return_language = am_json_bool(am_json_get(kwargs, "return_language"), false),
                                       .time_precision = am_json_real(am_json_get(kwargs, "time_precision"), 0.02)};
    int64_t count = 0;
    am_whisper_output *outputs = am_arena_array(&c->arena, am_json_count(given) + 1, sizeof *outputs);
    if (!outputs) return am_out_of_memory();
    for (am_json_iterator i = am_json_iterate(given); am_json_next(&i); count++)
        AM_TRY(read_whisper_output(c, i.value, &outputs[count]));
    return am_append_whisper_text(c->tokenizer, outputs, count, &options, out);
}
