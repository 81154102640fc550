/* NeoMME: an encoder that reads words and pictures' patches alike; its first and last layers that see everything add
   embeddings of the words to their values, and what attention gives loses its part along a token's own value.
   transformers: models/neomme/modeling_neomme.py */
#include "models/blocks/attention.h"
#include "models/blocks/gemma4.h"
#include "models/blocks/heads.h"
#include "models/blocks/multimodal.h"
#include "models/blocks/vision.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const double PATCH_NORM_EPS = 1e-5, LENGTH_EPS = 1e-12, TOKENS_EPS = 1e-9; /* not configurable */

enum { LONG_WINDOW = 1024 };

typedef struct encoder {
    const am_config *c;
    int64_t C, rank, vocab, inner, layers, heads, kv_heads, head_dim, patch;
    int mlp_bias, out_bias;
    am_unary_fn hidden_act;
    double eps, residual;
    bool sliding[AM_LAYERS_LIMIT];
    int64_t windows[AM_LAYERS_LIMIT]; /* how far a token sees on either side; 0: everything */
    int64_t first_wide, last_wide;
} encoder;

/* The layer's own window of per_layer_config, or what all have. */
static int64_t window_of(const am_config *c, int layer, int64_t fallback)
{
    char key[16];
    am_config all = am_config_child(c, "per_layer_config");
    snprintf(key, sizeof key, "%d", layer);
    am_config own = am_config_child(&all, key);
    if (am_config_is_null(&own, "sliding_window")) return 0;
    return am_config_size(&own, "sliding_window", fallback);
}

static void read_layers(const am_config *c, encoder *e)
{
    int64_t window = am_config_is_null(c, "sliding_window") ? 0 : am_config_size(c, "sliding_window", 256);
    bool listed = am_config_has(c, "layer_types"), own = am_config_has(c, "per_layer_config");
    int narrow = 0;
    e->first_wide = e->last_wide = -1;
    for (int i = 0; i < e->layers && i < AM_LAYERS_LIMIT; i++) {
        const char *type = am_config_list_text(c, "layer_types", i);
        e->sliding[i] = listed ? type && strcmp(type, "sliding_attention") == 0 : (i + 1) % 6 && i != e->layers - 1;
        if (listed && !e->sliding[i] && (!type || strcmp(type, "full_attention") != 0))
            am_config_unsupported(c, "layer_types", "type \"%s\" of layer %d is not supported", type ? type : "(none)",
                                  i);
        if (own) e->windows[i] = window_of(c, i, window);
        else if (e->sliding[i]) e->windows[i] = narrow % 2 ? LONG_WINDOW : window;
        narrow += e->sliding[i];
        if (e->sliding[i]) continue;
        if (e->first_wide < 0) e->first_wide = i;
        e->last_wide = i;
    }
    if (e->last_wide < 0) am_config_fail(c, "layer_types", "expected a layer of full_attention");
}

static encoder read_encoder(const am_config *c)
{
    encoder e = {.c = c,
                 .C = am_config_size(c, "hidden_size", 1024),
                 .rank = am_config_size(c, "embedding_rank", 256),
                 .vocab = am_config_size(c, "vocab_size", 131072),
                 .inner = am_config_size(c, "intermediate_size", 3584),
                 .layers = am_config_size(c, "num_hidden_layers", 17),
                 .heads = am_config_size(c, "num_attention_heads", 16),
                 .kv_heads = am_config_size(c, "num_key_value_heads", 4),
                 .head_dim = am_config_size(c, "head_dim", 64),
                 .patch = am_config_size(c, "patch_size", 32),
                 .mlp_bias = am_config_flag(c, "mlp_bias", false) ? AM_BIAS : AM_NO_BIAS,
                 .out_bias = am_config_flag(c, "attention_bias", false) ? AM_BIAS : AM_NO_BIAS,
                 .hidden_act = am_config_activation(c, "hidden_act", AM_RELU2),
                 .eps = am_config_real(c, "norm_eps", 1e-6)};
    e.residual = am_config_real(c, "residual_multiplier", 1 / sqrt(2 * (double)e.layers));
    if (e.layers > AM_LAYERS_LIMIT)
        am_config_fail(c, "num_hidden_layers", "at most %d, found %lld", AM_LAYERS_LIMIT, (long long)e.layers);
    if (e.patch > 1 << 14) {
        am_config_fail(c, "patch_size", "patches of more than 16384 pixels");
        e.patch = 1;
    }
    am_config_check_divides(c, "num_key_value_heads", e.kv_heads, "num_attention_heads", e.heads);
    read_layers(c, &e);
    return e;
}

