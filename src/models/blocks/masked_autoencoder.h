/* Masked autoencoders (arXiv 2111.06377): an encoder reads the patches that are seen, a narrower decoder their states
   beside a mask token for each of the others, and says what pixels those have. */
#ifndef AM_MODELS_BLOCKS_MASKED_AUTOENCODER_H
#define AM_MODELS_BLOCKS_MASKED_AUTOENCODER_H

#include "models/blocks/pre_norm.h"

/* Sizes of a decoder. */
typedef struct am_mae_decoder {
    int64_t hidden_size, heads, layers, intermediate_size;
} am_mae_decoder;

/* decoder_hidden_size, decoder_num_attention_heads, decoder_num_hidden_layers, decoder_intermediate_size; `fallback`
   has the class's defaults. */
am_mae_decoder am_mae_decoder_read(const am_config *c, const am_mae_decoder *fallback);

/* The encoder's layers in the decoder's sizes, without masks and hidden states; `names` is borrowed. */
am_pre_norm_options am_mae_decoder_layers(const am_mae_decoder *decoder, const am_pre_norm_options *encoder,
                                          const am_pre_norm_names *names);

/* Tokens of each row at its places: x: [B, N, C], places: I32 [B, n] -> [B, n, C]. */
am_value am_tokens_at(am_builder *b, am_value x, am_value places);

#endif
