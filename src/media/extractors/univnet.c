/* UnivNetFeatureExtractor: log-mel amplitudes for a vocoder, and the noise that it starts from. */
#include "media/extractors/extractor.h"

#include "base/torch_random.h"
#include "tensor/shape.h"

#include <math.h>
#include <string.h>

/* pad_end: pad_length hops of padding behind each sound. */
static am_status waves_of(am_feature_run *run, int64_t hop, am_sequences *out)
{
    const am_feature_extractor *e = run->extractor;
    int64_t more = am_feature_argument_int(run, "pad_length", am_feature_setting_int(e, "pad_end_length")) * hop;
    AM_TRY(am_sequences_of_sounds(run, out));
    if (!am_feature_argument_bool(run, "pad_end", false)) return NULL;
    if (more < 0 || more > 1 << 28) return am_error(AM_INVALID_ARGUMENT, "pad_length: expected 0 to 2^28 samples");
    for (int64_t i = 0; i < out->count; i++) {
        const am_audio *sound = &run->sounds[i];
        AM_TRY(am_sequences_add(run, out, i, sound->frames + more));
        memcpy(out->places[i], sound->samples, (size_t)sound->frames * sizeof(float));
        for (int64_t t = 0; t < more; t++) out->places[i][sound->frames + t] = (float)e->padding_value;
    }
    return NULL;
}

/* Half of what a frame is longer than a hop is reflected at both ends. */
static am_status reflect(am_feature_run *run, int64_t around, am_padded *p)
{
    am_padded out = *p;
    int64_t period = p->length > 1 ? 2 * (p->length - 1) : 1;
    out.length += 2 * around;
    out.values = am_arena_array(&run->arena, (size_t)(p->count * out.length), sizeof *out.values);
    if (!out.values) return am_out_of_memory();
    for (int64_t i = 0; i < p->count; i++) {
        for (int64_t t = 0; t < out.length; t++) {
            int64_t folded = ((t - around) % period + period) % period;
            out.values[i * out.length + t] = p->values[i * p->length + (folded < p->length ? folded : period - folded)];
        }
    }
    *p = out;
    return NULL;
}

static am_status mels_of(am_feature_run *run, const am_spectrum_recipe *recipe, const am_padded *waves, am_spectra *out)
{
    const am_feature_extractor *e = run->extractor;
    am_json fmax_setting = am_feature_setting(e, "fmax");
    am_mel_options mels = {.num_filters = am_feature_setting_int(e, "num_mel_bins"),
                           .min_hertz = am_feature_setting_real(e, "fmin"),
                           .max_hertz = am_json_real(fmax_setting, (double)e->sampling_rate / 2.0),
                           .scale = AM_MEL_SLANEY,
                           .slaney_norm = true};
    double floor = am_feature_setting_real(e, "mel_floor"), factor = am_feature_setting_real(e, "compression_factor");
    double least = am_feature_setting_real(e, "compression_clip_val");
    am_padded reflected = *waves;
    am_spectra bins;
    AM_TRY(reflect(run, (recipe->frame_length - recipe->hop_length) / 2, &reflected));
    AM_TRY(am_spectra_of(run, recipe, &reflected, &bins));
    for (int64_t k = 0; k < bins.count * bins.rows * bins.frames; k++) bins.values[k] = sqrt(bins.values[k] + floor);
    AM_TRY(am_spectra_filter(run, &mels, &bins, out));
    for (int64_t k = 0; k < out->count * out->rows * out->frames; k++)
        out->values[k] = log(fmax(out->values[k], least) * factor);
    return NULL;
}

static void normalize(const am_feature_extractor *e, am_spectra *s)
{
    double low = am_feature_setting_real(e, "normalize_min"), high = am_feature_setting_real(e, "normalize_max");
    for (int64_t k = 0; k < s->count * s->rows * s->frames; k++)
        s->values[k] = 2.0 * ((s->values[k] - low) / (high - low)) - 1.0;
}

