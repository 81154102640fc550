#include "models/blocks/vision_language.h"

#include "models/blocks/heads.h"
#include "models/names/names.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { LAYERS_LIMIT = 64, NAME_BYTES = 192 };

/* Where files keep the text model; what stands before its own name lies before the other parts, too. */
static const struct {
    const char *text, *parts;
} places[] = {
    {"language_model.model", ""},
    {"model.language_model.model", "model"},
    {"model.language_model", "model"},
    {"language_model", ""},
    {"model.text_model", "model"},
    {"text_model.model", ""},
    {"text_model", ""},
    {"model", ""},
    {"", ""},
};

static void table_name(int place, char out[NAME_BYTES])
{
    const char *text = places[place].text;
    snprintf(out, NAME_BYTES, "%s%sembed_tokens.weight", text, *text ? "." : "");
}

static int place_of(am_builder *b)
{
    char name[NAME_BYTES];
    for (int i = 0; i < (int)(sizeof places / sizeof *places); i++) {
        table_name(i, name);
        if (am_has_weight(b, name)) return i;
    }
    return 0;
}

static const am_vision_language_family *family_of(const am_builder *b)
{
    return am_model_family(b);
}

am_config am_text_config(const am_builder *b)
{
    const am_config *c = am_model_config(b);
    const am_vision_language_family *family = family_of(b);
    if (am_config_has(c, "text_config")) return am_config_child(c, "text_config");
    if (family->flat_text_config) return *c;
    return am_config_child(c, family->text_key ? family->text_key : "text_config");
}

int64_t am_text_width(am_builder *b)
{
    am_config text = am_text_config(b);
    return am_config_size(&text, "hidden_size", 4096);
}

/* --- the tower --- */

am_part_outputs am_vision_tower(am_builder *b, const char *name, const char *type, am_value pixel_values)
{
    am_config config = am_config_child(am_model_config(b), "vision_config");
    am_part_input inputs[] = {{.name = "pixel_values", .whole = "pixel_values"},
                              {.name = "image_sizes", .whole = "image_sizes"}};
    am_part part = {.auto_class = "AutoModel",
                    .model_type = type,
                    .config = &config,
                    .inputs = inputs,
                    .input_count = 2,
                    .prefix = "vision_",
                    .hidden_states = true};
    if (pixel_values.id) inputs[0] = (am_part_input){.name = "pixel_values", .value = pixel_values};
    am_scope(b, "%s", name);
    am_part_outputs outputs = am_build_part(b, &part);
    am_end_scope(b);
    return outputs;
}

/* vision_feature_layer, a number or a list, into out: how many. */
static int read_layers(const am_config *c, const int *fallback, int count, int out[LAYERS_LIMIT])
{
    const char *key = am_config_either(c, "vision_feature_layer", "vision_feature_layers");
    am_json value = am_json_get(c->object, key);
    if (!am_config_has(c, key)) {
        memcpy(out, fallback, (size_t)count * sizeof *out);
        return count;
    }
    if (am_json_kind_of(value) != AM_JSON_ARRAY) {
        out[0] = (int)am_config_int(c, key, -1);
        return 1;
    }
    int n = 0;
    for (am_json_iterator i = am_json_iterate(value); am_json_next(&i);) {
        if (n < LAYERS_LIMIT) out[n] = (int)am_json_int(i.value, 0);
        n++;
    }
    if (n == 0 || n > LAYERS_LIMIT) am_config_fail(c, key, "expected 1 to %d layers, found %d", LAYERS_LIMIT, n);
    return n > LAYERS_LIMIT ? 0 : n;
}

