/* Gemma 3n: images, as a network of timm sees them, and sounds among the words of its text model; words beyond the
   text's own have tables of their own. transformers: models/gemma3n/modeling_gemma3n.py */
#include "models/blocks/attention.h"
#include "models/blocks/gemma4.h"
#include "models/blocks/gemma_audio.h"
#include "models/blocks/heads.h"
#include "models/blocks/mobilenet_v5.h"
#include "models/blocks/perception_encoder.h"

#include <inttypes.h>
#include <math.h>

/* What makes rows of the text's width of numbers of another tower, or of its words. */
typedef struct embedder {
    const char *name;
    int64_t width, words, offset; /* the first word's id is offset */
    double eps;
} embedder;

static embedder read_embedder(const am_config *c, const char *name, int64_t width, int64_t offset)
{
    return (embedder){.name = name,
                      .width = am_config_size(c, "hidden_size", width),
                      .words = am_config_size(c, "vocab_size", 128),
                      .offset = am_config_size(c, "vocab_offset", offset),
                      .eps = am_config_real(c, "rms_norm_eps", 1e-6)};
}

static embedder vision_embedder(const am_config *c)
{
    am_config vision = am_config_child(c, "vision_config");
    return read_embedder(&vision, "embed_vision", 2048, 262144);
}

static embedder audio_embedder(const am_config *c)
{
    am_config audio = am_config_child(c, "audio_config");
    return read_embedder(&audio, "embed_audio", 1536, 262272);
}

/* x: [.., width] -> [.., C], normed by NAME_embedding_norm. */
static am_value embedded(am_builder *b, const embedder *e, const char *norm, am_value x, int64_t C)
{
    x = am_linear(b, "embedding_projection", am_rms_norm(b, norm, x, e->eps, 0), C, AM_NO_BIAS);
    return am_bare_rms_norm(b, x, e->eps);
}

static am_value rows_of(am_builder *b, const embedder *e, am_value x, int64_t C)
{
    am_scope(b, "%s", e->name);
    x = embedded(b, e, "soft_embedding_norm", x, C);
    am_end_scope(b);
    return x;
}

/* x: [B, T, C] with the rows of words at the places of those ids that are from `offset` on, and below `end` (0: all).
 */
static am_value with_words(am_builder *b, const embedder *e, am_value x, am_value ids, int64_t end)
{
    am_value is = am_binary_number(b, AM_GREATER_EQUAL, ids, (double)e->offset);
    if (end) is = am_binary(b, AM_LOGICAL_AND, is, am_binary_number(b, AM_LESS, ids, (double)end));
    am_value number = am_select(b, is, am_add_number(b, ids, (double)-e->offset), am_scalar(b, AM_I32, 0));
    am_scope(b, "%s", e->name);
    am_value rows = embedded(b, e, "hard_embedding_norm", am_embedding(b, "embedding", number, e->words, e->width),
                             am_dim(b, x, 2));
    am_end_scope(b);
    return am_select(b, am_unsqueeze(b, is, 2), rows, x);
}

/* --- towers --- */

/* Of the input pixel_values: [B, soft tokens, C]. */
static am_value image_rows(am_builder *b, int64_t C)
{
    const am_config *c = am_model_config(b);
    am_config vision = am_config_child(c, "vision_config");
    embedder e = vision_embedder(c);
    int64_t tokens = am_config_size(c, "vision_soft_tokens_per_image", 256);
    am_scope(b, "vision_tower.timm_model");
    am_value x = am_input(b, "pixel_values", 4);
    bool is_default = !am_config_has(&vision, "architecture") || am_is_mobilenet_v5(&vision);
    x = (is_default ? am_mobilenet_v5 : am_perception_encoder)(b, &vision, x);
    am_end_scope(b);
    if (am_builder_failed(b) || !x.id) return AM_NONE;
    am_shape shape = am_shape_of_value(b, x);
    if (am_shape_count(&shape) != shape.dims[0] * e.width * tokens)
        am_config_fail(c, "vision_soft_tokens_per_image",
                       "%" PRId64 " of %" PRId64 " numbers are not those of an image", tokens, e.width);
    if (am_builder_failed(b)) return AM_NONE;
    x = am_transpose(b, am_reshape(b, x, am_shape_of(am_dim(b, x, 0), e.width, tokens)), 1, 2);
    return rows_of(b, &e, am_mul_number(b, x, sqrt((double)e.width)), C);
}

/* The row of the last word of the text's table, which stands for silence: [1, 1, C]. */
static am_value silence(am_builder *b, const embedder *e, int64_t vocab_size, int64_t C)
{
    int64_t number = vocab_size - 1 - e->offset;
    if (number < 0 || number >= e->words)
        am_config_fail(am_model_config(b), "text_config.vocab_size", "its last word is none of audio_config's");
    if (am_builder_failed(b)) return AM_NONE;
    am_value ids = am_reshape(b, am_cast(b, am_scalar(b, AM_I32, (double)number), AM_I32), am_shape_of(1, 1));
    am_scope(b, "%s", e->name);
    am_value x = embedded(b, e, "hard_embedding_norm", am_embedding(b, "embedding", ids, e->words, e->width), C);
    am_end_scope(b);
    return x;
}

