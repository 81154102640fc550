#include "graph/ops.h"
#include "graph/ops/window.h"
#include "targets/max/lower.h"

static am_mx_value transposed(am_mlir *m, am_mx_value x)
{
    am_shape order = {.rank = x.shape.rank};
    for (int i = 0; i < order.rank; i++) order.dims[i] = i;
    order.dims[order.rank - 2] = order.rank - 1;
    order.dims[order.rank - 1] = order.rank - 2;
    return am_mx_permute(m, x, &order);
}

static bool supports_matmul(const am_graph *graph, const am_node *node, am_reason *why)
{
    if (am_node_in(graph, node, 0)->dtype == AM_F32) return true;
    return am_reason_no(why, "max multiplies matrices of reals only");
}

static void lower_matmul(am_mlir *m, const am_node *node, am_mx_value *y)
{
    AM_MX_ATTRIBUTES(am_matmul_attributes);
    am_mx_value x = am_mx_input(m, node, 0), z = am_mx_input(m, node, 1);
    if (a->transpose_a) x = transposed(m, x);
    if (a->transpose_b) z = transposed(m, z);
    y[0] = am_mx_add2(m, "rmo.matmul", "", x, z, AM_F32, am_node_out(m->graph, node)->shape);
}

static bool supports_linear(const am_graph *graph, const am_node *node, am_reason *why)
{
    AM_MX_ATTRIBUTES(am_linear_attributes);
    if (!am_mx_has_function(a->activation)) return am_reason_no(why, "max has no %s", am_unary_names[a->activation]);
    return supports_matmul(graph, node, why);
}

/* As one product of matrices, whatever dimensions x has before its last. */
static void lower_linear(am_mlir *m, const am_node *node, am_mx_value *out)
{
    AM_MX_ATTRIBUTES(am_linear_attributes);
    const am_shape shape = am_node_out(m->graph, node)->shape;
    am_mx_value x = am_mx_input(m, node, 0), weight = am_mx_input(m, node, 1);
    int64_t K = x.shape.dims[x.shape.rank - 1], M = am_shape_count(&x.shape) / K, N = shape.dims[shape.rank - 1];
    if (!a->in_out) weight = transposed(m, weight);
    am_mx_value y =
        am_mx_add2(m, "rmo.matmul", "", am_mx_reshape(m, x, am_shape_of(M, K)), weight, AM_F32, am_shape_of(M, N));
    if (am_node_has(node, 2)) y = am_mx_binary(m, "rmo.add", y, am_mx_input(m, node, 2));
    y = am_mx_reshape(m, am_mx_function(m, a->activation, y), shape);
    out[0] = am_node_has(node, 3) ? am_mx_binary(m, "rmo.add", y, am_mx_input(m, node, 3)) : y;
}

/* --- convolutions: MAX has them over [B, H, W, C] with weights [H, W, C, O], or one dimension more --- */

static bool is_f32(const am_graph *graph, const am_node *node, am_reason *why)
{
    return am_node_in(graph, node, 0)->dtype == AM_F32 || am_reason_no(why, "max convolves reals only");
}

static bool has_negative(const am_shape *shape)
{
    for (int i = 0; i < shape->rank; i++)
        if (shape->dims[i] < 0) return true;
    return false;
}

static bool supports_convolution(const am_graph *graph, const am_node *node, am_reason *why)
{
    AM_MX_ATTRIBUTES(am_convolution_attributes);
    if (!is_f32(graph, node, why)) return false;
    if (has_negative(&a->padding_before) || has_negative(&a->padding_after))
        return am_reason_no(why, "a negative padding");
    if (a->groups > 1 && am_node_out(graph, node)->shape.rank == 5)
        return am_reason_no(why, "max convolves volumes in one group only");
    return true;
}

static bool supports_conv_transpose(const am_graph *graph, const am_node *node, am_reason *why)
{
    AM_MX_ATTRIBUTES(am_convolution_attributes);
    if (!supports_convolution(graph, node, why)) return false;
    if (a->groups > 1) return am_reason_no(why, "max has no transposed convolution in groups");
    for (int i = 0; i < a->dilation.rank; i++)
        if (a->dilation.dims[i] != 1) return am_reason_no(why, "max has no dilated transposed convolution");
    return am_node_out(graph, node)->shape.rank < 5 ||
           am_reason_no(why, "max has no transposed convolution of volumes");
}

/* [A, B, spatial..] with a first spatial dimension of size 1 where there is but one. */
static am_mx_value as_image(am_mlir *m, am_mx_value x)
{
    if (x.shape.rank != 3) return x;
    return am_mx_reshape(m, x, am_shape_of(x.shape.dims[0], x.shape.dims[1], 1, x.shape.dims[2]));
}

static am_mx_value channels_last(am_mlir *m, am_mx_value x)
{
    am_shape order = {.rank = x.shape.rank};
    for (int i = 1; i < order.rank - 1; i++) order.dims[i] = i + 1;
    order.dims[order.rank - 1] = 1;
    return am_mx_permute(m, x, &order);
}

static am_mx_value channels_first(am_mlir *m, am_mx_value x)
{
    am_shape order = {.rank = x.shape.rank};
    for (int i = 2; i < order.rank; i++) order.dims[i] = i - 1;
    order.dims[1] = order.rank - 1;
    return am_mx_permute(m, x, &order);
}

/* [O, C, spatial..] as [spatial.., C, O]. */
static am_mx_value filter(am_mlir *m, am_mx_value w)
{
    int rank = w.shape.rank;
    am_shape order = {.rank = rank};
    for (int i = 0; i < rank - 2; i++) order.dims[i] = i + 2;
    order.dims[rank - 2] = 1;
    order.dims[rank - 1] = 0;
    return am_mx_permute(m, w, &order);
}

