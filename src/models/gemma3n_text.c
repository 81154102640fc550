/* Gemma 3n, the text model. AltUp keeps several streams, of which layers compute one and guess the others; LAuReL adds
   a low-rank path; each layer gets numbers of its own for each token; the last layers read keys and values of earlier
   ones. transformers: models/gemma3n/modeling_gemma3n.py */
#include "models/blocks/gemma4.h"
#include "models/blocks/heads.h"
#include "models/blocks/multimodal.h"
#include "models/blocks/vision.h"

#include <math.h>
#include <stdio.h>

enum { STREAMS_LIMIT = 64 };

typedef struct gemma3n {
    const am_config *c;
    am_decoder_options o; /* sizes, and which layers slide */
    int64_t intermediate_sizes[AM_LAYERS_LIMIT];
    double sparsity[AM_LAYERS_LIMIT];
    int64_t streams, active; /* altup_num_inputs, altup_active_idx */
    int64_t laurel_rank, layer_input, layer_words, first_shared;
    bool scales_corrected;
    am_rope rope[2]; /* of full layers, of sliding ones */
    am_attention_options attention;
    am_shared_heads shared[2];
    am_value layer_inputs; /* [B, T, layers, layer_input] */
} gemma3n;

/* --- configuration --- */

/* One size for all layers, or a list. */
static void read_intermediate_sizes(const am_config *c, gemma3n *g)
{
    static const char *const key = "intermediate_size";
    int64_t L = g->o.num_hidden_layers;
    bool is_list = am_json_kind_of(am_json_get(c->object, key)) == AM_JSON_ARRAY;
    if (is_list && am_config_sizes(c, key, g->intermediate_sizes, AM_LAYERS_LIMIT, NULL, 0) != L)
        am_config_fail(c, key, "expected a list of %lld", (long long)L);
    for (int64_t i = 0; !is_list && i < L; i++) g->intermediate_sizes[i] = am_config_size(c, key, 16384);
}

static void read_sparsity(const am_config *c, gemma3n *g)
{
    static const char *const key = "activation_sparsity_pattern";
    int L = (int)g->o.num_hidden_layers;
    am_config_reals(c, key, L, 0, g->sparsity);
    for (int i = 0; i < L; i++) {
        if (!am_config_has(c, key)) g->sparsity[i] = L > 10 && i < 10 ? 0.95 : 0;
        if (!(g->sparsity[i] < 1)) am_config_fail(c, key, "%g of layer %d is no part of 1", g->sparsity[i], i);
    }
}

static void read_sizes(const am_config *c, am_decoder_options *o)
{
    *o = (am_decoder_options){.vocab_size = am_config_size(c, "vocab_size", 262400),
                              .hidden_size = am_config_size(c, "hidden_size", 2048),
                              .num_hidden_layers = am_config_count(c, "num_hidden_layers", 35),
                              .num_attention_heads = am_config_size(c, "num_attention_heads", 8),
                              .num_key_value_heads = am_config_size(c, "num_key_value_heads", 2),
                              .head_dim = am_config_size(c, "head_dim", 256),
                              .hidden_act = am_config_activation(c, "hidden_activation", AM_GELU_TANH),
                              .rms_norm_eps = am_config_real(c, "rms_norm_eps", 1e-6),
                              .tie_word_embeddings = am_config_flag(c, "tie_word_embeddings", true),
                              .causal = am_config_flag(c, "is_causal", true),
                              .qkv_bias = am_config_flag(c, "attention_bias", false),
                              .final_soft_cap = am_decoder_real_or_none(c, "final_logit_softcapping", 30),
                              .sliding_window = am_config_size(c, "sliding_window", 512)};
    am_config_check_divides(c, "num_key_value_heads", o->num_key_value_heads, "num_attention_heads",
                            o->num_attention_heads);
    am_config_check_divides(c, "num_attention_heads", o->num_attention_heads, "hidden_size", o->hidden_size);
    if (o->num_hidden_layers > AM_LAYERS_LIMIT || o->num_hidden_layers < 1)
        am_config_unsupported(c, "num_hidden_layers", "1 to %d are supported", AM_LAYERS_LIMIT);
    if (o->num_hidden_layers > AM_LAYERS_LIMIT) o->num_hidden_layers = 0;
}

