#include "targets/openvino/ir.h"

#include "tensor/dtype.h"

#include <inttypes.h>
#include <string.h>

const char *am_ir_element(am_dtype dtype)
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
        return "i64";
    case AM_I32:
        return "i32";
    case AM_I16:
        return "i16";
    case AM_I8:
        return "i8";
    case AM_U8:
        return "u8";
    case AM_BOOL:
        return "boolean";
    default:
        return "undefined";
    }
}

static void put_dims(am_buffer *out, const am_shape *shape)
{
    for (int i = 0; i < shape->rank; i++) am_buffer_printf(out, "%s%" PRId64, i ? "," : "", shape->dims[i]);
}

static void put_ports(am_ir *ir, const am_ir_value *inputs, int count)
{
    if (count == 0) return;
    am_buffer_append_string(&ir->layers, "<input>");
    for (int i = 0; i < count; i++) {
        am_buffer_printf(&ir->layers, "<port id=\"%d\"/>", i);
        am_buffer_printf(&ir->edges, "<edge from-layer=\"%d\" from-port=\"%d\" to-layer=\"%d\" to-port=\"%d\"/>",
                         inputs[i].layer, inputs[i].port, ir->layer_count, i);
    }
    am_buffer_append_string(&ir->layers, "</input>");
}

/* The reader infers precisions and shapes of ports, so they are not written. */
static am_ir_value add(am_ir *ir, const char *type, const char *opset, const char *attributes, const char *information,
                       const am_ir_value *inputs, int input_count, int output_count)
{
    am_buffer *out = &ir->layers;
    am_buffer_printf(out, "<layer id=\"%d\" name=\"n%d\" type=\"%s\" version=\"%s\">", ir->layer_count, ir->layer_count,
                     type, opset);
    if (*attributes) am_buffer_printf(out, "<data %s/>", attributes);
    if (*information) am_buffer_printf(out, "<rt_info>%s</rt_info>", information);
    put_ports(ir, inputs, input_count);
    if (output_count) am_buffer_append_string(out, "<output>");
    for (int i = 0; i < output_count; i++)
        am_buffer_printf(out, "<port id=\"%d\" precision=\"FP32\"/>", input_count + i);
    if (output_count) am_buffer_append_string(out, "</output>");
    am_buffer_append_string(out, "</layer>");
    return (am_ir_value){ir->layer_count++, input_count};
}

am_ir_value am_ir_add(am_ir *ir, const char *type, const char *opset, const char *attributes, const am_ir_value *inputs,
                      int input_count, int output_count)
{
    return add(ir, type, opset, attributes, "", inputs, input_count, output_count);
}

am_ir_value am_ir_add1(am_ir *ir, const char *type, const char *opset, const char *attributes, am_ir_value x)
{
    return add(ir, type, opset, attributes, "", &x, 1, 1);
}

am_ir_value am_ir_add2(am_ir *ir, const char *type, const char *opset, const char *attributes, am_ir_value x,
                       am_ir_value y)
{
    return add(ir, type, opset, attributes, "", (am_ir_value[]){x, y}, 2, 1);
}

am_ir_value am_ir_binary(am_ir *ir, const char *type, const char *opset, am_ir_value x, am_ir_value y)
{
    return am_ir_add2(ir, type, opset, "auto_broadcast=\"numpy\"", x, y);
}

am_ir_value am_ir_convert(am_ir *ir, am_ir_value x, am_dtype dtype)
{
    am_buffer text = {0};
    am_buffer_printf(&text, "destination_type=\"%s\"", am_ir_element(dtype));
    am_ir_value y = am_ir_add1(ir, "Convert", "opset1", am_buffer_text(&text), x);
    am_buffer_deinit(&text);
    return y;
}

am_ir_value am_ir_widen(am_ir *ir, am_ir_value weight)
{
    return add(ir, "Convert", "opset1", "destination_type=\"f32\"", "<attribute name=\"decompression\" version=\"0\"/>",
               &weight, 1, 1);
}

/* --- constants --- */

am_ir_value am_ir_lent(am_ir *ir, am_dtype dtype, const am_shape *shape, const void *data)
{
    am_buffer text = {0};
    am_buffer_printf(&text, "element_type=\"%s\" shape=\"", am_ir_element(dtype));
    put_dims(&text, shape);
    am_buffer_printf(&text, "\" offset=\"%" PRIuPTR "\" size=\"%zu\"", (uintptr_t)data - AM_IR_BASE,
                     am_tensor_bytes(dtype, shape));
    am_ir_value value = am_ir_add(ir, "Const", "opset1", am_buffer_text(&text), NULL, 0, 1);
    am_buffer_deinit(&text);
    return value;
}

static am_ir_value keep(am_ir *ir, am_dtype dtype, const am_shape *shape, const void *data)
{
    size_t bytes = am_tensor_bytes(dtype, shape);
    void *copy = am_arena_alloc(&ir->arena, bytes + 16);
    if (copy) memcpy(copy, data, bytes);
    else ir->failed = true;
    return am_ir_lent(ir, dtype, shape, copy);
}

am_ir_value am_ir_integers(am_ir *ir, const int64_t *numbers, int count)
{
    am_shape shape = am_shape_of(count);
    return keep(ir, AM_I64, &shape, numbers);
}

am_ir_value am_ir_shape(am_ir *ir, const am_shape *shape)
{
    return am_ir_integers(ir, shape->dims, shape->rank);
}

am_ir_value am_ir_integer(am_ir *ir, int64_t number)
{
    am_shape shape = {0};
    return keep(ir, AM_I64, &shape, &number);
}

am_ir_value am_ir_scalar(am_ir *ir, am_dtype dtype, double number)
{
    am_shape shape = {0};
    char bytes[8] = {0};
    am_store_real(dtype, bytes, 0, number);
    return keep(ir, dtype, &shape, bytes);
}

/* --- ends --- */

am_ir_value am_ir_parameter(am_ir *ir, am_dtype dtype, const am_shape *shape)
{
    am_buffer text = {0};
    am_buffer_append_string(&text, "shape=\"");
    put_dims(&text, shape);
    am_buffer_printf(&text, "\" element_type=\"%s\"", am_ir_element(dtype));
    am_ir_value value = am_ir_add(ir, "Parameter", "opset1", am_buffer_text(&text), NULL, 0, 1);
    am_buffer_deinit(&text);
    return value;
}

void am_ir_result(am_ir *ir, am_ir_value x)
{
    am_ir_add(ir, "Result", "opset1", "", &x, 1, 0);
}

am_status am_ir_finish(am_ir *ir, am_buffer *out)
{
    if (ir->failed) return am_out_of_memory();
    AM_TRY(am_buffer_status(&ir->layers));
    AM_TRY(am_buffer_status(&ir->edges));
    am_buffer_append_string(out, "<?xml version=\"1.0\"?><net name=\"anymodel\" version=\"11\"><layers>");
    am_buffer_append(out, am_buffer_text(&ir->layers), ir->layers.length);
    am_buffer_append_string(out, "</layers><edges>");
    am_buffer_append(out, am_buffer_text(&ir->edges), ir->edges.length);
    am_buffer_append_string(out, "</edges></net>");
    return am_buffer_status(out);
}

void am_ir_deinit(am_ir *ir)
{
    am_buffer_deinit(&ir->layers);
    am_buffer_deinit(&ir->edges);
    am_arena_deinit(&ir->arena);
}
