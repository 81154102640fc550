#include "media/extractors/semantic_codec.h"

#include <string.h>

enum { MEL_BINS = 80, STACKED = 2 };

/* The sounds with a zero behind each. */
static am_status lengthened(am_feature_run *run, am_sequences *out)
{
    AM_TRY(am_sequences_init(run, run->count, 1, out));
    for (int64_t i = 0; i < run->count; i++) {
        AM_TRY(am_sequences_add(run, out, i, run->sounds[i].frames + 1));
        memcpy(out->places[i], run->sounds[i].samples, (size_t)run->sounds[i].frames * sizeof(float));
    }
    return NULL;
}

static am_status add_samples(am_feature_run *run, const am_sequences *sounds, am_padded *out)
{
    am_feature_options options = run->options;
    options.pad_to_multiple_of = am_feature_setting_int(run->extractor, "hop_length");
    AM_TRY(am_sequences_pad(run, sounds, &options, 0.0, out));
    AM_TRY(am_feature_add_channels(run, "input_values", out));
    if (options.padding == AM_PADDING_NONE) return NULL;
    return am_feature_add_mask(run, "padding_mask", AM_I32, out, &am_all_columns);
}

/* Of sound i what counts, up to whole hops, between zeros. */
static am_status add_surrounded(am_feature_run *run, const float *samples, int64_t length, int64_t around, int64_t i,
                                am_sequences *out)
{
    int64_t hop = am_feature_setting_int(run->extractor, "hop_length"), whole = (length + hop - 1) / hop * hop;
    AM_TRY(am_sequences_add(run, out, i, whole + 2 * around));
    memcpy(out->places[i] + around, samples, (size_t)length * sizeof *samples);
    return NULL;
}

static am_status spectra_of(am_feature_run *run, const am_sequences *samples, am_sequences *out)
{
    am_fbank_options options = {.num_mel_bins = MEL_BINS, .window = AM_WINDOW_POVEY, .scale = 32768.0};
    AM_TRY(am_fbank_of(run, &options, samples, out));
    for (int64_t i = 0; i < out->count; i++) {
        am_column_norm norm = {.used = out->lengths[i], .correction = 1, .epsilon = 1e-7, .like_torch = true};
        am_normalize_columns(out->places[i], out->lengths[i], MEL_BINS, &norm);
    }
    return NULL;
}

am_status am_semantic_codec_add(am_feature_run *run, int64_t around, bool of_padded)
{
    am_feature_options options = run->options;
    am_sequences sounds, waves, spectra;
    am_padded padded, frames, pairs;
    AM_TRY(lengthened(run, &sounds));
    AM_TRY(add_samples(run, &sounds, &padded));
    AM_TRY(am_sequences_init(run, run->count, 1, &waves));
    for (int64_t i = 0; i < run->count; i++) {
        int64_t length = sounds.lengths[i];
        if (of_padded && length > padded.length) length = padded.length;
        AM_TRY(add_surrounded(run, sounds.places[i], length, around, i, &waves));
    }
    AM_TRY(spectra_of(run, &waves, &spectra));
    options.pad_to_multiple_of = STACKED;
    AM_TRY(am_sequences_pad(run, &spectra, &options, run->extractor->padding_value, &frames));
    AM_TRY(am_padded_group(run, &frames, STACKED, &pairs));
    AM_TRY(am_feature_add_values(run, "input_features", 3, &pairs));
    if (options.padding == AM_PADDING_NONE) return NULL;
    return am_feature_add_mask(run, "input_features_mask", AM_I32, &pairs, &am_all_columns);
}
