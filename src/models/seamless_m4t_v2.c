/* SeamlessM4T v2 (arXiv 2312.05187): SeamlessM4T whose speech encoder looks back only in convolutions, tells distances
   by learned rows and sees stretches of frames. transformers: models/seamless_m4t_v2/modeling_seamless_m4t_v2.py */
#include "models/blocks/seamless.h"

enum { POSITIONS = 4096 }; /* what an absent max_position_embeddings stands for */

static am_value speech(am_builder *b)
{
    const am_config *c = am_model_config(b);
    static const char *const key = "position_embeddings_type";
    bool has_rows = !am_config_has(c, key) || am_config_is(c, key, "relative_key");
    bool is_whole = am_config_is_null(c, "speech_encoder_chunk_size");
    am_conformer_options options = {.causal = true,
                                    .positions = has_rows ? AM_CONFORMER_RELATIVE_KEY : AM_CONFORMER_NO_POSITIONS,
                                    .left = am_config_count(c, "left_max_position_embeddings", 64),
                                    .right = am_config_count(c, "right_max_position_embeddings", 8),
                                    .chunk = is_whole ? 0 : am_config_size(c, "speech_encoder_chunk_size", 20000),
                                    .left_chunks = am_config_int(c, "speech_encoder_left_chunk_num", 128)};
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

static const am_architecture architectures[] = {
    {"SeamlessM4Tv2Model", whole_model, NULL, AM_ENCODER_DECODER},
    {"SeamlessM4Tv2ForTextToText", text_to_text, NULL, AM_GENERATES | AM_ENCODER_DECODER},
    {"SeamlessM4Tv2ForSpeechToText", speech_to_text, NULL, AM_GENERATES | AM_ENCODER_DECODER},
    {"SeamlessM4Tv2ForTextToSpeech", text_to_text, NULL, AM_ENCODER_DECODER},
    {"SeamlessM4Tv2ForSpeechToSpeech", speech_to_text, NULL, AM_ENCODER_DECODER},
    {0},
};

const am_model_type am_model_seamless_m4t_v2 = {
    .name = "seamless_m4t_v2", .base_prefix = "seamless_m4t_v2", .architectures = architectures};
