/* Janus: patches of an image through a chain of linear layers among the words of a LLaMA; and a VQGAN, by which images
   are made of codes. transformers: models/janus/modeling_janus.py */
#include "models/blocks/pre_norm.h"
#include "models/blocks/vision.h"
#include "models/blocks/vision_language.h"
#include "models/blocks/vqgan.h"

#include <inttypes.h>
#include <stdio.h>

/* --- the image tower --- */

static const am_pre_norm_names names = {.layers = "encoder.layers",
                                        .attention = "self_attn",
                                        .norm_before = "layer_norm1",
                                        .norm_after = "layer_norm2",
                                        .up = "mlp.fc1",
                                        .down = "mlp.fc2"};

static am_pre_norm_options read_encoder(const am_config *c, int64_t C)
{
    bool bias = am_config_flag(c, "attention_bias", true);
    am_pre_norm_options o = {
        .num_hidden_layers = am_config_count(c, "num_hidden_layers", 24),
        .intermediate_size = am_scaled_size(c, "mlp_ratio", C, am_config_real(c, "mlp_ratio", 4)),
        .hidden_act = am_config_activation(c, "hidden_act", AM_GELU),
        .layer_norm_eps = am_config_real(c, "layer_norm_eps", 1e-6),
        .attention = {.heads = am_config_size(c, "num_attention_heads", 16),
                      .out = "projection_layer",
                      .no_q_bias = !bias,
                      .no_k_bias = !bias,
                      .no_v_bias = !bias},
        .names = &names,
    };
    am_config_check_divides(c, "num_attention_heads", o.attention.heads, "hidden_size", C);
    if (am_config_flag(c, "use_qk_norm", false) && o.attention.heads != 1) /* whose norm is as wide as all heads */
        am_config_fail(c, "use_qk_norm", "takes one head, found %" PRId64, o.attention.heads);
    else if (am_config_flag(c, "use_qk_norm", false))
        am_config_unsupported(c, "use_qk_norm", "norms of queries and keys are not supported");
    return o;
}

/* Last hidden state [B, P, C] of the tower of configuration c, below the scope; hidden_states as in
   am_pre_norm_options. */
static am_value run_tower(am_builder *b, const am_config *c, const char *hidden_states)
{
    am_image_options image = am_image_options_read(c, 384, 16);
    int64_t C = am_config_size(c, "hidden_size", 1024), places = am_image_patches(&image);
    am_pre_norm_options encoder = read_encoder(c, C);
    encoder.hidden_states = hidden_states;
    am_scope(b, "embeddings");
    am_value x = am_pixel_values_sized(b, &image);
    x = am_image_tokens(b, am_patch_convolution(b, "patch_embedding", x, C, image.patch_size, AM_BIAS));
    x = am_add(b, x, am_parameter(b, "position_embedding.weight", am_shape_of(places, C), x));
    am_end_scope(b);
    return am_layer_norm(b, "post_layernorm", am_pre_norm_layers(b, x, &encoder), encoder.layer_norm_eps);
}

static void vision_model(am_builder *b)
{
    const am_config *c = am_model_config(b);
    am_value x = run_tower(b, c, NULL);
    am_output(b, "last_hidden_state", x);
    am_output(b, "pooler_output",
              am_layer_norm(b, "post_layernorm", am_index(b, x, 1, 0), am_config_real(c, "layer_norm_eps", 1e-6)));
}

static am_value features(am_builder *b)
{
    am_config c = am_config_child(am_model_config(b), "vision_config");
    int64_t depth = am_config_count(&c, "depth", 2), width = am_config_size(&c, "projection_dim", 2048);
    am_unary_fn act = am_config_activation(&c, "hidden_act", AM_GELU);
    char name[32];
    am_scope(b, "vision_model");
    am_value x = run_tower(b, &c, "");
    am_end_scope(b);
    am_scope(b, "aligner");
    x = am_linear(b, "fc1", x, width, AM_BIAS);
    for (int i = 0; i + 1 < depth && !am_builder_failed(b); i++) {
        snprintf(name, sizeof name, "hidden_layers.%d", i);
        x = am_linear(b, name, am_unary(b, act, x), width, AM_BIAS);
    }
    am_end_scope(b);
    return am_flatten(b, x, 0, 1);
}

/* --- the VQGAN --- */

/* Codes to an image by way of vectors of unit length: I32 [B * side * side] -> [B, channels, H, W]. */
static am_value draw(am_builder *b, am_value codes, int64_t B, const am_vqgan *v)
{
    int64_t side = am_config_size(v->c, "num_patches", 32), count = am_dim(b, codes, 0);
    if (count != B * side * side && !am_builder_failed(b))
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT,
                                    "pixel_values: %" PRId64 " places of an image, num_patches asks for %" PRId64,
                                    count / B, side * side));
    am_value x = am_embedding(b, "quantize.embedding", codes, v->num_embeddings, v->embed_dim);
    x = am_reshape(b, am_unit_length(b, x, 1e-12), am_shape_of(B, side * side, v->embed_dim));
    x = am_conv(b, "post_quant_conv", am_tokens_image(b, x, side, side), v->latent_channels, am_shape_of(1, 1), AM_BIAS,
                &(am_convolution_attributes){0});
    return am_vqgan_decode(b, x, v, am_config_size(v->c, "out_channels", 3));
}

static void vqvae(am_builder *b)
{
    const am_config *c = am_model_config(b);
    am_vqgan v = am_vqgan_read(c);
    v.embed_dim = am_config_size(c, "embed_dim", 8);
    v.num_embeddings = am_config_size(c, "num_embeddings", 16384);
    v.attends[v.levels - 1] = true;
    am_value x = am_pixel_values(b, v.in_channels);
    am_vqgan_codes codes = am_vqgan_quantize(b, am_vqgan_encode(b, x, &v), &v);
    am_output(b, "decoded_pixel_values", draw(b, codes.codes, am_dim(b, x, 0), &v));
    am_output(b, "embedding_loss", codes.loss);
}

static const am_vision_language_family family = {.features = features, .image_token = 100581, .tied = true};

static const am_architecture architectures[] = {
    {"JanusModel", am_vision_language_model, NULL, 0},
    {"JanusForConditionalGeneration", am_vision_language_for_conditional_generation, "image-text-to-text",
     AM_GENERATES},
    {"JanusVisionModel", vision_model, NULL, 0},
    {"JanusVQVAE", vqvae, NULL, 0},
    {0},
};

const am_model_type am_model_janus = {.name = "janus janus_vision_model janus_vqgan",
                                      .base_prefix = "model",
                                      .architectures = architectures,
                                      .family = &family};
