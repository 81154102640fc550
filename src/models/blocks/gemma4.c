#include "models/blocks/gemma4.h"

#include "models/blocks/experts.h"
#include "models/blocks/heads.h"
#include "models/blocks/vision.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* --- configuration --- */

int64_t am_first_shared_layer(const am_config *c, const am_decoder_options *o, int64_t fallback)
{
    int64_t shared = am_config_int(c, "num_kv_shared_layers", fallback), first = o->num_hidden_layers - shared;
    bool is_there[2] = {false, false};
    if (shared < 0 || (shared > 0 && first < 1)) {
        am_config_fail(c, "num_kv_shared_layers", "%lld of %lld layers", (long long)shared,
                       (long long)o->num_hidden_layers);
        return o->num_hidden_layers;
    }
    for (int64_t i = 0; i < o->num_hidden_layers && i < AM_LAYERS_LIMIT; i++) {
        if (i < first) is_there[o->sliding[i]] = true;
        else if (!is_there[o->sliding[i]])
            am_config_fail(c, "num_kv_shared_layers",
                           "layer %lld has no layer of its kind before it whose keys it reads", (long long)i);
    }
    return first;
}

/* per_layer_config names layers by their numbers. */
static am_config layer_config(const am_config *c, int layer)
{
    char key[16];
    am_config all = am_config_child(c, "per_layer_config");
    snprintf(key, sizeof key, "%d", layer);
    return am_config_child(&all, key);
}

/* Fields that a layer has of its own. */
static void check_layer_fields(const am_config *c)
{
    for (am_json_iterator i = am_json_iterate(am_json_get(c->object, "per_layer_config")); am_json_next(&i);)
        for (am_json_iterator k = am_json_iterate(i.value); am_json_next(&k);)
            if (strcmp(k.key.bytes, "head_dim") != 0 && strcmp(k.key.bytes, "num_key_value_heads") != 0)
                am_config_unsupported(c, "per_layer_config", "a layer's own %s is not supported", k.key.bytes);
}

static void read_layer(const am_config *c, const am_gemma4_family *f, am_gemma4 *g, int i)
{
    const am_decoder_options *o = &g->o;
    bool listed = am_config_has(c, "per_layer_config"), wide = !listed && !o->sliding[i];
    am_config own = layer_config(c, i);
    int64_t global = am_config_int(c, "num_global_key_value_heads", f->global_kv_heads),
            kv = wide && global != 0 && (!f->shares || g->keys_are_values) ? global : o->num_key_value_heads;
    g->head_dims[i] = am_config_size(&own, "head_dim", wide ? am_config_size(c, "global_head_dim", 512) : o->head_dim);
    g->kv_heads[i] = am_config_size(&own, "num_key_value_heads", kv);
    if (g->kv_heads[i] < 1 || o->num_attention_heads % g->kv_heads[i] != 0)
        am_config_fail(c, "num_key_value_heads", "%lld of %lld heads in layer %d", (long long)g->kv_heads[i],
                       (long long)o->num_attention_heads, i);
}

/* Heads of layers, which are as wide as others of their kind. */
static void read_layers(const am_config *c, const am_gemma4_family *f, am_gemma4 *g)
{
    int first[2] = {-1, -1};
    check_layer_fields(c);
    for (int i = 0; i < g->o.num_hidden_layers && i < AM_LAYERS_LIMIT; i++) {
        int *same = &first[g->o.sliding[i]];
        read_layer(c, f, g, i);
        if (*same < 0) *same = i;
        if (g->head_dims[i] != g->head_dims[*same] || g->kv_heads[i] != g->kv_heads[*same])
            am_config_unsupported(c, "per_layer_config", "layers %d and %d differ", *same, i);
    }
    for (int sliding = 0; sliding < 2; sliding++) {
        int64_t D = first[sliding] < 0 ? g->o.head_dim : g->head_dims[first[sliding]];
        double theta = sliding ? 10000 : 1000000;
        const char *type = sliding ? "sliding_attention" : "full_attention";
        am_rope_config *rope = sliding ? &g->o.sliding_rope : &g->o.rope;
        *rope = am_rope_config_read(c, type, D, theta, 1, f->defaults.max_position_embeddings);
        bool whole = sliding || !f->proportional || am_config_has(c, "rope_parameters");
        for (int64_t k = D / 8; !whole && k < rope->pairs; k++) rope->inverse_frequency[k] = 0;
    }
}

