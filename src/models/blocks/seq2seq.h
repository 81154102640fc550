/* What encoder-decoders share: which part of the model a graph holds, and how a decoder's input and a
   sentence's vector are found. */
#ifndef AM_MODELS_BLOCKS_SEQ2SEQ_H
#define AM_MODELS_BLOCKS_SEQ2SEQ_H

#include "models/model.h"

typedef struct am_seq2seq {
    am_value (*encode)(am_builder *b, const void *model);                   /* reads input_ids ..; [B, S, C] */
    am_value (*decode)(am_builder *b, const void *model, am_value encoded); /* reads decoder_input_ids ..; [B, T, C] */
    const void *model;                                                      /* the model file's own configuration */
} am_seq2seq;

/* Runs what the stage asks for. Names output encoder_last_hidden_state where the encoder runs; gives the
   decoder's last hidden state, or AM_NONE in a graph of the encoder alone. encoded is AM_NONE for decoders
   whose cross-attention is cached. */
am_value am_seq2seq_run(am_builder *b, const am_seq2seq *parts);

/* What a decoder attends to besides its own text. */
typedef struct am_encoder_states {
    bool given;      /* else there is nothing */
    am_value states; /* [B, S, C]; AM_NONE where their keys and values are cached */
    am_value mask;   /* as am_padding_mask gives it */
} am_encoder_states;

/* Those of a decoder that is a class by itself: the inputs encoder_hidden_states and encoder_attention_mask. */
am_encoder_states am_encoder_states_input(am_builder *b);

/* Input decoder_input_ids: [B, T]; where it is absent and `shift` allows, input_ids shifted right behind
   decoder_start_token_id (the configuration's, or fallback; -1: none). */
am_value am_decoder_input_ids(am_builder *b, bool shift, int64_t start_fallback);

/* The same with that start token, whatever the configuration says. */
am_value am_decoder_input_ids_behind(am_builder *b, int64_t start);

/* Input decoder_input_ids: [B, T]; where it is absent, input_ids behind their last token that is not `pad`, as mBART
   turns the language around. */
am_value am_decoder_input_ids_from_last(am_builder *b, int64_t pad);

/* Row of the decoder's x: [B, T, C] where the last eos_token_id of input_ids: [B, T] stands; an error at run
   time when a row has none. */
am_value am_last_eos_token(am_builder *b, am_value x, int64_t eos_fallback);

/* The first of these weights (names below the scope, ending with null) that the file has: tables that several
   modules share are stored once, under any of their names. */
am_value am_shared_table(am_builder *b, const char *const *names, am_shape shape);

#endif
