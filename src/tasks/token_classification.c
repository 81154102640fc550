#include "tasks/answers.h"

/* `stride`: tokens that windows share; -1: there is one window, and what is behind it is cut off. */
static am_status read_stride(am_pipeline *p, const am_tokenizer *tokenizer, am_json options, int64_t *out)
{
    int64_t limit = am_pipeline_context_length(p);
    AM_TRY(am_check_option(options, "stride", AM_JSON_INTEGER));
    *out = am_json_int(am_json_get(options, "stride"), -1);
    if (am_json_kind_of(am_json_get(options, "stride")) <= AM_JSON_NULL) return NULL;
    if (*out < 0 || *out >= limit || *out > UINT32_MAX)
        return am_error(AM_INVALID_ARGUMENT, "option stride: expected 0 or more and less than %lld tokens, found %lld",
                        (long long)limit, (long long)*out);
    if (am_json_equals(am_json_get(options, "aggregation_strategy"), "none"))
        return am_error(AM_INVALID_ARGUMENT, "option stride: windows need an aggregation_strategy other than none");
    if (am_tokenizer_is_fast(tokenizer)) return NULL;
    return am_error(AM_UNSUPPORTED, "option stride: the tokenizer %s gives one window only",
                    am_tokenizer_class(tokenizer));
}

static am_status encode(am_pipeline *p, const am_entities *entities, int64_t stride, am_encoding *out)
{
    am_encode_options options = AM_ENCODE_OPTIONS;
    int64_t limit = am_pipeline_context_length(p);
    if (limit < INT64_MAX) {
        options.truncation = AM_TRUNCATE_LONGEST_FIRST;
        options.max_length = (uint64_t)limit;
        options.stride = stride > 0 ? (uint32_t)stride : 0;
    }
    return am_entities_encode(entities, &options, out);
}

static am_status classify_window(am_pipeline *p, const am_tokenizer *tokenizer, const am_encoding *window,
                                 am_entities *entities)
{
    am_arena arena = {0};
    am_text_inputs inputs;
    am_tensor logits;
    am_status status = am_inputs_of_encodings(tokenizer, &arena, window, 1, &inputs);
    if (!status) status = am_run_for_labels(p, inputs.inputs, inputs.count, 3, &logits);
    if (!status && logits.shape.dims[1] != inputs.length)
        status = am_error(AM_UNSUPPORTED, "class %s gives no logits of each token", p->model->architecture->name);
    if (!status) status = am_entities_add(entities, window, &logits);
    am_arena_deinit(&arena);
    return status;
}

static am_status classify(am_pipeline *p, const am_tokenizer *tokenizer, am_entities *entities, int64_t stride)
{
    am_encoding first = {0};
    AM_TRY(encode(p, entities, stride, &first));
    am_status status = classify_window(p, tokenizer, &first, entities);
    for (size_t i = 0; stride >= 0 && i < first.overflowing_count && !status; i++)
        status = classify_window(p, tokenizer, &first.overflowing[i], entities);
    am_encoding_deinit(&first);
    return status;
}

static am_status run(am_pipeline *p, const am_task_input *input, am_json options, am_buffer *out)
{
    am_tokenizer *tokenizer;
    am_entities *entities;
    int64_t stride;
    AM_TRY(am_need_text(input));
    AM_TRY(am_pipeline_tokenizer(p, &tokenizer));
    AM_TRY(read_stride(p, tokenizer, options, &stride));
    AM_TRY(am_entities_create(tokenizer, input->text, am_pipeline_config(p)->object, options, &entities));
    am_status status = classify(p, tokenizer, entities, stride);
    if (!status) am_entities_append(entities, out);
    am_entities_destroy(entities);
    return status;
}

const am_task am_task_token_classification = {
    .name = "token-classification",
    .input = "text",
    .summary = "Labels the tokens of a text, or its words and names.",
    .parameters = "aggregation_strategy, ignore_labels, stride, is_split_into_words, delimiter, offset_mapping",
    .run = run,
};
