#include "models/blocks/audio_language.h"

#include "models/blocks/heads.h"

#include <inttypes.h>
#include <stdio.h>

enum { NAME_BYTES = 192 };

/* Where files keep the text model, and before what the other parts' names lie. */
static const struct {
    const char *text, *parts;
} places[] = {{"language_model.model", ""}, {"model.language_model", "model"}, {"language_model", ""}};

static int place_of(am_builder *b)
{
    char name[NAME_BYTES];
    for (int i = 0; i < (int)(sizeof places / sizeof *places); i++) {
        snprintf(name, sizeof name, "%s.embed_tokens.weight", places[i].text);
        if (am_has_weight(b, name)) return i;
    }
    return 0;
}

static const am_audio_language_family *family_of(const am_builder *b)
{
    return am_model_family(b);
}

static const char *sounds_name(const am_builder *b)
{
    return family_of(b)->input ? family_of(b)->input : "input_features";
}

static am_config text_config(const am_builder *b)
{
    const am_config *c = am_model_config(b);
    am_config text = am_config_child(c, "text_config");
    if (family_of(b)->needs_text_config && !am_config_has(c, "text_config"))
        am_config_fail(c, "text_config", "expected to be given, found none");
    for (const char *const *field = family_of(b)->text_fields; field && *field; field++)
        if (!am_config_has(&text, *field)) am_config_fail(&text, *field, "expected to be given, found none");
    return text;
}

int64_t am_audio_text_width(am_builder *b)
{
    am_config text = text_config(b);
    return am_config_size(&text, "hidden_size", 4096);
}

am_part_outputs am_audio_tower(am_builder *b, const char *name, const char *key, const char *type,
                               const am_part_input *inputs, int count)
{
    am_config config = am_config_child(am_model_config(b), key);
    am_part part = {
        .auto_class = "AutoModel", .model_type = type, .config = &config, .inputs = inputs, .input_count = count};
    am_scope(b, "%s", name);
    am_part_outputs outputs = am_build_part(b, &part);
    am_end_scope(b);
    return outputs;
}

am_value am_audio_projector(am_builder *b, am_value x, int64_t inner, int bias)
{
    am_unary_fn activation = am_config_activation(am_model_config(b), "projector_hidden_act", AM_GELU);
    am_scope(b, "multi_modal_projector");
    x = am_linear_activation(b, "linear_1", x, inner, bias, activation);
    x = am_linear(b, "linear_2", x, am_audio_text_width(b), bias);
    am_end_scope(b);
    return x;
}

am_value am_audio_frames(am_builder *b, am_value x, const int64_t *lengths)
{
    int64_t B = am_dim(b, x, 0), T = am_dim(b, x, 1), count = 0;
    if (am_builder_failed(b)) return AM_NONE;
    int32_t *places_of_frames = am_arena_array(am_builder_arena(b), (size_t)(B * T), sizeof *places_of_frames);
    if (!places_of_frames || !lengths) {
        am_builder_fail(b, am_out_of_memory());
        return AM_NONE;
    }
    for (int64_t i = 0; i < B; i++)
        for (int64_t t = 0; t < T && t < lengths[i]; t++) places_of_frames[count++] = (int32_t)(i * T + t);
    if (count == 0) am_builder_fail(b, am_error(AM_INVALID_ARGUMENT, "the sounds are too short for any frame"));
    if (am_builder_failed(b)) return AM_NONE;
    x = am_flatten(b, x, 0, 1);
    if (count == B * T) return x;
    return am_gather(b, x, am_constant_copy(b, AM_I32, am_shape_of(count), places_of_frames), 0, false);
}

int64_t *am_audio_lengths_of(am_builder *b, const char *name, const char *sounds)
{
    int64_t rows = am_dim(b, am_input(b, name, 2), 0), count = am_dim(b, am_input(b, sounds, 3), 0);
    if (!am_builder_failed(b) && rows != count)
        am_builder_fail(
            b, am_error(AM_INVALID_ARGUMENT, "%s has %" PRId64 " rows for %" PRId64 " sounds", name, rows, count));
    int64_t *lengths = am_arena_array(am_builder_arena(b), (size_t)rows, sizeof *lengths);
    if (!lengths) am_builder_fail(b, am_out_of_memory());
    for (int64_t i = 0; i < rows && lengths; i++) lengths[i] = am_shaping_number(b, name, i);
    return am_builder_failed(b) ? NULL : lengths;
}

