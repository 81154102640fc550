/* Phi-3: see blocks/phi3.h. transformers: models/phi3/modeling_phi3.py */
#include "models/blocks/phi3.h"

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
    .adapt = am_phi3_adapt,
};

const am_model_type am_model_phi3 = {.name = "phi3",
                                     .base_prefix = "model",
                                     .architectures = architectures,
                                     .family = &family,
                                     .reads_again_beyond = am_phi3_reads_again_beyond};
