/* What the BLIP line shares: an image tower of pre-norm layers behind a class token, and the Q-Former, a BERT in which
   learned queries attend to an image, beside the words of a text where there is one; and how what they give stands
   among the words of a text model. */
#ifndef AM_MODELS_BLOCKS_BLIP_H
#define AM_MODELS_BLOCKS_BLIP_H

#include "models/blocks/clip.h"
#include "models/blocks/encoder.h"

/* What absent fields of an image tower stand for. */
typedef struct am_blip_vision {
    int64_t hidden_size, intermediate_size, num_hidden_layers, num_attention_heads, image_size, patch_size;
    double layer_norm_eps;
    bool reads_qkv_bias; /* queries, keys and values have no biases where qkv_bias is false */
} am_blip_vision;

/* BLIP-2's and InstructBLIP's. */
extern const am_blip_vision am_blip_2_vision;

/* The tower of configuration c on pixels: [B, 3, height, width], below the scope; hidden_states as in
   am_pre_norm_options. */
am_clip_output am_blip_vision_tower(am_builder *b, const am_config *c, const am_blip_vision *defaults, am_value pixels,
                                    const char *hidden_states);

/* The Q-Former's fields as Blip2QFormerConfig names and defaults them. */
am_bert_options am_qformer_options(const am_config *c);

/* What a Q-Former reads. */
typedef struct am_qformer {
    const am_config *config;
    int64_t queries; /* that many tokens before the text: they attend to the image, and have an MLP of their own */
    am_value mask;   /* of all tokens, as am_padding_mask gives it; or AM_NONE */
    am_value image;  /* [B, S, C']; AM_NONE where there are no queries */
    am_value image_mask;
    const char *hidden_states; /* as in am_bert_options */
} am_qformer;

/* Layers encoder.layer.N below the scope over x: [B, T, C], embedded and normed. pooled: the first token. */
am_clip_output am_qformer_layers(am_builder *b, am_value x, const am_qformer *q);

/* The weight query_tokens of num_query_tokens for B images: [B, N, C], C being the Q-Former's width. */
am_value am_blip_queries(am_builder *b, int64_t B);

/* Outputs of the text model below "language_model", as language_model_outputs: with its head, whose logits are an
   output of their own, too, a causal one or an encoder-decoder; else what AutoModel makes of text_config. rows: [.., C]
   take the places of image_token_index or, of videos, video_token_index; AM_NONE: none do. */
void am_blip_write(am_builder *b, am_value rows, bool is_video, bool with_head);

#endif
