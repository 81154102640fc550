#include "models/blocks/qwen3_vl.h"

#include "models/blocks/multimodal.h"

#include <stdio.h>

am_qwen_vision am_qwen3_vision_read(const am_config *c)
{
    static const int64_t deep[] = {8, 16, 24};
    am_config rope = am_config_child(c, "rope_parameters");
    am_qwen_vision v = {
        .depth = am_config_count(c, am_config_either(c, "depth", "num_hidden_layers"), 27),
        .width = am_config_size(c, "hidden_size", 1152),
        .out_width = am_config_size(c, "out_hidden_size", 3584),
        .intermediate_size = am_config_size(c, "intermediate_size", 4304),
        .heads = am_config_size(c, am_config_either(c, "num_heads", "num_attention_heads"), 16),
        .in_channels = am_config_size(c, "in_channels", 3),
        .patch_size = am_config_size(c, "patch_size", 16),
        .temporal_patch_size = am_config_size(c, "temporal_patch_size", 2),
        .merge = am_config_size(c, "spatial_merge_size", 2),
        .c = c,
        .hidden_act = am_config_activation(c, "hidden_act", AM_GELU_TANH),
        .positions = am_config_size(c, "num_position_embeddings", 2304),
        .fc1 = "linear_fc1",
        .fc2 = "linear_fc2",
        .merge_norm = "norm",
        .merge_1 = "linear_fc1",
        .merge_2 = "linear_fc2",
        .theta = am_config_real(&rope, "rope_theta", 10000),
    };
    v.deep_count = am_config_sizes(c, "deepstack_visual_indexes", v.deep, AM_VISION_LANGUAGE_DEEP, deep, 3);
    am_config_check_divides(c, "num_heads", v.heads, "hidden_size", v.width);
    return v;
}

/* Cosmos 3's files have the tower's parts beside those of the text. */
static const char *tower_scope(am_builder *b)
{
    return am_has_weight(b, "patch_embed.proj.weight") ? "" : "visual";
}

am_value am_qwen3_vl_features(am_builder *b)
{
    return am_qwen_features_below(b, am_qwen3_vision_read, tower_scope(b), "pixel_values", "image_grid_thw");
}

am_value am_qwen3_vl_video_features(am_builder *b)
{
    return am_qwen_features_below(b, am_qwen3_vision_read, tower_scope(b), "pixel_values_videos", "video_grid_thw");
}

int am_qwen3_vl_deep_rows(am_builder *b)
{
    am_config vision = am_config_child(am_model_config(b), "vision_config");
    return am_qwen3_vision_read(&vision).deep_count;
}

int am_qwen3_vl_text_inputs(am_builder *b, am_part_input out[AM_VISION_LANGUAGE_INPUTS])
{
    am_config vision = am_config_child(am_model_config(b), "vision_config");
    const am_qwen_places places = {.merge = am_config_size(&vision, "spatial_merge_size", 2), .frames_apart = true};
    return am_qwen_text_inputs(b, &places, out);
}

static void vision_model(am_builder *b, am_qwen_vision_read *read)
{
    am_qwen_vision v = read(am_model_config(b));
    am_value x = am_input(b, "hidden_states", 2);
    am_grids grids = am_grids_read(b, "grid_thw", v.merge);
    am_qwen_vision_output out = am_qwen_vision_tower(b, x, &grids, &v, true);
    am_output(b, "last_hidden_state", out.last_hidden_state);
    am_output(b, "pooler_output", out.pooler_output);
    for (int k = 0; k < v.deep_count; k++) {
        char name[48];
        snprintf(name, sizeof name, "deepstack_features.%d", k);
        am_output(b, name, out.deep[k]);
    }
}

void am_qwen3_vl_vision_model(am_builder *b)
{
    vision_model(b, am_qwen3_vision_read);
}

static am_qwen_vision shallow_read(const am_config *c)
{
    am_qwen_vision v = am_qwen3_vision_read(c);
    v.deep_count = 0;
    return v;
}

am_value am_qwen3_5_features(am_builder *b)
{
    return am_qwen_features(b, shallow_read, "pixel_values", "image_grid_thw");
}

am_value am_qwen3_5_video_features(am_builder *b)
{
    return am_qwen_features(b, shallow_read, "pixel_values_videos", "video_grid_thw");
}

void am_qwen3_5_vision_model(am_builder *b)
{
    vision_model(b, shallow_read);
}

/* x: [B, T, C] */
am_value am_qwen3_vl_add_visual_states(am_builder *b, am_value x, int index)
{
    char name[48];
    snprintf(name, sizeof name, "deepstack_visual_embeds.%d", index);
    am_value rows = am_input_optional(b, name, 2);
    if (!rows.id) return x;
    am_value is = am_input(b, "visual_pos_masks", 2);
    am_require_count(b, is, 1, am_dim(b, rows, 0), "rows of deepstack_visual_embeds");
    if (am_dtype_of(b, is) != AM_BOOL) is = am_binary_number(b, AM_NOT_EQUAL, is, 0);
    return am_add(b, x, am_spread_rows(b, rows, is));
}
