/* Language models that are shown images: a vision tower, a projector to the width of the words, and a text model with a
   configuration of its own, among whose embeddings the projected rows stand. The head that writes words is the outer
   class's. A member describes itself in an am_vision_language_family, and its table of classes names the builders
   below. */
#ifndef AM_MODELS_BLOCKS_VISION_LANGUAGE_H
#define AM_MODELS_BLOCKS_VISION_LANGUAGE_H

#include "models/blocks/multimodal.h"

enum { AM_VISION_LANGUAGE_INPUTS = 4, AM_VISION_LANGUAGE_DEEP = 16, AM_VISION_LANGUAGE_MORE = 16 };

/* What a member's descriptor carries as its family. */
typedef struct am_vision_language_family {
    /* Rows for the text of the images in pixel_values: [.., C], in the shape that image_hidden_states has. Weights lie
       below the scope. */
    am_value (*features)(am_builder *b);
    am_value (*video_features)(am_builder *b); /* the same of pixel_values_videos; or null */
    /* Null, or further rows for other tokens beside images: how many kinds, at most AM_VISION_LANGUAGE_MORE. */
    int (*more_features)(am_builder *b, am_feature_rows out[AM_VISION_LANGUAGE_MORE]);
    /* Null, or the same of the sounds in input_features, for the places of audio_token_id (or audio_token_index). */
    am_value (*audio_features)(am_builder *b);
    int64_t audio_token;      /* what an absent one stands for */
    const char *pixels_alias; /* another name of the input pixel_values, or null */
    /* Null, or how many further rows stand behind each row of features, [.., C * (1 + n)], at most
       AM_VISION_LANGUAGE_DEEP: the text model takes them as deepstack_visual_embeds. */
    int (*deep_rows)(am_builder *b);
    int64_t image_token;                        /* what an absent image_token_id (or image_token_index) stands for */
    int64_t (*find_image_token)(am_builder *b); /* null, or which it is, whatever these fields say */
    int64_t video_token;                        /* the same of video_token_id (or video_token_index) */
    bool tied;                                  /* the same of tie_word_embeddings */
    int64_t pad_token;                          /* what an absent pad_token_id of text_config stands for */
    const char *text_type;                      /* the same of its model_type; null: "llama" */
    const char *text_alias;   /* another model_type of text_config that stands for text_type; or null */
    const char *text_class;   /* null: what AutoModel makes of text_config */
    bool caps_logits;         /* by final_logit_softcapping of text_config */
    double logit_cap;         /* what an absent one stands for; 0: none, or Gemma 2's */
    const char *logits_scale; /* a field of text_config that logits are multiplied by; or null */
    double logits_scale_default;
    bool divides_logits;       /* they are divided by it */
    bool hides_features;       /* image_hidden_states is no output */
    bool model_shows_features; /* but of the class without a head */
    bool videos_as_images;     /* videos take the places of the images' token */
    bool shows_videos;         /* video_hidden_states is one */
    bool flattens_videos;      /* as one row of numbers (LLaVA-NeXT-Video) */
    bool may_exceed_words;     /* image_token_id may be beyond the vocabulary */
    bool flat_text_config;     /* without text_config its fields are the configuration's own */
    const char *text_key;      /* what a configuration without text_config may call it; or null */
    /* Null, or names inputs of the text model that the outer class makes: at most AM_VISION_LANGUAGE_INPUTS; gives how
       many. */
    int (*text_inputs)(am_builder *b, am_part_input out[AM_VISION_LANGUAGE_INPUTS]);
} am_vision_language_family;

/* Builders for the rows of a member's table. */
void am_vision_language_model(am_builder *b);
void am_vision_language_for_conditional_generation(am_builder *b);
void am_vision_language_for_sequence_classification(am_builder *b);
void am_vision_language_for_token_classification(am_builder *b);

/* Final hidden states of the text model: [B, T, C], images among its embeddings. */
am_value am_vision_language_body(am_builder *b);

/* text_config of the configuration, or the whole of it: see flat_text_config. */
am_config am_text_config(const am_builder *b);

/* Width of the words: hidden_size of text_config. */
int64_t am_text_width(am_builder *b);

/* The tower NAME of vision_config, whose model_type is `type` where it names none, on pixel_values (AM_NONE: the input
   of that name): [B, channels, height, width]. Its outputs, hidden states among them. */
am_part_outputs am_vision_tower(am_builder *b, const char *name, const char *type, am_value pixel_values);

/* The states of a tower's layer vision_feature_layer, or those of several beside each other: [B, P, C]. Without the
   first token where skips_first. `fallback` are the `count` layers that an absent field stands for. */
am_value am_vision_states(am_builder *b, const am_part_outputs *tower, const int *fallback, int count,
                          bool skips_first);

/* Whether vision_feature_select_strategy is "default", which leaves the class token away, and not "full". */
bool am_vision_skips_first(am_builder *b, const char *fallback);

/* x: [B, rows * columns, C] -> [B, rows * columns / factor^2, C * factor^2]: each square of patches side by side. An
   error where factor does not divide rows and columns. */
am_value am_fold_patches(am_builder *b, am_value x, int64_t rows, int64_t columns, int64_t factor);

/* The side of a square of P tokens; an error where they are none. */
int64_t am_square_side(am_builder *b, int64_t P);

#endif