/* Rows of the input pixel_values: [patches, 3 * patch * patch]. */
static am_value patches(am_builder *b, const encoder *e)
{
    am_scope(b, "patch_embeddings");
    am_value x = am_layer_norm(b, "norm", am_input(b, "pixel_values", 2), PATCH_NORM_EPS);
    if (!am_builder_failed(b) && am_dim(b, x, 1) != 3 * e->patch * e->patch)
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT, "pixel_values: patches of %lld numbers, expected %lld",
                                    (long long)am_dim(b, x, 1), (long long)(3 * e->patch * e->patch)));
    x = am_linear_activation(b, "up_proj", x, 2 * e->C, AM_NO_BIAS, AM_GELU);
    x = am_linear(b, "down_proj", x, e->C, AM_BIAS);
    am_end_scope(b);
    return x;
}

/* ids: [B, T] where the image token right after a document token is none. */
static am_value patch_ids(am_builder *b, am_value ids, int64_t token, const am_config *c)
{
    int64_t B = am_dim(b, ids, 0), T = am_dim(b, ids, 1), pad = am_pad_token(c, 0);
    am_value first = am_broadcast(b, am_scalar(b, AM_I32, (double)(pad < 0 ? 0 : pad)), am_shape_of(B, 1));
    am_value before = am_concat2(b, first, am_slice(b, ids, 1, 0, T - 1), 1);
    am_value document = am_binary_number(b, AM_EQUAL, before, (double)am_config_int(c, "document_token_id", 5));
    return am_select(b, document, am_scalar(b, AM_I32, (double)(token < 0 ? 0 : -1)), ids);
}

/* [B, T, C] */
static am_value embed(am_builder *b, am_value ids, const encoder *e)
{
    am_scope(b, "embed_tokens");
    am_value x = am_embedding(b, "word_embeddings", ids, e->vocab, e->rank);
    x = am_linear(b, "embedding_projection", x, e->C, AM_NO_BIAS);
    am_end_scope(b);
    if (am_has_input(b, "pixel_values") && !am_builder_failed(b)) {
        int64_t token = am_config_int(e->c, "image_token_id", 6);
        am_feature_rows rows = {.rows = patches(b, e), .ids = patch_ids(b, ids, token, e->c), .token = token};
        x = am_merge_features(b, x, &rows);
    }
    return am_bare_rms_norm(b, x, e->eps);
}

/* Pairs turn by the rows and the columns of a picture in turn, or by the place in a text. */
static am_rope tables(am_builder *b, const encoder *e, bool sliding, int64_t T)
{
    am_rope_config config = am_rope_config_read(e->c, sliding ? "sliding_attention" : "full_attention", e->head_dim,
                                                sliding ? 10000 : 1000000, sliding ? 1 : 0.25, 16384);
    am_value places = am_input_optional(b, "position_ids", -1);
    if (!places.id || am_builder_failed(b) || am_shape_of_value(b, places).rank != 3)
        return am_rope_tables(b, &config, T);
    if (am_dim(b, places, 0) != 2)
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT, "position_ids has %lld kinds of places, expected 2",
                                    (long long)am_dim(b, places, 0)));
    if (am_builder_failed(b)) return (am_rope){0};
    am_rope rows = am_rope_tables_at(b, &config, am_index(b, places, 0, 0)),
            columns = am_rope_tables_at(b, &config, am_index(b, places, 0, 1));
    am_value pair = am_iota(b, AM_I32, am_shape_of(1, 1, config.pairs), 2, 0, 1);
    am_value odd = am_binary_number(b, AM_NOT_EQUAL, am_binary_number(b, AM_MOD, pair, 2), 0);
    return (am_rope){.cos = am_select(b, odd, columns.cos, rows.cos), .sin = am_select(b, odd, columns.sin, rows.sin)};
}

