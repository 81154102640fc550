/* X-CLIP: CLIP for videos: in each layer of the image tower the frames send each other a token, a transformer over the
   frames' vectors makes the video's, and what its patches show is added to the texts' vectors.
   transformers: models/x_clip/modeling_x_clip.py */
#include "models/blocks/clip.h"
#include "models/blocks/heads.h"

#include <inttypes.h>

static int64_t frames_of(const am_config *vision)
{
    return am_config_size(vision, "num_frames", 8);
}

/* --- image tower --- */

/* Tokens that the frames exchange, from states x: [V * F, T, C] of V videos: [V * F, 1, C]. */
static am_value messages(am_builder *b, am_value x, int64_t frames, const am_pre_norm_options *o)
{
    int64_t B = am_dim(b, x, 0), C = am_dim(b, x, 2);
    am_value token = am_linear(b, "message_fc", am_index(b, x, 1, 0), C, AM_BIAS);
    token = am_reshape(b, token, am_shape_of(B / frames, frames, C));
    am_value h = am_layer_norm(b, "message_ln", token, o->layer_norm_eps);
    am_scope(b, "message_attn");
    h = am_self_attention(b, h, &o->attention);
    am_end_scope(b);
    return am_reshape(b, am_add(b, token, h), am_shape_of(B, 1, C));
}

/* The message stands among the tokens while they attend. */
static am_value layer(am_builder *b, am_value x, int64_t frames, const am_pre_norm_options *o)
{
    int64_t T = am_dim(b, x, 1), C = am_dim(b, x, 2);
    x = am_concat2(b, x, messages(b, x, frames, o), 1);
    am_value h = am_layer_norm(b, "layer_norm1", x, o->layer_norm_eps);
    am_scope(b, "self_attn");
    h = am_self_attention(b, h, &o->attention);
    am_end_scope(b);
    x = am_slice(b, am_add(b, x, h), 1, 0, T);
    h = am_layer_norm(b, "layer_norm2", x, o->layer_norm_eps);
    h = am_linear_activation(b, "mlp.fc1", h, o->intermediate_size, AM_BIAS, o->hidden_act);
    return am_add(b, x, am_linear(b, "mlp.fc2", h, C, AM_BIAS));
}

/* pixels: [V * F, channels, height, width] */
static am_clip_output frame_states(am_builder *b, const am_config *c, am_value pixels, const char *hidden_states)
{
    int64_t C = am_config_size(c, "hidden_size", 768), frames = frames_of(c);
    am_pre_norm_options o = am_clip_layers_read(c, C, 3072, 12, hidden_states);
    const char *states = hidden_states ? hidden_states : "hidden_states";
    if (am_dim(b, pixels, 0) % frames)
        am_builder_fail(b,
                        am_error(AM_INVALID_ARGUMENT,
                                 "pixel_values has %" PRId64 " images, expected a multiple of %" PRId64 " (num_frames)",
                                 am_dim(b, pixels, 0), frames));
    am_scope(b, "%s", am_clip_tower_scope(b, "vision_model", "post_layernorm.weight"));
    am_value x = am_layer_norm(b, "pre_layernorm", am_clip_embed_image(b, c, pixels, C), o.layer_norm_eps);
    for (int i = 0; i < o.num_hidden_layers && !am_builder_failed(b); i++) {
        am_output_hidden_state(b, states, i, x);
        am_scope(b, "encoder.layers.%d", i);
        x = layer(b, x, frames, &o);
        am_end_scope(b);
    }
    am_output_hidden_state(b, states, (int)o.num_hidden_layers, x);
    am_value pooled = am_layer_norm(b, "post_layernorm", am_index(b, x, 1, 0), o.layer_norm_eps);
    am_end_scope(b);
    return (am_clip_output){x, pooled};
}

static am_clip_output image_tower(am_builder *b, const am_config *c, const char *hidden_states)
{
    return frame_states(b, c, am_clip_pixels(b, c), hidden_states);
}

/* --- videos --- */

/* The frames' vectors: [V, F, D], integrated, and their mean. */
static am_clip_output integrate(am_builder *b, const am_config *c, am_value frames)
{
    int64_t D = am_config_size(c, "mit_hidden_size", 512), heads = am_config_size(c, "mit_num_attention_heads", 8);
    am_pre_norm_options o = am_clip_layers_read(c, am_config_size(c, "hidden_size", 768), 3072, 12, "");
    o.num_hidden_layers = am_config_count(c, "mit_num_hidden_layers", 1);
    o.intermediate_size = am_config_size(c, "mit_intermediate_size", 2048);
    o.attention.heads = heads;
    am_config_check_divides(c, "mit_num_attention_heads", heads, "mit_hidden_size", D);
    if (am_dim(b, frames, 2) != D)
        am_config_fail(c, "mit_hidden_size", "expected projection_dim, %" PRId64, am_dim(b, frames, 2));
    am_scope(b, "mit");
    am_value x =
        am_add(b, frames, am_parameter(b, "position_embedding", am_shape_of(1, am_dim(b, frames, 1), D), frames));
    x = am_add(b, am_pre_norm_layers(b, x, &o), frames);
    am_end_scope(b);
    return (am_clip_output){x, am_reduce(b, AM_REDUCE_MEAN, x, am_shape_of(1), false)};
}

