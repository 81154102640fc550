/* The BART line: an encoder and a decoder of layers with self-attention, in the decoder cross-attention, and
   feed-forward; and the switches that its members turn. A member states its family, and its table of classes names the
   builders below. */
#ifndef AM_MODELS_BLOCKS_BART_H
#define AM_MODELS_BLOCKS_BART_H

#include "models/model.h"

typedef enum am_bart_positions {
    AM_BART_LEARNED,    /* rows of embed_positions from 2 on, counted whatever the mask says (BART) */
    AM_BART_ROWS,       /* rows of embed_positions from 0 on, counted the same (LED) */
    AM_BART_SINUSOIDS,  /* rows of embed_positions from 0 on; computed where the file has none (Pegasus, Marian) */
    AM_BART_AFTER_PADS, /* computed; counted from pad_token_id + 1, pads standing apart (M2M-100) */
} am_bart_positions;

/* What a forward without decoder_input_ids reads instead. */
typedef enum am_bart_shift {
    AM_BART_SHIFT_NONE,  /* they must be given */
    AM_BART_SHIFT_START, /* input_ids behind decoder_start_token_id */
    AM_BART_SHIFT_LAST,  /* input_ids behind their last token that is no pad: the language */
} am_bart_shift;

/* Self-attention of a layer below its scope, x: [B, T, C] -> [B, T, C]. */
typedef am_value am_bart_attention(am_builder *b, am_value x, int64_t heads, int layer);

/* The place of a feed-forward part that a member computes in its own way. */
typedef struct am_bart_part {
    int64_t d_model, ffn_dim;
    am_unary_fn activation;
    const char *mask; /* the input that tells tokens from padding, where it is given */
    bool is_decoder;
    int index; /* of its layer */
} am_bart_part;

/* What an encoder reads that is not text: x: [B, T, d_model], and where its frames stand. */
typedef struct am_bart_frames {
    am_value x;   /* scaled as embeddings are */
    am_value ids; /* I32 [B, T] that positions count as they count tokens */
} am_bart_frames;

/* The layers of an encoder that a member computes in its own way. */
typedef struct am_bart_encoder {
    int64_t layers, heads, ffn_dim, d_model;
    am_unary_fn activation;
} am_bart_encoder;

/* What positions are made of. */
typedef struct am_bart_places {
    am_value ids;                            /* I32 [B, T], or AM_NONE where embeddings were given */
    int64_t T, d_model, count, pad_token_id; /* count: max_position_embeddings */
} am_bart_places;

