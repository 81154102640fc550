#include "models/blocks/phi3.h"

void am_phi3_adapt(const am_config *c, am_decoder_options *o)
{
    o->fused_qkv = o->fused_gate_up = true;
    o->sliding_window = am_decoder_size_or_none(c, "sliding_window", 0);
    for (int i = 0; o->sliding_window && i < o->num_hidden_layers; i++) o->sliding[i] = true;
    if (o->rope.type != AM_ROPE_DEFAULT && o->rope.type != AM_ROPE_LONGROPE)
        am_config_unsupported(c, "rope_parameters", "rope types other than default and longrope are not supported");
}

int64_t am_phi3_reads_again_beyond(const am_config *c)
{
    return am_config_size(c, "original_max_position_embeddings", 4096);
}
