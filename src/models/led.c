/* LED: BART for long texts, whose encoder attends as Longformer does; positions count from row 0 of tables of their own
   lengths. transformers: models/led/modeling_led.py */
#include "models/blocks/bart.h"
#include "models/blocks/layers.h"
#include "models/blocks/longformer.h"

static am_value encoder_attention(am_builder *b, am_value x, int64_t heads, int layer)
{
    const am_config *c = am_model_config(b);
    int64_t layers = am_config_count(c, am_config_either(c, "encoder_layers", "num_hidden_layers"), 12);
    am_longformer_marks marks = am_longformer_marks_of(b, am_longformer_global_input(b));
    am_scope(b, "longformer_self_attn");
    am_value h = am_longformer_attention(b, x, heads, am_longformer_window(c, layers, layer), &marks);
    am_end_scope(b);
    return am_linear(b, "output", h, am_dim(b, x, -1), AM_BIAS);
}

static const am_architecture architectures[] = {
    {"LEDModel", am_bart_model, "feature-extraction", AM_ENCODER_DECODER},
    {"LEDForConditionalGeneration", am_bart_for_conditional_generation, NULL, AM_GENERATES | AM_ENCODER_DECODER},
    {"LEDForQuestionAnswering", am_bart_for_question_answering, "question-answering", AM_ENCODER_DECODER},
    {0},
};

static const am_bart_family family = {.pad_token_id = 1,
                                      .start_token_id = 2,
                                      .never_scales = true,
                                      .shift = AM_BART_SHIFT_START,
                                      .positions = AM_BART_ROWS,
                                      .prefix = "led",
                                      .encoder_positions = "max_encoder_position_embeddings",
                                      .decoder_positions = "max_decoder_position_embeddings",
                                      .encoder_attention = encoder_attention};

const am_model_type am_model_led = {
    .name = "led", .base_prefix = "led", .architectures = architectures, .family = &family};
