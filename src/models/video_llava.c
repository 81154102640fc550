/* Video-LLaVA: LLaVA with a tower for images and another for the frames of videos. transformers:
   models/video_llava/modeling_video_llava.py */
#include "models/blocks/llava.h"

static const int feature_layer = -2;

static am_value tower_rows(am_builder *b, const char *name, am_value pixels, bool skips_first)
{
    am_part_outputs tower = am_vision_tower(b, name, "clip_vision_model", pixels);
    return am_llava_project(b, am_vision_states(b, &tower, &feature_layer, 1, skips_first));
}

static am_value features(am_builder *b)
{
    am_value pixels = am_input(b, am_has_input(b, "pixel_values") ? "pixel_values" : "pixel_values_images", 4);
    return tower_rows(b, "image_tower", pixels, am_vision_skips_first(b, "default"));
}

/* pixel_values_videos: [B, frames, channels, height, width] -> [B * frames, 1 + P, C]. */
static am_value video_features(am_builder *b)
{
    return tower_rows(b, "video_tower", am_flatten(b, am_input(b, "pixel_values_videos", 5), 0, 1), false);
}

static const am_vision_language_family family = {.features = features,
                                                 .video_features = video_features,
                                                 .pixels_alias = "pixel_values_images",
                                                 .image_token = 32000,
                                                 .video_token = 32001,
                                                 .shows_videos = true};

static const am_architecture architectures[] = {
    {"VideoLlavaModel", am_vision_language_model, NULL, 0},
    {"VideoLlavaForConditionalGeneration", am_vision_language_for_conditional_generation, "image-text-to-text",
     AM_GENERATES},
    {0},
};

const am_model_type am_model_video_llava = {
    .name = "video_llava", .base_prefix = "model", .architectures = architectures, .family = &family};
