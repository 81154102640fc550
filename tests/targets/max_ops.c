#include "max_ops.h"

#include "test_support.h"

#include "base/prng.h"
#include "graph/ops.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct inputs {
    am_value x, special, integers, flags, image, row, ids, places;
} inputs;

static void put(am_builder *b, const char *name, am_value value)
{
    am_output(b, name, value);
}

static void put_pointwise(am_builder *b, const inputs *in)
{
    static const am_unary_fn unary[] = {
        AM_ABS,         AM_NEG,         AM_SIGN,     AM_RECIPROCAL, AM_SQUARE,       AM_SQRT,       AM_RSQRT,
        AM_EXP,         AM_EXPM1,       AM_LOG,      AM_LOG1P,      AM_SIN,          AM_COS,        AM_TAN,
        AM_TANH,        AM_ATANH,       AM_ERF,      AM_FLOOR,      AM_CEIL,         AM_ROUND,      AM_TRUNC,
        AM_SIGMOID,     AM_LOG_SIGMOID, AM_SOFTPLUS, AM_RELU,       AM_RELU6,        AM_RELU2,      AM_GELU,
        AM_GELU_TANH,   AM_QUICK_GELU,  AM_SILU,     AM_MISH,       AM_HARD_SIGMOID, AM_HARD_SWISH, AM_ELU,
        AM_LOGICAL_NOT, AM_IS_NAN,      AM_IS_INF};
    static const am_binary_fn binary[] = {AM_ADD,     AM_SUB,           AM_MUL,         AM_DIV,        AM_MIN,
                                          AM_MAX,     AM_EQUAL,         AM_NOT_EQUAL,   AM_LESS,       AM_LESS_EQUAL,
                                          AM_GREATER, AM_GREATER_EQUAL, AM_LOGICAL_AND, AM_LOGICAL_OR, AM_LOGICAL_XOR};
    static const am_binary_fn whole[] = {AM_ADD, AM_SUB, AM_MUL, AM_MIN, AM_MAX, AM_EQUAL, AM_LESS};
    for (size_t i = 0; i < sizeof unary / sizeof unary[0]; i++)
        put(b, am_unary_names[unary[i]], am_unary(b, unary[i], in->special));
    for (size_t i = 0; i < sizeof binary / sizeof binary[0]; i++)
        put(b, am_binary_names[binary[i]], am_binary(b, binary[i], in->special, in->x));
    for (size_t i = 0; i < sizeof whole / sizeof whole[0]; i++)
        put(b, am_test_format("i32 %s", am_binary_names[whole[i]]),
            am_binary(b, whole[i], in->integers, am_scalar(b, AM_I32, 2)));
    am_value divisors = am_constant_copy(b, AM_I32, am_shape_of(4, 1), (int32_t[]){3, -4, 7, -1});
    put(b, "i32 div", am_binary(b, AM_DIV, in->integers, divisors));
    put(b, "i32 mod", am_binary(b, AM_MOD, in->integers, divisors));
    put(b, "i32 abs", am_unary(b, AM_ABS, in->integers));
    put(b, "bool equal", am_binary(b, AM_EQUAL, in->flags, am_binary(b, AM_GREATER, in->x, am_scalar(b, AM_F32, 0))));
    put(b, "bool and", am_binary(b, AM_BIT_AND, in->flags, am_binary(b, AM_GREATER, in->x, am_scalar(b, AM_F32, 0))));
    put(b, "select", am_select(b, in->flags, in->special, am_scalar(b, AM_F32, 3)));
    put(b, "cast f32 i32", am_cast(b, am_mul_number(b, in->special, 1e3), AM_I32));
    put(b, "cast i32 f32", am_cast(b, in->integers, AM_F32));
    put(b, "cast bool f32", am_cast(b, in->flags, AM_F32));
    put(b, "cast f32 bool", am_cast(b, in->x, AM_BOOL));
}

