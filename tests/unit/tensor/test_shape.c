#include "test_support.h"

#include "tensor/shape.h"

#include <stdbool.h>
#include <string.h>

static const am_shape SCALAR = {.rank = 0};

static void tensor_shape__counts(void **state)
{
    am_shape shape = am_shape_of(2, 7, 32), empty = am_shape_of(3, 0, 5);
    assert_int_equal(shape.rank, 3);
    assert_int_equal(am_shape_count(&shape), 448);
    assert_int_equal(am_shape_count(&empty), 0);
    assert_int_equal(am_shape_count(&SCALAR), 1);
    assert_int_equal(am_tensor_bytes(AM_F16, &shape), 896);
    assert_int_equal(am_tensor_bytes(AM_F64, &SCALAR), 8);
    assert_int_equal(am_tensor_bytes(AM_F64, &empty), 0);
}

static void tensor_shape__absurd_shapes_are_refused(void **state)
{
    const am_shape fine[] = {SCALAR, am_shape_of(0), am_shape_of(1, 2, 3, 4, 5, 6, 7, 8), am_shape_of(INT64_C(1) << 58),
                             am_shape_of(1 << 29, 1 << 29)};
    const am_shape absurd[] = {am_shape_of(-1),
                               am_shape_of(2, -3),
                               am_shape_of((INT64_C(1) << 58) + 1),
                               am_shape_of(INT64_MAX),
                               am_shape_of(1 << 30, 1 << 29),
                               am_shape_of(INT64_C(1) << 32, INT64_C(1) << 32), /* 2^64 wraps to 0 */
                               am_shape_of(INT64_MAX, 0),
                               am_shape_of(0, INT64_MAX),
                               {.rank = -1},
                               {.rank = AM_RANK_LIMIT + 1}};
    for (size_t i = 0; i < sizeof fine / sizeof *fine; i++) assert_true(am_shape_check(&fine[i]));
    for (size_t i = 0; i < sizeof absurd / sizeof *absurd; i++) assert_false(am_shape_check(&absurd[i]));
}

static void tensor_shape__equality_needs_rank_and_dims(void **state)
{
    am_shape a = am_shape_of(2, 3), b = am_shape_of(2, 3, 1), c = am_shape_of(3, 2), d = am_shape_of(2, 3);
    d.dims[5] = 9; /* beyond the rank */
    assert_false(am_shape_equal(&a, &b));
    assert_false(am_shape_equal(&a, &c));
    assert_true(am_shape_equal(&a, &d));
    assert_true(am_shape_equal(&SCALAR, &SCALAR));
}

static void expect_strides(const int64_t *found, int count, const int64_t *expected)
{
    for (int i = 0; i < count; i++) assert_int_equal(found[i], expected[i]);
}

static void tensor_shape__strides_are_row_major(void **state)
{
    int64_t strides[AM_RANK_LIMIT];
    am_shape shape = am_shape_of(2, 3, 4);
    am_shape_strides(&shape, strides);
    expect_strides(strides, 3, (int64_t[]){12, 4, 1});
    am_shape_strides(&SCALAR, strides);
}

/* What numpy.broadcast_shapes says. */
static void tensor_shape__broadcasts_as_numpy_does(void **state)
{
    static const struct {
        am_shape a, b, expected;
        bool fits;
    } cases[] = {
        {{2, {3, 4}}, {1, {4}}, {2, {3, 4}}, true},     {{2, {3, 1}}, {2, {1, 4}}, {2, {3, 4}}, true},
        {{0, {0}}, {2, {5, 6}}, {2, {5, 6}}, true},     {{4, {8, 1, 6, 1}}, {3, {7, 1, 5}}, {4, {8, 7, 6, 5}}, true},
        {{2, {3, 0}}, {2, {1, 1}}, {2, {3, 0}}, true},  {{1, {0}}, {1, {1}}, {1, {0}}, true},
        {{1, {0}}, {1, {2}}, {0, {0}}, false},          {{1, {3}}, {1, {4}}, {0, {0}}, false},
        {{2, {2, 1}}, {3, {8, 4, 3}}, {0, {0}}, false}, {{0, {0}}, {0, {0}}, {0, {0}}, true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        am_shape out = am_shape_of(77), swapped;
        assert_int_equal(am_shape_broadcast(&cases[i].a, &cases[i].b, &out), cases[i].fits);
        assert_int_equal(am_shape_broadcast(&cases[i].b, &cases[i].a, &swapped), cases[i].fits);
        if (!cases[i].fits) continue;
        assert_true(am_shape_equal(&out, &cases[i].expected));
        assert_true(am_shape_equal(&swapped, &cases[i].expected));
    }
}

static void tensor_shape__broadcast_strides_repeat_with_zero(void **state)
{
    int64_t strides[AM_RANK_LIMIT];
    am_shape shape = am_shape_of(3, 1, 5), to = am_shape_of(2, 3, 4, 5);
    am_shape_broadcast_strides(&shape, &to, strides);
    expect_strides(strides, 4, (int64_t[]){0, 5, 0, 1});
    am_shape_broadcast_strides(&SCALAR, &to, strides);
    expect_strides(strides, 4, (int64_t[]){0, 0, 0, 0});
    am_shape_broadcast_strides(&to, &to, strides);
    expect_strides(strides, 4, (int64_t[]){60, 20, 5, 1});
}

static void tensor_shape__axes_may_count_from_the_end(void **state)
{
    am_shape shape = am_shape_of(2, 3, 4);
    assert_int_equal(am_shape_axis(&shape, 0), 0);
    assert_int_equal(am_shape_axis(&shape, 2), 2);
    assert_int_equal(am_shape_axis(&shape, -1), 2);
    assert_int_equal(am_shape_axis(&shape, -3), 0);
    assert_int_equal(am_shape_axis(&shape, 3), -1);
    assert_int_equal(am_shape_axis(&shape, -4), -1);
    assert_int_equal(am_shape_axis(&shape, INT64_MIN), -1);
    assert_int_equal(am_shape_axis(&shape, INT64_MAX), -1);
    assert_int_equal(am_shape_axis(&SCALAR, 0), -1);
}

static void tensor_shape__text(void **state)
{
    char text[AM_SHAPE_TEXT];
    am_shape shape = am_shape_of(2, 7, 32), longest = {.rank = AM_RANK_LIMIT};
    assert_string_equal(am_shape_text(&shape, text), "[2, 7, 32]");
    assert_string_equal(am_shape_text(&SCALAR, text), "[]");
    for (int i = 0; i < AM_RANK_LIMIT; i++) longest.dims[i] = INT64_MIN;
    assert_int_equal(strlen(am_shape_text(&longest, text)), 8 * 20 + 7 * 2 + 2);
}

static void tensor_shape__no_more_dimensions_than_the_limit_are_kept(void **state)
{
    int64_t dims[AM_RANK_LIMIT + 2] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10};
    am_shape shape = am_shape_make(AM_RANK_LIMIT + 2, dims);
    assert_false(am_shape_check(&shape));
    assert_int_equal(shape.dims[AM_RANK_LIMIT - 1], 8);
}