am_value am_vision_states(am_builder *b, const am_part_outputs *tower, const int *fallback, int count, bool skips_first)
{
    const am_config *c = am_model_config(b);
    int layers[LAYERS_LIMIT], n = read_layers(c, fallback, count, layers), all = 0;
    am_value states[LAYERS_LIMIT];
    char name[NAME_BYTES];
    for (; snprintf(name, sizeof name, "hidden_states.%d", all), am_part_output(tower, name).id; all++) {
    }
    for (int i = 0; i < n && !am_builder_failed(b); i++) {
        int layer = layers[i] < 0 ? all + layers[i] : layers[i];
        if (layer < 0 || layer >= all) {
            am_config_fail(c, "vision_feature_layer", "no layer %d among %d hidden states", layers[i], all);
            return AM_NONE;
        }
        snprintf(name, sizeof name, "hidden_states.%d", layer);
        states[i] = am_part_output(tower, name);
        if (skips_first) states[i] = am_slice(b, states[i], 1, 1, AM_SLICE_END);
    }
    if (am_builder_failed(b)) return AM_NONE;
    return n == 1 ? states[0] : am_concat(b, states, n, -1);
}

bool am_vision_skips_first(am_builder *b, const char *fallback)
{
    static const char *key = "vision_feature_select_strategy";
    const char *strategy = am_config_text(am_model_config(b), key, fallback);
    bool skips = strcmp(strategy, "default") == 0;
    if (!skips && strcmp(strategy, "full") != 0)
        am_config_fail(am_model_config(b), key, "expected \"default\" or \"full\", found \"%s\"", strategy);
    return skips;
}

am_value am_fold_patches(am_builder *b, am_value x, int64_t rows, int64_t columns, int64_t factor)
{
    int64_t B = am_dim(b, x, 0), C = am_dim(b, x, -1), P = am_dim(b, x, 1);
    if (am_builder_failed(b)) return AM_NONE;
    if (rows * columns != P || rows % factor != 0 || columns % factor != 0) {
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT,
                                    "%" PRId64 " patches of %" PRId64 " x %" PRId64 " are no whole squares of %" PRId64
                                    " x %" PRId64,
                                    P, rows, columns, factor, factor));
        return AM_NONE;
    }
    am_shape squares = {.rank = 6, .dims = {B, rows / factor, factor, columns / factor, factor, C}};
    x = am_permute(b, am_reshape(b, x, squares), (am_shape){.rank = 6, .dims = {0, 1, 3, 2, 4, 5}});
    return am_reshape(b, x, am_shape_of(B, P / (factor * factor), C * factor * factor));
}

int64_t am_square_side(am_builder *b, int64_t P)
{
    int64_t side = 1;
    while (side * side < P) side++;
    if (side * side != P && !am_builder_failed(b))
        am_builder_fail(b, am_error(AM_UNSUPPORTED, "%" PRId64 " patches are no square", P));
    return side;
}

/* --- the text model --- */

static int64_t image_token(am_builder *b)
{
    if (family_of(b)->find_image_token) return family_of(b)->find_image_token(b);
    const am_config *c = am_model_config(b);
    return am_config_int(c, am_config_either(c, "image_token_id", "image_token_index"), family_of(b)->image_token);
}

/* Rows [.., C] that a member makes for the places of a token. */
static am_value build_features(am_builder *b, am_value (*features)(am_builder *b), int64_t token, am_feature_rows *out)
{
    am_scope(b, "%s", places[place_of(b)].parts);
    am_pause_cache(b);
    am_value rows = features(b);
    am_resume_cache(b);
    am_end_scope(b);
    *out = (am_feature_rows){.rows = am_reshape(b, rows, am_shape_of(-1, am_dim(b, rows, -1))),
                             .ids = am_input(b, "input_ids", 2),
                             .token = token,
                             .may_be_left = am_part_rows_may_be_left(b)};
    return rows;
}

enum { KINDS = 3 + AM_VISION_LANGUAGE_MORE };

/* What a member has beside the rows of images. */
static int more_features(am_builder *b, am_feature_rows *out)
{
    if (!family_of(b)->more_features) return 0;
    am_scope(b, "%s", places[place_of(b)].parts);
    int count = family_of(b)->more_features(b, out);
    am_end_scope(b);
    return count;
}