/* x: [B, T, H, D] less tanh(alpha) of its part along the token's own value v: [B, T, G, D]. */
static am_value exclude_self(am_builder *b, am_value x, am_value v, const encoder *e)
{
    am_shape s = am_shape_of_value(b, x);
    am_shape grouped = {.rank = 5, .dims = {s.dims[0], s.dims[1], e->kv_heads, e->heads / e->kv_heads, e->head_dim}};
    am_value alpha = am_parameter(b, "exclusive_self_attention.alpha", am_shape_of(e->heads), x);
    am_value scale = am_reshape(b, am_unary(b, AM_TANH, alpha), am_shape_of(1, 1, e->heads, 1));
    v = am_reshape(b, am_broadcast(b, am_unsqueeze(b, am_unit_length(b, v, LENGTH_EPS), 3), grouped), s);
    am_value along = am_reduce(b, AM_REDUCE_SUM, am_mul(b, x, v), am_shape_of(3), true);
    return am_sub(b, x, am_mul(b, am_mul(b, scale, along), v));
}

static am_value attention(am_builder *b, am_value x, const encoder *e, const am_attention_options *options,
                          am_value values)
{
    int64_t H = e->heads, G = e->kv_heads, D = e->head_dim;
    am_value q = am_split_heads(b, am_linear(b, "q_proj", x, H * D, AM_NO_BIAS), H),
             k = am_split_heads(b, am_linear(b, "k_proj", x, G * D, AM_NO_BIAS), G),
             v = am_linear(b, "v_proj", x, G * D, AM_NO_BIAS);
    q = am_rope_apply(b, options->rope, am_bare_rms_norm(b, q, e->eps));
    k = am_rope_apply(b, options->rope, am_bare_rms_norm(b, k, e->eps));
    v = am_split_heads(b, values.id ? am_add(b, v, values) : v, G);
    am_value h = am_split_heads(b, am_attend(b, q, k, v, options), H);
    h = am_merge_heads(b, exclude_self(b, h, v, e));
    am_scope(b, "output_projection");
    h = am_mul(b, h, am_unary(b, AM_SIGMOID, am_linear(b, "gate_proj", x, H * D, AM_NO_BIAS)));
    h = am_linear(b, "o_proj", h, e->C, e->out_bias);
    am_end_scope(b);
    return h;
}

static am_value layer_of(am_builder *b, am_value x, am_value initial, const encoder *e,
                         const am_attention_options *options, am_value values)
{
    am_value lambdas = am_parameter(b, "lambdas", am_shape_of(2), x);
    am_value h =
        am_add(b, am_mul(b, am_slice(b, lambdas, 0, 0, 1), x), am_mul(b, am_slice(b, lambdas, 0, 1, 2), initial));
    am_scope(b, "self_attn");
    h = attention(b, am_bare_rms_norm(b, h, e->eps), e, options, values);
    am_end_scope(b);
    x = am_add(b, x, am_mul_number(b, h, e->residual));
    h = am_linear_activation(b, "mlp.up_proj", am_bare_rms_norm(b, x, e->eps), e->inner, e->mlp_bias, e->hidden_act);
    h = am_linear(b, "mlp.down_proj", h, e->C, e->mlp_bias);
    return am_add(b, x, am_mul_number(b, h, e->residual));
}

