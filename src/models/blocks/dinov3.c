#include "models/blocks/dinov3.h"

#include <math.h>

static const double TURN = 6.28318530717958647693;

const am_pre_norm_names am_dinov3_names = {.layers = "layer",
                                           .attention = "attention",
                                           .norm_before = "norm1",
                                           .norm_after = "norm2",
                                           .up = "mlp.up_proj",
                                           .down = "mlp.down_proj",
                                           .attention_scale = "layer_scale1.lambda1",
                                           .mlp_scale = "layer_scale2.lambda1"};

static am_value plain_mlp(am_builder *b, am_value x, const am_pre_norm_options *o)
{
    const am_dinov3_options *options = o->context;
    int64_t C = am_dim(b, x, -1);
    int bias = options->no_mlp_bias ? AM_NO_BIAS : AM_BIAS;
    x = am_linear_activation(b, "mlp.up_proj", x, o->intermediate_size, bias, o->hidden_act);
    return am_linear(b, "mlp.down_proj", x, C, bias);
}

static am_value gated_mlp(am_builder *b, am_value x, const am_pre_norm_options *o)
{
    const am_dinov3_options *options = o->context;
    int64_t C = am_dim(b, x, -1);
    int bias = options->no_mlp_bias ? AM_NO_BIAS : AM_BIAS;
    am_value gate = am_linear(b, "mlp.gate_proj", x, o->intermediate_size, bias),
             up = am_linear(b, "mlp.up_proj", x, o->intermediate_size, bias);
    return am_linear(b, "mlp.down_proj", am_gated_activation(b, o->hidden_act, gate, up), C, bias);
}

void am_dinov3_options_read(const am_config *c, const am_dinov3_defaults *d, am_dinov3_options *out)
{
    int64_t C = am_config_size(c, "hidden_size", d->hidden_size);
    am_config rope = am_config_child(c, am_config_has(c, "rope_parameters") ? "rope_parameters" : "rope_scaling");
    *out = (am_dinov3_options){
        .image = am_image_options_read(c, d->image_size, 16),
        .encoder = {.num_hidden_layers = am_config_count(c, "num_hidden_layers", d->layers),
                    .intermediate_size = am_config_size(c, "intermediate_size", d->intermediate_size),
                    .hidden_act = am_config_activation(c, "hidden_act", AM_GELU),
                    .layer_norm_eps = am_config_real(c, "layer_norm_eps", d->layer_norm_eps),
                    .attention = {.heads = am_config_size(c, "num_attention_heads", d->heads),
                                  .out = "o_proj",
                                  .no_q_bias = !am_config_flag(c, "query_bias", true),
                                  .no_k_bias = !am_config_flag(c, "key_bias", false),
                                  .no_v_bias = !am_config_flag(c, "value_bias", true),
                                  .no_out_bias = !am_config_flag(c, "proj_bias", true)},
                    .names = &am_dinov3_names,
                    .mlp = am_config_flag(c, "use_gated_mlp", false) ? gated_mlp : plain_mlp,
                    .context = out},
        .hidden_size = C,
        .registers = am_config_count(c, "num_register_tokens", d->registers),
        .rope_theta = am_config_real(&rope, "rope_theta", am_config_real(c, "rope_theta", d->rope_theta)),
        .no_mlp_bias = !am_config_flag(c, "mlp_bias", true),
    };
    int64_t heads = out->encoder.attention.heads;
    am_config_check_divides(c, "num_attention_heads", heads, "hidden_size", C);
    if (C / heads % 4 != 0)
        am_config_fail(c, "num_attention_heads", "heads of %lld: a fourth of them turns by each of four",
                       (long long)(C / heads));
    if (!(out->rope_theta > 0)) am_config_fail(c, "rope_theta", "expected a number above 0");
    if (!am_config_is(&rope, "rope_type", "default") && am_config_has(&rope, "rope_type"))
        am_config_unsupported(&rope, "rope_type", "this class has \"default\" only");
}

am_value am_dinov3_embed(am_builder *b, const am_dinov3_options *o, int64_t patches[2])
{
    int64_t C = o->hidden_size;
    am_value x = am_pixel_values(b, o->image.num_channels);
    am_scope(b, "embeddings");
    x = am_patch_convolution(b, "patch_embeddings", x, C, o->image.patch_size, AM_BIAS);
    patches[0] = am_dim(b, x, 2);
    patches[1] = am_dim(b, x, 3);
    x = am_mask_patches(b, am_image_tokens(b, x), am_shape_of(1, 1, C));
    if (o->registers) {
        am_value tokens = am_parameter(b, "register_tokens", am_shape_of(1, o->registers, C), x);
        x = am_concat2(b, am_broadcast(b, tokens, am_shape_of(am_dim(b, x, 0), o->registers, C)), x, 1);
    }
    x = am_prepend_token(b, "cls_token", am_shape_of(1, 1, C), x);
    am_end_scope(b);
    return x;
}

/* Rows of the tables for the patches; the rows of `prefix` tokens before them are angles of 0. */
static void fill(float *cosines, float *sines, const am_dinov3_options *o, int64_t pairs, const int64_t patches[2])
{
    for (int64_t p = 0; p < patches[0] * patches[1]; p++) {
        int64_t at[] = {p / patches[1], p % patches[1]};
        for (int64_t i = 0; i < pairs; i++) {
            int axis = i >= pairs / 2;
            int64_t n = i - axis * (pairs / 2);
            double centre = 2 * ((double)at[axis] + 0.5) / (double)patches[axis] - 1,
                   angle = TURN * centre * pow(o->rope_theta, -(double)n / (double)(pairs / 2));
            cosines[p * pairs + i] = (float)cos(angle);
            sines[p * pairs + i] = (float)sin(angle);
        }
    }
}

am_rope am_dinov3_rope(am_builder *b, const am_dinov3_options *o, int64_t prefix, const int64_t patches[2])
{
    int64_t pairs = o->hidden_size / o->encoder.attention.heads / 2;
    am_shape shape = am_shape_of(1, prefix + patches[0] * patches[1], pairs);
    am_rope rope = {0};
    if (am_builder_failed(b)) return rope;
    size_t count = (size_t)(shape.dims[1] * pairs);
    float *tables = am_shape_check(&shape) ? am_arena_array(am_builder_arena(b), 2 * count, sizeof *tables) : NULL;
    if (!tables) {
        am_builder_fail(b, am_out_of_memory());
        return rope;
    }
    float *cosines = tables, *sines = tables + count;
    for (int64_t i = 0; i < prefix * pairs; i++) {
        cosines[i] = 1;
        sines[i] = 0;
    }
    fill(cosines + prefix * pairs, sines + prefix * pairs, o, pairs, patches);
    rope.cos = am_constant_copy(b, AM_F32, shape, cosines);
    rope.sin = am_constant_copy(b, AM_F32, shape, sines);
    return rope;
}
