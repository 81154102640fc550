/* Chinese CLIP: CLIP's image tower beside BERT, whose first token's state is the text's vector; BERT alone has its
   pooler. transformers: models/chinese_clip/modeling_chinese_clip.py */
#include "models/blocks/clip.h"
#include "models/blocks/encoder.h"
#include "models/blocks/heads.h"

static am_clip_output text_tower(am_builder *b, const am_config *c, const char *hidden_states)
{
    am_bert_options o = am_bert_options_read(c);
    o.is_decoder = false;
    o.hidden_states = hidden_states;
    o.zero_token = am_pad_token(c, 0); /* transformers clears its row when it opens a file */
    o.has_zero_token = o.zero_token >= 0;
    const char *scope = am_clip_tower_scope(b, "text_model", "embeddings.word_embeddings.weight");
    am_value x = am_bert_body(b, &o, scope);
    return (am_clip_output){x, am_index(b, x, 1, 0)};
}

static void text_model(am_builder *b)
{
    am_config c = am_clip_part_config(b, "text_config");
    const char *scope = am_clip_tower_scope(b, "text_model", "embeddings.word_embeddings.weight");
    am_value x = text_tower(b, &c, NULL).last_hidden_state;
    am_output(b, "last_hidden_state", x);
    am_scope(b, "%s", scope);
    if (am_has_weight(b, "pooler.dense.weight")) am_output(b, "pooler_output", am_bert_pooler(b, "", x));
    am_end_scope(b);
}

static const am_architecture architectures[] = {
    {"ChineseCLIPModel", am_clip_model, "zero-shot-image-classification", 0},
    {"ChineseCLIPTextModel", text_model, NULL, 0},
    {"ChineseCLIPVisionModel", am_clip_vision_model, "image-feature-extraction", 0},
    {0},
};

static const am_clip_family family = {.name = "chinese_clip", .text = text_tower};

const am_model_type am_model_chinese_clip = {.name = "chinese_clip chinese_clip_text_model chinese_clip_vision_model",
                                             .base_prefix = "chinese_clip",
                                             .architectures = architectures,
                                             .family = &family};