static void read_directions(const am_config *c, const am_gemma4_family *f, am_decoder_options *o)
{
    const char *ways =
        am_config_is_null(c, "use_bidirectional_attention")
            ? "vision"
            : am_config_text(c, "use_bidirectional_attention", f->looks_both_ways ? f->looks_both_ways : "vision");
    o->sliding_window = am_config_size(c, "sliding_window", f->sliding_window);
    if (f->embeds) {
        o->causal = false;
        return;
    }
    if (strcmp(ways, "all") == 0) {
        o->causal = false;
        o->sliding_window = o->sliding_window / 2 + 1;
    } else if (strcmp(ways, "vision") != 0)
        am_config_unsupported(c, "use_bidirectional_attention", "\"%s\" is not supported", ways);
}

static void read_extras(const am_config *c, const am_gemma4_family *f, am_gemma4 *g)
{
    g->keys_are_values = f->keys_are_values || (f->shares && am_config_flag(c, "attention_k_eq_v", false));
    g->double_wide = f->shares && am_config_flag(c, "use_double_wide_mlp", false);
    g->first_shared = f->shares ? am_first_shared_layer(c, &g->o, 0) : g->o.num_hidden_layers;
    if (f->embeds) g->embedding_dim = am_config_size(c, "embedding_dim", 768);
    if (f->layer_inputs) {
        g->layer_input = am_config_int(c, "hidden_size_per_layer_input", f->embeds ? 512 : 256);
        if (!f->embeds) g->layer_words = am_config_size(c, "vocab_size_per_layer_input", 262144);
        if (g->layer_input < 0 || g->layer_input > INT32_MAX / AM_LAYERS_LIMIT)
            am_config_fail(c, "hidden_size_per_layer_input", "found %lld", (long long)g->layer_input);
    }
    g->mixture = f->always_mixture || (f->mixture && am_config_flag(c, "enable_moe_block", false));
    if (!g->mixture) return;
    g->experts = am_config_size(c, "num_experts", 128);
    g->top_k = am_config_size(c, "top_k_experts", 8);
    g->expert_size = am_config_size(c, "moe_intermediate_size", 704);
    if (g->top_k > g->experts)
        am_config_fail(c, "top_k_experts", "%lld of %lld experts", (long long)g->top_k, (long long)g->experts);
}

static am_decoder_part attention_part, mlp_part;
static am_decoder_norm last_norm;
static void enter(am_builder *b, am_value x, const am_decoder_options *o);

void am_gemma4_read(const am_config *c, const am_gemma4_family *f, am_gemma4 *g)
{
    static const am_decoder_norms none = {0};
    const am_decoder_family plain = {.defaults = f->defaults};
    *g = (am_gemma4){.c = c, .o = am_decoder_options_read(c, &plain)};
    am_decoder_options *o = &g->o;
    o->hidden_act = am_config_activation(c, "hidden_activation", AM_GELU_TANH);
    o->qkv_bias = o->out_bias = am_config_flag(c, "attention_bias", false);
    o->embedding_scale = sqrt((double)o->hidden_size);
    o->attention_scale = 1;
    o->final_soft_cap = am_decoder_real_or_none(c, "final_logit_softcapping", 0);
    o->has_sliding_rope = true;
    o->norms = &none; /* the parts norm what they read and add what they were given */
    o->parts_add_residual = true;
    o->attention = attention_part;
    o->mlp = mlp_part;
    o->attention_scope = o->mlp_scope = "";
    o->enter = enter;
    o->norm = last_norm;
    am_decoder_read_sliding(c, o, 0, 6);
    if (o->num_hidden_layers > 0 && o->num_hidden_layers <= AM_LAYERS_LIMIT)
        o->sliding[o->num_hidden_layers - 1] = false;
    read_directions(c, f, o);
    read_extras(c, f, g);
    read_layers(c, f, g);
}

/* --- what layers get beside the stream --- */

am_value am_bare_rms_norm(am_builder *b, am_value x, double eps)
{
    return am_norm_op(b, x, AM_NONE, AM_NONE, AM_NONE, AM_NONE, &(am_norm_attributes){.kind = AM_NORM_RMS, .eps = eps});
}

static am_value norm(am_builder *b, const char *name, am_value x, const am_gemma4 *g)
{
    return am_rms_norm(b, name, x, g->o.rms_norm_eps, 0);
}

