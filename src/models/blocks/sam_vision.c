#include "models/blocks/sam_vision.h"

#include "models/blocks/vision.h"
#include "models/blocks/windows.h"

#include <inttypes.h>

enum { GLOBAL_LIMIT = 512 };

static const double NECK_EPS = 1e-6; /* not configurable */

typedef struct sam_vision {
    am_image_options image;
    int64_t hidden_size, layers, heads, output_channels, mlp_dim, window_size;
    int64_t global[GLOBAL_LIMIT];
    int global_count; /* layers that see the whole image */
    am_unary_fn hidden_act;
    double eps;
    bool qkv_bias, use_abs_pos, use_rel_pos;
} sam_vision;

static sam_vision read_config(const am_config *c)
{
    static const int64_t global[] = {2, 5, 8, 11};
    sam_vision v = {.image = am_image_options_read(c, 1024, 16),
                    .hidden_size = am_config_size(c, "hidden_size", 768),
                    .layers = am_config_count(c, "num_hidden_layers", 12),
                    .heads = am_config_size(c, "num_attention_heads", 12),
                    .output_channels = am_config_size(c, "output_channels", 256),
                    .window_size = am_config_count(c, "window_size", 14),
                    .hidden_act = am_config_activation(c, "hidden_act", AM_GELU),
                    .eps = am_config_real(c, "layer_norm_eps", 1e-6),
                    .qkv_bias = am_config_flag(c, "qkv_bias", true),
                    .use_abs_pos = am_config_flag(c, "use_abs_pos", true),
                    .use_rel_pos = am_config_flag(c, "use_rel_pos", true)};
    v.mlp_dim = am_config_size(c, "mlp_dim", 3072);
    v.global_count = am_config_sizes(c, "global_attn_indexes", v.global, GLOBAL_LIMIT, global, 4);
    am_config_check_divides(c, "num_attention_heads", v.heads, "hidden_size", v.hidden_size);
    return v;
}

static int64_t window_of(const sam_vision *v, int64_t layer)
{
    for (int i = 0; i < v->global_count; i++)
        if (v->global[i] == layer) return 0;
    return v->window_size;
}

/* Rows of the table NAME for each pair of places of a side: [side, side, D]. */
static am_value distances(am_builder *b, const char *name, int64_t side, int64_t D)
{
    int32_t *ids = am_arena_array(am_builder_arena(b), (size_t)(side * side) + 1, sizeof *ids);
    if (!ids) am_builder_fail(b, am_out_of_memory());
    if (am_builder_failed(b)) return AM_NONE;
    for (int64_t q = 0; q < side; q++)
        for (int64_t k = 0; k < side; k++) ids[q * side + k] = (int32_t)(q - k + side - 1);
    am_value table = am_cast(b, am_weight(b, name, am_shape_of(2 * side - 1, D)), AM_F32);
    return am_gather(b, table, am_constant_copy(b, AM_I32, am_shape_of(side, side), ids), 0, false);
}

/* What queries q: [N, rows, columns, H, D] add to the scores of each place of one side, the rows (1) or columns (2):
   [N, H, rows, columns, side]. */
static am_value side_scores(am_builder *b, const char *name, am_value q, int axis)
{
    am_shape s = am_shape_of_value(b, q);
    int64_t side = am_dim(b, q, axis), D = am_dim(b, q, 4);
    am_shape front = {.rank = 5, .dims = {axis, 0, 3 - axis, 3, 4}}, back = {.rank = 5, .dims = {1, 3, 0, 2, 4}};
    if (axis == 2) back = (am_shape){.rank = 5, .dims = {1, 3, 2, 0, 4}};
    am_value x = am_reshape(b, am_permute(b, q, front), am_shape_of(side, -1, D));
    x = am_matmul(b, x, distances(b, name, side, D), false, true); /* [side, N * other * H, side] */
    if (am_builder_failed(b)) return AM_NONE;
    am_shape split = {.rank = 5, .dims = {side, s.dims[0], s.dims[3 - axis], s.dims[3], side}};
    return am_permute(b, am_reshape(b, x, split), back);
}

/* x: [N, rows * columns, C] -> the same */
static am_value attention(am_builder *b, am_value x, int64_t rows, int64_t columns, const sam_vision *v)
{
    am_value qkv[3];
    am_attention_options options = {.heads = v->heads, .qkv = "qkv", .no_q_bias = !v->qkv_bias};
    int64_t N = am_dim(b, x, 0), H = v->heads, D = v->hidden_size / v->heads, T = rows * columns;
    am_scope(b, "attn");
    am_attention_heads(b, x, &options, qkv);
    if (v->use_rel_pos && !am_builder_failed(b)) {
        am_value q = am_reshape(b, qkv[0], (am_shape){.rank = 5, .dims = {N, rows, columns, H, D}});
        am_value down = am_unsqueeze(b, side_scores(b, "rel_pos_h", q, 1), 5),
                 across = am_unsqueeze(b, side_scores(b, "rel_pos_w", q, 2), 4);
        options.bias = am_reshape(b, am_add(b, down, across), am_shape_of(N, H, T, T));
    }
    x = am_merge_heads(b, am_attend_cached(b, qkv[0], qkv[1], qkv[2], &options));
    x = am_linear(b, "proj", x, v->hidden_size, AM_BIAS);
    am_end_scope(b);
    return x;
}

