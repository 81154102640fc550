/* Perception Encoder for sounds (PE-A): DAC's convolutions make frames of a wave, a transformer with a token of its own
   reads them; products of what projections make of a text's and a sound's first token, or of each frame, are logits.
   transformers: models/pe_audio/modeling_pe_audio.py */
#include "models/blocks/attention.h"
#include "models/blocks/dac.h"
#include "models/blocks/decoder.h"
#include "models/blocks/vision.h"

#include <stdio.h>
#include <string.h>

static const double GROUP_NORM_EPS = 1e-5, HEAD_EPS = 1e-6; /* not configurable */

typedef struct encoder {
    am_dac dac;
    int64_t width, intermediate_size, layers, codebook_dim;
    am_unary_fn hidden_act;
    double rms_norm_eps;
    am_attention_options attention;
    am_rope_config rope;
} encoder;

static encoder read_encoder(const am_config *c)
{
    static const am_dac absent = {
        .encoder_hidden_size = 64, .decoder_hidden_size = 1536, .down_count = 4, .downsampling_ratios = {2, 8, 10, 12}};
    am_config dac = am_config_child(c, "dac_config");
    bool unbiased = !am_config_flag(c, "attention_bias", false);
    encoder r = {.dac = am_dac_read(&dac, &absent),
                 .width = am_config_size(c, "hidden_size", 1792),
                 .intermediate_size = am_config_size(c, "intermediate_size", 4800),
                 .layers = am_config_count(c, "num_hidden_layers", 6),
                 .codebook_dim = am_config_size(&dac, "codebook_dim", 128),
                 .hidden_act = am_config_activation(c, "hidden_act", AM_SILU),
                 .rms_norm_eps = am_config_real(c, "rms_norm_eps", 1e-5)};
    r.attention = (am_attention_options){.heads = am_config_size(c, "num_attention_heads", 14),
                                         .head_dim = am_config_size(c, "head_dim", 128),
                                         .out = "o_proj",
                                         .no_q_bias = unbiased,
                                         .no_k_bias = unbiased,
                                         .no_v_bias = unbiased,
                                         .no_out_bias = unbiased,
                                         .q_norm = "q_norm",
                                         .k_norm = "k_norm",
                                         .norm_eps = r.rms_norm_eps};
    r.attention.kv_heads = am_config_size(c, "num_key_value_heads", r.attention.heads);
    am_config_check_divides(c, "num_key_value_heads", r.attention.kv_heads, "num_attention_heads", r.attention.heads);
    r.rope =
        am_rope_config_read_fields(c, &(am_rope_fields){.whole_heads = true}, r.attention.head_dim, 20000, 1, 10000);
    return r;
}

/* --- frames --- */

/* GroupNorm NAME of one group over the frames that mask: F32 [B, 1, T] counts, or AM_NONE: x: [B, C, T]. */
static am_value masked_norm(am_builder *b, const char *name, am_value x, am_value mask)
{
    if (!mask.id) return am_group_norm(b, name, x, 1, GROUP_NORM_EPS);
    int64_t C = am_dim(b, x, 1);
    am_shape all = am_shape_of(1, 2), each = am_shape_of(1, C, 1);
    am_value count = am_mul_number(b, am_reduce(b, AM_REDUCE_SUM, mask, all, true), (double)C);
    am_value mean = am_div(b, am_reduce(b, AM_REDUCE_SUM, am_mul(b, x, mask), all, true), count);
    x = am_sub(b, x, mean);
    am_value square = am_mul(b, am_unary(b, AM_SQUARE, x), mask);
    am_value variance = am_div(b, am_reduce(b, AM_REDUCE_SUM, square, all, true), count);
    x = am_mul(b, x, am_unary(b, AM_RSQRT, am_add_number(b, variance, GROUP_NORM_EPS)));
    am_scope(b, "%s", name);
    am_value weight = am_reshape(b, am_parameter(b, "weight", am_shape_of(C), x), each);
    am_value bias = am_reshape(b, am_parameter(b, "bias", am_shape_of(C), x), each);
    am_end_scope(b);
    return am_mul(b, am_add(b, am_mul(b, x, weight), bias), mask);
}

