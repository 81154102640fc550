/* CLAP: RoBERTa reads a text and Swin a spectrogram, folded to a square image; what two projections make of both,
   normed, gives the logits as products. Spectrograms of long sounds may come as the whole beside three parts of it,
   which attentional feature fusion (arXiv 2009.14082) joins. transformers: models/clap/modeling_clap.py */
#include "models/blocks/encoder.h"
#include "models/blocks/heads.h"
#include "models/blocks/swin.h"
#include "models/blocks/vision.h"

#include <inttypes.h>
#include <stdio.h>

static const double NORM_EPS = 1e-5; /* of the norms that layer_norm_eps is not for */

typedef struct audio_config {
    int64_t mel_bins, spec_size, fold; /* fold: rows of the image for each bin */
    int64_t patch[2], stride[2], padding[2], grid[2], width, channels;
    bool fuses, norms_patches;
    int64_t fusion_ratio;
    am_swin_stages stages;
} audio_config;

/* What a tower gives. */
typedef struct clap_output {
    am_value last_hidden_state; /* of text [B, T, C]; of sound [B, C, H, W] */
    am_value pooled;            /* [B, C] */
} clap_output;

/* --- audio tower --- */

/* One number, or a list of two. */
static void read_pair(const am_config *c, const char *key, int64_t fallback, int64_t out[2])
{
    out[0] = out[1] = fallback;
    if (am_json_kind_of(am_json_get(c->object, key)) != AM_JSON_ARRAY) {
        out[0] = out[1] = am_config_size(c, key, fallback);
        return;
    }
    int count = am_config_sizes(c, key, out, 2, out, 2);
    if (count != 2 || out[0] < 1 || out[1] < 1) {
        am_config_fail(c, key, "expected two sizes");
        out[0] = out[1] = fallback;
    }
}

/* Merging patches halves the grid between stages, and patches are as many as it has. */
static void check_grid(const am_config *c, audio_config *r)
{
    int merges = r->stages.count > 1 ? r->stages.count - 1 : 0;
    for (int i = 0; i < 2; i++) {
        int64_t over = r->patch[i] - r->stride[i], whole = r->stride[i] << merges;
        if (over < 0) am_config_fail(c, "patch_size", "patches are smaller than patch_stride");
        r->padding[i] = over < 0 ? 0 : over / 2;
        r->grid[i] = r->spec_size / r->stride[i];
        if ((r->spec_size + 2 * r->padding[i] - r->patch[i]) / r->stride[i] + 1 != r->grid[i])
            am_config_fail(c, "patch_size", "patches do not fill spec_size by patch_stride");
        if (r->spec_size % whole != 0)
            am_config_fail(c, "spec_size", "%" PRId64 " is no multiple of patch_stride in the last stage, %" PRId64,
                           r->spec_size, whole);
    }
    if (r->fold < 1) am_config_fail(c, "num_mel_bins", "more than spec_size");
}

static void read_stages(const am_config *c, am_swin_stages *s)
{
    static const int64_t depths[] = {2, 2, 6, 2}, heads[] = {4, 8, 16, 32};
    *s = (am_swin_stages){.window_size = am_config_size(c, "window_size", 8),
                          .mlp_ratio = am_config_real(c, "mlp_ratio", 4),
                          .layer_norm_eps = am_config_real(c, "layer_norm_eps", 1e-5),
                          .hidden_act = am_config_activation(c, "hidden_act", AM_GELU),
                          .no_qkv_bias = !am_config_flag(c, "qkv_bias", true)};
    s->count = am_stage_depths(c, depths, 4, s->depths);
    am_stage_sizes(c, "num_attention_heads", s->count, 1, heads, 4, s->heads);
}

static audio_config read_audio(const am_config *c)
{
    audio_config r = {.mel_bins = am_config_size(c, "num_mel_bins", 64),
                      .spec_size = am_config_size(c, "spec_size", 256),
                      .width = am_config_size(c, "patch_embeds_hidden_size", 96),
                      .channels = am_config_size(c, "patch_embed_input_channels", 1),
                      .fuses = am_config_flag(c, "enable_fusion", false),
                      .norms_patches = am_config_flag(c, "enable_patch_layer_norm", true),
                      .fusion_ratio = am_config_size(c, "aff_block_r", 4)};
    r.fold = r.spec_size / r.mel_bins;
    read_pair(c, "patch_size", 4, r.patch);
    read_pair(c, "patch_stride", 4, r.stride);
    read_stages(c, &r.stages);
    check_grid(c, &r);
    if (!am_config_flag(c, "flatten_patch_embeds", true))
        am_config_fail(c, "flatten_patch_embeds", "the layers read patches one after the other, expected true");
    if (r.fuses && am_config_is(c, "fusion_type", "channel_map"))
        am_config_fail(c, "fusion_type",
                       "\"channel_map\" takes four channels, of which the first convolution gets one");
    if (r.fuses && r.channels != 1)
        am_config_fail(c, "patch_embed_input_channels", "expected 1 with enable_fusion, found %" PRId64, r.channels);
    if (r.fuses && r.width < r.fusion_ratio)
        am_config_fail(c, "aff_block_r", "leaves no channel of patch_embeds_hidden_size");
    return r;
}

