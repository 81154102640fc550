/* CLIP and its kin: a text tower and an image tower, each giving one vector; projected to one space and normed, their
   products are the logits. A member describes itself in an am_clip_family, and its table of classes names the builders
   below. Each class reads its tower's configuration from text_config or vision_config, or where there is none from the
   file itself. */
#ifndef AM_MODELS_BLOCKS_CLIP_H
#define AM_MODELS_BLOCKS_CLIP_H

#include "models/blocks/pre_norm.h"
#include "models/blocks/vision.h"

/* What a tower gives. */
typedef struct am_clip_output {
    am_value last_hidden_state; /* [B, T, C] */
    am_value pooled;            /* [B, C] */
} am_clip_output;

/* Where a text ends, whose state there is its vector. */
typedef enum am_clip_end {
    AM_CLIP_END_TOKEN,       /* the first eos_token_id; where that is 2, a mistake of old files, the largest id */
    AM_CLIP_END_TOKEN_FIXED, /* the first eos_token_id */
    AM_CLIP_END_LARGEST,     /* the largest id */
} am_clip_end;

/* A tower from its configuration c, below the scope of both; hidden_states is the name of its hidden states, null being
   "hidden_states", "" for none. */
typedef am_clip_output am_clip_tower(am_builder *b, const am_config *c, const char *hidden_states);

/* What a member's descriptor carries as its family. Numbers are what absent fields stand for, 0 being CLIP's. */
typedef struct am_clip_family {
    const char *name; /* model_type of both towers together */
    int64_t projection_dim;
    int64_t text_hidden_size, text_intermediate_size, text_heads, text_positions;
    int64_t image_size, patch_size;
    am_clip_end end;
    const char *image_norm;      /* of the embedded image; null: "pre_layrnorm" */
    bool resizes_positions;      /* images may have any size */
    bool gives_unprojected;      /* what towers pooled stands among the outputs as it is, and not projected */
    am_clip_tower *text, *image; /* null: those below */

    /* pooled: [B, C] -> [B, projection_dim], by the weight NAME below the scope; null: a linear without bias. */
    am_value (*project)(am_builder *b, const char *name, am_value pooled, const am_config *c);
} am_clip_family;

/* What CLIP calls the weights of a layer. */
extern const am_pre_norm_names am_clip_names;

/* The fields of a tower's layers as CLIP names them; the last three are for absent ones. */
am_pre_norm_options am_clip_layers_read(const am_config *c, int64_t hidden_size, int64_t intermediate_size,
                                        int64_t heads, const char *hidden_states);

/* The member's configuration of a tower: KEY_dict, which files of old versions have and which overrides all of KEY,
   KEY, or the whole where it has neither. */
am_config am_clip_part_config(am_builder *b, const char *key);

/* The scope of a tower's weights: a tower alone has them with or without its name. */
const char *am_clip_tower_scope(am_builder *b, const char *name, const char *weight);

/* Tokens of the input input_ids with their positions, below the tower's scope: [B, T, C]; vocab_size and positions are
   for absent fields. */
am_value am_clip_embed_text(am_builder *b, const am_config *c, int64_t C, int64_t vocab_size, int64_t positions);

/* Class token and patches with their positions, from images pixels: [B, channels, height, width], below the tower's
   scope: [B, 1 + N, C]. */
am_value am_clip_embed_image(am_builder *b, const am_config *c, am_value pixels, int64_t C);

/* The input pixel_values of the tower. */
am_value am_clip_pixels(am_builder *b, const am_config *c);

/* CLIP's own towers: pre-norm layers over a causal text with the input attention_mask, and over an image. */
am_clip_output am_clip_text_tower(am_builder *b, const am_config *c, const char *hidden_states);
am_clip_output am_clip_image_tower(am_builder *b, const am_config *c, const char *hidden_states);

/* The image tower over these pixels, which also gives all its states, num_hidden_layers + 1 of them, where out_states
   is not null. */
am_clip_output am_clip_image_tower_of(am_builder *b, const am_config *c, am_value pixels, const char *hidden_states,
                                      am_value *out_states);

/* The member's. */
am_clip_output am_clip_text(am_builder *b, const am_config *c, const char *hidden_states);
am_clip_output am_clip_image(am_builder *b, const am_config *c, const char *hidden_states);

/* pooled: [B, C] in the space of both, as the member projects it. */
am_value am_clip_project(am_builder *b, const char *name, am_value pooled, const am_config *c);

/* Outputs logits_per_image, logits_per_text, text_embeds and image_embeds of vectors [B, D] of unit length; the weight
   logit_scale lies below the scope. */
void am_clip_output_logits(am_builder *b, am_value texts, am_value images);

/* Outputs PREFIX.last_hidden_state and PREFIX.pooler_output. */
void am_clip_output_tower(am_builder *b, const char *prefix, const am_clip_output *tower);

/* Builders for the rows of a member's table. */
void am_clip_model(am_builder *b);
void am_clip_text_model(am_builder *b);
void am_clip_text_model_with_projection(am_builder *b);
void am_clip_vision_model(am_builder *b);
void am_clip_vision_model_with_projection(am_builder *b);
void am_clip_for_image_classification(am_builder *b);

#endif
