#include "models/blocks/gemma.h"

#include <math.h>

void am_gemma2_adapt(const am_config *c, am_decoder_options *o)
{
    o->hidden_act = am_config_activation(c, "hidden_activation", AM_GELU_TANH);
    o->qkv_bias = o->out_bias = am_config_flag(c, "attention_bias", false);
    o->norm_weight_offset = 1;
    o->embedding_scale = sqrt((double)o->hidden_size);
    o->attention_scale = 1 / sqrt((double)am_config_size(c, "query_pre_attn_scalar", 256));
    o->attention_soft_cap = am_decoder_real_or_none(c, "attn_logit_softcapping", 50);
    o->final_soft_cap = am_decoder_real_or_none(c, "final_logit_softcapping", 30);
    o->sliding_window = am_decoder_size_or_none(c, "sliding_window", 4096);
    am_decoder_read_sliding(c, o, 0, 2);
}
