#include "models/blocks/gptj.h"

typedef struct model {
    am_gpt_config config;
    am_unary_fn activation_function;
    am_attention_options options;
    am_gptj_attention *attention;
} model;

static am_value mlp(am_builder *b, am_value x, const model *m)
{
    am_scope(b, "mlp");
    x = am_linear_activation(b, "fc_in", x, m->config.n_inner, AM_BIAS, m->activation_function);
    x = am_linear(b, "fc_out", x, m->config.n_embd, AM_BIAS);
    am_end_scope(b);
    return x;
}

static am_value block(am_builder *b, am_value x, const void *context, int index)
{
    const model *m = context;
    am_value normed = am_layer_norm(b, "ln_1", x, m->config.layer_norm_epsilon);
    (void)index;
    am_scope(b, "attn");
    am_value h = m->attention(b, normed, &m->options);
    am_end_scope(b);
    return am_add(b, am_add(b, h, mlp(b, normed, m)), x);
}

am_value am_gptj_body(am_builder *b, const char *prefix, am_gptj_attention *attention)
{
    static const am_gpt_config defaults = {
        .n_positions = 2048, .n_embd = 4096, .n_layer = 28, .n_head = 16, .layer_norm_epsilon = 1e-5};
    const am_config *c = am_model_config(b);
    model m = {.config = am_gpt_config_read(c, defaults),
               .activation_function = am_config_activation(c, "activation_function", AM_GELU_TANH),
               .attention = attention};
    int64_t rotary_dim = am_config_size(c, "rotary_dim", 64), C = m.config.n_embd;
    am_rope_config rotary = am_rope_config_default(c, rotary_dim, 10000, m.config.n_positions);
    am_scope(b, "%s", prefix);
    am_value x = am_causal_embeddings(b, "wte", C);
    am_rope rope = am_rope_tables(b, &rotary, am_dim(b, x, 1));
    rope.interleaved = true;
    m.options = (am_attention_options){.heads = m.config.n_head,
                                       .no_q_bias = true,
                                       .no_k_bias = true,
                                       .no_v_bias = true,
                                       .no_out_bias = true,
                                       .causal = m.config.is_causal,
                                       .mask = am_gpt_mask(b, &m.config),
                                       .rope = &rope};
    x = am_causal_layers(b, "h", m.config.n_layer, x, block, &m);
    x = am_causal_final_norm(b, "ln_f", x, m.config.layer_norm_epsilon, m.config.n_layer);
    am_end_scope(b);
    return x;
}