/* Those of images and of videos, where such are given: how many kinds. */
static int all_features(am_builder *b, am_feature_rows out[KINDS], bool shows)
{
    const am_vision_language_family *family = family_of(b);
    const am_config *c = am_model_config(b);
    const char *video_key = am_config_either(c, "video_token_id", "video_token_index");
    int count = 0;
    if (am_has_input(b, "pixel_values") || (family->pixels_alias && am_has_input(b, family->pixels_alias))) {
        am_value rows = build_features(b, family->features, image_token(b), &out[count++]);
        if (!family->hides_features || (shows && family->model_shows_features))
            am_output(b, "image_hidden_states", rows);
        count += more_features(b, out + count);
    }
    if (family->video_features && am_has_input(b, "pixel_values_videos")) {
        int64_t token = family->videos_as_images ? image_token(b) : am_config_int(c, video_key, family->video_token);
        am_value rows = build_features(b, family->video_features, token, &out[count++]);
        if (family->flattens_videos) rows = am_reshape(b, rows, am_shape_of(-1));
        if (family->shows_videos) am_output(b, "video_hidden_states", rows);
    }
    return count;
}

/* Those of sounds, where such are given: how many kinds. */
static int audio_features(am_builder *b, am_feature_rows *out)
{
    const am_config *c = am_model_config(b);
    const char *key = am_config_either(c, "audio_token_id", "audio_token_index");
    if (!family_of(b)->audio_features || !am_has_input(b, "input_features")) return 0;
    build_features(b, family_of(b)->audio_features, am_config_int(c, key, family_of(b)->audio_token), out);
    return 1;
}

/* Token ids with 0 for an image's that is none of the vocabulary. */
static am_value ids_of_words(am_builder *b, const am_config *text)
{
    am_value ids = am_input(b, "input_ids", 2);
    int64_t token = image_token(b);
    if (token < am_config_size(text, "vocab_size", INT32_MAX)) return ids;
    return am_select(b, am_binary_number(b, AM_EQUAL, ids, (double)token), am_scalar(b, AM_I32, 0), ids);
}

/* Part inputs for what stands behind the features' first rows, which alone are left: their sum over all kinds, at every
   place of the text. */
static int split_deep_rows(am_builder *b, am_feature_rows *features, int kinds, am_part_input *out)
{
    int deep = kinds && family_of(b)->deep_rows ? family_of(b)->deep_rows(b) : 0;
    if (deep == 0 || am_builder_failed(b)) return 0;
    int64_t C = am_dim(b, features[0].rows, -1) / (1 + deep);
    am_value ids = features[0].ids, everywhere = am_broadcast(b, am_scalar(b, AM_BOOL, 1), am_shape_of_value(b, ids));
    for (int i = 0; i < deep; i++) {
        am_value sum = AM_NONE;
        for (int k = 0; k < kinds; k++) {
            am_value is = am_binary_number(b, AM_EQUAL, ids, (double)features[k].token);
            am_value rows = am_slice(b, features[k].rows, -1, C * (1 + i), C * (2 + i));
            am_value x = am_spread_rows(b, rows, is);
            sum = sum.id ? am_add(b, sum, x) : x;
        }
        out[i] = (am_part_input){.name = am_arena_printf(am_builder_arena(b), "deepstack_visual_embeds.%d", i),
                                 .value = am_flatten(b, sum, 0, 1)};
        if (!out[i].name) am_builder_fail(b, am_out_of_memory());
    }
    out[deep] = (am_part_input){.name = "visual_pos_masks", .value = everywhere};
    for (int k = 0; k < kinds; k++) features[k].rows = am_slice(b, features[k].rows, -1, 0, C);
    return am_builder_failed(b) ? 0 : deep + 1;
}

/* The class of a text model whose model_type is the alias; null where it is not. */
static const char *class_of_alias(const am_vision_language_family *family, const am_config *text)
{
    bool is = family->text_alias && am_config_is(text, "model_type", family->text_alias);
    return is ? am_auto_class_of("AutoModel", family->text_type) : NULL;
}

