/* RT-DETR, its second version and D-FINE: a hybrid encoder, boxes for all tokens of its maps, and a decoder that begins
   with the best of them. transformers: models/rt_detr/modeling_rt_detr.py, models/rt_detr_v2/modeling_rt_detr_v2.py,
   models/d_fine/modeling_d_fine.py */
#ifndef AM_MODELS_BLOCKS_RT_DETR_H
#define AM_MODELS_BLOCKS_RT_DETR_H

#include "models/blocks/hybrid_encoder.h"

typedef struct am_rt_detr_options am_rt_detr_options;

struct am_rt_detr_options {
    am_hybrid_options encoder;
    am_deformable_options attention;
    int64_t C, num_queries, levels, layers, heads, inner, labels;
    am_unary_fn act;
    bool learned_queries;
    const char *prefix; /* of the model: "model." or "" */
    bool keeps_finest;  /* the backbone gives one map more, finer than those that are encoded (PP-DocLayoutV3) */
    bool quads;         /* boxes are centres and four corners, 10 numbers (PP-DocLayoutV4) */
    bool named_input;   /* of decoder_input_proj: "conv" and "norm", and not numbers */
    /* Null, or the maps that the encoder is given, below the model's scope: encoder.count of them. */
    void (*read_maps)(am_builder *b, const am_rt_detr_options *options, am_value *out);
    /* Null, or what encodes them, below "encoder": as am_hybrid_encode. */
    void (*encode)(am_builder *b, const am_hybrid_options *options, const am_value *maps, am_value *out,
                   am_states *states);
};

/* What the decoder begins with, and what the encoder gave. */
typedef struct am_rt_detr_start {
    am_levels levels;
    am_value tokens;     /* [B, S, C] */
    am_value queries;    /* [B, Q, C] */
    am_value reference;  /* [B, Q, 4], before the sigmoid */
    am_value finest;     /* see keeps_finest; else AM_NONE */
    am_value best_boxes; /* what the reference was chosen as */
    am_value maps[AM_LEVELS_LIMIT];
    am_states states;
    am_value best_logits, logits, boxes; /* [B, Q, labels], of all tokens [B, S, labels] and [B, S, 4] */
} am_rt_detr_start;

/* Reads what all members have. with_heads: the class has heads; is_fine: it is D-FINE. */
am_rt_detr_options am_rt_detr_read(am_builder *b, bool with_heads, bool is_fine);

/* decoder_offset_scale and decoder_method of the second version and D-FINE. */
void am_rt_detr_read_method(const am_config *c, am_rt_detr_options *options);

/* All before the decoder. */
am_rt_detr_start am_rt_detr_begin(am_builder *b, const am_rt_detr_options *options);

/* x after attention of queries to each other, below a layer's scope; places: [B, Q, C]. */
am_value am_rt_detr_attend_queries(am_builder *b, const am_rt_detr_options *options, am_value x, am_value places);

/* One layer of the decoder, below its scope: x, places: [B, Q, C], reference: [B, Q, 1, 4] -> [B, Q, C]. */
am_value am_rt_detr_layer(am_builder *b, const am_rt_detr_options *options, const am_rt_detr_start *start, am_value x,
                          am_value places, am_value reference);

/* What the decoder gives: states with what went into the first layer, and of each layer the rest; logits only where
   there are heads. */
typedef struct am_rt_detr_decoded {
    am_states states, hidden, references, logits;
} am_rt_detr_decoded;

/* Room for what layers give; and RT-DETR's decoder. */
am_rt_detr_decoded am_rt_detr_decoded_make(am_builder *b, const am_rt_detr_options *options);
am_rt_detr_decoded am_rt_detr_decode(am_builder *b, const am_rt_detr_options *options, const am_rt_detr_start *start);

/* Outputs from last_hidden_state on. */
void am_rt_detr_output_decoded(am_builder *b, const am_rt_detr_options *options, const am_rt_detr_start *start,
                               const am_rt_detr_decoded *decoded);

/* Logits of head i of the decoder, which is not inside another scope. */
am_value am_rt_detr_class_head(am_builder *b, const am_rt_detr_options *options, am_value x, int64_t i);

/* Outputs of what came before the decoder; names the encoder's. */
void am_rt_detr_output_encoded(am_builder *b, const am_rt_detr_options *options, const am_rt_detr_start *start);
void am_rt_detr_output_start(am_builder *b, const am_rt_detr_start *start);

/* Builders for RT-DETR's rows and those of its second version; the descriptor's family is not null for the latter. */
void am_rt_detr_model(am_builder *b);
void am_rt_detr_for_object_detection(am_builder *b);

#endif
