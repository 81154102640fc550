/* AltCLIP: CLIP's image tower beside XLM-RoBERTa, whose states are normed and projected; that of the first token is the
   text's vector. transformers: models/altclip/modeling_altclip.py */
#include "models/blocks/clip.h"
#include "models/blocks/encoder.h"
#include "models/blocks/heads.h"

static am_bert_options read_text(const am_config *c)
{
    am_bert_options o = {
        .vocab_size = am_config_size(c, "vocab_size", 250002),
        .hidden_size = am_config_size(c, "hidden_size", 1024),
        .num_hidden_layers = am_config_count(c, "num_hidden_layers", 24),
        .num_attention_heads = am_config_size(c, "num_attention_heads", 16),
        .intermediate_size = am_config_size(c, "intermediate_size", 4096),
        .max_position_embeddings = am_config_size(c, "max_position_embeddings", 514),
        .type_vocab_size = am_config_size(c, "type_vocab_size", 1),
        .hidden_act = am_config_activation(c, "hidden_act", AM_GELU),
        .layer_norm_eps = am_config_real(c, "layer_norm_eps", 1e-5),
        .positions_after_pad = am_pad_token(c, 1),
    };
    o.embedding_size = o.hidden_size;
    am_config_check_divides(c, "num_attention_heads", o.num_attention_heads, "hidden_size", o.hidden_size);
    return o;
}

static am_clip_output text_tower(am_builder *b, const am_config *c, const char *hidden_states)
{
    am_bert_options o = read_text(c);
    o.hidden_states = hidden_states;
    am_scope(b, "%s", am_clip_tower_scope(b, "text_model", "pre_LN.weight"));
    /* transformers reads either name, and writes "layers" for this tower alone */
    if (am_has_weight(b, "roberta.encoder.layers.0.output.dense.weight")) o.layers = "encoder.layers";
    am_value x = am_layer_norm(b, "pre_LN", am_bert_body(b, &o, "roberta"), o.layer_norm_eps);
    x = am_linear(b, "transformation", x, am_config_size(c, "project_dim", 768), AM_BIAS);
    am_end_scope(b);
    return (am_clip_output){x, am_index(b, x, 1, 0)};
}

static const am_architecture architectures[] = {
    {"AltCLIPModel", am_clip_model, "zero-shot-image-classification", 0},
    {"AltCLIPTextModel", am_clip_text_model, NULL, 0},
    {"AltCLIPVisionModel", am_clip_vision_model, "image-feature-extraction", 0},
    {0},
};

static const am_clip_family family = {
    .name = "altclip", .projection_dim = 768, .gives_unprojected = true, .text = text_tower};

const am_model_type am_model_altclip = {.name = "altclip altclip_text_model altclip_vision_model",
                                        .base_prefix = "altclip",
                                        .architectures = architectures,
                                        .family = &family};
