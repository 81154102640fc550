/* CLVP's encoder of texts or of a sound's tokens, whose rotary positions turn values, too, and GPT-2's layers that
   write such tokens. transformers: models/clvp/modeling_clvp.py */
#include "models/blocks/attention.h"
#include "models/blocks/heads.h"

#include <inttypes.h>

static const double FINAL_NORM_EPS = 1e-5; /* not configurable */

/* --- the encoder --- */

typedef struct encoder {
    int64_t vocab, width, inner, projection, layers;
    am_unary_fn hidden_act;
    double eps;
    am_attention_options attention;
} encoder;

static encoder read_encoder(const am_config *c)
{
    encoder r = {.vocab = am_config_size(c, "vocab_size", 256),
                 .width = am_config_size(c, "hidden_size", 768),
                 .inner = am_config_size(c, "intermediate_size", 1536),
                 .projection = am_config_size(c, "projection_dim", 768),
                 .layers = am_config_count(c, "num_hidden_layers", 20),
                 .hidden_act = am_config_activation(c, "hidden_act", AM_GELU),
                 .eps = am_config_real(c, "layer_norm_eps", 1e-5)};
    bool bias = am_config_flag(c, "use_attention_bias", false);
    am_attention_options *a = &r.attention;
    a->heads = am_config_size(c, "num_attention_heads", 12);
    a->no_q_bias = a->no_k_bias = a->no_v_bias = !bias;
    am_config_check_divides(c, "num_attention_heads", a->heads, "hidden_size", r.width);
    return r;
}

/* Tables of the frequencies that the file has, for T positions or those of the input position_ids. */
static am_rope tables(am_builder *b, const am_config *c, int64_t T, const encoder *e)
{
    int64_t turned = e->projection / (2 * e->attention.heads), head = e->width / e->attention.heads;
    turned = turned < 32 ? 32 : turned;
    if (turned > head || turned % 2 != 0)
        am_config_fail(c, "projection_dim", "%" PRId64 " numbers of a head's %" PRId64 " are turned", turned, head);
    am_value frequencies = am_cast(b, am_weight(b, "rotary_pos_emb.inv_freq", am_shape_of(turned / 2)), AM_F32);
    am_value given = am_input_optional(b, "position_ids", 2);
    am_value places = given.id ? given : am_iota(b, AM_I32, am_shape_of(1, T), 1, 0, 1);
    am_value angles = am_mul(b, am_unsqueeze(b, am_cast(b, places, AM_F32), -1), frequencies);
    return (am_rope){.cos = am_unary(b, AM_COS, angles), .sin = am_unary(b, AM_SIN, angles)};
}

/* The second half of fc1 gates the first. */
static am_value encoder_layer(am_builder *b, am_value x, const encoder *e)
{
    am_value h = am_rms_norm(b, "input_rmsnorm", x, e->eps, 0);
    am_scope(b, "self_attn");
    x = am_add(b, x, am_self_attention(b, h, &e->attention));
    am_end_scope(b);
    h = am_rms_norm(b, "post_attention_rmsnorm", x, e->eps, 0);
    h = am_linear(b, "mlp.fc1.proj", h, 2 * e->inner, AM_BIAS);
    h = am_gated_activation(b, e->hidden_act, am_slice(b, h, 2, e->inner, 2 * e->inner),
                            am_slice(b, h, 2, 0, e->inner));
    return am_add(b, x, am_linear(b, "mlp.fc2", h, e->width, AM_BIAS));
}

static void clvp_encoder(am_builder *b)
{
    const am_config *c = am_model_config(b);
    encoder e = read_encoder(c);
    am_value x = am_input_embeddings(b, "token_embedding", e.vocab, e.width);
    am_rope rope;
    if (am_config_flag(c, "use_rotary_embedding", true)) {
        rope = tables(b, c, am_dim(b, x, 1), &e);
        e.attention.rope = &rope;
        e.attention.rotates_values = true;
    } else {
        am_input_optional(b, "position_ids", 2); /* which then say nothing */
    }
    e.attention.mask = am_padding_mask(b, "attention_mask");
    for (int i = 0; i < e.layers && !am_builder_failed(b); i++) {
        am_output_hidden_state(b, "hidden_states", i, x);
        am_scope(b, "layers.%d", i);
        x = encoder_layer(b, x, &e);
        am_end_scope(b);
    }
    x = am_layer_norm(b, "final_layer_norm", x, e.eps);
    am_output_hidden_state(b, "hidden_states", (int)e.layers, x);
    am_summary_options summary = {.type = am_config_text(c, "summary_type", "mean")};
    am_value pooled = am_sequence_summary(b, "", x, AM_NONE, 0, &summary);
    am_output(b, "embeds", am_linear(b, "projection", pooled, e.projection, AM_NO_BIAS));
    am_output(b, "last_hidden_state", x);
    am_output(b, "pooler_output", pooled);
}

