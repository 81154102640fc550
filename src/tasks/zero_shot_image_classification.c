#include "tasks/answers.h"

#include "base/memory.h"
#include "text/tokenizer.h"

#include <string.h>

enum { SIGLIP_LENGTH = 64, INPUTS = 5 };

bool am_judges_labels_apart(am_json config)
{
    return strstr(am_json_text(am_json_get(config, "model_type")).bytes, "siglip") != NULL;
}

static bool is_siglip(const am_pipeline *p)
{
    return am_judges_labels_apart(am_pipeline_config(p)->object);
}

static am_status encode_labels(am_pipeline *p, am_arena *arena, const am_text *texts, int64_t count,
                               am_text_inputs *out)
{
    am_tokenizer *tokenizer;
    am_encode_options options = {.add_special_tokens = true, .padding = AM_PAD_LONGEST};
    AM_TRY(am_pipeline_tokenizer(p, &tokenizer));
    if (is_siglip(p)) {
        options.padding = AM_PAD_MAX_LENGTH;
        options.truncation = AM_TRUNCATE_LONGEST_FIRST;
        options.max_length = SIGLIP_LENGTH;
    }
    am_encoding *encodings = am_alloc_zeroed((size_t)count, sizeof *encodings);
    if (!encodings) return am_out_of_memory();
    am_status status = am_tokenizer_encode_batch(tokenizer, texts, NULL, (size_t)count, &options, encodings);
    if (!status) status = am_check_length(p, (int64_t)encodings[0].count);
    if (!status) status = am_inputs_of_encodings(tokenizer, arena, encodings, count, out);
    for (int64_t i = 0; i < count; i++) am_encoding_deinit(&encodings[i]);
    am_free(encodings);
    return status;
}

/* SigLIP's tokenizer gives input_ids alone. */
static int keep_inputs(const am_pipeline *p, const am_text_inputs *text, const am_media_inputs *image,
                       am_session_input *out)
{
    int count = 0;
    for (int i = 0; i < text->count; i++)
        if (!is_siglip(p) || strcmp(text->inputs[i].name, "input_ids") == 0) out[count++] = text->inputs[i];
    for (int i = 0; i < image->count; i++) out[count++] = image->inputs[i];
    return count;
}

am_status am_append_fitting_labels(const float *logits, const am_texts *labels, bool apart, am_arena *arena,
                                   am_buffer *out)
{
    int64_t count = labels->count;
    am_score *scores = am_arena_array(arena, (size_t)count, sizeof *scores);
    if (!scores) return am_out_of_memory();
    if (apart) am_scores_sigmoid(logits, count, 0, scores);
    else am_scores_softmax(logits, count, 0, scores);
    am_buffer_append_char(out, '[');
    for (int64_t i = 0; i < count; i++) {
        const char *label = labels->items[scores[i].id];
        am_buffer_append_string(out, i ? ", {\"score\": " : "{\"score\": ");
        am_append_float(out, (float)scores[i].score);
        am_buffer_append_string(out, ", \"label\": ");
        am_buffer_append_json_string(out, label, strlen(label));
        am_buffer_append_char(out, '}');
    }
    am_buffer_append_char(out, ']');
    return NULL;
}

static am_status classify(am_pipeline *p, const am_media_inputs *image, am_json options, am_arena *arena,
                          am_buffer *out)
{
    am_texts labels;
    am_text_inputs text;
    am_session_input inputs[INPUTS];
    am_tensor logits;
    const char *pattern, *hypothesis;
    AM_TRY(am_option_texts(options, "candidate_labels", true, arena, &labels));
    AM_TRY(am_option_text(options, "hypothesis_template", arena, "This is a photo of {}.", &pattern));
    am_text *texts = am_arena_array(arena, (size_t)labels.count, sizeof *texts);
    if (!texts) return am_out_of_memory();
    for (int64_t i = 0; i < labels.count; i++) {
        AM_TRY(am_fill_template(pattern, labels.items[i], arena, &hypothesis));
        texts[i] = (am_text){hypothesis, strlen(hypothesis)};
    }
    AM_TRY(encode_labels(p, arena, texts, labels.count, &text));
    AM_TRY(am_run_for_output(p, inputs, keep_inputs(p, &text, image, inputs), "logits_per_image", &logits));
    if (logits.shape.rank != 2 || logits.shape.dims[1] != labels.count)
        return am_error(AM_INTERNAL, "logits_per_image is not [1, labels]");
    return am_append_fitting_labels(logits.data, &labels, is_siglip(p), arena, out);
}

static am_status run(am_pipeline *p, const am_task_input *input, am_json options, am_buffer *out)
{
    am_arena arena = {0};
    am_media_inputs image;
    AM_TRY(am_load_image(p, input, &image));
    am_status status = classify(p, &image, options, &arena, out);
    am_media_inputs_deinit(&image);
    am_arena_deinit(&arena);
    return status;
}

const am_task am_task_zero_shot_image_classification = {
    .name = "zero-shot-image-classification",
    .input = "image",
    .summary = "Says which of the given labels fit an image.",
    .parameters = "candidate_labels, hypothesis_template",
    .run = run,
};
