/* MVP: BART trained on many tasks; the prompts that it may read beside keys and values are not supported. transformers:
   models/mvp/modeling_mvp.py */
#include "models/blocks/bart.h"

/* Builds a class of BART's where the configuration asks for no prompts. */
static void without_prompts(am_builder *b, void (*build)(am_builder *b))
{
    const am_config *c = am_model_config(b);
    if (am_config_flag(c, "use_prompt", false)) am_config_unsupported(c, "use_prompt", "prompts are not supported");
    build(b);
}

static void model(am_builder *b)
{
    without_prompts(b, am_bart_model);
}

static void for_conditional_generation(am_builder *b)
{
    without_prompts(b, am_bart_for_conditional_generation);
}

static void for_sequence_classification(am_builder *b)
{
    without_prompts(b, am_bart_for_sequence_classification);
}

static void for_question_answering(am_builder *b)
{
    without_prompts(b, am_bart_for_question_answering);
}

static void for_causal_lm(am_builder *b)
{
    without_prompts(b, am_bart_for_causal_lm);
}

static void decoder(am_builder *b)
{
    without_prompts(b, am_bart_decoder);
}

static const am_architecture architectures[] = {
    {"MvpModel", model, "feature-extraction", AM_ENCODER_DECODER},
    {"MvpForConditionalGeneration", for_conditional_generation, NULL, AM_GENERATES | AM_ENCODER_DECODER},
    {"MvpForSequenceClassification", for_sequence_classification, "text-classification", AM_ENCODER_DECODER},
    {"MvpForQuestionAnswering", for_question_answering, NULL, AM_ENCODER_DECODER},
    {"MvpForCausalLM", for_causal_lm, "text-generation", AM_GENERATES},
    {"MvpDecoder", decoder, NULL, 0},
    {0},
};

static const am_bart_family family = {.vocab_size = 50267,
                                      .d_model = 1024,
                                      .layers = 12,
                                      .heads = 16,
                                      .ffn_dim = 4096,
                                      .pad_token_id = 1,
                                      .start_token_id = 2,
                                      .shift = AM_BART_SHIFT_START};

const am_model_type am_model_mvp = {
    .name = "mvp", .base_prefix = "model", .architectures = architectures, .family = &family};
