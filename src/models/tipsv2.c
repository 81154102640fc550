/* TIPSv2: a text encoder whose tokens are averaged, and DINOv2's layers over an image; products of the two vectors over
   a temperature are the logits. Weights have the names that the first implementation gave them. transformers:
   models/tipsv2/modeling_tipsv2.py */
#include "models/blocks/clip.h"
#include "models/blocks/heads.h"
#include "models/blocks/packed_attention.h"
#include "models/blocks/pre_norm.h"
#include "models/blocks/sinusoids.h"
#include "models/blocks/vision.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

enum { LAYERS_LIMIT = 256 };

/* --- images --- */

static const am_pre_norm_names vision_names = {.layers = "blocks",
                                               .attention = "attn",
                                               .norm_before = "norm1",
                                               .norm_after = "norm2",
                                               .up = "mlp.c_fc",
                                               .down = "mlp.c_proj",
                                               .attention_scale = "ls1.gamma",
                                               .mlp_scale = "ls2.gamma"};

typedef struct vision_config {
    am_config config;
    am_image_options image;
    am_pre_norm_options layers;
    int64_t C, registers, patches[2]; /* patches: of the image that is read, in a column and in a row */
} vision_config;

/* Gate and up are one projection. */
static am_value gated_mlp(am_builder *b, am_value x, const am_pre_norm_options *o)
{
    int64_t C = am_dim(b, x, -1), inner = o->intermediate_size;
    x = am_gated_activation(b, AM_SILU, am_linear(b, "mlp.w12", x, 2 * inner, AM_BIAS), AM_NONE);
    return am_linear(b, "mlp.w3", x, C, AM_BIAS);
}

static vision_config read_vision(const am_config *c)
{
    bool gated = am_config_flag(c, "use_swiglu_ffn", false);
    int64_t C = am_config_size(c, "hidden_size", 768), heads = am_config_size(c, "num_attention_heads", 12),
            inner = am_scaled_size(c, "mlp_ratio", C, am_config_real(c, "mlp_ratio", 4));
    vision_config r = {
        .config = *c,
        .image = am_image_options_read(c, 448, 14),
        .layers = {.num_hidden_layers = am_config_count(c, "num_hidden_layers", 12),
                   .intermediate_size = gated ? ((int64_t)((double)(inner * 2) / 3) + 7) / 8 * 8 : inner,
                   .hidden_act = am_config_activation(c, "hidden_act", AM_GELU),
                   .layer_norm_eps = am_config_real(c, "layer_norm_eps", 1e-6),
                   .attention =
                       {.heads = heads, .qkv = "qkv", .out = "proj", .no_q_bias = !am_config_flag(c, "qkv_bias", true)},
                   .names = &vision_names,
                   .mlp = gated ? gated_mlp : NULL},
        .C = C,
        .registers = am_config_count(c, "num_register_tokens", 1),
    };
    am_config_check_divides(c, "num_attention_heads", heads, "hidden_size", C);
    if (am_config_has(c, "head_dim") && am_config_size(c, "head_dim", C / heads) != C / heads)
        am_config_unsupported(c, "head_dim", "heads of another width than hidden_size over num_attention_heads");
    if (r.layers.num_hidden_layers > LAYERS_LIMIT) {
        am_config_unsupported(c, "num_hidden_layers", "at most %d are supported", LAYERS_LIMIT);
        r.layers.num_hidden_layers = 0;
    }
    return r;
}

/* Places of the class token and of all patches; those of other images are resized: [1, 1 + N, C]. */
static am_value image_places(am_builder *b, const vision_config *c, bool is_square)
{
    int64_t own = am_image_patches(&c->image), side = (int64_t)sqrt((double)own), rows = c->patches[0],
            columns = c->patches[1];
    am_value all = am_cast(b, am_weight(b, "pos_embed", am_shape_of(1, 1 + own, c->C)), AM_F32);
    if (rows * columns == own && is_square) return all;
    if (side * side != own) am_config_unsupported(&c->config, "image_size", "positions are resized from squares only");
    if (side * side != own || am_builder_failed(b)) return all;
    am_resize_attributes options = {.size = am_shape_of(rows, columns), .mode = AM_RESIZE_LINEAR, .antialias = true};
    am_value grid = am_tokens_image(b, am_slice(b, all, 1, 1, AM_SLICE_END), side, side);
    grid = am_image_tokens(b, am_resize(b, grid, &options));
    return am_concat2(b, am_slice(b, all, 1, 0, 1), grid, 1);
}

