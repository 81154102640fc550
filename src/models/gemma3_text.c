/* Gemma 3, the text model: Gemma 2 with an RMSNorm on each query and key head and no soft caps (the class reads
   attn_logit_softcapping and does not use it); five layers of six look through a window and rotate by a base of their
   own. transformers: models/gemma3/modeling_gemma3.py */
#include "models/blocks/decoder.h"

#include <math.h>

/* Full layers turn slowly (rope_theta), sliding ones fast (rope_local_base_freq in files of 4.x). */
static void read_rope(const am_config *c, am_decoder_options *o)
{
    static const int64_t positions = 131072;
    double local = am_config_real(c, "rope_local_base_freq", 10000);
    am_config rope = am_config_child(c, "rope_parameters");
    o->rope = am_rope_config_read(c, "full_attention", o->head_dim, 1000000, 1, positions);
    o->has_sliding_rope = true;
    o->sliding_rope = am_config_has(&rope, "sliding_attention")
                          ? am_rope_config_read(c, "sliding_attention", o->head_dim, local, 1, positions)
                          : am_rope_config_default(c, o->head_dim, local, positions);
}

static void adapt(const am_config *c, am_decoder_options *o)
{
    o->hidden_act = am_config_activation(c, "hidden_activation", AM_GELU_TANH);
    o->qkv_bias = o->out_bias = am_config_flag(c, "attention_bias", false);
    o->norms = &am_gemma_norms;
    o->norm_weight_offset = 1;
    o->qk_norm = AM_QK_NORM_HEAD;
    o->embedding_scale = sqrt((double)o->hidden_size);
    o->attention_scale = 1 / sqrt((double)am_config_size(c, "query_pre_attn_scalar", 256));
    o->final_soft_cap = am_decoder_real_or_none(c, "final_logit_softcapping", 0);
    o->sliding_window = am_decoder_size_or_none(c, "sliding_window", 4096);
    o->window_cuts_blocks = true;
    am_decoder_read_sliding(c, o, 0, am_config_size(c, "sliding_window_pattern", 6));
    read_rope(c, o);
    o->both_ways = am_config_flag(c, "use_bidirectional_attention", false);
}

static const am_architecture architectures[] = {
    {"Gemma3TextModel", am_decoder_model, "feature-extraction", 0},
    {"Gemma3ForCausalLM", am_decoder_for_causal_lm, "text-generation", AM_GENERATES},
    {"Gemma3TextForSequenceClassification", am_decoder_for_sequence_classification, "text-classification", 0},
    {0},
};

static const am_decoder_family family = {
    .defaults = {.vocab_size = 262208,
                 .hidden_size = 2304,
                 .intermediate_size = 9216,
                 .num_hidden_layers = 26,
                 .num_attention_heads = 8,
                 .num_key_value_heads = 4,
                 .head_dim = 256,
                 .max_position_embeddings = 131072,
                 .tied = true,
                 .has_pad_token = true},
    .adapt = adapt,
};

const am_model_type am_model_gemma3_text = {
    .name = "gemma3_text", .base_prefix = "model", .architectures = architectures, .family = &family};
