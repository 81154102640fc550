#include "models/blocks/vit.h"

#include <inttypes.h>

static const am_pre_norm_names names = {.layers = "encoder.layer",
                                        .attention = "attention",
                                        .norm_before = "layernorm_before",
                                        .norm_after = "layernorm_after",
                                        .up = "intermediate.dense",
                                        .down = "output.dense"};

am_pre_norm_options am_vit_encoder_read(const am_config *c, int64_t hidden_size)
{
    int64_t heads = am_config_size(c, "num_attention_heads", 12);
    bool no_bias = !am_config_flag(c, "qkv_bias", true);
    am_pre_norm_options o = {
        .num_hidden_layers = am_config_count(c, "num_hidden_layers", 12),
        .intermediate_size = am_config_size(c, "intermediate_size", 3072),
        .hidden_act = am_config_activation(c, "hidden_act", AM_GELU),
        .layer_norm_eps = am_config_real(c, "layer_norm_eps", 1e-12),
        .attention = {.heads = heads,
                      .head_dim = am_config_count(c, "head_dim", 0),
                      .q = "attention.query",
                      .k = "attention.key",
                      .v = "attention.value",
                      .out = "output.dense",
                      .no_q_bias = no_bias,
                      .no_k_bias = no_bias,
                      .no_v_bias = no_bias},
        .names = &names,
    };
    if (!o.attention.head_dim) am_config_check_divides(c, "num_attention_heads", heads, "hidden_size", hidden_size);
    return o;
}

am_vit_options am_vit_options_read(am_builder *b)
{
    const am_config *c = am_model_config(b);
    int64_t hidden_size = am_config_size(c, "hidden_size", 768);
    int64_t encoder_stride = am_config_count(c, "encoder_stride", 16);
    if (encoder_stride == 0) am_config_fail(c, "encoder_stride", "expected 1 or more, found 0");
    return (am_vit_options){
        .image = am_image_options_read(c, 224, 16),
        .encoder = am_vit_encoder_read(c, hidden_size),
        .hidden_size = hidden_size,
        .encoder_stride = encoder_stride ? encoder_stride : 1,
        .pooler_output_size = am_config_size(c, "pooler_output_size", hidden_size),
        .pooler_act = am_config_activation(c, "pooler_act", AM_TANH),
        .labels = am_config_labels(c),
        .family = am_model_family(b),
    };
}

static int special_tokens(const am_vit_options *o)
{
    return o->family->distilled ? 2 : 1;
}

/* x: [B, N, C] with mask_token where the input bool_masked_pos: [B, N] says so. */
static am_value mask_patches(am_builder *b, am_value x, const am_vit_options *o)
{
    am_value masked = am_input_optional(b, "bool_masked_pos", 2);
    if (!masked.id) return x;
    if (am_dim(b, masked, 0) != am_dim(b, x, 0) || am_dim(b, masked, 1) != am_dim(b, x, 1))
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT,
                                    "bool_masked_pos is [%" PRId64 ", %" PRId64 "], expected [%" PRId64 ", %" PRId64
                                    "] (images, patches)",
                                    am_dim(b, masked, 0), am_dim(b, masked, 1), am_dim(b, x, 0), am_dim(b, x, 1)));
    if (am_dtype_of(b, masked) != AM_BOOL) masked = am_binary_number(b, AM_NOT_EQUAL, masked, 0);
    am_value token = am_parameter(b, "mask_token", am_shape_of(1, 1, o->hidden_size), x);
    return am_select(b, am_unsqueeze(b, masked, 2), token, x);
}

static am_value embed(am_builder *b, const am_vit_options *o)
{
    am_shape token = am_shape_of(1, 1, o->hidden_size);
    am_value x = am_pixel_values_sized(b, &o->image);
    am_scope(b, "embeddings");
    x = am_patch_convolution(b, "patch_embeddings.projection", x, o->hidden_size, o->image.patch_size, AM_BIAS);
    x = mask_patches(b, am_image_tokens(b, x), o);
    if (o->family->distilled) x = am_prepend_token(b, "distillation_token", token, x);
    x = am_prepend_token(b, "cls_token", token, x);
    am_shape places = am_shape_of(1, am_image_patches(&o->image) + special_tokens(o), o->hidden_size);
    x = am_add(b, x, am_parameter(b, "position_embeddings", places, x));
    am_end_scope(b);
    return x;
}

am_value am_vit_encode(am_builder *b, am_value x, const am_pre_norm_options *options)
{
    am_pre_norm_options o = *options;
    o.attention.mask = am_padding_mask(b, "attention_mask");
    return am_layer_norm(b, "layernorm", am_pre_norm_layers(b, x, &o), o.layer_norm_eps);
}

am_value am_vit_body(am_builder *b, const am_vit_options *o, const char *prefix)
{
    am_scope(b, "%s", prefix);
    am_value x = am_vit_encode(b, embed(b, o), &o->encoder);
    am_end_scope(b);
    return x;
}

void am_vit_model(am_builder *b)
{
    am_vit_options o = am_vit_options_read(b);
    am_value x = am_vit_body(b, &o, "");
    am_output(b, "last_hidden_state", x);
    if (am_has_weight(b, "pooler.dense.weight")) /* checkpoints of classifiers have none */
        am_output(
            b, "pooler_output",
            am_linear_activation(b, "pooler.dense", am_index(b, x, 1, 0), o.pooler_output_size, AM_BIAS, o.pooler_act));
}

/* Each patch's hidden state gives the pixels of a square of encoder_stride, patches standing in a square. */
void am_vit_for_masked_image_modeling(am_builder *b)
{
    am_vit_options o = am_vit_options_read(b);
    int64_t rows = o.image.image_size[0] / o.image.patch_size[0], r = o.encoder_stride;
    int64_t columns = o.image.image_size[1] / o.image.patch_size[1];
    if (rows != columns)
        am_config_fail(am_model_config(b), "image_size",
                       "this class takes squares of patches, found %" PRId64 " x %" PRId64, rows, columns);
    am_value x = am_slice(b, am_vit_body(b, &o, o.family->prefix), 1, special_tokens(&o), AM_SLICE_END);
    am_shape image = am_shape_of(am_dim(b, x, 0), o.hidden_size, rows, columns);
    x = am_reshape(b, am_transpose(b, x, 1, 2), image);
    x = am_conv(b, "decoder.0", x, r * r * o.image.num_channels, am_shape_of(1, 1), AM_BIAS,
                &(am_convolution_attributes){0});
    am_output(b, "reconstruction", am_pixel_shuffle(b, x, r));
}

void am_vit_for_image_classification(am_builder *b)
{
    am_vit_options o = am_vit_options_read(b);
    am_value x = am_vit_body(b, &o, o.family->prefix);
    am_output(b, "logits", am_linear(b, "classifier", am_index(b, x, 1, 0), o.labels, AM_BIAS));
}
