#include "targets/openvino/ir.h"

#include "base/file.h"
#include "base/memory.h"
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

/* --- layers --- */

static bool make_room(am_ir *ir)
{
    if (ir->layer_count < ir->layer_capacity) return true;
    int larger = ir->layer_capacity ? 2 * ir->layer_capacity : 256;
    am_ir_layer *grown = am_realloc(ir->layers, (size_t)larger * sizeof *grown);
    if (!grown) return false;
    ir->layers = grown;
    ir->layer_capacity = larger;
    return true;
}

/* A copy of what the layer points to; the rest is literals. */
static am_ir_value add(am_ir *ir, am_ir_layer layer)
{
    am_ir_value *inputs = am_arena_array(&ir->arena, (size_t)layer.input_count + 1, sizeof *inputs);
    if (*layer.attributes) layer.attributes = am_arena_string(&ir->arena, layer.attributes, strlen(layer.attributes));
    if (!inputs || !layer.attributes || !make_room(ir)) {
        ir->failed = true;
        return (am_ir_value){0};
    }
    if (layer.input_count) memcpy(inputs, layer.inputs, (size_t)layer.input_count * sizeof *inputs);
    layer.inputs = inputs;
    ir->layers[ir->layer_count] = layer;
    return (am_ir_value){ir->layer_count++, layer.input_count};
}

am_ir_value am_ir_add(am_ir *ir, const char *type, const char *opset, const char *attributes, const am_ir_value *inputs,
                      int input_count, int output_count)
{
    return add(ir, (am_ir_layer){.type = type,
                                 .opset = opset,
                                 .attributes = attributes,
                                 .information = "",
                                 .inputs = inputs,
                                 .input_count = input_count,
                                 .output_count = output_count});
}

am_ir_value am_ir_add1(am_ir *ir, const char *type, const char *opset, const char *attributes, am_ir_value x)
{
    return am_ir_add(ir, type, opset, attributes, &x, 1, 1);
}

am_ir_value am_ir_add2(am_ir *ir, const char *type, const char *opset, const char *attributes, am_ir_value x,
                       am_ir_value y)
{
    return am_ir_add(ir, type, opset, attributes, (am_ir_value[]){x, y}, 2, 1);
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
    return add(ir, (am_ir_layer){.type = "Convert",
                                 .opset = "opset1",
                                 .attributes = "destination_type=\"f32\"",
                                 .information = "<attribute name=\"decompression\" version=\"0\"/>",
                                 .inputs = &weight,
                                 .input_count = 1,
                                 .output_count = 1});
}

/* --- constants --- */

static am_ir_value add_source(am_ir *ir, am_ir_kind kind, am_dtype dtype, const am_shape *shape, const void *data)
{
    return add(ir, (am_ir_layer){.kind = kind,
                                 .type = "",
                                 .opset = "",
                                 .attributes = "",
                                 .information = "",
                                 .output_count = 1,
                                 .dtype = dtype,
                                 .shape = *shape,
                                 .data = data});
}

am_ir_value am_ir_lent(am_ir *ir, am_dtype dtype, const am_shape *shape, const void *data)
{
    return add_source(ir, AM_IR_CONSTANT, dtype, shape, data);
}

/* A copy with room after it, for readers of whole vectors. */
static const void *copy(am_arena *arena, const void *data, size_t bytes)
{
    void *made = am_arena_alloc(arena, bytes + 16);
    if (made) memcpy(made, data, bytes);
    return made;
}

static am_ir_value keep(am_ir *ir, am_dtype dtype, const am_shape *shape, const void *data)
{
    data = copy(&ir->arena, data, am_tensor_bytes(dtype, shape));
    if (!data) ir->failed = true;
    return am_ir_lent(ir, dtype, shape, data);
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
    return add_source(ir, AM_IR_PARAMETER, dtype, shape, NULL);
}

void am_ir_result(am_ir *ir, am_ir_value x)
{
    am_ir_add(ir, "Result", "opset1", "", &x, 1, 0);
}

/* --- two of one structure --- */

static bool same_values(const am_ir_layer *a, const am_ir_layer *b)
{
    for (int i = 0; i < a->input_count; i++)
        if (a->inputs[i].layer != b->inputs[i].layer || a->inputs[i].port != b->inputs[i].port) return false;
    return true;
}

static bool same_structure(const am_ir_layer *a, const am_ir_layer *b)
{
    return a->kind == b->kind && a->dtype == b->dtype && a->shape.rank == b->shape.rank &&
           a->input_count == b->input_count && a->output_count == b->output_count && strcmp(a->type, b->type) == 0 &&
           strcmp(a->opset, b->opset) == 0 && strcmp(a->attributes, b->attributes) == 0 &&
           strcmp(a->information, b->information) == 0 && same_values(a, b);
}

static uint32_t differing_dims(const am_ir_layer *a, const am_ir_layer *b)
{
    uint32_t dims = 0;
    for (int i = 0; i < a->shape.rank && i < AM_RANK_LIMIT; i++)
        dims |= (uint32_t)(a->shape.dims[i] != b->shape.dims[i]) << i;
    return dims;
}

static bool same_data(const am_ir_layer *a, const am_ir_layer *b)
{
    return a->data == b->data || memcmp(a->data, b->data, am_tensor_bytes(a->dtype, &a->shape)) == 0;
}

/* What must be free in a model for both layers; false where there is none. */
static bool join_layer(const am_ir_layer *known, const am_ir_layer *layer, uint32_t *out_dims, bool *out_given)
{
    if (!same_structure(known, layer)) return false;
    bool constant = layer->kind == AM_IR_CONSTANT;
    *out_dims = known->free_dims | differing_dims(known, layer);
    *out_given = constant && (known->is_given || *out_dims || !same_data(known, layer));
    if (!*out_given) return true;
    return !am_file_mapped_at(known->data) && !am_file_mapped_at(layer->data);
}

