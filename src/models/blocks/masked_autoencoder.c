#include "models/blocks/masked_autoencoder.h"

am_mae_decoder am_mae_decoder_read(const am_config *c, const am_mae_decoder *fallback)
{
    am_mae_decoder d = {
        .hidden_size = am_config_size(c, "decoder_hidden_size", fallback->hidden_size),
        .heads = am_config_size(c, "decoder_num_attention_heads", fallback->heads),
        .layers = am_config_count(c, "decoder_num_hidden_layers", fallback->layers),
        .intermediate_size = am_config_size(c, "decoder_intermediate_size", fallback->intermediate_size),
    };
    am_config_check_divides(c, "decoder_num_attention_heads", d.heads, "decoder_hidden_size", d.hidden_size);
    return d;
}

am_pre_norm_options am_mae_decoder_layers(const am_mae_decoder *decoder, const am_pre_norm_options *encoder,
                                          const am_pre_norm_names *names)
{
    am_pre_norm_options o = *encoder;
    o.num_hidden_layers = decoder->layers;
    o.intermediate_size = decoder->intermediate_size;
    o.attention.heads = decoder->heads;
    o.attention.mask = AM_NONE;
    o.names = names;
    o.hidden_states = "";
    return o;
}

am_value am_tokens_at(am_builder *b, am_value x, am_value places)
{
    am_shape shape = am_shape_of(am_dim(b, places, 0), am_dim(b, places, 1), am_dim(b, x, 2));
    return am_gather(b, x, am_broadcast(b, am_unsqueeze(b, places, 2), shape), 1, true);
}
