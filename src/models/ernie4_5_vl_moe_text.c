/* ERNIE 4.5 VL, the text model: ERNIE 4.5 MoE with places in time, height and width, whose layers have experts for
   words and others for pictures. transformers: models/ernie4_5_vl_moe/modeling_ernie4_5_vl_moe.py */
#include "models/blocks/decoder.h"
#include "models/blocks/experts.h"

#include <stdio.h>

enum { WORDS, PICTURES, KINDS };

static const char *const scopes[KINDS] = {"text_moe", "vision_moe"};

/* Router scores of x: [N, C] and what is added to them for the choice: [count]. Files of the whole model have both
   kinds' side by side, the routers the other way round. */
static am_value scores(am_builder *b, am_value x, int kind, int64_t count, am_value *bias)
{
    bool apart = am_has_weight(b, "gate.moe_statics.e_score_correction_bias");
    const char *name = apart ? "gate.moe_statics.e_score_correction_bias" : "moe_statics.e_score_correction_bias";
    *bias = am_index(b, am_weight(b, name, am_shape_of(apart ? 1 : KINDS, count)), 0, apart ? 0 : kind);
    if (apart) return am_linear(b, "gate", x, count, AM_NO_BIAS);
    am_value weight = am_weight(b, kind ? "gate.weight_1" : "gate.weight", am_shape_of(am_dim(b, x, -1), count));
    return am_linear_op(b, x, weight, AM_NONE, AM_NONE, &(am_linear_attributes){.in_out = true});
}

/* The mixture of one kind: x: [N, C] -> [N, C]. */
static am_value experts_of(am_builder *b, am_value x, int kind, const am_decoder_options *o, int64_t inner)
{
    const am_config *c = o->config;
    am_expert_routing_attributes routing = {
        .top_k = am_config_size(c, am_config_either(c, "moe_k", "num_experts_per_tok"), 6)};
    am_experts_options options = {.count = am_config_size(c, am_config_either(c, "moe_num_experts", "num_experts"), 64),
                                  .intermediate_size = inner,
                                  .activation = o->hidden_act};
    char gate[64];
    snprintf(gate, sizeof gate, "%s.gate.weight", scopes[kind]);
    bool apart = am_has_weight(b, gate);
    if (!apart) options.first = kind * options.count;
    am_scope(b, "%s", apart ? scopes[kind] : "");
    am_value bias, experts, logits = scores(b, x, kind, options.count, &bias);
    am_value weights = am_expert_routing(b, logits, bias, &routing, &experts);
    am_value sum = am_reduce_last(b, AM_REDUCE_SUM, weights);
    weights = am_div(b, weights, am_binary_number(b, AM_MAX, sum, am_config_real(c, "moe_norm_min", 1e-12)));
    x = am_chosen_experts(b, x, experts, weights, &options);
    am_end_scope(b);
    return x;
}

static am_value mixture(am_builder *b, am_value x, const am_decoder_layer *layer)
{
    static const int64_t sizes[KINDS] = {1536, 512};
    const am_decoder_options *o = layer->options;
    const am_config *c = o->config;
    int64_t inner[KINDS] = {1, 1};
    if (!am_is_mixture_layer(c, layer->index, 1)) return am_decoder_mlp(b, x, layer);
    if (am_config_sizes(c, "moe_intermediate_size", inner, KINDS, sizes, KINDS) != KINDS)
        am_config_fail(c, "moe_intermediate_size", "expected a list of 2");
    am_value rows = am_flatten(b, x, 0, 1), y = experts_of(b, rows, WORDS, o, inner[WORDS]);
    am_value kinds = am_input_optional(b, "moe_mm_token_type_ids", 2);
    if (kinds.id) {
        am_value seen = am_reshape(b, am_binary_number(b, AM_NOT_EQUAL, kinds, 0), am_shape_of(-1, 1));
        y = am_select(b, seen, experts_of(b, rows, PICTURES, o, inner[PICTURES]), y);
    }
    y = am_reshape(b, y, am_shape_of_value(b, x));
    int64_t shared = am_config_count(c, "moe_num_shared_experts", 2);
    if (shared == 0) return y;
    am_scope(b, "shared_experts");
    am_value always = am_gated_mlp(b, x, shared * inner[WORDS], o->hidden_act, o->mlp_bias ? AM_BIAS : AM_NO_BIAS);
    am_end_scope(b);
    return am_add(b, y, always);
}

/* The class takes them and does not use them. */
static void enter(am_builder *b, am_value x, const am_decoder_options *o)
{
    (void)x;
    (void)o;
    am_input_optional(b, "mm_token_type_ids", 2);
}

static void adapt(const am_config *c, am_decoder_options *o)
{
    static const int64_t sections[3] = {22, 22, 20};
    o->qkv_bias = o->out_bias = o->mlp_bias = am_config_flag(c, "use_bias", false);
    o->rotary_interleaved = true;
    o->mlp = mixture;
    o->enter = enter;
    o->mrope = am_mrope_sections_read(c, &o->rope, sections, false);
    o->mrope.alternates = true;
    if (o->mrope.count != 3 || o->mrope.pairs[0] != o->mrope.pairs[1])
        am_config_fail(c, "rope_parameters", "mrope_section: expected 3 numbers, as many for height as for width");
    if (o->rope.type != AM_ROPE_DEFAULT) am_config_fail(c, "rope_parameters", "rope_type: expected \"default\"");
}

static const am_architecture architectures[] = {
    {"Ernie4_5_VLMoeTextModel", am_decoder_model, "feature-extraction", 0},
    {"Ernie4_5_VL_MoeTextModel", am_decoder_model, "feature-extraction", 0},
    {0},
};

static const am_decoder_family family = {
    .defaults = {.vocab_size = 103424,
                 .hidden_size = 2560,
                 .intermediate_size = 12288,
                 .num_hidden_layers = 28,
                 .num_attention_heads = 20,
                 .num_key_value_heads = 4,
                 .max_position_embeddings = 131072,
                 .rms_norm_eps = 1e-5,
                 .rope_theta = 500000,
                 .whole_heads = true,
                 .tied = true},
    .adapt = adapt,
};

const am_model_type am_model_ernie4_5_vl_moe_text = {
    .name = "ernie4_5_vl_moe_text", .base_prefix = "model", .architectures = architectures, .family = &family};