/* Each token's own numbers for all layers: [B, T, layers, width]. */
static am_value words_of_layers(am_builder *b, const am_gemma4 *g)
{
    if (am_has_input(b, "per_layer_inputs")) return am_input(b, "per_layer_inputs", 4);
    if (am_has_input(b, "inputs_embeds")) {
        am_builder_fail(b, am_error(AM_UNSUPPORTED, "inputs_embeds without per_layer_inputs, which are made of words"));
        return AM_NONE;
    }
    am_value ids = am_input(b, "input_ids", 2);
    int64_t L = g->o.num_hidden_layers, P = g->layer_input;
    am_value x = am_embedding(b, "embed_tokens_per_layer", ids, g->layer_words, L * P);
    x = am_mul_number(b, x, sqrt((double)P));
    return am_reshape(b, x, am_shape_of(am_dim(b, ids, 0), am_dim(b, ids, 1), L, P));
}

/* Half of them come of the words, half of x: [B, T, C], which goes into the first layer. */
static void enter(am_builder *b, am_value x, const am_decoder_options *o)
{
    am_gemma4 *g = (am_gemma4 *)o->context;
    int64_t L = o->num_hidden_layers, P = g->layer_input;
    if (P == 0) return;
    am_scope(b, "%s", g->embedding_dim ? "ple" : "");
    am_value seen = am_linear(b, "per_layer_model_projection", x, L * P, AM_NO_BIAS);
    seen = am_mul_number(b, seen, 1 / sqrt((double)o->hidden_size));
    seen = am_reshape(b, seen, am_shape_of(am_dim(b, x, 0), am_dim(b, x, 1), L, P));
    seen = norm(b, "per_layer_projection_norm", seen, g);
    am_end_scope(b);
    g->layer_inputs = seen;
    if (!g->embedding_dim) g->layer_inputs = am_mul_number(b, am_add(b, seen, words_of_layers(b, g)), sqrt(0.5));
}

static am_value add_layer_input(am_builder *b, am_value x, const am_gemma4 *g, int layer)
{
    if (g->layer_input == 0) return x;
    am_scope(b, "%s", g->embedding_dim ? "ple_block" : "");
    am_value h = am_linear_activation(b, "per_layer_input_gate", x, g->layer_input, AM_NO_BIAS, g->o.hidden_act);
    h = am_mul(b, h, am_index(b, g->layer_inputs, 2, layer));
    h = norm(b, "post_per_layer_input_norm", am_linear(b, "per_layer_projection", h, g->o.hidden_size, AM_NO_BIAS), g);
    am_end_scope(b);
    return am_add(b, x, h);
}

/* The only norm that is not a part's own. */
static am_value last_norm(am_builder *b, const char *name, am_value x, const am_decoder_options *o)
{
    const am_gemma4 *g = o->context;
    x = norm(b, name, x, g);
    return g->embedding_dim ? am_linear(b, "embedding_projection", x, g->embedding_dim, AM_NO_BIAS) : x;
}

/* --- attention --- */

static am_value heads(am_builder *b, const char *name, am_value x, int64_t count, int64_t D, const am_gemma4 *g)
{
    return am_split_heads(b, am_linear(b, name, x, count * D, g->o.qkv_bias ? AM_BIAS : AM_NO_BIAS), count);
}

void am_gemma4_heads(am_builder *b, am_value x, const am_gemma4 *g, int layer, const am_rope *rope, am_value out[3])
{
    int64_t D = g->head_dims[layer], G = g->kv_heads[layer];
    out[0] = am_rope_apply(b, rope, norm(b, "q_norm", heads(b, "q_proj", x, g->o.num_attention_heads, D, g), g));
    out[1] = out[2] = AM_NONE;
    if (layer >= g->first_shared) return;
    am_value key = heads(b, "k_proj", x, G, D, g);
    bool same = g->keys_are_values && !g->o.sliding[layer];
    am_value value = same ? key : heads(b, "v_proj", x, G, D, g);
    out[1] = am_rope_apply(b, rope, norm(b, "k_norm", key, g));
    out[2] = am_bare_rms_norm(b, value, g->o.rms_norm_eps);
}

