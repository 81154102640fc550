#include "models/blocks/eomt.h"

#include <inttypes.h>

static const double UPSCALE_NORM_EPS = 1e-6;

static const am_pre_norm_names names = {.attention = "attention",
                                        .norm_before = "norm1",
                                        .norm_after = "norm2",
                                        .up = "mlp.fc1",
                                        .down = "mlp.fc2",
                                        .attention_scale = "layer_scale1.lambda1",
                                        .mlp_scale = "layer_scale2.lambda1"};

static am_value gated_mlp(am_builder *b, am_value x, const am_pre_norm_options *o)
{
    int64_t C = am_dim(b, x, -1);
    am_value gate = am_linear(b, "mlp.gate_proj", x, o->intermediate_size, AM_BIAS),
             up = am_linear(b, "mlp.up_proj", x, o->intermediate_size, AM_BIAS);
    return am_linear(b, "mlp.down_proj", am_gated_activation(b, AM_SILU, gate, up), C, AM_BIAS);
}

am_pre_norm_options am_eomt_layers_read(const am_config *c, int64_t C)
{
    bool gated = am_config_flag(c, "use_swiglu_ffn", false);
    int64_t heads = am_config_size(c, "num_attention_heads", 16),
            inner = am_scaled_size(c, "mlp_ratio", C, am_config_real(c, "mlp_ratio", 4));
    am_config_check_divides(c, "num_attention_heads", heads, "hidden_size", C);
    return (am_pre_norm_options){
        .num_hidden_layers = am_config_count(c, "num_hidden_layers", 24),
        .intermediate_size = gated ? ((int64_t)((double)(inner * 2) / 3) + 7) / 8 * 8 : inner,
        .hidden_act = am_config_activation(c, "hidden_act", AM_GELU),
        .layer_norm_eps = am_config_real(c, "layer_norm_eps", 1e-6),
        .attention = {.heads = heads},
        .names = &names,
        .mlp = gated ? gated_mlp : NULL,
    };
}

am_value am_eomt_embed(am_builder *b, am_value pixels, const am_image_options *image, int64_t C, int64_t registers)
{
    am_scope(b, "embeddings");
    am_value x = am_patch_convolution(b, "patch_embeddings.projection", pixels, C, image->patch_size, AM_BIAS);
    x = am_image_tokens(b, x);
    x = am_add(b, x, am_parameter(b, "position_embeddings.weight", am_shape_of(am_dim(b, x, 1), C), x));
    if (registers) {
        am_value tokens = am_parameter(b, "register_tokens", am_shape_of(1, registers, C), x);
        x = am_concat2(b, am_broadcast(b, tokens, am_shape_of(am_dim(b, x, 0), registers, C)), x, 1);
    }
    x = am_prepend_token(b, "cls_token", am_shape_of(1, 1, C), x);
    am_end_scope(b);
    return x;
}

am_eomt am_eomt_read(const am_config *c, const am_image_options *image, int64_t layers)
{
    am_eomt o = {.queries = am_config_size(c, "num_queries", 200),
                 .blocks = am_config_count(c, "num_blocks", 4),
                 .upscales = am_config_count(c, "num_upscale_blocks", 2),
                 .labels = am_config_labels(c),
                 .patches = {image->image_size[0] / image->patch_size[0], image->image_size[1] / image->patch_size[1]}};
    if (o.blocks < 1 || o.blocks > layers)
        am_config_fail(c, "num_blocks", "%" PRId64 " of %" PRId64 " layers", o.blocks, layers);
    if (o.upscales > 16) {
        am_config_fail(c, "num_upscale_blocks", "more than 16");
        o.upscales = 0;
    }
    return o;
}

/* x: [B, C, H, W] -> [B, C, 2 H, 2 W] */
static am_value upscale(am_builder *b, am_value x, am_unary_fn activation)
{
    int64_t C = am_dim(b, x, 1);
    am_shape one = am_shape_of(1, 1);
    am_convolution_attributes doubling = {.stride = am_shape_of(2, 2)};
    am_convolution_attributes depthwise = {.padding_before = one, .padding_after = one, .groups = C};
    am_value weight = am_weight(b, "conv1.weight", am_shape_of(C, C, 2, 2)),
             bias = am_weight(b, "conv1.bias", am_shape_of(C));
    x = am_unary(b, activation, am_conv_transpose(b, x, weight, bias, &doubling));
    x = am_conv(b, "conv2", x, C, am_shape_of(3, 3), AM_NO_BIAS, &depthwise);
    return am_layer_norm_channels_first(b, "layernorm2d", x, UPSCALE_NORM_EPS);
}

