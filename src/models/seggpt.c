/* SegGPT: a ViT over an image below its prompt and, beside it, the prompt's mask above what is to be painted; some
   layers on, the two become one. transformers: models/seggpt/modeling_seggpt.py */
#include "models/blocks/decomposed.h"
#include "models/blocks/vision.h"

#include <inttypes.h>
#include <stdio.h>

enum { CHANNELS = 3, STATES_LIMIT = 64 };

typedef struct seggpt_config {
    am_image_options image;
    int64_t hidden_size, layers, heads, mlp_dim, pretrain_patches, decoder_size, merge_index;
    int64_t kept[STATES_LIMIT]; /* layers whose states the decoder reads */
    int kept_count;
    am_unary_fn hidden_act;
    double eps;
    bool qkv_bias, relative;
    int64_t patches[2];
} seggpt_config;

/* What the encoder gives: x: [B, N, C] and normed states of kept layers in their order. */
typedef struct seggpt_output {
    am_value x, kept[STATES_LIMIT];
    int count;
} seggpt_output;

static seggpt_config read_config(am_builder *b)
{
    const am_config *c = am_model_config(b);
    int64_t C = am_config_size(c, "hidden_size", 1024);
    seggpt_config r = {
        .image = am_image_options_read(c, 896, 16),
        .hidden_size = C,
        .layers = am_config_count(c, "num_hidden_layers", 24),
        .heads = am_config_size(c, "num_attention_heads", 16),
        .mlp_dim = am_config_size(c, "mlp_dim", am_scaled_size(c, "hidden_size", C, 4)),
        .decoder_size = am_config_size(c, "decoder_hidden_size", 64),
        .merge_index = am_config_count(c, "merge_index", 2),
        .hidden_act = am_config_activation(c, "hidden_act", AM_GELU),
        .eps = am_config_real(c, "layer_norm_eps", 1e-6),
        .qkv_bias = am_config_flag(c, "qkv_bias", true),
        .relative = am_config_flag(c, "use_relative_position_embeddings", true),
    };
    if (!am_config_has(c, "image_size")) r.image.image_size[1] = 448;
    if (r.image.patch_size[0] != r.image.patch_size[1]) am_config_fail(c, "patch_size", "expected one number");
    r.pretrain_patches = am_config_size(c, "pretrain_image_size", 224) / r.image.patch_size[0];
    for (int i = 0; i < 2; i++) r.patches[i] = r.image.image_size[i] / r.image.patch_size[i];
    r.kept_count = am_config_sizes(c, "intermediate_hidden_state_indices", r.kept, STATES_LIMIT,
                                   (const int64_t[]){5, 11, 17, 23}, 4);
    am_config_check_divides(c, "num_attention_heads", r.heads, "hidden_size", C);
    for (int i = 0; i < r.kept_count; i++)
        if (r.kept[i] < r.merge_index)
            am_config_fail(c, "merge_index", "expected at most the least of intermediate_hidden_state_indices");
    if (r.pretrain_patches < 1) am_config_fail(c, "pretrain_image_size", "leaves no patches");
    if (r.image.num_channels != CHANNELS) am_config_unsupported(c, "num_channels", "this class takes 3");
    return r;
}

/* [1, N, C]: without that of a class token, resized to the map. */
static am_value positions(am_builder *b, const seggpt_config *c, am_value x)
{
    int64_t side = c->pretrain_patches, from[] = {side, side}, C = c->hidden_size;
    am_value all = am_parameter(b, "position_embeddings", am_shape_of(1, 1 + side * side, C), x);
    all = am_slice(b, all, 1, 1, AM_SLICE_END);
    return side == c->patches[0] && side == c->patches[1] ? all : am_resize_patches(b, all, from, c->patches, false);
}

static am_value patches_of(am_builder *b, const seggpt_config *c, am_value pixels)
{
    am_value x =
        am_patch_convolution(b, "patch_embeddings.projection", pixels, c->hidden_size, c->image.patch_size, AM_BIAS);
    return am_image_tokens(b, x);
}

/* BOOL [1 or B, N]: which patches of the prompt are to be painted: given, or the second half. */
static am_value masked_patches(am_builder *b, am_value x)
{
    int64_t N = am_dim(b, x, 1);
    am_value masked = am_masked_patches(b, x);
    if (masked.id) return masked;
    return am_binary_number(b, AM_GREATER_EQUAL, am_iota(b, AM_I32, am_shape_of(1, N), 1, 0, 1), (double)(N / 2));
}

static am_value halves(am_builder *b, const char *above, const char *below, const seggpt_config *c)
{
    am_value x = am_concat2(b, am_input(b, above, 4), am_input(b, below, 4), 2);
    if (!am_builder_failed(b) && (am_dim(b, x, 1) != CHANNELS || am_dim(b, x, 2) != c->image.image_size[0] ||
                                  am_dim(b, x, 3) != c->image.image_size[1]))
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT,
                                    "%s above %s are %" PRId64 " x %" PRId64 " pixels, expected %" PRId64 " x %" PRId64
                                    " (image_size)",
                                    above, below, am_dim(b, x, 2), am_dim(b, x, 3), c->image.image_size[0],
                                    c->image.image_size[1]));
    return x;
}