/* x: [B, T, C] with what two normed convolutions below the scope make of it; mask: [B, T] or AM_NONE. */
static am_value residual_block(am_builder *b, am_value x, am_value mask)
{
    static const char *const blocks[] = {"block1", "block2"};
    int64_t C = am_dim(b, x, 2);
    am_shape padding = am_shape_of(1);
    am_convolution_attributes same = {.padding_before = padding, .padding_after = padding};
    if (mask.id) mask = am_unsqueeze(b, am_cast_like(b, mask, x), 1);
    am_value h = am_transpose(b, x, 1, 2);
    for (int i = 0; i < 2; i++) {
        am_scope(b, "%s", blocks[i]);
        h = am_unary(b, AM_SILU, masked_norm(b, "groupnorm", h, mask));
        h = am_conv(b, "project", h, C, am_shape_of(3), AM_BIAS, &same);
        am_end_scope(b);
    }
    return am_add(b, x, am_transpose(b, h, 1, 2));
}

/* A frame of the mask for each hop of the input padding_mask: [B, L] -> [B, T]; AM_NONE without it. */
static am_value frame_mask(am_builder *b, const encoder *e)
{
    am_value mask = am_input_optional(b, "padding_mask", 2);
    if (!mask.id) return AM_NONE;
    return am_slice_step(b, mask, 1, 0, AM_SLICE_END, e->dac.hop_length);
}

/* Frames of the input input_values: [B, 1, L]: [B, T, C]. */
static am_value embedded(am_builder *b, const encoder *e)
{
    am_scope(b, "embedder.dac_encoder");
    am_value x = am_dac_encode(b, am_input(b, "input_values", 3), &e->dac);
    am_end_scope(b);
    am_scope(b, "embedder");
    x = am_conv(b, "bottleneck", x, e->codebook_dim, am_shape_of(1), AM_BIAS, &(am_convolution_attributes){0});
    x = am_linear(b, "data_proj", am_transpose(b, x, 1, 2), e->width, AM_BIAS);
    am_end_scope(b);
    return x;
}

/* --- encoder --- */

static am_value layer(am_builder *b, am_value x, const am_attention_options *attention, const encoder *e)
{
    am_value h = am_rms_norm(b, "input_layernorm", x, e->rms_norm_eps, 0);
    am_scope(b, "self_attn");
    x = am_add(b, x, am_self_attention(b, h, attention));
    am_end_scope(b);
    h = am_rms_norm(b, "post_attention_layernorm", x, e->rms_norm_eps, 0);
    am_scope(b, "mlp");
    x = am_add(b, x, am_gated_mlp(b, h, e->intermediate_size, e->hidden_act, AM_NO_BIAS));
    am_end_scope(b);
    return x;
}

static void audio_encoder(am_builder *b)
{
    encoder e = read_encoder(am_model_config(b));
    am_value mask = frame_mask(b, &e), x = embedded(b, &e), seen = mask;
    if (mask.id && !am_builder_failed(b) && am_dim(b, mask, 1) != am_dim(b, x, 1))
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT, "padding_mask and input_values differ in frames"));
    if (mask.id) seen = am_concat2(b, am_slice(b, mask, 1, 0, 1), mask, 1);
    am_scope(b, "patch_embedder");
    x = am_prepend_token(b, "class_embedding", am_shape_of(1, 1, e.width), x);
    am_scope(b, "resnet_block");
    x = residual_block(b, x, seen);
    am_end_scope(b);
    am_end_scope(b);
    am_rope rope = am_rope_tables(b, &e.rope, am_dim(b, x, 1));
    rope.interleaved = true;
    e.attention.rope = &rope;
    e.attention.mask = am_padding_mask_of(b, seen);
    for (int i = 0; i < e.layers && !am_builder_failed(b); i++) {
        am_output_hidden_state(b, "hidden_states", i, x);
        am_scope(b, "layers.%d", i);
        x = layer(b, x, &e.attention, &e);
        am_end_scope(b);
    }
    x = am_linear(b, "output", am_rms_norm(b, "norm", x, e.rms_norm_eps, 0), e.width, AM_NO_BIAS);
    am_value frames = am_slice(b, x, 1, 1, AM_SLICE_END);
    if (e.layers) am_output_hidden_state(b, "hidden_states", (int)e.layers, frames);
    am_output(b, "last_hidden_state", frames);
    am_output(b, "pooler_output", am_index(b, x, 1, 0));
    if (mask.id) am_output(b, "output_mask", mask);
}

/* --- beside a text --- */

static am_value head(am_builder *b, const char *name, am_value x, int64_t width)
{
    am_scope(b, "%s", name);
    x = am_linear(b, "proj", am_layer_norm(b, "layer_norm", x, HEAD_EPS), width, AM_NO_BIAS);
    am_end_scope(b);
    return x;
}

