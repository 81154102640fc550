/* Encoders of texts that are BERT but for rotary positions and a fused projection of queries, keys and values:
   post-norm layers, names by member. Classes are those of blocks/text_classes.h. transformers:
   models/jina_embeddings_v3/modeling_jina_embeddings_v3.py */
#ifndef AM_MODELS_BLOCKS_ROTARY_ENCODER_H
#define AM_MODELS_BLOCKS_ROTARY_ENCODER_H

#include "models/blocks/text_classes.h"

typedef struct am_rotary_encoder {
    const char *embeddings_norm;           /* below the body */
    const char *layers;                    /* their list below the body */
    const char *qkv, *out;                 /* projections below a layer */
    const char *attention_norm, *mlp_norm; /* below a layer */
    bool unbiased;                         /* qkv and out have no bias */
    double theta;                          /* what an absent field stands for; so too: */
    int64_t vocab_size, type_vocab_size, max_positions;
    double layer_norm_eps;

    /* What the MLP makes of x: [B, T, C] below the layer. */
    am_value (*mlp)(am_builder *b, am_value x, const am_bert_options *options);
} am_rotary_encoder;

/* Fields of the configuration, with the member's defaults. */
am_bert_options am_rotary_encoder_options(am_builder *b, const am_rotary_encoder *encoder);

/* Last hidden state under `prefix`: [B, T, C]. */
am_value am_rotary_encoder_body(am_builder *b, const am_rotary_encoder *encoder, const char *prefix);

/* Output logits of a masked language model below `scope`: DENSE, activation, NORM, decoder, whose weight may be the
   word table of PREFIX. */
void am_rotary_encoder_lm(am_builder *b, const am_rotary_encoder *encoder, const char *prefix, const char *scope,
                          const char *dense, am_unary_fn activation, const char *norm);

#endif
