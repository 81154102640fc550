/* SeamlessM4T (arXiv 2308.11596): one decoder translates what an encoder of words, or one of speech, has read; units
   of speech and their waves are made by models of their own. transformers: models/seamless_m4t/modeling_seamless_m4t.py
 */
#include "models/blocks/seamless.h"

enum { POSITIONS = 1024 }; /* what an absent max_position_embeddings stands for */

static am_value speech(am_builder *b)
{
    const am_config *c = am_model_config(b);
    static const char *const key = "position_embeddings_type";
    bool is_relative = !am_config_has(c, key) || am_config_is(c, key, "relative");
    am_conformer_options options = {.rotary_base = am_config_real(c, "rotary_embedding_base", 10000),
                                    .stored_frequencies = true,
                                    .positions = is_relative                      ? AM_CONFORMER_RELATIVE
                                                 : am_config_is(c, key, "rotary") ? AM_CONFORMER_ROTARY
                                                                                  : AM_CONFORMER_NO_POSITIONS};
    return am_seamless_speech_encoder(b, options);
}

static void text_to_text(am_builder *b)
{
    am_seamless_text_to_text(b, POSITIONS);
}

static void speech_to_text(am_builder *b)
{
    am_seamless_speech_to_text(b, POSITIONS, speech);
}

/* Which of the two decides the input. */
static void whole_model(am_builder *b)
{
    (am_has_input(b, "input_features") ? speech_to_text : text_to_text)(b);
}

/* --- units --- */

/* The encoder reads states of another model. */
static am_value unit_encoder(am_builder *b, const am_bart_family *family)
{
    int64_t C = am_config_size(am_model_config(b), "hidden_size", 1024);
    am_value x = am_input(b, "inputs_embeds", 3);
    if (x.id && am_dim(b, x, 2) != C)
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT, "inputs_embeds has %lld channels, expected %lld (hidden_size)",
                                    (long long)am_dim(b, x, 2), (long long)C));
    am_scope(b, "encoder");
    x = am_bart_encoder_layers(b, family, x);
    am_end_scope(b);
    return x;
}

static am_value encode_units(am_builder *b);
static am_value encode_bare_units(am_builder *b);

static am_value feed_forward(am_builder *b, am_value x, const am_bart_part *part)
{
    am_scope(b, "ffn");
    x = am_bart_two_projections(b, x, part);
    am_end_scope(b);
    return x;
}

/* Sizes of a model of units; the class with a head reads those fields whose names begin with t2u_. */
#define UNITS                                                                                                          \
    .max_positions = 2048, .activation = AM_RELU, .scale_embedding = true, .start_token_id = 2, .pre_norm = true,      \
    .no_embedding_norm = true, .positions = AM_BART_AFTER_PADS, .cross_attention = "cross_attention",                  \
    .feed_forward_norm = "ffn_layer_norm", .feed_forward = feed_forward

static const am_bart_family units = {UNITS,
                                     .vocab_size = 10082,
                                     .layers = 6,
                                     .heads = 16,
                                     .ffn_dim = 8192,
                                     .pad_token_id = 1,
                                     .field_prefix = "t2u_",
                                     .encode = encode_units};

static am_value encode_units(am_builder *b)
{
    return unit_encoder(b, &units);
}

static const am_bart_family bare_units = {UNITS,       .vocab_size = 256102, .layers = 24,
                                          .heads = 16, .ffn_dim = 8192,      .encode = encode_bare_units};

static am_value encode_bare_units(am_builder *b)
{
    return unit_encoder(b, &bare_units);
}

static void unit_model(am_builder *b)
{
    am_bart_class(b, &bare_units, "", false);
}

static void unit_model_with_head(am_builder *b)
{
    am_bart_class(b, &units, "model", true);
}

static const am_architecture architectures[] = {
    {"SeamlessM4TModel", whole_model, NULL, AM_ENCODER_DECODER},
    {"SeamlessM4TForTextToText", text_to_text, NULL, AM_GENERATES | AM_ENCODER_DECODER},
    {"SeamlessM4TForSpeechToText", speech_to_text, NULL, AM_GENERATES | AM_ENCODER_DECODER},
    {"SeamlessM4TForTextToSpeech", text_to_text, NULL, AM_ENCODER_DECODER},
    {"SeamlessM4TForSpeechToSpeech", speech_to_text, NULL, AM_ENCODER_DECODER},
    {"SeamlessM4TTextToUnitModel", unit_model, NULL, AM_ENCODER_DECODER},
    {"SeamlessM4TTextToUnitForConditionalGeneration", unit_model_with_head, NULL, AM_ENCODER_DECODER},
    {"SeamlessM4TCodeHifiGan", am_seamless_code_hifigan, NULL, AM_MEASURES},
    {0},
};

const am_model_type am_model_seamless_m4t = {
    .name = "seamless_m4t", .base_prefix = "seamless_m4t", .architectures = architectures};
