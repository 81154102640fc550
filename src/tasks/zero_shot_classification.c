#include "tasks/answers.h"

#include "text/tokenizer.h"

#include <math.h>
#include <string.h>
#include <strings.h>

/* The id of the label that starts with "entail", in the order of label2id, or else of id2label; -1: the last.
 */
static int64_t entailment_id(am_json config)
{
    for (am_json_iterator i = am_json_iterate(am_json_get(config, "label2id")); am_json_next(&i);)
        if (strncasecmp(i.key.bytes, "entail", 6) == 0) return am_json_int(i.value, -1);
    int64_t id = 0;
    for (am_json_iterator i = am_json_iterate(am_json_get(config, "id2label")); am_json_next(&i); id++)
        if (strncasecmp(am_json_text(i.value).bytes, "entail", 6) == 0) return id;
    return -1;
}

/* The text alone is cut, so that the hypothesis stays whole. */
static am_status encode(am_pipeline *p, am_arena *arena, const char *text, const char *hypothesis, am_text_inputs *out)
{
    am_tokenizer *tokenizer;
    am_encoding encoding = {0};
    am_encode_options options = AM_ENCODE_OPTIONS;
    am_text pair = {hypothesis, strlen(hypothesis)};
    int64_t limit = am_pipeline_context_length(p);
    AM_TRY(am_pipeline_tokenizer(p, &tokenizer));
    if (limit < INT64_MAX) {
        options.truncation = AM_TRUNCATE_ONLY_FIRST;
        options.max_length = (uint64_t)limit;
    }
    am_status status = am_tokenizer_encode(tokenizer, (am_text){text, strlen(text)}, &pair, &options, &encoding);
    if (!status) status = am_inputs_of_encodings(tokenizer, arena, &encoding, 1, out);
    am_encoding_deinit(&encoding);
    return status;
}

am_entailment am_entailment_of(am_json config, const float *logits, int64_t labels)
{
    int64_t id = entailment_id(config);
    if (id < 0 || id >= labels) id = labels - 1;
    return (am_entailment){.holds = logits[id], .contradicts = logits[id == 0 ? labels - 1 : 0]};
}

static am_status judge(am_pipeline *p, const char *text, const char *hypothesis, am_entailment *out)
{
    am_arena arena = {0};
    am_text_inputs inputs;
    am_tensor logits;
    am_status status = encode(p, &arena, text, hypothesis, &inputs);
    if (!status) status = am_run_for_labels(p, inputs.inputs, inputs.count, 2, &logits);
    am_arena_deinit(&arena);
    if (status) return status;
    *out = am_entailment_of(am_pipeline_config(p)->object, logits.data, logits.shape.dims[1]);
    return NULL;
}

static void score_labels(const am_entailment *found, int64_t count, bool multi_label, am_score *out)
{
    double total = 0, largest = -INFINITY;
    for (int64_t i = 0; i < count; i++) largest = fmax(largest, (double)found[i].holds);
    for (int64_t i = 0; i < count; i++) total += exp((double)found[i].holds - largest);
    for (int64_t i = 0; i < count; i++) {
        double alone = 1 / (1 + exp((double)found[i].contradicts - (double)found[i].holds));
        out[i] = (am_score){i, multi_label || count == 1 ? alone : exp((double)found[i].holds - largest) / total};
    }
    for (int64_t i = 1; i < count; i++) /* few labels; equal scores come last first, as reversed(argsort) has them */
        for (int64_t k = i; k > 0 && out[k].score >= out[k - 1].score; k--) {
            am_score swapped = out[k];
            out[k] = out[k - 1];
            out[k - 1] = swapped;
        }
}

am_status am_append_entailments(const char *text, const am_texts *labels, const am_entailment *found, am_json options,
                                am_arena *arena, am_buffer *out)
{
    am_score *scores = am_arena_array(arena, (size_t)labels->count, sizeof *scores);
    AM_TRY(am_check_option(options, "multi_label", AM_JSON_BOOL));
    if (!scores) return am_out_of_memory();
    score_labels(found, labels->count, am_json_bool(am_json_get(options, "multi_label"), false), scores);
    am_buffer_append_string(out, "{\"sequence\": ");
    am_buffer_append_json_string(out, text, strlen(text));
    am_buffer_append_string(out, ", \"labels\": [");
    for (int64_t i = 0; i < labels->count; i++) {
        const char *label = labels->items[scores[i].id];
        if (i) am_buffer_append_string(out, ", ");
        am_buffer_append_json_string(out, label, strlen(label));
    }
    am_buffer_append_string(out, "], \"scores\": [");
    for (int64_t i = 0; i < labels->count; i++) {
        if (i) am_buffer_append_string(out, ", ");
        am_append_float(out, (float)scores[i].score);
    }
    am_buffer_append_string(out, "]}");
    return NULL;
}

static am_status classify(am_pipeline *p, const char *text, am_json options, am_arena *arena, am_buffer *out)
{
    am_texts labels;
    const char *pattern, *hypothesis;
    AM_TRY(am_option_texts(options, "candidate_labels", true, arena, &labels));
    AM_TRY(am_option_text(options, "hypothesis_template", arena, "This example is {}.", &pattern));
    am_entailment *found = am_arena_array(arena, (size_t)labels.count, sizeof *found);
    if (!found) return am_out_of_memory();
    for (int64_t i = 0; i < labels.count; i++) {
        AM_TRY(am_fill_template(pattern, labels.items[i], arena, &hypothesis));
        AM_TRY(judge(p, text, hypothesis, &found[i]));
    }
    return am_append_entailments(text, &labels, found, options, arena, out);
}

static am_status run(am_pipeline *p, const am_task_input *input, am_json options, am_buffer *out)
{
    am_arena arena = {0};
    AM_TRY(am_need_text(input));
    am_status status = classify(p, input->text, options, &arena, out);
    am_arena_deinit(&arena);
    return status;
}

const am_task am_task_zero_shot_classification = {
    .name = "zero-shot-classification",
    .input = "text",
    .summary = "Says which of the given labels fit a text, by a model of entailment.",
    .parameters = "candidate_labels, hypothesis_template, multi_label",
    .run = run,
};
