/* Phi-3: LLaMA with q, k and v in one projection and gate and up in another; longrope switches its frequencies beyond
   the original context. transformers: models/phi3/modeling_phi3.py */
#include "models/blocks/decoder.h"

static void adapt(const am_config *c, am_decoder_options *o)
{
    o->fused_qkv = o->fused_gate_up = true;
    o->sliding_window = am_decoder_size_or_none(c, "sliding_window", 0);
    for (int i = 0; o->sliding_window && i < o->num_hidden_layers; i++) o->sliding[i] = true;
    if (o->rope.type != AM_ROPE_DEFAULT && o->rope.type != AM_ROPE_LONGROPE)
        am_config_unsupported(c, "rope_parameters", "rope types other than default and longrope are not supported");
}

/* Short factors up to the original context, long ones beyond it, for every token of the text. */
static int64_t reads_again_beyond(const am_config *c)
{
    return am_config_size(c, "original_max_position_embeddings", 4096);
}

static const am_architecture architectures[] = {
    {"Phi3Model", am_decoder_model, "feature-extraction", 0},
    {"Phi3ForCausalLM", am_decoder_for_causal_lm, "text-generation", AM_GENERATES},
    {"Phi3ForSequenceClassification", am_decoder_for_sequence_classification, "text-classification", 0},
    {"Phi3ForTokenClassification", am_decoder_for_token_classification, "token-classification", 0},
    {0},
};

static const am_decoder_family family = {
    .defaults = {.vocab_size = 32064,
                 .hidden_size = 3072,
                 .intermediate_size = 8192,
                 .max_position_embeddings = 4096,
                 .rms_norm_eps = 1e-5,
                 .has_pad_token = true,
                 .pad_token_id = 32000},
    .adapt = adapt,
};

const am_model_type am_model_phi3 = {.name = "phi3",
                                     .base_prefix = "model",
                                     .architectures = architectures,
                                     .family = &family,
                                     .reads_again_beyond = reads_again_beyond};
