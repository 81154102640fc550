#include "models/blocks/glm_image.h"

#include "models/blocks/glm_vision.h"

static const double LEAST_LENGTH = 1e-12; /* of torch.nn.functional.normalize */

static am_value enter(am_builder *b, am_value x, const am_grids *g, const am_patch_places *p, const am_qwen_vision *v)
{
    return am_add(b, x, am_glm_vision_positions(b, g, p, v, 2048, AM_RESIZE_LINEAR));
}

static void leave(am_builder *b, am_value x, const am_qwen_vision *v, am_qwen_vision_output *out)
{
    (void)b;
    (void)v;
    out->last_hidden_state = out->pooler_output = x;
}

am_qwen_vision am_glm_image_vision_read(const am_config *c)
{
    am_qwen_vision v = {
        .depth = am_config_count(c, am_config_either(c, "depth", "num_hidden_layers"), 40),
        .width = am_config_size(c, "hidden_size", 1536),
        .intermediate_size = am_config_size(c, "intermediate_size", 6144),
        .heads = am_config_size(c, am_config_either(c, "num_heads", "num_attention_heads"), 16),
        .in_channels = am_config_size(c, "in_channels", 3),
        .patch_size = am_config_size(c, "patch_size", 16),
        .temporal_patch_size = 1,
        .merge = am_config_size(c, "spatial_merge_size", 1),
        .c = c,
        .hidden_act = am_config_activation(c, "hidden_act", AM_GELU),
        .norm_eps = am_config_real(c, "layer_norm_eps", 1e-6),
        .patch_bias = true,
        .no_time = true,
        .no_rope = true,
        .enter = enter,
        .leave = leave,
    };
    v.out_width = v.width;
    v.no_qkv_bias = v.no_proj_bias = !am_config_flag(c, "attention_bias", true);
    am_config_check_divides(c, "num_heads", v.heads, "hidden_size", v.width);
    return v;
}

am_vqgan_codes am_glm_image_quantize(am_builder *b, const am_config *c, am_value x)
{
    int64_t C = am_config_size(c, "latent_channels", 1536), D = am_config_size(c, "embed_dim", 2048),
            count = am_config_size(c, "num_embeddings", 16384);
    am_value weight = am_reshape(b, am_weight(b, "quant_conv.weight", am_shape_of(D, C, 1, 1)), am_shape_of(D, C));
    am_value rows = am_linear_with(b, x, weight, am_weight(b, "quant_conv.bias", am_shape_of(D)));
    am_value table = am_cast(b, am_weight(b, "quantize.embedding.weight", am_shape_of(count, D)), AM_F32);
    rows = am_unit_length(b, rows, LEAST_LENGTH);
    table = am_unit_length(b, table, LEAST_LENGTH);
    am_vqgan_codes out = {.codes = am_nearest_codes(b, rows, table)};
    out.quantized = am_gather(b, table, out.codes, 0, false);
    am_value apart = am_sub(b, out.quantized, rows);
    out.loss = am_reduce(b, AM_REDUCE_MEAN, am_mul(b, apart, apart), am_shape_of(0, 1), false);
    out.loss = am_mul_number(b, out.loss, 1 + am_config_real(c, "beta", 0.25));
    return out;
}
