/* What a model file describes, and what its functions see while they build a graph. */
#ifndef AM_MODELS_MODEL_H
#define AM_MODELS_MODEL_H

#include "graph/ops.h"
#include "models/config.h"

/* Which part of an encoder-decoder a graph holds; other classes only know AM_STAGE_FORWARD. */
typedef enum am_stage {
    AM_STAGE_FORWARD, /* everything, as transformers' forward */
    AM_STAGE_ENCODE,  /* the encoder: gives encoder_last_hidden_state */
    AM_STAGE_DECODE,  /* the decoder, reading encoder_hidden_states or cached cross-attention keys */
    AM_STAGE_MEASURE, /* see AM_MEASURES */
} am_stage;

typedef struct am_input_spec {
    const char *name;
    am_dtype dtype; /* as the caller gives it: integers enter graphs as I32, floats as F32, BOOL as BOOL */
    am_shape shape;
} am_input_spec;

/* An argument of a class's forward that is a number and decides what is computed: num_recycles. */
typedef struct am_argument {
    const char *name;
    int64_t value;
    bool may_stay_unread; /* it comes from an input, which other classes of the type read otherwise */
} am_argument;

/* What a graph is built for. Two equal signatures of one model share a graph. */
typedef struct am_signature {
    const am_input_spec *inputs;
    int input_count;
    am_stage stage;
    bool output_hidden_states;
    int64_t cache_capacity; /* places of the key/value caches; 0: no caches */
    bool cross_cached;      /* the cross-attention keys and values are in the caches already */
    int64_t encoder_length; /* of the cached encoder states */
    bool last_logits_only;  /* causal heads give logits of the last position only: [B, 1, V] */
    const am_argument *arguments;
    int argument_count;
} am_signature;

/* AM_RECOMPUTES: generates without caches, running the whole text for every token, since early tokens see later
   ones. Its graph is built with last_logits_only, and without cache_capacity.
   AM_READS_AT_ONCE: a prompt read in parts gives something else than the whole of it.
   AM_MEASURES: how long results are depends on what is computed. A graph of AM_STAGE_MEASURE gives that alone, as the
   output "length": I32 of one element, and is run first; what it gave is the argument "length" of the graph of all. */
enum { AM_GENERATES = 1, AM_ENCODER_DECODER = 2, AM_RECOMPUTES = 4, AM_READS_AT_ONCE = 8, AM_MEASURES = 16 };

typedef enum am_shaping {
    AM_SHAPED_BY_NUMBERS, /* the argument NAME.i is element i */
    AM_SHAPED_BY_MARKS,   /* NAME is how many numbers of each row of [B, N] are not zero */
    AM_SHAPED_BY_ROWS,    /* NAME.i is how many numbers of row i of [.., N] are not zero */
    AM_SHAPED_BY_STARTS,  /* the same, all of which stand before the others, else that is an error */
    AM_SHAPED_BY_TOKEN,   /* `argument` is how often a token stands in that row of [B, N] that has most of them; none
                             where   an input of the argument's name is given */
} am_shaping;

/* An input of whole numbers that decide what is computed: a graph is built for them, and they are arguments of its
   signature where the input is given. */
typedef struct am_shaping_input {
    const char *name;
    am_shaping kind;
    const char *argument, *token; /* AM_SHAPED_BY_TOKEN: the token is that field of the configuration, else fallback */
    const char *part;             /* the field is one of that part of the configuration ("vision_config"); or null */
    int64_t fallback;
} am_shaping_input;

/* One class of transformers. */
typedef struct am_architecture {
    const char *name;             /* "BertForMaskedLM" */
    void (*build)(am_builder *b); /* reads config and inputs, names outputs as transformers does */
    const char *task;             /* pipeline task, or null */
    int flags;
} am_architecture;

/* How files that keep names of their own call what transformers calls `name`: that part of a weight's name (all places
   where it stands, or its beginning where it starts with ^) is `in_file` there. */
typedef struct am_renaming {
    const char *name, *in_file;
} am_renaming;

/* NAME by all of a list, one after the other, into out; false where it has no such part, or would not fit. */
bool am_rename_weight(const am_renaming *list, const char *name, char *out, size_t size);

/* One config.json model type and its classes: `const am_model_type am_model_bert` in models/bert.c. */
typedef struct am_model_type {
    const char *name;        /* model_type; several are separated by spaces ("clip clip_text_model") */
    const char *base_prefix; /* of the base model in checkpoints of classes with heads: "bert", "model"; null: none */
    const am_architecture *architectures; /* ends with a null name */
    const void *family; /* what the shared builders of its family read: see am_decoder_family; or null */
    const am_shaping_input *shaping_inputs; /* ends with a null name; or null */
    /* Null, or the length beyond which caches made up to it hold no longer what the class computes, so that a text that
       outgrows it is read again from the start; 0: none. */
    int64_t (*reads_again_beyond)(const am_config *config);
    /* Null, or lists that end with a null name, and a null list: a weight that the file has not under its own name is
       looked for by the first, by the first and then the second, and so on. */
    const am_renaming *const *renamings;
} am_model_type;

/* All model types, generated from the folder; ends with null. */
extern const am_model_type *const am_model_registry[];

/* The row of a class by its name, or null; *out_type (may be null) is its model type. */
const am_architecture *am_architecture_find(const char *name, const am_model_type **out_type);

/* The model type of a config.json model_type, or null. */
const am_model_type *am_model_type_find(const char *name);

