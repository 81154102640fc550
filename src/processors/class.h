/* What a class of processors is made of. A class is a row of its family's file in classes/. */
#ifndef AM_PROCESSORS_CLASS_H
#define AM_PROCESSORS_CLASS_H

#include "base/arena.h"
#include "media/feature_extractor.h"
#include "media/images/processor.h"
#include "processors/processor.h"
#include "text/chat_template.h"

/* The frames that are taken of a video, and what its times are counted by. */
typedef struct am_processor_clip {
    int64_t *frames; /* [count], in the arena of the call */
    int64_t count, total;
    double fps, duration; /* as the video says; 0: not known */
} am_processor_clip;

/* One call. Lists that hold an output of every text have `text_count` items. */
typedef struct am_processor_call {
    const am_processor *processor;
    const am_processor_inputs *inputs;
    am_processed *out;        /* its texts are prepared, expanded, then encoded */
    am_media_tensors *images; /* outputs of the image processor: one, or `samples` where the class nests images */
    int64_t samples;          /* 1, or text_count */
    am_media_tensors videos;  /* outputs of the video processor */
    am_processor_clip *clips; /* [video_count] */
    am_media_tensors sounds;  /* outputs of the feature extractor */
    int64_t *sound_of_video;  /* [video_count]: its sound among the sounds, -1: it has none; null: none has */
    int64_t *own_sounds;      /* [own_sound_count]: sounds with placeholders, once texts are prepared; null: all */
    int64_t own_sound_count;
    int64_t *image_of_text; /* [text_count + 1]: the first image of each text, once texts are prepared */
    am_arena arena;         /* of the call */
} am_processor_call;

/* Which image, video or sound is expanded. */
typedef struct am_placeholder {
    const am_processor_call *run;
    const am_media_tensors *media; /* outputs of the processor or extractor that have it */
    int64_t index;                 /* through all texts */
    int64_t row;                   /* in `media` */
    int64_t text, place;           /* the place-th of its kind in that text */
} am_placeholder;

/* How a kind of media stands in a text. Names are those of `tokens` of the class. */
typedef struct am_modality {
    bool alone;              /* such media are taken beside texts, and nothing in those stands for them */
    const char *placeholder; /* stands for one; null: the class has no such media, unless they are taken alone */
    const char *counted;     /* whose number in texts and ids must agree; null: the placeholder */
    const char *marked;      /* marked in mm_token_type_ids, separated by blanks; null: the placeholder */
    /* Appends what stands in the place of the placeholder; null: that is left as it is. */
    am_status (*expand)(const am_placeholder *p, am_buffer *out);
} am_modality;

typedef struct am_processor_class {
    const char *name;
    /* JSON object: what __init__ has as defaults, and the attributes images_kwargs, text_kwargs, audio_kwargs and those
       that a call may change. */
    const char *settings;
    /* Names of tokens, separated by blanks: settings that hold a token's text. With * after it the tokenizer's token of
       that name goes first; with ? it may be missing. */
    const char *tokens;
    am_modality image, video, sound;
    const char *video_processor;  /* its class where no file names one; null: videos are not taken */
    bool has_chat_template;       /* it asks by the chat template of the directory */
    const char *second_tokenizer; /* the folder of another tokenizer in the model directory; null: there is none */
    bool without_texts;           /* it has no tokenizer */
    /* Appends arguments of the image processor that follow from settings, as members of a JSON object; null: none. */
    am_status (*image_arguments)(const am_processor *p, am_buffer *out);
    bool nests_images;    /* images of a text are one sample for the image processor */
    const char *type_ids; /* the output that marks media among tokens; null: none is given */
    const char *unused;   /* outputs of parts that are left out, separated by blanks */
    /* Changes the texts before placeholders are counted and expanded, makes them where there are none, puts other
       inputs in the place of run->inputs. Null: nothing. */
    am_status (*prepare)(am_processor_call *run);
    /* Runs the feature extractor, into run->sounds; null: am_processor_extract. */
    am_status (*extract)(am_processor_call *run);
    /* Encodes the expanded texts; null: am_processor_encode. */
    am_status (*encode)(am_processor_call *run);
    /* Changes or adds outputs at the end; null: nothing. */
    am_status (*finish)(am_processor_call *run);
    const void *details; /* what the family's functions know this class by; of a type of its own */
} am_processor_class;

/* A file of classes/ exports one: rows up to one without name. */
typedef struct am_processor_family {
    const am_processor_class *classes;
} am_processor_family;
extern const am_processor_family *const am_processor_family_registry[];

/* A token that the class names. */
typedef struct am_processor_token {
    const char *name; /* in the arena, as `text` */
    am_text text;
    int32_t id; /* -1: not in the vocabulary */
} am_processor_token;

struct am_processor {
    const am_processor_class *kind; /* static */
    am_arena arena;
    am_json_document *arguments, *config, *tokenizer_config, *defaults; /* the first three may be null */
    am_tokenizer *tokenizer, *second_tokenizer;                         /* null: it takes no texts; the second */
    am_chat_template *chat_template;                                    /* null: the class needs none */
    am_image_processor *image_processor;                                /* null: the class takes no images */
    am_video_processor *video_processor;    /* null: it, or the directory, takes no videos */
    am_feature_extractor feature_extractor; /* of zeros: it takes no sounds */
    am_processor_token *tokens;
    int64_t token_count;
};

