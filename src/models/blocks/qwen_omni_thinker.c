#include "models/blocks/qwen_omni_thinker.h"

const am_shaping_input am_qwen_omni_shaping_inputs[] = {{.name = "image_grid_thw"},
                                                        {.name = "video_grid_thw"},
                                                        {.name = "feature_attention_mask", .kind = AM_SHAPED_BY_STARTS},
                                                        {0}};

/* I32 [B, T]: 1 for an image's token, 2 for a video's, else 0. */
static am_value token_types(am_builder *b, am_value ids)
{
    const am_config *c = am_model_config(b);
    int64_t image = am_config_int(c, am_config_either(c, "image_token_id", "image_token_index"), 151655);
    int64_t video = am_config_int(c, am_config_either(c, "video_token_id", "video_token_index"), 151656);
    am_value is_image = am_cast(b, am_binary_number(b, AM_EQUAL, ids, (double)image), AM_I32);
    am_value is_video = am_cast(b, am_binary_number(b, AM_EQUAL, ids, (double)video), AM_I32);
    return am_add(b, is_image, am_mul_number(b, is_video, 2));
}

/* Places of words alone: those attended to counted from 0, the others at 1: [3, B, T]. */
static am_value word_places(am_builder *b, am_value attended, am_dtype dtype, am_value *delta)
{
    am_value number = am_cast(b, attended, dtype), count = am_reduce_last(b, AM_REDUCE_SUM, number);
    am_value at = am_add_number(b, am_scan(b, AM_REDUCE_SUM, number, 1, false, false), -1);
    at = am_select(b, attended, at, am_scalar(b, dtype, 1));
    *delta = am_sub(b, am_add_number(b, am_reduce_last(b, AM_REDUCE_MAX, at), 1), count);
    am_shape shape = am_shape_of(3, am_dim(b, attended, 0), am_dim(b, attended, 1));
    return am_broadcast(b, am_unsqueeze(b, at, 0), shape);
}

/* What this run says of its pictures. */
static am_place_inputs read_pictures(am_builder *b, bool exact)
{
    const am_config *c = am_model_config(b);
    am_config vision = am_config_child(c, "vision_config");
    int64_t merge = am_config_size(&vision, "spatial_merge_size", 2);
    return (am_place_inputs){.images = am_grids_read(b, "image_grid_thw", merge),
                             .videos = am_grids_read(b, "video_grid_thw", merge),
                             .tokens_per_second = am_config_size(c, "position_id_per_seconds", 25),
                             .seconds = am_input_optional(b, "video_second_per_grid", 1),
                             .time_counts = true,
                             .exact_times = exact};
}

int am_qwen_omni_text_inputs(am_builder *b, bool exact, am_part_input out[AM_VISION_LANGUAGE_INPUTS])
{
    am_dtype dtype = exact ? AM_F32 : AM_I32;
    am_value ids = am_input_optional(b, "input_ids", 2);
    am_place_inputs in = read_pictures(b, exact);
    am_input_optional(b, "feature_attention_mask", 2);
    am_input_optional(b, "audio_feature_lengths", 1); /* transformers counts the mask's marks instead */
    if (!ids.id || am_has_input(b, "position_ids")) return 0;
    int64_t B = am_dim(b, ids, 0), T = am_dim(b, ids, 1);
    if (T == 1 && am_has_cache(b)) {
        out[0] = (am_part_input){.name = "position_ids", .value = am_qwen_next_places(b, B, dtype)};
        return 1;
    }
    bool seen = in.images.count || in.videos.count, counts = am_has_cache(b) || am_has_input(b, "attention_mask");
    if (in.videos.count && !in.seconds.id)
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT, "input video_second_per_grid is missing beside videos"));
    if (am_builder_failed(b)) return 0;
    am_value delta = am_broadcast(b, am_scalar(b, dtype, 0), am_shape_of(B, 1)), places = AM_NONE;
    in.attended = am_qwen_attended(b, T);
    if (seen && counts) {
        in.types = token_types(b, ids);
        places = am_text_places(b, &in, &delta);
        if (in.attended.id && !exact) places = am_select(b, in.attended, places, am_scalar(b, dtype, 1));
    } else if (in.attended.id) places = word_places(b, in.attended, dtype, &delta);
    am_cache_store(b, "rope_delta", am_cast(b, delta, AM_F32));
    if (places.id) out[0] = (am_part_input){.name = "position_ids", .value = places};
    return places.id ? 1 : 0;
}
