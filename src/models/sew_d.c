/* SEW-D: SEW with DeBERTa-v2's layers. transformers: models/sew_d/modeling_sew_d.py */
#include "models/blocks/disentangled.h"
#include "models/blocks/sew.h"

static const am_disentangled absent = {.position_buckets = 256, .share_att_key = true, .norm_rel_ebd = true};

static am_deberta_options read_config(am_builder *b)
{
    const am_config *c = am_model_config(b);
    am_deberta_options o = am_deberta_options_read(b);
    o.relative_attention = am_config_flag(c, "relative_attention", true);
    if (!am_config_has(c, "pos_att_type") && !am_config_is_null(c, "pos_att_type")) o.c2p = o.p2c = true;
    if (am_config_count(c, "conv_kernel_size", 0) > 0)
        am_config_unsupported(c, "conv_kernel_size", "a convolution beside the first layer is not implemented here");
    return o;
}

static am_wav2vec2_frames frames(am_builder *b, const am_wav2vec2_options *o)
{
    return am_sew_frames_normed(b, o, am_config_real(am_model_config(b), "feature_layer_norm_eps", 1e-5));
}

/* Where a row has no frame at all, attention gives nothing. */
static am_value zero_without_keys(am_builder *b, am_value x, am_value mask)
{
    if (!mask.id) return x;
    am_value some = am_reduce(b, AM_REDUCE_ANY, mask, am_shape_of(1), true);
    return am_select(b, am_unsqueeze(b, some, 2), x, am_scalar(b, am_dtype_of(b, x), 0));
}

static am_value layers(am_builder *b, am_value x, am_value mask, const am_wav2vec2_options *o, am_value *states)
{
    am_deberta_options base = read_config(b);
    am_disentangled options = am_disentangled_read(am_model_config(b), &base, &absent);
    am_value keys = am_padding_mask_of(b, mask);
    am_scope(b, "encoder");
    am_disentangled_places places = am_disentangled_places_of(b, am_dim(b, x, 1), &options);
    for (int i = 0; i < o->num_hidden_layers && !am_builder_failed(b); i++) {
        am_wav2vec2_keep_state(b, states, i, x);
        am_scope(b, "layer.%d", i);
        am_value attended = am_disentangled_attention(b, x, &places, keys, &options);
        x = am_bert_layer_end(b, x, zero_without_keys(b, attended, mask), &base.body);
        am_end_scope(b);
    }
    am_wav2vec2_keep_state(b, states, o->num_hidden_layers, x);
    am_end_scope(b);
    return x;
}

static am_value encoder(am_builder *b, am_value x, am_value mask, const am_wav2vec2_options *o, am_value *states)
{
    return am_sew_encoder(b, x, mask, o, states, layers);
}

static const am_architecture architectures[] = {
    {"SEWDModel", am_wav2vec2_model, "feature-extraction", 0},
    {"SEWDForCTC", am_wav2vec2_for_ctc, "automatic-speech-recognition", 0},
    {"SEWDForSequenceClassification", am_wav2vec2_for_sequence_classification, "audio-classification", 0},
    {0},
};

static const am_wav2vec2_family family = {.prefix = "sew_d",
                                          .hides_features = true,
                                          .short_rows_are_empty = true,
                                          .wave = &am_sew_wave,
                                          .adjust = am_sew_adjust,
                                          .frames = frames,
                                          .encoder = encoder};

const am_model_type am_model_sew_d = {
    .name = "sew-d", .base_prefix = "sew_d", .architectures = architectures, .family = &family};
