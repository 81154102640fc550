#include "models/blocks/layout.h"

enum { EDGES = 4, LONGEST = 1023 };

am_value am_boxes(am_builder *b, int64_t T)
{
    am_value box = am_input_optional(b, "bbox", 3);
    return box.id ? box : am_iota(b, AM_I32, am_shape_of(1, T, 4), 1, 0, 0);
}

/* The distance between two edges, y - x. */
static am_value length(am_builder *b, am_value x, am_value y, const am_box_options *o)
{
    am_value d = am_sub(b, y, x);
    return o->clips_lengths ? am_binary_number(b, AM_MIN, am_binary_number(b, AM_MAX, d, 0), LONGEST) : d;
}

void am_box_embeddings(am_builder *b, am_value boxes, const am_box_options *o, am_value out_parts[AM_BOX_PARTS])
{
    static const char *const tables[AM_BOX_PARTS] = {"x_position_embeddings", "y_position_embeddings",
                                                     "x_position_embeddings", "y_position_embeddings",
                                                     "h_position_embeddings", "w_position_embeddings"};
    int64_t rows = am_config_size(am_model_config(b), "max_2d_position_embeddings", 1024);
    am_value edges[AM_BOX_PARTS];
    for (int i = 0; i < EDGES; i++) edges[i] = am_index(b, boxes, 2, i);
    edges[EDGES] = length(b, edges[1], edges[3], o);
    edges[EDGES + 1] = length(b, edges[0], edges[2], o);
    for (int i = 0; i < AM_BOX_PARTS; i++)
        out_parts[i] = am_embedding(b, tables[i], edges[i], rows, i < EDGES ? o->edge_size : o->length_size);
}