am_value am_eomt_masks(am_builder *b, am_value x, const am_eomt *o)
{
    int64_t C = am_dim(b, x, 2), B = am_dim(b, x, 0);
    am_unary_fn act = o->layers.hidden_act;
    am_value queries = am_slice(b, x, 1, 0, o->queries),
             image = am_slice(b, x, 1, o->queries + o->prefix, AM_SLICE_END);
    image = am_tokens_image(b, image, o->patches[0], o->patches[1]);
    queries = am_linear_activation(b, "mask_head.fc1", queries, C, AM_BIAS, act);
    queries = am_linear_activation(b, "mask_head.fc2", queries, C, AM_BIAS, act);
    queries = am_linear(b, "mask_head.fc3", queries, C, AM_BIAS);
    for (int i = 0; i < o->upscales && !am_builder_failed(b); i++) {
        am_scope(b, "upscale_block.block.%d", i);
        image = upscale(b, image, act);
        am_end_scope(b);
    }
    am_shape shape = am_shape_of(B, o->queries, am_dim(b, image, 2), am_dim(b, image, 3));
    return am_reshape(b, am_matmul(b, queries, am_flatten(b, image, 2, 3), false, false), shape);
}

static am_value all_seen(am_builder *b, int64_t B, int64_t rows, int64_t columns)
{
    return am_broadcast(b, am_scalar(b, AM_BOOL, 1), am_shape_of(B, rows, columns));
}

/* BOOL [B, 1, T, T]: a query sees patches only where its mask is. `chance` (F32 [1] or AM_NONE: 1) is how often that
   holds for a query; where it is 0, the mask of the layer before stays. */
static am_value attention_mask(am_builder *b, am_value x, const am_eomt *o, am_value chance, am_value before)
{
    int64_t B = am_dim(b, x, 0), T = am_dim(b, x, 1), Q = o->queries, N = o->patches[0] * o->patches[1];
    am_value masks = am_image_resized(b, am_eomt_masks(b, x, o), o->patches[0], o->patches[1]);
    am_value seen = am_binary_number(b, AM_GREATER, am_reshape(b, masks, am_shape_of(B, Q, N)), 0);
    if (chance.id) {
        am_value drawn = am_random(b, am_shape_of(B, Q, 1), 0, false);
        seen = am_binary(b, AM_LOGICAL_OR, seen, am_binary(b, AM_GREATER, drawn, chance));
    }
    seen = am_concat2(b, all_seen(b, B, Q, T - N), seen, 2);
    seen = am_unsqueeze(b, am_concat2(b, seen, all_seen(b, B, T - Q, T), 1), 1);
    if (!chance.id) return seen;
    if (!before.id) before = am_unsqueeze(b, all_seen(b, B, T, T), 1);
    return am_select(b, am_binary_number(b, AM_GREATER, chance, 0), seen, before);
}

static am_value with_queries(am_builder *b, am_value x, const am_eomt *o)
{
    int64_t B = am_dim(b, x, 0), C = am_dim(b, x, 2);
    am_value queries = am_parameter(b, "query.weight", am_shape_of(o->queries, C), x);
    return am_concat2(b, am_broadcast(b, am_unsqueeze(b, queries, 0), am_shape_of(B, o->queries, C)), x, 1);
}

void am_eomt_segment(am_builder *b, am_value x, const am_eomt *o)
{
    am_pre_norm_options layers = o->layers;
    int64_t first = layers.num_hidden_layers - o->blocks;
    am_value chances = am_weight_optional(b, "attn_mask_probs", am_shape_of(o->blocks)), normed = AM_NONE;
    layers.attention.rope = o->rope;
    for (int i = 0; i < layers.num_hidden_layers && !am_builder_failed(b); i++) {
        if (i == first) {
            x = with_queries(b, x, o);
            layers.attention.rope = o->rope_with_queries;
        }
        if (i >= first) {
            am_value chance =
                chances.id ? am_slice(b, am_cast(b, chances, AM_F32), 0, i - first, i - first + 1) : AM_NONE;
            normed = am_layer_norm(b, "layernorm", x, layers.layer_norm_eps);
            layers.attention.mask = attention_mask(b, normed, o, chance, layers.attention.mask);
        }
        am_scope(b, "layers.%d", i);
        x = am_pre_norm_layer(b, x, &layers);
        am_end_scope(b);
    }
    x = am_layer_norm(b, "layernorm", x, layers.layer_norm_eps);
    am_output(b, "class_queries_logits",
              am_linear(b, "class_predictor", am_slice(b, x, 1, 0, o->queries), o->labels + 1, AM_BIAS));
    am_output(b, "masks_queries_logits", am_eomt_masks(b, x, o));
    am_output(b, "last_hidden_state", x);
}
