#include "models/blocks/glm_moe.h"

#include "models/blocks/experts.h"

am_value am_glm_mixture(am_builder *b, am_value x, const am_decoder_layer *layer)
{
    static const am_deepseek_fields fields = {.experts = "n_routed_experts",
                                              .experts_alias = "num_local_experts",
                                              .shared = "n_shared_experts",
                                              .count = 128,
                                              .intermediate_size = 1408,
                                              .top_k = 8,
                                              .groups = 1,
                                              .group_top_k = 1,
                                              .scale = 1};
    if (layer->index < am_config_int(layer->options->config, "first_k_dense_replace", 1))
        return am_decoder_mlp(b, x, layer);
    return am_deepseek_mixture_of(b, x, layer->options->hidden_act, &fields);
}