static am_value resized(am_builder *b, am_value x, int64_t height, int64_t width)
{
    return am_resize(
        b, x,
        &(am_resize_attributes){.size = am_shape_of(height, width), .mode = AM_RESIZE_CUBIC, .align_corners = true});
}

/* Input input_features: [B, N, frames, bins], normed by bin and stretched to what fills the image -> [B, N, spec_size,
   spec_size]: `fold` stretches of time, each below the one before. */
static am_value image(am_builder *b, const audio_config *c)
{
    am_value x = am_input(b, "input_features", 4);
    int64_t T = am_dim(b, x, 2), F = am_dim(b, x, 3), R = c->fold, frames = c->spec_size * R, bins = c->spec_size / R;
    if (x.id && (F != c->mel_bins || T > frames || F > bins || (F < bins && T != frames)))
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT,
                                    "input_features has %" PRId64 " frames of %" PRId64 " bins, expected %" PRId64
                                    " of num_mel_bins, %" PRId64 ", which fill spec_size",
                                    T, F, frames, c->mel_bins));
    x = am_permute(b, x, am_shape_of(0, 3, 2, 1));
    x = am_permute(b, am_batch_norm(b, "batch_norm", x, NORM_EPS), am_shape_of(0, 3, 2, 1));
    if (T < frames) x = resized(b, x, frames, F);
    if (F < bins) x = resized(b, x, frames, bins);
    int64_t B = am_dim(b, x, 0), N = am_dim(b, x, 1);
    x = am_permute(b, am_reshape(b, x, am_shape_of(B, N * R, frames / R, bins)), am_shape_of(0, 1, 3, 2));
    x = am_reshape(b, x, am_shape_of(B, N, bins * R, frames / R));
    if (x.id && am_dim(b, x, 2) != c->spec_size)
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT, "%" PRId64 " bins do not fold to spec_size, %" PRId64, bins,
                                    c->spec_size));
    return x;
}

static am_value patches(am_builder *b, const char *name, am_value x, int64_t stretch, const audio_config *c)
{
    am_shape padding = am_shape_of(c->padding[0], c->padding[1]);
    am_convolution_attributes options = {.stride = am_shape_of(c->stride[0], c->stride[1] * stretch),
                                         .padding_before = padding,
                                         .padding_after = padding};
    return am_conv(b, name, x, c->width, am_shape_of(c->patch[0], c->patch[1] * stretch), AM_BIAS, &options);
}

/* Convolutions 1 x 1 of x: [B, C, H, W], numbered from `first`: to fewer channels and back, each batch-normed. */
static am_value squeezed(am_builder *b, const char *name, int first, am_value x, const audio_config *c)
{
    am_scope(b, "%s", name);
    for (int i = 0; i < 2; i++) {
        char convolution[16], norm[16];
        snprintf(convolution, sizeof convolution, "%d", first + 3 * i);
        snprintf(norm, sizeof norm, "%d", first + 3 * i + 1);
        x = am_conv(b, convolution, x, i ? c->width : c->width / c->fusion_ratio, am_shape_of(1, 1), AM_BIAS,
                    &(am_convolution_attributes){0});
        x = am_batch_norm(b, norm, x, NORM_EPS);
        if (i == 0) x = am_unary(b, AM_RELU, x);
    }
    am_end_scope(b);
    return x;
}

/* whole, parts: [B, C, H, W]: each element of the result is a mean of both, weighted by what they are together. */
static am_value fused(am_builder *b, am_value whole, am_value parts, const audio_config *c)
{
    am_scope(b, "fusion_model");
    am_value sum = am_add(b, whole, parts);
    am_value weight =
        am_add(b, squeezed(b, "local_att", 0, sum, c), squeezed(b, "global_att", 1, am_image_mean(b, sum, true), c));
    weight = am_unary(b, AM_SIGMOID, weight);
    am_end_scope(b);
    am_value other = am_add_number(b, am_unary(b, AM_NEG, weight), 1);
    return am_mul_number(b, am_add(b, am_mul(b, whole, weight), am_mul(b, parts, other)), 2);
}

