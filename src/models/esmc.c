/* ESM C: LLaMA that looks both ways over proteins, with LayerNorms, also over all query and all key heads, and parts
   divided by how deep the model is. transformers: models/esmc/modeling_esmc.py */
#include "models/blocks/decoder.h"
#include "models/blocks/heads.h"

#include <math.h>
#include <string.h>

static const double EPS = 1e-5;

/* The last norm has no bias. */
static am_value norm(am_builder *b, const char *name, am_value x, const am_decoder_options *o)
{
    (void)o;
    return strcmp(name, "norm") == 0 ? am_layer_norm_no_bias(b, name, x, EPS) : am_layer_norm(b, name, x, EPS);
}

/* Chains that sequence_id tells apart do not see one another, and attention_mask is then not looked at. */
static am_value chain_mask(am_builder *b, am_value fallback)
{
    am_value ids = am_input_optional(b, "sequence_id", 2);
    if (!ids.id) return fallback;
    am_value queries = am_unsqueeze(b, am_unsqueeze(b, ids, 1), 3), keys = am_unsqueeze(b, am_unsqueeze(b, ids, 1), 1);
    return am_binary(b, AM_EQUAL, queries, keys);
}

static am_value attention(am_builder *b, am_value x, const am_decoder_layer *layer)
{
    const am_decoder_options *o = layer->options;
    am_attention_options options = *layer->attention;
    int64_t H = options.heads, width = H * options.head_dim;
    int bias = o->qkv_bias ? AM_BIAS : AM_NO_BIAS;
    am_value q = am_layer_norm_no_bias(b, "q_norm", am_linear(b, "q_proj", x, width, bias), EPS),
             k = am_layer_norm_no_bias(b, "k_norm", am_linear(b, "k_proj", x, width, bias), EPS),
             v = am_split_heads(b, am_linear(b, "v_proj", x, width, bias), H);
    q = am_rope_apply(b, options.rope, am_split_heads(b, q, H));
    k = am_rope_apply(b, options.rope, am_split_heads(b, k, H));
    options.mask = chain_mask(b, options.mask);
    return am_linear(b, "o_proj", am_attend(b, q, k, v, &options), o->hidden_size, bias);
}

static void adapt(const am_config *c, am_decoder_options *o)
{
    o->causal = false;
    o->qkv_bias = o->out_bias = am_config_flag(c, "attention_bias", false);
    o->mlp_bias = am_config_flag(c, "mlp_bias", false);
    o->residual_multiplier = o->num_hidden_layers ? 1 / sqrt((double)o->num_hidden_layers / 36) : 1;
    o->norm = norm;
    o->attention = attention;
    if (o->num_key_value_heads != o->num_attention_heads)
        am_config_fail(c, "num_key_value_heads", "expected %lld, found %lld", (long long)o->num_attention_heads,
                       (long long)o->num_key_value_heads);
}

static am_value body(am_builder *b, am_decoder_options *o)
{
    *o = am_decoder_options_read(am_model_config(b), am_model_family(b));
    return am_decoder_body(b, o, "esmc");
}

static void for_masked_lm(am_builder *b)
{
    am_decoder_options o;
    am_value x = body(b, &o);
    am_scope(b, "lm_head");
    x = am_linear_activation(b, "dense", x, o.hidden_size, AM_BIAS, AM_GELU);
    x = am_linear(b, "decoder", am_layer_norm(b, "layer_norm", x, EPS), o.vocab_size, AM_BIAS);
    am_end_scope(b);
    am_output(b, "logits", x);
}

static void for_sequence_classification(am_builder *b)
{
    am_decoder_options o;
    am_value x = am_index(b, body(b, &o), 1, 0);
    am_output(b, "logits", am_classification_head(b, "classifier", x, o.labels, AM_TANH));
}

static void for_token_classification(am_builder *b)
{
    am_decoder_options o;
    am_value x = body(b, &o);
    am_generic_token_classification(b, "score", x, o.labels);
}

static const am_architecture architectures[] = {
    {"EsmcModel", am_decoder_model, "feature-extraction", 0},
    {"EsmcForMaskedLM", for_masked_lm, "fill-mask", 0},
    {"EsmcForSequenceClassification", for_sequence_classification, "text-classification", 0},
    {"EsmcForTokenClassification", for_token_classification, "token-classification", 0},
    {0},
};

static const am_decoder_family family = {
    .defaults = {.vocab_size = 64,
                 .hidden_size = 2560,
                 .intermediate_size = 6912,
                 .num_hidden_layers = 80,
                 .num_attention_heads = 40,
                 .whole_heads = true,
                 .has_pad_token = true,
                 .pad_token_id = 1},
    .adapt = adapt,
};

const am_model_type am_model_esmc = {
    .name = "esmc", .base_prefix = "esmc", .architectures = architectures, .family = &family};