/* Of the input input_features, silence behind them: [B, soft tokens, C]. */
static am_value audio_rows(am_builder *b, int64_t vocab_size, int64_t C)
{
    const am_config *c = am_model_config(b);
    am_config audio = am_config_child(c, "audio_config");
    embedder e = audio_embedder(c);
    int64_t tokens = am_config_size(c, "audio_soft_tokens_per_image", 188);
    am_value mask = am_input(b, "input_features_mask", 2);
    if (am_dtype_of(b, mask) != AM_BOOL) mask = am_binary_number(b, AM_NOT_EQUAL, mask, 0);
    am_gemma4_sound input = {.frames = am_input(b, "input_features", 3), .mask = mask};
    am_scope(b, "audio_tower");
    am_gemma4_sound sound = am_gemma3n_audio(b, &audio, &input);
    am_end_scope(b);
    am_value none = silence(b, &e, vocab_size, C);
    if (am_builder_failed(b)) return AM_NONE;
    int64_t B = am_dim(b, sound.frames, 0), T = am_dim(b, sound.frames, 1);
    if (T > tokens)
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT,
                                    "sounds of %" PRId64 " tokens, at most %" PRId64
                                    " (audio_soft_tokens_per_image) have places",
                                    T, tokens));
    am_value x = am_select(b, am_unsqueeze(b, sound.mask, 2), rows_of(b, &e, sound.frames, C), none);
    return T < tokens ? am_concat2(b, x, am_broadcast(b, none, am_shape_of(B, tokens - T, C)), 1) : x;
}

/* --- the text --- */

/* Embeddings of the words, or those given: [B, T, C]. */
static am_value words(am_builder *b, const am_config *text, int64_t C)
{
    const am_config *c = am_model_config(b);
    if (am_has_input(b, "inputs_embeds")) return am_input(b, "inputs_embeds", 3);
    embedder vision = vision_embedder(c), audio = audio_embedder(c);
    am_value ids = am_input(b, "input_ids", 2);
    am_scope(b, "language_model");
    am_value x = am_embedding(b, "embed_tokens", ids, am_config_size(text, "vocab_size", 262400), C);
    am_end_scope(b);
    x = am_mul_number(b, x, sqrt((double)C));
    return with_words(b, &audio, with_words(b, &vision, x, ids, audio.offset), ids, 0);
}

static am_feature_rows placed(am_builder *b, am_value rows, const char *key, int64_t fallback)
{
    return (am_feature_rows){.rows = am_flatten(b, rows, 0, 1),
                             .ids = am_input(b, "input_ids", 2),
                             .token = am_config_int(am_model_config(b), key, fallback)};
}

/* What is seen and heard, in its places: how many kinds. */
static int features(am_builder *b, const am_config *text, int64_t C, am_feature_rows out[2], am_value shown[2])
{
    int count = 0;
    am_pause_cache(b);
    if (am_has_input(b, "pixel_values")) {
        shown[0] = image_rows(b, C);
        out[count++] = placed(b, shown[0], "image_token_id", 262145);
    }
    if (am_has_input(b, "input_features")) {
        shown[1] = audio_rows(b, am_config_size(text, "vocab_size", 262400), C);
        out[count++] = placed(b, shown[1], "audio_token_id", 262273);
    }
    am_resume_cache(b);
    return count;
}

/* Final hidden states: [B, T, C], below `prefix`. */
static am_value body(am_builder *b, const am_config *text, const char *prefix)
{
    int64_t C = am_config_size(text, "hidden_size", 2048);
    am_value shown[2] = {AM_NONE, AM_NONE};
    am_feature_rows rows[2];
    am_input_optional(b, "token_type_ids", 2); /* says nothing that ids do not */
    am_scope(b, "%s", prefix);
    am_value ids = am_has_input(b, "inputs_embeds") ? AM_NONE : am_input(b, "input_ids", 2);
    am_part_input inputs[] = {{.name = "inputs_embeds", .value = words(b, text, C)},
                              {.name = "input_ids", .value = ids}};
    am_part part = {.auto_class = "AutoModel",
                    .model_type = "gemma3n_text",
                    .config = text,
                    .inputs = inputs,
                    .input_count = 2,
                    .features = rows,
                    .feature_count = features(b, text, C, rows, shown)};
    if (am_builder_failed(b)) return AM_NONE;
    am_scope(b, "language_model");
    am_part_outputs outputs = am_build_part(b, &part);
    am_end_scope(b);
    am_end_scope(b);
    am_output_part_list(b, &outputs, "hidden_states", "hidden_states");
    if (shown[0].id) am_output(b, "image_hidden_states", shown[0]);
    if (shown[1].id) am_output(b, "audio_hidden_states", shown[1]);
    return am_part_output(&outputs, "last_hidden_state");
}

static void gemma3n_model(am_builder *b)
{
    am_config text = am_config_child(am_model_config(b), "text_config");
    am_output(b, "last_hidden_state", body(b, &text, ""));
}

static void for_conditional_generation(am_builder *b)
{
    const am_config *c = am_model_config(b);
    am_config text = am_config_child(c, "text_config");
    double cap = am_decoder_real_or_none(&text, "final_logit_softcapping", 30);
    am_value x = body(b, &text, "model");
    if (am_builder_failed(b)) return;
    am_value logits = am_lm_head(b, "lm_head", x, am_config_size(&text, "vocab_size", 262400),
                                 am_config_flag(c, "tie_word_embeddings", true),
                                 "model.language_model.embed_tokens.weight", AM_NO_BIAS);
    am_output(b, "logits", cap != 0 ? am_soft_cap(b, logits, cap) : logits);
}

static const am_architecture architectures[] = {
    {"Gemma3nModel", gemma3n_model, NULL, 0},
    {"Gemma3nForConditionalGeneration", for_conditional_generation, "image-text-to-text", AM_GENERATES},
    {0},
};

const am_model_type am_model_gemma3n = {.name = "gemma3n", .base_prefix = "model", .architectures = architectures};