/* x: [B, rows * columns, C] -> the same */
static am_value layer(am_builder *b, am_value x, int64_t rows, int64_t columns, int64_t side, const sam_vision *v)
{
    am_value h = am_layer_norm(b, "layer_norm1", x, v->eps);
    if (side) {
        am_windows windows = am_windows_of(rows, columns, side, 0);
        h = am_windows_join(b, attention(b, am_windows_split(b, h, &windows), side, side, v), &windows);
    } else h = attention(b, h, rows, columns, v);
    x = am_add(b, x, h);
    h = am_linear_activation(b, "mlp.lin1", am_layer_norm(b, "layer_norm2", x, v->eps), v->mlp_dim, AM_BIAS,
                             v->hidden_act);
    return am_add(b, x, am_linear(b, "mlp.lin2", h, v->hidden_size, AM_BIAS));
}

/* x: [B, C, rows, columns] -> [B, output_channels, rows, columns] */
static am_value neck(am_builder *b, am_value x, const sam_vision *v)
{
    am_convolution_attributes plain = {0},
                              around = {.padding_before = am_shape_of(1, 1), .padding_after = am_shape_of(1, 1)};
    am_scope(b, "neck");
    x = am_conv(b, "conv1", x, v->output_channels, am_shape_of(1, 1), AM_NO_BIAS, &plain);
    x = am_layer_norm_channels_first(b, "layer_norm1", x, NECK_EPS);
    x = am_conv(b, "conv2", x, v->output_channels, am_shape_of(3, 3), AM_NO_BIAS, &around);
    x = am_layer_norm_channels_first(b, "layer_norm2", x, NECK_EPS);
    am_end_scope(b);
    return x;
}

/* Outputs hidden_states.i of x: [B, rows * columns, C]. */
static void keep_state(am_builder *b, bool wanted, int64_t i, am_value x, int64_t rows, int64_t columns)
{
    am_shape shape = {.rank = 4, .dims = {am_dim(b, x, 0), rows, columns, am_dim(b, x, 2)}};
    if (wanted && !am_builder_failed(b)) am_output_hidden_state(b, "hidden_states", (int)i, am_reshape(b, x, shape));
}

am_value am_sam_vision(am_builder *b, const am_config *c, am_value pixels, bool hidden_states)
{
    sam_vision v = read_config(c);
    int64_t rows = v.image.image_size[0] / v.image.patch_size[0],
            columns = v.image.image_size[1] / v.image.patch_size[1];
    if (pixels.id && (am_dim(b, pixels, 1) != v.image.num_channels || am_dim(b, pixels, 2) != v.image.image_size[0] ||
                      am_dim(b, pixels, 3) != v.image.image_size[1]))
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT,
                                    "pixel_values has %" PRId64 " x %" PRId64 " x %" PRId64 ", expected %" PRId64
                                    " channels of %" PRId64 " x %" PRId64,
                                    am_dim(b, pixels, 1), am_dim(b, pixels, 2), am_dim(b, pixels, 3),
                                    v.image.num_channels, v.image.image_size[0], v.image.image_size[1]));
    am_value x = am_patch_convolution(b, "patch_embed.projection", pixels, v.hidden_size, v.image.patch_size, AM_BIAS);
    x = am_image_tokens(b, x);
    if (v.use_abs_pos) {
        am_shape shape = {.rank = 4, .dims = {1, rows, columns, v.hidden_size}};
        x = am_add(b, x, am_flatten(b, am_parameter(b, "pos_embed", shape, x), 1, 2));
    }
    for (int64_t i = 0; i < v.layers && !am_builder_failed(b); i++) {
        keep_state(b, hidden_states, i, x, rows, columns);
        am_scope(b, "layers.%d", (int)i);
        x = layer(b, x, rows, columns, window_of(&v, i), &v);
        am_end_scope(b);
    }
    keep_state(b, hidden_states, v.layers, x, rows, columns);
    if (am_builder_failed(b)) return AM_NONE;
    x = am_reshape(b, am_transpose(b, x, 1, 2), am_shape_of(am_dim(b, x, 0), v.hidden_size, rows, columns));
    return neck(b, x, &v);
}
