#include "models/blocks/t5.h"

#include "models/blocks/heads.h"
#include "models/blocks/multimodal.h"
#include "models/blocks/relative.h"
#include "models/blocks/seq2seq.h"

#include <math.h>
#include <string.h>

/* feed_forward_proj: "relu", "gated-silu" ...; "gated-gelu" means the approximation. */
static void read_feed_forward(const am_config *c, const am_t5_family *f, am_t5_config *t)
{
    const char *name = am_config_text(c, "feed_forward_proj", f->feed_forward_proj ? f->feed_forward_proj : "relu");
    bool gated = strncmp(name, "gated-", 6) == 0;
    const char *short_name = gated ? name + 6 : name;
    bool is_approximate = strcmp(name, "gated-gelu") == 0 && !f->names_activation;
    const char *fallback = f->dense_act_fn ? f->dense_act_fn : is_approximate ? "gelu_new" : short_name;
    const char *activation = am_config_text(c, "dense_act_fn", fallback);
    t->is_gated_act = am_config_flag(c, "is_gated_act", gated);
    if (!am_activation_from_name(activation, strlen(activation), &t->dense_act_fn))
        am_config_unsupported(c, "feed_forward_proj", "activation \"%s\" is not supported", activation);
}

static const am_t5_family *family_of(const am_builder *b)
{
    static const am_t5_family plain = {0};
    const am_t5_family *family = am_model_family(b);
    return family ? family : &plain;
}

static int64_t or_else(int64_t value, int64_t fallback)
{
    return value ? value : fallback;
}

static am_t5_config read_config(am_builder *b, const char *prefix)
{
    const am_config *c = am_model_config(b);
    const am_t5_family *f = family_of(b);
    am_t5_config t = {
        .vocab_size = am_config_size(c, "vocab_size", or_else(f->vocab_size, 32128)),
        .d_model = am_config_size(c, am_config_either(c, "d_model", "hidden_size"), or_else(f->d_model, 512)),
        .d_kv = am_config_size(c, am_config_either(c, "d_kv", "head_dim"), 64),
        .d_ff = am_config_size(c, "d_ff", or_else(f->d_ff, 2048)),
        .num_layers =
            am_config_count(c, am_config_either(c, "num_layers", "num_hidden_layers"), or_else(f->num_layers, 6)),
        .num_heads =
            am_config_size(c, am_config_either(c, "num_heads", "num_attention_heads"), or_else(f->num_heads, 8)),
        .buckets = am_config_count(c, "relative_attention_num_buckets", 32),
        .max_distance = am_config_count(c, "relative_attention_max_distance", 128),
        .layer_norm_epsilon = am_config_real(c, "layer_norm_epsilon", 1e-6),
        /* 1.1 does not scale; its files say so by tie_word_embeddings, tied or not */
        .scale_decoder_outputs =
            am_config_flag(c, "scale_decoder_outputs", am_config_flag(c, "tie_word_embeddings", true)),
        .labels = am_config_labels(c),
        .prefix = prefix,
        .encoder_hidden_states = "encoder_hidden_states",
    };
    t.num_decoder_layers = am_config_count(c, "num_decoder_layers", t.num_layers);
    if (f->never_scales || f->always_scales) t.scale_decoder_outputs = f->always_scales;
    read_feed_forward(c, f, &t);
    return t;
}

/* --- relative positions --- */

am_value am_t5_distance_bias(am_builder *b, const am_t5_config *c, const char *table, am_value distance, bool both_ways)
{
    am_value bucket =
        am_distance_buckets(b, distance, c->buckets, c->max_distance, both_ways, "relative_attention_max_distance");
    return am_embedding(b, table, bucket, c->buckets, c->num_heads);
}

am_value am_t5_position_bias(am_builder *b, const am_t5_config *c, const char *table, int64_t T, bool both_ways)
{
    int64_t S = am_has_cache(b) ? am_cache_capacity(b) : T;
    am_value query = am_iota(b, AM_I32, am_shape_of(T, 1), 0, 0, 1),
             key = am_iota(b, AM_I32, am_shape_of(1, S), 1, 0, 1);
    if (am_has_cache(b)) query = am_add(b, query, am_cache_offset(b));
    am_value bias = am_t5_distance_bias(b, c, table, am_sub(b, key, query), both_ways);
    return am_unsqueeze(b, am_permute(b, bias, am_shape_of(2, 0, 1)), 0);
}

/* --- blocks --- */

static am_value norm(am_builder *b, const char *name, am_value x, const am_t5_config *c)
{
    return am_rms_norm(b, name, x, c->layer_norm_epsilon, 0);
}

