/* Cohere Command R: attention and MLP read the same LayerNorm (without bias) and are added together; pairs that stand
   side by side are rotated; query and key heads may have LayerNorms; logits are scaled. transformers:
   models/cohere/modeling_cohere.py */
#include "models/blocks/decoder.h"

/* x: [B, T, H, D], a weight for each number of all heads. */
static am_value norm_heads(am_builder *b, const char *name, am_value x, double eps)
{
    const am_norm_attributes options = {.kind = AM_NORM_LAYER, .eps = eps};
    am_scope(b, "%s", name);
    am_value weight = am_weight(b, "weight", am_shape_of(am_dim(b, x, 2), am_dim(b, x, 3)));
    am_end_scope(b);
    return am_mul(b, am_norm_op(b, x, AM_NONE, AM_NONE, AM_NONE, AM_NONE, &options), weight);
}

static am_value attention(am_builder *b, am_value x, const am_decoder_layer *layer)
{
    const am_decoder_options *o = layer->options;
    const am_rope *rope = layer->attention->rope;
    am_attention_options options = *layer->attention;
    am_value qkv[3];
    if (!am_config_flag(o->config, "use_qk_norm", false)) return am_self_attention(b, x, &options);
    options.rope = NULL;
    am_attention_heads(b, x, &options, qkv);
    am_value q = am_rope_apply(b, rope, norm_heads(b, "q_norm", qkv[0], o->rms_norm_eps)),
             k = am_rope_apply(b, rope, norm_heads(b, "k_norm", qkv[1], o->rms_norm_eps));
    x = am_attend(b, q, k, qkv[2], &options);
    return am_linear(b, "o_proj", x, o->hidden_size, o->out_bias ? AM_BIAS : AM_NO_BIAS);
}

static void adapt(const am_config *c, am_decoder_options *o)
{
    o->rms_norm_eps = am_config_real(c, "layer_norm_eps", 1e-5);
    o->qkv_bias = o->out_bias = am_config_flag(c, "attention_bias", false);
    o->parallel = true;
    o->norm = am_decoder_layer_norm_no_bias;
    o->rotary_interleaved = true;
    o->attention = attention;
    o->logits_multiplier = am_config_real(c, "logit_scale", 0.0625);
}

static const am_architecture architectures[] = {
    {"CohereModel", am_decoder_model, "feature-extraction", 0},
    {"CohereForCausalLM", am_decoder_for_causal_lm, "text-generation", AM_GENERATES},
    {0},
};

static const am_decoder_family family = {
    .defaults = {.vocab_size = 256000,
                 .hidden_size = 8192,
                 .intermediate_size = 22528,
                 .num_hidden_layers = 40,
                 .num_attention_heads = 64,
                 .max_position_embeddings = 8192,
                 .rope_theta = 500000,
                 .whole_heads = true,
                 .tied = true,
                 .has_pad_token = true},
    .adapt = adapt,
};

const am_model_type am_model_cohere = {
    .name = "cohere", .base_prefix = "model", .architectures = architectures, .family = &family};