/* noise_sequence: f32 [count, frames, model_in_channels], normal numbers. In transformers they are of a generator that
   the caller may give, else of none in particular; here they are torch's of the argument `seed`, 0 when not given. */
static am_status add_noise(am_feature_run *run, int64_t frames)
{
    int64_t channels = am_feature_setting_int(run->extractor, "model_in_channels");
    am_tensor noise;
    if (!am_feature_argument_bool(run, "return_noise", true)) return NULL;
    AM_TRY(am_feature_add(run, "noise_sequence", AM_F32, am_shape_of(run->count, frames, channels), &noise));
    am_torch_randn((uint64_t)am_feature_argument_int(run, "seed", 0), noise.data, (size_t)am_shape_count(&noise.shape));
    return NULL;
}

static am_status recipe_of(const am_feature_extractor *e, am_spectrum_recipe *out)
{
    int64_t window = am_feature_setting_int(e, "win_length");
    am_json filter_length = am_feature_setting(e, "filter_length");
    int64_t fft = am_json_int(filter_length, am_optimal_fft_length(window));
    *out = (am_spectrum_recipe){.frame_length = fft,
                                .hop_length = am_feature_setting_int(e, "hop_length"),
                                .center = am_feature_setting_bool(e, "center")};
    if (fft < out->hop_length) return am_error(AM_INVALID_FILE, "filter_length: less than hop_length");
    if (fft != window) return am_error(AM_INVALID_FILE, "win_length and filter_length: expected the same length");
    return am_window_named(am_feature_setting(e, "win_function"), &out->window);
}

static am_status run_univnet(am_feature_run *run)
{
    const am_feature_extractor *e = run->extractor;
    am_spectrum_recipe recipe;
    am_sequences waves;
    am_padded padded;
    am_spectra mels;
    AM_TRY(recipe_of(e, &recipe));
    if (!run->options.max_length)
        run->options.max_length = (int64_t)(am_feature_setting_real(e, "max_length_s") * (double)e->sampling_rate);
    AM_TRY(waves_of(run, recipe.hop_length, &waves));
    AM_TRY(am_sequences_pad(run, &waves, &run->options, e->padding_value, &padded));
    AM_TRY(mels_of(run, &recipe, &padded, &mels));
    if (am_feature_argument_bool(run, "do_normalize", am_feature_setting_bool(e, "do_normalize"))) normalize(e, &mels);
    AM_TRY(am_feature_add_frames(run, "input_features", &mels, mels.frames));
    if (am_feature_wants_mask(run)) AM_TRY(am_feature_add_mask(run, "padding_mask", AM_I32, &padded, &am_all_columns));
    return add_noise(run, mels.frames);
}

const am_feature_class am_feature_class_univnet = {
    .name = "UnivNetFeatureExtractor",
    .defaults = "{\"feature_size\": 1, \"sampling_rate\": 24000, \"padding_value\": 0.0, \"do_normalize\": false, "
                "\"num_mel_bins\": 100, \"hop_length\": 256, \"win_length\": 1024, "
                "\"win_function\": \"hann_window\", \"filter_length\": 1024, \"max_length_s\": 10.0, \"fmin\": 0.0, "
                "\"fmax\": null, \"mel_floor\": 1e-9, \"center\": false, \"compression_factor\": 1.0, "
                "\"compression_clip_val\": 1e-5, \"normalize_min\": -11.512925148010254, "
                "\"normalize_max\": 2.3143386840820312, \"model_in_channels\": 64, \"pad_end_length\": 10, "
                "\"return_attention_mask\": true}",
    .call = {.padding = AM_PADDING_LONGEST, .truncation = AM_CHOICE_YES},
    .arguments = {"pad_end", "pad_length", "return_noise", "do_normalize", "seed"},
    .models = {"univnet"},
    .run = run_univnet,
};