/* All that a part gives, named PREFIX and its own name; `last` of its hidden states alone where they are not wanted. */
static void output_all(am_builder *b, const am_part_outputs *part, const char *prefix, const char *last)
{
    for (int i = 0; i < part->count; i++) {
        const char *name = part->outputs[i].name;
        char *whole = am_arena_array(am_builder_arena(b), strlen(prefix) + strlen(name) + 1, 1);
        bool is_state = strncmp(name, "hidden_states.", 14) == 0;
        if (!whole) am_builder_fail(b, am_out_of_memory());
        if (!whole || (is_state && !am_wants_hidden_states(b) && (!last || strcmp(name, last) != 0))) continue;
        strcpy(whole, prefix);
        strcat(whole, name);
        am_output(b, whole, part->outputs[i].value);
    }
}

/* Fields that, where absent, are others than the text model's own. */
static void check_text(const am_config *text)
{
    static const char *const fields[] = {"hidden_size", "intermediate_size", "num_attention_heads"};
    for (int i = 0; i < 3; i++)
        if (!am_config_has(text, fields[i])) am_config_fail(text, fields[i], "expected a size");
}

static am_part_outputs text_outputs(am_builder *b, const am_config *text)
{
    am_part_input inputs[] = {{.name = "input_ids", .whole = "input_ids"},
                              {.name = "attention_mask", .whole = "attention_mask"}};
    am_part part = {.auto_class = "AutoModel",
                    .model_type = "modernbert",
                    .config = text,
                    .inputs = inputs,
                    .input_count = 2,
                    .hidden_states = true};
    am_scope(b, "text_model");
    am_part_outputs outputs = am_build_part(b, &part);
    am_end_scope(b);
    return outputs;
}

static am_part_outputs sound_outputs(am_builder *b, const am_config *config)
{
    am_part_input inputs[] = {{.name = "input_values", .whole = "input_values"},
                              {.name = "padding_mask", .whole = "padding_mask"}};
    am_part part = {.class_name = "PeAudioEncoder", .config = config, .inputs = inputs, .input_count = 2};
    am_scope(b, "audio_encoder");
    am_part_outputs outputs = am_build_part(b, &part);
    am_end_scope(b);
    return outputs;
}

/* Products of texts: [M, C] and sounds: [N, C] or, by frames, [N, T, C], scaled: [N, M] or [N, M, T]. */
static am_value logits_of(am_builder *b, am_value sound, am_value text)
{
    am_value x = am_linear_with(b, sound, text, AM_NONE);
    if (am_rank(b, sound) == 3) x = am_transpose(b, x, 1, 2);
    x = am_mul(b, x, am_parameter(b, "text_audio_logit_scale", am_shape_of(1), x));
    return am_add(b, x, am_parameter(b, "text_audio_logit_bias", am_shape_of(1), x));
}

static void build(am_builder *b, const char *read)
{
    const am_config *c = am_model_config(b);
    am_config text_config = am_config_child(c, "text_config"), audio_config = am_config_child(c, "audio_config");
    int64_t width = am_config_size(&text_config, "hidden_size", 1024);
    char last[32];
    check_text(&text_config);
    am_part_outputs sound = sound_outputs(b, &audio_config), text = text_outputs(b, &text_config);
    am_value sounds = head(b, "audio_head", am_part_output(&sound, read), width);
    am_value words = am_index(b, am_part_output(&text, "last_hidden_state"), 1, 0);
    words = head(b, "text_audio_head", words, width);
    snprintf(last, sizeof last, "hidden_states.%d", (int)am_config_count(&text_config, "num_hidden_layers", 22));
    am_output(b, "logits_audio_text", logits_of(b, sounds, words));
    am_output(b, "text_audio_embeds", words);
    am_output(b, "audio_embeds", sounds);
    output_all(b, &text, "text_outputs.", last);
    output_all(b, &sound, "audio_outputs.", NULL);
}

static void pe_audio_model(am_builder *b)
{
    build(b, "pooler_output");
}

static void frame_level_model(am_builder *b)
{
    build(b, "last_hidden_state");
}

static const am_architecture architectures[] = {
    {"PeAudioModel", pe_audio_model, NULL, 0},
    {"PeAudioFrameLevelModel", frame_level_model, NULL, 0},
    {"PeAudioEncoder", audio_encoder, "feature-extraction", 0},
    {0},
};

const am_model_type am_model_pe_audio = {
    .name = "pe_audio pe_audio_encoder", .base_prefix = "audio_model", .architectures = architectures};
