/* Nemotron: LLaMA with LayerNorms that multiply by 1 + weight, an MLP of two projections that squares what relu leaves,
   and a part of each head rotated. transformers: models/nemotron/modeling_nemotron.py */
#include "models/blocks/decoder.h"

static am_value norm(am_builder *b, const char *name, am_value x, const am_decoder_options *o)
{
    const am_norm_attributes options = {.kind = AM_NORM_LAYER, .eps = o->rms_norm_eps, .weight_offset = 1};
    am_scope(b, "%s", name);
    am_value weight = am_weight(b, "weight", am_shape_of(o->hidden_size)),
             bias = am_weight(b, "bias", am_shape_of(o->hidden_size));
    am_end_scope(b);
    return am_norm_op(b, x, weight, bias, AM_NONE, AM_NONE, &options);
}

static void adapt(const am_config *c, am_decoder_options *o)
{
    o->hidden_act = am_config_activation(c, "hidden_act", AM_RELU2);
    o->rms_norm_eps = am_config_real(c, "norm_eps", 1e-5);
    o->norm = norm;
    o->qkv_bias = o->out_bias = am_config_flag(c, "attention_bias", false);
    o->mlp_bias = am_config_flag(c, "mlp_bias", false);
    o->mlp = am_decoder_plain_mlp;
}

static const am_architecture architectures[] = {
    {"NemotronModel", am_decoder_model, "feature-extraction", 0},
    {"NemotronForCausalLM", am_decoder_for_causal_lm, "text-generation", AM_GENERATES},
    {"NemotronForSequenceClassification", am_decoder_for_sequence_classification, "text-classification", 0},
    {"NemotronForTokenClassification", am_decoder_for_token_classification, "token-classification", 0},
    {"NemotronForQuestionAnswering", am_decoder_for_question_answering, "question-answering", 0},
    {0},
};

static const am_decoder_family family = {
    .defaults = {.vocab_size = 256000,
                 .hidden_size = 6144,
                 .intermediate_size = 24576,
                 .num_attention_heads = 48,
                 .max_position_embeddings = 4096,
                 .partial_rotary_factor = 0.5},
    .adapt = adapt,
    .question_answering_prefix = "transformer",
};

const am_model_type am_model_nemotron = {
    .name = "nemotron", .base_prefix = "model", .architectures = architectures, .family = &family};
