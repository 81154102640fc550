/* OpenAI GPT: learned positions, post-norm layers: ln_1(x + attention(x)), ln_2(x + mlp(x)); queries, keys and values
   come from one projection, weights are stored [in, out]; no norm at the end. transformers:
   models/openai/modeling_openai.py */
#include "models/blocks/attention.h"
#include "models/blocks/causal.h"
#include "models/blocks/heads.h"

typedef struct openai_gpt {
    am_gpt_config config;
    am_unary_fn afn;
    am_value mask;
} openai_gpt;

static const am_gpt_config defaults = {
    .n_positions = 512, .n_embd = 768, .n_layer = 12, .n_head = 12, .layer_norm_epsilon = 1e-5};

/* "gelu" is the tanh approximation here */
static am_unary_fn read_activation(const am_config *c)
{
    return am_config_is(c, "afn", "gelu") ? AM_GELU_TANH : am_config_activation(c, "afn", AM_GELU_TANH);
}

static am_value attention(am_builder *b, am_value x, const openai_gpt *m)
{
    am_attention_options options = {.causal = true, .mask = m->mask};
    int64_t C = m->config.n_embd;
    am_value qkv[3];
    am_scope(b, "attn");
    am_split_fused(b, am_linear_in_out(b, "c_attn", x, 3 * C), m->config.n_head, false, qkv);
    x = am_linear_in_out(b, "c_proj", am_attend(b, qkv[0], qkv[1], qkv[2], &options), C);
    am_end_scope(b);
    return x;
}

static am_value mlp(am_builder *b, am_value x, const openai_gpt *m)
{
    am_scope(b, "mlp");
    x = am_unary(b, m->afn, am_linear_in_out(b, "c_fc", x, 4 * m->config.n_embd));
    x = am_linear_in_out(b, "c_proj", x, m->config.n_embd);
    am_end_scope(b);
    return x;
}

static am_value block(am_builder *b, am_value x, const void *context, int index)
{
    const openai_gpt *m = context;
    (void)index;
    x = am_layer_norm(b, "ln_1", am_add(b, x, attention(b, x, m)), m->config.layer_norm_epsilon);
    return am_layer_norm(b, "ln_2", am_add(b, x, mlp(b, x, m)), m->config.layer_norm_epsilon);
}

static am_value body(am_builder *b, const char *prefix)
{
    const am_config *c = am_model_config(b);
    openai_gpt m = {
        .config = am_gpt_config_read(c, defaults), .afn = read_activation(c), .mask = am_flat_padding_mask(b)};
    const am_gpt_config *g = &m.config;
    am_scope(b, "%s", prefix);
    am_value x = am_causal_embeddings(b, "tokens_embed", g->n_embd), places = am_position_ids(b, am_dim(b, x, 1));
    x = am_add(b, x, am_embedding(b, "positions_embed", places, g->n_positions, g->n_embd));
    x = am_causal_layers(b, "h", g->n_layer, x, block, &m);
    am_output_hidden_state(b, "hidden_states", (int)g->n_layer, x);
    am_end_scope(b);
    return x;
}

static const am_architecture architectures[] = {
    {"OpenAIGPTModel", am_causal_model, "feature-extraction", 0},
    {"OpenAIGPTLMHeadModel", am_causal_for_causal_lm, "text-generation", AM_GENERATES},
    {"OpenAIGPTDoubleHeadsModel", am_causal_double_heads, NULL, 0},
    {"OpenAIGPTForSequenceClassification", am_causal_for_sequence_classification, "text-classification", 0},
    {0},
};

static const am_causal_family family = {
    .body = body, .vocab_size = 40478, .embedding = "transformer.tokens_embed.weight"};

const am_model_type am_model_openai_gpt = {
    .name = "openai-gpt", .base_prefix = "transformer", .architectures = architectures, .family = &family};
