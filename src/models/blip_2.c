/* BLIP-2: learned queries that a Q-Former lets attend to an image are projected among the words of any text model, or
   compared with a text that the Q-Former reads itself. transformers: models/blip_2/modeling_blip_2.py */
#include "models/blocks/blip.h"
#include "models/blocks/heads.h"

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

static am_value norm(am_builder *b, am_value x, const am_config *qformer)
{
    return am_layer_norm(b, "layernorm", x, am_config_real(qformer, "layer_norm_eps", 1e-12));
}

static void qformer_model(am_builder *b)
{
    am_value x = am_input(b, "query_embeds", 3);
    am_qformer q = {.config = am_model_config(b),
                    .queries = am_model_argument(b, "query_length", am_dim(b, x, 1)),
                    .mask = am_padding_mask(b, "attention_mask"),
                    .image = am_input_optional(b, "encoder_hidden_states", 3),
                    .image_mask = am_padding_mask(b, "encoder_attention_mask")};
    if (q.queries < 0 || q.queries > am_dim(b, x, 1))
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT, "query_length is more than query_embeds have"));
    am_clip_output out = am_qformer_layers(b, norm(b, x, q.config), &q);
    output(b, &out);
}

/* --- what the classes around them share --- */

static am_clip_output see(am_builder *b, const char *hidden_states)
{
    am_config c = am_config_child(am_model_config(b), "vision_config");
    am_value pixels = am_input(b, "pixel_values", 4);
    am_scope(b, "vision_model");
    am_clip_output image = am_blip_vision_tower(b, &c, &am_blip_2_vision, pixels, hidden_states);
    am_end_scope(b);
    return image;
}

/* What the queries know of an image's states: [B, S, C'] -> [B, N, C]. */
static am_clip_output ask(am_builder *b, am_value image, const char *hidden_states)
{
    am_config c = am_config_child(am_model_config(b), "qformer_config");
    am_value x = am_blip_queries(b, am_dim(b, image, 0));
    am_qformer q = {.config = &c, .queries = am_dim(b, x, 1), .image = image, .hidden_states = hidden_states};
    am_scope(b, "qformer");
    am_clip_output out = am_qformer_layers(b, norm(b, x, &c), &q);
    am_end_scope(b);
    return out;
}

/* The text alone: ids: [B, T] -> [B, T, C]; mask: [B, T] or AM_NONE. */
static am_clip_output read(am_builder *b, am_value ids, am_value mask, const char *hidden_states)
{
    am_config c = am_config_child(am_model_config(b), "qformer_config");
    am_bert_options o = am_qformer_options(&c);
    am_value places = am_input_optional(b, "position_ids", 2);
    if (!places.id) places = am_iota(b, AM_I32, am_shape_of(1, am_dim(b, ids, 1)), 1, 0, 1);
    am_scope(b, "embeddings");
    am_value x = am_embedding(b, "word_embeddings", ids, o.vocab_size, o.hidden_size);
    x = am_add(b, x, am_embedding(b, "position_embeddings", places, o.max_position_embeddings, o.hidden_size));
    am_end_scope(b);
    am_qformer q = {.config = &c, .mask = am_padding_mask_of(b, mask), .hidden_states = hidden_states};
    am_scope(b, "qformer");
    am_clip_output out = am_qformer_layers(b, norm(b, x, &c), &q);
    am_end_scope(b);
    return out;
}

/* Unit vectors of x by the linear NAME: [.., C] -> [.., image_text_hidden_size]. */
static am_value project(am_builder *b, const char *name, am_value x)
{
    int64_t D = am_config_size(am_model_config(b), "image_text_hidden_size", 256);
    return am_unit_length(b, am_linear(b, name, x, D, AM_BIAS), 1e-12);
}

/* --- classes --- */

/* Behind the prompt's first run there are no images, and only words go on. */
static am_value rows(am_builder *b)
{
    am_config text = am_config_child(am_model_config(b), "text_config");
    int64_t C = am_config_size(&text, am_config_either(&text, "hidden_size", "d_model"), 768);
    if (!am_has_input(b, "pixel_values") && am_has_cache(b)) return AM_NONE;
    am_pause_cache(b);
    am_clip_output image = see(b, "vision_outputs.hidden_states");
    am_clip_output queries = ask(b, image.last_hidden_state, "qformer_outputs.hidden_states");
    am_value x = am_linear(b, "language_projection", queries.last_hidden_state, C, AM_BIAS);
    am_resume_cache(b);
    am_clip_output_tower(b, "vision_outputs", &image);
    am_clip_output_tower(b, "qformer_outputs", &queries);
    return x;
}

static void for_conditional_generation(am_builder *b)
{
    am_blip_write(b, rows(b), false, true);
}

static void text_model_with_projection(am_builder *b)
{
    am_value ids = am_input(b, "input_ids", 2), mask = am_input_optional(b, "attention_mask", 2);
    am_value x = read(b, ids, mask, NULL).last_hidden_state;
    am_output(b, "text_embeds", project(b, "text_projection", x));
    am_output(b, "last_hidden_state", x);
}

static void vision_model_with_projection(am_builder *b)
{
    am_value image = see(b, NULL).last_hidden_state;
    am_output(b, "image_embeds", project(b, "vision_projection", ask(b, image, "").last_hidden_state));
    am_output(b, "last_hidden_state", image);
}

/* Where texts have places for an image, they are left away: x: [B, T] -> [B, T - num_query_tokens]. */
static am_value words_only(am_builder *b, am_value x)
{
    const am_config *c = am_model_config(b);
    bool has_places = am_config_has(c, am_config_either(c, "image_token_index", "image_token_id"));
    return x.id && has_places ? am_slice(b, x, 1, am_config_size(c, "num_query_tokens", 32), AM_SLICE_END) : x;
}

static void for_image_text_retrieval(am_builder *b)
{
    am_clip_output image = see(b, "vision_model_output.hidden_states");
    am_value queries = project(b, "vision_projection", ask(b, image.last_hidden_state, "").last_hidden_state);
    am_value ids = am_input(b, "input_ids", 2), mask = am_input_optional(b, "attention_mask", 2);
    am_clip_output text = read(b, words_only(b, ids), words_only(b, mask), "text_model_output.hidden_states");
    am_value words = project(b, "text_projection", text.pooled);
    am_value logits = am_matmul(b, queries, words, false, true); /* [images, N, texts] */
    logits = am_reduce(b, AM_REDUCE_MAX, logits, am_shape_of(1), false);
    am_output(b, "logits_per_image", logits);
    am_output(b, "logits_per_text", am_transpose(b, logits, 0, 1));
    am_output(b, "text_embeds", words);
    am_output(b, "image_embeds", queries);
    am_clip_output_tower(b, "text_model_output", &text);
    am_clip_output_tower(b, "vision_model_output", &image);
}

static const am_architecture architectures[] = {
    {"Blip2Model", for_conditional_generation, NULL, 0},
    {"Blip2ForConditionalGeneration", for_conditional_generation, "image-text-to-text", AM_GENERATES},
    {"Blip2ForImageTextRetrieval", for_image_text_retrieval, NULL, 0},
    {"Blip2TextModelWithProjection", text_model_with_projection, NULL, 0},
    {"Blip2VisionModelWithProjection", vision_model_with_projection, NULL, 0},
    {"Blip2VisionModel", vision_model, "image-feature-extraction", 0},
    {"Blip2QFormerModel", qformer_model, NULL, 0},
    {0},
};

const am_model_type am_model_blip_2 = {
    .name = "blip-2 blip_2_vision_model blip_2_qformer", .base_prefix = "blip", .architectures = architectures};
