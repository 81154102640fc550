#include "targets/max/mlir.h"

#include "tensor/dtype.h"

#include <inttypes.h>
#include <string.h>

/* --- types --- */

static const char *element(am_dtype dtype)
{
    switch (dtype) {
    case AM_F64:
        return "f64";
    case AM_F32:
        return "f32";
    case AM_F16:
        return "f16";
    case AM_BF16:
        return "bf16";
    case AM_I64:
        return "si64";
    case AM_I32:
        return "si32";
    default:
        return "bool";
    }
}

static void put_dims(am_buffer *out, const am_shape *shape)
{
    am_buffer_append_char(out, '[');
    for (int i = 0; i < shape->rank; i++) am_buffer_printf(out, "%s%" PRId64, i ? ", " : "", shape->dims[i]);
    am_buffer_append_char(out, ']');
}

static void put_type(am_buffer *out, const char *kind, am_dtype dtype, const am_shape *shape)
{
    am_buffer_printf(out, "!mo.%s<", kind);
    put_dims(out, shape);
    am_buffer_printf(out, ", %s>", element(dtype));
}

void am_mx_put_type(am_buffer *out, am_dtype dtype, const am_shape *shape)
{
    put_type(out, "tensor", dtype, shape);
}

void am_mx_put_buffer_type(am_buffer *out, am_dtype dtype, const am_shape *shape)
{
    put_type(out, "buffer", dtype, shape);
}

void am_mx_put_shape(am_buffer *out, const char *name, const am_shape *shape)
{
    am_buffer_printf(out, "%s = #mosh<ape", name);
    put_dims(out, shape);
    am_buffer_append_string(out, "> : !mosh.ape");
}

/* --- operations --- */

static am_mx_value begin(am_mlir *m, am_dtype dtype, am_shape shape)
{
    am_mx_value result = {m->next_id++, dtype, shape};
    am_buffer_printf(&m->body, "  %%v%d = ", result.id);
    return result;
}

am_mx_value am_mx_add(am_mlir *m, const char *form, const char *attributes, const am_mx_value *inputs, int count,
                      am_dtype dtype, am_shape shape)
{
    am_buffer *out = &m->body;
    am_mx_value result = begin(m, dtype, shape);
    am_buffer_printf(out, "%s(", form);
    for (int i = 0; i < count; i++) am_buffer_printf(out, "%s%%v%d", i ? ", " : "", inputs[i].id);
    am_buffer_printf(out, ")%s : (", attributes);
    for (int i = 0; i < count; i++) {
        if (i) am_buffer_append_string(out, ", ");
        am_mx_put_type(out, inputs[i].dtype, &inputs[i].shape);
    }
    am_buffer_append_string(out, ") -> ");
    am_mx_put_type(out, dtype, &shape);
    am_buffer_append_char(out, '\n');
    return result;
}

am_mx_value am_mx_add1(am_mlir *m, const char *form, const char *attributes, am_mx_value x, am_dtype dtype,
                       am_shape shape)
{
    return am_mx_add(m, form, attributes, &x, 1, dtype, shape);
}

am_mx_value am_mx_add2(am_mlir *m, const char *form, const char *attributes, am_mx_value x, am_mx_value y,
                       am_dtype dtype, am_shape shape)
{
    return am_mx_add(m, form, attributes, (am_mx_value[]){x, y}, 2, dtype, shape);
}

am_mx_value am_mx_unary(am_mlir *m, const char *form, am_mx_value x)
{
    return am_mx_add1(m, form, "", x, x.dtype, x.shape);
}

static am_shape joined(am_mlir *m, am_shape x, am_shape y)
{
    am_shape shape = x;
    if (!am_shape_broadcast(&x, &y, &shape)) m->failed = true;
    return shape;
}

am_mx_value am_mx_binary(am_mlir *m, const char *form, am_mx_value x, am_mx_value y)
{
    return am_mx_add2(m, form, "", x, y, x.dtype, joined(m, x.shape, y.shape));
}

am_mx_value am_mx_compare(am_mlir *m, const char *form, am_mx_value x, am_mx_value y)
{
    return am_mx_add2(m, form, "", x, y, AM_BOOL, joined(m, x.shape, y.shape));
}

am_mx_value am_mx_select(am_mlir *m, am_mx_value condition, am_mx_value x, am_mx_value y)
{
    am_shape shape = joined(m, joined(m, condition.shape, x.shape), y.shape);
    return am_mx_add(m, "rmo.select", "", (am_mx_value[]){condition, x, y}, 3, x.dtype, shape);
}

am_mx_value am_mx_cast(am_mlir *m, am_mx_value x, am_dtype dtype)
{
    return x.dtype == dtype ? x : am_mx_add1(m, "mo.cast", "", x, dtype, x.shape);
}

static am_mx_value add_shaped(am_mlir *m, const char *form, am_mx_value x, am_shape shape)
{
    am_buffer text = {0};
    if (am_shape_equal(&x.shape, &shape)) return x;
    am_buffer_append_string(&text, " [");
    am_mx_put_shape(&text, "newShape", &shape);
    am_buffer_append_string(&text, "]");
    am_mx_value y = am_mx_add1(m, form, am_buffer_text(&text), x, x.dtype, shape);
    am_buffer_deinit(&text);
    return y;
}

am_mx_value am_mx_reshape(am_mlir *m, am_mx_value x, am_shape shape)
{
    return add_shaped(m, "rmo.reshape", x, shape);
}

am_mx_value am_mx_broadcast(am_mlir *m, am_mx_value x, am_shape shape)
{
    return add_shaped(m, "rmo.broadcast_to", x, shape);
}