static void read_ropes(const am_config *c, am_decoder_options *o)
{
    o->rope = am_rope_config_read(c, "full_attention", o->head_dim, 1000000, 1, 32768);
    o->sliding_rope = am_rope_config_read(c, "sliding_attention", o->head_dim,
                                          am_config_real(c, "rope_local_base_freq", 10000), 1, 32768);
}

static gemma3n read_config(const am_builder *b)
{
    const am_config *c = am_model_config(b);
    gemma3n g = {.c = c,
                 .streams = am_config_size(c, "altup_num_inputs", 4),
                 .active = am_config_int(c, "altup_active_idx", 0),
                 .laurel_rank = am_config_size(c, "laurel_rank", 64),
                 .layer_input = am_config_size(c, "hidden_size_per_layer_input", 256),
                 .layer_words = am_config_size(c, "vocab_size_per_layer_input", 262144),
                 .scales_corrected = am_config_flag(c, "altup_correct_scale", true)};
    read_sizes(c, &g.o);
    am_decoder_read_sliding(c, &g.o, 0, 5);
    read_ropes(c, &g.o);
    read_intermediate_sizes(c, &g);
    read_sparsity(c, &g);
    g.first_shared = am_first_shared_layer(c, &g.o, 15);
    if (g.streams > STREAMS_LIMIT) am_config_unsupported(c, "altup_num_inputs", "at most %d", STREAMS_LIMIT);
    if (g.active < 0 || g.active >= g.streams)
        am_config_fail(c, "altup_active_idx", "%lld of %lld", (long long)g.active, (long long)g.streams);
    if (g.layer_input > INT32_MAX / AM_LAYERS_LIMIT) am_config_fail(c, "hidden_size_per_layer_input", "is too large");
    return g;
}

/* --- small parts --- */

static am_value norm(am_builder *b, const char *name, am_value x, const gemma3n *g)
{
    return am_rms_norm(b, name, x, g->o.rms_norm_eps, 0);
}

static am_value mean_square(am_builder *b, am_value x)
{
    return am_reduce_last(b, AM_REDUCE_MEAN, am_unary(b, AM_SQUARE, x));
}

/* x made as large as `like`: [.., C]. */
static am_value as_large(am_builder *b, am_value x, am_value like)
{
    am_value size = am_unary(b, AM_SQRT, am_binary_number(b, AM_MAX, mean_square(b, x), 1e-5));
    return am_div(b, am_mul(b, x, am_unary(b, AM_SQRT, mean_square(b, like))), size);
}

static am_value plain(am_builder *b, const char *name, am_value x, int64_t out)
{
    return am_linear(b, name, x, out, AM_NO_BIAS);
}

/* --- streams: [B, T, streams, C] --- */

/* How much each stream takes part: x: [B, T, C] -> [B, T, streams]. */
static am_value modalities(am_builder *b, am_value x, const gemma3n *g)
{
    am_value h = am_mul_number(b, norm(b, "router_norm", x, g), 1 / (double)g->o.hidden_size);
    return am_unary(b, AM_TANH, plain(b, "modality_router", h, g->streams));
}

static am_value predict(am_builder *b, am_value streams, const gemma3n *g)
{
    int64_t n = g->streams;
    am_value active = am_index(b, streams, 2, g->active);
    am_value weights = plain(b, "prediction_coefs", modalities(b, active, g), n * n);
    weights = am_reshape(b, weights, am_shape_of(am_dim(b, active, 0), am_dim(b, active, 1), n, n));
    return am_add(b, streams, am_matmul(b, weights, streams, false, false));
}

