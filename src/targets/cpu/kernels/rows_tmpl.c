/* Rows: sums, norms, softmax. Element i goes to lane i % AM_WIDTH of one of four accumulators. */
#include "targets/cpu/kernels/micro.h"

#include <math.h>

float AM_TEMPLATE(sum)(const float *x, int64_t count)
{
    vf s[4] = {vset(0), vset(0), vset(0), vset(0)};
    int64_t i = 0;
    for (; i + 4 * AM_WIDTH <= count; i += 4 * AM_WIDTH)
        for (int k = 0; k < 4; k++) s[k] += vload(x + i + k * AM_WIDTH);
    for (; i + AM_WIDTH <= count; i += AM_WIDTH) s[0] += vload(x + i);
    if (i < count) s[1] += vload_part(x + i, count - i);
    return vsum((s[0] + s[1]) + (s[2] + s[3]));
}

/* Sum of (x - shift)^2. */
static float squares(const float *x, float shift, int64_t count)
{
    vf s[4] = {vset(0), vset(0), vset(0), vset(0)}, mean = vset(shift);
    int64_t i = 0;
    for (; i + 4 * AM_WIDTH <= count; i += 4 * AM_WIDTH)
        for (int k = 0; k < 4; k++) {
            vf d = vload(x + i + k * AM_WIDTH) - mean;
            s[k] = vfma(d, d, s[k]);
        }
    for (; i + AM_WIDTH <= count; i += AM_WIDTH) {
        vf d = vload(x + i) - mean;
        s[0] = vfma(d, d, s[0]);
    }
    float rest = 0;
    for (; i < count; i++) rest += (x[i] - shift) * (x[i] - shift);
    return vsum((s[0] + s[1]) + (s[2] + s[3])) + rest;
}

float AM_TEMPLATE(largest)(const float *x, int64_t count)
{
    vtop top = vtop_start();
    int64_t i = 0;
    for (; i + AM_WIDTH <= count; i += AM_WIDTH) vtop_show(&top, vload(x + i));
    float best = vtop_end(&top);
    for (; i < count; i++)
        if (x[i] > best || x[i] != x[i]) best = x[i];
    return best;
}

/* Sums of pieces of 1024 are added as doubles, so long rows lose nothing. */
void AM_TEMPLATE(moments)(const float *x, int64_t count, double *mean, double *variance)
{
    double sum = 0, square = 0;
    for (int64_t i = 0; i < count; i += 1024)
        sum += (double)AM_TEMPLATE(sum)(x + i, count - i < 1024 ? count - i : 1024);
    *mean = sum / (double)count;
    for (int64_t i = 0; i < count; i += 1024)
        square += (double)squares(x + i, (float)*mean, count - i < 1024 ? count - i : 1024);
    *variance = square / (double)count;
}

void AM_TEMPLATE(layer_norm)(const float *x, const float *weight, const float *bias, float *y, int64_t count, float eps)
{
    double mean, variance;
    AM_TEMPLATE(moments)(x, count, &mean, &variance);
    vf m = vset((float)mean), scale = vset((float)(1 / sqrt(variance + (double)eps)));
    for (int64_t i = 0; i < count; i += AM_WIDTH) {
        int64_t n = count - i < AM_WIDTH ? count - i : AM_WIDTH;
        vf v = (vload_n(x + i, n) - m) * scale;
        vf w = weight ? vload_n(weight + i, n) : vset(1), b = bias ? vload_n(bias + i, n) : vset(0);
        vstore_n(y + i, vfma(v, w, b), n);
    }
}

void AM_TEMPLATE(rms_norm)(const float *x, const float *weight, float weight_offset, float *y, int64_t count, float eps)
{
    double square = 0;
    for (int64_t i = 0; i < count; i += 1024) square += (double)squares(x + i, 0, count - i < 1024 ? count - i : 1024);
    vf scale = vset((float)(1 / sqrt(square / (double)count + (double)eps))), offset = vset(weight_offset);
    for (int64_t i = 0; i < count; i += AM_WIDTH) {
        int64_t n = count - i < AM_WIDTH ? count - i : AM_WIDTH;
        vf v = vload_n(x + i, n) * scale;
        vstore_n(y + i, weight ? v * (vload_n(weight + i, n) + offset) : v, n);
    }
}

void AM_TEMPLATE(softmax)(const float *x, float *y, int64_t count, bool log_form)
{
    float most = AM_TEMPLATE(largest)(x, count), sum = 0;
    double total = 0;
    vf top = vset(most), s = vset(0);
    int64_t i = 0;
    for (; i + AM_WIDTH <= count; i += AM_WIDTH) {
        vf d = vload(x + i) - top, e = vexp(d);
        s += e;
        vstore(y + i, log_form ? d : e);
        if (i / AM_WIDTH % 64 == 63) {
            total += (double)vsum(s);
            s = vset(0);
        }
    }
    if (i < count) {
        vf d = vload_part(x + i, count - i) - top, e = vexp(d);
        vstore_part(y + i, log_form ? d : e, count - i);
        for (int64_t k = 0; k < count - i; k++) sum += e[k];
    }
    total += (double)vsum(s) + (double)sum;
    if (log_form) AM_TEMPLATE(scale)(y, 1, (float)-log(total), y, count);
    else AM_TEMPLATE(scale)(y, (float)(1 / total), 0, y, count);
}
