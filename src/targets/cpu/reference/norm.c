#include "targets/cpu/kernel.h"

#include <math.h>

/* Elements at start, start + 1, ...: their mean (0 for RMS) and 1 / sqrt(variance + eps). */
static void statistics(const am_kernel_call *call, int64_t start, int64_t count, double *mean, double *scale)
{
    const am_norm_attributes *a = AM_ATTRIBUTES(am_norm_attributes, call);
    const am_tensor *x = &call->inputs[0];
    double sum = 0, squares = 0;
    for (int64_t i = 0; i < count; i++) sum += am_load_real(x->dtype, x->data, start + i);
    *mean = a->kind == AM_NORM_RMS ? 0 : sum / (double)count;
    for (int64_t i = 0; i < count; i++) {
        double d = am_load_real(x->dtype, x->data, start + i) - *mean;
        squares += d * d;
    }
    *scale = 1 / sqrt(squares / (double)count + a->eps);
}

static void write(const am_kernel_call *call, int64_t i, int64_t channel, double mean, double scale)
{
    const am_norm_attributes *a = AM_ATTRIBUTES(am_norm_attributes, call);
    const am_tensor *x = &call->inputs[0], *weight = &call->inputs[1], *bias = &call->inputs[2], *y = &call->outputs[0];
    double value = (am_load_real(x->dtype, x->data, i) - mean) * scale;
    if (call->input_count > 1 && weight->data)
        value *= am_load_real(weight->dtype, weight->data, channel) + a->weight_offset;
    if (call->input_count > 2 && bias->data) value += am_load_real(bias->dtype, bias->data, channel);
    am_store_real(y->dtype, y->data, i, value);
}

am_status am_reference_norm(const am_kernel_call *call)
{
    const am_norm_attributes *a = AM_ATTRIBUTES(am_norm_attributes, call);
    const am_shape *shape = &call->inputs[0].shape;
    bool last = a->kind == AM_NORM_LAYER || a->kind == AM_NORM_RMS;
    int axis = last ? shape->rank - 1 : 1;
    int64_t count = am_shape_count(shape), channels = shape->dims[axis], inner = 1;
    for (int i = axis + 1; i < shape->rank; i++) inner *= shape->dims[i];
    int64_t span = last ? channels : a->kind == AM_NORM_GROUP ? channels / a->groups * inner : inner;
    for (int64_t start = 0; start < count; start += span) {
        double mean, scale;
        if (a->kind == AM_NORM_BATCH) {
            int64_t channel = start / inner % channels;
            mean = am_load_real(call->inputs[3].dtype, call->inputs[3].data, channel);
            scale = 1 / sqrt(am_load_real(call->inputs[4].dtype, call->inputs[4].data, channel) + a->eps);
        } else statistics(call, start, span, &mean, &scale);
        for (int64_t i = start; i < start + span; i++) write(call, i, i / inner % channels, mean, scale);
    }
    return NULL;
}