/* Images, then prompts, in one batch: [2 B, N, C]. */
static am_value embed(am_builder *b, const seggpt_config *c)
{
    am_shape token = am_shape_of(1, 1, 1, c->hidden_size), flat = am_shape_of(1, 1, c->hidden_size);
    am_scope(b, "embeddings");
    am_value x = patches_of(b, c, halves(b, "prompt_pixel_values", "pixel_values", c)),
             prompt = patches_of(b, c, halves(b, "prompt_masks", "prompt_masks", c));
    am_value masked = am_unsqueeze(b, masked_patches(b, x), 2),
             mask_token = am_reshape(b, am_parameter(b, "mask_token", token, x), flat);
    prompt = am_select(b, masked, mask_token, prompt);
    am_value places = positions(b, c, x);
    places = am_add(b, places, am_reshape(b, am_parameter(b, "type_token_instance", token, x), flat));
    x = am_add(b, x, am_reshape(b, am_parameter(b, "segment_token_input", token, x), flat));
    prompt = am_add(b, prompt, am_reshape(b, am_parameter(b, "segment_token_prompt", token, x), flat));
    x = am_concat2(b, am_add(b, x, places), am_add(b, prompt, places), 0);
    am_end_scope(b);
    return x;
}

static am_value layer(am_builder *b, am_value x, const seggpt_config *c)
{
    am_value h = am_layer_norm(b, "layernorm_before", x, c->eps);
    am_scope(b, "attention");
    h = am_decomposed_attention(b, h, c->heads, c->qkv_bias, c->patches, c->relative ? c->patches : NULL);
    am_end_scope(b);
    x = am_add(b, x, h);
    h = am_layer_norm(b, "layernorm_after", x, c->eps);
    h = am_linear_activation(b, "mlp.lin1", h, c->mlp_dim, AM_BIAS, c->hidden_act);
    return am_add(b, x, am_linear(b, "mlp.lin2", h, c->hidden_size, AM_BIAS));
}

/* x: [B, N, C] -> [B, rows, columns, C] */
static am_value as_map(am_builder *b, am_value x, const seggpt_config *c)
{
    return am_reshape(b, x, am_shape_of(am_dim(b, x, 0), c->patches[0], c->patches[1], c->hidden_size));
}

static bool is_kept(const seggpt_config *c, int64_t layer)
{
    for (int i = 0; i < c->kept_count; i++)
        if (c->kept[i] == layer) return true;
    return false;
}

static seggpt_output body(am_builder *b, const seggpt_config *c, const char *prefix)
{
    seggpt_output out = {.count = 0};
    am_scope(b, "%s", prefix);
    out.x = embed(b, c);
    am_scope(b, "encoder");
    for (int i = 0; i < c->layers && !am_builder_failed(b); i++) {
        am_output_hidden_state(b, "hidden_states", i, as_map(b, out.x, c));
        am_scope(b, "layers.%d", i);
        out.x = layer(b, out.x, c);
        am_end_scope(b);
        int64_t half = am_dim(b, out.x, 0) / 2;
        if (i == c->merge_index)
            out.x = am_mul_number(
                b, am_add(b, am_slice(b, out.x, 0, 0, half), am_slice(b, out.x, 0, half, AM_SLICE_END)), 0.5);
        if (is_kept(c, i)) out.kept[out.count++] = am_layer_norm(b, "layernorm", out.x, c->eps);
    }
    am_output_hidden_state(b, "hidden_states", (int)c->layers, as_map(b, out.x, c));
    am_end_scope(b);
    am_end_scope(b);
    return out;
}

static void seggpt_model(am_builder *b)
{
    seggpt_config c = read_config(b);
    seggpt_output out = body(b, &c, "");
    char name[64];
    am_output(b, "last_hidden_state", as_map(b, out.x, &c));
    for (int i = 0; i < out.count; i++) {
        snprintf(name, sizeof name, "intermediate_hidden_states.%d", i);
        am_output(b, name, as_map(b, out.kept[i], &c));
    }
}

/* Each patch's states give a square of pixels. */
static am_value decode(am_builder *b, const seggpt_output *out, const seggpt_config *c)
{
    int64_t D = c->decoder_size, p = c->image.patch_size[0], rows = c->patches[0], columns = c->patches[1];
    am_shape one = am_shape_of(1, 1);
    am_value x = am_concat(b, out->kept, out->count, -1);
    int64_t B = am_dim(b, x, 0);
    am_scope(b, "decoder");
    x = am_linear(b, "decoder_embed", x, p * p * D, AM_BIAS);
    x = am_permute(b, am_reshape(b, x, am_shape_of(B, rows, columns, p, p, D)), am_shape_of(0, 5, 1, 3, 2, 4));
    x = am_reshape(b, x, am_shape_of(B, D, rows * p, columns * p));
    am_scope(b, "decoder_pred");
    x = am_conv(b, "conv", x, D, am_shape_of(3, 3), AM_BIAS,
                &(am_convolution_attributes){.padding_before = one, .padding_after = one});
    x = am_unary(b, c->hidden_act, am_layer_norm_channels_first(b, "layernorm", x, c->eps));
    x = am_conv(b, "head", x, CHANNELS, one, AM_BIAS, &(am_convolution_attributes){0});
    am_end_scope(b);
    am_end_scope(b);
    return x;
}

static void for_image_segmentation(am_builder *b)
{
    seggpt_config c = read_config(b);
    seggpt_output out = body(b, &c, "model");
    if (out.count != c.kept_count || out.count == 0)
        am_config_fail(am_model_config(b), "intermediate_hidden_state_indices", "expected different layers");
    if (!am_builder_failed(b)) am_output(b, "pred_masks", decode(b, &out, &c));
}

static const am_architecture architectures[] = {
    {"SegGptModel", seggpt_model, NULL, 0},
    {"SegGptForImageSegmentation", for_image_segmentation, NULL, 0},
    {0},
};

const am_model_type am_model_seggpt = {.name = "seggpt", .base_prefix = "model", .architectures = architectures};
