/* InstructBLIP: BLIP-2 whose Q-Former reads the question beside its queries; and InstructBLIP of videos, which does so
   for every frame. transformers: models/instructblip/modeling_instructblip.py,
   models/instructblipvideo/modeling_instructblipvideo.py */
#include "models/blocks/blip.h"
#include "models/blocks/heads.h"

#include <string.h>

/* --- parts by themselves --- */

static void output(am_builder *b, const am_clip_output *o)
{
    am_output(b, "last_hidden_state", o->last_hidden_state);
    am_output(b, "pooler_output", o->pooled);
}

static void vision_model(am_builder *b)
{
    am_value pixels = am_input(b, "pixel_values", 4);
    am_clip_output image = am_blip_vision_tower(b, am_model_config(b), &am_blip_2_vision, pixels, NULL);
    output(b, &image);
}

/* Queries: [B, N, C] and words at ids: [B, T], either of which may be AM_NONE, one behind the other and normed. */
static am_value embed(am_builder *b, am_value queries, am_value ids, am_value places, const am_config *c)
{
    am_bert_options o = am_qformer_options(c);
    am_value x = queries;
    am_scope(b, "embeddings");
    if (ids.id) {
        if (!places.id) places = am_iota(b, AM_I32, am_shape_of(1, am_dim(b, ids, 1)), 1, 0, 1);
        x = am_embedding(b, "word_embeddings", ids, o.vocab_size, o.hidden_size);
        x = am_add(b, x, am_embedding(b, "position_embeddings", places, o.max_position_embeddings, o.hidden_size));
        if (queries.id) x = am_concat2(b, queries, x, 1);
    }
    x = am_layer_norm(b, "layernorm", x, o.layer_norm_eps);
    am_end_scope(b);
    return x;
}

static void qformer_model(am_builder *b)
{
    const am_config *c = am_model_config(b);
    am_value queries = am_input_optional(b, "query_embeds", 3), ids = am_input_optional(b, "input_ids", 2);
    if (!queries.id) ids = am_input(b, "input_ids", 2);
    am_qformer q = {.config = c,
                    .queries = queries.id ? am_dim(b, queries, 1) : 0,
                    .mask = am_padding_mask(b, "attention_mask"),
                    .image = am_input_optional(b, "encoder_hidden_states", 3),
                    .image_mask = am_padding_mask(b, "encoder_attention_mask")};
    am_clip_output out = am_qformer_layers(b, embed(b, queries, ids, am_input_optional(b, "position_ids", 2), c), &q);
    output(b, &out);
}

/* --- both --- */

/* x: [B, T], each row `times` times: [B * times, T]. */
static am_value repeat(am_builder *b, am_value x, int64_t times)
{
    int64_t B = am_dim(b, x, 0), T = am_dim(b, x, 1);
    if (times == 1 || am_builder_failed(b)) return x;
    return am_reshape(b, am_broadcast(b, am_unsqueeze(b, x, 1), am_shape_of(B, times, T)), am_shape_of(B * times, T));
}

/* What the queries know of the images' states when they read the question: [B, N + T, C]; a question is asked of
   `times` images. */
static am_clip_output ask(am_builder *b, am_value image, int64_t times)
{
    am_config c = am_config_child(am_model_config(b), "qformer_config");
    am_value queries = am_blip_queries(b, am_dim(b, image, 0)), ids = am_input(b, "qformer_input_ids", 2),
             mask = am_input_optional(b, "qformer_attention_mask", 2);
    int64_t N = am_dim(b, queries, 1), T = am_dim(b, ids, 1);
    ids = repeat(b, ids, times);
    if (mask.id) mask = am_join_attended(b, AM_NONE, N, repeat(b, mask, times), T);
    am_qformer q = {.config = &c,
                    .queries = N,
                    .mask = am_padding_mask_of(b, mask),
                    .image = image,
                    .hidden_states = "qformer_outputs.hidden_states"};
    am_scope(b, "qformer");
    am_clip_output out = am_qformer_layers(b, embed(b, queries, ids, AM_NONE, &c), &q);
    am_end_scope(b);
    return out;
}

/* Rows for the text of pixels: [B, 3, height, width], `times` images a text. */
static am_value rows(am_builder *b, am_value pixels, int64_t times)
{
    const am_config *c = am_model_config(b);
    am_config text = am_config_child(c, "text_config"), vision = am_config_child(c, "vision_config");
    int64_t C = am_config_size(&text, am_config_either(&text, "hidden_size", "d_model"), 768);
    am_scope(b, "vision_model");
    am_clip_output image = am_blip_vision_tower(b, &vision, &am_blip_2_vision, pixels, "vision_outputs.hidden_states");
    am_end_scope(b);
    am_clip_output states = ask(b, image.last_hidden_state, times);
    am_clip_output_tower(b, "vision_outputs", &image);
    am_clip_output_tower(b, "qformer_outputs", &states);
    am_value queries = am_slice(b, states.last_hidden_state, 1, 0, am_config_size(c, "num_query_tokens", 32));
    return am_linear(b, "language_projection", queries, C, AM_BIAS);
}

/* Behind the prompt's first run there are no images, and only words go on. */
static void write(am_builder *b, bool is_video, bool with_head)
{
    am_value x = AM_NONE;
    if (am_has_input(b, "pixel_values") || !am_has_cache(b)) {
        am_value pixels = am_input(b, "pixel_values", is_video ? 5 : 4);
        int64_t times = is_video ? am_dim(b, pixels, 1) : 1;
        am_pause_cache(b);
        x = rows(b, is_video ? am_flatten(b, pixels, 0, 1) : pixels, times);
        am_resume_cache(b);
    } else {
        am_input_optional(b, "qformer_input_ids", 2);
        am_input_optional(b, "qformer_attention_mask", 2);
    }
    am_blip_write(b, x, is_video, with_head);
}

static void model(am_builder *b)
{
    write(b, false, false);
}

static void for_conditional_generation(am_builder *b)
{
    write(b, false, true);
}

static void video_model(am_builder *b)
{
    write(b, true, false);
}

static void video_for_conditional_generation(am_builder *b)
{
    write(b, true, true);
}

static const am_architecture architectures[] = {
    {"InstructBlipModel", model, NULL, 0},
    {"InstructBlipForConditionalGeneration", for_conditional_generation, "image-text-to-text", AM_GENERATES},
    {"InstructBlipVisionModel", vision_model, "image-feature-extraction", 0},
    {"InstructBlipQFormerModel", qformer_model, NULL, 0},
    {"InstructBlipVideoModel", video_model, NULL, 0},
    {"InstructBlipVideoForConditionalGeneration", video_for_conditional_generation, NULL, AM_GENERATES},
    {"InstructBlipVideoVisionModel", vision_model, "image-feature-extraction", 0},
    {"InstructBlipVideoQFormerModel", qformer_model, NULL, 0},
    {0},
};

const am_model_type am_model_instructblip = {
    .name = "instructblip instructblip_vision_model instructblip_qformer instructblipvideo "
            "instructblipvideo_vision_model instructblipvideo_qformer",
    .base_prefix = "blip",
    .architectures = architectures};
