/* BLIP: a ViT and a BERT whose layers may attend to the image's states; the text is compared with the image, matched to
   it, or written about it. transformers: models/blip/modeling_blip.py, models/blip/modeling_blip_text.py */
#include "models/blocks/blip.h"
#include "models/blocks/heads.h"

static const am_blip_vision vision_defaults = {.hidden_size = 768,
                                               .intermediate_size = 3072,
                                               .num_hidden_layers = 12,
                                               .num_attention_heads = 12,
                                               .image_size = 384,
                                               .patch_size = 16,
                                               .layer_norm_eps = 1e-5};

/* --- the towers by themselves --- */

static am_bert_options read_text(am_builder *b)
{
    const am_config *c = am_model_config(b);
    am_bert_options o = am_bert_fields_read(c);
    o.vocab_size = am_config_size(c, "vocab_size", 30524);
    o.num_attention_heads = am_config_size(c, "num_attention_heads", 8);
    o.type_vocab_size = 0;
    am_config_check_divides(c, "num_attention_heads", o.num_attention_heads, "hidden_size", o.hidden_size);
    return o;
}

/* The layers see what came before, or all; they attend to encoder_hidden_states where these are given, and to all of
   them: encoder_attention_mask is read by the class, but does not reach its attention. */
static am_value text_body(am_builder *b, const char *prefix, const am_bert_options *o, bool is_causal)
{
    am_bert_attention a = am_bert_attention_default(b, o);
    a.projections.causal = is_causal;
    a.encoded = am_encoder_states_input(b);
    a.encoded.mask = AM_NONE;
    if (a.encoded.given && !am_config_flag(am_model_config(b), "is_decoder", true))
        am_config_fail(am_model_config(b), "is_decoder", "false leaves no cross-attention for encoder_hidden_states");
    am_scope(b, "%s", prefix);
    am_value x = am_input_optional(b, "encoder_embeds", 3);
    if (!x.id) x = am_bert_embeddings(b, o);
    x = am_bert_layers(b, x, o, &a);
    am_end_scope(b);
    return x;
}

static void text_model(am_builder *b)
{
    am_bert_options o = read_text(b);
    am_value x = text_body(b, "", &o, false);
    am_output(b, "last_hidden_state", x);
    if (am_has_weight(b, "pooler.dense.weight")) am_output(b, "pooler_output", am_bert_pooler(b, "", x));
}

static void text_lm_head_model(am_builder *b)
{
    am_bert_options o = read_text(b);
    am_output(b, "logits", am_bert_lm_logits(b, text_body(b, "bert", &o, true), &o, "bert"));
}

static am_clip_output vision(am_builder *b, const am_config *c, const char *hidden_states)
{
    return am_blip_vision_tower(b, c, &vision_defaults, am_input(b, "pixel_values", 4), hidden_states);
}

static void vision_model(am_builder *b)
{
    am_clip_output image = vision(b, am_model_config(b), NULL);
    am_output(b, "last_hidden_state", image.last_hidden_state);
    am_output(b, "pooler_output", image.pooled);
}

/* --- both --- */

static am_clip_output see(am_builder *b, const char *hidden_states)
{
    am_config c = am_config_child(am_model_config(b), "vision_config");
    am_scope(b, "vision_model");
    am_clip_output image = vision(b, &c, hidden_states);
    am_end_scope(b);
    return image;
}

/* The text class below `scope`; ids and mask are inputs of that name, states: [B, S, C] what it attends to, or
   AM_NONE. */
static am_part_outputs read(am_builder *b, const char *class_name, const char *scope, const char *ids, const char *mask,
                            am_value states, const char *states_mask)
{
    am_config c = am_config_child(am_model_config(b), "text_config");
    am_part_input inputs[] = {{.name = "input_ids", .whole = ids},
                              {.name = "attention_mask", .whole = mask},
                              {.name = "encoder_hidden_states", .value = states},
                              {.name = "encoder_attention_mask", .whole = states_mask},
                              {.name = "position_ids", .whole = "position_ids"}};
    am_part part = {.class_name = class_name, .config = &c, .inputs = inputs, .input_count = 5};
    am_scope(b, "%s", scope);
    am_part_outputs outputs = am_build_part(b, &part);
    am_end_scope(b);
    return outputs;
}

static void model(am_builder *b)
{
    int64_t C = am_config_size(am_model_config(b), "projection_dim", 512);
    am_clip_output image = see(b, "vision_model_output.hidden_states");
    am_part_outputs text = read(b, "BlipTextModel", "text_model", "input_ids", "attention_mask", AM_NONE, NULL);
    am_clip_output words = {am_part_output(&text, "last_hidden_state"), am_part_output(&text, "pooler_output")};
    am_output_part_list(b, &text, "hidden_states", "text_model_output.hidden_states");
    am_clip_output_logits(b, am_unit_length(b, am_linear(b, "text_projection", words.pooled, C, AM_NO_BIAS), 0),
                          am_unit_length(b, am_linear(b, "visual_projection", image.pooled, C, AM_NO_BIAS), 0));
    am_clip_output_tower(b, "text_model_output", &words);
    am_clip_output_tower(b, "vision_model_output", &image);
}

static void for_conditional_generation(am_builder *b)
{
    am_value image = see(b, NULL).last_hidden_state;
    am_part_outputs text = read(b, "BlipTextLMHeadModel", "text_decoder", "input_ids", "attention_mask", image, NULL);
    am_output(b, "logits", am_part_output(&text, "logits"));
    am_output(b, "image_embeds", image);
    am_output(b, "last_hidden_state", image);
}

/* The answer has no output of its own: what is written is known to a loss only. */
static void for_question_answering(am_builder *b)
{
    am_value image = see(b, NULL).last_hidden_state;
    am_part_outputs question = read(b, "BlipTextModel", "text_encoder", "input_ids", "attention_mask", image, NULL);
    read(b, "BlipTextLMHeadModel", "text_decoder", "decoder_input_ids", "decoder_attention_mask",
         am_part_output(&question, "last_hidden_state"), "attention_mask");
    am_output(b, "image_embeds", image);
    am_output(b, "last_hidden_state", image);
}

static void for_image_text_retrieval(am_builder *b)
{
    am_value image = see(b, NULL).last_hidden_state;
    am_part_outputs text = read(b, "BlipTextModel", "text_encoder", "input_ids", "attention_mask", image, NULL);
    am_value words = am_part_output(&text, "last_hidden_state");
    am_output(b, "itm_score", am_linear(b, "itm_head", am_index(b, words, 1, 0), 2, AM_BIAS));
    am_output(b, "last_hidden_state", image);
    am_output(b, "question_embeds", words);
}

static const am_architecture architectures[] = {
    {"BlipModel", model, NULL, 0},
    {"BlipForConditionalGeneration", for_conditional_generation, NULL, 0},
    {"BlipForQuestionAnswering", for_question_answering, NULL, 0},
    {"BlipForImageTextRetrieval", for_image_text_retrieval, NULL, 0},
    {"BlipTextModel", text_model, NULL, 0},
    {"BlipTextLMHeadModel", text_lm_head_model, NULL, AM_GENERATES},
    {"BlipVisionModel", vision_model, "image-feature-extraction", 0},
    {0},
};

const am_model_type am_model_blip = {
    .name = "blip blip_text_model blip_vision_model", .base_prefix = "blip", .architectures = architectures};
