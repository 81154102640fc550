/* Causal decoders that bring a body of their own: embeddings with token types, a stack of layers, and the classes
   over it. A member describes itself in an am_causal_family, and its table of classes names the builders below. */
#ifndef AM_MODELS_BLOCKS_CAUSAL_H
#define AM_MODELS_BLOCKS_CAUSAL_H

#include "models/model.h"

/* Final hidden states [B, T, C]; weights lie under `prefix`. */
typedef am_value am_causal_body(am_builder *b, const char *prefix);

/* What a member's descriptor carries as its family. */
typedef struct am_causal_family {
    am_causal_body *body;
    int64_t vocab_size;         /* what an absent field stands for */
    bool untied;                /* the same of tie_word_embeddings: false */
    bool has_pad_token;         /* the same of pad_token_id; else none */
    int64_t pad_token_id;       /* where has_pad_token */
    const char *prefix;         /* of the body in classes with heads; null: "transformer" */
    const char *base;           /* of the body in the base model itself; null: "" */
    const char *embedding;      /* whole name of the table that a tied head reads */
    const char *head;           /* null: "lm_head" */
    bool head_bias;             /* of it */
    const char *sequence_score; /* linear of sequence classification; null: "score" */
} am_causal_family;

/* Builders for the rows of a member's table. */
void am_causal_model(am_builder *b);
void am_causal_for_causal_lm(am_builder *b);
void am_causal_for_sequence_classification(am_builder *b);
void am_causal_for_token_classification(am_builder *b);
void am_causal_for_question_answering(am_builder *b);

/* GPT's DoubleHeads: logits of the text and, as mc_logits, one score of each choice: [B, N], or [B] of a single text.
 */
void am_causal_double_heads(am_builder *b);

/* Logits [B, T, vocab] of the language model's head over x: [B, T, C]. */
am_value am_causal_logits(am_builder *b, am_value x);

/* vocab_size of the configuration. */
int64_t am_causal_vocab_size(const am_builder *b);

/* Rows of the table NAME at input_ids, or the input inputs_embeds: [B, T, C]. Choices [B, N, T] are flattened into B.
 */
am_value am_causal_words(am_builder *b, const char *name, int64_t C);

/* The same with the rows at token_type_ids added, where those are given. */
am_value am_causal_embeddings(am_builder *b, const char *name, int64_t C);

/* One layer: x: [B, T, C] -> [B, T, C], in the scope "NAME.index"; context is the member's. */
typedef am_value am_causal_layer(am_builder *b, am_value x, const void *context, int index);

/* The layers NAME.0 .. one after the other; names what goes into each as a hidden state. */
am_value am_causal_layers(am_builder *b, const char *name, int64_t count, am_value x, am_causal_layer *layer,
                          const void *context);

/* LayerNorm NAME after the layers, and the last hidden state. */
am_value am_causal_final_norm(am_builder *b, const char *name, am_value x, double eps, int64_t layers);

/* The fields that GPT's descendants share, under either of their names (n_embd, hidden_size). */
typedef struct am_gpt_config {
    int64_t n_positions, n_embd, n_layer, n_head, n_inner;
    double layer_norm_epsilon;
    bool is_causal;
} am_gpt_config;

/* Reads them; `defaults` has the class's, n_inner 0 standing for 4 * n_embd. */
am_gpt_config am_gpt_config_read(const am_config *c, am_gpt_config defaults);

/* Their mask of padding and, where causal, of rows that position_ids pack; see am_packed_mask. */
am_value am_gpt_mask(am_builder *b, const am_gpt_config *config);

#endif
