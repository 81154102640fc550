/* Qwen2-VL's line: a vision transformer over images and videos of any size, whose squares of patches are tokens of a
   text with places in time, height and width. */
#ifndef AM_MODELS_BLOCKS_QWEN_VL_H
#define AM_MODELS_BLOCKS_QWEN_VL_H

#include "models/blocks/grids.h"
#include "models/blocks/vision_language.h"

typedef struct am_qwen_vision am_qwen_vision;

typedef struct am_qwen_vision_output {
    am_value last_hidden_state;             /* [N, width], windows one behind the other */
    am_value pooler_output;                 /* [N / merge^2, out_width] */
    am_value deep[AM_VISION_LANGUAGE_DEEP]; /* the same of the layers `deep` */
} am_qwen_vision_output;

/* A vision tower as its configuration has it. */
struct am_qwen_vision {
    int64_t depth, width, out_width, intermediate_size, heads;
    int64_t in_channels, patch_size, temporal_patch_size, merge;
    int64_t window;     /* sides of windows in tokens of the text; 0: every layer sees whole images */
    const am_config *c; /* it was read from */
    am_unary_fn hidden_act;
    bool modern;       /* RMSNorm and a gated MLP (Qwen2.5-VL) */
    int64_t positions; /* learned, in a square that is resized to each picture; 0: none (Qwen3-VL has them) */
    int64_t deep[AM_VISION_LANGUAGE_DEEP]; /* layers whose states go to the text, too */
    int deep_count;
    const char *fc1, *fc2;                      /* of layers; null: "fc1", "fc2" */
    const char *merge_norm, *merge_1, *merge_2; /* of mergers; null: "ln_q", "mlp.0", "mlp.2" */
    const char *deep_mergers;                   /* of the layers `deep`; null: "deepstack_merger_list" */
    const char *q, *k, *v;                      /* projections of attention; q null: one, "qkv" */
    double theta;
    double norm_eps;  /* 0: 1e-6 */
    int64_t kv_heads; /* 0: heads */
    double limit;     /* of the gated MLPs, see am_limited_mlp; 0: none */
    bool patch_bias, no_qkv_bias, no_proj_bias, no_mlp_bias;
    bool flat_embedding; /* the patches' projection is a matrix in the file */
    bool no_time;        /* it is a convolution over height and width */
    bool no_rope;        /* nothing is rotated */
    bool qk_norm;        /* RMSNorm of each query and key head */
    /* Null, or what becomes of embedded patches x: [N, width] before the layers. */
    am_value (*enter)(am_builder *b, am_value x, const am_grids *grids, const am_patch_places *places,
                      const am_qwen_vision *v);
    /* Null, or the outputs of x: [N, width], which comes out of the layers, in place of the merger's. */
    void (*leave)(am_builder *b, am_value x, const am_qwen_vision *v, am_qwen_vision_output *out);
};

/* Patches x: [N, channels * frames * height * width] of images or videos with these grids, below the scope;
   hidden_states: whether the outputs hidden_states are named. */
am_qwen_vision_output am_qwen_vision_tower(am_builder *b, am_value x, const am_grids *grids, const am_qwen_vision *v,
                                           bool hidden_states);

/* A tower of configuration c; what differs is read by the member. */
typedef am_qwen_vision am_qwen_vision_read(const am_config *c);

/* The fields of a tower as Qwen2_5_VLVisionConfig names and defaults them. */
am_qwen_vision am_qwen2_5_vision_read(const am_config *c);

/* Rows of a text for the input `pixels` and its grids, by the tower `visual` of vision_config. */
am_value am_qwen_features(am_builder *b, am_qwen_vision_read *read, const char *pixels, const char *grid);

/* The same of a tower of another name. */
am_value am_qwen_features_below(am_builder *b, am_qwen_vision_read *read, const char *scope, const char *pixels,
                                const char *grid);

/* The same where each frame of a video is a picture of its own. */
am_value am_qwen_frame_features(am_builder *b, am_qwen_vision_read *read, const char *pixels, const char *grid);

/* How the text counts: see am_place_inputs. */
typedef struct am_qwen_places {
    int64_t merge, tokens_per_second;
    bool frames_apart;    /* each frame of a video stands by itself, with words between */
    int64_t video_frames; /* so many frames of a video are one; 0: each is */
} am_qwen_places;

/* The part inputs of the text model: position_ids. */
int am_qwen_text_inputs(am_builder *b, const am_qwen_places *places, am_part_input out[AM_VISION_LANGUAGE_INPUTS]);

/* Places of a new token, which stand as much further as its prompt's did, by the cache "rope_delta": [3, B, 1] in
   that dtype, I32 or F32. */
am_value am_qwen_next_places(am_builder *b, int64_t B, am_dtype dtype);

/* Which of the first T places are attended to: BOOL [B, T], or AM_NONE where nothing says so. */
am_value am_qwen_attended(am_builder *b, int64_t T);

/* Inputs whose numbers decide shapes. */
extern const am_shaping_input am_qwen_shaping_inputs[];

#endif
