#include "tasks/vision.h"

static am_status run(am_pipeline *p, const am_task_input *input, am_json options, am_buffer *out)
{
    return am_run_vision(p, input, options, am_append_reconstruction, out);
}

const am_task am_task_image_to_image = {
    .name = "image-to-image",
    .input = "image",
    .summary = "Makes another picture of an image.",
    .parameters = "output",
    .run = run,
};
