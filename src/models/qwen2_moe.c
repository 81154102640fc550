/* Qwen2 MoE: Qwen2 with a mixture of experts in place of the MLP in most layers, and an expert for all tokens beside
   them, weighed by a gate. transformers: models/qwen2_moe/modeling_qwen2_moe.py */
#include "models/blocks/decoder.h"
#include "models/blocks/experts.h"

static am_value mixture(am_builder *b, am_value x, const am_decoder_layer *layer)
{
    const am_config *c = am_model_config(b);
    am_unary_fn activation = layer->options->hidden_act;
    int64_t experts = am_config_count(c, am_config_either(c, "num_experts", "num_local_experts"), 60);
    if (experts == 0 || !am_is_sparse_layer(c, layer->index)) return am_decoder_mlp(b, x, layer);
    am_mixture_options options = {
        .experts = {.count = experts,
                    .intermediate_size = am_config_size(c, "moe_intermediate_size", 1408),
                    .activation = activation},
        .routing = {.top_k = am_config_size(c, "num_experts_per_tok", 4),
                    .normalize = am_config_flag(c, "norm_topk_prob", false)},
    };
    am_value routed = am_mixture(b, x, &options);
    return am_add(b, routed,
                  am_shared_expert(b, x, am_config_size(c, "shared_expert_intermediate_size", 5632), activation));
}

/* Where layer_types are absent, every other of the first max_window_layers. */
static void read_sliding(const am_config *c, am_decoder_options *o)
{
    int64_t most = am_config_int(c, "max_window_layers", 28);
    o->sliding_window = am_decoder_size_or_none(c, "sliding_window", 4096);
    if (am_config_has(c, "layer_types")) am_decoder_read_sliding(c, o, 0, 0);
    else
        for (int i = 0; i < AM_LAYERS_LIMIT; i++) o->sliding[i] = i % 2 == 0 && i < most;
}

static void adapt(const am_config *c, am_decoder_options *o)
{
    o->qkv_bias = am_config_flag(c, "qkv_bias", true);
    o->mlp = mixture;
    if (am_config_flag(c, "use_sliding_window", false)) read_sliding(c, o);
}

static const am_architecture architectures[] = {
    {"Qwen2MoeModel", am_decoder_model, "feature-extraction", 0},
    {"Qwen2MoeForCausalLM", am_decoder_for_causal_lm, "text-generation", AM_GENERATES},
    {"Qwen2MoeForSequenceClassification", am_decoder_for_sequence_classification, "text-classification", 0},
    {"Qwen2MoeForTokenClassification", am_decoder_for_token_classification, "token-classification", 0},
    {"Qwen2MoeForQuestionAnswering", am_decoder_for_question_answering, "question-answering", 0},
    {0},
};

static const am_decoder_family family = {
    .defaults = {.vocab_size = 151936,
                 .hidden_size = 2048,
                 .intermediate_size = 5632,
                 .num_hidden_layers = 24,
                 .num_attention_heads = 16,
                 .num_key_value_heads = 16,
                 .max_position_embeddings = 32768,
                 .whole_heads = true},
    .adapt = adapt,
};

const am_model_type am_model_qwen2_moe = {
    .name = "qwen2_moe", .base_prefix = "model", .architectures = architectures, .family = &family};