/* --- the decoder --- */

typedef struct decoder {
    int64_t vocab, positions, width, layers, inner;
    am_unary_fn activation;
    double eps;
    am_attention_options attention;
} decoder;

static decoder read_decoder(const am_config *c)
{
    decoder r = {.vocab = am_config_size(c, "vocab_size", 8194),
                 .positions = am_config_size(c, "max_position_embeddings", 608),
                 .width = am_config_size(c, "hidden_size", 1024),
                 .layers = am_config_count(c, "num_hidden_layers", 30),
                 .activation = am_config_activation(c, "activation_function", AM_GELU_TANH),
                 .eps = am_config_real(c, "layer_norm_epsilon", 1e-5)};
    bool bias = am_config_flag(c, "use_attention_bias", true);
    am_attention_options *a = &r.attention;
    r.inner = am_config_size(c, "n_inner", 4 * r.width);
    a->heads = am_config_size(c, "num_attention_heads", 16);
    a->no_q_bias = a->no_k_bias = a->no_v_bias = !bias;
    a->causal = true;
    am_config_check_divides(c, "num_attention_heads", a->heads, "hidden_size", r.width);
    return r;
}

static am_value decoder_layer(am_builder *b, am_value x, const decoder *d)
{
    am_value h = am_layer_norm(b, "input_layernorm", x, d->eps);
    am_scope(b, "attn");
    x = am_add(b, x, am_self_attention(b, h, &d->attention));
    am_end_scope(b);
    h = am_linear_in_out(b, "mlp.c_fc", am_layer_norm(b, "post_attention_layernorm", x, d->eps), d->inner);
    return am_add(b, x, am_linear_in_out(b, "mlp.c_proj", am_unary(b, d->activation, h), d->width));
}

/* The states below `prefix`: [B, T, C], named as hidden states. */
static am_value decode(am_builder *b, const char *prefix, decoder *d)
{
    d->attention.mask = am_padding_mask(b, "attention_mask");
    am_scope(b, "%s", prefix);
    am_value x = am_input_embeddings(b, "input_embeds_layer", d->vocab, d->width);
    am_value types = am_input_optional(b, "token_type_ids", 2), places = am_position_ids(b, am_dim(b, x, 1));
    x = am_add(b, x, am_embedding(b, "position_embeds_layer", places, d->positions, d->width));
    if (types.id) x = am_add(b, x, am_embedding(b, "input_embeds_layer", types, d->vocab, d->width));
    for (int i = 0; i < d->layers && !am_builder_failed(b); i++) {
        am_output_hidden_state(b, "hidden_states", i, x);
        am_scope(b, "layers.%d", i);
        x = decoder_layer(b, x, d);
        am_end_scope(b);
    }
    x = am_layer_norm(b, "layer_norm", x, d->eps);
    am_output_hidden_state(b, "hidden_states", (int)d->layers, x);
    am_end_scope(b);
    return x;
}

static void clvp_decoder(am_builder *b)
{
    decoder d = read_decoder(am_model_config(b));
    am_output(b, "last_hidden_state", decode(b, "", &d));
}

static void clvp_model(am_builder *b)
{
    decoder d = read_decoder(am_model_config(b));
    am_output(b, "last_hidden_state", decode(b, "decoder", &d));
}

static void for_causal_lm(am_builder *b)
{
    decoder d = read_decoder(am_model_config(b));
    am_value x = am_last_position_if_wanted(b, decode(b, "model.decoder", &d));
    x = am_layer_norm(b, "final_norm", x, FINAL_NORM_EPS);
    am_output(b, "logits", am_linear(b, "lm_head", x, d.vocab, AM_BIAS));
}

static const am_architecture architectures[] = {
    {"ClvpEncoder", clvp_encoder, NULL, 0},
    {"ClvpDecoder", clvp_decoder, NULL, 0},
    {"ClvpModel", clvp_model, NULL, 0},
    {"ClvpForCausalLM", for_causal_lm, NULL, AM_GENERATES},
    {0},
};

const am_model_type am_model_clvp = {
    .name = "clvp_encoder clvp_decoder", .base_prefix = "model", .architectures = architectures};
