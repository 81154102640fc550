/* HunYuan MoE: HunYuan with a mixture of experts in place of the MLP, and an MLP for all tokens beside them.
   transformers: models/hunyuan_v1_moe/modeling_hunyuan_v1_moe.py */
#include "models/blocks/experts.h"
#include "models/blocks/hunyuan.h"

/* How many experts answer: a number, or a list of one a layer. */
static int64_t top_k(const am_config *c, int layer)
{
    int64_t list[AM_LAYERS_LIMIT];
    const char *key = am_config_either(c, "moe_topk", "num_experts_per_tok");
    if (am_json_kind_of(am_json_get(c->object, key)) != AM_JSON_ARRAY) return am_config_size(c, key, 1);
    int count = am_config_sizes(c, key, list, AM_LAYERS_LIMIT, NULL, 0);
    if (layer >= count) am_config_fail(c, key, "layer %d has no number", layer);
    return layer < count ? list[layer] : 1;
}

static am_value mixture(am_builder *b, am_value x, const am_decoder_layer *layer)
{
    const am_decoder_options *o = layer->options;
    am_mixture_options options = {
        .experts = {.count =
                        am_config_size(o->config, am_config_either(o->config, "num_experts", "num_local_experts"), 1),
                    .intermediate_size = o->intermediate_size,
                    .activation = o->hidden_act},
        .routing = {.top_k = top_k(o->config, layer->index), .normalize = true},
        .router = "gate.wg",
    };
    am_value routed = am_mixture(b, x, &options);
    am_scope(b, "shared_mlp");
    am_value shared = am_gated_mlp(b, x, o->intermediate_size, o->hidden_act, AM_NO_BIAS);
    am_end_scope(b);
    return am_add(b, routed, shared);
}

static void adapt(const am_config *c, am_decoder_options *o)
{
    am_hunyuan_adapt(c, o);
    o->mlp = mixture;
}

static const am_architecture architectures[] = {
    {"HunYuanMoEV1Model", am_decoder_model, "feature-extraction", 0},
    {"HunYuanMoEV1ForCausalLM", am_decoder_for_causal_lm, "text-generation", AM_GENERATES},
    {"HunYuanMoEV1ForSequenceClassification", am_decoder_for_sequence_classification, "text-classification", 0},
    {0},
};

static const am_decoder_family family = {
    .defaults = {.vocab_size = 290943, .rms_norm_eps = 1e-5, .whole_heads = true, .has_pad_token = true},
    .adapt = adapt,
};

const am_model_type am_model_hunyuan_v1_moe = {
    .name = "hunyuan_v1_moe", .base_prefix = "model", .architectures = architectures, .family = &family};
