/* The tower of Cosmos 3 Edge: see blocks/cosmos3_edge.h. transformers: models/cosmos3_edge/modeling_cosmos3_edge.py */
#include "models/blocks/cosmos3_edge.h"

static void vision_model(am_builder *b)
{
    const am_config *c = am_model_config(b);
    am_grids grids = am_grids_read(b, "grid_thw", am_config_size(c, "spatial_merge_size", 2));
    am_value x = am_cosmos3_edge_tower(b, c, am_input(b, "pixel_values", 2), &grids, true);
    am_output(b, "last_hidden_state", x);
    am_output(b, "pooler_output", x);
}

static const am_architecture architectures[] = {
    {"Cosmos3EdgeVisionModel", vision_model, "image-feature-extraction", 0},
    {0},
};

static const am_shaping_input shaping_inputs[] = {{.name = "grid_thw"}, {0}};

const am_model_type am_model_cosmos3_edge_vision = {
    .name = "cosmos3_edge_vision", .architectures = architectures, .shaping_inputs = shaping_inputs};
