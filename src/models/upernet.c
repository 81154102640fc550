/* UPerNet: its head over the maps of any backbone. transformers: models/upernet/modeling_upernet.py */
#include "models/blocks/feature_maps.h"
#include "models/blocks/uper_head.h"

static const am_uper_names names = {.convolution = "conv",
                                    .norm = "batch_norm",
                                    .bottleneck = "bottleneck",
                                    .pooled_before_index = "psp_modules.",
                                    .pooled_behind_it = ".1"};

static am_uper_options read_options(const am_config *c)
{
    am_uper_options r = {.channels = am_config_size(c, "hidden_size", 512),
                         .labels = am_config_labels(c),
                         .names = &names,
                         .any_count = true};
    r.scale_count = am_config_sizes(c, "pool_scales", r.scales, AM_UPER_SCALES, (const int64_t[]){1, 2, 3, 6}, 4);
    return r;
}

/* The auxiliary head is for training. */
static void for_semantic_segmentation(am_builder *b)
{
    am_uper_options o = read_options(am_model_config(b));
    am_scope(b, "backbone");
    am_feature_maps maps = am_backbone_maps(b, 1, AM_UPER_MOST_MAPS);
    am_end_scope(b);
    if (am_builder_failed(b)) return;
    am_value pixels = am_input(b, "pixel_values", 4);
    am_scope(b, "decode_head");
    am_value x = am_uper_head(b, maps.maps, maps.count, &o);
    am_end_scope(b);
    am_output(b, "logits", am_image_resized(b, x, am_dim(b, pixels, 2), am_dim(b, pixels, 3)));
    am_output_part_list(b, &maps.outputs, "hidden_states", "hidden_states");
}

static const am_architecture architectures[] = {
    {"UperNetForSemanticSegmentation", for_semantic_segmentation, "image-segmentation", 0},
    {0},
};

const am_model_type am_model_upernet = {.name = "upernet", .architectures = architectures};
