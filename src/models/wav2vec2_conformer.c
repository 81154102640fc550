/* wav2vec 2.0 with conformer layers (blocks/conformer.h). transformers:
   models/wav2vec2_conformer/modeling_wav2vec2_conformer.py */
#include "models/blocks/conformer.h"

static const double NORM_EPS = 1e-5; /* of the norms in the layers: not configurable */

static am_value encoder(am_builder *b, am_value x, am_value mask, const am_wav2vec2_options *o, am_value *states)
{
    am_conformer_options options = am_conformer_options_read(am_model_config(b), o, AM_CONFORMER_RELATIVE);
    if (options.positions == AM_CONFORMER_RELATIVE_KEY)
        am_config_unsupported(am_model_config(b), "position_embeddings_type", "relative_key is not of this model");
    options.norm_eps = NORM_EPS;
    options.stored_frequencies = true;
    x = am_conformer_layers(b, am_zero_outside(b, x, mask), mask, &options, o->num_hidden_layers, states);
    return am_layer_norm(b, "layer_norm", x, o->layer_norm_eps);
}

static void adjust(const am_config *c, am_wav2vec2_options *o)
{
    (void)c;
    o->feat_proj_layer_norm = true;
}

static const am_architecture architectures[] = {
    {"Wav2Vec2ConformerModel", am_wav2vec2_model, "feature-extraction", 0},
    {"Wav2Vec2ConformerForCTC", am_wav2vec2_for_ctc, "automatic-speech-recognition", 0},
    {"Wav2Vec2ConformerForPreTraining", am_wav2vec2_for_pretraining, NULL, 0},
    {"Wav2Vec2ConformerForSequenceClassification", am_wav2vec2_for_sequence_classification, "audio-classification", 0},
    {"Wav2Vec2ConformerForAudioFrameClassification", am_wav2vec2_for_audio_frame_classification, NULL, 0},
    {"Wav2Vec2ConformerForXVector", am_wav2vec2_for_x_vector, NULL, 0},
    {0},
};

static const am_wav2vec2_family family = {.prefix = "wav2vec2_conformer", .adjust = adjust, .encoder = encoder};

const am_model_type am_model_wav2vec2_conformer = {.name = "wav2vec2-conformer",
                                                   .base_prefix = "wav2vec2_conformer",
                                                   .architectures = architectures,
                                                   .family = &family};