/* The class token, the registers, then the patches: [B, T, C]. */
static am_value embed_image(am_builder *b, vision_config *c)
{
    am_value pixels = am_pixel_values(b, c->image.num_channels);
    bool is_square = am_dim(b, pixels, 2) == am_dim(b, pixels, 3);
    am_value x = am_patch_convolution(b, "patch_embed.proj", pixels, c->C, c->image.patch_size, AM_BIAS);
    for (int i = 0; i < 2; i++) c->patches[i] = am_dim(b, x, 2 + i);
    x = am_mask_patches(b, am_image_tokens(b, x), am_shape_of(1, c->C));
    x = am_prepend_token(b, "cls_token", am_shape_of(1, 1, c->C), x);
    if (!am_builder_failed(b)) x = am_add(b, x, image_places(b, c, is_square));
    if (c->registers == 0) return x;
    am_value tokens = am_parameter(b, "register_tokens", am_shape_of(1, c->registers, c->C), x);
    tokens = am_broadcast(b, tokens, am_shape_of(am_dim(b, x, 0), c->registers, c->C));
    am_value parts[] = {am_slice(b, x, 1, 0, 1), tokens, am_slice(b, x, 1, 1, AM_SLICE_END)};
    return am_concat(b, parts, 3, 1);
}

/* The tower of the configuration below its scope; `mask` is the input attention_mask's, or AM_NONE. */
static am_clip_output image_tower(am_builder *b, const am_config *config, am_value mask, const char *hidden_states)
{
    vision_config c = read_vision(config);
    c.layers.attention.mask = mask;
    c.layers.hidden_states = hidden_states;
    am_value x = am_pre_norm_layers(b, embed_image(b, &c), &c.layers);
    x = am_layer_norm(b, "norm", x, c.layers.layer_norm_eps);
    return (am_clip_output){x, am_index(b, x, 1, 0)};
}

/* --- texts --- */

typedef struct text_config {
    int64_t vocab_size, C, inner, layers, heads, max_positions;
    am_unary_fn act;
    double eps, pooling_eps, scale;
} text_config;

static text_config read_text(const am_config *c)
{
    text_config r = {
        .vocab_size = am_config_size(c, "vocab_size", 32000),
        .C = am_config_size(c, "hidden_size", 768),
        .inner = am_config_size(c, "intermediate_size", 3072),
        .layers = am_config_count(c, "num_hidden_layers", 12),
        .heads = am_config_size(c, "num_attention_heads", 12),
        .max_positions = am_config_size(c, "max_position_embeddings", 64),
        .act = am_config_activation(c, "hidden_act", AM_RELU),
        .eps = am_config_real(c, "layer_norm_eps", 1e-5),
        .pooling_eps = am_config_real(c, "pooling_epsilon", 1e-8),
    };
    r.scale = am_config_flag(c, "scale_sqrt_depth", true) ? sqrt((double)r.C) : 1;
    am_config_check_divides(c, "num_attention_heads", r.heads, "hidden_size", r.C);
    if (r.C < 4) am_config_fail(c, "hidden_size", "expected 4 or more");
    return r;
}

static am_value embed_text(am_builder *b, const text_config *c)
{
    am_value x = am_input_embeddings(b, "token_embedding", c->vocab_size, c->C);
    int64_t T = am_dim(b, x, 1);
    if (!am_builder_failed(b) && T > c->max_positions)
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT,
                                    "a text of %" PRId64 " tokens, at most %" PRId64
                                    " are possible (max_position_embeddings)",
                                    T, c->max_positions));
    if (am_builder_failed(b)) return x;
    am_value table = am_sinusoid_table(b, c->max_positions, c->C, (double)(c->C / 2 - 1), -1);
    return am_add(b, am_mul_number(b, x, c->scale), am_gather(b, table, am_position_ids(b, T), 0, false));
}

static am_value text_layer(am_builder *b, am_value x, const text_config *c, am_value mask)
{
    am_value h = am_layer_norm(b, "ln_1", x, c->eps);
    x = am_add(b, x, am_packed_attend(b, "attn", h, h, h, c->heads, mask));
    h = am_linear_activation(b, "mlp.c_fc", am_layer_norm(b, "ln_2", x, c->eps), c->inner, AM_BIAS, c->act);
    return am_add(b, x, am_linear(b, "mlp.c_proj", h, c->C, AM_BIAS));
}

/* Mean over the tokens of x: [B, T, C] that are attended: [B, C]. */
static am_value pool_text(am_builder *b, am_value x, am_value attended, double eps)
{
    if (!attended.id) return am_reduce(b, AM_REDUCE_MEAN, x, am_shape_of(1), false);
    am_value weights = am_cast(b, attended, AM_F32);
    am_value count = am_add_number(b, am_reduce(b, AM_REDUCE_SUM, weights, am_shape_of(1), true), eps);
    x = am_mul(b, x, am_unsqueeze(b, weights, 2));
    return am_div(b, am_reduce(b, AM_REDUCE_SUM, x, am_shape_of(1), false), count);
}

