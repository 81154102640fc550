/* RADIO: a ViT with several class tokens, each for a model that it has learnt of, and registers; images are normed by
   the model, and positions are those of a larger square, resized. transformers: models/radio/modeling_radio.py */
#include "models/blocks/pre_norm.h"
#include "models/blocks/vision.h"

#include <inttypes.h>

enum { SUMMARY_LIMIT = 64 };

static const am_pre_norm_names scaled_names = {.layers = "blocks",
                                               .attention = "attn",
                                               .norm_before = "norm1",
                                               .norm_after = "norm2",
                                               .up = "mlp.fc1",
                                               .down = "mlp.fc2",
                                               .attention_scale = "layer_scale1.lambda1",
                                               .mlp_scale = "layer_scale2.lambda1"};
static const am_pre_norm_names plain_names = {.layers = "blocks",
                                              .attention = "attn",
                                              .norm_before = "norm1",
                                              .norm_after = "norm2",
                                              .up = "mlp.fc1",
                                              .down = "mlp.fc2"};

typedef struct radio_config {
    am_image_options image;
    am_pre_norm_options encoder;
    int64_t hidden_size, largest, classes, registers;
    int64_t summary[SUMMARY_LIMIT];
    int summary_count;
} radio_config;

static am_value gated_mlp(am_builder *b, am_value x, const am_pre_norm_options *o)
{
    int64_t C = am_dim(b, x, -1);
    am_value gate = am_linear(b, "mlp.gate_proj", x, o->intermediate_size, AM_BIAS),
             up = am_linear(b, "mlp.up_proj", x, o->intermediate_size, AM_BIAS);
    return am_linear(b, "mlp.down_proj", am_gated_activation(b, AM_SILU, gate, up), C, AM_BIAS);
}

static radio_config read_config(am_builder *b)
{
    const am_config *c = am_model_config(b);
    int64_t C = am_config_size(c, "hidden_size", 1280), heads = am_config_size(c, "num_attention_heads", 16);
    bool gated = am_config_flag(c, "use_swiglu_ffn", false);
    int64_t inner = am_scaled_size(c, "mlp_ratio", C, am_config_real(c, "mlp_ratio", 4));
    radio_config r = {
        .image = am_image_options_read(c, 224, 16),
        .encoder = {.num_hidden_layers = am_config_count(c, "num_hidden_layers", 32),
                    .intermediate_size = gated ? ((int64_t)((double)(inner * 2) / 3) + 7) / 8 * 8 : inner,
                    .hidden_act = am_config_activation(c, "hidden_act", AM_GELU),
                    .layer_norm_eps = am_config_real(c, "layer_norm_eps", 1e-6),
                    .attention = {.heads = heads,
                                  .head_dim = am_config_count(c, "head_dim", 0),
                                  .qkv = "qkv",
                                  .out = "proj",
                                  .no_q_bias = !am_config_flag(c, "qkv_bias", true)},
                    .mlp = gated ? gated_mlp : NULL},
        .hidden_size = C,
        .largest = am_config_size(c, "max_img_size", 2048),
        .classes = am_config_size(c, "num_cls_tokens", 3),
        .registers = am_config_count(c, "num_registers", 7),
    };
    r.summary_count = am_config_sizes(c, "summary_idxs", r.summary, SUMMARY_LIMIT, (const int64_t[]){0, 1}, 2);
    if (!r.encoder.attention.head_dim) am_config_check_divides(c, "num_attention_heads", heads, "hidden_size", C);
    if (r.image.patch_size[0] != r.image.patch_size[1]) am_config_fail(c, "patch_size", "expected one number");
    if (r.largest / r.image.patch_size[0] < 1) am_config_fail(c, "max_img_size", "leaves no patches");
    return r;
}

/* Positions of rows x columns patches, [1, rows * columns, C]: the square resized to the larger of both, and cut. */
static am_value positions(am_builder *b, const radio_config *c, am_value x, const int64_t patches[2])
{
    int64_t side = c->largest / c->image.patch_size[0], C = c->hidden_size,
            most = patches[0] > patches[1] ? patches[0] : patches[1];
    am_value all = am_parameter(b, "patch_generator.pos_embed", am_shape_of(1, side * side, C), x);
    all = am_image_resized(b, am_tokens_image(b, all, side, side), most, most);
    all = am_slice(b, am_slice(b, all, 2, 0, patches[0]), 3, 0, patches[1]);
    return am_image_tokens(b, all);
}