static void put_movement(am_builder *b, const inputs *in)
{
    am_value cube = am_reshape(b, in->x, am_shape_of(4, 2, 8));
    put(b, "permute", am_permute(b, cube, am_shape_of(2, 0, 1)));
    put(b, "permute bool", am_permute(b, in->flags, am_shape_of(1, 0)));
    put(b, "broadcast", am_broadcast(b, am_slice(b, in->x, 0, 1, 2), am_shape_of(3, 5, 16)));
    put(b, "slice step", am_slice_step(b, in->x, 1, 1, 14, 3));
    put(b, "slice back", am_slice_step(b, in->x, 1, -1, INT64_MIN, -2));
    put(b, "concat", am_concat2(b, in->x, am_slice(b, in->x, 1, 2, 5), 1));
    put(b, "concat i32", am_concat2(b, in->integers, am_slice(b, in->integers, 0, 1, 3), 0));
    for (int mode = AM_PAD_CONSTANT; mode <= AM_PAD_REPLICATE; mode++)
        put(b, am_test_format("pad %d", mode),
            am_pad(
                b, in->x,
                &(am_pad_attributes){
                    .before = am_shape_of(1, 2), .after = am_shape_of(0, 3), .mode = mode, .value = mode ? 0 : 1.5}));
    put(b, "pad crop",
        am_pad(b, in->x, &(am_pad_attributes){.before = am_shape_of(-1, 2), .after = am_shape_of(1, -3)}));
}

static void put_axis(am_builder *b, const inputs *in)
{
    am_value cube = am_reshape(b, in->x, am_shape_of(4, 2, 8)), equals = am_unary(b, AM_ROUND, in->x);
    for (am_reduce_fn fn = AM_REDUCE_SUM; fn <= AM_REDUCE_PROD; fn++)
        put(b, am_test_format("reduce %s", am_reduce_names[fn]), am_reduce(b, fn, cube, am_shape_of(0, 2), false));
    put(b, "reduce max special", am_reduce(b, AM_REDUCE_MAX, in->special, am_shape_of(1), true));
    put(b, "reduce any", am_reduce(b, AM_REDUCE_ANY, in->flags, am_shape_of(1), false));
    put(b, "reduce all", am_reduce(b, AM_REDUCE_ALL, in->flags, am_shape_of(0), true));
    put(b, "reduce sum i32", am_reduce(b, AM_REDUCE_SUM, in->integers, am_shape_of(1), false));
    put(b, "reduce max i32", am_reduce(b, AM_REDUCE_MAX, in->integers, am_shape_of(0), false));
    put(b, "argmax of equals", am_arg_reduce(b, equals, 1, false));
    put(b, "argmin of equals", am_arg_reduce(b, equals, 0, true));
    put(b, "argmax special", am_arg_reduce(b, in->special, 1, false));
    put(b, "scan", am_scan(b, AM_REDUCE_SUM, cube, 1, false, false));
    put(b, "scan exclusive reverse", am_scan(b, AM_REDUCE_SUM, cube, 2, true, true));
    put(b, "scan i32", am_scan(b, AM_REDUCE_SUM, in->integers, 1, false, true));
    put(b, "softmax 0", am_softmax(b, am_mul_number(b, in->x, 3), 0));
    put(b, "softmax 1", am_softmax(b, in->x, 1));
    put(b, "softmax masked", am_softmax(b, am_select(b, in->flags, in->x, am_scalar(b, AM_F32, -INFINITY)), 1));
    put(b, "log_softmax", am_log_softmax(b, am_mul_number(b, in->x, 30), 1));
    am_value weight = am_reshape(b, am_slice(b, in->row, 2, 0, 16), am_shape_of(6, 16));
    am_value w = am_reshape(b, am_slice(b, weight, 0, 0, 1), am_shape_of(16)),
             v = am_reshape(b, am_slice(b, weight, 0, 1, 2), am_shape_of(16));
    for (int kind = AM_NORM_LAYER; kind <= AM_NORM_RMS; kind++) {
        am_norm_attributes a = {.kind = kind, .eps = 1e-5, .weight_offset = kind};
        put(b, am_test_format("norm %d", kind), am_norm_op(b, in->x, w, v, AM_NONE, AM_NONE, &a));
        put(b, am_test_format("norm %d bare", kind), am_norm_op(b, in->x, AM_NONE, AM_NONE, AM_NONE, AM_NONE, &a));
    }
}

