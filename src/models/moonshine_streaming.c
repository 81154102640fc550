/* Moonshine for streams: an encoder reads frames of a few milliseconds through two convolutions that look back only,
   its layers within windows; a decoder with rotary positions, pairs side by side, attends to what it gave, positions
   added. transformers: models/moonshine_streaming/modeling_moonshine_streaming.py */
#include "models/blocks/attention.h"
#include "models/blocks/heads.h"
#include "models/blocks/seq2seq.h"
#include "models/blocks/speech.h"

#include <inttypes.h>
#include <math.h>

static const double NORM_EPS = 1e-5, FRAME_EPS = 1e-6; /* not configurable */
enum { KERNEL = 5, STRIDE = 2, CONVOLUTIONS = 2, LAYERS_LIMIT = 512 };

typedef struct side {
    int64_t width, layers, inner;
    am_unary_fn hidden_act;
    am_attention_options attention;
} side;

typedef struct moonshine_config {
    int64_t vocab_size, positions, frame;
    side encoder, decoder;
    int64_t windows[LAYERS_LIMIT][2]; /* frames a layer of the encoder sees back, itself counted, and ahead */
    bool tie_word_embeddings;
    am_rope_config rope;
    const char *prefix; /* of the body's weights: "model" or "" */
} moonshine_config;

static side read_side(const am_config *c, am_unary_fn activation)
{
    bool biased = am_config_flag(c, "attention_bias", false);
    side r = {.width = am_config_size(c, "hidden_size", 320),
              .layers = am_config_count(c, "num_hidden_layers", 6),
              .inner = am_config_size(c, "intermediate_size", 1280),
              .hidden_act = am_config_activation(c, "hidden_act", activation)};
    am_attention_options *a = &r.attention;
    a->heads = am_config_size(c, "num_attention_heads", 8);
    if (!am_config_has(c, "head_dim"))
        am_config_check_divides(c, "num_attention_heads", a->heads, "hidden_size", r.width);
    a->head_dim = am_config_size(c, "head_dim", r.width / a->heads);
    a->out = "o_proj";
    a->no_q_bias = a->no_k_bias = a->no_v_bias = a->no_out_bias = !biased;
    return r;
}

static void read_encoder(const am_config *c, moonshine_config *r)
{
    static const int64_t windows[][2] = {{16, 4}, {16, 4}, {16, 0}, {16, 0}, {16, 4}, {16, 4}};
    r->encoder = read_side(c, AM_GELU);
    am_attention_options *a = &r->encoder.attention;
    a->kv_heads = am_config_size(c, "num_key_value_heads", 8);
    am_config_check_divides(c, "num_key_value_heads", a->kv_heads, "num_attention_heads", a->heads);
    double frame = round((double)am_config_int(c, "sample_rate", 16000) * am_config_real(c, "frame_ms", 5) / 1000);
    r->frame = frame >= 1 && frame < INT32_MAX ? (int64_t)frame : 1;
    if ((double)r->frame != frame) am_config_fail(c, "frame_ms", "frames of %g samples", frame);
    if (r->encoder.layers > LAYERS_LIMIT) am_config_fail(c, "num_hidden_layers", "expected %d at most", LAYERS_LIMIT);
    for (int i = 0; i < r->encoder.layers && i < LAYERS_LIMIT && !c->root->error; i++) {
        am_json_iterator at = am_json_iterate(am_json_get(c->object, "sliding_windows"));
        bool given = am_config_has(c, "sliding_windows"), found = !given && i < 6;
        for (int k = 0; given && k <= i; k++) found = am_json_next(&at);
        am_json_iterator number = am_json_iterate(at.value);
        for (int k = 0; k < 2 && found; k++) {
            if (given) found = am_json_next(&number);
            r->windows[i][k] = given ? am_json_int(number.value, -1) : windows[i][k];
        }
        if (!found || r->windows[i][0] < 0 || r->windows[i][1] < 0)
            am_config_fail(c, "sliding_windows", "no two numbers, 0 or more, of layer %d", i);
    }
}

