/* XGLM: a decoder of pre-norm layers with scaled embeddings and computed positions. transformers:
   models/xglm/modeling_xglm.py */
#include "models/blocks/attention.h"
#include "models/blocks/causal.h"
#include "models/blocks/seq2seq.h"
#include "models/blocks/sinusoids.h"

#include <math.h>

enum { POSITION_OFFSET = 2 };

static const double LAYER_NORM_EPS = 1e-5; /* not configurable */

typedef struct xglm_config {
    int64_t d_model, ffn_dim, num_layers, attention_heads, max_position_embeddings, pad_token_id;
    am_unary_fn activation_function;
    double embed_scale;
    bool is_causal;
    am_attention_options attention;
    am_encoder_states encoded; /* what layers attend to beside the text */
} xglm_config;

static xglm_config read_config(am_builder *b)
{
    const am_config *c = am_model_config(b);
    xglm_config x = {
        .d_model = am_config_size(c, am_config_either(c, "d_model", "hidden_size"), 1024),
        .ffn_dim = am_config_size(c, "ffn_dim", 4096),
        .num_layers = am_config_count(c, am_config_either(c, "num_layers", "num_hidden_layers"), 24),
        .attention_heads = am_config_size(c, am_config_either(c, "attention_heads", "num_attention_heads"), 16),
        .max_position_embeddings = am_config_size(c, "max_position_embeddings", 2048),
        .pad_token_id = am_config_is_null(c, "pad_token_id") ? -1 : am_config_int(c, "pad_token_id", 1),
        .activation_function = am_config_activation(c, "activation_function", AM_GELU),
        .is_causal = am_config_flag(c, "is_causal", true),
    };
    am_config_check_divides(c, "attention_heads", x.attention_heads, "d_model", x.d_model);
    if (x.d_model < 4) am_config_fail(c, "d_model", "positions take 4 numbers at least, found %d", (int)x.d_model);
    x.embed_scale = am_config_flag(c, "scale_embedding", true) ? sqrt((double)x.d_model) : 1;
    x.attention = (am_attention_options){
        .heads = x.attention_heads, .causal = x.is_causal, .mask = am_padding_mask(b, "attention_mask")};
    if (am_config_flag(c, "add_cross_attention", false)) x.encoded = am_encoder_states_input(b);
    return x;
}

/* What a part of a layer adds to x: [B, T, C]: attention to the text or to what is encoded. */
static am_value attention(am_builder *b, am_value x, const xglm_config *c, bool crosses)
{
    am_attention_options cross = {.heads = c->attention_heads, .mask = c->encoded.mask};
    x = am_layer_norm(b, crosses ? "encoder_attn_layer_norm" : "self_attn_layer_norm", x, LAYER_NORM_EPS);
    am_scope(b, crosses ? "encoder_attn" : "self_attn");
    x = crosses ? am_cross_attention(b, x, c->encoded.states, &cross) : am_self_attention(b, x, &c->attention);
    am_end_scope(b);
    return x;
}

static am_value layer(am_builder *b, am_value x, const void *context, int index)
{
    const xglm_config *c = context;
    (void)index;
    x = am_add(b, x, attention(b, x, c, false));
    if (c->encoded.given) x = am_add(b, x, attention(b, x, c, true));
    am_value h = am_layer_norm(b, "final_layer_norm", x, LAYER_NORM_EPS);
    h = am_linear_activation(b, "fc1", h, c->ffn_dim, AM_BIAS, c->activation_function);
    return am_add(b, x, am_linear(b, "fc2", h, c->d_model, AM_BIAS));
}

/* Sinusoids of the T tokens of this run: [1 or B, T, C]. The table grows with the text. */
static am_value positions(am_builder *b, const xglm_config *c, int64_t T)
{
    int64_t longest = am_has_cache(b) ? am_cache_capacity(b) : T;
    int64_t count = POSITION_OFFSET + (longest > c->max_position_embeddings ? longest : c->max_position_embeddings);
    am_value rows = am_add_number(b, am_position_ids(b, T), POSITION_OFFSET);
    if (am_builder_failed(b)) return AM_NONE; /* sizes that no weight has may be large */
    am_value table = am_sinusoid_table(b, count, c->d_model, (double)(c->d_model / 2 - 1), c->pad_token_id);
    return am_embedding_op(b, table, rows);
}

static am_value body(am_builder *b, const char *prefix)
{
    xglm_config c = read_config(b);
    am_scope(b, "%s", prefix);
    am_value x = am_causal_words(b, "embed_tokens", c.d_model);
    if (!am_has_input(b, "inputs_embeds")) x = am_mul_number(b, x, c.embed_scale);
    x = am_add(b, x, positions(b, &c, am_dim(b, x, 1)));
    x = am_causal_layers(b, "layers", c.num_layers, x, layer, &c);
    x = am_causal_final_norm(b, "layer_norm", x, LAYER_NORM_EPS, c.num_layers);
    am_end_scope(b);
    return x;
}

static const am_architecture architectures[] = {
    {"XGLMModel", am_causal_model, "feature-extraction", 0},
    {"XGLMForCausalLM", am_causal_for_causal_lm, "text-generation", AM_GENERATES},
    {0},
};

static const am_causal_family family = {
    .body = body, .vocab_size = 256008, .prefix = "model", .embedding = "model.embed_tokens.weight"};

const am_model_type am_model_xglm = {
    .name = "xglm", .base_prefix = "model", .architectures = architectures, .family = &family};