static void put_products(am_builder *b, const inputs *in)
{
    am_value cube = am_reshape(b, in->x, am_shape_of(2, 2, 16)), rows = am_reshape(b, in->x, am_shape_of(8, 8));
    am_value weight = am_reshape(b, am_slice(b, in->row, 2, 0, 16), am_shape_of(6, 16));
    put(b, "matmul", am_matmul(b, am_reshape(b, in->x, am_shape_of(2, 4, 8)), rows, false, false));
    put(b, "matmul transposed", am_matmul(b, cube, cube, true, false));
    put(b, "matmul by transposed", am_matmul(b, cube, cube, false, true));
    put(b, "linear",
        am_linear_op(b, cube, weight, am_reshape(b, am_slice(b, in->row, 2, 17, 18), am_shape_of(6)), AM_NONE,
                     &(am_linear_attributes){.activation = AM_GELU}));
    am_value image_weight = am_reshape(b, am_slice(b, in->image, 0, 0, 1), am_shape_of(8, 4, 3, 3));
    am_value bias = am_reshape(b, am_slice(b, am_slice(b, in->x, 1, 0, 8), 0, 0, 1), am_shape_of(8));
    am_convolution_attributes a = {
        .stride = am_shape_of(2, 1), .padding_before = am_shape_of(1, 0), .padding_after = am_shape_of(1, 2)};
    put(b, "convolution", am_convolution(b, in->image, image_weight, bias, &a));
    a = (am_convolution_attributes){.dilation = am_shape_of(2, 2), .groups = 4};
    put(b, "convolution of each channel",
        am_convolution(b, in->image, am_slice(b, image_weight, 1, 0, 1), AM_NONE, &a));
    a = (am_convolution_attributes){.stride = am_shape_of(8, 8)};
    am_value place = am_slice(b, am_slice(b, in->image, 2, 0, 3), 3, 0, 3);
    put(b, "convolution of one place by factors",
        am_mul(b, am_convolution(b, place, image_weight, AM_NONE, &a), am_reshape(b, bias, am_shape_of(8, 1, 1))));
    a = (am_convolution_attributes){
        .stride = am_shape_of(2), .padding_before = am_shape_of(2), .padding_after = am_shape_of(1)};
    am_value row_weight = am_reshape(b, in->x, am_shape_of(4, 4, 4));
    put(b, "convolution of rows", am_convolution(b, in->row, am_slice(b, row_weight, 1, 0, 3), AM_NONE, &a));
    a = (am_convolution_attributes){
        .stride = am_shape_of(2, 2), .padding_before = am_shape_of(1, 1), .padding_after = am_shape_of(1, 1)};
    put(b, "conv_transpose",
        am_conv_transpose(b, in->image, am_reshape(b, am_slice(b, in->image, 0, 0, 1), am_shape_of(4, 8, 3, 3)),
                          AM_NONE, &a));
}

static void put_windows(am_builder *b, const inputs *in)
{
    am_pool_attributes p = {.kernel = am_shape_of(3, 3),
                            .stride = am_shape_of(2, 2),
                            .padding_before = am_shape_of(1, 1),
                            .padding_after = am_shape_of(1, 1)};
    put(b, "max pool", am_pool(b, in->image, &p));
    p.fn = AM_POOL_AVERAGE;
    put(b, "average pool", am_pool(b, in->image, &p));
    p.count_padding = p.ceil_mode = true;
    put(b, "average pool that hangs over", am_pool(b, in->image, &p));
    put(b, "average of all",
        am_pool(b, in->image, &(am_pool_attributes){.fn = AM_POOL_AVERAGE, .adaptive = am_shape_of(1, 1)}));
    put(b, "adaptive pool",
        am_pool(b, in->image, &(am_pool_attributes){.fn = AM_POOL_AVERAGE, .adaptive = am_shape_of(4, 3)}));
    put(b, "resize nearest", am_resize(b, in->image, &(am_resize_attributes){.size = am_shape_of(13, 6)}));
    am_resize_attributes r = {.size = am_shape_of(13, 20), .mode = AM_RESIZE_LINEAR};
    put(b, "resize linear", am_resize(b, in->image, &r));
    r.align_corners = true;
    put(b, "resize linear corners", am_resize(b, in->image, &r));
    r = (am_resize_attributes){.size = am_shape_of(13, 20), .mode = AM_RESIZE_CUBIC};
    put(b, "resize cubic", am_resize(b, in->image, &r));
}

