#include "tasks/answers.h"

#include "base/memory.h"

#include <string.h>

typedef struct job {
    const am_tokenizer *tokenizer;
    am_arena arena;
    const int32_t *ids; /* [length] */
    int64_t length;
    am_json options;
    int64_t *masks; /* places of mask tokens */
    int64_t mask_count;
    bool *wanted; /* by token: among the targets; null: all are */
    int64_t target_count;
} job;

static am_status find_masks(job *j)
{
    int32_t mask = am_tokenizer_special_id(j->tokenizer, "mask_token");
    if (mask < 0) return am_error(AM_INVALID_ARGUMENT, "the tokenizer has no mask_token");
    j->masks = am_arena_array(&j->arena, (size_t)j->length, sizeof *j->masks);
    if (!j->masks) return am_out_of_memory();
    for (int64_t i = 0; i < j->length; i++)
        if (j->ids[i] == mask) j->masks[j->mask_count++] = i;
    if (j->mask_count) return NULL;
    return am_error(AM_INVALID_ARGUMENT, "there is no mask_token (%s) in the text",
                    am_tokenizer_special_token(j->tokenizer, "mask_token").bytes);
}

/* A target that is no token stands for the first token of its text, as in transformers; one that has none is
 * passed over. */
static am_status target_id(const job *j, const char *text, int32_t *out)
{
    am_text target = {text, strlen(text)};
    am_encoding encoding = {0};
    am_encode_options options = {0};
    *out = am_tokenizer_token_to_id(j->tokenizer, target);
    if (*out >= 0) return NULL;
    AM_TRY(am_tokenizer_encode(j->tokenizer, target, NULL, &options, &encoding));
    if (encoding.count) *out = encoding.ids[0];
    am_encoding_deinit(&encoding);
    return NULL;
}

static am_status find_targets(job *j, int64_t vocab)
{
    am_texts targets;
    if (am_json_kind_of(am_json_get(j->options, "targets")) <= AM_JSON_NULL) return NULL;
    AM_TRY(am_option_texts(j->options, "targets", false, &j->arena, &targets));
    j->wanted = am_arena_array(&j->arena, (size_t)vocab, sizeof *j->wanted);
    if (!j->wanted) return am_out_of_memory();
    for (int64_t i = 0; i < targets.count; i++) {
        int32_t id;
        AM_TRY(target_id(j, targets.items[i], &id));
        if (id < 0 || id >= vocab || j->wanted[id]) continue;
        j->wanted[id] = true;
        j->target_count++;
    }
    return j->target_count ? NULL
                           : am_error(AM_INVALID_ARGUMENT, "option targets: none of them is a token of this model");
}

static am_status append_decoded(const job *j, const int32_t *ids, size_t count, bool skip_special, am_buffer *out)
{
    am_decode_options options = AM_DECODE_OPTIONS;
    char *text;
    size_t length;
    options.skip_special_tokens = skip_special;
    AM_TRY(am_tokenizer_decode(j->tokenizer, ids, count, &options, &text, &length));
    am_buffer_append_json_string(out, text, length);
    am_free(text);
    return NULL;
}

static am_status append_sequence(const job *j, int64_t mask, int32_t token, am_buffer *out)
{
    int32_t pad = am_tokenizer_special_id(j->tokenizer, "pad_token");
    int32_t *ids = am_alloc_zeroed((size_t)j->length, sizeof *ids);
    size_t count = 0;
    if (!ids) return am_out_of_memory();
    for (int64_t i = 0; i < j->length; i++) {
        int32_t id = i == mask ? token : j->ids[i];
        if (id != pad || pad < 0) ids[count++] = id;
    }
    am_status status = append_decoded(j, ids, count, j->mask_count == 1, out);
    am_free(ids);
    return status;
}

static am_status append_proposals(const job *j, int64_t mask, const am_score *scores, int64_t count, int64_t top_k,
                                  am_buffer *out)
{
    int64_t written = 0;
    am_buffer_append_char(out, '[');
    for (int64_t i = 0; i < count && written < top_k; i++) {
        int32_t token = (int32_t)scores[i].id;
        if (j->wanted && !j->wanted[token]) continue;
        am_buffer_append_string(out, written++ ? ", {\"score\": " : "{\"score\": ");
        am_append_float(out, (float)scores[i].score);
        am_buffer_printf(out, ", \"token\": %d, \"token_str\": ", token);
        AM_TRY(append_decoded(j, &token, 1, false, out));
        am_buffer_append_string(out, ", \"sequence\": ");
        AM_TRY(append_sequence(j, mask, token, out));
        am_buffer_append_char(out, '}');
    }
    am_buffer_append_char(out, ']');
    return NULL;
}

static am_status append_masks(job *j, const am_tensor *logits, am_buffer *out)
{
    int64_t vocab = logits->shape.dims[2], top_k;
    AM_TRY(find_targets(j, vocab));
    AM_TRY(am_option_top_k(j->options, 5, j->wanted ? j->target_count : vocab, &top_k));
    am_score *scores = am_arena_array(&j->arena, (size_t)vocab, sizeof *scores);
    if (!scores) return am_out_of_memory();
    if (j->mask_count > 1) am_buffer_append_char(out, '[');
    for (int64_t i = 0; i < j->mask_count; i++) {
        if (i) am_buffer_append_string(out, ", ");
        am_scores_softmax((const float *)logits->data + j->masks[i] * vocab, vocab, 0, scores);
        AM_TRY(append_proposals(j, j->masks[i], scores, vocab, top_k, out));
    }
    if (j->mask_count > 1) am_buffer_append_char(out, ']');
    return NULL;
}

am_status am_append_masks(const am_tokenizer *tokenizer, const int32_t *ids, int64_t length, const am_tensor *logits,
                          am_json options, am_buffer *out)
{
    job j = {.tokenizer = tokenizer, .ids = ids, .length = length, .options = options};
    am_status status = find_masks(&j);
    if (!status) status = append_masks(&j, logits, out);
    am_arena_deinit(&j.arena);
    return status;
}

static am_status fill(am_pipeline *p, const am_task_input *input, job *j, am_buffer *out)
{
    am_tokenizer *tokenizer;
    am_text_inputs inputs;
    am_tensor logits;
    AM_TRY(am_pipeline_tokenizer(p, &tokenizer));
    AM_TRY(am_check_option(j->options, "truncation", AM_JSON_BOOL));
    bool truncate = am_json_bool(am_json_get(j->options, "truncation"), false);
    AM_TRY(am_encode_text(p, &j->arena, input->text, NULL, truncate, &inputs));
    j->tokenizer = tokenizer;
    j->ids = inputs.ids;
    j->length = inputs.length;
    AM_TRY(find_masks(j));
    AM_TRY(am_run_for_output(p, inputs.inputs, inputs.count, "logits", &logits));
    return append_masks(j, &logits, out);
}

static am_status run(am_pipeline *p, const am_task_input *input, am_json options, am_buffer *out)
{
    job j = {.options = options};
    AM_TRY(am_need_text(input));
    am_status status = fill(p, input, &j, out);
    am_arena_deinit(&j.arena);
    return status;
}

const am_task am_task_fill_mask = {
    .name = "fill-mask",
    .input = "text",
    .summary = "Proposes tokens for the masked place of a text.",
    .parameters = "top_k, targets, truncation",
    .run = run,
};