/* Final hidden states of the model below `prefix`: [B, T, C]. */
static am_value body(am_builder *b, const encoder *e, const char *prefix)
{
    am_scope(b, "%s", prefix);
    am_value ids = am_input(b, "input_ids", 2), x = embed(b, ids, e), initial = x;
    if (am_builder_failed(b)) return AM_NONE;
    am_rope ropes[2] = {tables(b, e, false, am_dim(b, ids, 1)), tables(b, e, true, am_dim(b, ids, 1))};
    am_value values = am_embedding(b, "value_embeddings", ids, e->vocab, e->kv_heads * e->head_dim);
    am_attention_options options = {.heads = e->heads,
                                    .kv_heads = e->kv_heads,
                                    .head_dim = e->head_dim,
                                    .mask = am_padding_mask(b, "attention_mask")};
    for (int i = 0; i < e->layers && !am_builder_failed(b); i++) {
        am_output_hidden_state(b, "hidden_states", i, x);
        options.rope = &ropes[e->sliding[i]];
        options.window = e->windows[i] ? e->windows[i] + 1 : 0; /* inclusive on both sides */
        am_scope(b, "layers.%d", i);
        x = layer_of(b, x, initial, e, &options, i == e->first_wide || i == e->last_wide ? values : AM_NONE);
        am_end_scope(b);
    }
    am_end_scope(b);
    x = am_bare_rms_norm(b, x, e->eps);
    am_output_hidden_state(b, "hidden_states", (int)e->layers, x);
    return x;
}

static void model(am_builder *b)
{
    encoder e = read_encoder(am_model_config(b));
    am_output(b, "last_hidden_state", body(b, &e, ""));
}

static void for_masked_lm(am_builder *b)
{
    static const char *const own = "unembedding_projection.weight";
    encoder e = read_encoder(am_model_config(b));
    bool tied = am_config_flag(e.c, "tie_word_embeddings", true);
    am_value x = body(b, &e, "model");
    const char *name = tied && !am_has_weight(b, own) ? "model.embed_tokens.embedding_projection.weight" : own;
    am_value weight = am_transpose(b, am_weight(b, name, am_shape_of(e.C, e.rank)), 0, 1);
    x = am_linear_with(b, x, weight, AM_NONE);
    am_output(b, "logits",
              am_lm_head(b, "lm_head", x, e.vocab, tied, "model.embed_tokens.word_embeddings.weight", AM_NO_BIAS));
}

/* The mean of the tokens that are no padding, of length 1: x: [B, T, C], mask: [B, T, 1] or AM_NONE. */
static am_value dense_of(am_builder *b, am_value x, am_value mask)
{
    if (!mask.id) return am_unit_length(b, am_reduce(b, AM_REDUCE_MEAN, x, am_shape_of(1), false), LENGTH_EPS);
    am_value weight = am_cast(b, mask, AM_F32);
    am_value count = am_reduce(b, AM_REDUCE_SUM, weight, am_shape_of(1), false);
    x = am_reduce(b, AM_REDUCE_SUM, am_mul(b, x, weight), am_shape_of(1), false);
    return am_unit_length(b, am_div(b, x, am_binary_number(b, AM_MAX, count, TOKENS_EPS)), LENGTH_EPS);
}

static void for_retrieval(am_builder *b)
{
    encoder e = read_encoder(am_model_config(b));
    am_value x = body(b, &e, "model"), mask = am_input_optional(b, "attention_mask", 2);
    am_value each = am_linear(b, "multi_vector_head.proj", x, am_config_size(e.c, "embedding_dim", 128), AM_NO_BIAS);
    each = am_unit_length(b, each, LENGTH_EPS);
    if (mask.id) {
        mask = am_unsqueeze(b, mask, 2);
        each = am_select(b, am_binary_number(b, AM_NOT_EQUAL, mask, 0), each, am_scalar(b, am_dtype_of(b, each), 0));
    }
    am_output(b, "last_hidden_state", x);
    am_output(b, "embeddings", each);
    am_output(b, "dense_embeddings", dense_of(b, x, mask));
}

static const am_architecture architectures[] = {
    {"NeoMMEModel", model, "feature-extraction", 0},
    {"NeoMMEForMaskedLM", for_masked_lm, "fill-mask", 0},
    {"NeoMMEForRetrieval", for_retrieval, NULL, 0},
    {0},
};

const am_model_type am_model_neomme = {.name = "neomme", .base_prefix = "model", .architectures = architectures};
