/* Products with weights of 8 and 4 bits: every level gives the bits of plain loops. */
#include "check.h"
#include "plain.h"

#include "graph/ops.h"

enum { COLUMNS = AM_QUANTIZED_COLUMNS, GROUP = AM_ACTIVATION_GROUP, GAP = 3 };

typedef struct product {
    int bits;
    int64_t M, columns, K, group;
    am_dtype scales;
    bool has_zeros;
    check_place place;
    check_kind kind;
} product;

/* What quantize makes of the rows of x. */
static am_quantized_rows round_rows(const am_micro *micro, const product *p, const float *x)
{
    int64_t groups = p->K / GROUP;
    int16_t *numbers = check_array(p->place, p->M * p->K, sizeof *numbers);
    int16_t *middle = check_array(p->place, p->M * groups * 2, sizeof *middle);
    float *scales = check_floats(p->place, p->M * groups);
    for (int64_t m = 0; m < p->M; m++)
        micro->quantize(x + m * p->K, p->K, p->bits, numbers + m * p->K, scales + m * groups, middle + m * groups * 2);
    return (am_quantized_rows){numbers, scales, middle};
}

static am_quantized_panel make_panel(const product *p)
{
    int64_t bytes = p->K * COLUMNS * p->bits / 8, count = p->K / p->group * COLUMNS;
    uint8_t *weight = check_array(p->place, bytes, 1), *zeros = NULL;
    for (int64_t i = 0; i < bytes; i++) weight[i] = (uint8_t)(check_random() >> 8);
    void *scales = check_array(p->place, count, p->scales == AM_F32 ? sizeof(float) : sizeof(uint16_t));
    for (int64_t i = 0; i < count; i++) {
        float scale = check_number(ORDINARY);
        if (p->scales == AM_F32) ((float *)scales)[i] = scale;
        else ((uint16_t *)scales)[i] = p->scales == AM_BF16 ? am_f32_to_bf16(scale) : am_f32_to_f16(scale);
    }
    if (p->has_zeros) {
        zeros = check_array(p->place, count, 1);
        for (int64_t i = 0; i < count; i++) zeros[i] = (uint8_t)(check_random() >> 8 & (p->bits == 8 ? 255 : 15));
    }
    return (am_quantized_panel){p->K, p->group, p->columns, weight, scales, p->scales, zeros};
}

static void check_product(const am_micro *micro, const product *p)
{
    int64_t ldc = p->columns + GAP, count = (p->M - 1) * ldc + p->columns;
    float *x = check_floats(p->place, p->M * p->K);
    float *y = check_floats(p->place, count), *expected = check_floats(AT_END, count);
    check_fill(p->kind, x, p->M * p->K), check_fill(ORDINARY, y, count);
    memcpy(expected, y, (size_t)count * sizeof *y);
    am_quantized_panel panel = make_panel(p);
    am_quantized_rows found = round_rows(micro, p, x), plain = round_rows(&plain_micro, p, x);
    int64_t groups = p->M * p->K / GROUP;
    check_where("%dx%dx%d of %d bits, groups of %d, scales %s, zero points %d, place %d, kind %d", (int)p->M,
                (int)p->columns, (int)p->K, p->bits, (int)p->group, am_dtype_name(p->scales), p->has_zeros,
                (int)p->place, (int)p->kind);
    for (int64_t i = 0; i < groups; i++) check_same(found.scales[i], plain.scales[i]);
    assert_memory_equal(found.middle, plain.middle, (size_t)groups * 2 * sizeof *plain.middle);
    micro->gemm_quantized(p->M, p->bits, &panel, &found, y, ldc);
    plain_micro.gemm_quantized(p->M, p->bits, &panel, &plain, expected, ldc);
    for (int64_t i = 0; i < count; i++) check_same(y[i], expected[i]);
    check_release();
}