/* Pixels of each patch side by side, channel by channel: x: [B, channels, H, W] -> [B, N, channels * p * p]. */
static am_value patches_of(am_builder *b, am_value x, int64_t p, const int64_t patches[2])
{
    int64_t B = am_dim(b, x, 0), C = am_dim(b, x, 1);
    x = am_permute(b, am_reshape(b, x, am_shape_of(B, C, patches[0], p, patches[1], p)), am_shape_of(0, 2, 4, 1, 3, 5));
    return am_reshape(b, x, am_shape_of(B, patches[0] * patches[1], C * p * p));
}

static am_value read_pixels(am_builder *b, const radio_config *c)
{
    int64_t p = c->image.patch_size[0], channels = c->image.num_channels;
    am_value x = am_pixel_values(b, channels);
    if (!am_builder_failed(b) && (am_dim(b, x, 2) % p != 0 || am_dim(b, x, 3) % p != 0))
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT,
                                    "pixel_values has images of %" PRId64 " x %" PRId64
                                    " pixels, expected multiples of %" PRId64 " (patch_size)",
                                    am_dim(b, x, 2), am_dim(b, x, 3), p));
    am_scope(b, "input_conditioner");
    x = am_sub(b, x, am_parameter(b, "norm_mean", am_shape_of(channels, 1, 1), x));
    x = am_div(b, x, am_parameter(b, "norm_std", am_shape_of(channels, 1, 1), x));
    am_end_scope(b);
    return x;
}

static am_value embed(am_builder *b, const radio_config *c, am_value pixels)
{
    int64_t p = c->image.patch_size[0], C = c->hidden_size, prefix = c->classes + c->registers;
    const int64_t patches[] = {am_dim(b, pixels, 2) / p, am_dim(b, pixels, 3) / p};
    am_value x = patches_of(b, pixels, p, patches);
    x = am_linear(b, "patch_generator.embedder", x, C, AM_NO_BIAS);
    x = am_add(b, x, positions(b, c, x, patches));
    am_value tokens = am_parameter(b, "patch_generator.cls_token.token", am_shape_of(prefix, C), x);
    return am_concat2(b, am_broadcast(b, tokens, am_shape_of(am_dim(b, x, 0), prefix, C)), x, 1);
}

/* The class tokens that the file's summary_idxs names, side by side: [B, n * C]. */
static am_value summarize(am_builder *b, am_value x, const radio_config *c)
{
    am_value which = am_weight_integers(b, "summary_idxs", am_shape_of(c->summary_count));
    x = am_gather(b, am_slice(b, x, 1, 0, c->classes), which, 1, false);
    return am_flatten(b, x, 1, 2);
}

/* Files without factors of what layers add have ones. */
static const am_pre_norm_names *names_of(am_builder *b)
{
    const am_config *c = am_model_config(b);
    if (am_has_weight(b, "blocks.0.layer_scale1.lambda1")) return &scaled_names;
    if (am_config_real(c, "layerscale_value", 1) != 1)
        am_config_unsupported(c, "layerscale_value", "another one than 1 for a file without factors");
    return &plain_names;
}

static void radio_model(am_builder *b)
{
    radio_config c = read_config(b);
    am_scope(b, "radio_model");
    am_value x = read_pixels(b, &c);
    am_scope(b, "model");
    c.encoder.names = names_of(b);
    x = am_pre_norm_layers(b, embed(b, &c, x), &c.encoder);
    am_end_scope(b);
    am_output(b, "summary", summarize(b, x, &c));
    am_output(b, "features", am_slice(b, x, 1, c.classes + c.registers, AM_SLICE_END));
    am_output(b, "last_hidden_state", x);
    am_end_scope(b);
}

static const am_architecture architectures[] = {
    {"RadioModel", radio_model, NULL, 0},
    {0},
};

const am_model_type am_model_radio = {.name = "radio", .base_prefix = "model", .architectures = architectures};
