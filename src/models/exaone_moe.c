/* K-EXAONE: LLaMA with an RMSNorm on each query and key head, windows before most layers, of which the others have no
   positions, and after the first layers DeepSeek's mixture of experts. transformers:
   models/exaone_moe/modeling_exaone_moe.py */
#include "models/blocks/decoder.h"
#include "models/blocks/experts.h"

#include <string.h>

static bool is_sparse(const am_config *c, int layer)
{
    if (!am_config_has(c, "mlp_layer_types")) return layer >= am_config_int(c, "first_k_dense_replace", 1);
    const char *type = am_config_list_text(c, "mlp_layer_types", layer);
    if (!type) am_config_fail(c, "mlp_layer_types", "layer %d has no type", layer);
    return type && strcmp(type, "sparse") == 0;
}

static am_value mixture(am_builder *b, am_value x, const am_decoder_layer *layer)
{
    static const am_deepseek_fields fields = {.experts = "num_experts",
                                              .experts_alias = "num_experts",
                                              .shared = "num_shared_experts",
                                              .count = 64,
                                              .intermediate_size = 1024,
                                              .top_k = 8,
                                              .groups = 1,
                                              .group_top_k = 1,
                                              .scale = 2.5,
                                              .bias_beside_gate = true};
    if (!is_sparse(layer->options->config, layer->index)) return am_decoder_mlp(b, x, layer);
    return am_deepseek_mixture_of(b, x, layer->options->hidden_act, &fields);
}

static void adapt(const am_config *c, am_decoder_options *o)
{
    o->qk_norm = AM_QK_NORM_HEAD;
    o->attention = am_decoder_windowed_positions;
    o->mlp = mixture;
    o->sliding_window = am_decoder_size_or_none(c, "sliding_window", 4096);
    if (o->sliding_window) am_decoder_read_sliding(c, o, 0, am_config_size(c, "sliding_window_pattern", 4));
}

static const am_architecture architectures[] = {
    {"ExaoneMoeModel", am_decoder_model, "feature-extraction", 0},
    {"ExaoneMoeForCausalLM", am_decoder_for_causal_lm, "text-generation", AM_GENERATES},
    {0},
};

static const am_decoder_family family = {
    .defaults = {.vocab_size = 102400,
                 .intermediate_size = 16384,
                 .num_key_value_heads = 32,
                 .rms_norm_eps = 1e-5,
                 .whole_heads = true,
                 .has_pad_token = true},
    .adapt = adapt,
};

const am_model_type am_model_exaone_moe = {
    .name = "exaone_moe", .base_prefix = "model", .architectures = architectures, .family = &family};
