/* EoMT over DINOv3's layers. transformers: models/eomt_dinov3/modeling_eomt_dinov3.py */
#include "models/blocks/dinov3.h"
#include "models/blocks/eomt.h"

#include <inttypes.h>

static const am_dinov3_defaults defaults = {.hidden_size = 1024,
                                            .intermediate_size = 4096,
                                            .layers = 24,
                                            .heads = 16,
                                            .image_size = 640,
                                            .registers = 4,
                                            .layer_norm_eps = 1e-6,
                                            .rope_theta = 100};

static void for_universal_segmentation(am_builder *b)
{
    const am_config *c = am_model_config(b);
    am_dinov3_options dino;
    int64_t patches[2];
    am_dinov3_options_read(c, &defaults, &dino);
    am_eomt o = am_eomt_read(c, &dino.image, dino.encoder.num_hidden_layers);
    o.layers = dino.encoder;
    o.prefix = 1 + dino.registers;
    am_value x = am_dinov3_embed(b, &dino, patches);
    if (!am_builder_failed(b) && (patches[0] != o.patches[0] || patches[1] != o.patches[1]))
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT,
                                    "pixel_values gives %" PRId64 " x %" PRId64 " patches, expected %" PRId64
                                    " x %" PRId64 " (image_size, patch_size)",
                                    patches[0], patches[1], o.patches[0], o.patches[1]));
    am_rope rope = am_dinov3_rope(b, &dino, o.prefix, patches),
            with_queries = am_dinov3_rope(b, &dino, o.queries + o.prefix, patches);
    o.rope = &rope;
    o.rope_with_queries = &with_queries;
    am_eomt_segment(b, x, &o);
}

static const am_architecture architectures[] = {
    {"EomtDinov3ForUniversalSegmentation", for_universal_segmentation, NULL, 0},
    {0},
};

const am_model_type am_model_eomt_dinov3 = {
    .name = "eomt_dinov3", .base_prefix = "eomt_dinov3", .architectures = architectures};
