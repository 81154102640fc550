/* ViViT (arXiv 2103.15691): a video as ViT reads an image, of tubelets instead of patches.
   transformers: models/vivit/modeling_vivit.py */
#include "models/blocks/vit.h"

#include <inttypes.h>

/* tubelet_size: frames, height, width. */
static am_shape read_tubelet(const am_config *c)
{
    static const int64_t fallback[] = {2, 16, 16};
    int64_t sizes[3] = {2, 16, 16};
    if (am_config_sizes(c, "tubelet_size", sizes, 3, fallback, 3) != 3 || !sizes[0] || !sizes[1] || !sizes[2]) {
        am_config_fail(c, "tubelet_size", "expected frames, height and width");
        return am_shape_make(3, fallback);
    }
    return am_shape_make(3, sizes);
}

static am_value tubelets(am_builder *b, const am_vit_options *o)
{
    const am_config *c = am_model_config(b);
    am_shape tubelet = read_tubelet(c);
    am_value x = am_video_values_sized(b, &o->image);
    int64_t num_frames = am_config_size(c, "num_frames", 32), frames = am_dim(b, x, 1);
    if (x.id && frames / tubelet.dims[0] != num_frames / tubelet.dims[0])
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT,
                                    "pixel_values has %" PRId64 " frames, expected %" PRId64 " (num_frames)", frames,
                                    num_frames));
    return am_tubelet_tokens(b, "patch_embeddings.projection", x, o->hidden_size, tubelet);
}

static const am_architecture architectures[] = {
    {"VivitModel", am_vit_model, NULL, 0},
    {"VivitForVideoClassification", am_vit_for_image_classification, "video-classification", 0},
    {0},
};

static const am_vit_family family = {
    .prefix = "vivit", .layer_norm_eps = 1e-6, .hidden_act = AM_GELU_TANH, .patches = tubelets};

const am_model_type am_model_vivit = {
    .name = "vivit", .base_prefix = "vivit", .architectures = architectures, .family = &family};
