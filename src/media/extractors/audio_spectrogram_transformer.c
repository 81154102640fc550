/* ASTFeatureExtractor: Kaldi's filter bank, cut or filled with zeros to max_length frames. Arguments about padding are
   passed over, as transformers does. */
#include "media/extractors/extractor.h"

#include "tensor/shape.h"

#include <string.h>

static void normalize(const am_feature_extractor *e, float *values, int64_t count)
{
    float mean = (float)am_feature_setting_real(e, "mean"), width = (float)(am_feature_setting_real(e, "std") * 2.0);
    for (int64_t i = 0; i < count; i++) values[i] = (values[i] - mean) / width;
}

static am_status run_ast(am_feature_run *run)
{
    const am_feature_extractor *e = run->extractor;
    int64_t bins = am_feature_setting_int(e, "num_mel_bins"), length = am_feature_setting_int(e, "max_length");
    am_fbank_options options = {.num_mel_bins = bins, .window = AM_WINDOW_HANN, .scale = 1.0};
    am_sequences sounds, fbank;
    am_tensor out;
    AM_TRY(am_sequences_of_sounds(run, &sounds));
    AM_TRY(am_fbank_of(run, &options, &sounds, &fbank));
    AM_TRY(am_feature_add(run, "input_values", AM_F32, am_shape_of(run->count, length, bins), &out));
    for (int64_t i = 0; i < run->count; i++) {
        int64_t kept = fbank.lengths[i] < length ? fbank.lengths[i] : length;
        memcpy((float *)out.data + i * length * bins, fbank.places[i], (size_t)(kept * bins) * sizeof(float));
    }
    if (am_feature_setting_bool(e, "do_normalize")) normalize(e, out.data, am_shape_count(&out.shape));
    return NULL;
}

const am_feature_class am_feature_class_audio_spectrogram_transformer = {
    .name = "ASTFeatureExtractor",
    .defaults = "{\"feature_size\": 1, \"sampling_rate\": 16000, \"num_mel_bins\": 128, \"max_length\": 1024, "
                "\"padding_value\": 0.0, \"do_normalize\": true, \"mean\": -4.2677393, \"std\": 4.5689974, "
                "\"return_attention_mask\": false}",
    .models = {"audio-spectrogram-transformer"},
    .run = run_ast,
};