/* The patches' states: [V * F, 1 + N, C] as what prompts read: [V, N, D], the mean of the frames. */
static am_value patch_features(am_builder *b, const am_config *vision, am_value states, int64_t D)
{
    int64_t F = frames_of(vision), C = am_dim(b, states, 2), V = am_dim(b, states, 0) / F, N = am_dim(b, states, 1) - 1;
    am_value x = am_slice(b, states, 1, 1, AM_SLICE_END);
    x = am_layer_norm(b, "prompts_visual_layernorm", x, am_config_real(vision, "layer_norm_eps", 1e-5));
    am_value weight = am_weight(b, "prompts_visual_projection", am_shape_of(C, D));
    x = am_linear_op(b, x, weight, AM_NONE, AM_NONE, &(am_linear_attributes){.in_out = true});
    x = am_reshape(b, x, am_shape_of(V, F, N, D));
    return am_reduce(b, AM_REDUCE_MEAN, x, am_shape_of(1), false);
}

/* What of the patches: [V, N, D] is added to the texts: [V, K, D]. */
static am_value prompts(am_builder *b, am_value texts, am_value patches, double text_eps, double vision_eps)
{
    const am_config *c = am_model_config(b);
    int64_t D = am_dim(b, texts, 2), layers = am_config_count(c, "prompt_layers", 2);
    am_attention_options attention = {.heads = am_config_size(c, "prompt_num_attention_heads", 8),
                                      .out = "proj",
                                      .no_q_bias = true,
                                      .no_k_bias = true,
                                      .no_v_bias = true};
    am_config_check_divides(c, "prompt_num_attention_heads", attention.heads, "projection_dim", D);
    am_scope(b, "prompts_generator");
    am_value visual = am_layer_norm(b, "layernorm", patches, vision_eps), x = texts;
    for (int i = 0; i < layers && !am_builder_failed(b); i++) {
        am_scope(b, "decoder.%d", i);
        am_value h = am_layer_norm(b, "norm1", x, text_eps);
        am_scope(b, "cross_attn");
        x = am_add(b, x, am_cross_attention(b, h, visual, &attention));
        am_end_scope(b);
        h = am_layer_norm(b, "norm3", x, text_eps);
        h = am_linear_activation(b, "mlp.0", h, 4 * D, AM_BIAS,
                                 am_config_activation(c, "prompt_hidden_act", AM_QUICK_GELU));
        x = am_add(b, x, am_linear(b, "mlp.3", h, D, AM_BIAS));
        am_end_scope(b);
    }
    x = am_mul(b, x, am_parameter(b, "alpha", am_shape_of(D), x));
    am_end_scope(b);
    return x;
}

/* Outputs of the videos' vectors: [V, D] and the texts', [V, K, D], made for each of them. */
static void output_logits(am_builder *b, am_value videos, am_value texts)
{
    am_value scale = am_unary(b, AM_EXP, am_parameter(b, "logit_scale", (am_shape){0}, videos));
    am_value logits = am_matmul(b, am_mul(b, texts, scale), am_unsqueeze(b, videos, 2), false, false);
    logits = am_squeeze(b, logits, 2);
    am_output(b, "logits_per_video", logits);
    am_output(b, "logits_per_text", am_transpose(b, logits, 0, 1));
    am_output(b, "text_embeds", texts);
    am_output(b, "video_embeds", videos);
}

static am_value video_pixels(am_builder *b, const am_config *c)
{
    am_image_options image = am_image_options_read(c, 224, 32);
    am_value x = am_video_values_sized(b, &image);
    if (x.id && am_dim(b, x, 1) != frames_of(c))
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT,
                                    "pixel_values has videos of %" PRId64 " frames, expected %" PRId64 " (num_frames)",
                                    am_dim(b, x, 1), frames_of(c)));
    return am_flatten(b, x, 0, 1);
}

static void model(am_builder *b)
{
    const am_config *c = am_model_config(b);
    am_config text_config = am_clip_part_config(b, "text_config"),
              vision_config = am_clip_part_config(b, "vision_config");
    am_clip_output frames =
        frame_states(b, &vision_config, video_pixels(b, &vision_config), "vision_model_output.hidden_states");
    if (am_builder_failed(b)) return;
    am_value vectors = am_clip_project(b, "visual_projection", frames.pooled, c);
    int64_t F = frames_of(&vision_config), D = am_dim(b, vectors, 1), V = am_dim(b, vectors, 0) / F;
    am_clip_output video = integrate(b, &vision_config, am_reshape(b, vectors, am_shape_of(V, F, D)));
    am_value patches = patch_features(b, &vision_config, frames.last_hidden_state, D);
    am_clip_output text = am_clip_text(b, &text_config, "text_model_output.hidden_states");
    am_value texts = am_clip_project(b, "text_projection", text.pooled, c);
    texts = am_broadcast(b, am_unsqueeze(b, texts, 0), am_shape_of(V, am_dim(b, texts, 0), D));
    texts = am_add(b, texts,
                   prompts(b, texts, patches, am_config_real(&text_config, "layer_norm_eps", 1e-5),
                           am_config_real(&vision_config, "layer_norm_eps", 1e-5)));
    output_logits(b, am_unit_length(b, video.pooled, 0), am_unit_length(b, texts, 0));
    am_clip_output_tower(b, "text_model_output", &text);
    am_clip_output_tower(b, "vision_model_output", &frames);
    am_clip_output_tower(b, "mit_output", &video);
}

static const am_architecture architectures[] = {
    {"XCLIPModel", model, NULL, 0},
    {"XCLIPTextModel", am_clip_text_model, NULL, 0},
    {"XCLIPVisionModel", am_clip_vision_model, NULL, 0},
    {0},
};

static const am_clip_family family = {
    .name = "xclip", .end = AM_CLIP_END_LARGEST, .image_norm = "pre_layernorm", .image = image_tower};

const am_model_type am_model_xclip = {.name = "xclip xclip_text_model xclip_vision_model",
                                      .base_prefix = "x_clip",
                                      .architectures = architectures,
                                      .family = &family};