/* Outputs of the text model, hidden states named; image_hidden_states comes behind them. */
static am_value build_body(am_builder *b, bool is_model)
{
    const am_vision_language_family *family = family_of(b);
    am_config text = am_text_config(b);
    am_feature_rows features[KINDS];
    am_part_input inputs[AM_VISION_LANGUAGE_INPUTS + AM_VISION_LANGUAGE_DEEP + 2];
    am_part part = {.auto_class = "AutoModel",
                    .class_name = family->text_class ? family->text_class : class_of_alias(family, &text),
                    .model_type = family->text_type ? family->text_type : "llama",
                    .config = &text,
                    .inputs = inputs,
                    .features = features};
    part.feature_count = all_features(b, features, is_model);
    part.input_count = split_deep_rows(b, features, part.feature_count, inputs);
    part.feature_count += audio_features(b, features + part.feature_count);
    if (family->text_inputs) part.input_count += family->text_inputs(b, inputs + part.input_count);
    if (family->may_exceed_words && !am_has_input(b, "inputs_embeds"))
        inputs[part.input_count++] = (am_part_input){.name = "input_ids", .value = ids_of_words(b, &text)};
    am_scope(b, "%s", places[place_of(b)].text);
    am_part_outputs outputs = am_build_part(b, &part);
    am_end_scope(b);
    am_output_part_list(b, &outputs, "hidden_states", "hidden_states");
    return am_part_output(&outputs, "last_hidden_state");
}

am_value am_vision_language_body(am_builder *b)
{
    return build_body(b, false);
}

void am_vision_language_model(am_builder *b)
{
    am_output(b, "last_hidden_state", build_body(b, true));
}

/* GemmaConfig has no such field; Gemma2Config's is 30. */
static double logit_cap(const am_vision_language_family *family, const am_config *text)
{
    double fallback = am_config_is(text, "model_type", "gemma2") ? 30 : family->logit_cap;
    return am_config_is_null(text, "final_logit_softcapping")
               ? 0
               : am_config_real(text, "final_logit_softcapping", fallback);
}

static am_value scale_logits(am_builder *b, const am_config *text, am_value logits)
{
    const am_vision_language_family *family = family_of(b);
    if (!family->logits_scale) return logits;
    double scale = am_config_real(text, family->logits_scale, family->logits_scale_default);
    return am_mul_number(b, logits, family->divides_logits ? 1 / scale : scale);
}

/* Files of before the text model was a body alone have its head beside it. */
void am_vision_language_for_conditional_generation(am_builder *b)
{
    const am_config *c = am_model_config(b);
    am_config text = am_text_config(b);
    char table[NAME_BYTES];
    am_value x = am_vision_language_body(b);
    bool tied =
        am_config_flag(c, "tie_word_embeddings", am_config_flag(&text, "tie_word_embeddings", family_of(b)->tied));
    const char *head = am_has_weight(b, "language_model.lm_head.weight") ? "language_model.lm_head"
                       : am_has_weight(b, "text_model.lm_head.weight")   ? "text_model.lm_head"
                                                                         : "lm_head";
    table_name(place_of(b), table);
    am_value logits = am_lm_head(b, head, x, am_config_size(&text, "vocab_size", -1), tied, table, AM_NO_BIAS);
    logits = scale_logits(b, &text, logits);
    double cap = family_of(b)->caps_logits ? logit_cap(family_of(b), &text) : 0;
    am_output(b, "logits", cap != 0 ? am_soft_cap(b, logits, cap) : logits);
}

void am_vision_language_for_sequence_classification(am_builder *b)
{
    am_config text = am_text_config(b);
    am_value x = am_vision_language_body(b);
    am_generic_sequence_classification(b, x, am_input(b, "input_ids", 2), am_config_labels(am_model_config(b)),
                                       am_pad_token(&text, family_of(b)->pad_token));
}

void am_vision_language_for_token_classification(am_builder *b)
{
    am_value x = am_vision_language_body(b);
    am_generic_token_classification(b, "score", x, am_config_labels(am_model_config(b)));
}