int64_t *am_audio_lengths(am_builder *b, const char *name)
{
    return am_audio_lengths_of(b, name, sounds_name(b));
}

/* --- the text model --- */

static int64_t audio_token(const am_builder *b)
{
    const am_config *c = am_model_config(b);
    return am_config_int(c, am_config_either(c, "audio_token_id", "audio_token_index"), family_of(b)->audio_token);
}

static am_audio_rows build_features(am_builder *b)
{
    am_scope(b, "%s", places[place_of(b)].parts);
    am_pause_cache(b);
    am_audio_rows found = family_of(b)->features(b);
    am_resume_cache(b);
    am_end_scope(b);
    if (!found.shown.id) found.shown = found.rows;
    return found;
}

/* Token ids with 0 for the sounds'. */
static am_value ids_of_words(am_builder *b)
{
    am_value ids = am_input(b, "input_ids", 2);
    am_value is_sound = am_binary_number(b, AM_EQUAL, ids, (double)audio_token(b));
    return am_select(b, is_sound, am_scalar(b, AM_I32, 0), ids);
}

am_value am_audio_language_body(am_builder *b, bool shows)
{
    const am_audio_language_family *family = family_of(b);
    am_config text = text_config(b);
    am_feature_rows features = {.token = audio_token(b), .may_be_left = family->rows_may_be_left};
    am_part_input ids = {.name = "input_ids"};
    am_part part = {.auto_class = "AutoModel",
                    .model_type = family->text_type,
                    .config = &text,
                    .inputs = &ids,
                    .features = &features};
    am_audio_rows heard = {0};
    if (am_has_input(b, sounds_name(b))) {
        heard = build_features(b);
        features.rows = heard.rows;
        features.ids = am_input(b, "input_ids", 2);
        part.feature_count = 1;
    }
    if (family->embeds_no_token && am_has_input(b, "input_ids")) {
        ids.value = ids_of_words(b);
        part.input_count = 1;
    }
    am_scope(b, "%s", places[place_of(b)].text);
    am_part_outputs outputs = am_build_part(b, &part);
    am_end_scope(b);
    am_output_part_list(b, &outputs, "hidden_states", "hidden_states");
    if (heard.shown.id && shows) am_output(b, family->shown ? family->shown : "audio_hidden_states", heard.shown);
    am_value mask = family->shows_mask ? am_input_optional(b, "attention_mask", 2) : AM_NONE;
    if (mask.id && !am_has_cache(b)) am_output(b, "attention_mask", am_cast(b, mask, AM_I32));
    return am_part_output(&outputs, "last_hidden_state");
}

void am_audio_language_model(am_builder *b)
{
    am_output(b, "last_hidden_state", am_audio_language_body(b, family_of(b)->model_shows));
}

/* Files of before the text model was a body alone have its head beside it. */
void am_audio_language_for_conditional_generation(am_builder *b)
{
    am_config text = text_config(b);
    char table[NAME_BYTES];
    am_value x = am_audio_language_body(b, family_of(b)->head_shows);
    bool tied = family_of(b)->has_tied_head && am_config_flag(am_model_config(b), "tie_word_embeddings", true);
    if (family_of(b)->text_ties) tied = am_config_flag(&text, "tie_word_embeddings", false);
    if (family_of(b)->head_shows_states) am_output(b, "last_hidden_state", x);
    const char *head = am_has_weight(b, "language_model.lm_head.weight") ? "language_model.lm_head" : "lm_head";
    snprintf(table, sizeof table, "%s.embed_tokens.weight", places[place_of(b)].text);
    int64_t vocab =
        am_config_size(&text, "vocab_size", am_dim(b, am_weight_absolute(b, table, am_shape_of(-1, -1)), 0));
    am_output(b, "logits", am_lm_head(b, head, x, vocab, tied, table, AM_NO_BIAS));
}
