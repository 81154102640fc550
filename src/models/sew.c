/* SEW: wav2vec 2.0 that squeezes frames (blocks/sew.h). transformers: models/sew/modeling_sew.py */
#include "models/blocks/sew.h"

static am_wav2vec2_frames frames(am_builder *b, const am_wav2vec2_options *o)
{
    return am_sew_frames_normed(b, o, o->layer_norm_eps);
}

static am_value layers(am_builder *b, am_value x, am_value mask, const am_wav2vec2_options *o, am_value *states)
{
    return am_wav2vec2_layers(b, am_layer_norm(b, "layer_norm", x, o->layer_norm_eps), mask, o, states);
}

static am_value encoder(am_builder *b, am_value x, am_value mask, const am_wav2vec2_options *o, am_value *states)
{
    return am_sew_encoder(b, x, mask, o, states, layers);
}

static const am_architecture architectures[] = {
    {"SEWModel", am_wav2vec2_model, "feature-extraction", 0},
    {"SEWForCTC", am_wav2vec2_for_ctc, "automatic-speech-recognition", 0},
    {"SEWForSequenceClassification", am_wav2vec2_for_sequence_classification, "audio-classification", 0},
    {0},
};

static const am_wav2vec2_family family = {.prefix = "sew",
                                          .hides_features = true,
                                          .short_rows_are_empty = true,
                                          .wave = &am_sew_wave,
                                          .adjust = am_sew_adjust,
                                          .frames = frames,
                                          .encoder = encoder};

const am_model_type am_model_sew = {
    .name = "sew", .base_prefix = "sew", .architectures = architectures, .family = &family};