/* Numbers of a list for each spatial dimension; a first one of `otherwise` where an image was made of a row. */
static am_shape numbers(const am_shape *list, int spatial, int image, int64_t otherwise)
{
    am_shape out = {.rank = image};
    for (int i = 0; i < image; i++)
        out.dims[i] = i < image - spatial ? otherwise : am_window_number(list, i - (image - spatial), otherwise);
    return out;
}

static void put_windows(am_buffer *out, const am_convolution_attributes *a, int spatial, int image, bool is_widened)
{
    am_shape stride = numbers(&a->stride, spatial, image, 1), dilation = numbers(&a->dilation, spatial, image, 1);
    am_shape before = numbers(&a->padding_before, spatial, image, 0),
             after = numbers(&a->padding_after, spatial, image, 0), padding = {.rank = 2 * image};
    for (int i = 0; i < image; i++) padding.dims[2 * i] = before.dims[i], padding.dims[2 * i + 1] = after.dims[i];
    if (is_widened) padding.dims[2 * image - 1] += stride.dims[image - 1];
    am_mx_put_shape(out, "strides", &stride);
    am_mx_put_shape(out, ", dilations", &dilation);
    am_mx_put_shape(out, ", paddings", &padding);
}

/* "FORM(x, filter)ATTRIBUTES" with the filter's layout in its type. */
static am_mx_value convolve(am_mlir *m, const char *form, const char *attributes, am_mx_value x, am_mx_value weight,
                            am_shape shape)
{
    am_buffer *out = &m->body;
    const char *layout = weight.shape.rank == 5 ? "QRSCF" : "RSCF";
    am_buffer type = {0};
    am_mx_put_type(&type, weight.dtype, &weight.shape);
    am_buffer plain = {0};
    am_buffer_append(&plain, type.bytes, type.length);
    type.length -= type.length > 0;
    am_buffer_printf(&type, ", {layout = #mo.layout<%s>}>", layout);
    int bound = m->next_id++;
    am_mx_value y = {m->next_id++, x.dtype, shape};
    am_buffer_printf(out, "  %%v%d = rmo.rebind_tensor_shape(%%v%d) [message = \"\"] : (%s) -> %s\n", bound, weight.id,
                     am_buffer_text(&plain), am_buffer_text(&type));
    am_buffer_printf(out, "  %%v%d = %s(%%v%d, %%v%d)%s : (", y.id, form, x.id, bound, attributes);
    am_mx_put_type(out, x.dtype, &x.shape);
    am_buffer_printf(out, ", %s) -> ", am_buffer_text(&type));
    am_mx_put_type(out, x.dtype, &shape);
    am_buffer_append_char(out, '\n');
    m->failed = m->failed || type.failed || plain.failed;
    am_buffer_deinit(&type);
    am_buffer_deinit(&plain);
    return y;
}

/* MAX 26.7 takes the wrong channels of what is multiplied with or added to a convolution of one place. */
static bool is_one_place(const am_shape *y)
{
    return am_shape_count(y) == y->dims[0] * y->dims[1];
}

/* A convolution of one place is made of two places, of which the second is cut off. */
static void lower_any_convolution(am_mlir *m, const am_node *node, const char *form, bool is_transposed,
                                  am_mx_value *out)
{
    AM_MX_ATTRIBUTES(am_convolution_attributes);
    const am_shape final = am_node_out(m->graph, node)->shape;
    int spatial = final.rank - 2, image = spatial == 1 ? 2 : spatial;
    am_mx_value x = channels_last(m, as_image(m, am_mx_input(m, node, 0)));
    am_mx_value weight = filter(m, as_image(m, am_mx_input(m, node, 1)));
    am_shape shape = {.rank = image + 2};
    shape.dims[0] = final.dims[0];
    for (int i = 0; i < image; i++) shape.dims[i + 1] = i < image - spatial ? 1 : final.dims[i + 2 - (image - spatial)];
    shape.dims[image + 1] = final.dims[1];
    bool is_widened = !is_transposed && is_one_place(&final);
    shape.dims[image] += is_widened;
    am_buffer text = {0};
    am_buffer_append_string(&text, " [");
    put_windows(&text, a, spatial, image, is_widened);
    if (is_transposed) {
        am_shape extra = numbers(&a->output_padding, spatial, image, 0);
        am_mx_put_shape(&text, ", output_paddings", &extra);
    } else am_buffer_printf(&text, ", num_groups = %d", a->groups ? (int)a->groups : 1);
    am_buffer_append_string(&text, "]");
    am_mx_value y = convolve(m, form, am_buffer_text(&text), x, weight, shape);
    am_buffer_deinit(&text);
    if (is_widened) y = am_mx_slice(m, y, image, 0, 1, 1);
    if (am_node_has(node, 2)) y = am_mx_binary(m, "rmo.add", y, am_mx_input(m, node, 2));
    out[0] = am_mx_reshape(m, channels_first(m, y), final);
}

static void lower_convolution(am_mlir *m, const am_node *node, am_mx_value *y)
{
    lower_any_convolution(m, node, "rmo.conv", false, y);
}

static void lower_conv_transpose(am_mlir *m, const am_node *node, am_mx_value *y)
{
    lower_any_convolution(m, node, "rmo.conv_transpose", true, y);
}

const am_mx_lowering am_mx_products[] = {
    {AM_OP_MATMUL, supports_matmul, lower_matmul},
    {AM_OP_LINEAR, supports_linear, lower_linear},
    {AM_OP_CONVOLUTION, supports_convolution, lower_convolution},
    {AM_OP_CONV_TRANSPOSE, supports_conv_transpose, lower_conv_transpose},
    {AM_OP_COUNT, NULL, NULL},
};