/* What a member's descriptor carries as its family. Numbers left 0 are BartConfig's. */
typedef struct am_bart_family {
    int64_t vocab_size, d_model, layers, heads, ffn_dim, pad_token_id; /* what absent fields stand for */
    int64_t max_positions;                                             /* the same of max_position_embeddings */
    am_unary_fn activation;                                            /* the same; AM_IDENTITY: GELU */
    bool scale_embedding;                                              /* the same */
    bool never_scales;                                                 /* scale_embedding is no field of the member */
    int64_t labels;                                                    /* 0: two */
    int64_t start_token_id;                                            /* decoder_start_token_id, the same */
    int64_t decoder_layers; /* what an absent decoder_layers stands for; 0: like layers */
    bool pre_norm; /* norms before the parts of a layer, and layer_norm behind the last layer; else after each part */
    bool no_embedding_norm;
    bool
        decoder_norms_words; /* its embedding norm stands before positions are added, not after; words are not scaled */
    am_bart_positions positions;
    am_bart_shift shift;
    const char *prefix;                                /* of the body in classes with heads; null: "model" */
    const char *encoder_positions, *decoder_positions; /* fields of how many there are; null: max_position_embeddings */
    am_bart_attention *encoder_attention;              /* null: BART's, over everything */
    am_bart_attention *decoder_attention;              /* null: BART's, over what stands before */
    /* What the next layer of the encoder reads of x: [B, T, C], the hidden state that layer `layer` gave; null: all of
     * it. */
    am_value (*between_encoder_layers)(am_builder *b, am_value x, int layer);
    const char *last_norm; /* behind the last layer, where pre_norm; null: layer_norm */
    bool reads_use_bias;   /* the decoder's attention has biases where use_bias says so; else always */
    int64_t eos_token_id;  /* what an absent field stands for; 0: 2 */
    /* How many pad tokens without positions stand behind the T embedded ones of the encoder, till the last layer has
       read them; null: none. */
    int64_t (*encoder_padding)(const am_config *c, int64_t T);
    const char *cross_attention;   /* its module, and with _layer_norm its norm; null: encoder_attn */
    const char *feed_forward_norm; /* null: final_layer_norm */
    /* Below "encoder", what is in place of words; null: input_ids. */
    am_bart_frames (*encoder_frames)(am_builder *b, int64_t d_model);
    /* Which of the encoder's T states are no padding: BOOL [B, T], or AM_NONE; null: the input attention_mask. */
    am_value (*encoder_mask)(am_builder *b, int64_t T);
    /* Below the scope "encoder" or "decoder": [1 or B, T, C] added to words; null: as `positions` says. */
    am_value (*own_positions)(am_builder *b, const am_bart_places *places);
    /* Below "encoder": x: [B, T, C], embedded, through all layers and the last norm; names hidden states. Or null. */
    am_value (*encoder_layers)(am_builder *b, am_value x, const am_bart_encoder *encoder);
    bool no_decoder_bias;      /* the decoder's attention has no biases */
    bool hides_decoder_pads;   /* decoder_input_ids that are pad_token_id are hidden where no mask is given */
    const char *encoder_vocab; /* the field of each side's number of words; null: vocab_size */
    const char *decoder_vocab;
    const char *encoder_scope, *decoder_scope; /* their modules; null: "encoder", "decoder" */
    const char *field_prefix;                  /* before the names of the fields of sizes and tokens: "t2u_"; or null */
    /* Below the body's prefix: what is in place of the whole encoder: [B, S, C]; null: it reads words. */
    am_value (*encode)(am_builder *b);
    /* Below the layer's scope, x: [B, T, C] -> [B, T, C]; null: fc2(activation(fc1(x))). */
    am_value (*feed_forward)(am_builder *b, am_value x, const am_bart_part *part);
} am_bart_family;

/* fc2(activation(fc1(x))) below the scope: x: [B, T, C] -> [B, T, C]. */
am_value am_bart_two_projections(am_builder *b, am_value x, const am_bart_part *part);

/* The layers of one side below the scope over x: [B, T, C], embedded already, for models that read no words; they name
   hidden states. Those of the decoder attend to encoded: [B, S, C]. */
am_value am_bart_encoder_layers(am_builder *b, const am_bart_family *family, am_value x);
am_value am_bart_decoder_layers(am_builder *b, const am_bart_family *family, am_value x, am_value encoded);

/* The decoder's last hidden state [B, T, C] of the body below `prefix`, for classes with an end of their own; AM_NONE
   in a graph of the encoder alone. */
am_value am_bart_body(am_builder *b, const char *prefix);

/* A class of that family: its body below `prefix`, of which a class without head gives last_hidden_state, else logits.
 */
void am_bart_class(am_builder *b, const am_bart_family *family, const char *prefix, bool has_head);

/* Builders for the rows of a member's table. */
void am_bart_model(am_builder *b);
void am_bart_for_conditional_generation(am_builder *b);
void am_bart_for_sequence_classification(am_builder *b);
void am_bart_for_question_answering(am_builder *b);

/* The decoder by itself; it attends to the inputs of am_encoder_states_input where they are given. */
void am_bart_for_causal_lm(am_builder *b);
void am_bart_decoder(am_builder *b);

/* That decoder below `prefix`, of a family that a member makes as its configuration says: [B, T, C]. */
am_value am_bart_decoder_alone(am_builder *b, const am_bart_family *family, const char *prefix);

#endif
