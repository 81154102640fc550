/* What says the further codes of a frame that Qwen3-Omni's talker has said the first one of: Qwen3's layers, with a
   table and a head for each code. transformers: models/qwen3_omni_moe/modeling_qwen3_omni_moe.py */
#include "models/blocks/decoder.h"
#include "models/blocks/layers.h"

#include <inttypes.h>
#include <stdio.h>

static void adapt(const am_config *c, am_decoder_options *o)
{
    o->qk_norm = AM_QK_NORM_HEAD;
    o->qkv_bias = o->out_bias = am_config_flag(c, "attention_bias", false);
    o->sliding_window = am_decoder_size_or_none(c, "sliding_window", 0);
    if (o->sliding_window) am_decoder_read_sliding(c, o, am_config_int(c, "max_window_layers", 28), 0);
    for (int i = 0; i < AM_LAYERS_LIMIT && i < o->num_hidden_layers && o->sliding_window; i++)
        if (o->sliding[i]) am_config_fail(c, "layer_types", "expected \"full_attention\" only");
    o->sliding_window = 0;
}

static void predictor_model(am_builder *b)
{
    if (am_has_input(b, "input_ids"))
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT, "input_ids are given, expected inputs_embeds"));
    am_decoder_model(b);
}

static void for_conditional_generation(am_builder *b)
{
    const am_config *c = am_model_config(b);
    am_value x = am_input_optional(b, "inputs_embeds", 3);
    int64_t groups = am_config_size(c, "num_code_groups", 32), width = am_config_size(c, "hidden_size", 1024);
    int64_t vocab_size = am_config_size(c, "vocab_size", 2048);
    bool first = x.id && am_dim(b, x, 1) > 1; /* the state, the first code, and perhaps further ones */
    int64_t step = first ? am_dim(b, x, 1) - 2 : am_model_argument(b, "generation_steps", -1);
    char name[48];
    if (step < (first ? 0 : 1) || step > groups - 2) {
        am_builder_fail(
            b, am_error(AM_INVALID_ARGUMENT, "generation_steps is %" PRId64 " of %" PRId64 " codes", step, groups - 1));
        return;
    }
    snprintf(name, sizeof name, "model.codec_embedding.%d", (int)step - 1);
    if (!first) x = am_embedding(b, name, am_input(b, "input_ids", 2), vocab_size, width);
    am_part_input inputs[] = {{.name = "inputs_embeds", .value = x},
                              {.name = "attention_mask", .whole = "attention_mask"},
                              {.name = "position_ids", .whole = "position_ids"},
                              {.name = "input_ids"}};
    am_part part = {
        .class_name = "Qwen3OmniMoeTalkerCodePredictorModel", .config = c, .inputs = inputs, .input_count = 4};
    am_scope(b, "model");
    am_part_outputs outputs = am_build_part(b, &part);
    am_end_scope(b);
    snprintf(name, sizeof name, "lm_head.%d", (int)step);
    x = am_part_output(&outputs, "last_hidden_state");
    am_output(b, "logits", am_linear(b, name, x, vocab_size, AM_NO_BIAS));
    if (am_wants_hidden_states(b)) am_output_part_list(b, &outputs, "hidden_states", "hidden_states");
}

static const am_architecture architectures[] = {
    {"Qwen3OmniMoeTalkerCodePredictorModel", predictor_model, "feature-extraction", 0},
    {"Qwen3OmniMoeTalkerCodePredictorModelForConditionalGeneration", for_conditional_generation, NULL, 0},
    {0},
};

static const am_decoder_family family = {
    .defaults = {.vocab_size = 2048,
                 .hidden_size = 1024,
                 .intermediate_size = 3072,
                 .num_hidden_layers = 5,
                 .num_attention_heads = 16,
                 .num_key_value_heads = 8,
                 .head_dim = 128,
                 .max_position_embeddings = 32768,
                 .whole_heads = true},
    .adapt = adapt,
};

const am_model_type am_model_qwen3_omni_moe_talker_code_predictor = {.name = "qwen3_omni_moe_talker_code_predictor",
                                                                     .base_prefix = "talker.code_predictor",
                                                                     .architectures = architectures,
                                                                     .family = &family};
