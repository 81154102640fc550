/* Language models that hear: an audio tower, a projector to the width of the words, and a text model with a
   configuration of its own, among whose embeddings the projected frames stand, in place of a token. The head that
   writes words is the outer class's. A member describes itself in an am_audio_language_family, and its table of classes
   names the builders below. */
#ifndef AM_MODELS_BLOCKS_AUDIO_LANGUAGE_H
#define AM_MODELS_BLOCKS_AUDIO_LANGUAGE_H

#include "models/blocks/multimodal.h"

typedef struct am_audio_rows {
    am_value rows;  /* [N, C], which take the places of the token in their order */
    am_value shown; /* the output audio_hidden_states; AM_NONE: rows are */
} am_audio_rows;

/* What a member's descriptor carries as its family. */
typedef struct am_audio_language_family {
    am_audio_rows (*features)(am_builder *b); /* of the input of sounds; weights lie below the scope */
    const char *input;                        /* that input; null: input_features */
    const char *shown;                        /* the output that shows them; null: audio_hidden_states */
    bool rows_may_be_left;                    /* the audio tokens may be fewer than the rows */
    bool head_shows_states;                   /* last_hidden_state is an output of the class with a head, too */
    bool text_ties;                           /* the head is tied where text_config says so */
    int64_t audio_token;                      /* what an absent audio_token_id (audio_token_index) stands for */
    const char *text_type;                    /* the same of text_config's model_type */
    bool has_tied_head;                       /* tie_word_embeddings is read: true where it is absent */
    bool model_shows, head_shows;             /* audio_hidden_states is an output of the class without, with a head */
    bool shows_mask;                          /* so is attention_mask */
    bool embeds_no_token;                     /* the audio token may be beyond the vocabulary */
    bool needs_text_config;                   /* without it the member's defaults are others than the text model's */
    /* Fields of text_config without which the member's defaults are others than the text model's: they must be given.
       Ends with null; or null. */
    const char *const *text_fields;
} am_audio_language_family;

/* Builders for the rows of a member's table. */
void am_audio_language_model(am_builder *b);
void am_audio_language_for_conditional_generation(am_builder *b);

/* Last hidden state of the text model: [B, T, C]; shows: audio_hidden_states is an output. */
am_value am_audio_language_body(am_builder *b, bool shows);

/* Width of the words: hidden_size of text_config. */
int64_t am_audio_text_width(am_builder *b);

/* The tower NAME of the configuration KEY, whose model_type is `type` where it names none: its outputs. */
am_part_outputs am_audio_tower(am_builder *b, const char *name, const char *key, const char *type,
                               const am_part_input *inputs, int count);

/* linear_2(activation(linear_1(x))) below multi_modal_projector: x: [.., C] -> [.., width of the words] through `inner`
   channels; the activation is projector_hidden_act, or GELU. */
am_value am_audio_projector(am_builder *b, am_value x, int64_t inner, int bias);

/* Frames 0 .. lengths[i] - 1 of each row i of x: [B, T, C], one row behind the other: [N, C]. Lengths beyond T count as
   T, those below 0 as 0; an error where there are no frames at all. */
am_value am_audio_frames(am_builder *b, am_value x, const int64_t *lengths);

/* How many marks each row of the shaping input `name` (AM_SHAPED_BY_ROWS) has, which has a row for each of the input
   `sounds`: in the builder's arena; null after a failure. */
int64_t *am_audio_lengths_of(am_builder *b, const char *name, const char *sounds);

/* The same of the family's own input of sounds. */
int64_t *am_audio_lengths(am_builder *b, const char *name);

#endif
