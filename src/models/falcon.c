/* Falcon: one projection holds the queries of each key/value head with its key and its value; rotary positions or
   ALiBi. Three layouts of a layer: attention and MLP in parallel on one norm (7B), in parallel on a norm each
   (new_decoder_architecture), or one after the other. transformers: models/falcon/modeling_falcon.py */
#include "models/blocks/alibi.h"
#include "models/blocks/attention.h"
#include "models/blocks/causal.h"

#include <math.h>

typedef struct falcon {
    int64_t hidden_size, num_hidden_layers, ffn_hidden_size;
    double layer_norm_epsilon;
    am_unary_fn activation;
    bool alibi, parallel_attn, two_norms;
    int bias;
    am_attention_options attention;
} falcon;

/* Key/value heads: given in the new architecture, else one, or as many as queries. */
static int64_t read_kv_heads(const am_config *c, int64_t heads)
{
    int64_t given = am_config_size(c, "num_kv_heads", heads);
    if (am_config_flag(c, "new_decoder_architecture", false)) {
        am_config_check_divides(c, "num_kv_heads", given, "num_attention_heads", heads);
        return given;
    }
    if (am_config_flag(c, "multi_query", true)) return 1;
    if (given != heads)
        am_config_fail(c, "num_kv_heads", "expected num_attention_heads (%lld) without multi_query, found %lld",
                       (long long)heads, (long long)given);
    return heads;
}

static bool read_two_norms(const am_config *c, const falcon *f)
{
    bool renewed = am_config_flag(c, "new_decoder_architecture", false);
    int64_t norms = am_config_size(c, "num_ln_in_parallel_attn", renewed ? 2 : 1);
    if (renewed && !f->parallel_attn)
        am_config_fail(c, "parallel_attn", "false is not supported with new_decoder_architecture");
    if (f->parallel_attn && norms != 1 && !(renewed && norms == 2))
        am_config_fail(c, "num_ln_in_parallel_attn", "%lld norms are not supported", (long long)norms);
    return renewed && norms == 2;
}

static falcon read_config(am_builder *b)
{
    const am_config *c = am_model_config(b);
    int64_t heads = am_config_size(c, "num_attention_heads", 71);
    falcon f = {.hidden_size = am_config_size(c, am_config_either(c, "hidden_size", "n_embed"), 4544),
                .num_hidden_layers = am_config_count(c, "num_hidden_layers", 32),
                .layer_norm_epsilon = am_config_real(c, "layer_norm_epsilon", 1e-5),
                .activation = am_config_activation(c, "activation", AM_GELU),
                .alibi = am_config_flag(c, "alibi", false),
                .parallel_attn = am_config_flag(c, "parallel_attn", true),
                .bias = am_config_flag(c, "bias", false) ? AM_BIAS : AM_NO_BIAS};
    f.ffn_hidden_size = am_config_size(c, "ffn_hidden_size", 4 * f.hidden_size);
    f.two_norms = read_two_norms(c, &f);
    f.attention = (am_attention_options){.heads = heads,
                                         .kv_heads = read_kv_heads(c, heads),
                                         .qkv = "query_key_value",
                                         .qkv_by_group = true,
                                         .out = "dense",
                                         .no_q_bias = !f.bias,
                                         .no_out_bias = !f.bias,
                                         .causal = am_config_flag(c, "is_causal", true),
                                         .mask = am_padding_mask(b, "attention_mask")};
    am_config_check_divides(c, "num_attention_heads", heads, "hidden_size", f.hidden_size);
    return f;
}

static am_value to_bf16_and_back(am_builder *b, am_value x)
{
    return am_cast(b, am_cast(b, x, AM_BF16), AM_F32);
}

/* Slopes and their products are rounded to bfloat16, whatever the dtype of the model. The class's own attention adds
   them twice, to the scores and in the mask, both over sqrt(D). */
static am_value alibi(am_builder *b, const falcon *f, int64_t T)
{
    int64_t heads = f->attention.heads;
    am_value bias = am_mul(b, to_bf16_and_back(b, am_alibi_slopes(b, heads)), am_attended_key_positions(b, T));
    return am_mul_number(b, to_bf16_and_back(b, bias), 2 / sqrt((double)(f->hidden_size / heads)));
}

static am_value attention(am_builder *b, am_value x, const falcon *f)
{
    am_scope(b, "self_attention");
    x = am_self_attention(b, x, &f->attention);
    am_end_scope(b);
    return x;
}

static am_value mlp(am_builder *b, am_value x, const falcon *f)
{
    am_scope(b, "mlp");
    x = am_linear_activation(b, "dense_h_to_4h", x, f->ffn_hidden_size, f->bias, f->activation);
    x = am_linear(b, "dense_4h_to_h", x, f->hidden_size, f->bias);
    am_end_scope(b);
    return x;
}

static am_value layer(am_builder *b, am_value x, const void *context, int index)
{
    const falcon *f = context;
    double eps = f->layer_norm_epsilon;
    (void)index;
    am_value read = am_layer_norm(b, f->two_norms ? "ln_attn" : "input_layernorm", x, eps), h = attention(b, read, f);
    if (!f->parallel_attn) {
        x = am_add(b, x, h);
        return am_add(b, x, mlp(b, am_layer_norm(b, "post_attention_layernorm", x, eps), f));
    }
    if (f->two_norms) read = am_layer_norm(b, "ln_mlp", x, eps);
    return am_add(b, x, am_add(b, mlp(b, read, f), h));
}

static am_value body(am_builder *b, const char *prefix)
{
    falcon f = read_config(b);
    int64_t heads = f.attention.heads;
    const am_rope_fields fields = {.whole_heads = true};
    am_rope_config rotary =
        am_rope_config_read_fields(am_model_config(b), &fields, f.hidden_size / (heads ? heads : 1), 10000, 1, 2048);
    am_rope rope;
    am_scope(b, "%s", prefix);
    am_value x = am_causal_words(b, "word_embeddings", f.hidden_size);
    if (f.alibi) {
        f.attention.bias = alibi(b, &f, am_dim(b, x, 1));
    } else {
        rope = am_rope_tables(b, &rotary, am_dim(b, x, 1));
        f.attention.rope = &rope;
    }
    x = am_causal_layers(b, "h", f.num_hidden_layers, x, layer, &f);
    x = am_causal_final_norm(b, "ln_f", x, f.layer_norm_epsilon, f.num_hidden_layers);
    am_end_scope(b);
    return x;
}

static const am_architecture architectures[] = {
    {"FalconModel", am_causal_model, "feature-extraction", 0},
    {"FalconForCausalLM", am_causal_for_causal_lm, "text-generation", AM_GENERATES},
    {"FalconForSequenceClassification", am_causal_for_sequence_classification, "text-classification", 0},
    {"FalconForTokenClassification", am_causal_for_token_classification, "token-classification", 0},
    {"FalconForQuestionAnswering", am_causal_for_question_answering, "question-answering", 0},
    {0},
};

static const am_causal_family family = {
    .body = body, .vocab_size = 65024, .embedding = "transformer.word_embeddings.weight"};

const am_model_type am_model_falcon = {
    .name = "falcon", .base_prefix = "transformer", .architectures = architectures, .family = &family};
