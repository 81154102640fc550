#include "tasks/task.h"

#include "base/memory.h"
#include "media/feature_extractor.h"
#include "media/image_processor.h"

/* --- images --- */

am_status am_open_image(const am_task_input *input, am_image *out)
{
    AM_TRY(am_need_media(input, "an image"));
    return input->bytes ? am_image_decode(input->bytes, input->size_bytes, "the image", 0, out)
                        : am_image_open(input->path, 0, out);
}

am_status am_image_to_inputs(am_pipeline *p, const am_image *image, am_media_inputs *out)
{
    am_image_processor *processor;
    am_media_tensors made = {0};
    am_image_inputs inputs = {.images = image, .count = 1};
    *out = (am_media_inputs){0};
    AM_TRY(am_pipeline_image_processor(p, &processor));
    am_status status = am_image_processor_run(processor, &inputs, &made);
    const am_media_output *pixels = am_media_tensors_find(&made, "pixel_values");
    if (!status && !pixels) status = am_error(AM_UNSUPPORTED, "an image processor without pixel_values");
    if (!status) {
        out->inputs[out->count++] = (am_session_input){"pixel_values", pixels->tensors[0]};
        out->owned[0] = pixels->tensors[0].data;
        pixels->tensors[0].data = NULL;
    }
    am_media_tensors_deinit(&made);
    return status;
}

am_status am_load_image(am_pipeline *p, const am_task_input *input, am_media_inputs *out)
{
    am_image image = {0};
    *out = (am_media_inputs){0};
    am_status status = am_open_image(input, &image);
    if (!status) status = am_image_to_inputs(p, &image, out);
    am_image_deinit(&image);
    return status;
}

/* --- sounds --- */

static am_status open_sound(const am_task_input *input, int rate, am_audio *out)
{
    AM_TRY(am_need_media(input, "a sound"));
    if (!input->bytes) return am_audio_load(input->path, rate, NULL, out);
    AM_TRY(am_audio_decode(input->bytes, input->size_bytes, "the sound", NULL, out));
    am_audio_mix_down(out);
    return am_audio_resample(out, rate, NULL);
}

am_status am_load_samples(am_pipeline *p, const am_task_input *input, am_audio *samples)
{
    am_feature_extractor *extractor;
    *samples = (am_audio){0};
    AM_TRY(am_pipeline_feature_extractor(p, &extractor));
    am_status status = open_sound(input, (int)extractor->sampling_rate, samples);
    if (status) am_audio_deinit(samples);
    return status;
}

am_status am_sound_inputs(am_pipeline *p, const am_audio *samples, const am_feature_options *options,
                          am_media_inputs *out)
{
    am_feature_extractor *extractor;
    am_features features = {0};
    *out = (am_media_inputs){0};
    AM_TRY(am_pipeline_feature_extractor(p, &extractor));
    AM_TRY(am_feature_extractor_run(extractor, samples, 1, options, &features));
    for (; out->count < features.count; out->count++) {
        const am_feature *feature = &features.items[out->count];
        out->inputs[out->count] = (am_session_input){feature->name, feature->tensor};
        out->owned[out->count] = feature->tensor.data;
    }
    return NULL;
}

am_status am_load_sound(am_pipeline *p, const am_task_input *input, am_media_inputs *out)
{
    am_audio samples;
    *out = (am_media_inputs){0};
    AM_TRY(am_load_samples(p, input, &samples));
    am_status status = am_sound_inputs(p, &samples, NULL, out);
    am_audio_deinit(&samples);
    return status;
}

void am_media_inputs_deinit(am_media_inputs *m)
{
    for (int i = 0; i < AM_FEATURES_LIMIT; i++) am_free_aligned(m->owned[i]);
    *m = (am_media_inputs){0};
}
