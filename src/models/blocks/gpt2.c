#include "models/blocks/gpt2.h"

#include "models/blocks/attention.h"
#include "models/blocks/heads.h"

#include <math.h>

am_gpt2 am_gpt2_read(am_builder *b, am_gpt_config defaults, am_unary_fn activation)
{
    const am_config *c = am_model_config(b);
    bool crosses = am_config_flag(c, "add_cross_attention", false);
    am_gpt_config g = am_gpt_config_read(c, defaults);
    return (am_gpt2){
        .config = g,
        .activation_function = am_config_activation(c, "activation_function", activation),
        .scale_attn_weights = am_config_flag(c, "scale_attn_weights", true),
        .scale_attn_by_inverse_layer_idx = am_config_flag(c, "scale_attn_by_inverse_layer_idx", false),
        .mask = am_gpt_mask(b, &g),
        .encoded = crosses ? am_encoder_states_input(b) : (am_encoder_states){0},
    };
}

static double attention_scale(const am_gpt2 *m, int layer)
{
    double scale = m->scale_attn_weights ? 1 / sqrt((double)(m->config.n_embd / m->config.n_head)) : 1;
    return m->scale_attn_by_inverse_layer_idx ? scale / (layer + 1) : scale;
}

static am_value attention(am_builder *b, am_value x, const am_gpt2 *m, int layer)
{
    am_attention_options options = {.causal = m->config.is_causal, .mask = m->mask, .scale = attention_scale(m, layer)};
    int64_t C = m->config.n_embd;
    am_value qkv[3];
    am_scope(b, "attn");
    am_split_fused(b, am_linear_in_out(b, "c_attn", x, 3 * C), m->config.n_head, false, qkv);
    x = am_linear_in_out(b, "c_proj", am_attend(b, qkv[0], qkv[1], qkv[2], &options), C);
    am_end_scope(b);
    return x;
}

/* Keys and values come from one projection. */
static am_value cross_attention(am_builder *b, am_value x, const am_gpt2 *m, int layer)
{
    am_attention_options options = {.mask = m->encoded.mask, .scale = attention_scale(m, layer)};
    int64_t C = m->config.n_embd, heads = m->config.n_head;
    am_value k = AM_NONE, v = AM_NONE;
    am_scope(b, "crossattention");
    if (m->encoded.states.id) {
        am_value kv = am_linear_in_out(b, "c_attn", m->encoded.states, 2 * C);
        k = am_split_heads(b, am_slice(b, kv, -1, 0, C), heads);
        v = am_split_heads(b, am_slice(b, kv, -1, C, 2 * C), heads);
    }
    x = am_attend_encoder(b, am_split_heads(b, am_linear_in_out(b, "q_attn", x, C), heads), k, v, &options);
    x = am_linear_in_out(b, "c_proj", x, C);
    am_end_scope(b);
    return x;
}

static am_value mlp(am_builder *b, am_value x, const am_gpt2 *m)
{
    am_scope(b, "mlp");
    x = am_unary(b, m->activation_function, am_linear_in_out(b, "c_fc", x, m->config.n_inner));
    x = am_linear_in_out(b, "c_proj", x, m->config.n_embd);
    am_end_scope(b);
    return x;
}

static am_value norm(am_builder *b, const char *name, am_value x, const am_gpt2 *m)
{
    double eps = m->config.layer_norm_epsilon;
    return m->rms_norm ? am_rms_norm(b, name, x, eps, 0) : am_layer_norm(b, name, x, eps);
}

static am_value block(am_builder *b, am_value x, const void *context, int index)
{
    const am_gpt2 *m = context;
    x = am_add(b, x, attention(b, norm(b, "ln_1", x, m), m, index));
    if (m->encoded.given) x = am_add(b, x, cross_attention(b, norm(b, "ln_cross_attn", x, m), m, index));
    return am_add(b, x, mlp(b, norm(b, "ln_2", x, m), m));
}

am_value am_gpt2_layers(am_builder *b, am_value x, am_value positions, const am_gpt2 *m)
{
    const am_gpt_config *g = &m->config;
    x = am_add(b, x, am_embedding(b, "wpe", positions, g->n_positions, g->n_embd));
    x = am_causal_layers(b, "h", g->n_layer, x, block, m);
    if (!m->rms_norm) return am_causal_final_norm(b, "ln_f", x, g->layer_norm_epsilon, g->n_layer);
    x = norm(b, "ln_f", x, m);
    am_output_hidden_state(b, "hidden_states", (int)g->n_layer, x);
    return x;
}

am_value am_gpt2_body(am_builder *b, const am_gpt2 *m, const char *prefix)
{
    am_scope(b, "%s", prefix);
    am_value x = am_causal_embeddings(b, "wte", m->config.n_embd), places = am_position_ids(b, am_dim(b, x, 1));
    x = am_gpt2_layers(b, x, places, m);
    am_end_scope(b);
    return x;
}