am_attention_options am_t5_attention_options(const am_t5_config *c)
{
    return (am_attention_options){.heads = c->num_heads,
                                  .head_dim = c->d_kv,
                                  .q = "q",
                                  .k = "k",
                                  .v = "v",
                                  .out = "o",
                                  .no_q_bias = true,
                                  .no_k_bias = true,
                                  .no_v_bias = true,
                                  .no_out_bias = true,
                                  .scale = 1};
}

static am_value self_attention(am_builder *b, am_value x, const am_t5_config *c, am_t5_attend *attend,
                               const void *state)
{
    am_scope(b, "layer.0");
    am_value h = attend(b, norm(b, "layer_norm", x, c), c, state);
    am_end_scope(b);
    return am_add(b, x, h);
}

typedef struct attention {
    am_attention_options options;
    bool both_ways;
} attention;

static attention attention_of(am_builder *b, am_value x, const am_t5_config *c, bool both_ways)
{
    attention a = {am_t5_attention_options(c), both_ways};
    if (!family_of(b)->own_biases)
        a.options.bias = am_t5_position_bias(b, c, "block.0.layer.0.SelfAttention.relative_attention_bias",
                                             am_dim(b, x, 1), both_ways);
    return a;
}

/* state: attention */
static am_value attend_everywhere(am_builder *b, am_value x, const am_t5_config *c, const void *state)
{
    const attention *given = state;
    am_attention_options options = given->options;
    am_scope(b, "SelfAttention");
    if (family_of(b)->own_biases)
        options.bias = am_t5_position_bias(b, c, "relative_attention_bias", am_dim(b, x, 1), given->both_ways);
    x = am_self_attention(b, x, &options);
    am_end_scope(b);
    return x;
}

static am_value cross_attention(am_builder *b, am_value x, am_value encoded, const am_t5_config *c,
                                const am_attention_options *options)
{
    am_scope(b, "layer.1");
    am_value h = norm(b, "layer_norm", x, c);
    am_scope(b, "EncDecAttention");
    h = am_cross_attention(b, h, encoded, options);
    am_end_scope(b);
    am_end_scope(b);
    return am_add(b, x, h);
}

am_value am_t5_dense(am_builder *b, am_value x, const am_t5_config *c)
{
    x = am_linear_activation(b, "wi", x, c->d_ff, AM_NO_BIAS, c->dense_act_fn);
    return am_linear(b, "wo", x, c->d_model, AM_NO_BIAS);
}

/* Two projections, or three where the part is gated; all blocks are alike. */
static am_value dense_or_gated(am_builder *b, am_value x, const am_t5_config *c, bool is_decoder, int index)
{
    (void)is_decoder, (void)index;
    am_scope(b, "DenseReluDense");
    if (c->is_gated_act) {
        am_value gate = am_linear(b, "wi_0", x, c->d_ff, AM_NO_BIAS);
        x = am_gated_activation(b, c->dense_act_fn, gate, am_linear(b, "wi_1", x, c->d_ff, AM_NO_BIAS));
        x = am_linear(b, "wo", x, c->d_model, AM_NO_BIAS);
    } else x = am_t5_dense(b, x, c);
    am_end_scope(b);
    return x;
}

static am_value feed_forward(am_builder *b, am_value x, const am_t5_config *c, bool is_decoder, int index)
{
    const am_t5_family *f = family_of(b);
    am_scope(b, "layer.%d", is_decoder ? 2 : 1);
    am_value h = norm(b, "layer_norm", x, c);
    h = (f->feed_forward ? f->feed_forward : dense_or_gated)(b, h, c, is_decoder, index);
    am_end_scope(b);
    return am_add(b, x, h);
}

static am_value word_table(am_builder *b, const am_t5_config *c, const char *own)
{
    const char *const names[] = {
        own, "shared.weight", "encoder.embed_tokens.weight", "decoder.embed_tokens.weight", "lm_head.weight", NULL};
    return am_shared_table(b, names, am_shape_of(c->vocab_size, c->d_model));
}

am_value am_t5_encoder_blocks(am_builder *b, am_value x, const am_t5_config *c, am_t5_attend *attend, const void *state)
{
    for (int i = 0; i < c->num_layers && !am_builder_failed(b); i++) {
        am_output_hidden_state(b, c->encoder_hidden_states, i, x);
        am_scope(b, "block.%d", i);
        x = feed_forward(b, self_attention(b, x, c, attend, state), c, false, i);
        am_end_scope(b);
    }
    return x;
}

static am_value encoder_blocks(am_builder *b, am_value x, const am_t5_config *c)
{
    attention all = attention_of(b, x, c, true);
    all.options.mask = am_padding_mask(b, "attention_mask");
    return am_t5_encoder_blocks(b, x, c, attend_everywhere, &all);
}

