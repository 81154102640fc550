/* MusicGen Melody: a text encoder's states behind a melody's chroma, a row for each of some frames, are what a decoder
   of codebooks reads first. transformers: models/musicgen_melody/modeling_musicgen_melody.py */
#include "models/blocks/layers.h"
#include "models/blocks/musicgen.h"

#include <inttypes.h>

/* The input input_features: [B, T, num_chroma], or the first chroma alone: [B, 1, num_chroma]. */
static am_value chroma(am_builder *b, int64_t B, int64_t width)
{
    if (am_has_input(b, "input_features")) return am_input(b, "input_features", 3);
    am_value place = am_iota(b, AM_I32, am_shape_of(B, 1, width), 2, 0, 1);
    return am_cast(b, am_binary_number(b, AM_EQUAL, place, 0), AM_F32);
}

/* x: [B, T, C] again and again, or its beginning: [B, length, C]. */
static am_value filled(am_builder *b, am_value x, int64_t length)
{
    int64_t T = am_dim(b, x, 1);
    if (T >= length) return am_slice(b, x, 1, 0, length);
    am_value places = am_binary_number(b, AM_MOD, am_iota(b, AM_I32, am_shape_of(length), 0, 0, 1), (double)T);
    return am_gather(b, x, places, 1, false);
}

static am_value melody(am_builder *b, int64_t B)
{
    const am_config *c = am_model_config(b);
    am_config decoder = am_config_child(c, "decoder");
    int64_t width = am_config_size(&decoder, "hidden_size", 1024), bins = am_config_size(c, "num_chroma", 12);
    am_value x = chroma(b, B, bins);
    if (bins != width) x = am_linear(b, "audio_enc_to_dec_proj", x, width, AM_BIAS);
    return filled(b, x, am_config_size(c, "chroma_length", 235));
}

/* What the decoder reads first: the input encoder_hidden_states, or melody and text, or AM_NONE. */
static am_value described(am_builder *b)
{
    am_part_outputs outputs;
    am_value text = AM_NONE;
    if (am_has_input(b, "encoder_hidden_states")) {
        am_input_optional(b, "attention_mask", 2); /* which then says nothing */
        return am_input(b, "encoder_hidden_states", 3);
    }
    if (am_has_input(b, "input_ids") || am_has_input(b, "inputs_embeds")) text = am_musicgen_text(b, &outputs);
    if (!text.id && !am_has_input(b, "input_features")) return AM_NONE;
    am_value heard = melody(b, am_dim(b, text, 0));
    return text.id ? am_concat2(b, heard, text, 1) : heard;
}

static void for_conditional_generation(am_builder *b)
{
    am_config config = am_config_child(am_model_config(b), "decoder");
    am_value states = described(b);
    am_part_input inputs[] = {{.name = "encoder_hidden_states", .value = states}, {.name = "encoder_attention_mask"}};
    am_part part = {.class_name = "MusicgenMelodyForCausalLM",
                    .config = &config,
                    .inputs = inputs,
                    .input_count = 2,
                    .prefix = "decoder_"};
    am_scope(b, "decoder");
    am_part_outputs outputs = am_build_part(b, &part);
    am_end_scope(b);
    am_output(b, "logits", am_part_output(&outputs, "logits"));
    am_output_part_list(b, &outputs, "hidden_states", "hidden_states");
    if (states.id) am_output(b, "encoder_hidden_states", states);
}

static const am_architecture architectures[] = {
    {"MusicgenMelodyModel", am_musicgen_model, NULL, 0},
    {"MusicgenMelodyForCausalLM", am_musicgen_for_causal_lm, NULL, 0},
    /* it does not generate here: codebooks are a token apart from each other, which generation of texts does not know
     */
    {"MusicgenMelodyForConditionalGeneration", for_conditional_generation, NULL, 0},
    {0},
};

static const am_musicgen_family family = {.reads_first = true};

const am_model_type am_model_musicgen_melody = {.name = "musicgen_melody musicgen_melody_decoder",
                                                .base_prefix = "model",
                                                .architectures = architectures,
                                                .family = &family};
