/* The BERT line's embeddings and post-norm encoder, with the switches that its members turn. */
#ifndef AM_MODELS_BLOCKS_ENCODER_H
#define AM_MODELS_BLOCKS_ENCODER_H

#include "models/blocks/attention.h"
#include "models/blocks/seq2seq.h"

/* Where members that norm before their parts instead of after them have their norms. */
typedef struct am_bert_pre_norms {
    const char *attention;    /* below "attention" and "crossattention" */
    const char *feed_forward; /* below the layer */
    const char *last;         /* after the layers, below the body's scope */
    bool embeddings;          /* embeddings are normed, too */
} am_bert_pre_norms;

typedef struct am_bert_options am_bert_options;

struct am_bert_options {
    int64_t vocab_size, hidden_size, num_hidden_layers, num_attention_heads, intermediate_size;
    int64_t max_position_embeddings, type_vocab_size;
    int64_t embedding_size; /* of the tables; projected to hidden_size where it differs (electra) */
    am_unary_fn hidden_act;
    double layer_norm_eps;
    bool is_decoder, no_positions;
    bool has_zero_token; /* the word table counts as having zeros at zero_token */
    int64_t zero_token;
    const char *layers;           /* their list below the body's scope; null: "encoder.layer" */
    const char *hidden_states;    /* their name among the outputs; null: "hidden_states"; "" names none */
    int64_t first_position;       /* where positions count from that are not given */
    bool add_cross_attention;     /* layers attend to the inputs of am_encoder_states_input, where they are given */
    int64_t task_type_vocab_size; /* embeddings of the input task_type_ids are added; 0: none (ERNIE) */
    const am_bert_pre_norms *pre_norms; /* null: norms stand after attention, feed-forward part and embeddings */
    int64_t positions_after_pad;        /* -1: positions count from 0; else RoBERTa's: from pad + 1, pads standing at
                                           pad */
    const char *projection; /* of embeddings, whatever their size; null: embeddings_project where sizes differ */
    /* A layer's feed-forward part with residual and norms, below its scope: x: [B, T, C] -> [B, T, C]; null: BERT's. */
    am_value (*feed_forward)(am_builder *b, am_value x, const am_bert_options *options);
};

/* The fields as BertConfig names and defaults them; position_embedding_type must be absolute. */
am_bert_options am_bert_options_read(const am_config *c);

/* The same for members whose layers take cross-attention as decoders; the others must not be asked for it. */
am_bert_options am_bert_decoder_options_read(const am_config *c);

/* As am_bert_options_read for members that read position_embedding_type themselves. */
am_bert_options am_bert_fields_read(const am_config *c);

/* embeddings.{word,position,token_type}_embeddings and LayerNorm below the scope, from input_ids,
   token_type_ids and position_ids: [B, T, embedding_size]. */
am_value am_bert_embeddings(am_builder *b, const am_bert_options *options);

/* Post-norm encoder under `prefix` ("bert", or "" in the base model itself): embeddings, their projection
   where embedding_size differs from hidden_size (embeddings_project), layers. Gives [B, T, C]. */
am_value am_bert_body(am_builder *b, const am_bert_options *options, const char *prefix);

/* tanh of PREFIX.pooler.dense of the first token: x: [B, T, C] -> [B, C]. */
am_value am_bert_pooler(am_builder *b, const char *prefix, am_value x);

/* encoder.layer.N below the scope over x: [B, T, C] with the input attention_mask; names hidden states. */
am_value am_bert_encoder(am_builder *b, am_value x, const am_bert_options *options);

/* The sum that the embeddings norm: words, token types (where there are any) and positions, below the scope. */
am_value am_bert_embedding_sum(am_builder *b, const am_bert_options *options);

/* Token types of this run: the input token_type_ids, or zeros [1, T]. */
am_value am_token_types(am_builder *b, int64_t T);

/* Places of the run's T tokens in the position table, as positions_after_pad says: [1 or B, T]. */
am_value am_bert_positions(am_builder *b, const am_bert_options *options, int64_t T);

/* How the layers of a member attend. */
typedef struct am_bert_attention {
    am_attention_options projections; /* names below "attention" */
    const char *norm;                 /* after the residual, below "attention" */
    am_encoder_states encoded;        /* what "crossattention", with the same projections, attends to */
} am_bert_attention;

/* BERT's own: self.query .., output.dense, output.LayerNorm, the input attention_mask. */
am_bert_attention am_bert_attention_default(am_builder *b, const am_bert_options *options);

/* The layers with attention of that kind, and the norm after them where there is one; am_bert_encoder with the default.
 */
am_value am_bert_layers(am_builder *b, am_value x, const am_bert_options *options, const am_bert_attention *attention);

/* intermediate.dense, activation, output.dense, residual, output.LayerNorm below the scope: x: [B, T, C]. */
am_value am_bert_feed_forward(am_builder *b, am_value x, const am_bert_options *options);

/* The end of attention, below the scope: attention.output over attended: [B, T, C], residual x and norm. For members
   whose attention is their own. */
am_value am_bert_attention_end(am_builder *b, am_value x, am_value attended, const am_bert_options *options);

/* The same, then the feed-forward part: the rest of a layer. */
am_value am_bert_layer_end(am_builder *b, am_value x, am_value attended, const am_bert_options *options);

/* Logits of BERT's masked language model, below cls.predictions: transform.dense to embedding_size,
   hidden_act, transform.LayerNorm, decoder. PREFIX names the body whose word table may be tied. */
am_value am_bert_lm_logits(am_builder *b, am_value x, const am_bert_options *options, const char *prefix);

/* The same of RoBERTa's, below lm_head: dense, gelu, layer_norm, decoder. */
am_value am_roberta_lm_logits(am_builder *b, am_value x, const am_bert_options *options, const char *prefix);

/* The same of ELECTRA's generator: generator_predictions.dense to embedding_size, gelu, .LayerNorm, then
   generator_lm_head. */
am_value am_generator_lm_logits(am_builder *b, am_value x, const am_bert_options *options, const char *prefix);

/* Output logits of multiple choice: scores: [B * N, 1] -> [B, N], N from the shape of input_ids. */
void am_output_choices(am_builder *b, am_value scores);

#endif