/* Builds the graph of a class for a signature. Fails as configuration, weights and shapes demand. */
am_status am_architecture_build(const am_model_type *type, const am_architecture *architecture, const am_config *config,
                                const am_signature *signature, am_weight_lookup lookup, void *lookup_context,
                                am_graph **out) AM_NODISCARD;

/* --- for model files --- */

/* config.json of the model that is built. */
const am_config *am_model_config(const am_builder *b);

/* The family pointer of its descriptor. */
const void *am_model_family(const am_builder *b);

/* Which part of an encoder-decoder is built. */
am_stage am_model_stage(const am_builder *b);

/* Whether the caller wants hidden states as outputs. */
bool am_wants_hidden_states(const am_builder *b);

/* Whether logits of the last position are enough. */
bool am_wants_last_logits_only(const am_builder *b);

/* The argument of that name, or the fallback where the caller gave none. */
int64_t am_model_argument(const am_builder *b, const char *name, int64_t fallback);

/* Element i of a shaping input that is given: see am_shaping_input. */
int64_t am_shaping_number(const am_builder *b, const char *name, int64_t i);

/* Input of that name as a graph value (I32, F32 or BOOL); an error when the caller gave none, or one of
 * another rank. */
am_value am_input(am_builder *b, const char *name, int rank);
am_value am_input_optional(am_builder *b, const char *name, int rank); /* AM_NONE when not given */
bool am_has_input(const am_builder *b, const char *name);

/* Names output "hidden_states.<i>" when hidden states are wanted; `name` is "hidden_states",
 * "decoder_hidden_states" ... */
void am_output_hidden_state(am_builder *b, const char *name, int i, am_value v);

/* --- a class inside another --- */

/* An input of the class inside: an input of the whole under another name, or a value. */
typedef struct am_part_input {
    const char *name;
    const char *whole; /* null: value, which AM_NONE leaves out */
    am_value value;
} am_part_input;

/* Rows: [N, C] that take, in their order, the places of `token` in ids: I32 [B, T], N of them. */
typedef struct am_feature_rows {
    am_value rows, ids;
    int64_t token;
    bool may_be_left; /* the places may be fewer: the last rows take none */
    bool repeats;     /* one row, [1, C], takes every place */
} am_feature_rows;

/* A class that is built as a part of another, from a configuration inside the whole one's and weights below the current
   scope. Inputs that are not listed are those of the whole, named PREFIX and their own name. */
typedef struct am_part {
    const char *auto_class; /* it is what this auto class makes of the configuration's model_type: "AutoModel" */
    const char *class_name; /* not null: this class, whatever auto_class and the model_type are */
    const char *model_type; /* of a configuration that names none */
    const am_config *config;
    const am_part_input *inputs;
    int input_count;
    const char *prefix;
    int64_t rows; /* of the part for each row of the whole, with as much less encoder length; 0 means 1 */
    const am_feature_rows *features; /* of other modalities among the part's embeddings; feature_count of them */
    int feature_count;
    bool hidden_states;    /* the part gives its hidden states, whether or not they are wanted of the whole */
    bool rows_may_be_left; /* features that the part makes itself may be more than their places */
} am_part;

typedef struct am_part_outputs {
    const am_named_value *outputs; /* in the builder's arena */
    int count;
} am_part_outputs;

/* Builds the part and gives its outputs, which are none of the whole. Fails as the class does, with AM_UNSUPPORTED
   where it is not one of the registry, and when it does not read a value or features that it is given. */
am_part_outputs am_build_part(am_builder *b, const am_part *part);

/* The features that this class, a part of another, is to put among its embeddings: *out has as many as are given. */
int am_part_features(am_builder *b, const am_feature_rows **out);

/* Whether this class is a part whose rows_may_be_left. */
bool am_part_rows_may_be_left(const am_builder *b);

/* The output of that name, or AM_NONE. */
am_value am_part_output(const am_part_outputs *outputs, const char *name);

/* Names the outputs NAME.0 .. of a part as outputs WHOLE.0 .. of the whole. */
void am_output_part_list(am_builder *b, const am_part_outputs *outputs, const char *name, const char *whole);

/* Whether this class is a part of another: generate() then knows the whole only, and counts no positions for it. */
bool am_is_part(const am_builder *b);

/* --- caches --- */

/* Whether this graph keeps keys and values from run to run. */
bool am_has_cache(const am_builder *b);
int64_t am_cache_capacity(const am_builder *b); /* 0 without caches */

/* Between the two nothing is kept, and what is built is as in a graph without caches: a tower inside a class that
   generates, which reads its image once. They nest. */
void am_pause_cache(am_builder *b);
void am_resume_cache(am_builder *b);

/* I32 scalar: how many positions the caches hold before this run; AM_NONE without caches. */
am_value am_cache_offset(am_builder *b);

/* Writes x: [B, T, ...] at the offset into the cache "SCOPE.name" and gives all of it, [B, capacity, ...].
 * Without caches: x. */
am_value am_cache_append(am_builder *b, const char *name, am_value x);

/* The same at places of the model's own, I32 [T]: a token may be written again. Of equal places the last wins. */
am_value am_cache_write(am_builder *b, const char *name, am_value x, am_value places);

/* Cross-attention: whether keys and values come from the cache; storing them; reading them back. */
bool am_cross_cached(const am_builder *b);
void am_cache_store(am_builder *b, const char *name, am_value x);
am_value am_cache_load(am_builder *b, const char *name, am_shape shape);
int64_t am_encoder_length(const am_builder *b);

/* I32 [1, T] (or the input position_ids: [B, T]): positions of the T tokens of this run. */
am_value am_position_ids(am_builder *b, int64_t T);

#endif