/* The tower of the configuration below its scope. */
static am_clip_output text_tower(am_builder *b, const am_config *config, const char *hidden_states)
{
    text_config c = read_text(config);
    am_value attended = am_input_optional(b, "attention_mask", 2), mask = am_padding_mask_of(b, attended);
    am_value x = embed_text(b, &c);
    am_output_hidden_state(b, hidden_states, 0, x);
    for (int i = 0; i < c.layers && !am_builder_failed(b); i++) {
        am_scope(b, "transformer.resblocks.%d", i);
        x = text_layer(b, x, &c, mask);
        am_end_scope(b);
        am_output_hidden_state(b, hidden_states, i + 1, x);
    }
    x = am_layer_norm(b, "ln_final", x, c.eps);
    return (am_clip_output){x, pool_text(b, x, attended, c.pooling_eps)};
}

/* --- classes --- */

static void output_tower(am_builder *b, const am_clip_output *tower)
{
    am_output(b, "last_hidden_state", tower->last_hidden_state);
    am_output(b, "pooler_output", tower->pooled);
}

static void text_model(am_builder *b)
{
    am_config c = am_config_part(am_model_config(b), "tipsv2", "text_config");
    am_scope(b, "%s", am_clip_tower_scope(b, "text_encoder", "ln_final.weight"));
    am_clip_output text = text_tower(b, &c, "hidden_states");
    am_end_scope(b);
    output_tower(b, &text);
}

static void vision_model(am_builder *b)
{
    am_config c = am_config_part(am_model_config(b), "tipsv2", "vision_config");
    am_scope(b, "%s", am_clip_tower_scope(b, "vision_encoder", "norm.weight"));
    am_clip_output image = image_tower(b, &c, am_padding_mask(b, "attention_mask"), "hidden_states");
    am_end_scope(b);
    output_tower(b, &image);
}

/* A stage's feature map of x: [B, T, C], normed and without tokens in rows and columns as the configuration says. */
static am_value feature_map(am_builder *b, const vision_config *c, am_value x)
{
    if (am_config_flag(&c->config, "apply_layernorm", true)) x = am_layer_norm(b, "norm", x, c->layers.layer_norm_eps);
    if (!am_config_flag(&c->config, "reshape_hidden_states", true)) return x;
    return am_tokens_image(b, am_slice(b, x, 1, 1 + c->registers, AM_SLICE_END), c->patches[0], c->patches[1]);
}

static void vision_backbone(am_builder *b)
{
    am_value states[LAYERS_LIMIT + 1];
    bool wanted[LAYERS_LIMIT + 1];
    char output[64];
    am_config config = am_config_part(am_model_config(b), "tipsv2", "vision_config");
    am_scope(b, "%s", am_clip_tower_scope(b, "vision_encoder", "norm.weight"));
    vision_config c = read_vision(&config);
    c.layers.attention.mask = am_padding_mask(b, "attention_mask");
    c.layers.out_states = states;
    am_pre_norm_layers(b, embed_image(b, &c), &c.layers);
    am_backbone_stages(&config, (int)c.layers.num_hidden_layers, wanted);
    for (int i = 0, map = 0; i <= c.layers.num_hidden_layers && !am_builder_failed(b); i++) {
        if (!wanted[i]) continue;
        snprintf(output, sizeof output, "feature_maps.%d", map++);
        am_output(b, output, feature_map(b, &c, states[i]));
    }
    am_end_scope(b);
}

static void tipsv2_model(am_builder *b)
{
    const am_config *c = am_model_config(b);
    am_config text_part = am_config_child(c, "text_config"), vision_part = am_config_child(c, "vision_config");
    am_scope(b, "text_encoder");
    am_clip_output text = text_tower(b, &text_part, "text_model_output.hidden_states");
    am_end_scope(b);
    am_scope(b, "vision_encoder");
    am_clip_output image = image_tower(b, &vision_part, AM_NONE, "vision_model_output.hidden_states");
    am_end_scope(b);
    am_value words = am_unit_length(b, text.pooled, 0), pictures = am_unit_length(b, image.pooled, 0);
    am_value logits = am_matmul(b, words, pictures, false, true);
    am_value temperature = am_weight_optional(b, "temperature", (am_shape){0});
    double initial = am_config_real(c, "temperature_init_value", 0.005065968260169029);
    logits =
        temperature.id ? am_div(b, logits, am_cast(b, temperature, AM_F32)) : am_mul_number(b, logits, 1 / initial);
    am_output(b, "logits_per_image", am_transpose(b, logits, 0, 1));
    am_output(b, "logits_per_text", logits);
    am_output(b, "text_embeds", words);
    am_output(b, "image_embeds", pictures);
    am_clip_output_tower(b, "text_model_output", &text);
    am_clip_output_tower(b, "vision_model_output", &image);
}

static const am_architecture architectures[] = {
    {"Tipsv2Model", tipsv2_model, "zero-shot-image-classification", 0},
    {"Tipsv2TextModel", text_model, NULL, 0},
    {"Tipsv2VisionModel", vision_model, "image-feature-extraction", 0},
    {"Tipsv2VisionBackbone", vision_backbone, NULL, 0},
    {0},
};

const am_model_type am_model_tipsv2 = {
    .name = "tipsv2 tipsv2_text_model tipsv2_vision_model", .base_prefix = "model", .architectures = architectures};
