/* SeamlessM4TFeatureExtractor: Kaldi's filter bank, each mel bin brought to mean 0 and variance 1, `stride` frames side
   by side. */
#include "media/extractors/extractor.h"

static am_status normalized_fbank(am_feature_run *run, am_sequences *out)
{
    int64_t bins = am_feature_setting_int(run->extractor, "num_mel_bins");
    am_fbank_options options = {.num_mel_bins = bins, .window = AM_WINDOW_POVEY, .scale = 32768.0};
    am_sequences sounds;
    AM_TRY(am_sequences_of_sounds(run, &sounds));
    AM_TRY(am_fbank_of(run, &options, &sounds, out));
    for (int64_t i = 0; i < out->count && am_feature_argument_bool(run, "do_normalize_per_mel_bins", true); i++) {
        am_column_norm norm = {.used = out->lengths[i], .correction = 1, .epsilon = 1e-7};
        am_normalize_columns(out->places[i], out->lengths[i], bins, &norm);
    }
    return NULL;
}

/* Whether a group of frames is sound is what its second one says; so groups of one have no mask at all, which is what
   transformers gives. */
static am_status run_seamless(am_feature_run *run)
{
    int64_t stride = am_feature_setting_int(run->extractor, "stride");
    am_sequences fbank;
    am_padded padded;
    AM_TRY(normalized_fbank(run, &fbank));
    AM_TRY(am_sequences_pad(run, &fbank, &run->options, run->extractor->padding_value, &padded));
    am_padded grouped;
    AM_TRY(am_padded_group(run, &padded, stride, &grouped));
    AM_TRY(am_feature_add_values(run, "input_features", 3, &grouped));
    if (!am_feature_wants_mask(run)) return NULL;
    am_mask_columns columns = {.first = 1, .step = stride, .limit = stride > 1 ? grouped.length : 0};
    return am_feature_add_mask(run, "attention_mask", AM_I32, &padded, &columns);
}

const am_feature_class am_feature_class_seamless_m4t = {
    .name = "SeamlessM4TFeatureExtractor",
    .defaults = "{\"feature_size\": 80, \"sampling_rate\": 16000, \"num_mel_bins\": 80, \"padding_value\": 0.0, "
                "\"stride\": 2}",
    .call = {.padding = AM_PADDING_LONGEST, .pad_to_multiple_of = 2},
    .arguments = {"do_normalize_per_mel_bins"},
    .models = {"seamless_m4t", "seamless_m4t_v2"},
    .run = run_seamless,
};
