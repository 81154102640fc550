/* TrOCR: BART's decoder by itself, as the text side of an image's encoder; its positions may be computed and its
   embeddings left without a norm. transformers: models/trocr/modeling_trocr.py */
#include "models/blocks/bart.h"
#include "models/blocks/heads.h"

enum { VOCAB_SIZE = 50265 };

static am_value decoder(am_builder *b, const char *prefix)
{
    const am_config *c = am_model_config(b);
    bool learned = am_config_flag(c, "use_learned_position_embeddings", true);
    am_bart_family family = {.vocab_size = VOCAB_SIZE,
                             .max_positions = 512,
                             .pad_token_id = 1,
                             .positions = learned ? AM_BART_LEARNED : AM_BART_AFTER_PADS,
                             .no_embedding_norm = !am_config_flag(c, "layernorm_embedding", true)};
    return am_bart_decoder_alone(b, &family, prefix);
}

static void trocr_decoder(am_builder *b)
{
    am_output(b, "last_hidden_state", decoder(b, ""));
}

static void for_causal_lm(am_builder *b)
{
    const am_config *c = am_model_config(b);
    int64_t vocab_size = am_config_size(c, "vocab_size", VOCAB_SIZE);
    bool tied = am_config_flag(c, "tie_word_embeddings", true);
    am_output(b, "logits",
              am_lm_head(b, "output_projection", decoder(b, "model.decoder"), vocab_size, tied,
                         "model.decoder.embed_tokens.weight", AM_NO_BIAS));
}

static const am_architecture architectures[] = {
    {"TrOCRForCausalLM", for_causal_lm, "text-generation", AM_GENERATES},
    {"TrOCRDecoder", trocr_decoder, NULL, 0},
    {0},
};

const am_model_type am_model_trocr = {.name = "trocr", .base_prefix = "model", .architectures = architectures};
