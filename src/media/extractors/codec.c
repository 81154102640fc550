#include "media/extractors/codec.h"

am_status am_codec_check(const am_feature_run *run)
{
    if (run->padding <= AM_PADDING_NONE || run->options.truncation != AM_CHOICE_YES) return NULL;
    return am_error(AM_INVALID_ARGUMENT, "both padding and truncation; expected one of them");
}

am_status am_codec_add(am_feature_run *run, const am_sequences *sequences, const am_feature_options *options)
{
    am_padded padded;
    AM_TRY(am_sequences_pad(run, sequences, options, run->extractor->padding_value, &padded));
    AM_TRY(am_feature_add_channels(run, "input_values", &padded));
    if (options->padding == AM_PADDING_NONE) return NULL;
    return am_feature_add_mask(run, "padding_mask", AM_I32, &padded, &am_all_columns);
}

void am_codec_fit_chunks(const am_feature_run *run, am_feature_options *options)
{
    const am_feature_extractor *e = run->extractor;
    am_json overlap = am_feature_setting(e, "overlap");
    int64_t chunk = (int64_t)(am_feature_setting_real(e, "chunk_length_s") * (double)e->sampling_rate);
    int64_t stride = (int64_t)((1.0 - am_json_real(overlap, 0.0)) * (double)chunk), length = run->sounds[0].frames;
    bool cuts = options->truncation == AM_CHOICE_YES;
    if (chunk < 1 || am_json_kind_of(overlap) == AM_JSON_NULL || options->max_length) return;
    if (!cuts && options->padding == AM_PADDING_NONE) return;
    if (stride < 1) stride = 1;
    for (int64_t i = 1; i < run->count; i++) {
        int64_t other = run->sounds[i].frames;
        if (cuts ? other < length : other > length) length = other;
    }
    int64_t steps = cuts ? length / stride : (length + stride - 1) / stride;
    options->max_length = (steps - 1) * stride + chunk;
    if (!cuts) options->padding = AM_PADDING_MAX_LENGTH;
}
