/* MGP-STR: a ViT that reads a line of text; three heads pick its characters, its byte pairs and its word pieces, each
   from its own mixtures of the patches. transformers: models/mgp_str/modeling_mgp_str.py */
#include "models/blocks/pre_norm.h"
#include "models/blocks/vision.h"

#include <stdio.h>

enum { GROUPS = 8 };

static const am_pre_norm_names names = {.layers = "encoder.blocks",
                                        .attention = "attn",
                                        .norm_before = "norm1",
                                        .norm_after = "norm2",
                                        .up = "mlp.fc1",
                                        .down = "mlp.fc2"};

typedef struct mgp_str_config {
    am_image_options image;
    am_pre_norm_options encoder;
    int64_t hidden_size, tokens, length;
    int64_t labels[3]; /* characters, byte pairs, word pieces */
} mgp_str_config;

static mgp_str_config read_config(am_builder *b)
{
    const am_config *c = am_model_config(b);
    int64_t C = am_config_size(c, "hidden_size", 768), heads = am_config_size(c, "num_attention_heads", 12);
    mgp_str_config r = {
        .image = am_image_options_read(c, 32, 4),
        .encoder = {.num_hidden_layers = am_config_count(c, "num_hidden_layers", 12),
                    .intermediate_size = am_scaled_size(c, "mlp_ratio", C, am_config_real(c, "mlp_ratio", 4)),
                    .hidden_act = AM_GELU,
                    .layer_norm_eps = am_config_real(c, "layer_norm_eps", 1e-5),
                    .attention = {.heads = heads,
                                  .qkv = "qkv",
                                  .out = "proj",
                                  .no_q_bias = !am_config_flag(c, "qkv_bias", true)},
                    .names = &names},
        .hidden_size = C,
        .tokens = am_config_flag(c, "distilled", false) ? 2 : 1,
        .length = am_config_size(c, "max_token_length", 27),
        .labels = {am_config_size(c, "num_character_labels", 38), am_config_size(c, "num_bpe_labels", 50257),
                   am_config_size(c, "num_wordpiece_labels", 30522)},
    };
    if (!am_config_has(c, "image_size")) r.image.image_size[1] = 128;
    am_config_check_divides(c, "num_attention_heads", heads, "hidden_size", C);
    if (r.tokens == 2) am_config_unsupported(c, "distilled", "the class has no token for this");
    return r;
}

static am_value body(am_builder *b, const mgp_str_config *c, const char *prefix)
{
    int64_t C = c->hidden_size;
    am_value x = am_pixel_values_sized(b, &c->image);
    am_scope(b, "%s", prefix);
    am_scope(b, "embeddings");
    x = am_image_tokens(b, am_patch_convolution(b, "proj", x, C, c->image.patch_size, AM_BIAS));
    x = am_prepend_token(b, "cls_token", am_shape_of(1, 1, C), x);
    x = am_add(b, x, am_parameter(b, "pos_embed", am_shape_of(1, am_dim(b, x, 1), C), x));
    am_end_scope(b);
    x = am_pre_norm_layers(b, x, &c->encoder);
    am_end_scope(b);
    return x;
}

static void mgp_str_model(am_builder *b)
{
    mgp_str_config c = read_config(b);
    am_output(b, "last_hidden_state", body(b, &c, ""));
}

/* Mixtures of x: [B, T, C], one for each place of the text, [B, length, C], and what they are mixed by, [B, length, T].
 */
static am_value mix(am_builder *b, am_value x, const mgp_str_config *c, am_value *weights)
{
    int64_t C = c->hidden_size;
    double eps = c->encoder.layer_norm_eps;
    am_convolution_attributes grouped = {.groups = GROUPS}, plain = {0};
    x = am_layer_norm(b, "token_norm", x, eps);
    x = am_unsqueeze(b, am_transpose(b, x, 1, 2), 3);
    am_value chosen = am_conv(b, "tokenLearner.0", x, C, am_shape_of(1, 1), AM_NO_BIAS, &grouped);
    chosen = am_conv(b, "tokenLearner.1", chosen, c->length, am_shape_of(1, 1), AM_NO_BIAS, &plain);
    *weights = am_softmax(b, am_flatten(b, chosen, 2, 3), -1);
    x = am_image_tokens(b, am_conv(b, "feat", x, C, am_shape_of(1, 1), AM_NO_BIAS, &grouped));
    return am_layer_norm(b, "norm", am_matmul(b, *weights, x, false, false), eps);
}

static void for_scene_text_recognition(am_builder *b)
{
    static const char *const modules[] = {"char_a3_module", "bpe_a3_module", "wp_a3_module"}, *const heads[] = {
                                                                                                  "char_head",
                                                                                                  "bpe_head",
                                                                                                  "wp_head"};
    mgp_str_config c = read_config(b);
    am_value x = body(b, &c, "mgp_str"), weights[3];
    char name[64];
    if (c.hidden_size % GROUPS != 0)
        am_config_fail(am_model_config(b), "hidden_size", "expected a multiple of %d for this class", GROUPS);
    for (int i = 0; i < 3; i++) {
        am_scope(b, "%s", modules[i]);
        am_value mixed = mix(b, x, &c, &weights[i]);
        am_end_scope(b);
        snprintf(name, sizeof name, "logits.%d", i);
        am_output(b, name, am_linear(b, heads[i], mixed, c.labels[i], AM_BIAS));
    }
    for (int i = 0; i < 3 && am_model_argument(b, "output_a3_attentions", 0); i++) {
        snprintf(name, sizeof name, "a3_attentions.%d", i);
        am_output(b, name, weights[i]);
    }
}

static const am_architecture architectures[] = {
    {"MgpstrModel", mgp_str_model, NULL, 0},
    {"MgpstrForSceneTextRecognition", for_scene_text_recognition, NULL, 0},
    {0},
};

const am_model_type am_model_mgp_str = {.name = "mgp-str", .base_prefix = "mgp_str", .architectures = architectures};