static moonshine_config read_config(am_builder *b, const char *prefix)
{
    const am_config *c = am_model_config(b);
    am_config encoder = am_config_child(c, "encoder_config");
    moonshine_config r = {.vocab_size = am_config_size(c, "vocab_size", 32768),
                          .positions = am_config_size(c, "max_position_embeddings", 4096),
                          .decoder = read_side(c, AM_SILU),
                          .tie_word_embeddings = am_config_flag(c, "tie_word_embeddings", false),
                          .prefix = prefix};
    am_attention_options *a = &r.decoder.attention;
    int64_t keys = am_config_size(c, "num_key_value_heads", a->heads);
    if (keys != a->heads)
        am_config_fail(c, "num_key_value_heads", "expected as many as num_attention_heads, %" PRId64 ", found %" PRId64,
                       a->heads, keys);
    a->no_out_bias = true;
    double partial = am_config_has(c, "rope_parameters") ? 1 : 0.8;
    r.rope = am_rope_config_read_fields(c, &(am_rope_fields){.rounds_up = true}, a->head_dim, 10000, partial, 4096);
    read_encoder(&encoder, &r);
    return r;
}

/* --- encoder --- */

/* LayerNorm by 1 + gamma. */
static am_value offset_norm(am_builder *b, const char *name, am_value x)
{
    am_scope(b, "%s", name);
    am_value weight = am_add_number(b, am_cast(b, am_weight(b, "gamma", am_shape_of(am_dim(b, x, -1))), AM_F32), 1);
    am_end_scope(b);
    return am_norm_op(b, x, weight, AM_NONE, AM_NONE, AM_NONE,
                      &(am_norm_attributes){.kind = AM_NORM_LAYER, .eps = NORM_EPS});
}

/* Frames and how many of each row are no padding: I32 [B], or AM_NONE. */
typedef struct frames {
    am_value x, lengths;
} frames;

/* Frames left of lengths: I32 [B] that one of the last KERNEL before it is one of. */
static am_value reached(am_builder *b, am_value lengths)
{
    am_value more = am_binary_number(b, AM_DIV, am_add_number(b, lengths, KERNEL - 1 + STRIDE - 1), STRIDE);
    return am_select(b, am_binary_number(b, AM_GREATER, lengths, 0), more, am_scalar(b, AM_I32, 0));
}

/* f->x: [B, T, C] -> [B, T / 2 rounded up, out]; frames of padding are zero. */
static void convolve(am_builder *b, frames *f, const char *name, int64_t out)
{
    am_convolution_attributes options = {
        .stride = am_shape_of(STRIDE), .padding_before = am_shape_of(KERNEL - 1), .padding_after = am_shape_of(0)};
    f->x = am_conv(b, name, am_transpose(b, f->x, 1, 2), out, am_shape_of(KERNEL), AM_BIAS, &options);
    f->x = am_transpose(b, f->x, 1, 2);
    if (!f->lengths.id) return;
    f->lengths = reached(b, f->lengths);
    f->x = am_zero_outside(b, f->x, am_frames_before(b, f->lengths, am_dim(b, f->x, 1)));
}

/* Samples of a row that are no padding as whole frames: I32 [B], or AM_NONE. */
static am_value frame_lengths(am_builder *b, const moonshine_config *c)
{
    am_value lengths = am_attended_lengths(b);
    return lengths.id ? am_binary_number(b, AM_DIV, lengths, (double)c->frame) : AM_NONE;
}

