#include "models/blocks/radio.h"

#include <inttypes.h>

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

static am_value gated_mlp(am_builder *b, am_value x, const am_pre_norm_options *o)
{
    int64_t C = am_dim(b, x, -1);
    am_value gate = am_linear(b, "mlp.gate_proj", x, o->intermediate_size, AM_BIAS),
             up = am_linear(b, "mlp.up_proj", x, o->intermediate_size, AM_BIAS);
    return am_linear(b, "mlp.down_proj", am_gated_activation(b, AM_SILU, gate, up), C, AM_BIAS);
}

am_radio_options am_radio_options_read(const am_config *c)
{
    int64_t C = am_config_size(c, "hidden_size", 1280), heads = am_config_size(c, "num_attention_heads", 16);
    bool gated = am_config_flag(c, "use_swiglu_ffn", false);
    int64_t inner = am_scaled_size(c, "mlp_ratio", C, am_config_real(c, "mlp_ratio", 4));
    am_radio_options r = {
        .config = c,
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
    r.summary_count = am_config_sizes(c, "summary_idxs", r.summary, AM_RADIO_SUMMARY_LIMIT, (const int64_t[]){0, 1}, 2);
    if (!r.encoder.attention.head_dim) am_config_check_divides(c, "num_attention_heads", heads, "hidden_size", C);
    if (r.image.patch_size[0] != r.image.patch_size[1]) am_config_fail(c, "patch_size", "expected one number");
    if (r.largest / r.image.patch_size[0] < 1) am_config_fail(c, "max_img_size", "leaves no patches");
    return r;
}

/* Positions of rows x columns patches, [1, rows * columns, C]: the square resized to the larger of both, and cut. */
static am_value positions(am_builder *b, const am_radio_options *c, am_value x, const int64_t patches[2])
{
    int64_t side = c->largest / c->image.patch_size[0], C = c->hidden_size,
            most = patches[0] > patches[1] ? patches[0] : patches[1];
    am_value all = am_parameter(b, "patch_generator.pos_embed", am_shape_of(1, side * side, C), x);
    all = am_image_resized(b, am_tokens_image(b, all, side, side), most, most);
    all = am_slice(b, am_slice(b, all, 2, 0, patches[0]), 3, 0, patches[1]);
    return am_image_tokens(b, all);
}

am_value am_radio_patches(am_builder *b, const am_radio_options *o, am_value x)
{
    int64_t p = o->image.patch_size[0], B = am_dim(b, x, 0), C = am_dim(b, x, 1);
    if (am_builder_failed(b)) return AM_NONE;
    int64_t rows = am_dim(b, x, 2) / p, columns = am_dim(b, x, 3) / p;
    if (am_dim(b, x, 2) % p != 0 || am_dim(b, x, 3) % p != 0)
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT,
                                    "the images have %" PRId64 " x %" PRId64 " pixels, expected multiples of %" PRId64
                                    " (patch_size)",
                                    am_dim(b, x, 2), am_dim(b, x, 3), p));
    x = am_permute(b, am_reshape(b, x, am_shape_of(B, C, rows, p, columns, p)), am_shape_of(0, 2, 4, 1, 3, 5));
    return am_reshape(b, x, am_shape_of(B, rows * columns, C * p * p));
}

/* Files without factors of what layers add have ones. */
static const am_pre_norm_names *names_of(am_builder *b, const am_config *c)
{
    if (am_has_weight(b, "blocks.0.layer_scale1.lambda1")) return &scaled_names;
    if (am_config_real(c, "layerscale_value", 1) != 1)
        am_config_unsupported(c, "layerscale_value", "another one than 1 for a file without factors");
    return &plain_names;
}

am_value am_radio_states(am_builder *b, am_radio_options *o, am_value patches, const int64_t grid[2],
                         const char *embedder)
{
    int64_t C = o->hidden_size, prefix = o->classes + o->registers;
    am_value x = am_linear(b, embedder, patches, C, AM_NO_BIAS);
    x = am_add(b, x, positions(b, o, x, grid));
    am_value tokens = am_parameter(b, "patch_generator.cls_token.token", am_shape_of(prefix, C), x);
    x = am_concat2(b, am_broadcast(b, tokens, am_shape_of(am_dim(b, x, 0), prefix, C)), x, 1);
    o->encoder.names = names_of(b, o->config);
    return am_pre_norm_layers(b, x, &o->encoder);
}
