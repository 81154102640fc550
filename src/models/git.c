/* GIT: CLIP's image tower, whose projected states stand before the words of a BERT and see one another in both
   directions; words see what came before. transformers: models/git/modeling_git.py */
#include "models/blocks/clip.h"
#include "models/blocks/encoder.h"
#include "models/blocks/heads.h"

#include <inttypes.h>
#include <stdio.h>

/* --- image tower --- */

/* pixels: [N, channels, height, width] -> [N, 1 + P, C], all of whose states are normed. */
static am_value tower(am_builder *b, const am_config *c, am_value pixels, const char *hidden_states)
{
    am_image_options image = am_image_options_read(c, 224, 16);
    if (!am_builder_failed(b) &&
        (am_dim(b, pixels, 1) != image.num_channels || am_dim(b, pixels, 2) != image.image_size[0] ||
         am_dim(b, pixels, 3) != image.image_size[1]))
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT,
                                    "pixel_values: expected images of %" PRId64 " x %" PRId64 " x %" PRId64,
                                    image.num_channels, image.image_size[0], image.image_size[1]));
    am_value x = am_clip_image_tower_of(b, c, pixels, hidden_states, NULL).last_hidden_state;
    am_scope(b, "%s", am_clip_tower_scope(b, "vision_model", "post_layernorm.weight"));
    x = am_layer_norm(b, "post_layernorm", x, am_config_real(c, "layer_norm_eps", 1e-5));
    am_end_scope(b);
    return x;
}

static void vision_model(am_builder *b)
{
    am_output(b, "last_hidden_state", tower(b, am_model_config(b), am_input(b, "pixel_values", 4), NULL));
}

/* States of several frames, pixels: [B, frames, channels, height, width], each with what it knows of its place in time:
   [B, frames * (1 + P), C]. */
static am_value frames(am_builder *b, const am_config *vision, am_value pixels)
{
    int64_t B = am_dim(b, pixels, 0), F = am_dim(b, pixels, 1),
            known = am_config_count(am_model_config(b), "num_image_with_embedding", 0);
    if (F > known) am_config_fail(am_model_config(b), "num_image_with_embedding", "%" PRId64 " frames are given", F);
    am_scope(b, "image_encoder");
    am_value x = tower(b, vision, am_flatten(b, pixels, 0, 1), "");
    am_end_scope(b);
    if (am_builder_failed(b) || F > known) return AM_NONE;
    int64_t P = am_dim(b, x, 1), C = am_dim(b, x, 2);
    am_value *places = am_arena_array(am_builder_arena(b), (size_t)F + 1, sizeof *places);
    if (!places) am_builder_fail(b, am_out_of_memory());
    for (int64_t i = 0; i < F && !am_builder_failed(b); i++) {
        am_scope(b, "img_temporal_embedding");
        char name[32];
        snprintf(name, sizeof name, "%d", (int)i);
        places[i] = am_cast(b, am_weight(b, name, am_shape_of(1, 1, C)), AM_F32);
        am_end_scope(b);
    }
    if (am_builder_failed(b)) return AM_NONE;
    am_value time = am_reshape(b, am_concat(b, places, (int)F, 1), (am_shape){.rank = 4, .dims = {1, F, 1, C}});
    x = am_add(b, am_reshape(b, x, (am_shape){.rank = 4, .dims = {B, F, P, C}}), time);
    return am_flatten(b, x, 1, 2);
}