/* --- settings --- */

/* A setting of the arguments, else of processor_config.json where it is given and not null, else of the class. */
am_json am_processor_setting(const am_processor *p, const char *key);

/* The same of a group: "text_kwargs", of which processor_config.json has none. For text_kwargs what
   tokenizer_config.json says goes before the class. */
am_json am_processor_kwarg(const am_processor *p, const char *group, const char *key);

/* An integer that has to be there, from 0 to 2^31. Fails with AM_INVALID_FILE and the key. */
am_status am_processor_integer(const am_processor *p, const char *key, int64_t *out) AM_NODISCARD;

/* The same of the image processor's settings. */
am_status am_processor_image_integer(const am_processor *p, const char *key, int64_t *out) AM_NODISCARD;

/* The same of the video processor's. */
am_status am_processor_video_integer(const am_processor *p, const char *key, int64_t *out) AM_NODISCARD;

/* A setting that is true or false; the fallback where it is neither. */
bool am_processor_flag(const am_processor *p, const char *key, bool fallback);

/* --- tokens --- */

/* A token of the class's list; null: the tokenizer and the settings have none (of those with ?). */
const am_processor_token *am_processor_find_token(const am_processor *p, const char *name);

/* Appends the token of that name `times` times; one that is missing, or less than one time, is nothing. */
void am_put_token(const am_processor_call *run, const char *name, int64_t times, am_buffer *out);

/* The token's text, "" where it is missing. */
am_text am_token_text(const am_processor_call *run, const char *name);

/* A special token of the tokenizer ("bos_token") as text that ends with a zero byte; "" where it has none. */
const char *am_special_text(am_processor_call *run, const char *name);

/* --- outputs of parts --- */

/* The number at [row, column] of an output of integers or floats, in which a row is all but the first dimension; where
   the output is a list, the column-th number of the row-th tensor. Fails with AM_INVALID_ARGUMENT, naming it, where it
   is not there. */
am_status am_media_number(const am_media_tensors *list, const char *name, int64_t row, int64_t column,
                          int64_t *out) AM_NODISCARD;

/* The shape of an output; of a list that of tensor `row`. */
am_status am_media_shape(const am_media_tensors *list, const char *name, int64_t row, am_shape *out) AM_NODISCARD;

/* The sum of a row of a mask. */
am_status am_media_row_sum(const am_media_tensors *list, const char *name, int64_t row, int64_t *out) AM_NODISCARD;

/* Gives an output another name; nothing where it is not there. */
void am_media_rename(am_media_tensors *list, const char *from, const char *to);

/* Frees an output of that name, if any. */
void am_media_drop(am_media_tensors *list, const char *name);

/* --- steps of a call --- */

/* Replaces a text. */
void am_set_text(am_processor_call *run, int64_t text, am_buffer *from);

/* Makes `count` empty texts in the place of those there are. */
am_status am_make_texts(am_processor_call *run, int64_t count) AM_NODISCARD;

/* Replaces each `what` of all texts; an empty one is nowhere. `put` appends what stands in the place of the index-th.
 */
am_status am_replace_in_texts(am_processor_call *run, am_text what,
                              am_status (*put)(const am_processor_call *run, int64_t index,
                                               am_buffer *out)) AM_NODISCARD;

/* Puts texts before and after each text. */
am_status am_format_texts(am_processor_call *run, const char *before, const char *after) AM_NODISCARD;

/* The feature extractor on `count` sounds with audio_kwargs, into run->sounds. */
am_status am_processor_extract_sounds(am_processor_call *run, const am_audio *sounds, int64_t count) AM_NODISCARD;
am_status am_processor_extract(am_processor_call *run) AM_NODISCARD;

/* How texts are encoded, by text_kwargs. */
am_status am_processor_encode_options(const am_processor *p, am_encode_options *out) AM_NODISCARD;

/* The texts to input_ids, attention_mask and, where the tokenizer has them, token_type_ids. */
am_status am_processor_encode(am_processor_call *run) AM_NODISCARD;

/* The same by another tokenizer, and with other options than those of text_kwargs. */
am_status am_processor_encode_by(am_processor_call *run, const am_tokenizer *tokenizer) AM_NODISCARD;
am_status am_processor_encode_with(am_processor_call *run, const am_tokenizer *tokenizer,
                                   const am_encode_options *options) AM_NODISCARD;

/* Fails with AM_INVALID_ARGUMENT, naming both numbers, where the counted token is not as often in the ids as in the
   text
   (_check_special_mm_tokens). */
am_status am_processor_check_ids(const am_processor_call *run, const am_modality *modality) AM_NODISCARD;

/* Outputs type_ids of the class: 0 for text, 1 for images, 2 for videos, 3 for sounds (create_mm_token_type_ids). */
am_status am_processor_mark_ids(am_processor_call *run) AM_NODISCARD;

/* How often a text holds another, one after another. */
int64_t am_count_text(const am_buffer *text, am_text what);

/* Whether a name is one of those separated by blanks. */
bool am_is_listed(const char *names, const char *name);

/* Outputs integers of `count` rows; rows that differ in length become a list. */
am_status am_give_rows(am_processor_call *run, const char *name, int64_t count, const int64_t *lengths,
                       int64_t *const *rows) AM_NODISCARD;

#endif
