#include "graph/ops/check.h"

#include <math.h>

static am_status check_mode(const am_infer *c, const am_resize_attributes *a)
{
    bool smooth = a->mode == AM_RESIZE_LINEAR || a->mode == AM_RESIZE_CUBIC;
    bool copies = a->mode == AM_RESIZE_NEAREST || a->mode == AM_RESIZE_NEAREST_EXACT;
    if (a->align_corners && !smooth) return am_error(AM_INVALID_ARGUMENT, "align_corners takes linear or cubic mode");
    if (a->antialias && !smooth) return am_error(AM_INVALID_ARGUMENT, "antialias takes linear or cubic mode");
    return copies ? NULL : am_check_float(c, 0);
}

static am_status infer(am_infer *c)
{
    const am_resize_attributes *a = c->attributes;
    am_shape shape = c->inputs[0]->shape;
    int spatial = shape.rank - 2;
    if (spatial < 1 || spatial > 3 || a->size.rank != spatial)
        return am_error(AM_INVALID_ARGUMENT,
                        "%d sizes for a tensor of rank %d; takes [B, C, 1 to 3 spatial dimensions]", a->size.rank,
                        shape.rank);
    AM_TRY(check_mode(c, a));
    for (int i = 0; i < spatial; i++) {
        int64_t from = shape.dims[2 + i], to = a->size.dims[i];
        if (from < 1 || from > INT32_MAX || to < 1 || to > INT32_MAX)
            return am_error(AM_INVALID_ARGUMENT, "cannot resize %lld elements to %lld along spatial dimension %d",
                            (long long)from, (long long)to, i);
        if (!(a->scale[i] >= 0) || a->scale[i] > 1e9)
            return am_error(AM_INVALID_ARGUMENT, "scale %g is out of range", a->scale[i]);
        shape.dims[2 + i] = to;
    }
    return am_infer_one(c, c->inputs[0]->dtype, &shape);
}

am_value am_resize(am_builder *b, am_value x, const am_resize_attributes *options)
{
    return am_add_node(b, AM_OP_RESIZE, &x, 1, options, NULL);
}

/* Indices are found in single precision, as in PyTorch: at exact boundaries rounding decides which element is
   copied. Also as there, and in images only, a scale factor is overruled where the result is as large as the
   input or twice as large. */
int64_t am_resize_nearest_index(const am_resize_attributes *a, int axis, int64_t from, int64_t i)
{
    bool exact = a->mode == AM_RESIZE_NEAREST_EXACT;
    int64_t to = a->size.dims[axis];
    if (!exact && a->size.rank == 2 && (to == from || to == 2 * from)) return to == from ? i : i / 2;
    float scale = a->scale[axis] > 0 ? (float)(1 / a->scale[axis]) : (float)from / (float)to;
    float place = floorf(exact ? (float)(((double)i + 0.5) * scale) : (float)i * scale);
    return place < 0 ? 0 : place > (float)(from - 1) ? from - 1 : (int64_t)place;
}

static const char *const modes[] = {"nearest", "nearest_exact", "linear", "cubic", "area", NULL};
static const am_field fields[] = {AM_FIELD(am_resize_attributes, INTS, size),
                                  AM_FIELD_OF_ENUM(am_resize_attributes, mode, modes),
                                  AM_FIELD(am_resize_attributes, BOOL, align_corners),
                                  AM_FIELD(am_resize_attributes, BOOL, antialias),
                                  {"scale_0", AM_FIELD_REAL, offsetof(am_resize_attributes, scale[0]), NULL},
                                  {"scale_1", AM_FIELD_REAL, offsetof(am_resize_attributes, scale[1]), NULL},
                                  {"scale_2", AM_FIELD_REAL, offsetof(am_resize_attributes, scale[2]), NULL},
                                  AM_FIELDS_END};

const am_op am_op_resize = {
    .name = "resize",
    .summary = "[B, C, spatial..] interpolated to other sizes (torch.nn.functional.interpolate).",
    .min_inputs = 1,
    .max_inputs = 1,
    .fields = fields,
    .attributes_bytes = sizeof(am_resize_attributes),
    .infer = infer,
};
