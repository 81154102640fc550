#include "tasks/vision.h"

static am_status run(am_pipeline *p, const am_task_input *input, am_json options, am_buffer *out)
{
    return am_run_vision(p, input, options, am_append_detections, out);
}

const am_task am_task_object_detection = {
    .name = "object-detection",
    .input = "image",
    .summary = "Finds objects in an image and says where they are.",
    .parameters = "threshold, output",
    .run = run,
};
