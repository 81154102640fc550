#include "tasks/vision.h"

static am_status run(am_pipeline *p, const am_task_input *input, am_json options, am_buffer *out)
{
    return am_run_vision(p, input, options, am_append_depth, out);
}

const am_task am_task_depth_estimation = {
    .name = "depth-estimation",
    .input = "image",
    .summary = "Says how far away each pixel of an image is.",
    .parameters = "output",
    .run = run,
};
