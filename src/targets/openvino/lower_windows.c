#include "graph/ops.h"
#include "graph/ops/window.h"
#include "targets/openvino/lower.h"

static void put_list(am_buffer *out, const char *name, const am_shape *numbers, const am_shape *otherwise, int count,
                     int64_t fallback)
{
    am_buffer_printf(out, "%s=\"", name);
    for (int i = 0; i < count; i++)
        am_buffer_printf(out, "%s%lld", i ? "," : "",
                         (long long)am_window_number(numbers, i, otherwise ? otherwise->dims[i] : fallback));
    am_buffer_append_string(out, "\" ");
}

/* What a pool's window may hang over at the end, which torch and OpenVINO count differently. */
static bool supports_pool(const am_graph *graph, const am_node *node, am_reason *why)
{
    AM_OV_ATTRIBUTES(am_pool_attributes);
    if (am_node_in(graph, node, 0)->dtype != AM_F32) return am_reason_no(why, "openvino pools reals only");
    if (a->ceil_mode && a->fn == AM_POOL_AVERAGE && !a->adaptive.rank)
        return am_reason_no(why, "openvino divides an average that hangs over the end by another count");
    if (a->dilation.rank && a->fn == AM_POOL_AVERAGE && !a->adaptive.rank)
        for (int i = 0; i < a->dilation.rank; i++)
            if (a->dilation.dims[i] != 1) return am_reason_no(why, "openvino has no dilated average");
    return true;
}

static am_ir_value adaptive_pool(am_ir *ir, const am_node *node, const am_pool_attributes *a)
{
    am_ir_value inputs[] = {am_ov_input(ir, node, 0), am_ir_shape(ir, &a->adaptive)};
    if (a->fn == AM_POOL_AVERAGE) return am_ir_add(ir, "AdaptiveAvgPool", "opset8", "", inputs, 2, 1);
    return am_ir_add(ir, "AdaptiveMaxPool", "opset8", "index_element_type=\"i32\"", inputs, 2, 2);
}

static am_ir_value lower_pool(am_ir *ir, const am_node *node)
{
    AM_OV_ATTRIBUTES(am_pool_attributes);
    int spatial = am_node_out(ir->graph, node)->shape.rank - 2;
    bool maximum = a->fn == AM_POOL_MAX;
    am_buffer text = {0};
    am_ir_value x = am_ov_input(ir, node, 0);
    if (a->adaptive.rank) return adaptive_pool(ir, node, a);
    put_list(&text, "kernel", &a->kernel, NULL, spatial, 1);
    put_list(&text, "strides", &a->stride, &a->kernel, spatial, 1);
    put_list(&text, "pads_begin", &a->padding_before, NULL, spatial, 0);
    put_list(&text, "pads_end", &a->padding_after, NULL, spatial, 0);
    am_buffer_printf(&text, "rounding_type=\"%s\" auto_pad=\"explicit\" ", a->ceil_mode ? "ceil_torch" : "floor");
    if (maximum) {
        put_list(&text, "dilations", &a->dilation, NULL, spatial, 1);
        am_buffer_append_string(&text, "index_element_type=\"i32\" axis=\"0\"");
    } else am_buffer_printf(&text, "exclude-pad=\"%s\"", a->count_padding ? "false" : "true");
    am_ir_value y =
        am_ir_add(ir, maximum ? "MaxPool" : "AvgPool", "opset14", am_buffer_text(&text), &x, 1, maximum ? 2 : 1);
    am_buffer_deinit(&text);
    return y;
}

/* --- resize --- */

static bool is_nearest(const am_resize_attributes *a)
{
    return a->mode == AM_RESIZE_NEAREST || a->mode == AM_RESIZE_NEAREST_EXACT;
}

