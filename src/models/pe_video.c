/* Perception Encoder for videos (PE-V): what a network of timm says of each frame, read by PE-A's transformer; products
   of what projections make of a text's and a video's first token are logits. transformers:
   models/pe_video/modeling_pe_video.py */
#include "models/blocks/layers.h"
#include "models/blocks/pe_encoder.h"
#include "models/blocks/perception_encoder.h"
#include "models/blocks/vision.h"

/* Frames of the input pixel_values_videos: [B, T, channels, height, width] -> [B, T, width]. */
static am_value embedded(am_builder *b, int64_t width)
{
    am_config vision = am_config_child(am_model_config(b), "vision_config");
    am_value x = am_input(b, "pixel_values_videos", 5);
    int64_t B = am_dim(b, x, 0), T = am_dim(b, x, 1);
    if (am_builder_failed(b)) return AM_NONE;
    am_scope(b, "embedder");
    am_scope(b, "vision_model.timm_model");
    x = am_perception_logits(b, &vision, am_flatten(b, x, 0, 1));
    am_end_scope(b);
    if (am_builder_failed(b) || !x.id) return AM_NONE;
    x = am_reshape(b, am_unit_length(b, x, 1e-12), am_shape_of(B, T, am_dim(b, x, 1)));
    x = am_linear(b, "data_proj", am_linear(b, "proj", x, width, AM_NO_BIAS), width, AM_BIAS);
    am_end_scope(b);
    return x;
}

static void video_encoder(am_builder *b)
{
    am_pe_encoder e = am_pe_encoder_read(am_model_config(b));
    am_value x = embedded(b, e.width), mask = am_input_optional(b, "padding_mask_videos", 2);
    if (am_builder_failed(b)) return;
    if (mask.id && am_dim(b, mask, 1) != am_dim(b, x, 1))
        am_builder_fail(b,
                        am_error(AM_INVALID_ARGUMENT, "padding_mask_videos and pixel_values_videos differ in frames"));
    am_pe_encode(b, x, mask, &e);
}

/* --- beside a text --- */

static void pe_video_model(am_builder *b)
{
    static const am_pe_beside video = {.name = "video",
                                       .class_name = "PeVideoEncoder",
                                       .inputs = {"pixel_values_videos", "padding_mask_videos"},
                                       .read = "pooler_output"};
    am_pe_beside_text(b, &video);
}

static const am_architecture architectures[] = {
    {"PeVideoModel", pe_video_model, NULL, 0},
    {"PeVideoEncoder", video_encoder, NULL, 0},
    {0},
};

const am_model_type am_model_pe_video = {
    .name = "pe_video pe_video_encoder", .base_prefix = "video_model", .architectures = architectures};
