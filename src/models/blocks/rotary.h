/* Rotary position embedding with every scaling of transformers (modeling_rope_utils.py): default, linear,
   dynamic, yarn, longrope, llama3, proportional; read from rope_parameters (5.x) or rope_theta and
   rope_scaling (4.x). */
#ifndef AM_MODELS_BLOCKS_ROTARY_H
#define AM_MODELS_BLOCKS_ROTARY_H

#include "models/model.h"

enum { AM_ROPE_LIMIT = 1024 }; /* rotated pairs of a head */

typedef enum am_rope_type {
    AM_ROPE_DEFAULT,
    AM_ROPE_LINEAR,
    AM_ROPE_DYNAMIC,
    AM_ROPE_YARN,
    AM_ROPE_LONGROPE,
    AM_ROPE_LLAMA3,
    AM_ROPE_PROPORTIONAL
} am_rope_type;

/* What the configuration says. */
typedef struct am_rope_config {
    am_rope_type type;
    double theta;
    int64_t dims;          /* rotated dimensions of a head */
    int64_t pairs;         /* dims / 2, rounded up */
    int64_t max_positions; /* max_position_embeddings */
    double factor, attention_factor;
    int64_t original_positions;
    double inverse_frequency[AM_ROPE_LIMIT];      /* `pairs` of them */
    double long_inverse_frequency[AM_ROPE_LIMIT]; /* longrope beyond original_positions */
} am_rope_config;

/* Reads rope_parameters (of `layer_type` where they are nested by layer type, else null), rope_theta or
   rope_scaling, and max_position_embeddings; the defaults are the class's. */
am_rope_config am_rope_config_read(const am_config *c, const char *layer_type, int64_t head_dim, double default_theta,
                                   double default_partial, int64_t default_max_positions);

/* Whole heads rotated by theta, whatever scaling the configuration names. */
am_rope_config am_rope_config_default(const am_config *c, int64_t head_dim, double theta,
                                      int64_t default_max_positions);

/* The numbers of the scaling "llama3". */
typedef struct am_rope_llama3 {
    double factor, low_freq_factor, high_freq_factor;
    int64_t original_positions;
} am_rope_llama3;

/* Whole heads rotated by theta with that scaling, whatever the configuration names: for classes that have it where
   nothing is said. */
am_rope_config am_rope_config_llama3(const am_config *c, int64_t head_dim, double theta, const am_rope_llama3 *scaling,
                                     int64_t default_max_positions);

/* The numbers of the scaling "yarn" with its usual ramp. */
typedef struct am_rope_yarn {
    double theta, factor;
    int64_t original_positions;
    bool exact_ramp;         /* truncate: false */
    double attention_factor; /* of cos and sin; 0: 1 */
} am_rope_yarn;

/* am_rope_config_llama3 of that scaling. */
am_rope_config am_rope_config_yarn(const am_config *c, int64_t head_dim, const am_rope_yarn *scaling,
                                   int64_t default_max_positions);

/* Whether some rotation is scaled by how long the text is (dynamic, longrope): then the first tokens' keys depend on
   how many are read with them. */
bool am_rope_follows_length(const am_config *c);

/* What a class calls its fields, and how it reads them. */
typedef struct am_rope_fields {
    const char *layer_type; /* rope_parameters are nested by it; null: they are not */
    const char *theta;      /* beside the parameters, in files of 4.x; null: rope_theta */
    const char *partial;    /* the same; null: partial_rotary_factor */
    double fixed_theta;     /* in place of what the file says; 0: none */
    bool whole_heads;       /* the class rotates whole heads, whatever partial_rotary_factor says */
    bool rounds_up;         /* odd numbers of rotated dimensions are possible: one more is rotated */
} am_rope_fields;

/* am_rope_config_read where the class has its own names or rules. */
am_rope_config am_rope_config_read_fields(const am_config *c, const am_rope_fields *fields, int64_t head_dim,
                                          double default_theta, double default_partial, int64_t default_max_positions);

/* Tables for the positions of this run: cos, sin: [1 or B, T, dims / 2]. */
typedef struct am_rope {
    am_value cos, sin;
    bool interleaved;
} am_rope;

am_rope am_rope_tables(am_builder *b, const am_rope_config *config, int64_t T);

/* The same for positions: I32 [1 or B, T] of the model's own, which may be negative. */
am_rope am_rope_tables_at(am_builder *b, const am_rope_config *config, am_value positions);

/* Rotation by places of time, height and width: pairs of a head in sections, one after the other by each of the three.
 */
enum { AM_MROPE_SECTIONS = 16 };

typedef struct am_mrope_sections {
    int64_t pairs[AM_MROPE_SECTIONS];
    int count; /* 0: none */
    bool interleaved;
    bool alternates; /* pairs turn by height and by width in turn, as many of each as those two have, the last by time */
} am_mrope_sections;

/* mrope_section of the rotary parameters; an error unless they are all pairs that are rotated, or three interleaved. */
am_mrope_sections am_mrope_sections_read(const am_config *c, const am_rope_config *rope, const int64_t fallback[3],
                                         bool interleaved);

/* positions: I32 [3, 1 or B, T]. */
am_rope am_mrope_tables(am_builder *b, const am_rope_config *config, am_value positions,
                        const am_mrope_sections *sections);

/* q: [B, T, H, D] times 1 + beta log(1 + floor(position / length)): the further a query stands, the sharper it attends
   (get_llama_4_attn_scale of transformers). */
am_value am_scale_by_reach(am_builder *b, am_value q, double beta, int64_t length);

/* x: [B, T, H, D], rotated. */
am_value am_rope_apply(am_builder *b, const am_rope *rope, am_value x);

#endif
