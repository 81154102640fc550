/* The text models of Qwen2-VL and Qwen2.5-VL: Qwen2 whose tokens have places in time, height and width.
   transformers: models/qwen2_vl/modeling_qwen2_vl.py, models/qwen2_5_vl/modeling_qwen2_5_vl.py */
#include "models/blocks/decoder.h"

static void adapt(const am_config *c, am_decoder_options *o)
{
    static const int64_t sections[3] = {16, 24, 24};
    o->qkv_bias = true;
    o->mrope = am_mrope_sections_read(c, &o->rope, sections, false);
    if (!am_config_flag(c, "use_sliding_window", false)) return;
    o->sliding_window = am_decoder_size_or_none(c, "sliding_window", 4096);
    am_decoder_read_sliding(c, o, am_config_int(c, "max_window_layers", 80), 0);
}

static const am_architecture architectures[] = {
    {"Qwen2VLTextModel", am_decoder_model, "feature-extraction", 0},
    {"Qwen2_5_VLTextModel", am_decoder_model, "feature-extraction", 0},
    {0},
};

static const am_decoder_family family = {
    .defaults = {.vocab_size = 152064,
                 .hidden_size = 8192,
                 .intermediate_size = 29568,
                 .num_hidden_layers = 80,
                 .num_attention_heads = 64,
                 .num_key_value_heads = 8,
                 .max_position_embeddings = 32768,
                 .rms_norm_eps = 1e-5,
                 .rope_theta = 1000000,
                 .whole_heads = true},
    .adapt = adapt,
};

const am_model_type am_model_qwen2_vl_text = {
    .name = "qwen2_vl_text qwen2_5_vl_text", .base_prefix = "model", .architectures = architectures, .family = &family};
