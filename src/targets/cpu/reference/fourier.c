#include "base/memory.h"
#include "targets/cpu/reference/order.h"

#include <math.h>

/* One row: `given` input elements (the rest are zeros), complex unless real_input, `step` elements apart. */
typedef struct row {
    const am_tensor *x;
    const am_fourier_attributes *options;
    int64_t first, step, given;
    const double *table; /* cos and sin of 2 pi k / length, [length, 2] */
} row;

static void load(const row *r, int64_t i, double *re, double *im)
{
    int64_t at = r->first + i * r->step;
    *re = am_load_real(r->x->dtype, r->x->data, r->options->real_input ? at : 2 * at);
    *im = r->options->real_input ? 0 : am_load_real(r->x->dtype, r->x->data, 2 * at + 1);
}

/* Element k of the transform. An inverse with real output has half of the spectrum: element i stands for its
   mirror image too. */
static void transform(const row *r, int64_t k, double *re, double *im)
{
    const am_fourier_attributes *a = r->options;
    double sum_re = 0, sum_im = 0, sign = a->inverse ? 1 : -1;
    for (int64_t i = 0; i < r->given; i++) {
        double x_re, x_im, c = r->table[i * k % a->length * 2], s = sign * r->table[i * k % a->length * 2 + 1];
        load(r, i, &x_re, &x_im);
        if (a->real_output) {
            bool alone = i == 0 || 2 * i == a->length;
            sum_re += alone ? x_re * c : 2 * (x_re * c - x_im * s);
        } else {
            sum_re += x_re * c - x_im * s;
            sum_im += x_re * s + x_im * c;
        }
    }
    *re = a->inverse ? sum_re / (double)a->length : sum_re;
    *im = a->inverse ? sum_im / (double)a->length : sum_im;
}

static void transform_row(const row *r, const am_tensor *y, int64_t to, int64_t count)
{
    for (int64_t k = 0; k < count; k++, to += r->step) {
        double re, im;
        transform(r, k, &re, &im);
        am_store_real(y->dtype, y->data, r->options->real_output ? to : 2 * to, re);
        if (!r->options->real_output) am_store_real(y->dtype, y->data, 2 * to + 1, im);
    }
}

am_status am_reference_fourier(const am_kernel_call *call)
{
    const am_fourier_attributes *a = AM_ATTRIBUTES(am_fourier_attributes, call);
    const am_tensor *x = &call->inputs[0], *y = &call->outputs[0];
    am_shape from = x->shape;
    if (!a->real_input) from.rank--;
    am_rows rows = am_rows_along(&from, a->axis);
    int64_t wanted = a->real_output ? a->length / 2 + 1 : a->length, count = y->shape.dims[a->axis];
    double *table = am_alloc((size_t)a->length * 2 * sizeof *table);
    if (!table) return am_out_of_memory();
    for (int64_t k = 0; k < a->length; k++) {
        table[2 * k] = cos(2 * 3.14159265358979323846 * (double)k / (double)a->length);
        table[2 * k + 1] = sin(2 * 3.14159265358979323846 * (double)k / (double)a->length);
    }
    for (int64_t o = 0; o < rows.outer; o++)
        for (int64_t n = 0; n < rows.inner; n++) {
            row r = {x, a, o * rows.size * rows.inner + n, rows.inner, rows.size < wanted ? rows.size : wanted, table};
            transform_row(&r, y, o * count * rows.inner + n, count);
        }
    am_free(table);
    return NULL;
}
