#include "tasks/task.h"

static am_status run(am_pipeline *p, const am_task_input *input, am_json options, am_buffer *out)
{
    am_arena arena = {0};
    am_text_inputs inputs;
    am_tensor logits;
    AM_TRY(am_need_text(input));
    AM_TRY(am_check_option(options, "truncation", AM_JSON_BOOL));
    am_classification kind = am_text_classes(options, input->text_pair != NULL);
    bool truncate = am_json_bool(am_json_get(options, "truncation"), false);
    am_status status = am_encode_text(p, &arena, input->text, input->text_pair, truncate, &inputs);
    if (!status) status = am_run_for_labels(p, inputs.inputs, inputs.count, 2, &logits);
    if (!status) status = am_append_classification(am_pipeline_config(p)->object, &logits, options, &kind, out);
    am_arena_deinit(&arena);
    return status;
}

const am_task am_task_text_classification = {
    .name = "text-classification",
    .input = "text",
    .summary = "Labels a text, or a pair of texts.",
    .parameters = "top_k, function_to_apply, truncation",
    .run = run,
};
