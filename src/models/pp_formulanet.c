/* PP-FormulaNet: a picture of a formula in, LaTeX out. transformers: models/pp_formulanet/modeling_pp_formulanet.py */
#include "models/blocks/formulanet.h"
#include "models/blocks/heads.h"
#include "models/blocks/layers.h"
#include "models/blocks/seq2seq.h"

/* What the decoder attends to; the encoder's last hidden state is its map, and while a text is generated these rows. */
static am_value encode(am_builder *b)
{
    am_config c = am_config_child(am_model_config(b), "vision_config");
    am_value map;
    am_scope(b, "encoder");
    am_value rows = am_formulanet_encode(b, &c, "encoder_hidden_states", &map);
    am_end_scope(b);
    am_output(b, "encoder_last_hidden_state", am_model_stage(b) == AM_STAGE_FORWARD ? map : rows);
    return rows;
}

static am_value decode(am_builder *b, am_value rows)
{
    am_config c = am_config_child(am_model_config(b), "text_config");
    bool embedded = am_has_input(b, "decoder_inputs_embeds");
    am_value ids = embedded ? AM_NONE : am_decoder_input_ids_from_last(b, am_config_int(&c, "pad_token_id", 1));
    am_part_input inputs[] = {{.name = "input_ids", .value = ids},
                              {.name = "inputs_embeds", .whole = "decoder_inputs_embeds"},
                              {.name = "attention_mask", .whole = "decoder_attention_mask"},
                              {.name = "encoder_hidden_states", .value = rows},
                              {.name = "encoder_attention_mask", .value = AM_NONE}};
    am_part part = {.class_name = "PPFormulaNetTextModel",
                    .model_type = "pp_formulanet_text",
                    .config = &c,
                    .inputs = inputs,
                    .input_count = sizeof inputs / sizeof *inputs};
    am_scope(b, "decoder");
    am_part_outputs outputs = am_build_part(b, &part);
    am_end_scope(b);
    am_output_part_list(b, &outputs, "hidden_states", "decoder_hidden_states");
    return am_part_output(&outputs, "last_hidden_state");
}

/* The decoder's last hidden state, below `prefix`; AM_NONE in a graph of the encoder alone. */
static am_value run(am_builder *b, const char *prefix)
{
    am_stage stage = am_model_stage(b);
    am_value rows = AM_NONE;
    am_input_optional(b, "input_ids", 2); /* both are taken and have no effect */
    am_input_optional(b, "attention_mask", 2);
    am_scope(b, "%s", prefix);
    if (stage != AM_STAGE_DECODE) rows = encode(b);
    else if (!am_cross_cached(b)) rows = am_input(b, "encoder_hidden_states", 3);
    am_value x = stage == AM_STAGE_ENCODE ? AM_NONE : decode(b, rows);
    am_end_scope(b);
    return x;
}

static void model(am_builder *b)
{
    am_value x = run(b, "");
    if (x.id) am_output(b, "last_hidden_state", x);
}

static void for_conditional_generation(am_builder *b)
{
    am_config c = am_config_child(am_model_config(b), "text_config");
    am_value x = run(b, "model");
    if (!x.id) return;
    x = am_last_position_if_wanted(b, x);
    am_output(b, "logits", am_linear(b, "lm_head", x, am_config_size(&c, "vocab_size", 50000), AM_NO_BIAS));
}

static const am_architecture architectures[] = {
    {"PPFormulaNetModel", model, NULL, AM_ENCODER_DECODER},
    {"PPFormulaNetForConditionalGeneration", for_conditional_generation, NULL, AM_GENERATES | AM_ENCODER_DECODER},
    {0},
};

const am_model_type am_model_pp_formulanet = {
    .name = "pp_formulanet", .base_prefix = "model", .architectures = architectures};