static am_value correct(am_builder *b, am_value predictions, am_value x, const gemma3n *g)
{
    am_value found = am_sub(b, x, am_index(b, predictions, 2, g->active));
    am_value weights = am_add_number(b, plain(b, "correction_coefs", modalities(b, x, g), g->streams), 1);
    return am_add(b, predictions, am_mul(b, am_unsqueeze(b, found, 2), am_unsqueeze(b, weights, 3)));
}

/* x: [B, T, C] and what altup_projections make of it. */
static am_value spread(am_builder *b, am_value x, const gemma3n *g)
{
    am_value parts[STREAMS_LIMIT] = {am_unsqueeze(b, x, 2)};
    am_scope(b, "altup_projections");
    for (int i = 1; i < g->streams && !am_builder_failed(b); i++) {
        char name[16];
        snprintf(name, sizeof name, "%d", i - 1);
        parts[i] = am_unsqueeze(b, as_large(b, plain(b, name, x, g->o.hidden_size), x), 2);
    }
    am_end_scope(b);
    return am_builder_failed(b) ? AM_NONE : am_concat(b, parts, (int)g->streams, 2);
}

/* The mean of streams, projected back: [B, T, C]. */
static am_value gather(am_builder *b, am_value streams, const gemma3n *g)
{
    am_value first = am_index(b, streams, 2, 0), sum = first;
    am_scope(b, "altup_unembed_projections");
    for (int i = 1; i < g->streams && !am_builder_failed(b); i++) {
        char name[16];
        snprintf(name, sizeof name, "%d", i - 1);
        am_value h = plain(b, name, am_index(b, streams, 2, i), g->o.hidden_size);
        sum = am_add(b, sum, as_large(b, h, first));
    }
    am_end_scope(b);
    return am_mul_number(b, sum, 1 / (double)g->streams);
}

/* --- layers --- */

static am_value heads(am_builder *b, const char *name, am_value x, int64_t count, const gemma3n *g)
{
    int bias = g->o.qkv_bias ? AM_BIAS : AM_NO_BIAS;
    return am_split_heads(b, am_linear(b, name, x, count * g->o.head_dim, bias), count);
}

static am_value attention(am_builder *b, am_value x, gemma3n *g, int layer)
{
    bool slides = g->o.sliding[layer];
    const am_rope *rope = &g->rope[slides];
    am_shared_heads *shared = &g->shared[slides];
    am_attention_options options = g->attention;
    options.window = slides ? g->o.sliding_window : 0;
    if (options.window && !options.causal) options.window++; /* inclusive where it looks both ways */
    am_scope(b, "self_attn");
    am_value q = norm(b, "q_norm", heads(b, "q_proj", x, g->o.num_attention_heads, g), g);
    if (layer < g->first_shared) {
        am_value k = norm(b, "k_norm", heads(b, "k_proj", x, g->o.num_key_value_heads, g), g);
        am_value v = am_bare_rms_norm(b, heads(b, "v_proj", x, g->o.num_key_value_heads, g), g->o.rms_norm_eps);
        *shared =
            (am_shared_heads){am_cache_append(b, "key", am_rope_apply(b, rope, k)), am_cache_append(b, "value", v)};
    }
    x = am_merge_heads(b, am_attend_cached(b, am_rope_apply(b, rope, q), shared->key, shared->value, &options));
    x = am_linear(b, "o_proj", x, g->o.hidden_size, g->o.qkv_bias ? AM_BIAS : AM_NO_BIAS);
    am_end_scope(b);
    return x;
}

/* What stands out of a row as the best 1 - sparsity of normal numbers would; zeros in place of the rest. */
static am_value sparse(am_builder *b, am_value x, double sparsity)
{
    am_value mean = am_reduce_last(b, AM_REDUCE_MEAN, x);
    am_value deviation = am_unary(b, AM_SQRT, mean_square(b, am_sub(b, x, mean)));
    am_value cut = am_add(b, mean, am_mul_number(b, deviation, am_normal_icdf(sparsity)));
    return am_unary(b, AM_RELU, am_sub(b, x, cut));
}