static frames embed(am_builder *b, const moonshine_config *c)
{
    am_value x = am_input(b, "input_values", 2), log_k;
    int64_t B = am_dim(b, x, 0), L = am_dim(b, x, 1), C = c->encoder.width;
    frames f = {.lengths = frame_lengths(b, c)};
    if (x.id && L % c->frame != 0)
        am_builder_fail(b,
                        am_error(AM_INVALID_ARGUMENT,
                                 "input_values has %" PRId64 " samples, expected a multiple of %" PRId64, L, c->frame));
    if (am_builder_failed(b)) return f;
    am_norm_attributes norm = {.kind = AM_NORM_LAYER, .eps = FRAME_EPS};
    am_scope(b, "embedder");
    x = am_reshape(b, x, am_shape_of(B, L / c->frame, c->frame));
    x = am_norm_op(b, x, AM_NONE, AM_NONE, AM_NONE, AM_NONE, &norm);
    log_k = am_cast(b, am_weight(b, "comp.log_k", (am_shape){0}), AM_F32);
    x = am_unary(b, AM_ASINH, am_mul(b, x, am_unary(b, AM_EXP, log_k)));
    f.x = am_linear_activation(b, "linear", x, C, AM_NO_BIAS, AM_SILU);
    if (f.lengths.id) f.x = am_zero_outside(b, f.x, am_frames_before(b, f.lengths, am_dim(b, f.x, 1)));
    convolve(b, &f, "conv1", 2 * C);
    f.x = am_unary(b, AM_SILU, f.x);
    convolve(b, &f, "conv2", C);
    am_end_scope(b);
    return f;
}

/* Which of T frames see which: BOOL [B, 1, T, T]; kept: BOOL [B, T]. */
static am_value window_mask(am_builder *b, am_value kept, const int64_t window[2])
{
    int64_t T = am_dim(b, kept, 1);
    am_value query = am_iota(b, AM_I32, am_shape_of(1, 1, T, 1), 2, 0, 1),
             key = am_iota(b, AM_I32, am_shape_of(1, 1, 1, T), 3, 0, 1), distance = am_sub(b, query, key);
    am_value back = am_binary(b, AM_LOGICAL_AND, am_binary_number(b, AM_GREATER_EQUAL, distance, 0),
                              am_binary_number(b, AM_LESS, distance, (double)window[0]));
    am_value ahead = am_binary(b, AM_LOGICAL_AND, am_binary_number(b, AM_LESS, distance, 0),
                               am_binary_number(b, AM_GREATER, distance, -(double)window[1]));
    am_value near = am_binary(b, AM_LOGICAL_OR, back, ahead);
    return am_binary(b, AM_LOGICAL_AND, near, am_padding_mask_of(b, kept));
}

static am_value encoder_layer(am_builder *b, am_value x, const am_attention_options *attention, const side *s)
{
    am_value h = offset_norm(b, "input_layernorm", x);
    am_scope(b, "self_attn");
    x = am_add(b, x, am_self_attention(b, h, attention));
    am_end_scope(b);
    h = offset_norm(b, "post_attention_layernorm", x);
    h = am_linear_activation(b, "mlp.fc1", h, s->inner, AM_BIAS, s->hidden_act);
    return am_add(b, x, am_linear(b, "mlp.fc2", h, s->width, AM_BIAS));
}

/* The decoder's positions are added to the encoder's states, whoever reads them. Windows are those of padded sounds. */
static am_value encode(am_builder *b, const void *model)
{
    const moonshine_config *c = model;
    am_attention_options attention = c->encoder.attention;
    am_value kept = AM_NONE;
    am_scope(b, "%s", c->prefix);
    am_scope(b, "encoder");
    frames f = embed(b, c);
    int64_t T = am_dim(b, f.x, 1);
    if (f.lengths.id) kept = am_frames_before(b, f.lengths, T);
    for (int i = 0; i < c->encoder.layers && !am_builder_failed(b); i++) {
        am_output_hidden_state(b, "encoder_hidden_states", i, f.x);
        if (kept.id) attention.mask = window_mask(b, kept, c->windows[i]);
        am_scope(b, "layers.%d", i);
        f.x = encoder_layer(b, f.x, &attention, &c->encoder);
        am_end_scope(b);
    }
    am_value x = offset_norm(b, "final_norm", f.x);
    am_end_scope(b);
    am_value rows = am_iota(b, AM_I32, am_shape_of(1, T), 1, 0, 1);
    x = am_add(b, x, am_embedding(b, "decoder.pos_emb", rows, c->positions, c->encoder.width));
    am_output_hidden_state(b, "encoder_hidden_states", (int)c->encoder.layers, x);
    am_end_scope(b);
    return x;
}