am_mx_value am_mx_permute(am_mlir *m, am_mx_value x, const am_shape *order)
{
    am_shape shape = x.shape;
    bool same = true;
    for (int i = 0; i < order->rank; i++) {
        shape.dims[i] = x.shape.dims[order->dims[i]];
        same = same && order->dims[i] == i;
    }
    if (same) return x;
    return am_mx_add2(m, "rmo.mo.transpose", "", x, am_mx_integers(m, order->dims, order->rank), x.dtype, shape);
}

am_mx_value am_mx_slice(am_mlir *m, am_mx_value x, int axis, int64_t start, int64_t stop, int64_t step)
{
    am_shape starts = {.rank = x.shape.rank}, stops = x.shape, steps = x.shape, shape = x.shape;
    am_buffer text = {0};
    for (int i = 0; i < steps.rank; i++) steps.dims[i] = 1;
    starts.dims[axis] = start;
    stops.dims[axis] = stop;
    steps.dims[axis] = step;
    shape.dims[axis] = (stop - start + step - 1) / step;
    if (am_shape_equal(&shape, &x.shape)) return x;
    am_buffer_append_string(&text, " [");
    am_mx_put_shape(&text, "starts", &starts);
    am_mx_put_shape(&text, ", stops", &stops);
    am_mx_put_shape(&text, ", steps", &steps);
    am_buffer_append_string(&text, "]");
    am_mx_value y = am_mx_add1(m, "rmo.slice", am_buffer_text(&text), x, x.dtype, shape);
    am_buffer_deinit(&text);
    return y;
}

/* --- constants --- */

static void put_number(am_buffer *out, am_dtype dtype, const void *data, int64_t i)
{
    uint32_t bits;
    uint64_t wide;
    if (dtype == AM_F32) {
        memcpy(&bits, (const char *)data + i * 4, sizeof bits);
        am_buffer_printf(out, "0x%08" PRIX32, bits);
    } else if (dtype == AM_F64) {
        memcpy(&wide, (const char *)data + i * 8, sizeof wide);
        am_buffer_printf(out, "0x%016" PRIX64, wide);
    } else if (dtype == AM_BOOL) am_buffer_append_string(out, am_load_int(dtype, data, i) ? "true" : "false");
    else am_buffer_printf(out, "%" PRId64, am_load_int(dtype, data, i));
}

am_mx_value am_mx_numbers(am_mlir *m, am_dtype dtype, am_shape shape, const void *data)
{
    am_buffer *out = &m->body;
    am_mx_value result = begin(m, dtype, shape);
    int64_t count = am_shape_count(&shape);
    am_buffer_append_string(out, "mo.constant <#M.dense_array<");
    for (int64_t i = 0; i < count; i++) {
        if (i) am_buffer_append_string(out, ", ");
        put_number(out, dtype, data, i);
    }
    am_buffer_append_string(out, "> : tensor<");
    for (int i = 0; i < shape.rank; i++) am_buffer_printf(out, "%" PRId64 "x", shape.dims[i]);
    am_buffer_printf(out, "%s>> : ", dtype == AM_BOOL ? "i1" : element(dtype));
    am_mx_put_type(out, dtype, &shape);
    am_buffer_append_char(out, '\n');
    return result;
}

am_mx_value am_mx_integers(am_mlir *m, const int64_t *numbers, int count)
{
    return am_mx_numbers(m, AM_I64, am_shape_of(count), numbers);
}

am_mx_value am_mx_scalar(am_mlir *m, am_dtype dtype, double number)
{
    char bytes[8] = {0};
    am_store_real(dtype, bytes, 0, number);
    return am_mx_numbers(m, dtype, (am_shape){0}, bytes);
}

static bool grow_weights(am_mlir *m)
{
    int capacity = m->weight_capacity ? 2 * m->weight_capacity : 64;
    am_mx_weight *weights = am_arena_array(&m->arena, (size_t)capacity, sizeof *weights);
    if (!weights) return false;
    if (m->weight_count) memcpy(weights, m->weights, (size_t)m->weight_count * sizeof *weights);
    m->weights = weights;
    m->weight_capacity = capacity;
    return true;
}

static const void *aligned(am_mlir *m, const void *data, size_t bytes, size_t alignment)
{
    if ((uintptr_t)data % alignment == 0) return data;
    void *copy = am_arena_alloc(&m->arena, bytes);
    if (copy) memcpy(copy, data, bytes);
    else m->failed = true;
    return copy;
}

am_mx_value am_mx_lent(am_mlir *m, am_dtype dtype, am_shape shape, const void *data)
{
    size_t bytes = am_tensor_bytes(dtype, &shape), alignment = (size_t)am_dtype_bytes(dtype);
    if (m->weight_count == m->weight_capacity && !grow_weights(m)) {
        m->failed = true;
        return (am_mx_value){0, dtype, shape};
    }
    am_mx_value result = begin(m, dtype, shape);
    am_buffer_printf(&m->body,
                     "mo.constant.external [name = \"w%d\", align = %zu, device = #M.device_ref<\"cpu\", 0>] : ",
                     m->weight_count, alignment);
    am_mx_put_type(&m->body, dtype, &shape);
    am_buffer_append_char(&m->body, '\n');
    m->weights[m->weight_count++] = (am_mx_weight){aligned(m, data, bytes, alignment), bytes};
    return result;
}

void *am_mx_room(am_mlir *m, am_shape shape)
{
    void *room = am_arena_alloc(&m->arena, am_tensor_bytes(AM_F32, &shape) + 16);
    if (!room) m->failed = true;
    return room;
}

am_status am_mx_status(const am_mlir *m)
{
    return m->failed ? am_out_of_memory() : am_buffer_status(&m->body);
}

void am_mx_deinit(am_mlir *m)
{
    am_buffer_deinit(&m->body);
    am_arena_deinit(&m->arena);
}
