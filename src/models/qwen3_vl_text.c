/* The text model of Qwen3-VL: Qwen3 whose tokens have places in time, height and width, and whose first layers are each
   followed by states of a layer of the tower, added at the images' tokens. transformers:
   models/qwen3_vl/modeling_qwen3_vl.py */
#include "models/blocks/decoder.h"
#include "models/blocks/multimodal.h"

#include <stdio.h>

/* x: [B, T, C] */
static am_value add_visual_states(am_builder *b, am_value x, int index)
{
    char name[48];
    snprintf(name, sizeof name, "deepstack_visual_embeds.%d", index);
    am_value rows = am_input_optional(b, name, 2);
    if (!rows.id) return x;
    am_value is = am_input(b, "visual_pos_masks", 2);
    am_require_count(b, is, 1, am_dim(b, rows, 0), "rows of deepstack_visual_embeds");
    if (am_dtype_of(b, is) != AM_BOOL) is = am_binary_number(b, AM_NOT_EQUAL, is, 0);
    return am_add(b, x, am_spread_rows(b, rows, is));
}

static void adapt(const am_config *c, am_decoder_options *o)
{
    static const int64_t sections[3] = {24, 20, 20};
    o->qk_norm = AM_QK_NORM_HEAD;
    o->qkv_bias = o->out_bias = am_config_flag(c, "attention_bias", false);
    o->mrope = am_mrope_sections_read(c, &o->rope, sections, true);
    o->after_layer = add_visual_states;
}

static const am_architecture architectures[] = {
    {"Qwen3VLTextModel", am_decoder_model, "feature-extraction", 0},
    {0},
};

static const am_decoder_family family = {
    .defaults = {.vocab_size = 151936,
                 .intermediate_size = 22016,
                 .num_key_value_heads = 32,
                 .head_dim = 128,
                 .max_position_embeddings = 128000,
                 .rope_theta = 500000,
                 .whole_heads = true},
    .adapt = adapt,
};

const am_model_type am_model_qwen3_vl_text = {
    .name = "qwen3_vl_text", .base_prefix = "model", .architectures = architectures, .family = &family};
