/* GPT-NeoX Japanese: GPT-NeoX whose attention and MLP follow one another, without biases but for one behind the last
   layer's attention. transformers: models/gpt_neox_japanese/modeling_gpt_neox_japanese.py */
#include "models/blocks/attention.h"
#include "models/blocks/causal.h"

typedef struct neox_config {
    int64_t hidden_size, num_hidden_layers, num_attention_heads, intermediate_size;
    am_unary_fn hidden_act;
    double layer_norm_eps;
    am_rope_config rope;
    am_rope tables;
    am_attention_options attention;
} neox_config;

static neox_config read_config(am_builder *b)
{
    const am_config *c = am_model_config(b);
    neox_config g = {
        .hidden_size = am_config_size(c, "hidden_size", 2560),
        .num_hidden_layers = am_config_count(c, "num_hidden_layers", 32),
        .num_attention_heads = am_config_size(c, "num_attention_heads", 32),
        .hidden_act = am_config_activation(c, "hidden_act", AM_GELU),
        .layer_norm_eps = am_config_real(c, "layer_norm_eps", 1e-5),
        .attention = {.causal = am_config_flag(c, "is_causal", true), .mask = am_padding_mask(b, "attention_mask")},
    };
    am_config_check_divides(c, "num_attention_heads", g.num_attention_heads, "hidden_size", g.hidden_size);
    g.intermediate_size = g.hidden_size * am_config_size(c, "intermediate_multiple_size", 4);
    const am_rope_fields fields = {.theta = "rotary_emb_base", .partial = "rotary_pct"};
    g.rope = am_rope_config_read_fields(c, &fields, g.hidden_size / g.num_attention_heads, 10000, 1, 2048);
    if (g.attention.causal) g.attention.mask = am_packed_mask(b, g.attention.mask, "position_ids");
    return g;
}

static am_value attention(am_builder *b, am_value x, const neox_config *c, bool last)
{
    am_value qkv[3];
    am_scope(b, "attention");
    am_split_fused(b, am_linear(b, "query_key_value", x, 3 * c->hidden_size, AM_NO_BIAS), c->num_attention_heads, true,
                   qkv);
    x = am_attend(b, am_rope_apply(b, &c->tables, qkv[0]), am_rope_apply(b, &c->tables, qkv[1]), qkv[2], &c->attention);
    am_value bias = last ? am_weight(b, "dense_bias", am_shape_of(c->hidden_size)) : AM_NONE;
    am_scope(b, "dense");
    x = am_linear_with(b, x, am_weight(b, "weight", am_shape_of(c->hidden_size, c->hidden_size)), bias);
    am_end_scope(b);
    am_end_scope(b);
    return x;
}

static am_value mlp(am_builder *b, am_value x, const neox_config *c)
{
    am_scope(b, "mlp");
    x = am_linear_activation(b, "dense_h_to_4h", x, c->intermediate_size, AM_NO_BIAS, c->hidden_act);
    x = am_linear(b, "dense_4h_to_h", x, c->hidden_size, AM_NO_BIAS);
    am_end_scope(b);
    return x;
}

static am_value layer(am_builder *b, am_value x, const void *context, int index)
{
    const neox_config *c = context;
    bool last = index == c->num_hidden_layers - 1;
    x = am_add(b, x, attention(b, am_layer_norm(b, "input_layernorm", x, c->layer_norm_eps), c, last));
    return am_add(b, x, mlp(b, am_layer_norm(b, "post_attention_layernorm", x, c->layer_norm_eps), c));
}

static am_value body(am_builder *b, const char *prefix)
{
    neox_config c = read_config(b);
    am_scope(b, "%s", prefix);
    am_value x = am_causal_words(b, "embed_in", c.hidden_size);
    c.tables = am_rope_tables(b, &c.rope, am_dim(b, x, 1));
    x = am_causal_layers(b, "layers", c.num_hidden_layers, x, layer, &c);
    x = am_causal_final_norm(b, "final_layer_norm", x, c.layer_norm_eps, c.num_hidden_layers);
    am_end_scope(b);
    return x;
}

static const am_architecture architectures[] = {
    {"GPTNeoXJapaneseModel", am_causal_model, "feature-extraction", 0},
    {"GPTNeoXJapaneseForCausalLM", am_causal_for_causal_lm, "text-generation", AM_GENERATES},
    {0},
};

static const am_causal_family family = {.body = body,
                                        .vocab_size = 32000,
                                        .prefix = "gpt_neox_japanese",
                                        .embedding = "gpt_neox_japanese.embed_in.weight",
                                        .head = "embed_out"};

const am_model_type am_model_gpt_neox_japanese = {
    .name = "gpt_neox_japanese", .base_prefix = "gpt_neox_japanese", .architectures = architectures, .family = &family};
