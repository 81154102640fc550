/* MLCD: CLIP's image tower without positions among its embeddings: queries and keys of patches turn by row and column,
   those of the class token by angles of its own. transformers: models/mlcd/modeling_mlcd.py */
#include "models/blocks/clip.h"

#include <math.h>

typedef struct mlcd_config {
    am_image_options image;
    am_pre_norm_options encoder;
    int64_t hidden_size;
    double theta;
} mlcd_config;

static mlcd_config read_config(am_builder *b)
{
    const am_config *c = am_model_config(b);
    int64_t C = am_config_size(c, "hidden_size", 1664), heads = am_config_size(c, "num_attention_heads", 16);
    am_config rope = am_config_child(c, "rope_parameters");
    mlcd_config r = {
        .image = am_image_options_read(c, 336, 14),
        .encoder = {.num_hidden_layers = am_config_count(c, "num_hidden_layers", 48),
                    .intermediate_size = am_config_size(c, "intermediate_size", 8192),
                    .hidden_act = am_config_activation(c, "hidden_act", AM_GELU),
                    .layer_norm_eps = am_config_real(c, "layer_norm_eps", 1e-5),
                    .attention = {.heads = heads},
                    .names = &am_clip_names},
        .hidden_size = C,
        .theta = am_config_real(&rope, "rope_theta", am_config_real(c, "rope_theta", 10000)),
    };
    am_config_check_divides(c, "num_attention_heads", heads, "hidden_size", C);
    if (C / heads % 4 != 0) am_config_fail(c, "num_attention_heads", "expected heads of a multiple of 4");
    if (am_config_has(&rope, "rope_type") && !am_config_is(&rope, "rope_type", "axial"))
        am_config_unsupported(&rope, "rope_type", "this class has \"axial\" only");
    if (am_config_size(c, "num_key_value_groups", 1) != 1)
        am_config_unsupported(c, "num_key_value_groups", "keys and values have as many heads as queries");
    if (!(r.theta > 0)) am_config_fail(&rope, "rope_theta", "expected a number above 0");
    return r;
}

/* F32 [patches, pairs]: half the pairs turn by the row, half by the column. */
static am_value angles_of(am_builder *b, const mlcd_config *c, int64_t pairs, const int64_t patches[2])
{
    int64_t N = patches[0] * patches[1];
    am_shape shape = am_shape_of(N, pairs);
    if (am_builder_failed(b)) return AM_NONE;
    double *table =
        am_shape_check(&shape) ? am_arena_array(am_builder_arena(b), (size_t)(N * pairs), sizeof *table) : NULL;
    if (!table) {
        am_builder_fail(b, am_out_of_memory());
        return AM_NONE;
    }
    for (int64_t p = 0; p < N; p++)
        for (int64_t i = 0; i < pairs; i++) {
            int64_t half = pairs / 2, place = i < half ? p / patches[1] : p % patches[1];
            table[p * pairs + i] = (double)place * pow(c->theta, -(double)(i % half) / (double)half);
        }
    return am_constant_copy(b, AM_F64, shape, table);
}

static am_rope rope_of(am_builder *b, const mlcd_config *c, const int64_t patches[2])
{
    int64_t pairs = c->hidden_size / c->encoder.attention.heads / 2;
    am_value first = am_cast(b, am_weight(b, "class_pos_emb", am_shape_of(1, pairs)), AM_F64);
    am_value angles = am_unsqueeze(b, am_concat2(b, first, angles_of(b, c, pairs, patches), 0), 0);
    return (am_rope){.cos = am_cast(b, am_unary(b, AM_COS, angles), AM_F32),
                     .sin = am_cast(b, am_unary(b, AM_SIN, angles), AM_F32)};
}

static void mlcd_vision_model(am_builder *b)
{
    mlcd_config c = read_config(b);
    int64_t C = c.hidden_size;
    am_value x = am_pixel_values(b, c.image.num_channels);
    am_scope(b, "%s", am_clip_tower_scope(b, "vision_model", "pre_layrnorm.weight"));
    x = am_patch_convolution(b, "embeddings.patch_embedding", x, C, c.image.patch_size, AM_NO_BIAS);
    const int64_t patches[] = {am_dim(b, x, 2), am_dim(b, x, 3)};
    x = am_image_tokens(b, x);
    am_value token = am_parameter(b, "embeddings.class_embedding", am_shape_of(C), x);
    x = am_concat2(b, am_broadcast(b, token, am_shape_of(am_dim(b, x, 0), 1, C)), x, 1);
    x = am_layer_norm(b, "pre_layrnorm", x, c.encoder.layer_norm_eps);
    am_rope rope = rope_of(b, &c, patches);
    c.encoder.attention.rope = &rope;
    x = am_pre_norm_layers(b, x, &c.encoder);
    am_output(b, "last_hidden_state", x);
    am_output(b, "pooler_output", am_layer_norm(b, "post_layernorm", am_index(b, x, 1, 0), c.encoder.layer_norm_eps));
    am_end_scope(b);
}

static const am_architecture architectures[] = {
    {"MLCDVisionModel", mlcd_vision_model, "image-feature-extraction", 0},
    {0},
};

const am_model_type am_model_mlcd_vision_model = {
    .name = "mlcd_vision_model", .base_prefix = "vision_model", .architectures = architectures};
