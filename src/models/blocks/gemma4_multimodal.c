#include "models/blocks/gemma4_multimodal.h"

#include "models/blocks/audio_language.h"
#include "models/blocks/heads.h"
#include "models/blocks/multimodal.h"

#include <stdio.h>
#include <string.h>

enum { KINDS = 3, INPUTS = 2, NAME_BYTES = 96 };

const am_shaping_input am_gemma4_shaping_inputs[] = {
    {.name = "image_position_ids", .kind = AM_SHAPED_BY_NUMBERS},
    {.name = "video_position_ids", .kind = AM_SHAPED_BY_NUMBERS},
    {.name = "input_features_mask", .kind = AM_SHAPED_BY_STARTS},
    {0},
};

am_value am_gemma4_pictures(am_builder *b, const am_config *c, const char *pixels, const char *places, int64_t width)
{
    am_scope(b, "vision_tower");
    am_value x = am_gemma4_vision(b, c, pixels, places, false);
    am_end_scope(b);
    return am_gemma4_embed_rows(b, "embed_vision", c, x, width);
}

int64_t *am_gemma4_sound_lengths(am_builder *b)
{
    return am_audio_lengths_of(b, "input_features_mask", "input_features");
}

/* Every fourth frame is one of the tower's. */
am_value am_gemma4_sounds(am_builder *b, const am_config *c, int64_t width)
{
    int64_t *lengths = am_gemma4_sound_lengths(b), count = am_dim(b, am_input(b, "input_features_mask", 2), 0);
    am_scope(b, "audio_tower");
    am_gemma4_sound sound = am_gemma4_audio(b, c, "input_features_mask", false);
    am_end_scope(b);
    for (int64_t i = 0; lengths && i < count; i++) lengths[i] = (lengths[i] + 3) / 4;
    return am_gemma4_embed_rows(b, "embed_audio", c, am_audio_frames(b, sound.frames, lengths), width);
}

am_value am_gemma4_blocks(am_builder *b)
{
    am_value types = am_input_optional(b, "mm_token_type_ids", 2);
    if (!types.id) return AM_NONE;
    am_value seen =
        am_binary(b, AM_LOGICAL_OR, am_binary_number(b, AM_EQUAL, types, 1), am_binary_number(b, AM_EQUAL, types, 2));
    am_value is = am_cast(b, seen, AM_I32), before = am_pad_zero(b, is, 1, 1, -1);
    am_value begins = am_cast(b, am_binary(b, AM_GREATER, is, before), AM_I32);
    am_value block = am_add_number(b, am_scan(b, AM_REDUCE_SUM, begins, 1, false, false), -1);
    return am_select(b, seen, block, am_scalar(b, AM_I32, -1));
}

static const am_gemma4_multimodal *family_of(const am_builder *b)
{
    return am_model_family(b);
}

/* Rows for a token, where the input `given` is there, by the configuration `key`; count: how many kinds so far. */
typedef struct kind {
    const char *given, *places, *key, *token, *shown;
    int64_t fallback;
} kind;

static const kind kinds[KINDS] = {
    {"pixel_values", "image_position_ids", "vision_config", "image_token_id", "image_hidden_states", 258880},
    {"pixel_values_videos", "video_position_ids", "vision_config", "video_token_id", NULL, 258884},
    {"input_features", NULL, "audio_config", "audio_token_id", "audio_hidden_states", 258881},
};

static am_value rows_of(am_builder *b, const kind *k, const am_config *c, int64_t width)
{
    if (!k->places) return family_of(b)->sounds(b, c, width);
    am_input_optional(b, "num_frames_per_video", 1); /* which frames are one video changes nothing */
    return family_of(b)->pictures(b, c, k->given, k->places, width);
}

static bool is_given(am_builder *b, const kind *k)
{
    return am_has_input(b, k->given) && (k->places || am_has_input(b, "input_features_mask"));
}

