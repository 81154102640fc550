/* CodeGen: the decoder of blocks/gptj.h with one projection, laid out for four accelerators: a quarter of the query
   heads, the same quarter of the values, then of the keys. transformers: models/codegen/modeling_codegen.py */
#include "models/blocks/gptj.h"

enum { PARTS = 4 };

/* Heads of every part's third `index` of qkv: [B, T, PARTS, 3 * C / PARTS]: [B, T, H, D]. */
static am_value heads_of(am_builder *b, am_value qkv, int64_t index, int64_t heads)
{
    int64_t width = am_dim(b, qkv, 3) / 3;
    return am_split_heads(b, am_flatten(b, am_slice(b, qkv, 3, index * width, (index + 1) * width), 2, 3), heads);
}

static am_value attention(am_builder *b, am_value x, const am_attention_options *options)
{
    int64_t C = am_dim(b, x, 2), heads = options->heads;
    am_config_check_divides(am_model_config(b), "4", PARTS, "n_head", heads);
    am_value qkv = am_split_heads(b, am_linear(b, "qkv_proj", x, 3 * C, AM_NO_BIAS), PARTS);
    am_value q = am_rope_apply(b, options->rope, heads_of(b, qkv, 0, heads)), v = heads_of(b, qkv, 1, heads),
             k = am_rope_apply(b, options->rope, heads_of(b, qkv, 2, heads));
    return am_linear(b, "out_proj", am_attend(b, q, k, v, options), C, AM_NO_BIAS);
}

static am_value body(am_builder *b, const char *prefix)
{
    return am_gptj_body(b, prefix, attention);
}

static const am_architecture architectures[] = {
    {"CodeGenModel", am_causal_model, "feature-extraction", 0},
    {"CodeGenForCausalLM", am_causal_for_causal_lm, "text-generation", AM_GENERATES},
    {0},
};

static const am_causal_family family = {
    .body = body, .vocab_size = 50400, .untied = true, .embedding = "transformer.wte.weight", .head_bias = true};

const am_model_type am_model_codegen = {
    .name = "codegen", .base_prefix = "transformer", .architectures = architectures, .family = &family};
