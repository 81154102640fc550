/* What the DETR family shares (arXiv 2005.12872): attention whose queries and keys have places added, layers of encoder
 * and decoder, boxes. */
#ifndef AM_MODELS_BLOCKS_DETR_H
#define AM_MODELS_BLOCKS_DETR_H

#include "models/blocks/attention.h"
#include "models/blocks/feature_maps.h"

/* --- layers --- */

typedef struct am_detr_attention {
    int64_t heads, width; /* of all heads together; 0: C */
    am_value mask, bias;  /* as am_attention_op takes them, or AM_NONE */
    const char *out;      /* null: "out_proj" */
    bool bare_names;      /* "query", "key" and "value" */
} am_detr_attention;

/* out(attention(q_proj(q), k_proj(k), v_proj(v))), or by bare names, below the scope NAME: q: [B, T, C], k, v: [B, S,
 * C] -> [B, T, C]. */
am_value am_detr_attend(am_builder *b, const char *name, am_value q, am_value k, am_value v,
                        const am_detr_attention *options);

/* x + y, and the LayerNorm NAME of that. */
am_value am_add_norm(am_builder *b, const char *name, am_value x, am_value y);

/* fc2(activation(fc1(x))) below the scope. */
am_value am_detr_mlp(am_builder *b, am_value x, int64_t inner, am_unary_fn activation);

/* NAME.layers.0 .. of `count` linears with ReLU between them: x: [.., C] -> [.., out]. */
am_value am_mlp_head(am_builder *b, const char *name, am_value x, int64_t hidden, int64_t out, int count);

/* The same of linears NAME.0.0, NAME.1.0 .. */
am_value am_prediction_head(am_builder *b, const char *name, am_value x, int64_t hidden, int64_t out, int count);

/* log(x / (1 - x)), both counting as eps at least. */
am_value am_inverse_sigmoid(am_builder *b, am_value x, double eps);

/* The weight `name`: [rows, C] for each of B: [B, rows, C] as F32. */
am_value am_repeated_rows(am_builder *b, const char *name, int64_t B, int64_t rows, int64_t C);

/* Whether position_embedding_type is "learned", and not "sine". */
bool am_learned_positions_read(const am_config *c);

/* A learned place for each of a map's pixels below the scope NAME: columns, then rows: [1, height * width, C]. */
am_value am_learned_places(am_builder *b, const char *name, int64_t height, int64_t width, int64_t C);

/* --- DETR, Conditional DETR and Table Transformer --- */

typedef struct am_detr_family am_detr_family;

typedef struct am_detr_options {
    const am_detr_family *family;
    int64_t d_model, num_queries, labels;
    int64_t encoder_layers, encoder_attention_heads, encoder_ffn_dim;
    int64_t decoder_layers, decoder_attention_heads, decoder_ffn_dim;
    am_unary_fn activation;
    bool auxiliary_loss, learned_positions;
} am_detr_options;

/* Hidden states in the builder's arena. */
typedef struct am_states {
    am_value *items;
    int count;
} am_states;

/* Room for `limit` states. */
am_states am_states_make(am_builder *b, int64_t limit);
void am_states_add(am_states *states, am_value x);

/* Names outputs NAME.0 .. where hidden states are wanted. */
void am_states_output(am_builder *b, const char *name, const am_states *states);

/* The states as one value with a new axis of `count`; AM_NONE where there are none. */
am_value am_states_stack(am_builder *b, const am_states *states, int axis);

/* What a decoder reads, and what it gives. */
typedef struct am_detr_decoding {
    am_value memory, places, mask;  /* [B, S, C], [B or 1, S, C], as am_padding_mask_of gives it */
    am_value queries, query_places; /* [B, Q, C] */
    am_value query_mask;            /* as mask, or AM_NONE */
    am_states states, intermediate;
    am_value reference; /* [B, Q, 2], before the sigmoid; AM_NONE: boxes have none */
} am_detr_decoding;

/* What differs between members; their descriptors carry it. */
struct am_detr_family {
    const char *prefix;    /* of the detector in classes that segment: "detr" */
    const char *positions; /* scope of learned positions below the model */
    bool pre_norm;         /* layers norm what their parts take, and the encoder what it gives */
    bool has_empty_class;  /* one label more: there is nothing */
    int64_t num_queries;   /* what an absent field stands for */
    bool takes_embeddings; /* inputs inputs_embeds, decoder_inputs_embeds and decoder_attention_mask are read */
    /* Layers of the decoder without the last norm, below its scope; null: DETR's. */
    am_value (*decode)(am_builder *b, const am_detr_options *options, am_detr_decoding *d);
};

/* What a decoder's layer gave, normed by layernorm where that is the next one's input. Keeps the state. */
am_value am_detr_layer_end(am_builder *b, const am_detr_options *options, am_detr_decoding *d, am_value x);

/* The fields as DetrConfig names and defaults them. */
am_detr_options am_detr_options_read(const am_config *c, const am_detr_family *family);

/* The decoder's layers and its last norm, below "decoder": [B, Q, C]. Fills the states of d. */
am_value am_detr_decode(am_builder *b, const am_detr_options *options, am_detr_decoding *d);

/* Builders for the rows of a member's table. */
void am_detr_model(am_builder *b);
void am_detr_for_object_detection(am_builder *b);
void am_detr_for_segmentation(am_builder *b);

#endif