/* Patches of the first channel of x: [B, N, H, W]; for rows that the input is_longer: [B, 1] marks, those of the other
   channels, side by side, are fused into them. */
static am_value fused_patches(am_builder *b, am_value x, const audio_config *c)
{
    int64_t B = am_dim(b, x, 0), N = am_dim(b, x, 1) - 1, H = am_dim(b, x, 2), W = am_dim(b, x, 3);
    am_value is_longer = am_input(b, "is_longer", 2), whole = patches(b, "proj", am_slice(b, x, 1, 0, 1), 1, c);
    if (N < 1) return whole;
    am_value parts = am_reshape(b, am_slice(b, x, 1, 1, AM_SLICE_END), am_shape_of(B * N, 1, H, W));
    parts = patches(b, "mel_conv2d", parts, 3, c);
    int64_t rows = am_dim(b, parts, 2), columns = am_dim(b, parts, 3);
    parts = am_permute(b, am_reshape(b, parts, am_shape_of(B, N, c->width, rows, columns)), am_shape_of(0, 2, 3, 1, 4));
    parts = am_reshape(b, parts, am_shape_of(B, c->width, rows, N * columns));
    parts = am_pad_zero(b, parts, 3, 0, am_dim(b, whole, 3) - N * columns);
    if (is_longer.id && am_dtype_of(b, is_longer) != AM_BOOL) is_longer = am_binary_number(b, AM_EQUAL, is_longer, 1);
    return am_select(b, am_reshape(b, is_longer, am_shape_of(B, 1, 1, 1)), fused(b, whole, parts, c), whole);
}

static am_swin_map stem(am_builder *b, const audio_config *c)
{
    am_value x = image(b, c);
    am_scope(b, "patch_embed");
    x = am_image_tokens(b, c->fuses ? fused_patches(b, x, c) : patches(b, "proj", x, 1, c));
    if (c->norms_patches) x = am_layer_norm(b, "norm", x, NORM_EPS);
    am_end_scope(b);
    return (am_swin_map){x, c->grid[0], c->grid[1]};
}

/* [B, C, height, width] */
static am_value as_image(am_builder *b, am_value x, const am_swin_map *map)
{
    return am_reshape(b, am_transpose(b, x, 1, 2),
                      am_shape_of(am_dim(b, x, 0), am_dim(b, x, 2), map->height, map->width));
}

/* The folded stretches of time side by side again: x: [B, C, H, W] -> [B, C, H / fold, W * fold]. */
static am_value unfolded(am_builder *b, const am_config *config, am_value x, const audio_config *c)
{
    int64_t B = am_dim(b, x, 0), C = am_dim(b, x, 1), H = am_dim(b, x, 2), W = am_dim(b, x, 3), bins = H / c->fold;
    if (bins < 1 || H % bins != 0) {
        am_config_fail(config, "num_mel_bins", "the last stage has %" PRId64 " rows for %" PRId64 " stretches of time",
                       H, c->fold);
        return AM_NONE;
    }
    x = am_permute(b, am_reshape(b, x, am_shape_of(B, C, H / bins, bins, W)), am_shape_of(0, 1, 3, 2, 4));
    return am_reshape(b, x, am_shape_of(B, C, bins, H / bins * W));
}

/* The tower under `prefix`; names its hidden states. */
static clap_output audio_tower(am_builder *b, const am_config *config, const char *prefix, const char *hidden_states)
{
    audio_config c = read_audio(config);
    am_swin_map maps[AM_STAGES_LIMIT + 1];
    if (am_builder_failed(b)) return (clap_output){0};
    am_scope(b, "%s", prefix);
    am_scope(b, "audio_encoder");
    maps[0] = stem(b, &c);
    am_swin_run_stages(b, config, &c.stages, maps);
    for (int i = 0; i <= c.stages.count; i++)
        am_output_hidden_state(b, hidden_states, i, as_image(b, maps[i].x, &maps[i]));
    const am_swin_map *last = &maps[c.stages.count];
    am_value x = as_image(b, am_layer_norm(b, "norm", last->x, NORM_EPS), last);
    x = unfolded(b, config, x, &c);
    am_end_scope(b);
    am_end_scope(b);
    return (clap_output){x, am_image_mean(b, x, false)};
}

/* --- text tower --- */