static bool supports_resize(const am_graph *graph, const am_node *node, am_reason *why)
{
    AM_OV_ATTRIBUTES(am_resize_attributes);
    if (is_nearest(a)) return true;
    if (am_node_in(graph, node, 0)->dtype != AM_F32) return am_reason_no(why, "openvino interpolates reals only");
    if (a->antialias) return am_reason_no(why, "openvino smooths by another filter than torch's antialias");
    if (a->mode == AM_RESIZE_AREA) return am_reason_no(why, "openvino has no resizing by area");
    for (int i = 0; i < 3; i++)
        if (a->scale[i] != 0) return am_reason_no(why, "coordinates by a given scale");
    if (a->mode == AM_RESIZE_CUBIC && a->size.rank != 2) return am_reason_no(why, "cubic resizing of images only");
    return true;
}

/* Copies of elements, by index: its own rounding at exact boundaries is not torch's. */
static am_ir_value nearest(am_ir *ir, const am_node *node, const am_resize_attributes *a)
{
    const am_shape *shape = &am_node_in(ir->graph, node, 0)->shape;
    am_ir_value x = am_ov_input(ir, node, 0);
    for (int d = 0; d < a->size.rank; d++) {
        int64_t from = shape->dims[2 + d], to = a->size.dims[d],
                *indices = am_arena_array(&ir->arena, (size_t)to + 1, sizeof *indices);
        if (!indices) {
            ir->failed = true;
            return x;
        }
        for (int64_t i = 0; i < to; i++) indices[i] = am_resize_nearest_index(a, d, from, i);
        am_ir_value inputs[] = {x, am_ir_integers(ir, indices, (int)to), am_ir_integer(ir, 2 + d)};
        x = am_ir_add(ir, "Gather", "opset8", "batch_dims=\"0\"", inputs, 3, 1);
    }
    return x;
}

static am_ir_value lower_resize(am_ir *ir, const am_node *node)
{
    AM_OV_ATTRIBUTES(am_resize_attributes);
    int64_t axes[3] = {2, 3, 4};
    am_buffer text = {0};
    if (is_nearest(a)) return nearest(ir, node, a);
    am_buffer_printf(&text,
                     "mode=\"%s\" shape_calculation_mode=\"sizes\" coordinate_transformation_mode=\"%s\" "
                     "antialias=\"false\" cube_coeff=\"-0.75\" pads_begin=\"0\" pads_end=\"0\"",
                     a->mode == AM_RESIZE_LINEAR ? "linear_onnx" : "cubic",
                     a->align_corners ? "align_corners" : "half_pixel");
    am_ir_value inputs[] = {am_ov_input(ir, node, 0), am_ir_shape(ir, &a->size),
                            am_ir_integers(ir, axes, a->size.rank)};
    am_ir_value y = am_ir_add(ir, "Interpolate", "opset11", am_buffer_text(&text), inputs, 3, 1);
    am_buffer_deinit(&text);
    return y;
}

/* --- grid sample --- */

static bool supports_grid_sample(const am_graph *graph, const am_node *node, am_reason *why)
{
    if (am_node_in(graph, node, 0)->shape.rank == 4) return true;
    return am_reason_no(why, "openvino samples images only");
}

static am_ir_value lower_grid_sample(am_ir *ir, const am_node *node)
{
    AM_OV_ATTRIBUTES(am_grid_sample_attributes);
    am_buffer text = {0};
    am_buffer_printf(&text, "align_corners=\"%s\" mode=\"%s\" padding_mode=\"%s\"", a->align_corners ? "true" : "false",
                     a->mode == AM_RESIZE_CUBIC    ? "bicubic"
                     : a->mode == AM_RESIZE_LINEAR ? "bilinear"
                                                   : "nearest",
                     a->padding == AM_PAD_CONSTANT    ? "zeros"
                     : a->padding == AM_PAD_REPLICATE ? "border"
                                                      : "reflection");
    am_ir_value y = am_ir_add2(ir, "GridSample", "opset9", am_buffer_text(&text), am_ov_input(ir, node, 0),
                               am_ov_input(ir, node, 1));
    am_buffer_deinit(&text);
    return y;
}

const am_ov_lowering am_ov_windows[] = {
    {AM_OP_POOL, supports_pool, lower_pool},
    {AM_OP_RESIZE, supports_resize, lower_resize},
    {AM_OP_GRID_SAMPLE, supports_grid_sample, lower_grid_sample},
    {AM_OP_COUNT, NULL, NULL},
};
