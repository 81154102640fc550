/* VQGAN (arXiv 2012.09841): residual convolutions that make a small picture of vectors of an image, each of which is
   then the nearest of a codebook, and others that make an image of those. Weights lie below "encoder", "quant_conv",
   "quantize", "post_quant_conv" and "decoder". */
#ifndef AM_MODELS_BLOCKS_VQGAN_H
#define AM_MODELS_BLOCKS_VQGAN_H

#include "models/model.h"

enum { AM_VQGAN_LEVELS = 16 };

typedef struct am_vqgan {
    const am_config *c; /* it was read from */
    int64_t in_channels, base_channels, latent_channels, embed_dim, num_embeddings, num_res_blocks;
    int64_t channels[AM_VQGAN_LEVELS]; /* of each level, the largest pictures first */
    int levels;
    bool double_latent, attends_between;
    bool attends[AM_VQGAN_LEVELS]; /* which levels have attention behind each residual block */
    double beta;                   /* of the loss */
    int states;                    /* hidden states named so far, or -1: none are */
} am_vqgan;

/* The fields that its members share; attention is the member's. */
am_vqgan am_vqgan_read(const am_config *c);

/* Marks the levels whose pictures have a side in the list attn_resolutions, where attn_type is "vanilla": none else. */
void am_vqgan_read_attention(am_vqgan *v);

/* x: [B, C, ..] normed in 32 groups, and times its sigmoid. */
am_value am_vqgan_normed_swish(am_builder *b, const char *name, am_value x);

/* The residual block below the scope, x: [B, C, H, W] -> [B, out, H, W]. */
am_value am_vqgan_residual(am_builder *b, am_value x, int64_t out);

/* The convolution NAME of 3 x 3 over x: [B, C, H, W], zeros around it -> [B, out, H, W]. */
am_value am_vqgan_conv(am_builder *b, const char *name, am_value x, int64_t out);

/* Half the sides, by the convolution NAME: x: [B, C, H, W] -> [B, C, H / 2, W / 2]. */
am_value am_vqgan_halve(am_builder *b, const char *name, am_value x);

/* Names the next hidden state. */
void am_vqgan_state(am_builder *b, am_vqgan *v, am_value x);

/* x: [B, in_channels, H, W] -> [B, latent_channels, h, w]. */
am_value am_vqgan_encode(am_builder *b, am_value x, am_vqgan *v);

/* The same back: [B, latent_channels, h, w] -> [B, out_channels, H, W]. */
am_value am_vqgan_decode(am_builder *b, am_value x, const am_vqgan *v, int64_t out_channels);

/* Rows of the table nearest to those of x: [N, C]; the first of equals: I32 [N]. */
am_value am_nearest_codes(am_builder *b, am_value x, am_value table);

typedef struct am_vqgan_codes {
    am_value codes;     /* I32 [B * h * w] */
    am_value quantized; /* [B, embed_dim, h, w] */
    am_value loss;      /* F32, of rank 0 */
} am_vqgan_codes;

/* What the codebook makes of encoded x: [B, latent_channels, h, w]. */
am_vqgan_codes am_vqgan_quantize(am_builder *b, am_value x, const am_vqgan *v);

#endif
