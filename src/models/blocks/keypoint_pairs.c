#include "models/blocks/keypoint_pairs.h"

am_value am_pair_of_images(am_builder *b)
{
    am_value x = am_input(b, "pixel_values", 5);
    if (x.id && am_dim(b, x, 1) != 2)
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT, "pixel_values has %lld images a row, expected 2",
                                    (long long)am_dim(b, x, 1)));
    return x;
}

bool am_detect_keypoints(am_builder *b, am_keypoint_pairs *out)
{
    am_config detector = am_config_child(am_model_config(b), "keypoint_detector_config");
    am_value x = am_pair_of_images(b);
    if (am_builder_failed(b)) return false;
    *out = (am_keypoint_pairs){.pairs = am_dim(b, x, 0), .height = am_dim(b, x, 3), .width = am_dim(b, x, 4)};
    am_part_input inputs[] = {{.name = "pixel_values", .value = am_flatten(b, x, 0, 1)}};
    am_scope(b, "keypoint_detector");
    am_part_outputs found = am_build_part(b, &(am_part){.auto_class = "AutoModelForKeypointDetection",
                                                        .model_type = "superpoint",
                                                        .config = &detector,
                                                        .inputs = inputs,
                                                        .input_count = 1,
                                                        .rows = 2});
    am_end_scope(b);
    if (am_builder_failed(b)) return false;
    if (am_model_stage(b) == AM_STAGE_MEASURE) {
        am_output(b, "length", am_part_output(&found, "length"));
        return false;
    }
    out->keypoints = am_part_output(&found, "keypoints");
    out->scores = am_part_output(&found, "scores");
    out->descriptors = am_part_output(&found, "descriptors");
    out->mask = am_part_output(&found, "mask");
    out->length = am_dim(b, out->mask, 1);
    return !am_builder_failed(b);
}

bool am_give_no_matches(am_builder *b, const am_keypoint_pairs *pairs)
{
    am_shape shape = am_shape_of(pairs->pairs, 2, 0);
    if (pairs->length > 0) return false;
    am_output(b, "matches", am_broadcast(b, am_scalar(b, AM_I32, -1), shape));
    am_output(b, "matching_scores", am_broadcast(b, am_scalar(b, AM_F32, 0), shape));
    am_output(b, "keypoints", am_reshape(b, pairs->keypoints, am_shape_of(pairs->pairs, 2, 0, 2)));
    am_output(b, "mask", am_reshape(b, pairs->mask, shape));
    return true;
}

am_value am_centred_keypoints(am_builder *b, const am_keypoint_pairs *pairs, double reach)
{
    float size[] = {(float)pairs->width, (float)pairs->height}, middle[] = {size[0] / 2, size[1] / 2};
    double longer = size[0] > size[1] ? (double)size[0] : (double)size[1];
    am_value x = am_mul(b, pairs->keypoints, am_constant_copy(b, AM_F32, am_shape_of(2), size));
    x = am_sub(b, x, am_constant_copy(b, AM_F32, am_shape_of(2), middle));
    return am_mul_number(b, x, 1 / (longer * reach));
}

static am_value in_pairs(am_builder *b, am_value x)
{
    am_shape shape = am_shape_of_value(b, x), pairs = {.rank = shape.rank + 1, .dims = {shape.dims[0] / 2, 2}};
    for (int i = 1; i < shape.rank; i++) pairs.dims[i + 1] = shape.dims[i];
    return am_reshape(b, x, pairs);
}

am_value am_swap_pairs(am_builder *b, am_value x)
{
    if (!x.id) return AM_NONE;
    return am_reshape(b, am_slice_step(b, in_pairs(b, x), 1, -1, -3, -1), am_shape_of_value(b, x));
}

am_value am_images_of_pairs(am_builder *b, am_value x, int second)
{
    return x.id ? am_index(b, in_pairs(b, x), 1, second) : AM_NONE;
}

am_value am_join_pairs(am_builder *b, am_value first, am_value second)
{
    return am_flatten(b, am_concat2(b, am_unsqueeze(b, first, 1), am_unsqueeze(b, second, 1), 1), 0, 1);
}

static am_value is_mutual(am_builder *b, am_value best, am_value others)
{
    am_value at = am_iota(b, AM_I32, am_shape_of(1, am_dim(b, best, 1)), 1, 0, 1);
    return am_binary(b, AM_EQUAL, at, am_gather(b, others, best, 1, true));
}

am_mutual_matches am_mutual_matches_of(am_builder *b, am_value scores)
{
    am_mutual_matches m = {.best = {am_arg_reduce(b, scores, 2, false), am_arg_reduce(b, scores, 1, false)}};
    m.mutual[0] = is_mutual(b, m.best[0], m.best[1]);
    m.mutual[1] = is_mutual(b, m.best[1], m.best[0]);
    am_value most = am_unary(b, AM_EXP, am_reduce(b, AM_REDUCE_MAX, scores, am_shape_of(2), false));
    m.probabilities = am_select(b, m.mutual[0], most, am_scalar(b, AM_F32, 0));
    return m;
}

am_keypoint_matches am_counted_matches(am_builder *b, const am_mutual_matches *found, am_value is)
{
    am_value none = am_scalar(b, AM_I32, -1), zero = am_scalar(b, AM_F32, 0);
    am_value valid = am_binary(b, AM_LOGICAL_AND, found->mutual[0], is), back;
    back = am_gather(b, am_cast(b, valid, AM_I32), found->best[1], 1, true);
    back = am_binary(b, AM_LOGICAL_AND, found->mutual[1], am_binary_number(b, AM_NOT_EQUAL, back, 0));
    am_value scores = am_gather(b, found->probabilities, found->best[1], 1, true);
    scores = am_select(b, found->mutual[1], scores, zero);
    return (am_keypoint_matches){.matches = am_join_pairs(b, am_select(b, valid, found->best[0], none),
                                                          am_select(b, back, found->best[1], none)),
                                 .scores = am_join_pairs(b, found->probabilities, scores)};
}
