/* Moonshine: an encoder that reads samples through three convolutions, and a decoder, both of pre-norm layers with
   rotary positions, pairs side by side; norms have no bias; the decoder's feed-forward part is gated, and its word
   table serves the head. transformers: models/moonshine/modeling_moonshine.py */
#include "models/blocks/attention.h"
#include "models/blocks/heads.h"
#include "models/blocks/seq2seq.h"
#include "models/blocks/speech.h"

static const double NORM_EPS = 1e-5; /* not configurable */

/* The stem; its first convolution has no bias. */
static const int64_t kernels[] = {127, 7, 3}, strides[] = {64, 3, 2};
enum { SAMPLES_A_FRAME = 64 * 3 * 2 };

typedef struct moonshine_config {
    int64_t vocab_size, hidden_size, intermediate_size, encoder_layers, decoder_layers;
    am_unary_fn encoder_act, decoder_act;
    bool tie_word_embeddings;
    am_attention_options encoder, decoder;
    am_rope_config rope;
    const char *prefix; /* of the body's weights: "model" or "" */
} moonshine_config;

/* Heads of a side. transformers takes queries for as many heads as there are keys. */
static am_attention_options read_attention(const am_config *c, int64_t C, const char *heads, const char *kv_heads,
                                           int64_t fallback)
{
    bool biased = am_config_flag(c, "attention_bias", false);
    am_attention_options o = {.heads = am_config_size(c, heads, fallback),
                              .out = "o_proj",
                              .no_q_bias = !biased,
                              .no_k_bias = !biased,
                              .no_v_bias = !biased,
                              .no_out_bias = true};
    int64_t keys = am_config_size(c, kv_heads, o.heads);
    if (keys != o.heads)
        am_config_fail(c, kv_heads, "expected as many as %s, %lld, found %lld", heads, (long long)o.heads,
                       (long long)keys);
    o.head_dim = am_config_size(c, "head_dim", C / o.heads);
    if (!am_config_has(c, "head_dim")) am_config_check_divides(c, heads, o.heads, "hidden_size", C);
    return o;
}

static moonshine_config read_config(am_builder *b, const char *prefix)
{
    const am_config *c = am_model_config(b);
    moonshine_config r = {
        .vocab_size = am_config_size(c, "vocab_size", 32768),
        .hidden_size = am_config_size(c, "hidden_size", 288),
        .intermediate_size = am_config_size(c, "intermediate_size", 1152),
        .encoder_layers = am_config_count(c, "encoder_num_hidden_layers", 6),
        .decoder_layers = am_config_count(c, am_config_either(c, "decoder_num_hidden_layers", "num_hidden_layers"), 6),
        .encoder_act = am_config_activation(c, "encoder_hidden_act", AM_GELU),
        .decoder_act = am_config_activation(c, am_config_either(c, "decoder_hidden_act", "hidden_act"), AM_SILU),
        .tie_word_embeddings = am_config_flag(c, "tie_word_embeddings", true),
        .prefix = prefix,
    };
    r.encoder = read_attention(c, r.hidden_size, "encoder_num_attention_heads", "encoder_num_key_value_heads", 8);
    r.decoder = r.encoder; /* encoder layers write their number of heads into the configuration */
    if (r.encoder_layers == 0)
        r.decoder =
            read_attention(c, r.hidden_size, am_config_either(c, "decoder_num_attention_heads", "num_attention_heads"),
                           am_config_either(c, "decoder_num_key_value_heads", "num_key_value_heads"), 8);
    r.decoder.causal = true;
    r.rope = am_rope_config_read_fields(c, &(am_rope_fields){.rounds_up = true}, r.decoder.head_dim, 10000, 0.9, 512);
    return r;
}

static am_value norm(am_builder *b, const char *name, am_value x)
{
    return am_layer_norm_no_bias(b, name, x, NORM_EPS);
}

static am_value self_attention(am_builder *b, am_value x, const am_attention_options *options)
{
    am_value h = norm(b, "input_layernorm", x);
    am_scope(b, "self_attn");
    h = am_self_attention(b, h, options);
    am_end_scope(b);
    return am_add(b, x, h);
}

/* --- encoder --- */

/* input_values: [B, L] -> [B, T, C] */
static am_value frames(am_builder *b, int64_t C)
{
    int64_t widths[] = {C, 2 * C, C};
    am_value x = am_unsqueeze(b, am_input(b, "input_values", 2), 1);
    for (int i = 0; i < 3; i++) {
        const char *const names[] = {"conv1", "conv2", "conv3"};
        x = am_conv(b, names[i], x, widths[i], am_shape_of(kernels[i]), i ? AM_BIAS : AM_NO_BIAS,
                    &(am_convolution_attributes){.stride = am_shape_of(strides[i])});
        x = am_unary(b, i ? AM_GELU : AM_TANH, x);
        if (i == 0) x = am_group_norm(b, "groupnorm", x, 1, NORM_EPS);
    }
    return am_transpose(b, x, 1, 2);
}