static void targets_cpu_quantized__products_have_the_bits_of_plain_loops(void **state)
{
    static const am_dtype dtypes[] = {AM_F32, AM_BF16, AM_F16};
    unsigned turn = 0;
    FOR_EACH_LEVEL(micro) for (int64_t M = 1; M <= 13; M++) for (int64_t columns = 1; columns <= COLUMNS; columns++)
    {
        check_start(micro, "gemm_quantized", "none");
        for (int64_t groups = 1; groups <= 8; groups *= 2, turn++)
            check_product(micro, &(product){.bits = turn % 2 ? 4 : 8,
                                            .M = M,
                                            .columns = columns,
                                            .K = 8 * GROUP,
                                            .group = groups * GROUP,
                                            .scales = dtypes[turn / 2 % 3],
                                            .has_zeros = turn / 3 % 2,
                                            .place = (check_place)(turn / 5 % PLACES),
                                            .kind = (check_kind)(turn / 7 % KINDS)});
    }
}

/* All numbers at the ends of their ranges: sums of 16 bits have room for them. */
static void targets_cpu_quantized__the_largest_numbers_have_room(void **state)
{
    FOR_EACH_LEVEL(micro) for (int bits = 4; bits <= 8; bits += 4) for (int signs = 0; signs < 4; signs++)
    {
        product p = {.bits = bits, .M = 5, .columns = COLUMNS, .K = 4 * GROUP, .group = GROUP, .place = AT_END};
        float x[5 * 4 * GROUP], y[5 * COLUMNS], expected[5 * COLUMNS];
        for (int i = 0; i < 5 * 4 * GROUP; i++) x[i] = signs & 1 ? -3 : 3;
        check_start(micro, "gemm_quantized", "none"), check_where("%d bits, signs %d", bits, signs);
        am_quantized_panel panel = make_panel(&p);
        memset((uint8_t *)(uintptr_t)panel.weight, signs & 2 ? 0 : 255, (size_t)(p.K * COLUMNS * bits / 8));
        am_quantized_rows found = round_rows(micro, &p, x), plain = round_rows(&plain_micro, &p, x);
        micro->gemm_quantized(p.M, bits, &panel, &found, y, COLUMNS);
        plain_micro.gemm_quantized(p.M, bits, &panel, &plain, expected, COLUMNS);
        for (int i = 0; i < 5 * COLUMNS; i++) check_same(y[i], expected[i]);
        check_release();
    }
}

/* Of the numbers k with k % 4 == first or first + 1. */
static double sum_of(const float *x, int first)
{
    double sum = 0;
    for (int i = first; i < GROUP; i += 4) sum += (double)x[i] + (double)x[i + 1];
    return sum;
}

/* Each number within half a step of 127 of its group, and of what is not finite or next to nothing, no number. */
static void check_rounded(const float *x, bool is_finite, float scale, const int16_t *middle)
{
    double most = 0;
    for (int i = 0; i < GROUP; i++)
        if (fabs((double)x[i]) > most) most = fabs((double)x[i]);
    if (!is_finite || most < 0x1p-100) {
        assert_true(is_finite ? scale == 0 : isnan(scale));
        assert_true(middle[0] == 0 && middle[1] == 0);
        return;
    }
    check_near((double)scale, most / 127, check_ulp(most / 127));
    for (int i = 0; i < 2; i++) check_near(middle[i] / -8.0, sum_of(x, 2 * i) / (most / 127), 16 * 0.5 + 1e-3);
}

static void targets_cpu_quantized__x_is_near_what_it_is_rounded_to(void **state)
{
    float x[GROUP], scale;
    int16_t numbers[GROUP], middle[2];
    FOR_EACH_LEVEL(micro) for (int turn = 0; turn < 400; turn++)
    {
        bool is_finite = turn % 5 != 4;
        check_start(micro, "quantize", "half a step of 127"), check_where("turn %d", turn);
        check_fill((check_kind)(turn % 3), x, GROUP);
        if (!is_finite) x[turn % GROUP] = turn % 2 ? NAN : -INFINITY;
        micro->quantize(x, GROUP, 8, numbers, &scale, middle);
        check_rounded(x, is_finite, scale, middle);
    }
}
