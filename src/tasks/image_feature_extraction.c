#include "tasks/task.h"

static am_status run(am_pipeline *p, const am_task_input *input, am_json options, am_buffer *out)
{
    am_media_inputs inputs;
    am_tensor features;
    AM_TRY(am_check_option(options, "pool", AM_JSON_BOOL));
    bool pool = am_json_bool(am_json_get(options, "pool"), false);
    AM_TRY(am_load_image(p, input, &inputs));
    am_status status = am_run_base(p, inputs.inputs, inputs.count, pool ? "pooler_output" : NULL, &features);
    if (!status) am_append_tensor(out, &features);
    am_media_inputs_deinit(&inputs);
    return status;
}

const am_task am_task_image_feature_extraction = {
    .name = "image-feature-extraction",
    .input = "image",
    .summary = "Gives the vectors of an image's patches.",
    .parameters = "pool",
    .run = run,
};
