/* PocketTTSFeatureExtractor: samples up to the last that is loud, faded out, with a pause behind it. */
#include "media/extractors/extractor.h"

#include <math.h>
#include <string.h>

/* Samples up to the end of the last analysis frame that is louder than silence_floor_db below the loudest. */
static int64_t loud_end(const am_feature_extractor *e, const float *samples, int64_t frame, int64_t frames)
{
    double loudest = -INFINITY, last = 0.0;
    int64_t end = 0;
    for (int pass = 0; pass < 2; pass++) {
        for (int64_t i = 0; i < frames; i++) {
            double squares = 0.0;
            for (int64_t t = i * frame; t < (i + 1) * frame; t++) squares += (double)samples[t] * (double)samples[t];
            double level = 20.0 * log10(sqrt(squares / (double)frame) + 1e-12);
            if (!pass) loudest = fmax(loudest, level);
            else if (level > loudest - last) end = (i + 1) * frame;
        }
        last = am_feature_setting_real(e, "silence_floor_db");
    }
    return end;
}

static am_status end_on_pause(am_feature_run *run, const am_audio *sound, am_sequences *out, int64_t i)
{
    const am_feature_extractor *e = run->extractor;
    double rate = (double)e->sampling_rate;
    int64_t frame = (int64_t)(am_feature_setting_real(e, "analysis_frame_duration") * rate);
    if (frame < 1) frame = 1;
    int64_t end = loud_end(e, sound->samples, frame, sound->frames / frame);
    int64_t fade = (int64_t)(am_feature_setting_real(e, "fade_out_duration") * rate);
    int64_t pause = (int64_t)(am_feature_setting_real(e, "pause_duration") * rate);
    if (sound->frames < frame) {
        end = sound->frames;
        fade = pause = 0;
    }
    if (fade > end) fade = end;
    AM_TRY(am_sequences_add(run, out, i, end + pause));
    memcpy(out->places[i], sound->samples, (size_t)end * sizeof(float));
    for (int64_t t = 0; t < fade; t++)
        out->places[i][end - fade + t] *= (float)(fade > 1 ? 1.0 - (double)t / (double)(fade - 1) : 1.0);
    return NULL;
}

static am_status run_pocket_tts(am_feature_run *run)
{
    const am_feature_extractor *e = run->extractor;
    am_feature_options *o = &run->options;
    am_sequences sounds;
    am_padded padded;
    if (!o->pad_to_multiple_of) o->pad_to_multiple_of = am_feature_setting_int(e, "pad_to_multiple_of");
    AM_TRY(am_sequences_of_sounds(run, &sounds));
    bool ends = am_feature_argument_bool(run, "end_on_pause", am_feature_setting_bool(e, "end_on_pause"));
    for (int64_t i = 0; i < run->count && ends; i++) AM_TRY(end_on_pause(run, &run->sounds[i], &sounds, i));
    AM_TRY(am_sequences_pad(run, &sounds, o, e->padding_value, &padded));
    AM_TRY(am_feature_add_channels(run, "input_values", &padded));
    if (!am_feature_wants_mask(run)) return NULL;
    return am_feature_add_mask(run, "padding_mask", AM_I32, &padded, &am_all_columns);
}

const am_feature_class am_feature_class_pocket_tts = {
    .name = "PocketTTSFeatureExtractor",
    .defaults = "{\"feature_size\": 1, \"sampling_rate\": 24000, \"padding_value\": 0.0, \"frame_size\": 1920, "
                "\"pad_to_multiple_of\": 1920, \"end_on_pause\": true, \"pause_duration\": 0.08, "
                "\"fade_out_duration\": 0.02, \"silence_floor_db\": 35.0, \"analysis_frame_duration\": 0.02}",
    .call = {.padding = AM_PADDING_LONGEST, .return_attention_mask = AM_CHOICE_YES},
    .arguments = {"end_on_pause"},
    .models = {"gradium_phonon_tts", "pocket_tts"},
    .run = run_pocket_tts,
};
