/* data2vec for audio: wav2vec 2.0 with all convolutions normed over channels, and positions by several convolutions on
   top of each other. transformers: models/data2vec/modeling_data2vec_audio.py */
#include "models/blocks/wav2vec2.h"

static const double POSITION_NORM_EPS = 1e-5; /* not configurable */

/* x: [B, T, C] with positions added: num_conv_pos_embeddings counts the convolutions here. */
static am_value positions(am_builder *b, am_value x, const am_wav2vec2_options *o)
{
    const am_norm_attributes norm = {.kind = AM_NORM_LAYER, .eps = POSITION_NORM_EPS};
    int64_t kernel = am_config_size(am_model_config(b), "conv_pos_kernel_size", 19);
    am_value h = x;
    for (int i = 0; i < o->num_conv_pos_embeddings && !am_builder_failed(b); i++) {
        am_scope(b, "pos_conv_embed.layers.%d", i);
        h = am_positional_convolution(b, "conv", h, kernel, 1, o->num_conv_pos_embedding_groups, AM_IDENTITY);
        h = am_norm_op(b, h, AM_NONE, AM_NONE, AM_NONE, AM_NONE, &norm);
        h = am_unary(b, o->wave.activation, h);
        am_end_scope(b);
    }
    return am_add(b, x, h);
}

static void adjust(const am_config *c, am_wav2vec2_options *o)
{
    o->num_conv_pos_embeddings = am_config_count(c, "num_conv_pos_embeddings", 5);
    o->wave.layer_norms = true;
    o->do_stable_layer_norm = false;
    o->feat_proj_layer_norm = true;
}

static const am_architecture architectures[] = {
    {"Data2VecAudioModel", am_wav2vec2_model, "feature-extraction", 0},
    {"Data2VecAudioForCTC", am_wav2vec2_for_ctc, "automatic-speech-recognition", 0},
    {"Data2VecAudioForSequenceClassification", am_wav2vec2_for_sequence_classification, "audio-classification", 0},
    {"Data2VecAudioForAudioFrameClassification", am_wav2vec2_for_audio_frame_classification, NULL, 0},
    {"Data2VecAudioForXVector", am_wav2vec2_for_x_vector, NULL, 0},
    {0},
};

static const am_wav2vec2_family family = {.prefix = "data2vec_audio", .adjust = adjust, .positions = positions};

const am_model_type am_model_data2vec_audio = {
    .name = "data2vec-audio", .base_prefix = "data2vec_audio", .architectures = architectures, .family = &family};
