#include "tasks/task.h"

static am_status run(am_pipeline *p, const am_task_input *input, am_json options, am_buffer *out)
{
    am_arena arena = {0};
    am_text_inputs inputs;
    am_tensor states;
    AM_TRY(am_need_text(input));
    AM_TRY(am_check_option(options, "truncation", AM_JSON_BOOL));
    bool truncate = am_json_bool(am_json_get(options, "truncation"), false);
    am_status status = am_encode_text(p, &arena, input->text, input->text_pair, truncate, &inputs);
    if (!status) status = am_run_base(p, inputs.inputs, inputs.count, NULL, &states);
    if (!status) am_append_tensor(out, &states);
    am_arena_deinit(&arena);
    return status;
}

const am_task am_task_feature_extraction = {
    .name = "feature-extraction",
    .input = "text",
    .summary = "Gives the vectors of a text's tokens.",
    .parameters = "truncation",
    .run = run,
};
