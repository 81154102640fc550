#include "models/blocks/layout.h"

static am_value boxes(am_builder *b, int64_t T)
{
    am_value box = am_input_optional(b, "bbox", 3);
    return box.id ? box : am_iota(b, AM_I32, am_shape_of(1, T, 4), 1, 0, 0);
}

void am_box_embeddings(am_builder *b, int64_t T, int64_t C, am_value out_parts[AM_BOX_PARTS])
{
    static const char *const tables[AM_BOX_PARTS] = {"x_position_embeddings", "y_position_embeddings",
                                                     "x_position_embeddings", "y_position_embeddings",
                                                     "h_position_embeddings", "w_position_embeddings"};
    int64_t rows = am_config_size(am_model_config(b), "max_2d_position_embeddings", 1024);
    am_value box = boxes(b, T), edges[AM_BOX_PARTS];
    for (int i = 0; i < 4; i++) edges[i] = am_index(b, box, 2, i);
    edges[4] = am_sub(b, edges[3], edges[1]);
    edges[5] = am_sub(b, edges[2], edges[0]);
    for (int i = 0; i < AM_BOX_PARTS; i++) out_parts[i] = am_embedding(b, tables[i], edges[i], rows, C);
}
