/* VibeVoiceAcousticTokenizerFeatureExtractor: samples brought to a level of target_dB_FS, padded to a multiple. */
#include "media/extractors/extractor.h"

#include <math.h>

static void set_level(const am_feature_extractor *e, float *samples, int64_t length)
{
    double squares = 0.0, epsilon = am_feature_setting_real(e, "eps"), loudest = 0.0;
    for (int64_t t = 0; t < length; t++) squares += (double)samples[t] * (double)samples[t];
    double level = pow(10.0, am_feature_setting_real(e, "target_dB_FS") / 20.0);
    float scale = (float)(level / (sqrt(squares / (double)length) + epsilon));
    for (int64_t t = 0; t < length; t++) {
        samples[t] *= scale;
        loudest = fmax(loudest, fabs((double)samples[t]));
    }
    for (int64_t t = 0; t < length && loudest > 1.0; t++) samples[t] /= (float)(loudest + epsilon);
}

static am_status run_vibevoice(am_feature_run *run)
{
    const am_feature_extractor *e = run->extractor;
    am_feature_options *o = &run->options;
    am_sequences sounds;
    am_padded padded;
    if (!o->pad_to_multiple_of) o->pad_to_multiple_of = am_feature_setting_int(e, "pad_to_multiple_of");
    AM_TRY(am_sequences_copy_sounds(run, &sounds));
    for (int64_t i = 0; i < sounds.count && am_feature_setting_bool(e, "normalize_audio"); i++)
        set_level(e, sounds.places[i], sounds.lengths[i]);
    AM_TRY(am_sequences_pad(run, &sounds, o, e->padding_value, &padded));
    AM_TRY(am_feature_add_channels(run, "input_values", &padded));
    if (!am_feature_wants_mask(run)) return NULL;
    return am_feature_add_mask(run, "padding_mask", AM_I32, &padded, &am_all_columns);
}

const am_feature_class am_feature_class_vibevoice_acoustic_tokenizer = {
    .name = "VibeVoiceAcousticTokenizerFeatureExtractor",
    .defaults = "{\"feature_size\": 1, \"sampling_rate\": 24000, \"padding_value\": 0.0, \"normalize_audio\": true, "
                "\"target_dB_FS\": -25.0, \"eps\": 1e-6, \"pad_to_multiple_of\": 3200}",
    .call = {.padding = AM_PADDING_LONGEST, .return_attention_mask = AM_CHOICE_YES},
    .models = {"vibevoice", "vibevoice_acoustic_tokenizer", "vibevoice_asr"},
    .run = run_vibevoice,
};
