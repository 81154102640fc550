/* PP-FormulaNet's decoder by itself, which is mBART's. transformers: models/pp_formulanet/modeling_pp_formulanet.py */
#include "models/blocks/bart.h"

static const am_architecture architectures[] = {
    {"PPFormulaNetTextModel", am_bart_decoder, NULL, 0},
    {0},
};

static const am_bart_family family = {.vocab_size = 50000,
                                      .d_model = 512,
                                      .decoder_layers = 8,
                                      .layers = 12,
                                      .heads = 16,
                                      .ffn_dim = 2048,
                                      .pad_token_id = 1,
                                      .max_positions = 2560,
                                      .start_token_id = 2,
                                      .scale_embedding = true,
                                      .pre_norm = true};

const am_model_type am_model_pp_formulanet_text = {
    .name = "pp_formulanet_text", .architectures = architectures, .family = &family};