am_ir_relation am_ir_compare(const am_ir *known, const am_ir *ir)
{
    am_ir_relation relation = AM_IR_SAME;
    if (known->layer_count != ir->layer_count) return AM_IR_OTHER;
    for (int i = 0; i < ir->layer_count; i++) {
        const am_ir_layer *a = &known->layers[i], *b = &ir->layers[i];
        uint32_t dims;
        bool given;
        if (!join_layer(a, b, &dims, &given)) return AM_IR_OTHER;
        bool lent = b->kind == AM_IR_CONSTANT && !given && !a->kept;
        if (dims != a->free_dims || given != a->is_given || (lent && a->data != b->data)) relation = AM_IR_SIZES;
    }
    return relation;
}

am_status am_ir_join(const am_ir *known, am_ir *ir, am_arena *arena)
{
    for (int i = 0; i < ir->layer_count; i++) {
        const am_ir_layer *other = &known->layers[i];
        am_ir_layer *layer = &ir->layers[i];
        uint32_t dims;
        bool given;
        (void)join_layer(other, layer, &dims, &given);
        layer->free_dims = dims;
        layer->is_given = given;
        layer->kept = other->kept;
        if (!arena || layer->kind != AM_IR_CONSTANT) continue;
        bool lent = given || layer->data == other->data;
        layer->kept = lent ? NULL : copy(arena, layer->data, am_tensor_bytes(layer->dtype, &layer->shape));
        if (!lent && !layer->kept) return am_out_of_memory();
    }
    return NULL;
}

void am_ir_separate(am_ir *ir)
{
    for (int i = 0; i < ir->layer_count; i++) {
        ir->layers[i].free_dims = 0;
        ir->layers[i].is_given = false;
        ir->layers[i].kept = NULL;
    }
}

/* --- text --- */

static void put_dims(am_buffer *out, const am_ir_layer *layer)
{
    for (int i = 0; i < layer->shape.rank; i++) {
        am_buffer_append_string(out, i ? "," : "");
        if (layer->free_dims >> i & 1) am_buffer_append_string(out, "?");
        else am_buffer_printf(out, "%" PRId64, layer->shape.dims[i]);
    }
}

bool am_ir_is_parameter(const am_ir_layer *layer)
{
    return layer->kind == AM_IR_PARAMETER || layer->is_given;
}

static void put_head(const am_ir_layer *layer, int id, am_buffer *out)
{
    bool constant = layer->kind == AM_IR_CONSTANT && !layer->is_given;
    const char *type = am_ir_is_parameter(layer) ? "Parameter" : constant ? "Const" : layer->type;
    am_buffer_printf(out, "<layer id=\"%d\" name=\"n%d\" type=\"%s\" version=\"%s\">", id, id, type,
                     *layer->opset ? layer->opset : "opset1");
    if (*layer->attributes) am_buffer_printf(out, "<data %s/>", layer->attributes);
    if (layer->kind == AM_IR_OPERATION) return;
    am_buffer_printf(out, "<data element_type=\"%s\" shape=\"", am_ir_element(layer->dtype));
    put_dims(out, layer);
    if (constant)
        am_buffer_printf(out, "\" offset=\"%" PRIuPTR "\" size=\"%zu",
                         (uintptr_t)(layer->kept ? layer->kept : layer->data) - AM_IR_BASE,
                         am_tensor_bytes(layer->dtype, &layer->shape));
    am_buffer_append_string(out, "\"/>");
}

/* The reader infers precisions and shapes of ports, so they are not written. */
static void put_layer(const am_ir_layer *layer, int id, am_buffer *out)
{
    put_head(layer, id, out);
    if (*layer->information) am_buffer_printf(out, "<rt_info>%s</rt_info>", layer->information);
    if (layer->input_count) am_buffer_append_string(out, "<input>");
    for (int i = 0; i < layer->input_count; i++) am_buffer_printf(out, "<port id=\"%d\"/>", i);
    if (layer->input_count) am_buffer_append_string(out, "</input>");
    if (layer->output_count) am_buffer_append_string(out, "<output>");
    for (int i = 0; i < layer->output_count; i++)
        am_buffer_printf(out, "<port id=\"%d\" precision=\"FP32\"/>", layer->input_count + i);
    if (layer->output_count) am_buffer_append_string(out, "</output>");
    am_buffer_append_string(out, "</layer>");
}

static void put_edges(const am_ir_layer *layer, int id, am_buffer *out)
{
    for (int i = 0; i < layer->input_count; i++)
        am_buffer_printf(out, "<edge from-layer=\"%d\" from-port=\"%d\" to-layer=\"%d\" to-port=\"%d\"/>",
                         layer->inputs[i].layer, layer->inputs[i].port, id, i);
}

am_status am_ir_write(const am_ir *ir, am_buffer *out)
{
    if (ir->failed) return am_out_of_memory();
    am_buffer_append_string(out, "<?xml version=\"1.0\"?><net name=\"anymodel\" version=\"11\"><layers>");
    for (int i = 0; i < ir->layer_count; i++) put_layer(&ir->layers[i], i, out);
    am_buffer_append_string(out, "</layers><edges>");
    for (int i = 0; i < ir->layer_count; i++) put_edges(&ir->layers[i], i, out);
    am_buffer_append_string(out, "</edges></net>");
    return am_buffer_status(out);
}

void am_ir_deinit(am_ir *ir)
{
    am_free(ir->layers);
    am_arena_deinit(&ir->arena);
}
