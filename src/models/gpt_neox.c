/* GPT-NeoX: rotary positions on the first part of each head, LayerNorm, queries, keys and values fused by
   head; attention and MLP read the same residual and are added together (use_parallel_residual), or follow
   one another. transformers: models/gpt_neox/modeling_gpt_neox.py */
#include "models/blocks/attention.h"
#include "models/blocks/causal.h"
#include "models/blocks/heads.h"

typedef struct gpt_neox_config {
    int64_t hidden_size, num_hidden_layers, num_attention_heads, intermediate_size;
    am_unary_fn hidden_act;
    double layer_norm_eps;
    bool attention_bias, use_parallel_residual;
    am_rope_config rope;
    am_rope tables;
    am_attention_options attention;
} gpt_neox_config;

static gpt_neox_config read_config(am_builder *b)
{
    const am_config *c = am_model_config(b);
    gpt_neox_config g = {
        .hidden_size = am_config_size(c, "hidden_size", 6144),
        .num_hidden_layers = am_config_count(c, "num_hidden_layers", 44),
        .num_attention_heads = am_config_size(c, "num_attention_heads", 64),
        .intermediate_size = am_config_size(c, "intermediate_size", 24576),
        .hidden_act = am_config_activation(c, "hidden_act", AM_GELU),
        .layer_norm_eps = am_config_real(c, "layer_norm_eps", 1e-5),
        .attention_bias = am_config_flag(c, "attention_bias", true),
        .use_parallel_residual = am_config_flag(c, "use_parallel_residual", true),
        .attention = {.causal = am_config_flag(c, "is_causal", true), .mask = am_padding_mask(b, "attention_mask")},
    };
    am_config_check_divides(c, "num_attention_heads", g.num_attention_heads, "hidden_size", g.hidden_size);
    const am_rope_fields fields = {.theta = "rotary_emb_base", .partial = "rotary_pct"}; /* before 5.0 */
    g.rope = am_rope_config_read_fields(c, &fields, g.hidden_size / g.num_attention_heads, 10000, 0.25, 2048);
    if (g.attention.causal) g.attention.mask = am_packed_mask(b, g.attention.mask, "position_ids");
    return g;
}

static am_value attention(am_builder *b, am_value x, const gpt_neox_config *c)
{
    int bias = c->attention_bias ? AM_BIAS : AM_NO_BIAS;
    am_value qkv[3];
    am_scope(b, "attention");
    am_split_fused(b, am_linear(b, "query_key_value", x, 3 * c->hidden_size, bias), c->num_attention_heads, true, qkv);
    x = am_attend(b, am_rope_apply(b, &c->tables, qkv[0]), am_rope_apply(b, &c->tables, qkv[1]), qkv[2], &c->attention);
    x = am_linear(b, "dense", x, c->hidden_size, bias);
    am_end_scope(b);
    return x;
}

static am_value mlp(am_builder *b, am_value x, const gpt_neox_config *c)
{
    am_scope(b, "mlp");
    x = am_linear_activation(b, "dense_h_to_4h", x, c->intermediate_size, AM_BIAS, c->hidden_act);
    x = am_linear(b, "dense_4h_to_h", x, c->hidden_size, AM_BIAS);
    am_end_scope(b);
    return x;
}

static am_value layer(am_builder *b, am_value x, const void *context, int index)
{
    const gpt_neox_config *c = context;
    am_value h = attention(b, am_layer_norm(b, "input_layernorm", x, c->layer_norm_eps), c);
    am_value between = am_add(b, h, x);
    am_value read = c->use_parallel_residual ? x : between;
    (void)index;
    return am_add(b, mlp(b, am_layer_norm(b, "post_attention_layernorm", read, c->layer_norm_eps), c), between);
}

static am_value body(am_builder *b, const char *prefix)
{
    gpt_neox_config c = read_config(b);
    am_scope(b, "%s", prefix);
    am_value x = am_causal_words(b, "embed_in", c.hidden_size);
    c.tables = am_rope_tables(b, &c.rope, am_dim(b, x, 1));
    x = am_causal_layers(b, "layers", c.num_hidden_layers, x, layer, &c);
    x = am_causal_final_norm(b, "final_layer_norm", x, c.layer_norm_eps, c.num_hidden_layers);
    am_end_scope(b);
    return x;
}

/* the head is embed_out in published files, lm_head in transformers since 5.0 */
static void for_causal_lm(am_builder *b)
{
    const char *head = am_has_weight(b, "lm_head.weight") ? "lm_head" : "embed_out";
    bool tied = am_config_flag(am_model_config(b), "tie_word_embeddings", false);
    am_output(b, "logits",
              am_lm_head(b, head, body(b, "gpt_neox"), am_causal_vocab_size(b), tied, "gpt_neox.embed_in.weight",
                         AM_NO_BIAS));
}

static const am_architecture architectures[] = {
    {"GPTNeoXModel", am_causal_model, "feature-extraction", 0},
    {"GPTNeoXForCausalLM", for_causal_lm, "text-generation", AM_GENERATES},
    {"GPTNeoXForSequenceClassification", am_causal_for_sequence_classification, "text-classification", 0},
    {"GPTNeoXForTokenClassification", am_causal_for_token_classification, "token-classification", 0},
    {"GPTNeoXForQuestionAnswering", am_causal_for_question_answering, "question-answering", 0},
    {0},
};

static const am_causal_family family = {.body = body, .vocab_size = 50432, .untied = true, .prefix = "gpt_neox"};

const am_model_type am_model_gpt_neox = {
    .name = "gpt_neox", .base_prefix = "gpt_neox", .architectures = architectures, .family = &family};
