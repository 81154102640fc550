/* wav2vec 2.0 and the types that differ from it in parts: convolutions make frames of samples; an encoder of post-norm
   layers (pre-norm where do_stable_layer_norm) with positions by convolution reads them; an adapter may shorten what
   comes out. A member names its family, which has a function for each part that it computes in its own way, and its
   table of classes the builders below. transformers: models/wav2vec2/modeling_wav2vec2.py */
#ifndef AM_MODELS_BLOCKS_WAV2VEC2_H
#define AM_MODELS_BLOCKS_WAV2VEC2_H

#include "models/blocks/attention.h"
#include "models/blocks/speech.h"

/* What the configuration says, named as its fields. */
typedef struct am_wav2vec2_options {
    int64_t vocab_size, hidden_size, num_hidden_layers, num_attention_heads, intermediate_size;
    am_unary_fn hidden_act;
    double layer_norm_eps;
    am_wave_encoder wave;
    int64_t num_conv_pos_embeddings, num_conv_pos_embedding_groups;
    bool do_stable_layer_norm, apply_spec_augment, use_weighted_layer_sum;
    bool feat_proj_layer_norm, conv_pos_batch_norm; /* HuBERT's */
    bool add_adapter;
    int64_t adapter_kernel_size, adapter_stride, num_adapter_layers, output_hidden_size;
    int64_t adapter_attn_dim; /* of the adapter in each layer; 0: none */
    int64_t classifier_proj_size, labels;
} am_wav2vec2_options;

/* What the encoder reads. */
typedef struct am_wav2vec2_frames {
    am_value x;        /* [B, T, C] */
    am_value features; /* [B, T, C']: normed, before their projection */
    am_value mask;     /* BOOL [B, T], false for frames of padding; AM_NONE: there are none */
} am_wav2vec2_frames;

/* What a member's descriptor carries as its family; wav2vec 2.0 itself has none. Functions left null compute
   wav2vec 2.0's parts. */
typedef struct am_wav2vec2_family {
    const char *prefix;          /* of the body in classes with heads: "hubert" */
    bool hides_features;         /* the base model does not give extract_features */
    bool short_rows_are_empty;   /* where a row is shorter than a frame; else all of its frames count */
    const am_wave_encoder *wave; /* what absent fields of the convolutions stand for; null: Wav2Vec2Config's */

    /* Reads what the member names or defaults otherwise, and clears what it does not read. */
    void (*adjust)(const am_config *c, am_wav2vec2_options *o);

    /* Frames of the inputs, below the body's scope. */
    am_wav2vec2_frames (*frames)(am_builder *b, const am_wav2vec2_options *o);

    /* Frames that a row of lengths: I32 [B] samples gives before the adapter: I32 [B]. */
    am_value (*lengths)(am_builder *b, am_value lengths, const am_wav2vec2_options *o);

    /* Below "encoder": what is in place of all of it; states: room for the hidden states, num_hidden_layers + 1. */
    am_value (*encoder)(am_builder *b, am_value x, am_value mask, const am_wav2vec2_options *o, am_value *states);

    /* Below "encoder": x: [B, T, C] with positions added. */
    am_value (*positions)(am_builder *b, am_value x, const am_wav2vec2_options *o);

    /* Below "encoder": bias of the attention of all layers, which `attention` reads from its options. */
    am_value (*position_bias)(am_builder *b, int64_t T, const am_wav2vec2_options *o);
    am_value (*attention)(am_builder *b, am_value x, const am_attention_options *options);

    /* Below the body's scope, what stands behind the encoder: x: [B, T, C] -> [B, T', C']; and how many frames of
       lengths: I32 [B] it leaves. Both or none; without add_adapter the second is not asked. */
    am_value (*adapter)(am_builder *b, am_value x, const am_wav2vec2_options *o);
    am_value (*adapted_lengths)(am_builder *b, am_value lengths, const am_wav2vec2_options *o);
} am_wav2vec2_family;

/* --- for members --- */

/* Which of T frames stand before their row's length, as the family counts: lengths: I32 [B] -> BOOL [B, T]. */
am_value am_wav2vec2_frame_mask(am_builder *b, am_value lengths, int64_t T);

/* layers.N below the scope over x: [B, T, C], mask: BOOL [B, T] or AM_NONE; names hidden states and keeps them in
   states: num_hidden_layers + 1. */
am_value am_wav2vec2_layers(am_builder *b, am_value x, am_value mask, const am_wav2vec2_options *o, am_value *states);

/* Hidden state i: kept in states, and named as output where hidden states are wanted. */
void am_wav2vec2_keep_state(am_builder *b, am_value *states, int64_t i, am_value x);

/* For models around an encoder of this kind, whose configuration is c: which of its T states belong to what the input
   attention_mask attends: BOOL [B, T]; AM_NONE without that input. */
am_value am_wav2vec2_output_mask(am_builder *b, const am_config *c, int64_t T);

/* Builders for the rows of a member's table. */
void am_wav2vec2_model(am_builder *b);
void am_wav2vec2_for_ctc(am_builder *b);
void am_wav2vec2_for_pretraining(am_builder *b);
void am_unispeech_for_pretraining(am_builder *b);
void am_unispeech_sat_for_pretraining(am_builder *b);
void am_wav2vec2_for_sequence_classification(am_builder *b);
void am_wav2vec2_for_audio_frame_classification(am_builder *b);
void am_wav2vec2_for_x_vector(am_builder *b);

#endif
