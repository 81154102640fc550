/* MiniMax M2: LLaMA with an RMSNorm over all query and all key heads together, a part of each head rotated, and a
   mixture of experts that sigmoid scores and a correction bias choose. transformers:
   models/minimax_m2/modeling_minimax_m2.py */
#include "models/blocks/decoder.h"
#include "models/blocks/experts.h"

static am_value mixture(am_builder *b, am_value x, const am_decoder_layer *layer)
{
    const am_config *c = am_model_config(b);
    am_mixture_options options = {
        .experts = {.count = am_config_size(c, am_config_either(c, "num_local_experts", "num_experts"), 256),
                    .intermediate_size = layer->options->intermediate_size,
                    .activation = layer->options->hidden_act,
                    .gate = "w1",
                    .up = "w3",
                    .down = "w2"},
        .routing = {.top_k = am_config_size(c, "num_experts_per_tok", 8), .sigmoid = true, .normalize = true},
        .correction_bias = "e_score_correction_bias",
        .bias_beside_gate = true,
    };
    return am_mixture(b, x, &options);
}

/* rotary_dim of older files is how many numbers of a head are rotated. */
static void read_rope(const am_config *c, am_decoder_options *o)
{
    int64_t dims = am_config_count(c, "rotary_dim", 0);
    if (dims)
        o->rope = am_rope_config_read(c, NULL, o->head_dim, 5000000, (double)dims / (double)o->head_dim,
                                      o->rope.max_positions);
}

static void adapt(const am_config *c, am_decoder_options *o)
{
    o->qk_norm = AM_QK_NORM_ALL;
    o->mlp = mixture;
    o->mlp_scope = "block_sparse_moe";
    read_rope(c, o);
}

static const am_architecture architectures[] = {
    {"MiniMaxM2Model", am_decoder_model, "feature-extraction", 0},
    {"MiniMaxM2ForCausalLM", am_decoder_for_causal_lm, "text-generation", AM_GENERATES},
    {0},
};

static const am_decoder_family family = {
    .defaults = {.vocab_size = 200064,
                 .hidden_size = 3072,
                 .intermediate_size = 1536,
                 .num_hidden_layers = 62,
                 .num_attention_heads = 48,
                 .num_key_value_heads = 8,
                 .head_dim = 128,
                 .max_position_embeddings = 196608,
                 .rope_theta = 5000000},
    .adapt = adapt,
};

const am_model_type am_model_minimax_m2 = {
    .name = "minimax_m2", .base_prefix = "model", .architectures = architectures, .family = &family};
