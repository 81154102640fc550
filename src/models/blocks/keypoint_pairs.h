/* Pairs of images whose keypoints are matched: a detector's keypoints, and which of two images are each other's best
   (SuperGlue, LightGlue). B pairs are 2 B images, those of a pair beside each other. */
#ifndef AM_MODELS_BLOCKS_KEYPOINT_PAIRS_H
#define AM_MODELS_BLOCKS_KEYPOINT_PAIRS_H

#include "models/blocks/layers.h"

/* Input pixel_values: [B, 2, C, H, W]; another number of images is an error. */
am_value am_pair_of_images(am_builder *b);

typedef struct am_keypoint_pairs {
    am_value keypoints, scores, descriptors,
        mask; /* of the detector: [2 B, L, 2], [2 B, L], [2 B, L, D], I32 [2 B, L] */
    int64_t pairs, length, height, width;
} am_keypoint_pairs;

/* What the class of keypoint_detector_config, below the scope keypoint_detector, finds in pixel_values: [B, 2, C, H,
   W]. In AM_STAGE_MEASURE it gives the output "length"; then, and after an error, the result is false. */
bool am_detect_keypoints(am_builder *b, am_keypoint_pairs *out);

/* Outputs where no image has a keypoint: all of them, empty, and true; false where there are some. */
bool am_give_no_matches(am_builder *b, const am_keypoint_pairs *pairs);

/* Keypoints in pixels from the middle of the image, [2 B, L, 2], over `reach` times its longer side. */
am_value am_centred_keypoints(am_builder *b, const am_keypoint_pairs *pairs, double reach);

/* x: [2 B, ..] with the images of each pair in each other's place. */
am_value am_swap_pairs(am_builder *b, am_value x);

/* Of the first or second images of pairs: [2 B, ..] -> [B, ..]. */
am_value am_images_of_pairs(am_builder *b, am_value x, int second);

/* The other way round: first, second: [B, ..] -> [2 B, ..]. */
am_value am_join_pairs(am_builder *b, am_value first, am_value second);

/* Of log probabilities [B, N, M]: each keypoint's best in the other image, I32 [B, N] and [B, M], and whether that
   one's best is it: BOOL. */
typedef struct am_mutual_matches {
    am_value best[2], mutual[2];
    am_value probabilities; /* [B, N] of the first images' keypoints that are mutual; else 0 */
} am_mutual_matches;

am_mutual_matches am_mutual_matches_of(am_builder *b, am_value scores);

/* The matches and their probabilities, `is` saying which of the first images' count: I32 [2 B, L] with -1 where none,
   and [2 B, L]. N and M are L. */
typedef struct am_keypoint_matches {
    am_value matches, scores;
} am_keypoint_matches;

am_keypoint_matches am_counted_matches(am_builder *b, const am_mutual_matches *found, am_value is);

#endif
