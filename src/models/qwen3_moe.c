/* Qwen3 MoE: Qwen3 with a mixture of experts in place of the MLP in most layers.
   transformers: models/qwen3_moe/modeling_qwen3_moe.py */
#include "models/blocks/decoder.h"
#include "models/blocks/experts.h"

static am_value mixture(am_builder *b, am_value x, const am_decoder_layer *layer)
{
    const am_config *c = am_model_config(b);
    int64_t experts = am_config_count(c, am_config_either(c, "num_experts", "num_local_experts"), 128);
    if (experts == 0 || !am_is_sparse_layer(c, layer->index)) return am_decoder_mlp(b, x, layer);
    am_mixture_options options = {
        .experts = {.count = experts,
                    .intermediate_size = am_config_size(c, "moe_intermediate_size", 768),
                    .activation = layer->options->hidden_act},
        .routing = {.top_k = am_config_size(c, "num_experts_per_tok", 8),
                    .normalize = am_config_flag(c, "norm_topk_prob", false)},
    };
    return am_mixture(b, x, &options);
}

static void adapt(const am_config *c, am_decoder_options *o)
{
    o->qk_norm = AM_QK_NORM_HEAD;
    o->qkv_bias = o->out_bias = am_config_flag(c, "attention_bias", false);
    o->mlp = mixture;
    if (!am_config_flag(c, "use_sliding_window", false)) return;
    o->sliding_window = am_decoder_size_or_none(c, "sliding_window", 4096);
    for (int i = 0; o->sliding_window && i < o->num_hidden_layers; i++) o->sliding[i] = true;
}

static const am_architecture architectures[] = {
    {"Qwen3MoeModel", am_decoder_model, "feature-extraction", 0},
    {"Qwen3MoeForCausalLM", am_decoder_for_causal_lm, "text-generation", AM_GENERATES},
    {"Qwen3MoeForSequenceClassification", am_decoder_for_sequence_classification, "text-classification", 0},
    {"Qwen3MoeForTokenClassification", am_decoder_for_token_classification, "token-classification", 0},
    {"Qwen3MoeForQuestionAnswering", am_decoder_for_question_answering, "question-answering", 0},
    {0},
};

static const am_decoder_family family = {
    .defaults = {.vocab_size = 151936,
                 .hidden_size = 2048,
                 .intermediate_size = 6144,
                 .num_hidden_layers = 24,
                 .num_key_value_heads = 4,
                 .max_position_embeddings = 32768},
    .adapt = adapt,
    .question_answering_prefix = "transformer",
};

const am_model_type am_model_qwen3_moe = {
    .name = "qwen3_moe", .base_prefix = "model", .architectures = architectures, .family = &family};
