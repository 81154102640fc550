#include "models/blocks/feature_maps.h"

#include "models/blocks/timm_resnet.h"

#include <string.h>

am_value am_pixel_mask(am_builder *b)
{
    am_value pixels = am_input(b, "pixel_values", 4), mask = am_input_optional(b, "pixel_mask", 3);
    int64_t B = am_dim(b, pixels, 0);
    if (!mask.id)
        return am_broadcast(b, am_scalar(b, AM_F32, 1), am_shape_of(B, am_dim(b, pixels, 2), am_dim(b, pixels, 3)));
    if (am_dim(b, mask, 0) != B)
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT, "pixel_mask has %lld rows, pixel_values %lld",
                                    (long long)am_dim(b, mask, 0), (long long)B));
    return am_dtype_of(b, mask) == AM_F32 ? mask : am_cast(b, mask, AM_F32);
}

am_value am_mask_of_map(am_builder *b, am_value mask, am_value map)
{
    am_resize_attributes options = {.size = am_shape_of(am_dim(b, map, 2), am_dim(b, map, 3)),
                                    .mode = AM_RESIZE_NEAREST};
    mask = am_squeeze(b, am_resize(b, am_unsqueeze(b, mask, 1), &options), 1);
    return am_cast(b, am_binary_number(b, AM_NOT_EQUAL, mask, 0), AM_F32);
}

static void check_count(am_builder *b, const am_config *c, int count, int least, int most)
{
    if (am_builder_failed(b) || (count >= least && count <= most)) return;
    am_config_fail(c, "out_features", "expected %d to %d feature maps, found %d", least, most, count);
    am_builder_fail(b, am_error(AM_INVALID_ARGUMENT, "%d feature maps", count));
}

static am_feature_maps maps_of(am_builder *b, const char *class_name, const am_config *c, const char *pixels, int least,
                               int most)
{
    am_part_input input = {"pixel_values", pixels, AM_NONE};
    am_part part = {.auto_class = "AutoBackbone",
                    .class_name = class_name,
                    .model_type = "",
                    .config = c,
                    .inputs = &input,
                    .input_count = 1};
    am_part_outputs outputs = am_build_part(b, &part);
    am_feature_maps r = {.outputs = outputs};
    for (int i = 0; i < outputs.count && r.count <= AM_STAGES_LIMIT; i++)
        if (strncmp(outputs.outputs[i].name, "feature_maps.", 13) == 0) r.maps[r.count++] = outputs.outputs[i].value;
    check_count(b, c, r.count, least, most);
    return r;
}

am_feature_maps am_backbone_maps_as(am_builder *b, const char *class_name, const am_config *c, int least, int most)
{
    return maps_of(b, class_name, c, "pixel_values", least, most);
}

am_feature_maps am_backbone_maps_of_pixels(am_builder *b, const am_config *c, const char *pixels, int least, int most)
{
    return maps_of(b, NULL, c, pixels, least, most);
}

am_feature_maps am_backbone_maps_of(am_builder *b, const am_config *c, int least, int most)
{
    return am_backbone_maps_as(b, NULL, c, least, most);
}

am_feature_maps am_backbone_maps(am_builder *b, int least, int most)
{
    const am_config *c = am_model_config(b);
    am_config child = am_config_child(c, "backbone_config");
    bool is_timm = am_config_is(&child, "model_type", "timm_backbone") ||
                   (!am_config_has(c, "backbone_config") && am_config_flag(c, "use_timm_backbone", true));
    if (!is_timm) return am_backbone_maps_of(b, &child, least, most);
    am_feature_maps r = {0};
    r.count = am_timm_resnet(b, r.maps);
    check_count(b, c, r.count, least, most);
    return r;
}
