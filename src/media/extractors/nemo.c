#include "media/extractors/nemo.h"

#include "media/extractors/torch_sum.h"

#include <math.h>

am_status am_nemo_pad(am_feature_run *run, const am_sequences *sounds, am_nemo_waves *out)
{
    am_feature_options *o = &run->options;
    AM_TRY(am_sequences_pad(run, sounds, o, run->extractor->padding_value, &out->padded));
    out->lengths = sounds->lengths;
    return NULL;
}

void am_nemo_preemphasize(double preemphasis, am_nemo_waves *waves)
{
    const am_padded *p = &waves->padded;
    for (int64_t i = 0; i < p->count; i++) {
        float *row = p->values + i * p->length;
        for (int64_t t = p->length - 1; t > 0; t--)
            row[t] = t < waves->lengths[i] ? row[t] - (float)preemphasis * row[t - 1] : 0.0f;
    }
}

am_spectrum_recipe am_nemo_recipe(const am_feature_extractor *extractor)
{
    return (am_spectrum_recipe){
        .frame_length = am_feature_setting_int(extractor, "n_fft"),
        .hop_length = am_feature_setting_int(extractor, "hop_length"),
        .window_length = am_feature_setting_int(extractor, "win_length"),
        .window = AM_WINDOW_HANN,
        .symmetric = true,
        .center = true,
        .pad_mode = AM_PAD_CONSTANT,
        .mels = {.num_filters = extractor->feature_size,
                 .max_hertz = (double)extractor->sampling_rate / 2.0,
                 .scale = AM_MEL_SLANEY,
                 .slaney_norm = true},
    };
}

void am_nemo_logarithm(am_spectra *spectra)
{
    for (int64_t k = 0; k < spectra->count * spectra->rows * spectra->frames; k++)
        spectra->values[k] = (double)logf((float)(spectra->values[k] + 0x1p-24));
}

/* values and scratch: [frames] */
static void normalize_row(double *values, float *scratch, int64_t frames, int64_t used)
{
    for (int64_t t = 0; t < frames; t++) scratch[t] = t < used ? (float)values[t] : 0.0f;
    float mean = am_torch_sum(scratch, frames) / (float)used;
    for (int64_t t = 0; t < frames; t++) {
        float distance = scratch[t] - mean;
        scratch[t] = t < used ? distance * distance : 0.0f;
    }
    float deviation = sqrtf(am_torch_sum(scratch, frames) / (float)(used - 1)) + 1e-5f;
    for (int64_t t = 0; t < frames; t++)
        values[t] = (double)(((float)values[t] - mean) / deviation * (t < used ? 1.0f : 0.0f));
}

static void normalize_with(am_spectra *s, const int64_t *lengths, float *scratch)
{
    for (int64_t row = 0; row < s->count * s->rows; row++)
        normalize_row(s->values + row * s->frames, scratch, s->frames, lengths[row / s->rows]);
}

am_status am_nemo_normalize(am_feature_run *run, am_spectra *spectra, const int64_t *lengths)
{
    float *scratch = am_arena_array(&run->arena, (size_t)spectra->frames, sizeof *scratch);
    if (!scratch) return am_out_of_memory();
    normalize_with(spectra, lengths, scratch);
    return NULL;
}

am_status am_nemo_frames(am_feature_run *run, const am_nemo_waves *waves, int64_t **out)
{
    int64_t fft = am_feature_setting_int(run->extractor, "n_fft"), around = fft / 2 * 2 - fft;
    *out = am_arena_array(&run->arena, (size_t)waves->padded.count, sizeof **out);
    if (!*out) return am_out_of_memory();
    for (int64_t i = 0; i < waves->padded.count; i++)
        (*out)[i] = (waves->lengths[i] + around) / am_feature_setting_int(run->extractor, "hop_length");
    return NULL;
}

am_status am_nemo_add(am_feature_run *run, const am_sequences *sounds,
                      am_status (*add_noise)(am_feature_run *run, am_nemo_waves *waves))
{
    am_nemo_waves waves;
    am_spectra spectra;
    am_spectrum_recipe recipe = am_nemo_recipe(run->extractor);
    int64_t *frames;
    AM_TRY(am_nemo_pad(run, sounds, &waves));
    if (add_noise) AM_TRY(add_noise(run, &waves));
    am_nemo_preemphasize(am_feature_setting_real(run->extractor, "preemphasis"), &waves);
    AM_TRY(am_spectra_of(run, &recipe, &waves.padded, &spectra));
    am_nemo_logarithm(&spectra);
    AM_TRY(am_nemo_frames(run, &waves, &frames));
    AM_TRY(am_nemo_normalize(run, &spectra, frames));
    AM_TRY(am_feature_add_frames(run, "input_features", &spectra, spectra.frames));
    return am_feature_add_lengths_mask(run, "attention_mask", AM_BOOL, frames, spectra.count, spectra.frames);
}