static am_value mlp(am_builder *b, am_value x, const gemma3n *g, int layer)
{
    int64_t inner = g->intermediate_sizes[layer];
    am_scope(b, "mlp");
    am_value gate = plain(b, "gate_proj", x, inner), up = plain(b, "up_proj", x, inner);
    if (g->sparsity[layer] > 0) gate = sparse(b, gate, g->sparsity[layer]);
    x = plain(b, "down_proj", am_gated_activation(b, g->o.hidden_act, gate, up), g->o.hidden_size);
    am_end_scope(b);
    return x;
}

static am_value laurel(am_builder *b, am_value x, const gemma3n *g)
{
    am_scope(b, "laurel");
    am_value h = plain(b, "linear_right", plain(b, "linear_left", x, g->laurel_rank), g->o.hidden_size);
    h = am_add(b, x, norm(b, "post_laurel_norm", h, g));
    am_end_scope(b);
    return h;
}

/* The stream that is computed: x: [B, T, C] -> [B, T, C]. */
static am_value compute(am_builder *b, am_value x, gemma3n *g, int layer)
{
    am_value read = norm(b, "input_layernorm", x, g), low_rank = laurel(b, read, g);
    am_value h = norm(b, "post_attention_layernorm", attention(b, read, g, layer), g);
    x = am_mul_number(b, am_add(b, am_add(b, x, h), low_rank), sqrt(0.5));
    h = mlp(b, norm(b, "pre_feedforward_layernorm", x, g), g, layer);
    return am_add(b, x, norm(b, "post_feedforward_layernorm", h, g));
}

/* What the layer's own input adds to all streams but the first: [B, T, C]. */
static am_value from_layer_input(am_builder *b, am_value x, const gemma3n *g, int layer)
{
    if (g->scales_corrected) {
        am_scope(b, "altup");
        x = am_mul(b, x, am_parameter(b, "correct_output_scale", am_shape_of(g->o.hidden_size), x));
        am_end_scope(b);
    }
    x = am_linear_activation(b, "per_layer_input_gate", x, g->layer_input, AM_NO_BIAS, g->o.hidden_act);
    x = plain(b, "per_layer_projection", am_mul(b, x, am_index(b, g->layer_inputs, 2, layer)), g->o.hidden_size);
    return norm(b, "post_per_layer_input_norm", x, g);
}

static am_value layer_of(am_builder *b, am_value streams, gemma3n *g, int layer)
{
    am_scope(b, "altup");
    am_value predictions = predict(b, streams, g);
    am_end_scope(b);
    am_value x = compute(b, am_index(b, predictions, 2, g->active), g, layer);
    am_scope(b, "altup");
    streams = correct(b, predictions, x, g);
    am_end_scope(b);
    am_value more = from_layer_input(b, am_index(b, streams, 2, g->active), g, layer);
    if (g->streams == 1) return streams;
    am_value others = am_add(b, am_slice(b, streams, 2, 1, AM_SLICE_END), am_unsqueeze(b, more, 2));
    return am_concat2(b, am_slice(b, streams, 2, 0, 1), others, 2);
}

/* --- the body --- */

/* Numbers of words for all layers: words beyond the table stand for the first: [B, T, layers, width]. */
static am_value words_of_layers(am_builder *b, const gemma3n *g)
{
    if (am_has_input(b, "per_layer_inputs")) return am_input(b, "per_layer_inputs", 4);
    /* A class around this one embeds words, and says which they are. */
    bool has_ids = !am_has_input(b, "inputs_embeds") || (am_is_part(b) && am_has_input(b, "input_ids"));
    if (!has_ids) return AM_NONE;
    am_value ids = am_input(b, "input_ids", 2);
    am_value known = am_binary_number(b, AM_LESS, ids, (double)g->layer_words);
    ids = am_select(b, known, ids, am_scalar(b, AM_I32, 0));
    int64_t L = g->o.num_hidden_layers, P = g->layer_input;
    am_value x = am_embedding(b, "embed_tokens_per_layer", ids, g->layer_words, L * P);
    x = am_mul_number(b, x, sqrt((double)P));
    return am_reshape(b, x, am_shape_of(am_dim(b, ids, 0), am_dim(b, ids, 1), L, P));
}