/* Rows of all kinds that are given, below the scope: how many kinds; shown ones are outputs. */
static int all_rows(am_builder *b, int64_t width, am_feature_rows out[KINDS], am_value shown[KINDS])
{
    const am_config *c = am_model_config(b);
    int count = 0;
    am_pause_cache(b);
    for (int i = 0; i < KINDS; i++) {
        am_config part = am_config_child(c, kinds[i].key);
        shown[i] = AM_NONE;
        if (!is_given(b, &kinds[i])) continue;
        if (!am_config_has(c, kinds[i].key))
            am_config_fail(c, kinds[i].key, "missing, and %s are given", kinds[i].given);
        shown[i] = rows_of(b, &kinds[i], &part, width);
        out[count++] = (am_feature_rows){.rows = shown[i],
                                         .ids = am_input(b, "input_ids", 2),
                                         .token = am_config_int(c, kinds[i].token, kinds[i].fallback)};
    }
    am_resume_cache(b);
    return count;
}

/* Token ids with the pad token in the places of pictures, videos and sounds. */
static am_value ids_of_words(am_builder *b, const am_config *text)
{
    const am_config *c = am_model_config(b);
    am_value ids = am_input(b, "input_ids", 2), words = ids, pad = am_scalar(b, AM_I32, (double)am_pad_token(text, 0));
    for (int i = 0; i < KINDS; i++) {
        int64_t token = am_config_int(c, kinds[i].token, kinds[i].fallback);
        words = am_select(b, am_binary_number(b, AM_EQUAL, ids, (double)token), pad, words);
    }
    return words;
}

static bool sees_pictures_at_once(am_builder *b, const am_config *text)
{
    if (family_of(b)->embeds) return false;
    const char *fallback = strcmp(family_of(b)->text_type, "gemma4_unified_text") == 0 ? "vision" : "";
    bool none = am_config_is_null(text, "use_bidirectional_attention");
    return !none && strcmp(am_config_text(text, "use_bidirectional_attention", fallback), "vision") == 0;
}

/* Last hidden state of the text model: [B, T, C], all below `prefix`. */
static am_value body(am_builder *b, const char *prefix)
{
    am_config text = am_config_child(am_model_config(b), "text_config");
    am_feature_rows features[KINDS];
    am_value shown[KINDS];
    am_part_input inputs[INPUTS];
    am_part part = {.auto_class = "AutoModel",
                    .model_type = family_of(b)->text_type,
                    .config = &text,
                    .inputs = inputs,
                    .features = features};
    am_value blocks = am_gemma4_blocks(b);
    am_input_optional(b, "input_features_mask", 2); /* may be there without sounds */
    if (!am_has_input(b, "inputs_embeds"))
        inputs[part.input_count++] = (am_part_input){.name = "input_ids", .value = ids_of_words(b, &text)};
    if (blocks.id && sees_pictures_at_once(b, &text))
        inputs[part.input_count++] = (am_part_input){.name = "block_sequence_ids", .value = blocks};
    am_scope(b, "%s", prefix);
    int64_t width = am_config_size(&text, "hidden_size", family_of(b)->embeds ? 512 : 2304);
    part.feature_count = all_rows(b, width, features, shown);
    am_scope(b, "language_model");
    am_part_outputs outputs = am_build_part(b, &part);
    am_end_scope(b);
    am_end_scope(b);
    am_output_part_list(b, &outputs, "hidden_states", "hidden_states");
    for (int i = 0; i < KINDS; i++)
        if (shown[i].id && kinds[i].shown) am_output(b, kinds[i].shown, shown[i]);
    return am_part_output(&outputs, "last_hidden_state");
}

void am_gemma4_model(am_builder *b)
{
    am_output(b, "last_hidden_state", body(b, ""));
}

void am_gemma4_for_conditional_generation(am_builder *b)
{
    const am_config *c = am_model_config(b);
    am_config text = am_config_child(c, "text_config");
    am_value x = body(b, "model");
    am_value logits = am_lm_head(b, "lm_head", x, am_config_size(&text, "vocab_size", 262144),
                                 am_config_flag(c, "tie_word_embeddings", true),
                                 "model.language_model.embed_tokens.weight", AM_NO_BIAS);
    double cap = am_decoder_real_or_none(&text, "final_logit_softcapping", 0);
    am_output(b, "logits", cap != 0 ? am_soft_cap(b, logits, cap) : logits);
}
