/* Qwen3-VL: Qwen2-VL whose patches have learned positions, too, states of several layers of whose tower go to the
   text's first layers, and whose videos are frames between the times they were taken at. transformers:
   models/qwen3_vl/modeling_qwen3_vl.py */
#include "models/blocks/qwen_vl.h"

#include <stdio.h>

static am_qwen_vision read_vision(const am_config *c)
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

static am_value features(am_builder *b)
{
    return am_qwen_features(b, read_vision, "pixel_values", "image_grid_thw");
}

static am_value video_features(am_builder *b)
{
    return am_qwen_features(b, read_vision, "pixel_values_videos", "video_grid_thw");
}

static int deep_rows(am_builder *b)
{
    am_config vision = am_config_child(am_model_config(b), "vision_config");
    return read_vision(&vision).deep_count;
}

static int text_inputs(am_builder *b, am_part_input out[AM_VISION_LANGUAGE_INPUTS])
{
    am_config vision = am_config_child(am_model_config(b), "vision_config");
    const am_qwen_places places = {.merge = am_config_size(&vision, "spatial_merge_size", 2), .frames_apart = true};
    return am_qwen_text_inputs(b, &places, out);
}

static void vision_model(am_builder *b)
{
    am_qwen_vision v = read_vision(am_model_config(b));
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

static const am_vision_language_family family = {.features = features,
                                                 .video_features = video_features,
                                                 .deep_rows = deep_rows,
                                                 .image_token = 151655,
                                                 .video_token = 151656,
                                                 .text_type = "qwen3_vl_text",
                                                 .hides_features = true,
                                                 .text_inputs = text_inputs};

static const am_architecture architectures[] = {
    {"Qwen3VLModel", am_vision_language_model, NULL, 0},
    {"Qwen3VLForConditionalGeneration", am_vision_language_for_conditional_generation, "image-text-to-text",
     AM_GENERATES | AM_READS_AT_ONCE},
    {"Qwen3VLVisionModel", vision_model, NULL, 0},
    {0},
};

const am_model_type am_model_qwen3_vl = {.name = "qwen3_vl qwen3_vl_vision",
                                         .base_prefix = "model",
                                         .architectures = architectures,
                                         .family = &family,
                                         .shaping_inputs = am_qwen_shaping_inputs};
