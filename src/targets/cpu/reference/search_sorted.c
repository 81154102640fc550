#include "targets/cpu/kernel.h"

/* Whether an element of the row comes before the place of the value; NaN compares false, as in PyTorch. */
static bool stays_before(const am_tensor *row, int64_t i, const am_tensor *values, int64_t k, bool right)
{
    if (am_dtype_is_float(row->dtype)) {
        double element = am_load_real(row->dtype, row->data, i), value = am_load_real(values->dtype, values->data, k);
        return right ? !(element > value) : !(element >= value);
    }
    int64_t element = am_load_int(row->dtype, row->data, i), value = am_load_int(values->dtype, values->data, k);
    return right ? element <= value : element < value;
}

am_status am_reference_search_sorted(const am_kernel_call *call)
{
    bool right = AM_ATTRIBUTES(am_search_sorted_attributes, call)->right;
    const am_tensor *row = &call->inputs[0], *values = &call->inputs[1];
    int32_t *y = call->outputs[0].data;
    int64_t size = row->shape.dims[row->shape.rank - 1], count = am_shape_count(&values->shape);
    int64_t per_row = row->shape.rank > 1 ? values->shape.dims[values->shape.rank - 1] : count;
    for (int64_t k = 0; k < count; k++) {
        int64_t first = k / per_row * size, low = 0, high = size;
        while (low < high) {
            int64_t middle = low + (high - low) / 2;
            if (stays_before(row, first + middle, values, k, right)) low = middle + 1;
            else high = middle;
        }
        y[k] = (int32_t)low;
    }
    return NULL;
}
