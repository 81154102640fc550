#include "tasks/task.h"

static am_status run(am_pipeline *p, const am_task_input *input, am_json options, am_buffer *out)
{
    am_media_inputs inputs;
    am_tensor logits;
    AM_TRY(am_load_sound(p, input, &inputs));
    am_status status = am_run_for_labels(p, inputs.inputs, inputs.count, 2, &logits);
    if (!status)
        status = am_append_classification(am_pipeline_config(p)->object, &logits, options, &am_sound_classes, out);
    am_media_inputs_deinit(&inputs);
    return status;
}

const am_task am_task_audio_classification = {
    .name = "audio-classification",
    .input = "sound",
    .summary = "Labels a sound.",
    .parameters = "top_k, function_to_apply",
    .run = run,
};
