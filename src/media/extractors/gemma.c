#include "media/extractors/gemma.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

static am_spectrum_recipe recipe_of(const am_feature_extractor *e)
{
    double rate = (double)e->sampling_rate;
    int64_t frame = (int64_t)nearbyint(rate * am_feature_setting_real(e, "frame_length_ms") / 1000.0);
    int64_t fft = am_optimal_fft_length(frame);
    return (am_spectrum_recipe){
        .frame_length = frame,
        .hop_length = (int64_t)nearbyint(rate * am_feature_setting_real(e, "hop_length_ms") / 1000.0),
        .fft_length = am_feature_setting_bool(e, "fft_overdrive") ? 2 * fft : fft,
        .window = AM_WINDOW_HANN,
        .magnitude = true,
        .preemphasis = am_feature_setting_real(e, "preemphasis"),
        .mels = {.num_filters = e->feature_size,
                 .min_hertz = am_feature_setting_real(e, "min_frequency"),
                 .max_hertz = am_feature_setting_real(e, "max_frequency"),
                 .scale = AM_MEL_HTK},
    };
}

/* `before` zeros in front, and all scaled by input_scale_factor. */
static am_status prepare(am_feature_run *run, int64_t before, am_padded *p)
{
    float scale = (float)am_feature_setting_real(run->extractor, "input_scale_factor");
    am_padded out = *p;
    out.length += before;
    out.values = am_arena_array(&run->arena, (size_t)(p->count * out.length), sizeof *out.values);
    out.mask = am_arena_array(&run->arena, (size_t)(p->count * out.length), sizeof *out.mask);
    if (!out.values || !out.mask) return am_out_of_memory();
    for (int64_t i = 0; i < p->count; i++) {
        memcpy(out.mask + i * out.length + before, p->mask + i * p->length, (size_t)p->length * sizeof *p->mask);
        for (int64_t t = 0; t < p->length; t++)
            out.values[i * out.length + before + t] = p->values[i * p->length + t] * scale;
    }
    *p = out;
    return NULL;
}

/* Without HTK's flavour the first sample of a frame is pre-emphasized by the one before it too, and a frame lies a
   sample later: which is the same as doing so with the whole sound. Else by itself, frame by frame. The last sample is
   left out. */
static am_status drop_last(am_feature_run *run, double preemphasis, const am_padded *p, am_padded *out)
{
    *out = (am_padded){.count = p->count, .length = p->length > 0 ? p->length - 1 : 0, .width = 1};
    out->values = am_arena_array(&run->arena, (size_t)(out->count * out->length), sizeof *out->values);
    if (!out->values) return am_out_of_memory();
    for (int64_t i = 0; i < p->count; i++) {
        const float *from = p->values + i * p->length;
        for (int64_t t = 0; t < out->length; t++)
            out->values[i * out->length + t] = preemphasis > 0.0 ? from[t + 1] - (float)preemphasis * from[t] : from[t];
    }
    return NULL;
}

am_status am_gemma_frames_of(am_feature_run *run, bool half_frame_before, am_gemma_frames *out)
{
    const am_feature_extractor *e = run->extractor;
    am_spectrum_recipe recipe = recipe_of(e);
    am_sequences sounds;
    am_padded samples;
    bool whole = recipe.preemphasis > 0.0 && !am_feature_setting_bool(e, "preemphasis_htk_flavor");
    *out = (am_gemma_frames){.frame_length = recipe.frame_length, .hop_length = recipe.hop_length};
    if (recipe.frame_length < 1 || recipe.hop_length < 1)
        return am_error(AM_INVALID_FILE, "frame_length_ms and hop_length_ms: less than a sample");
    AM_TRY(am_sequences_of_sounds(run, &sounds));
    AM_TRY(am_sequences_pad(run, &sounds, &run->options, e->padding_value, &out->padded));
    AM_TRY(prepare(run, half_frame_before ? recipe.frame_length / 2 : 0, &out->padded));
    AM_TRY(drop_last(run, whole ? recipe.preemphasis : 0.0, &out->padded, &samples));
    if (whole) recipe.preemphasis = 0.0;
    out->mels = (am_spectra){.count = samples.count, .rows = e->feature_size};
    return samples.length < recipe.frame_length ? NULL : am_spectra_of(run, &recipe, &samples, &out->mels);
}

am_status am_gemma_standardize(const am_feature_run *run, am_spectra *spectra)
{
    static const char *const names[] = {"per_bin_mean", "per_bin_stddev"};
    for (int k = 0; k < 2; k++) {
        am_json list = am_feature_setting(run->extractor, names[k]);
        if (am_json_kind_of(list) != AM_JSON_ARRAY) continue;
        if (am_json_count(list) != (size_t)spectra->rows)
            return am_error(AM_INVALID_FILE, "%s: %zu numbers, expected %" PRId64, names[k], am_json_count(list),
                            spectra->rows);
        if (spectra->frames == 0) continue; /* a sound too short for one: there are no values */
        int64_t m = 0;
        for (am_json_iterator i = am_json_iterate(list); am_json_next(&i); m++) {
            double number = am_json_real(i.value, 0.0);
            for (int64_t b = 0; b < spectra->count; b++) {
                double *row = spectra->values + (b * spectra->rows + m) * spectra->frames;
                for (int64_t t = 0; t < spectra->frames; t++) row[t] = k ? row[t] / number : row[t] - number;
            }
        }
    }
    return NULL;
}