static am_value encode(am_builder *b, const void *model)
{
    const am_t5_config *c = model;
    const am_t5_family *family = family_of(b);
    am_value x = family->hears ? am_input_optional(b, "input_features", 3) : AM_NONE;
    am_scope(b, "%s", c->prefix);
    if (!x.id) x = am_embedding_op(b, word_table(b, c, "encoder.embed_tokens.weight"), am_input(b, "input_ids", 2));
    x = am_merge_part_features(b, x);
    am_scope(b, "encoder");
    x = family->encoder_blocks ? family->encoder_blocks(b, x, c) : encoder_blocks(b, x, c);
    x = norm(b, "final_layer_norm", x, c);
    am_output_hidden_state(b, c->encoder_hidden_states, (int)c->num_layers, x);
    am_end_scope(b);
    am_end_scope(b);
    return x;
}

static am_value decoder_blocks(am_builder *b, am_value x, am_value encoded, const am_t5_config *c)
{
    am_attention_options cross = am_t5_attention_options(c);
    cross.mask = family_of(b)->cross_mask ? family_of(b)->cross_mask(b) : am_padding_mask(b, "attention_mask");
    am_scope(b, "decoder");
    attention self = attention_of(b, x, c, false);
    self.options.causal = am_config_flag(am_model_config(b), "is_causal", true);
    self.options.mask = am_padding_mask(b, "decoder_attention_mask");
    for (int i = 0; i < c->num_decoder_layers && !am_builder_failed(b); i++) {
        am_output_hidden_state(b, "decoder_hidden_states", i, x);
        am_scope(b, "block.%d", i);
        x = cross_attention(b, self_attention(b, x, c, attend_everywhere, &self), encoded, c, &cross);
        x = feed_forward(b, x, c, true, i);
        am_end_scope(b);
    }
    x = norm(b, "final_layer_norm", x, c);
    am_output_hidden_state(b, "decoder_hidden_states", (int)c->num_decoder_layers, x);
    am_end_scope(b);
    return x;
}

static am_value decode_ids(am_builder *b, const am_t5_config *c, am_value encoded, am_value ids)
{
    am_scope(b, "%s", c->prefix);
    am_value x = am_embedding_op(b, word_table(b, c, "decoder.embed_tokens.weight"), ids);
    x = decoder_blocks(b, x, encoded, c);
    am_end_scope(b);
    return x;
}

static am_value decode(am_builder *b, const void *model, am_value encoded)
{
    return decode_ids(b, model, encoded, am_decoder_input_ids(b, false, -1));
}

/* The classes that read a text: decoder_input_ids are input_ids shifted where they are not given. */
static am_value decode_shifted(am_builder *b, const void *model, am_value encoded)
{
    return decode_ids(b, model, encoded, am_decoder_input_ids(b, true, -1));
}

/* --- classes --- */

void am_t5_model(am_builder *b)
{
    am_t5_config c = read_config(b, "");
    am_value x = am_seq2seq_run(b, &(am_seq2seq){encode, decode, &c});
    if (x.id) am_output(b, "last_hidden_state", x);
}

void am_t5_encoder_model(am_builder *b)
{
    am_t5_config c = read_config(b, "");
    c.encoder_hidden_states = "hidden_states";
    am_output(b, "last_hidden_state", encode(b, &c));
}

void am_t5_for_conditional_generation(am_builder *b)
{
    am_t5_config c = read_config(b, "");
    am_value x = am_seq2seq_run(b, &(am_seq2seq){encode, decode, &c});
    if (!x.id) return;
    if (c.scale_decoder_outputs) x = am_mul_number(b, x, 1 / sqrt((double)c.d_model));
    am_output(b, "logits",
              am_linear_with(b, am_last_position_if_wanted(b, x), word_table(b, &c, "lm_head.weight"), AM_NONE));
}

void am_t5_for_sequence_classification(am_builder *b)
{
    am_t5_config c = read_config(b, "transformer");
    am_value x = am_seq2seq_run(b, &(am_seq2seq){encode, decode_shifted, &c});
    if (x.id)
        am_output(b, "logits",
                  am_classification_head(b, "classification_head", am_last_eos_token(b, x, 1), c.labels, AM_TANH));
}

void am_t5_for_token_classification(am_builder *b)
{
    am_t5_config c = read_config(b, "transformer");
    c.encoder_hidden_states = "hidden_states";
    am_output(b, "logits", am_linear(b, "classifier", encode(b, &c), c.labels, AM_BIAS));
}

void am_t5_for_question_answering(am_builder *b)
{
    am_t5_config c = read_config(b, "");
    am_value x = am_seq2seq_run(b, &(am_seq2seq){encode, decode_shifted, &c});
    if (x.id) am_output_span_logits(b, "qa_outputs", x);
}