/* Of the input attention_mask, which covers samples, the first one of each of T frames. */
static am_value frame_mask(am_builder *b, int64_t T)
{
    am_value mask = am_input_optional(b, "attention_mask", 2);
    if (!mask.id) return AM_NONE;
    mask = am_slice_step(b, mask, 1, 0, AM_SLICE_END, SAMPLES_A_FRAME);
    if (am_dim(b, mask, 1) > T) mask = am_slice(b, mask, 1, 0, T);
    return am_padding_mask_of(b, mask);
}

static am_value encode(am_builder *b, const void *model)
{
    const moonshine_config *c = model;
    am_attention_options attention = c->encoder;
    am_scope(b, "%s", c->prefix);
    am_scope(b, "encoder");
    am_value x = frames(b, c->hidden_size);
    am_rope rope = am_rope_tables(b, &c->rope, am_dim(b, x, 1));
    rope.interleaved = true;
    attention.rope = &rope;
    attention.mask = frame_mask(b, am_dim(b, x, 1));
    for (int i = 0; i < c->encoder_layers && !am_builder_failed(b); i++) {
        am_output_hidden_state(b, "encoder_hidden_states", i, x);
        am_scope(b, "layers.%d", i);
        x = self_attention(b, x, &attention);
        am_value h = norm(b, "post_attention_layernorm", x);
        h = am_linear_activation(b, "mlp.fc1", h, c->intermediate_size, AM_BIAS, c->encoder_act);
        x = am_add(b, x, am_linear(b, "mlp.fc2", h, c->hidden_size, AM_BIAS));
        am_end_scope(b);
    }
    x = norm(b, "layer_norm", x);
    am_output_hidden_state(b, "encoder_hidden_states", (int)c->encoder_layers, x);
    am_end_scope(b);
    am_end_scope(b);
    return x;
}

/* --- decoder --- */

static am_value cross_attention(am_builder *b, am_value x, am_value encoded, const am_attention_options *options)
{
    am_value h = norm(b, "post_attention_layernorm", x);
    am_scope(b, "encoder_attn");
    h = am_cross_attention(b, h, encoded, options);
    am_end_scope(b);
    return am_add(b, x, h);
}

/* The second half of fc1 gates the first. */
static am_value gated_part(am_builder *b, am_value x, const moonshine_config *c)
{
    int64_t inner = c->intermediate_size;
    am_value h = am_linear(b, "mlp.fc1", norm(b, "final_layernorm", x), 2 * inner, AM_BIAS);
    h = am_gated_activation(b, c->decoder_act, am_slice(b, h, 2, inner, 2 * inner), am_slice(b, h, 2, 0, inner));
    return am_add(b, x, am_linear(b, "mlp.fc2", h, c->hidden_size, AM_BIAS));
}

static am_value decode(am_builder *b, const void *model, am_value encoded)
{
    const moonshine_config *c = model;
    const char *positions = "decoder_position_ids";
    am_attention_options self = c->decoder, cross = c->decoder;
    am_value ids = am_decoder_input_ids(b, false, -1), given = am_input_optional(b, positions, 2);
    am_rope rope = given.id ? am_rope_tables_at(b, &c->rope, given) : am_rope_tables(b, &c->rope, am_dim(b, ids, 1));
    rope.interleaved = true;
    self.rope = &rope;
    self.mask = am_packed_mask(b, am_padding_mask(b, "decoder_attention_mask"), positions);
    cross.causal = false;
    cross.mask = frame_mask(b, encoded.id ? am_dim(b, encoded, 1) : am_encoder_length(b));
    am_scope(b, "%s", c->prefix);
    am_scope(b, "decoder");
    am_value x = am_embedding(b, "embed_tokens", ids, c->vocab_size, c->hidden_size);
    for (int i = 0; i < c->decoder_layers && !am_builder_failed(b); i++) {
        am_output_hidden_state(b, "decoder_hidden_states", i, x);
        am_scope(b, "layers.%d", i);
        x = gated_part(b, cross_attention(b, self_attention(b, x, &self), encoded, &cross), c);
        am_end_scope(b);
    }
    x = norm(b, "norm", x);
    am_output_hidden_state(b, "decoder_hidden_states", (int)c->decoder_layers, x);
    am_end_scope(b);
    am_end_scope(b);
    return x;
}

/* --- classes --- */

static void moonshine_model(am_builder *b)
{
    moonshine_config c = read_config(b, "");
    am_value x = am_seq2seq_run(b, &(am_seq2seq){encode, decode, &c});
    if (x.id) am_output(b, "last_hidden_state", x);
}

static void for_conditional_generation(am_builder *b)
{
    moonshine_config c = read_config(b, "model");
    am_value x = am_seq2seq_run(b, &(am_seq2seq){encode, decode, &c});
    if (!x.id) return;
    am_output(b, "logits",
              am_lm_head(b, "proj_out", x, c.vocab_size, c.tie_word_embeddings, "model.decoder.embed_tokens.weight",
                         AM_NO_BIAS));
}

static const am_architecture architectures[] = {
    {"MoonshineModel", moonshine_model, "feature-extraction", AM_ENCODER_DECODER},
    /* no task: the one for speech recognition generates as Whisper does, in segments with times */
    {"MoonshineForConditionalGeneration", for_conditional_generation, NULL, AM_GENERATES | AM_ENCODER_DECODER},
    {0},
};

const am_model_type am_model_moonshine = {.name = "moonshine", .base_prefix = "model", .architectures = architectures};