/* Images before the words of `rows` texts: [rows, N, C]; AM_NONE where none are given. */
static am_value images(am_builder *b, int64_t rows)
{
    const am_config *c = am_model_config(b);
    am_config vision = am_config_child(c, "vision_config");
    am_value pixels = am_input_optional(b, "pixel_values", -1), x;
    if (!pixels.id) return AM_NONE;
    if (am_rank(b, pixels) == 5) x = frames(b, &vision, pixels);
    else {
        am_scope(b, "image_encoder");
        x = tower(b, &vision, am_input(b, "pixel_values", 4), "");
        am_end_scope(b);
    }
    am_scope(b, "visual_projection.visual_projection");
    x = am_linear(b, "0", x, am_config_size(c, "hidden_size", 768), AM_BIAS);
    x = am_layer_norm(b, "1", x, am_config_real(&vision, "layer_norm_eps", 1e-5));
    am_end_scope(b);
    int64_t B = am_dim(b, x, 0), times = B ? rows / B : 0;
    if (am_builder_failed(b) || times <= 1) return x;
    am_shape several = {.rank = 4, .dims = {times, B, am_dim(b, x, 1), am_dim(b, x, 2)}};
    return am_flatten(b, am_broadcast(b, am_unsqueeze(b, x, 0), several), 0, 1);
}

/* --- text --- */

static am_bert_options read_text(const am_config *c)
{
    am_bert_options o = am_bert_fields_read(c);
    o.num_hidden_layers = am_config_count(c, "num_hidden_layers", 6);
    o.max_position_embeddings = am_config_size(c, "max_position_embeddings", 1024);
    o.type_vocab_size = 0;
    am_config_check_divides(c, "num_attention_heads", o.num_attention_heads, "hidden_size", o.hidden_size);
    return o;
}

/* What sees what: BOOL [B, 1, N + T, N + T] of N places of images before T words, mask: [B, T] or AM_NONE. */
static am_value seen(am_builder *b, am_value mask, int64_t B, int64_t N, int64_t T)
{
    am_value blocks = am_concat2(b, am_iota(b, AM_I32, am_shape_of(B, N), 1, 0, 0),
                                 am_iota(b, AM_I32, am_shape_of(B, T), 1, -1, 0), 1);
    am_value attended = mask.id ? am_join_attended(b, AM_NONE, N, mask, T) : AM_NONE;
    return am_block_mask(b, blocks, &(am_block_mask_options){.mask = am_padding_mask_of(b, attended)});
}

/* Last hidden state of images and words under `prefix`: [B, N + T, C]. */
static am_value body(am_builder *b, const char *prefix)
{
    am_bert_options o = read_text(am_model_config(b));
    am_bert_attention a = am_bert_attention_default(b, &o);
    am_value mask = am_input_optional(b, "attention_mask", 2);
    a.projections.causal = true;
    am_scope(b, "%s", prefix);
    am_value x = am_bert_embeddings(b, &o);
    int64_t B = am_dim(b, x, 0), T = am_dim(b, x, 1);
    am_value shown = images(b, B);
    if (shown.id) {
        a.projections.causal = false;
        a.projections.mask = seen(b, mask, B, am_dim(b, shown, 1), T);
        x = am_concat2(b, shown, x, 1);
    }
    x = am_bert_layers(b, x, &o, &a);
    am_end_scope(b);
    return x;
}

static void model(am_builder *b)
{
    am_output(b, "last_hidden_state", body(b, ""));
}

static void for_causal_lm(am_builder *b)
{
    const am_config *c = am_model_config(b);
    bool tied = am_config_flag(c, "tie_word_embeddings", false);
    am_output(b, "logits",
              am_lm_head(b, "output", body(b, "git"), am_config_size(c, "vocab_size", 30522), tied,
                         "git.embeddings.word_embeddings.weight", AM_BIAS));
}

static const am_architecture architectures[] = {
    {"GitModel", model, NULL, 0},
    {"GitForCausalLM", for_causal_lm, NULL, AM_GENERATES | AM_RECOMPUTES},
    {"GitVisionModel", vision_model, "image-feature-extraction", 0},
    {0},
};

static const am_clip_family family = {.name = "git", .patch_size = 16};

const am_model_type am_model_git = {
    .name = "git git_vision_model", .base_prefix = "git", .architectures = architectures, .family = &family};