/* --- decoder --- */

static am_value norm(am_builder *b, const char *name, am_value x)
{
    return am_layer_norm_no_bias(b, name, x, NORM_EPS);
}

/* The second half of fc1 gates the first. */
static am_value gated_part(am_builder *b, am_value x, const side *s)
{
    am_value h = am_linear(b, "mlp.fc1", norm(b, "final_layernorm", x), 2 * s->inner, AM_BIAS);
    h = am_gated_activation(b, s->hidden_act, am_slice(b, h, 2, s->inner, 2 * s->inner),
                            am_slice(b, h, 2, 0, s->inner));
    return am_add(b, x, am_linear(b, "mlp.fc2", h, s->width, AM_BIAS));
}

static am_value decoder_layer(am_builder *b, am_value x, am_value encoded, const am_attention_options *self,
                              const am_attention_options *cross, const side *s)
{
    am_value h = norm(b, "input_layernorm", x);
    am_scope(b, "self_attn");
    x = am_add(b, x, am_self_attention(b, h, self));
    am_end_scope(b);
    h = norm(b, "post_attention_layernorm", x);
    am_scope(b, "encoder_attn");
    x = am_add(b, x, am_cross_attention(b, h, encoded, cross));
    am_end_scope(b);
    return gated_part(b, x, s);
}

/* Which of S states are no padding: BOOL [B, 1, 1, S], or AM_NONE. */
static am_value encoded_mask(am_builder *b, const moonshine_config *c, int64_t S)
{
    am_value lengths = frame_lengths(b, c);
    for (int i = 0; i < CONVOLUTIONS && lengths.id; i++) lengths = reached(b, lengths);
    return lengths.id ? am_padding_mask_of(b, am_frames_before(b, lengths, S)) : AM_NONE;
}

static am_value decode(am_builder *b, const void *model, am_value encoded)
{
    const moonshine_config *c = model;
    const char *positions = "decoder_position_ids";
    am_attention_options self = c->decoder.attention, cross = self;
    am_value ids = am_decoder_input_ids(b, false, -1), given = am_input_optional(b, positions, 2);
    am_rope rope = given.id ? am_rope_tables_at(b, &c->rope, given) : am_rope_tables(b, &c->rope, am_dim(b, ids, 1));
    rope.interleaved = true;
    self.rope = &rope;
    self.causal = true;
    self.mask = am_packed_mask(b, am_padding_mask(b, "decoder_attention_mask"), positions);
    cross.mask = encoded_mask(b, c, encoded.id ? am_dim(b, encoded, 1) : am_encoder_length(b));
    am_scope(b, "%s", c->prefix);
    am_scope(b, "decoder");
    if (encoded.id && c->encoder.width != c->decoder.width)
        encoded = am_linear(b, "proj", encoded, c->decoder.width, AM_NO_BIAS);
    am_value x = am_embedding(b, "embed_tokens", ids, c->vocab_size, c->decoder.width);
    for (int i = 0; i < c->decoder.layers && !am_builder_failed(b); i++) {
        am_output_hidden_state(b, "decoder_hidden_states", i, x);
        am_scope(b, "layers.%d", i);
        x = decoder_layer(b, x, encoded, &self, &cross, &c->decoder);
        am_end_scope(b);
    }
    x = norm(b, "norm", x);
    am_output_hidden_state(b, "decoder_hidden_states", (int)c->decoder.layers, x);
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
    {"MoonshineStreamingModel", moonshine_model, "feature-extraction", AM_ENCODER_DECODER},
    /* no task: the one for speech recognition generates as Whisper does, in segments with times */
    {"MoonshineStreamingForConditionalGeneration", for_conditional_generation, NULL, AM_GENERATES | AM_ENCODER_DECODER},
    {0},
};

const am_model_type am_model_moonshine_streaming = {
    .name = "moonshine_streaming", .base_prefix = "model", .architectures = architectures};
