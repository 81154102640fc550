/* FunAsrNanoFeatureExtractor: Kaldi's filter bank, num_frames_lfr frames side by side every stride_lfr frames. */
#include "media/extractors/extractor.h"

#include <string.h>

/* Row i of fbank with its ends repeated, so that a window lies around every stride-th frame. */
static am_status add_windows(am_feature_run *run, const am_sequences *fbank, int64_t i, am_sequences *out)
{
    int64_t stacked = am_feature_setting_int(run->extractor, "num_frames_lfr"), frames = fbank->lengths[i];
    int64_t stride = am_feature_setting_int(run->extractor, "stride_lfr"), before = (stacked - 1) / 2;
    AM_TRY(am_sequences_add(run, out, i, (frames + stride - 1) / stride));
    float *to = out->places[i];
    for (int64_t window = 0; window < out->lengths[i]; window++) {
        for (int64_t k = 0; k < stacked; k++, to += fbank->width) {
            int64_t at = window * stride + k - before;
            at = at < 0 ? 0 : at >= frames ? frames - 1 : at;
            memcpy(to, fbank->places[i] + at * fbank->width, (size_t)fbank->width * sizeof *to);
        }
    }
    return NULL;
}

static am_status run_fun_asr_nano(am_feature_run *run)
{
    const am_feature_extractor *e = run->extractor;
    double samples_ms = (double)e->sampling_rate / 1000.0;
    am_fbank_options options = {
        .frame_length = (int64_t)(samples_ms * am_feature_setting_real(e, "frame_length")),
        .frame_shift = (int64_t)(samples_ms * am_feature_setting_real(e, "frame_shift")),
        .num_mel_bins = e->feature_size,
        .scale = 1.0,
    };
    am_sequences sounds, fbank, windows;
    am_padded padded;
    AM_TRY(am_window_named(am_feature_setting(e, "window"), &options.window));
    AM_TRY(am_sequences_of_sounds(run, &sounds));
    AM_TRY(am_fbank_of(run, &options, &sounds, &fbank));
    AM_TRY(am_sequences_init(run, run->count, e->feature_size * am_feature_setting_int(e, "num_frames_lfr"), &windows));
    for (int64_t i = 0; i < run->count; i++) AM_TRY(add_windows(run, &fbank, i, &windows));
    AM_TRY(am_sequences_pad(run, &windows, &run->options, e->padding_value, &padded));
    AM_TRY(am_feature_add_values(run, "input_features", 3, &padded));
    if (!am_feature_wants_mask(run)) return NULL;
    return am_feature_add_mask(run, "input_features_mask", AM_I32, &padded, &am_all_columns);
}

const am_feature_class am_feature_class_fun_asr_nano = {
    .name = "FunAsrNanoFeatureExtractor",
    .defaults = "{\"feature_size\": 80, \"sampling_rate\": 16000, \"frame_length\": 25.0, \"frame_shift\": 10.0, "
                "\"num_frames_lfr\": 7, \"stride_lfr\": 6, \"window\": \"hamming\", \"padding_value\": 0.0}",
    .call = {.padding = AM_PADDING_LONGEST},
    .models = {"fun_asr_nano"},
    .run = run_fun_asr_nano,
};
