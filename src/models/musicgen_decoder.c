/* MusicGen's decoder, which attends to a description: see blocks/musicgen.h.
   transformers: models/musicgen/modeling_musicgen.py */
#include "models/blocks/musicgen.h"

static const am_architecture architectures[] = {
    {"MusicgenModel", am_musicgen_model, NULL, 0},
    /* it does not generate here: codebooks are a token apart from each other, which generation of texts does not know
     */
    {"MusicgenForCausalLM", am_musicgen_for_causal_lm, NULL, 0},
    {0},
};

static const am_musicgen_family family = {.reads_first = false};

const am_model_type am_model_musicgen_decoder = {
    .name = "musicgen_decoder", .base_prefix = "model", .architectures = architectures, .family = &family};
