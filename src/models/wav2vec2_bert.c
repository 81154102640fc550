/* Wav2Vec2-BERT: log-mel features read by conformer layers whose convolutions look back only; an adapter of layers of
   its own may shorten what comes out. transformers: models/wav2vec2_bert/modeling_wav2vec2_bert.py */
#include "models/blocks/conformer.h"

#include <inttypes.h>

static void adjust(const am_config *c, am_wav2vec2_options *o)
{
    o->hidden_size = am_config_size(c, "hidden_size", 1024);
    o->num_hidden_layers = am_config_count(c, "num_hidden_layers", 24);
    o->num_attention_heads = am_config_size(c, "num_attention_heads", 16);
    o->intermediate_size = am_config_size(c, "intermediate_size", 4096);
    o->hidden_act = am_config_activation(c, "hidden_act", AM_SILU);
    o->classifier_proj_size = am_config_size(c, "classifier_proj_size", 768);
    o->num_adapter_layers = am_config_count(c, "num_adapter_layers", 1);
    o->num_conv_pos_embedding_groups = 1; /* there is no such convolution */
}

static am_wav2vec2_frames frames(am_builder *b, const am_wav2vec2_options *o)
{
    int64_t F = am_config_size(am_model_config(b), "feature_projection_input_dim", 160);
    am_wav2vec2_frames r = {.mask = am_input_optional(b, "attention_mask", 2)};
    am_value x = am_input(b, "input_features", 3);
    if (x.id && am_dim(b, x, 2) != F)
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT,
                                    "input_features has %" PRId64 " numbers a frame, expected %" PRId64
                                    " (feature_projection_input_dim)",
                                    am_dim(b, x, 2), F));
    if (r.mask.id && am_dtype_of(b, r.mask) != AM_BOOL) r.mask = am_binary_number(b, AM_NOT_EQUAL, r.mask, 0);
    r.features = am_layer_norm(b, "feature_projection.layer_norm", x, o->layer_norm_eps);
    r.x = am_linear(b, "feature_projection.projection", r.features, o->hidden_size, AM_BIAS);
    return r;
}

/* Each frame is there in the input. */
static am_value lengths(am_builder *b, am_value lengths, const am_wav2vec2_options *o)
{
    (void)b, (void)o;
    return lengths;
}

static am_value encoder(am_builder *b, am_value x, am_value mask, const am_wav2vec2_options *o, am_value *states)
{
    am_conformer_options options = am_conformer_options_read(am_model_config(b), o, AM_CONFORMER_RELATIVE_KEY);
    options.norm_eps = o->layer_norm_eps;
    options.causal = true;
    return am_conformer_layers(b, am_zero_outside(b, x, mask), mask, &options, o->num_hidden_layers, states);
}

/* --- adapter --- */

static am_value shortened(am_builder *b, am_value lengths, const am_wav2vec2_options *o)
{
    return am_conformer_adapted_lengths(b, lengths, o->adapter_kernel_size, o->adapter_stride);
}

static am_value adapted_lengths(am_builder *b, am_value lengths, const am_wav2vec2_options *o)
{
    for (int i = 0; i < o->num_adapter_layers; i++) lengths = shortened(b, lengths, o);
    return lengths;
}

static am_value adapter_layers(am_builder *b, am_value x, const am_wav2vec2_options *o)
{
    const am_config *c = am_model_config(b);
    int64_t C = o->output_hidden_size;
    am_conformer_adapter layer = {.heads = o->num_attention_heads,
                                  .intermediate_size = o->intermediate_size,
                                  .kernel = o->adapter_kernel_size,
                                  .stride = o->adapter_stride,
                                  .norm_eps = o->layer_norm_eps,
                                  .activation = am_config_activation(c, "adapter_act", AM_RELU)};
    am_value lengths = am_attended_lengths(b);
    am_config_check_divides(c, "num_attention_heads", o->num_attention_heads, "output_hidden_size", C);
    am_scope(b, "adapter");
    if (C != o->hidden_size)
        x = am_layer_norm(b, "proj_layer_norm", am_linear(b, "proj", x, C, AM_BIAS), o->layer_norm_eps);
    for (int i = 0; i < o->num_adapter_layers && !am_builder_failed(b); i++) {
        if (lengths.id) lengths = shortened(b, lengths, o);
        am_scope(b, "layers.%d", i);
        x = am_conformer_adapter_layer(b, x, lengths, &layer);
        am_end_scope(b);
    }
    am_end_scope(b);
    return x;
}

/* What stands behind the layers: a feed-forward part of which half is taken, then the adapter. */
static am_value adapter(am_builder *b, am_value x, const am_wav2vec2_options *o)
{
    if (am_config_flag(am_model_config(b), "use_intermediate_ffn_before_adapter", false)) {
        am_value h = am_speech_feed_forward(b, "intermediate_ffn", x, o->intermediate_size, AM_RELU);
        x = am_add(b, x, am_mul_number(b, h, 0.5));
    }
    return o->add_adapter ? adapter_layers(b, x, o) : x;
}

static const am_architecture architectures[] = {
    {"Wav2Vec2BertModel", am_wav2vec2_model, "feature-extraction", 0},
    {"Wav2Vec2BertForCTC", am_wav2vec2_for_ctc, "automatic-speech-recognition", 0},
    {"Wav2Vec2BertForSequenceClassification", am_wav2vec2_for_sequence_classification, "audio-classification", 0},
    {"Wav2Vec2BertForAudioFrameClassification", am_wav2vec2_for_audio_frame_classification, NULL, 0},
    {"Wav2Vec2BertForXVector", am_wav2vec2_for_x_vector, NULL, 0},
    {0},
};

static const am_wav2vec2_family family = {.prefix = "wav2vec2_bert",
                                          .adjust = adjust,
                                          .frames = frames,
                                          .lengths = lengths,
                                          .encoder = encoder,
                                          .adapter = adapter,
                                          .adapted_lengths = adapted_lengths};

const am_model_type am_model_wav2vec2_bert = {
    .name = "wav2vec2-bert", .base_prefix = "wav2vec2_bert", .architectures = architectures, .family = &family};
