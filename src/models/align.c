/* ALIGN: BERT beside EfficientNet; both give a vector, and products of these over a temperature are the logits.
   transformers: models/align/modeling_align.py */
#include "models/blocks/clip.h"
#include "models/blocks/efficientnet.h"
#include "models/blocks/encoder.h"

/* Below the scope; hidden_states: their name. */
static am_clip_output text_tower(am_builder *b, const am_config *c, const char *hidden_states)
{
    am_bert_options o = am_bert_options_read(c);
    o.is_decoder = false;
    o.hidden_states = hidden_states;
    am_value x = am_bert_body(b, &o, "");
    return (am_clip_output){x, am_bert_pooler(b, "", x)};
}

static am_clip_output image_tower(am_builder *b, const am_config *c, const char *hidden_states)
{
    am_efficientnet o = am_efficientnet_read(c);
    am_value x = am_efficientnet_layers(b, &o, hidden_states);
    return (am_clip_output){x, am_efficientnet_pool(b, x, &o)};
}

static void output_tower(am_builder *b, const am_clip_output *tower)
{
    am_output(b, "last_hidden_state", tower->last_hidden_state);
    am_output(b, "pooler_output", tower->pooled);
}

static void text_model(am_builder *b)
{
    am_config c = am_config_part(am_model_config(b), "align", "text_config");
    am_scope(b, "%s", am_clip_tower_scope(b, "text_model", "embeddings.word_embeddings.weight"));
    am_clip_output text = text_tower(b, &c, "hidden_states");
    am_end_scope(b);
    output_tower(b, &text);
}

static void vision_model(am_builder *b)
{
    am_config c = am_config_part(am_model_config(b), "align", "vision_config");
    am_scope(b, "%s", am_clip_tower_scope(b, "vision_model", "embeddings.convolution.weight"));
    am_clip_output image = image_tower(b, &c, "hidden_states");
    am_end_scope(b);
    output_tower(b, &image);
}

static void align_model(am_builder *b)
{
    const am_config *c = am_model_config(b);
    am_config text_config = am_config_child(c, "text_config"), vision_config = am_config_child(c, "vision_config");
    am_scope(b, "text_model");
    am_clip_output text = text_tower(b, &text_config, "text_model_output.hidden_states");
    am_end_scope(b);
    am_scope(b, "vision_model");
    am_clip_output image = image_tower(b, &vision_config, "vision_model_output.hidden_states");
    am_end_scope(b);
    am_value words = am_index(b, text.last_hidden_state, 1, 0);
    words = am_linear(b, "text_projection", words, am_config_size(c, "projection_dim", 640), AM_BIAS);
    words = am_unit_length(b, words, 0);
    am_value pictures = am_unit_length(b, image.pooled, 0);
    am_value logits = am_matmul(b, words, pictures, false, true);
    logits = am_div(b, logits, am_parameter(b, "temperature", (am_shape){0}, logits));
    am_output(b, "logits_per_image", am_transpose(b, logits, 0, 1));
    am_output(b, "logits_per_text", logits);
    am_output(b, "text_embeds", words);
    am_output(b, "image_embeds", pictures);
    am_clip_output_tower(b, "text_model_output", &text);
    am_clip_output_tower(b, "vision_model_output", &image);
}

static const am_architecture architectures[] = {
    {"AlignModel", align_model, "zero-shot-image-classification", 0},
    {"AlignTextModel", text_model, NULL, 0},
    {"AlignVisionModel", vision_model, "image-feature-extraction", 0},
    {0},
};

const am_model_type am_model_align = {
    .name = "align align_text_model align_vision_model", .base_prefix = "align", .architectures = architectures};