static clap_output text_tower(am_builder *b, const am_config *c, const char *prefix, const char *hidden_states)
{
    am_bert_options o = am_bert_options_read(c);
    o.vocab_size = am_config_size(c, "vocab_size", 50265);
    o.max_position_embeddings = am_config_size(c, "max_position_embeddings", 514);
    o.type_vocab_size = am_config_size(c, "type_vocab_size", 1);
    o.is_decoder = false;
    o.positions_after_pad = am_pad_token(c, 1);
    if (o.positions_after_pad < 0)
        am_config_fail(c, "pad_token_id", "positions are counted from this token, found none");
    int first = am_output_count(b);
    clap_output out = {.last_hidden_state = am_bert_body(b, &o, prefix)};
    am_part_outputs states = {0};
    states.count = am_outputs_take(b, first, &states.outputs);
    am_output_part_list(b, &states, "hidden_states", hidden_states);
    out.pooled = am_bert_pooler(b, prefix, out.last_hidden_state);
    return out;
}

/* --- classes --- */

/* linear2(activation(linear1(x))) below NAME; projection_dim and projection_hidden_act are those of c. */
static am_value projected(am_builder *b, const char *name, am_value x, const am_config *c)
{
    int64_t width = am_config_size(c, "projection_dim", 512);
    am_scope(b, "%s", name);
    x = am_linear_activation(b, "linear1", x, width, AM_BIAS,
                             am_config_activation(c, "projection_hidden_act", AM_RELU));
    x = am_linear(b, "linear2", x, width, AM_BIAS);
    am_end_scope(b);
    return x;
}

/* Products of x: [N, C] and y: [M, C], scaled by the exponential of the weight `scale`: [N, M]. */
static am_value scaled_products(am_builder *b, am_value x, am_value y, const char *scale)
{
    am_value factor = am_unary(b, AM_EXP, am_parameter(b, scale, (am_shape){0}, x));
    return am_mul(b, am_matmul(b, x, y, false, true), factor);
}

static void clap_model(am_builder *b)
{
    const am_config *c = am_model_config(b);
    am_config text_config = am_config_child(c, "text_config"), config = am_config_child(c, "audio_config");
    clap_output audio = audio_tower(b, &config, "audio_model", "audio_model_output.hidden_states");
    clap_output text = text_tower(b, &text_config, "text_model", "text_model_output.hidden_states");
    am_value sounds = am_unit_length(b, projected(b, "audio_projection", audio.pooled, c), 0),
             words = am_unit_length(b, projected(b, "text_projection", text.pooled, c), 0);
    am_output(b, "logits_per_audio", scaled_products(b, sounds, words, "logit_scale_a"));
    am_output(b, "logits_per_text", scaled_products(b, words, sounds, "logit_scale_t"));
    am_output(b, "text_embeds", words);
    am_output(b, "audio_embeds", sounds);
    am_output(b, "text_model_output.last_hidden_state", text.last_hidden_state);
    am_output(b, "text_model_output.pooler_output", text.pooled);
    am_output(b, "audio_model_output.last_hidden_state", audio.last_hidden_state);
    am_output(b, "audio_model_output.pooler_output", audio.pooled);
}

static void text_model(am_builder *b)
{
    am_config c = am_config_part(am_model_config(b), "clap", "text_config");
    clap_output text = text_tower(b, &c, "", "hidden_states");
    am_output(b, "last_hidden_state", text.last_hidden_state);
    am_output(b, "pooler_output", text.pooled);
}

static void text_model_with_projection(am_builder *b)
{
    am_config c = am_config_part(am_model_config(b), "clap", "text_config");
    clap_output text = text_tower(b, &c, "text_model", "hidden_states");
    am_output(b, "text_embeds", projected(b, "text_projection", text.pooled, &c));
    am_output(b, "last_hidden_state", text.last_hidden_state);
}

static void audio_model(am_builder *b)
{
    am_config c = am_config_part(am_model_config(b), "clap", "audio_config");
    clap_output audio = audio_tower(b, &c, "", "hidden_states");
    am_output(b, "last_hidden_state", audio.last_hidden_state);
    am_output(b, "pooler_output", audio.pooled);
}

static void audio_model_with_projection(am_builder *b)
{
    am_config c = am_config_part(am_model_config(b), "clap", "audio_config");
    clap_output audio = audio_tower(b, &c, "audio_model", "hidden_states");
    am_output(b, "audio_embeds", projected(b, "audio_projection", audio.pooled, &c));
    am_output(b, "last_hidden_state", audio.last_hidden_state);
}

static const am_architecture architectures[] = {
    {"ClapModel", clap_model, NULL, 0},
    {"ClapTextModel", text_model, NULL, 0},
    {"ClapTextModelWithProjection", text_model_with_projection, NULL, 0},
    {"ClapAudioModel", audio_model, NULL, 0},
    {"ClapAudioModelWithProjection", audio_model_with_projection, NULL, 0},
    {0},
};

const am_model_type am_model_clap = {
    .name = "clap clap_text_model clap_audio_model", .base_prefix = "clap", .architectures = architectures};
