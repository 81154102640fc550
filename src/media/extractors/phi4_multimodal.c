/* Phi4MultimodalFeatureExtractor: the logarithm of mel power of pre-emphasized 16-bit samples. */
#include "media/extractors/extractor.h"

#include "tensor/shape.h"

#include <math.h>

static am_spectrum_recipe recipe_of(const am_feature_extractor *e)
{
    return (am_spectrum_recipe){
        .frame_length = am_feature_setting_int(e, "win_length"),
        .hop_length = am_feature_setting_int(e, "hop_length"),
        .fft_length = am_feature_setting_int(e, "n_fft"),
        .window = AM_WINDOW_HAMMING,
        .symmetric = true,
        .preemphasis = am_feature_setting_real(e, "preemphasis"),
        .mels = {.num_filters = e->feature_size,
                 .min_hertz = am_feature_setting_real(e, "mel_min_frequency"),
                 .max_hertz = am_feature_setting_real(e, "mel_max_frequency"),
                 .scale = AM_MEL_KALDI,
                 .in_mel_space = true},
    };
}

/* Of sounds that are shorter than the longest, frames that reach over their end count as silence, except for the last
   ones, which transformers leaves. */
static void take_logarithm(const am_feature_run *run, const am_spectrum_recipe *recipe, const int64_t *lengths,
                           int64_t longest, am_spectra *s)
{
    for (int64_t row = 0; row < s->count * s->rows; row++) {
        int64_t length = run->sounds[row / s->rows].frames;
        int64_t end = length < longest ? length / recipe->hop_length - 1 : 0, first = lengths[row / s->rows];
        double *values = s->values + row * s->frames;
        for (int64_t t = 0; t < s->frames; t++) {
            bool is_silenced = t >= first && t < end;
            values[t] = is_silenced ? 0.0 : log(fmax(values[t] * 0x1p30, 1.0)); /* of samples times 2^15 */
        }
    }
}

static int64_t divide_up(int64_t a, int64_t b)
{
    return (a + b - 1) / b;
}

static am_status add_sizes(am_feature_run *run, const int64_t *lengths)
{
    const am_feature_extractor *e = run->extractor;
    int64_t compression = am_feature_setting_int(e, "audio_compression_rate");
    int64_t downsampling = am_feature_setting_int(e, "audio_downsample_rate");
    am_tensor sizes;
    AM_TRY(am_feature_add(run, "audio_embed_sizes", AM_I64, am_shape_of(run->count), &sizes));
    for (int64_t i = 0; i < run->count; i++)
        ((int64_t *)sizes.data)[i] = divide_up(divide_up(lengths[i], compression), downsampling);
    return NULL;
}

static am_status run_phi4(am_feature_run *run)
{
    const am_feature_extractor *e = run->extractor;
    am_spectrum_recipe recipe = recipe_of(e);
    am_sequences sounds;
    am_padded padded;
    am_spectra spectra;
    int64_t longest = 0, most = 0, *lengths = am_arena_array(&run->arena, (size_t)run->count, sizeof *lengths);
    if (!lengths) return am_out_of_memory();
    AM_TRY(am_sequences_of_sounds(run, &sounds));
    AM_TRY(am_sequences_pad(run, &sounds, &run->options, e->padding_value, &padded));
    AM_TRY(am_spectra_of(run, &recipe, &padded, &spectra));
    for (int64_t i = 0; i < run->count; i++) {
        int64_t length = run->sounds[i].frames;
        if (length > longest) longest = length;
        lengths[i] = length < recipe.frame_length ? 0 : (length - recipe.frame_length) / recipe.hop_length + 1;
    }
    take_logarithm(run, &recipe, lengths, longest, &spectra);
    AM_TRY(am_feature_add_frames(run, "audio_input_features", &spectra, spectra.frames));
    for (int64_t i = 0; i < run->count; i++) {
        lengths[i] *= am_feature_setting_int(e, "audio_feat_stride");
        if (lengths[i] > most) most = lengths[i];
    }
    AM_TRY(add_sizes(run, lengths));
    if (run->count < 2 || !am_feature_wants_mask(run)) return NULL;
    return am_feature_add_lengths_mask(run, "audio_attention_mask", AM_BOOL, lengths, run->count, most);
}

const am_feature_class am_feature_class_phi4_multimodal = {
    .name = "Phi4MultimodalFeatureExtractor",
    .defaults = "{\"feature_size\": 80, \"sampling_rate\": 16000, \"hop_length\": 160, \"n_fft\": 512, "
                "\"win_length\": 400, \"preemphasis\": 0.97, \"padding_value\": 0.0, \"audio_compression_rate\": 8, "
                "\"audio_downsample_rate\": 1, \"audio_feat_stride\": 1, \"mel_min_frequency\": 0.0, "
                "\"mel_max_frequency\": 7690.0}",
    .call = {.padding = AM_PADDING_LONGEST, .return_attention_mask = AM_CHOICE_YES},
    .models = {"phi4_multimodal"},
    .run = run_phi4,
};