/* What layers get beside the stream, of words and of x: [B, T, C], their embeddings. */
static am_value inputs_of_layers(am_builder *b, am_value x, const gemma3n *g)
{
    int64_t L = g->o.num_hidden_layers, P = g->layer_input;
    am_value seen =
        am_mul_number(b, plain(b, "per_layer_model_projection", x, L * P), 1 / sqrt((double)g->o.hidden_size));
    seen = am_reshape(b, seen, am_shape_of(am_dim(b, x, 0), am_dim(b, x, 1), L, P));
    seen = norm(b, "per_layer_projection_norm", seen, g);
    am_value words = words_of_layers(b, g);
    return words.id ? am_mul_number(b, am_add(b, seen, words), sqrt(0.5)) : seen;
}

static void prepare_attention(am_builder *b, gemma3n *g, int64_t T)
{
    am_value mask = am_padding_mask(b, "attention_mask");
    g->attention = (am_attention_options){
        .mask = g->o.causal ? am_packed_mask(b, mask, "position_ids") : mask, .causal = g->o.causal, .scale = 1};
    g->rope[0] = am_rope_tables(b, &g->o.rope, T);
    g->rope[1] = am_rope_tables(b, &g->o.sliding_rope, T);
}

static void output_state(am_builder *b, int i, am_value streams)
{
    if (am_wants_hidden_states(b))
        am_output_hidden_state(b, "hidden_states", i, am_permute(b, streams, am_shape_of(2, 0, 1, 3)));
}

static am_value embed(am_builder *b, const gemma3n *g)
{
    am_value x = am_input_embeddings(b, "embed_tokens", g->o.vocab_size, g->o.hidden_size);
    if (!am_has_input(b, "inputs_embeds")) x = am_mul_number(b, x, sqrt((double)g->o.hidden_size));
    return am_merge_part_features(b, x);
}

/* Final hidden states below `prefix`: [B, T, C]. */
static am_value body(am_builder *b, gemma3n *g, const char *prefix)
{
    am_scope(b, "%s", prefix);
    am_value x = embed(b, g);
    prepare_attention(b, g, am_dim(b, x, 1));
    g->layer_inputs = inputs_of_layers(b, x, g);
    am_value streams = spread(b, x, g);
    for (int i = 0; i < g->o.num_hidden_layers && !am_builder_failed(b); i++) {
        output_state(b, i, streams);
        am_scope(b, "layers.%d", i);
        streams = layer_of(b, streams, g, i);
        am_end_scope(b);
    }
    output_state(b, (int)g->o.num_hidden_layers, streams);
    x = norm(b, "norm", gather(b, streams, g), g);
    am_end_scope(b);
    return x;
}

static void text_model(am_builder *b)
{
    gemma3n g = read_config(b);
    am_output(b, "last_hidden_state", body(b, &g, ""));
}

static void for_causal_lm(am_builder *b)
{
    gemma3n g = read_config(b);
    am_value x = body(b, &g, "model");
    am_value logits =
        am_lm_head(b, "lm_head", x, g.o.vocab_size, g.o.tie_word_embeddings, "model.embed_tokens.weight", AM_NO_BIAS);
    am_output(b, "logits", g.o.final_soft_cap != 0 ? am_soft_cap(b, logits, g.o.final_soft_cap) : logits);
}

static const am_architecture architectures[] = {
    {"Gemma3nTextModel", text_model, "feature-extraction", 0},
    {"Gemma3nForCausalLM", for_causal_lm, "text-generation", AM_GENERATES},
    {0},
};

const am_model_type am_model_gemma3n_text = {
    .name = "gemma3n_text", .base_prefix = "model", .architectures = architectures};
