#include "tasks/vision.h"

static am_status run(am_pipeline *p, const am_task_input *input, am_json options, am_buffer *out)
{
    return am_run_vision(p, input, options, am_append_segments, out);
}

const am_task am_task_image_segmentation = {
    .name = "image-segmentation",
    .input = "image",
    .summary = "Says which pixels of an image show what.",
    .parameters = "subtask, threshold, mask_threshold, overlap_mask_area_threshold, output",
    .run = run,
};
