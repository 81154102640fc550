/* The text model of PaddleOCR-VL: ERNIE 4.5 whose tokens have places in time, height and width, and whose pairs are the
   halves of a head. transformers: models/paddleocr_vl/modeling_paddleocr_vl.py */
#include "models/blocks/decoder.h"

static void adapt(const am_config *c, am_decoder_options *o)
{
    static const int64_t sections[3] = {16, 24, 24};
    o->qkv_bias = o->out_bias = o->mlp_bias = am_config_flag(c, "use_bias", false);
    o->mrope = am_mrope_sections_read(c, &o->rope, sections, false);
}

static const am_architecture architectures[] = {
    {"PaddleOCRTextModel", am_decoder_model, "feature-extraction", 0},
    {0},
};

static const am_decoder_family family = {
    .defaults = {.vocab_size = 103424,
                 .hidden_size = 1024,
                 .intermediate_size = 3072,
                 .num_hidden_layers = 18,
                 .num_attention_heads = 16,
                 .num_key_value_heads = 2,
                 .head_dim = 128,
                 .max_position_embeddings = 131072,
                 .rms_norm_eps = 1e-5,
                 .rope_theta = 500000,
                 .whole_heads = true,
                 .tied = true,
                 .has_pad_token = true},
    .adapt = adapt,
};

const am_model_type am_model_paddleocr_vl_text = {
    .name = "paddleocr_vl_text", .base_prefix = "model", .architectures = architectures, .family = &family};
