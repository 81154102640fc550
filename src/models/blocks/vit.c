#include "models/blocks/vit.h"

#include <inttypes.h>

const am_pre_norm_names am_vit_names = {.layers = "encoder.layer",
                                        .attention = "attention",
                                        .norm_before = "layernorm_before",
                                        .norm_after = "layernorm_after",
                                        .up = "intermediate.dense",
                                        .down = "output.dense"};

am_pre_norm_options am_vit_layers_read(const am_config *c, const am_vit_family *f, int64_t hidden_size)
{
    int64_t heads = am_config_size(c, "num_attention_heads", 12);
    bool no_bias = !am_config_flag(c, "qkv_bias", true);
    am_pre_norm_options o = {
        .num_hidden_layers = am_config_count(c, "num_hidden_layers", 12),
        .intermediate_size = am_config_size(c, "intermediate_size", 3072),
        .hidden_act = am_config_activation(c, "hidden_act", f->hidden_act ? f->hidden_act : AM_GELU),
        .layer_norm_eps = am_config_real(c, "layer_norm_eps", f->layer_norm_eps > 0 ? f->layer_norm_eps : 1e-12),
        .attention = {.heads = heads,
                      .head_dim = f->derives_head_dim ? 0 : am_config_count(c, "head_dim", 0),
                      .q = "attention.query",
                      .k = "attention.key",
                      .v = "attention.value",
                      .out = "output.dense",
                      .no_q_bias = no_bias,
                      .no_k_bias = no_bias,
                      .no_v_bias = no_bias},
        .names = &am_vit_names,
    };
    if (!o.attention.head_dim) am_config_check_divides(c, "num_attention_heads", heads, "hidden_size", hidden_size);
    return o;
}

am_vit_options am_vit_options_read(am_builder *b)
{
    const am_config *c = am_model_config(b);
    const am_vit_family *family = am_model_family(b);
    int64_t hidden_size = am_config_size(c, "hidden_size", 768);
    int64_t encoder_stride = am_config_count(c, "encoder_stride", 16);
    if (encoder_stride == 0) am_config_fail(c, "encoder_stride", "expected 1 or more, found 0");
    return (am_vit_options){
        .image = am_image_options_read(c, 224, 16),
        .encoder = am_vit_layers_read(c, family, hidden_size),
        .hidden_size = hidden_size,
        .encoder_stride = encoder_stride ? encoder_stride : 1,
        .pooler_output_size = am_config_size(c, "pooler_output_size", hidden_size),
        .pooler_act = am_config_activation(c, "pooler_act", AM_TANH),
        .labels = am_config_labels(c),
        .family = family,
    };
}

static int special_tokens(const am_vit_options *o)
{
    return o->family->no_class_token ? 0 : o->family->distilled ? 2 : 1;
}

static am_value image_patches(am_builder *b, const am_vit_options *o)
{
    am_value x = am_pixel_values_sized(b, &o->image);
    x = am_patch_convolution(b, "patch_embeddings.projection", x, o->hidden_size, o->image.patch_size, AM_BIAS);
    return am_mask_patches(b, am_image_tokens(b, x), am_shape_of(1, 1, o->hidden_size));
}

static am_value embed(am_builder *b, const am_vit_options *o)
{
    const am_vit_family *family = o->family;
    am_shape token = am_shape_of(1, 1, o->hidden_size);
    am_scope(b, "embeddings");
    am_value x = family->patches ? family->patches(b, o) : image_patches(b, o);
    if (family->distilled) x = am_prepend_token(b, "distillation_token", token, x);
    if (!family->no_class_token) x = am_prepend_token(b, "cls_token", token, x);
    am_shape places = am_shape_of(1, am_dim(b, x, 1), o->hidden_size);
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
    if (!o.family->no_pooler && am_has_weight(b, "pooler.dense.weight")) /* checkpoints of classifiers have none */
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
    am_value seen =
        o.family->no_class_token ? am_reduce(b, AM_REDUCE_MEAN, x, am_shape_of(1), false) : am_index(b, x, 1, 0);
    am_output(b, "logits", am_linear(b, "classifier", seen, o.labels, AM_BIAS));
}
