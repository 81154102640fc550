/* MusicGen: a text encoder, and a decoder of codebooks that attends to its states; tokens may be those that an audio
   codec makes of a sound. transformers: models/musicgen/modeling_musicgen.py */
#include "models/blocks/layers.h"
#include "models/blocks/musicgen.h"

#include <inttypes.h>

/* Codes of the input input_values as the decoder reads them: I32 [B * codebooks, T]. */
static am_value codes(am_builder *b, const am_config *decoder)
{
    am_config config = am_config_child(am_model_config(b), "audio_encoder");
    am_part part = {.auto_class = "AutoModel", .model_type = "encodec", .config = &config};
    int64_t wanted = am_config_size(decoder, "num_codebooks", 4);
    am_scope(b, "audio_encoder");
    am_part_outputs outputs = am_build_part(b, &part);
    am_end_scope(b);
    am_value found = am_part_output(&outputs, "audio_codes");
    if (am_builder_failed(b)) return AM_NONE;
    if (am_rank(b, found) != 4 || am_dim(b, found, 0) != 1) {
        am_builder_fail(b, am_error(AM_UNSUPPORTED, "the sound is cut into chunks, expected one"));
        return AM_NONE;
    }
    int64_t B = am_dim(b, found, 1), N = am_dim(b, found, 2), T = am_dim(b, found, 3);
    if (am_config_int(decoder, "audio_channels", 1) == 2 && N == wanted / 2) {
        found = am_broadcast(b, am_reshape(b, found, am_shape_of(B, N, 1, T)), am_shape_of(B, N, 2, T));
        N *= 2;
    }
    if (N != wanted)
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT,
                                    "the sound has %" PRId64 " codebooks, expected %" PRId64 " (num_codebooks)", N,
                                    wanted));
    return am_reshape(b, found, am_shape_of(B * N, T));
}

static void for_conditional_generation(am_builder *b)
{
    am_config config = am_config_child(am_model_config(b), "decoder");
    am_part_outputs text;
    am_value states = am_musicgen_text(b, &text);
    am_part_input inputs[] = {{.name = "encoder_hidden_states", .value = states},
                              {.name = "encoder_attention_mask", .whole = "attention_mask"},
                              {.name = "input_ids"}};
    am_part part = {.class_name = "MusicgenForCausalLM",
                    .config = &config,
                    .inputs = inputs,
                    .input_count = 2,
                    .prefix = "decoder_"};
    if (!am_has_input(b, "decoder_input_ids")) {
        inputs[2].value = codes(b, &config);
        part.input_count = 3;
    }
    am_scope(b, "decoder");
    am_part_outputs outputs = am_build_part(b, &part);
    am_end_scope(b);
    am_output(b, "logits", am_part_output(&outputs, "logits"));
    am_output_part_list(b, &outputs, "hidden_states", "decoder_hidden_states");
    am_output(b, "encoder_last_hidden_state", am_part_output(&text, "last_hidden_state"));
    am_output_part_list(b, &text, "hidden_states", "encoder_hidden_states");
}

static const am_architecture architectures[] = {
    /* it does not generate here: codebooks are a token apart from each other, which generation of texts does not know
     */
    {"MusicgenForConditionalGeneration", for_conditional_generation, NULL, 0},
    {0},
};

const am_model_type am_model_musicgen = {
    .name = "musicgen", .base_prefix = "encoder_decoder", .architectures = architectures};