static am_value attention_part(am_builder *b, am_value x, const am_decoder_layer *layer)
{
    am_gemma4 *g = (am_gemma4 *)layer->options->context;
    am_shared_heads *shared = &g->shared[g->o.sliding[layer->index]];
    am_value qkv[3], h = norm(b, "input_layernorm", x, g);
    am_scope(b, "self_attn");
    am_gemma4_heads(b, h, g, layer->index, layer->attention->rope, qkv);
    if (qkv[1].id) *shared = (am_shared_heads){am_cache_append(b, "key", qkv[1]), am_cache_append(b, "value", qkv[2])};
    h = am_merge_heads(b, am_attend_cached(b, qkv[0], shared->key, shared->value, layer->attention));
    h = am_linear(b, "o_proj", h, g->o.hidden_size, g->o.out_bias ? AM_BIAS : AM_NO_BIAS);
    am_end_scope(b);
    return am_add(b, x, norm(b, "post_attention_layernorm", h, g));
}

/* --- feed-forward --- */

/* Weights of the experts that rows x: [N, C] go to: [N, K]. */
static am_value route(am_builder *b, am_value x, const am_gemma4 *g, am_value *experts)
{
    am_scope(b, "router");
    am_value h = am_bare_rms_norm(b, x, g->o.rms_norm_eps);
    h = am_mul(b, h, am_parameter(b, "scale", am_shape_of(g->o.hidden_size), h));
    h = am_mul_number(b, h, 1 / sqrt((double)g->o.hidden_size));
    am_expert_routing_attributes routing = {.top_k = g->top_k, .normalize = true};
    am_value logits = am_linear(b, "proj", h, g->experts, AM_NO_BIAS),
             weights = am_expert_routing(b, logits, AM_NONE, &routing, experts),
             scale = am_parameter(b, "per_expert_scale", am_shape_of(g->experts), weights);
    am_end_scope(b);
    return am_mul(b, weights, am_gather(b, scale, *experts, 0, false));
}

/* What experts make of x: [B, T, C], and beside them h, the MLP's answer. */
static am_value add_experts(am_builder *b, am_value x, am_value h, const am_gemma4 *g)
{
    am_experts_options options = {
        .count = g->experts, .intermediate_size = g->expert_size, .activation = g->o.hidden_act, .packed = true};
    am_value experts, rows = am_flatten(b, x, 0, 1), weights = route(b, rows, g, &experts);
    am_value y = am_chosen_experts(b, norm(b, "pre_feedforward_layernorm_2", rows, g), experts, weights, &options);
    y = norm(b, "post_feedforward_layernorm_2", am_reshape(b, y, am_shape_of_value(b, x)), g);
    return am_add(b, norm(b, "post_feedforward_layernorm_1", h, g), y);
}

am_value am_gemma4_feed_forward(am_builder *b, am_value x, const am_gemma4 *g, int layer)
{
    int64_t inner = g->o.intermediate_size * (g->double_wide && layer >= g->first_shared ? 2 : 1);
    am_value h = norm(b, "pre_feedforward_layernorm", x, g);
    am_scope(b, "mlp");
    h = am_gated_mlp(b, h, inner, g->o.hidden_act, AM_NO_BIAS);
    am_end_scope(b);
    if (g->mixture) h = add_experts(b, x, h, g);
    x = am_add(b, x, norm(b, "post_feedforward_layernorm", h, g));
    x = add_layer_input(b, x, g, layer);
    am_value scalar = am_weight_optional(b, "layer_scalar", am_shape_of(1));
    return scalar.id ? am_mul(b, x, am_cast_like(b, scalar, x)) : x;
}

static am_value mlp_part(am_builder *b, am_value x, const am_decoder_layer *layer)
{
    return am_gemma4_feed_forward(b, x, layer->options->context, layer->index);
}

/* --- classes --- */

am_value am_gemma4_body(am_builder *b, am_gemma4 *g, const char *prefix)
{
    g->o.context = g;
    return am_decoder_body(b, &g->o, prefix);
}

void am_gemma4_text_model(am_builder *b)
{
    am_gemma4 g;
    am_gemma4_read(am_model_config(b), am_model_family(b), &g);
    am_output(b, "last_hidden_state", am_gemma4_body(b, &g, ""));
}

void am_gemma4_for_causal_lm(am_builder *b)
{
    am_gemma4 g;
    am_gemma4_read(am_model_config(b), am_model_family(b), &g);
    am_value x = am_gemma4_body(b, &g, "model");
    am_value logits =
        am_lm_head(b, "lm_head", x, g.o.vocab_size, g.o.tie_word_embeddings, "model.embed_tokens.weight", AM_NO_BIAS);
    am_output(b, "logits", g.o.final_soft_cap != 0 ? am_soft_cap(b, logits, g.o.final_soft_cap) : logits);
}
