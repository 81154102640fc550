#include "targets/cpu/reference/order.h"

am_rows am_rows_along(const am_shape *shape, int64_t axis)
{
    am_rows rows = {1, shape->dims[axis], 1};
    for (int i = 0; i < shape->rank; i++) {
        if (i < axis) rows.outer *= shape->dims[i];
        if (i > axis) rows.inner *= shape->dims[i];
    }
    return rows;
}

int am_reference_compare(const am_tensor *x, int64_t i, int64_t k)
{
    if (!am_dtype_is_float(x->dtype)) {
        int64_t a = am_load_int(x->dtype, x->data, i), b = am_load_int(x->dtype, x->data, k);
        return (a > b) - (a < b);
    }
    double a = am_load_real(x->dtype, x->data, i), b = am_load_real(x->dtype, x->data, k);
    if (a != a || b != b) return (a != a) - (b != b);
    return (a > b) - (a < b);
}
