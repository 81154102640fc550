/* CTRL: word embeddings times sqrt(C) plus fixed sines and cosines of the position; pre-norm layers with ReLU.
   transformers: models/ctrl/modeling_ctrl.py */
#include "models/blocks/causal.h"
#include "models/blocks/layers.h"
#include "models/blocks/pre_norm.h"

#include <math.h>

static const double LAYER_NORM_EPS = 1e-6; /* of the layers; not configurable */

static const am_gpt_config defaults = {
    .n_positions = 256, .n_embd = 1280, .n_layer = 48, .n_head = 16, .layer_norm_epsilon = 1e-6};

static const am_pre_norm_names names = {.layers = "h",
                                        .attention = "multi_head_attention",
                                        .norm_before = "layernorm1",
                                        .norm_after = "layernorm2",
                                        .up = "ffn.0",
                                        .down = "ffn.2"};

static am_pre_norm_options layer_options(am_builder *b, const am_gpt_config *g)
{
    return (am_pre_norm_options){
        .num_hidden_layers = g->n_layer,
        .intermediate_size = am_config_size(am_model_config(b), "dff", 8192),
        .hidden_act = AM_RELU,
        .layer_norm_eps = LAYER_NORM_EPS,
        .attention = {.heads = g->n_head,
                      .q = "Wq",
                      .k = "Wk",
                      .v = "Wv",
                      .out = "dense",
                      .causal = g->is_causal,
                      .mask = am_gpt_mask(b, g)},
        .names = &names,
        .final_norm = "layernorm",
        .final_norm_eps = g->layer_norm_epsilon,
    };
}

/* [rows, C]: sines of position / 10000^(2 i / C) in the first half, cosines in the second. */
static am_value sinusoids(am_builder *b, int64_t rows, int64_t C)
{
    if (am_builder_failed(b)) return AM_NONE;
    am_shape shape = am_shape_of(rows, C);
    float *data = am_shape_check(&shape) ? am_arena_array(am_builder_arena(b), (size_t)(rows * C), sizeof *data) : NULL;
    int64_t sines = (C + 1) / 2;
    if (!data) {
        am_builder_fail(b, am_out_of_memory());
        return AM_NONE;
    }
    for (int64_t i = 0; i < rows * C; i++) {
        int64_t column = i % C, pair = column < sines ? column : column - sines;
        double angle = (double)(i / C) * pow(10000, -2.0 * (double)pair / (double)C);
        data[i] = (float)(column < sines ? sin(angle) : cos(angle));
    }
    return am_constant_copy(b, AM_F32, shape, data);
}

/* Token types are added in a forward of the class; generation is given them and drops them. */
static am_value words(am_builder *b, int64_t C)
{
    am_input_optional(b, "token_type_ids", 2);
    am_value x = am_has_cache(b) ? am_causal_words(b, "w", C) : am_causal_embeddings(b, "w", C);
    return am_mul_number(b, x, sqrt((double)C));
}

static am_value body(am_builder *b, const char *prefix)
{
    am_gpt_config g = am_gpt_config_read(am_model_config(b), defaults);
    am_pre_norm_options options = layer_options(b, &g);
    am_scope(b, "%s", prefix);
    am_value x = words(b, g.n_embd), places = am_position_ids(b, am_dim(b, x, 1));
    x = am_add(b, x, am_gather(b, sinusoids(b, g.n_positions, g.n_embd), places, 0, false));
    x = am_pre_norm_layers(b, x, &options);
    am_end_scope(b);
    return x;
}

static const am_architecture architectures[] = {
    {"CTRLModel", am_causal_model, "feature-extraction", 0},
    {"CTRLLMHeadModel", am_causal_for_causal_lm, "text-generation", AM_GENERATES},
    {"CTRLForSequenceClassification", am_causal_for_sequence_classification, "text-classification", 0},
    {0},
};

static const am_causal_family family = {.body = body,
                                        .vocab_size = 246534,
                                        .embedding = "transformer.w.weight",
                                        .head_bias = true,
                                        .sequence_score = "classifier"};

const am_model_type am_model_ctrl = {
    .name = "ctrl", .base_prefix = "transformer", .architectures = architectures, .family = &family};
