/* What image models share: the input, patches, special tokens and positions, stages and feature maps of
   backbones. */
#ifndef AM_MODELS_BLOCKS_VISION_H
#define AM_MODELS_BLOCKS_VISION_H

#include "models/blocks/layers.h"

enum { AM_STAGES_LIMIT = 16 };

typedef struct am_image_options {
    int64_t num_channels;
    int64_t image_size[2], patch_size[2]; /* height, width */
} am_image_options;

/* num_channels (3), image_size and patch_size: one number, or a list of height and width. */
am_image_options am_image_options_read(const am_config *c, int64_t image_size, int64_t patch_size);

/* The field `key`, a number or a list of height and width. */
void am_config_pair(const am_config *c, const char *key, int64_t fallback, int64_t out[2]);

/* Marks which of `count` layers the list `key` names, by their numbers from 0. */
void am_marked_layers(const am_config *c, const char *key, int count, bool *out);

/* Whole patches of an image of image_size. */
int64_t am_image_patches(const am_image_options *options);

/* Input pixel_values: [B, num_channels, height, width]; another number of channels is an error. */
am_value am_pixel_values(am_builder *b, int64_t num_channels);

/* The same; another size than image_size is an error, too. */
am_value am_pixel_values_sized(am_builder *b, const am_image_options *options);

/* Input pixel_values of videos: [B, frames, num_channels, height, width]; the same errors. */
am_value am_video_values(am_builder *b, int64_t num_channels);
am_value am_video_values_sized(am_builder *b, const am_image_options *options);

/* Convolution NAME over patches that do not overlap: x: [B, C', height, width] -> [B, C, rows, columns]. */
am_value am_patch_convolution(am_builder *b, const char *name, am_value x, int64_t C, const int64_t patch_size[2],
                              int bias);

/* x: [B, C, rows, columns] -> [B, rows * columns, C]. */
am_value am_image_tokens(am_builder *b, am_value x);

/* The other way round: x: [B, rows * columns, C] -> [B, C, rows, columns]. */
am_value am_tokens_image(am_builder *b, am_value x, int64_t rows, int64_t columns);

/* Tokens of a video, x: [B, frames, C', height, width], by convolution NAME over tubelets (frames, height, width) that
   do not overlap: [B, tubelets, C]. */
am_value am_tubelet_tokens(am_builder *b, const char *name, am_value x, int64_t C, am_shape tubelet);

/* Input bool_masked_pos as BOOL [B, N], for patches x: [B, N, C]; AM_NONE where it is not given. */
am_value am_masked_patches(am_builder *b, am_value x);

/* x: [B, N, C] with the weight mask_token of `shape`, C elements, where bool_masked_pos says so. */
am_value am_mask_patches(am_builder *b, am_value x, am_shape shape);

/* Rows and columns of patches by bicubic interpolation: x: [1, from[0] * from[1], C] -> [1, to[0] * to[1], C]. */
am_value am_resize_patches(am_builder *b, am_value x, const int64_t from[2], const int64_t to[2], bool antialias);

/* The weight position_embeddings of some tokens and of the patches of image_size, [1, tokens + patches, C], for images
   of patches[0] x patches[1] patches: as it is for square images of so many, else resized, which takes patches that lie
   in a square. */
am_value am_square_positions(am_builder *b, const am_image_options *options, am_value x, const int64_t patches[2],
                             bool is_square, bool antialias);

/* The weight position_embeddings of a class token, which is left out, and of the patches of image_size, which are a
   square, for x: [B, N, C] of patches[0] x patches[1] patches: [1, N, C]. */
am_value am_positions_behind_class(am_builder *b, const am_image_options *options, am_value x,
                                   const int64_t patches[2]);

/* The weight of that name, of any float dtype, as dtype of x, for arithmetic with it. */
am_value am_parameter(am_builder *b, const char *name, am_shape shape, am_value x);

/* The weight `name` of `shape`, C elements, as a token before those of x: [B, T, C] -> [B, 1 + T, C]. */
am_value am_prepend_token(am_builder *b, const char *name, am_shape shape, am_value x);

/* torch.nn.PixelShuffle: x: [B, C * r * r, H, W] -> [B, C, H * r, W * r]. */
am_value am_pixel_shuffle(am_builder *b, am_value x, int64_t r);

/* Mean over the positions of x: [B, C, H, W]: [B, C, 1, 1], or [B, C] without keep_dims. */
am_value am_image_mean(am_builder *b, am_value x, bool keep_dims);

/* x: [B, C, H, W] -> [B, C, height, width], linear between the centres of pixels. */
am_value am_image_resized(am_builder *b, am_value x, int64_t height, int64_t width);

/* --- convolutional backbones --- */

typedef struct am_stages {
    int count;
    int64_t depths[AM_STAGES_LIMIT], hidden_sizes[AM_STAGES_LIMIT];
} am_stages;

/* depths and hidden_sizes, lists of one length; the fallback is where they are absent. */
am_stages am_stages_read(const am_config *c, const am_stages *fallback);

/* depths alone, into out[AM_STAGES_LIMIT]; gives how many stages. */
int am_stage_depths(const am_config *c, const int64_t *fallback, int fallback_count, int64_t *out);

/* The list `key` of `count` sizes, `least` or more, into out[AM_STAGES_LIMIT]; the fallback where it is absent. Of
   lists that are wrong out has ones. */
void am_stage_sizes(const am_config *c, const char *key, int count, int64_t least, const int64_t *fallback,
                    int fallback_count, int64_t *out);

/* size * ratio without its fraction; fails, naming the field `key`, where that is not 1 .. 2^31 - 1, and gives 1. */
int64_t am_scaled_size(const am_config *c, const char *key, int64_t size, double ratio);

/* Marks which of "stem", "stage1" .. a backbone gives: out_features or out_indices, else the last alone;
   out has 1 + count elements. */
void am_backbone_stages(const am_config *c, int count, bool *out);

/* The same of a backbone whose stages are "stage1" .. alone: out has `count` elements. */
void am_backbone_stages_no_stem(const am_config *c, int count, bool *out);

/* Outputs feature_maps.0 ..: those of the 1 + count hidden states that a backbone gives. */
void am_output_feature_maps(am_builder *b, const am_value *states, int count);

/* "stem" for 0, "stage<i>" else; text holds `size` bytes. */
const char *am_stage_name(int i, char *text, size_t size);

#endif
