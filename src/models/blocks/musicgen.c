#include "models/blocks/musicgen.h"

#include "models/blocks/attention.h"
#include "models/blocks/seq2seq.h"
#include "models/blocks/sinusoids.h"

#include <inttypes.h>
#include <stdio.h>

static const double NORM_EPS = 1e-5; /* not configurable */

typedef struct musicgen_config {
    bool reads_first; /* what is described stands before the tokens, and there is no cross-attention */
    int64_t vocab_size, hidden_size, layers, heads, ffn_dim, codebooks;
    am_unary_fn activation;
} musicgen_config;

static musicgen_config read_config(am_builder *b)
{
    const am_musicgen_family *family = am_model_family(b);
    const am_config *c = am_model_config(b);
    musicgen_config r = {.vocab_size = am_config_size(c, "vocab_size", 2048),
                         .hidden_size = am_config_size(c, "hidden_size", 1024),
                         .layers = am_config_count(c, "num_hidden_layers", 24),
                         .heads = am_config_size(c, "num_attention_heads", 16),
                         .ffn_dim = am_config_size(c, "ffn_dim", 4096),
                         .codebooks = am_config_size(c, "num_codebooks", 4),
                         .activation = am_config_activation(c, "activation_function", AM_GELU)};
    r.reads_first = family->reads_first;
    am_config_check_divides(c, "num_attention_heads", r.heads, "hidden_size", r.hidden_size);
    if (r.hidden_size < 4) am_config_fail(c, "hidden_size", "expected 4 or more, found %" PRId64, r.hidden_size);
    if (r.codebooks > 1024) am_config_fail(c, "num_codebooks", "expected 1024 or fewer, found %" PRId64, r.codebooks);
    return r;
}

/* Cosines, then sines, of C / 2 frequencies at 0 .. T - 1: [T, C]. */
static am_value positions(am_builder *b, int64_t T, int64_t C)
{
    int64_t half = C / 2;
    am_value table = am_sinusoid_table(b, T, C, (double)(half - 1), -1);
    am_value turned = am_concat2(b, am_slice(b, table, 1, half, 2 * half), am_slice(b, table, 1, 0, half), 1);
    return C % 2 ? am_pad_zero(b, turned, 1, 0, 1) : turned;
}

/* The input input_ids: [B * codebooks, T] as states: [B, T, C]. */
static am_value embed(am_builder *b, const musicgen_config *c)
{
    am_value ids = am_input(b, "input_ids", 2), sum = AM_NONE;
    int64_t rows = am_dim(b, ids, 0), T = am_dim(b, ids, 1);
    if (rows % c->codebooks != 0) {
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT,
                                    "input_ids has %" PRId64 " rows, expected %" PRId64 " (num_codebooks) of each text",
                                    rows, c->codebooks));
        return AM_NONE;
    }
    ids = am_reshape(b, ids, am_shape_of(rows / c->codebooks, c->codebooks, T));
    for (int i = 0; i < c->codebooks && !am_builder_failed(b); i++) {
        char name[32];
        snprintf(name, sizeof name, "embed_tokens.%d", i);
        am_value x = am_embedding(b, name, am_index(b, ids, 1, i), c->vocab_size + 1, c->hidden_size);
        sum = i ? am_add(b, sum, x) : x;
    }
    return sum;
}

static am_value norm(am_builder *b, const char *name, am_value x)
{
    return am_layer_norm(b, name, x, NORM_EPS);
}

static am_value layer(am_builder *b, am_value x, const am_attention_options *self, const am_attention_options *cross,
                      const am_encoder_states *encoded, const musicgen_config *c)
{
    am_value h = norm(b, "self_attn_layer_norm", x);
    am_scope(b, "self_attn");
    x = am_add(b, x, am_self_attention(b, h, self));
    am_end_scope(b);
    if (encoded->given) {
        h = norm(b, "encoder_attn_layer_norm", x);
        am_scope(b, "encoder_attn");
        x = am_add(b, x, am_cross_attention(b, h, encoded->states, cross));
        am_end_scope(b);
    }
    h = norm(b, "final_layer_norm", x);
    h = am_linear_activation(b, "fc1", h, c->ffn_dim, AM_NO_BIAS, c->activation);
    return am_add(b, x, am_linear(b, "fc2", h, c->hidden_size, AM_NO_BIAS));
}

