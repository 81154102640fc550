/* Mistral 4: multi-head latent attention whose queries are scaled by how far they stand, and experts chosen within the
   best groups by softmax scores, beside shared experts that answer always.
   transformers: models/mistral4/modeling_mistral4.py */
#include "models/blocks/experts.h"
#include "models/blocks/latent_attention.h"

#include <math.h>

static const am_latent_defaults defaults = {.q_lora_rank = 1024,
                                            .kv_lora_rank = 256,
                                            .nope_dim = 64,
                                            .rope_dim = 64,
                                            .v_dim = 128,
                                            .whole_head = true,
                                            .max_position_embeddings = 1048576};

/* What the rotation is where nothing is said. */
static const am_rope_yarn yarn = {.theta = 10000, .factor = 128, .original_positions = 8192};

static am_latent_attention read_attention(const am_config *c, am_decoder_options *o)
{
    am_latent_attention a = am_latent_attention_of(c, o, &defaults);
    am_config p = am_config_child(c, "rope_parameters");
    a.reach_beta = am_config_real(&p, "llama_4_scaling_beta", 0.1);
    a.reach_length = am_config_size(&p, "original_max_position_embeddings", yarn.original_positions);
    if (!am_config_has(c, "rope_parameters") && !am_config_has(c, "rope_scaling")) {
        double mscale = 0.1 * log(yarn.factor) + 1;
        o->rope = am_rope_config_yarn(c, a.rope_dim, &yarn, o->rope.max_positions);
        a.scale *= mscale * mscale;
    }
    return a;
}

static am_value attention(am_builder *b, am_value x, const am_decoder_layer *layer)
{
    am_decoder_options options = *layer->options;
    am_latent_attention a = read_attention(options.config, &options);
    return am_latent_attend(b, x, am_latent_query(b, x, &a), &a, layer->attention);
}

static am_value mixture(am_builder *b, am_value x, const am_decoder_layer *layer)
{
    static const am_deepseek_fields fields = {.experts = "n_routed_experts",
                                              .experts_alias = "num_local_experts",
                                              .shared = "n_shared_experts",
                                              .count = 128,
                                              .intermediate_size = 2048,
                                              .top_k = 4,
                                              .groups = 1,
                                              .group_top_k = 1,
                                              .scale = 1,
                                              .softmax = true,
                                              .packed = true};
    if (layer->index < am_config_int(layer->options->config, "first_k_dense_replace", 0))
        return am_decoder_mlp(b, x, layer);
    return am_deepseek_mixture_of(b, x, layer->options->hidden_act, &fields);
}

static void adapt(const am_config *c, am_decoder_options *o)
{
    read_attention(c, o);
    o->rotary_interleaved = am_config_flag(c, "rope_interleave", true);
    o->attention = attention;
    o->mlp = mixture;
}

static const am_architecture architectures[] = {
    {"Mistral4Model", am_decoder_model, "feature-extraction", 0},
    {"Mistral4ForCausalLM", am_decoder_for_causal_lm, "text-generation", AM_GENERATES},
    {"Mistral4ForSequenceClassification", am_decoder_for_sequence_classification, "text-classification", 0},
    {"Mistral4ForTokenClassification", am_decoder_for_token_classification, "token-classification", 0},
    {0},
};

static const am_decoder_family family = {
    .defaults = {.vocab_size = 131072,
                 .intermediate_size = 12288,
                 .num_hidden_layers = 36,
                 .head_dim = 128,
                 .max_position_embeddings = 1048576,
                 .has_pad_token = true,
                 .pad_token_id = 11},
    .adapt = adapt,
};

const am_model_type am_model_mistral4 = {
    .name = "mistral4", .base_prefix = "model", .architectures = architectures, .family = &family};
