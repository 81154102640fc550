#include "models/blocks/glm_vision.h"

#include "models/blocks/limited_gates.h"
#include "models/blocks/vision.h"

#include <inttypes.h>

static const double MERGER_NORM_EPS = 1e-5; /* not configurable */

am_value am_glm_vision_positions(am_builder *b, const am_grids *g, const am_patch_places *p, const am_qwen_vision *v,
                                 int64_t fallback, am_resize_mode mode)
{
    int64_t side = am_config_size(v->c, "image_size", fallback) / v->patch_size;
    if (side < 1) am_config_fail(v->c, "image_size", "less than a patch of %" PRId64, v->patch_size);
    am_value table =
        am_cast(b, am_weight(b, "embeddings.position_embedding.weight", am_shape_of(side * side, v->width)), AM_F32);
    table = am_reshape(b, am_transpose(b, table, 0, 1), am_shape_of(1, v->width, side, side));
    am_grid_sample_attributes options = {.mode = mode, .padding = AM_PAD_REPLICATE};
    for (int i = 0; i < g->count && !am_builder_failed(b); i++)
        if (g->items[i].t != 1)
            am_builder_fail(b, am_error(AM_INVALID_ARGUMENT, "grids of several frames have to be given one by one"));
    am_value x = am_grid_sample(b, table, am_grid_relative_places(b, g, p), &options); /* [1, width, N, 1] */
    return am_builder_failed(b) ? AM_NONE : am_transpose(b, am_reshape(b, x, am_shape_of(v->width, -1)), 0, 1);
}

static am_value enter(am_builder *b, am_value x, const am_grids *g, const am_patch_places *p, const am_qwen_vision *v)
{
    x = am_rms_norm(b, "post_conv_layernorm", x, v->norm_eps, 0);
    return am_add(b, x, am_glm_vision_positions(b, g, p, v, 336, AM_RESIZE_CUBIC));
}

void am_glm_vision_leave(am_builder *b, am_value x, const am_qwen_vision *v, int64_t inner, am_qwen_vision_output *out)
{
    int64_t m = v->merge;
    am_shape side = am_shape_of(m, m);
    x = am_rms_norm(b, "post_layernorm", x, v->norm_eps, 0);
    x = am_permute(b, am_reshape(b, x, am_shape_of(-1, m, m, v->width)), am_shape_of(0, 3, 1, 2));
    x = am_conv(b, "downsample", x, v->out_width, side, AM_BIAS, &(am_convolution_attributes){.stride = side});
    x = out->last_hidden_state = am_flatten(b, x, 1, 3);
    am_scope(b, "merger");
    x = am_layer_norm(b, "post_projection_norm", am_linear(b, "proj", x, v->out_width, AM_NO_BIAS), MERGER_NORM_EPS);
    x = am_unary(b, AM_GELU, x);
    out->pooler_output = v->limit > 0 ? am_limited_mlp(b, x, inner, v->hidden_act, AM_NO_BIAS, v->limit)
                                      : am_gated_mlp(b, x, inner, v->hidden_act, AM_NO_BIAS);
    am_end_scope(b);
}

static void leave(am_builder *b, am_value x, const am_qwen_vision *v, am_qwen_vision_output *out)
{
    am_glm_vision_leave(b, x, v, am_config_size(v->c, "intermediate_size", 13696), out);
}

am_qwen_vision am_glm_vision_read(const am_config *c)
{
    am_config rope = am_config_child(c, "rope_parameters");
    am_qwen_vision v = {
        .depth = am_config_count(c, am_config_either(c, "depth", "num_hidden_layers"), 24),
        .width = am_config_size(c, "hidden_size", 1536),
        .out_width = am_config_size(c, "out_hidden_size", 4096),
        .heads = am_config_size(c, am_config_either(c, "num_heads", "num_attention_heads"), 12),
        .in_channels = am_config_size(c, "in_channels", 3),
        .patch_size = am_config_size(c, "patch_size", 14),
        .temporal_patch_size = am_config_size(c, "temporal_patch_size", 2),
        .merge = am_config_size(c, "spatial_merge_size", 2),
        .c = c,
        .hidden_act = am_config_activation(c, "hidden_act", AM_SILU),
        .modern = true,
        .theta = am_config_real(&rope, "rope_theta", 10000),
        .norm_eps = am_config_real(c, "rms_norm_eps", 1e-5),
        .patch_bias = true,
        .no_qkv_bias = !am_config_flag(c, "attention_bias", false),
        .no_proj_bias = true,
        .no_mlp_bias = true,
        .enter = enter,
        .leave = leave,
    };
    v.intermediate_size = v.out_width; /* the class takes this for the layers, and intermediate_size for the merger */
    am_config_check_divides(c, "num_heads", v.heads, "hidden_size", v.width);
    return v;
}

am_qwen_vision am_glm_ocr_vision_read(const am_config *c)
{
    am_qwen_vision v = am_glm_vision_read(c);
    bool biased = am_config_flag(c, "attention_bias", true);
    v.width = am_config_size(c, "hidden_size", 1024);
    v.heads = am_config_size(c, am_config_either(c, "num_heads", "num_attention_heads"), 16);
    v.out_width = am_config_size(c, "out_hidden_size", 1536);
    v.intermediate_size = am_config_size(c, "intermediate_size", 4096);
    v.no_qkv_bias = v.no_proj_bias = v.no_mlp_bias = !biased;
    v.qk_norm = true;
    v.enter = NULL;
    am_config_check_divides(c, "num_heads", v.heads, "hidden_size", v.width);
    return v;
}

void am_glm_vision_model(am_builder *b, am_qwen_vision_read *read)
{
    am_qwen_vision v = read(am_model_config(b));
    am_value x = am_input(b, "hidden_states", 2);
    am_grids grids = am_grids_read(b, "grid_thw", v.merge);
    am_qwen_vision_output out = am_qwen_vision_tower(b, x, &grids, &v, true);
    am_output(b, "last_hidden_state", out.last_hidden_state);
    am_output(b, "pooler_output", out.pooler_output);
}

int am_glm_text_inputs(am_builder *b, am_part_input out[AM_VISION_LANGUAGE_INPUTS])
{
    am_config vision = am_config_child(am_model_config(b), "vision_config");
    const am_qwen_places places = {.merge = am_config_size(&vision, "spatial_merge_size", 2), .frames_apart = true};
    return am_qwen_text_inputs(b, &places, out);
}

void am_glm_text_adapt(const am_config *c, am_decoder_options *o)
{
    static const int64_t sections[3] = {8, 12, 12};
    static const am_decoder_norms norms = {.before_attention = "input_layernorm",
                                           .after_attention = "post_self_attn_layernorm",
                                           .before_mlp = "post_attention_layernorm",
                                           .after_mlp = "post_mlp_layernorm"};
    o->norms = &norms;
    o->fused_gate_up = true;
    o->rotary_interleaved = true;
    o->qkv_bias = true;
    o->mrope = am_mrope_sections_read(c, &o->rope, sections, false);
}