/* What the layers read: tokens, behind what is described where that is read first; *mask: which of it is attended. */
static am_value start(am_builder *b, const am_encoder_states *encoded, const musicgen_config *c, am_value *mask)
{
    am_value x = embed(b, c);
    *mask = am_padding_mask(b, "attention_mask");
    if (c->reads_first && encoded->given) {
        am_value seen = am_input_optional(b, "encoder_attention_mask", 2),
                 own = am_input_optional(b, "attention_mask", 2);
        *mask = am_padding_mask_of(b, am_join_attended(b, seen, am_dim(b, encoded->states, 1), own, am_dim(b, x, 1)));
        x = am_concat2(b, encoded->states, x, 1);
    }
    return am_builder_failed(b) ? AM_NONE : am_add(b, x, positions(b, am_dim(b, x, 1), c->hidden_size));
}

/* The states under `prefix`: [B, T, C], named as hidden states. */
static am_value decoder(am_builder *b, const musicgen_config *c, const char *prefix)
{
    am_attention_options self = {.heads = c->heads,
                                 .no_q_bias = true,
                                 .no_k_bias = true,
                                 .no_v_bias = true,
                                 .no_out_bias = true},
                         cross = self;
    am_encoder_states encoded = am_encoder_states_input(b);
    self.causal = true;
    cross.mask = encoded.mask;
    am_scope(b, "%s", prefix);
    am_value x = start(b, &encoded, c, &self.mask);
    if (c->reads_first) encoded.given = false;
    for (int i = 0; i < c->layers && !am_builder_failed(b); i++) {
        am_output_hidden_state(b, "hidden_states", i, x);
        am_scope(b, "layers.%d", i);
        x = layer(b, x, &self, &cross, &encoded, c);
        am_end_scope(b);
    }
    x = norm(b, "layer_norm", x);
    am_output_hidden_state(b, "hidden_states", (int)c->layers, x);
    am_end_scope(b);
    return x;
}

void am_musicgen_model(am_builder *b)
{
    musicgen_config c = read_config(b);
    am_output(b, "last_hidden_state", decoder(b, &c, "decoder"));
}

/* Logits of each codebook: [B * codebooks, T, vocab]. */
void am_musicgen_for_causal_lm(am_builder *b)
{
    musicgen_config c = read_config(b);
    am_value x = decoder(b, &c, "model.decoder"), all = AM_NONE;
    int64_t B = am_dim(b, x, 0), T = am_dim(b, x, 1);
    for (int i = 0; i < c.codebooks && !am_builder_failed(b); i++) {
        char name[32];
        snprintf(name, sizeof name, "lm_heads.%d", i);
        am_value logits = am_unsqueeze(b, am_linear(b, name, x, c.vocab_size, AM_NO_BIAS), 1);
        all = i ? am_concat2(b, all, logits, 1) : logits;
    }
    if (!am_builder_failed(b))
        am_output(b, "logits", am_reshape(b, all, am_shape_of(B * c.codebooks, T, c.vocab_size)));
}

am_value am_musicgen_text(am_builder *b, am_part_outputs *outputs)
{
    am_config config = am_config_child(am_model_config(b), "text_encoder");
    am_part part = {.auto_class = "AutoModelForTextEncoding", .model_type = "t5", .config = &config};
    am_scope(b, "text_encoder");
    *outputs = am_build_part(b, &part);
    am_end_scope(b);
    am_value x = am_part_output(outputs, "last_hidden_state"), mask = am_input_optional(b, "attention_mask", 2);
    if (am_has_weight(b, "enc_to_dec_proj.weight")) {
        am_value weight = am_weight(b, "enc_to_dec_proj.weight", am_shape_of(-1, am_dim(b, x, -1)));
        x = am_linear_with(b, x, weight, am_weight(b, "enc_to_dec_proj.bias", am_shape_of(am_dim(b, weight, 0))));
    }
    return mask.id ? am_mul(b, x, am_unsqueeze(b, am_cast(b, mask, AM_F32), -1)) : x;
}
