/* Segment Anything 3 with MobileCLIP's text encoder, whose first and last layer may be convolutions over the tokens.
   transformers: models/sam3_lite_text/modeling_sam3_lite_text.py */
#include "models/blocks/convolutions.h"
#include "models/blocks/heads.h"
#include "models/blocks/pre_norm.h"
#include "models/blocks/sam3.h"
#include "models/blocks/vision.h"

static const double BATCH_NORM_EPS = 1e-5; /* not configurable */

static const am_pre_norm_names names = {.attention = "self_attn",
                                        .norm_before = "layer_norm1",
                                        .norm_after = "layer_norm2",
                                        .up = "mlp.fc1",
                                        .down = "mlp.fc2"};

typedef struct text_config {
    int64_t vocab_size, C, projection_dim, max_positions, kernel;
    bool has_mixers;
    am_pre_norm_options layers;
} text_config;

static text_config read_config(const am_config *c)
{
    text_config r = {
        .vocab_size = am_config_size(c, "vocab_size", 49408),
        .C = am_config_size(c, "hidden_size", 512),
        .projection_dim = am_config_size(c, "projection_dim", 512),
        .max_positions = am_config_size(c, "max_position_embeddings", 77),
        .kernel = am_config_size(c, "repmixer_kernel_size", 11),
        .has_mixers = am_config_flag(c, "use_repmixer_blocks", true),
        .layers = {.num_hidden_layers = am_config_count(c, "num_hidden_layers", 12),
                   .intermediate_size = am_config_size(c, "intermediate_size", 2048),
                   .hidden_act = am_config_activation(c, "hidden_act", AM_GELU),
                   .layer_norm_eps = am_config_real(c, "layer_norm_eps", 1e-5),
                   .attention = {.heads = am_config_size(c, "num_attention_heads", 8)},
                   .names = &names},
    };
    am_config_check_divides(c, "num_attention_heads", r.layers.attention.heads, "hidden_size", r.C);
    if (r.kernel % 2 == 0) am_config_fail(c, "repmixer_kernel_size", "expected an odd number");
    return r;
}

/* Tokens with their places, which are stretched or shrunk to the text's length. */
static am_value embed(am_builder *b, const text_config *c)
{
    am_value ids = am_input(b, "input_ids", 2);
    int64_t T = am_dim(b, ids, 1);
    am_scope(b, "embeddings");
    am_value x = am_embedding(b, "token_embedding", ids, c->vocab_size, c->C);
    am_value places =
        am_parameter(b, "position_embedding.position_embedding", am_shape_of(1, 1, c->max_positions, c->C), x);
    if (!am_builder_failed(b) && T != c->max_positions) places = am_image_resized(b, places, T, c->C);
    x = am_add(b, x, am_reshape(b, places, am_shape_of(1, T, c->C)));
    am_end_scope(b);
    return x;
}

/* --- convolutions over tokens --- */

/* A kernel for each channel over the tokens around: x: [B, C, 1, T]. */
static am_value depthwise(am_builder *b, const char *name, am_value x, const text_config *c)
{
    am_shape padding = am_shape_of(0, c->kernel / 2);
    am_convolution_attributes options = {.padding_before = padding, .padding_after = padding, .groups = c->C};
    return am_conv(b, name, x, c->C, am_shape_of(1, c->kernel), AM_NO_BIAS, &options);
}

/* x + layer_scale * update, below the scope. */
static am_value add_scaled(am_builder *b, am_value x, am_value update, const text_config *c)
{
    am_value scale = am_parameter(b, "layer_scale", am_shape_of(c->C, 1, 1), x);
    return am_add(b, x, am_mul(b, update, scale));
}

static am_value mix_tokens(am_builder *b, am_value x, const text_config *c)
{
    am_scope(b, "token_mixer");
    am_scope(b, "mixer");
    am_value h = am_batch_norm(b, "batchnorm_conv", depthwise(b, "conv", x, c), BATCH_NORM_EPS);
    h = am_add(b, h, am_batch_norm(b, "batchnorm_skip", x, BATCH_NORM_EPS));
    am_end_scope(b);
    h = am_sub(b, h, am_batch_norm(b, "reference_batchnorm", x, BATCH_NORM_EPS));
    x = add_scaled(b, x, h, c);
    am_end_scope(b);
    return x;
}

/* x: [B, T, C] */
static am_value mixer_layer(am_builder *b, am_value x, const text_config *c)
{
    am_convolution_attributes options = {0};
    am_shape one = am_shape_of(1, 1);
    x = mix_tokens(b, am_unsqueeze(b, am_transpose(b, x, 1, 2), 2), c);
    am_scope(b, "conv_feed_forward");
    am_value h = am_batch_norm(b, "depthwise_batchnorm", depthwise(b, "depthwise_conv", x, c), BATCH_NORM_EPS);
    h = am_conv(b, "mlp.fc1", h, c->layers.intermediate_size, one, AM_BIAS, &options);
    h = am_conv(b, "mlp.fc2", am_unary(b, c->layers.hidden_act, h), c->C, one, AM_BIAS, &options);
    am_end_scope(b);
    return am_transpose(b, am_squeeze(b, add_scaled(b, x, h, c), 2), 1, 2);
}

/* Hidden states are those of layers with attention; the last is normed. */
static am_value encode(am_builder *b, const text_config *c, bool names_states)
{
    am_value x = embed(b, c);
    am_pre_norm_options layers = c->layers;
    layers.attention.mask = am_padding_mask(b, "attention_mask");
    int count = 0;
    for (int i = 0; i < layers.num_hidden_layers && !am_builder_failed(b); i++) {
        bool mixes = c->has_mixers && (i == 0 || i == layers.num_hidden_layers - 1);
        am_scope(b, "layers.%d", i);
        if (!mixes && names_states) am_output_hidden_state(b, "hidden_states", count++, x);
        x = mixes ? mixer_layer(b, x, c) : am_pre_norm_layer(b, x, &layers);
        am_end_scope(b);
    }
    x = am_layer_norm(b, "final_layer_norm", x, layers.layer_norm_eps);
    if (count && names_states) am_output_hidden_state(b, "hidden_states", count, x);
    return x;
}

static void text_model(am_builder *b)
{
    text_config c = read_config(am_model_config(b));
    am_value x = encode(b, &c, true);
    am_output(b, "last_hidden_state", x);
    am_value end = am_arg_reduce(b, am_input(b, "input_ids", 2), 1, false);
    am_output(b, "pooler_output", am_linear(b, "projection", am_rows_at(b, x, end), c.projection_dim, AM_NO_BIAS));
}

static am_value lite_text(am_builder *b, const am_config *config)
{
    text_config c = read_config(config);
    return encode(b, &c, false);
}

static void lite_text_model(am_builder *b)
{
    am_sam3_detect(b, lite_text);
}

static const am_architecture architectures[] = {
    {"Sam3LiteTextModel", lite_text_model, NULL, 0},
    {"Sam3LiteTextTextModel", text_model, NULL, 0},
    {0},
};

const am_model_type am_model_sam3_lite_text = {
    .name = "sam3_lite_text sam3_lite_text_text_model", .base_prefix = "model", .architectures = architectures};