static void put_indexing(am_builder *b, const inputs *in)
{
    put(b, "gather", am_gather(b, in->x, in->ids, 0, false));
    put(b, "gather columns", am_gather(b, in->integers, in->places, 1, false));
    put(b, "gather bool", am_gather(b, in->flags, in->ids, 0, false));
    put(b, "gather elements", am_gather(b, in->x, in->places, 1, true));
    put(b, "embedding", am_embedding_op(b, in->x, in->places));
    am_value parts = am_slice(b, am_slice(b, in->special, 0, 0, 3), 1, 0, 3), rows = am_slice(b, in->x, 0, 0, 3);
    for (int fn = AM_SCATTER_SET; fn <= AM_SCATTER_MAX; fn++) {
        am_scatter_attributes a = {.axis = 0, .fn = fn};
        put(b, am_test_format("scatter %d", fn), am_scatter(b, in->x, in->ids, rows, &a));
        a = (am_scatter_attributes){.axis = 1, .fn = fn, .elementwise = true};
        if (fn == AM_SCATTER_SET || fn == AM_SCATTER_ADD)
            put(b, am_test_format("scatter elements %d", fn), am_scatter(b, in->x, in->places, parts, &a));
    }
}

am_graph *max_ops_graph(void)
{
    am_builder *b;
    am_graph *graph;
    am_test_expect_ok(am_builder_create(&b));
    const inputs in = {.x = am_graph_input(b, "x", AM_F32, am_shape_of(4, 16)),
                       .special = am_graph_input(b, "special", AM_F32, am_shape_of(4, 16)),
                       .integers = am_graph_input(b, "integers", AM_I32, am_shape_of(4, 16)),
                       .flags = am_graph_input(b, "flags", AM_BOOL, am_shape_of(4, 16)),
                       .image = am_graph_input(b, "image", AM_F32, am_shape_of(2, 4, 8, 9)),
                       .row = am_graph_input(b, "row", AM_F32, am_shape_of(2, 3, 20)),
                       .ids = am_graph_input(b, "ids", AM_I32, am_shape_of(3)),
                       .places = am_graph_input(b, "places", AM_I32, am_shape_of(3, 3))};
    put_pointwise(b, &in);
    put_movement(b, &in);
    put_axis(b, &in);
    put_products(b, &in);
    put_windows(b, &in);
    put_indexing(b, &in);
    am_test_expect_ok(am_builder_finish(b, &graph));
    am_builder_destroy(b);
    return graph;
}

static void fill(const char *name, const am_tensor *tensor)
{
    static const double specials[] = {NAN, INFINITY, -INFINITY, 0.0, -0.0, 1e-30, FLT_MAX, -FLT_MAX, 0.5, -2.5};
    static const int32_t ids[] = {2, 0, 3}, places[] = {3, 0, 1, 2, 3, 0, 0, 2, 1};
    uint64_t seed = am_fnv1a(name, strlen(name));
    int64_t count = am_shape_count(&tensor->shape);
    for (int64_t i = 0; i < count; i++) {
        double u = am_uniform(seed, (uint64_t)i), value = 4 * u - 2;
        if (strcmp(name, "special") == 0 && i % 3 == 0) value = specials[i / 3 % 10];
        if (strcmp(name, "ids") == 0) value = ids[i];
        else if (strcmp(name, "places") == 0) value = places[i];
        else if (strcmp(name, "integers") == 0) value = floor(20 * u) - 10;
        else if (strcmp(name, "flags") == 0) value = i < 16 ? 1 : u < 0.5;
        am_store_real(tensor->dtype, tensor->data, i, value);
    }
}

void max_ops_fill(const am_graph *graph, am_arena *arena, am_tensor tensors[MAX_OPS_INPUTS])
{
    for (int i = 0; i < graph->input_count; i++) {
        const am_value_info *info = am_graph_value(graph, graph->inputs[i].value);
        tensors[i] = (am_tensor){info->dtype, info->shape, NULL};
        tensors[i].data = am_arena_alloc(arena, am_tensor_bytes(info->dtype, &info->shape) + 64);
        assert_non_null(tensors[i].data);
        fill(graph->inputs[i].name, &tensors[i]);
    }
}
