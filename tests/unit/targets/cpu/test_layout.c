/* Chains of convolutions and pools, which a program computes with channels last, beside the kernels that define the
 * ops. */
#include "check.h"
#include "programs.h"

#include "base/prng.h"
#include "base/threads.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A convolution of `out` channels with sizes of its own. */
static am_value convolve(am_builder *b, am_value x, am_shape weight, bool bias, const am_convolution_attributes *a)
{
    return am_convolution(b, x, program_numbers(b, weight, -0.3, 0.3),
                          bias ? program_numbers(b, am_shape_of(weight.dims[0]), -1, 1) : AM_NONE, a);
}

static am_value point(am_builder *b, am_value x, int64_t out, int64_t in)
{
    return convolve(b, x, am_shape_of(out, in, 1, 1), true, &(am_convolution_attributes){0});
}

static am_value window(am_builder *b, am_value x, int64_t out, int64_t in, int64_t stride)
{
    am_convolution_attributes a = {
        .stride = am_shape_of(stride, stride), .padding_before = am_shape_of(1, 1), .padding_after = am_shape_of(1, 1)};
    return convolve(b, x, am_shape_of(out, in, 3, 3), false, &a);
}

static am_value batch_norm(am_builder *b, am_value x, int64_t channels)
{
    am_shape shape = am_shape_of(channels);
    return am_norm_op(b, x, program_numbers(b, shape, 0.5, 1.5), program_numbers(b, shape, -1, 1),
                      program_numbers(b, shape, -0.5, 0.5), program_numbers(b, shape, 0.5, 2),
                      &(am_norm_attributes){.kind = AM_NORM_BATCH, .eps = 1e-5});
}

/* --- graphs --- */

static void residual_blocks(am_builder *b, am_value x)
{
    am_value y = am_unary(b, AM_RELU, batch_norm(b, window(b, x, 40, 3, 2), 40));
    y = am_pool(b, y,
                &(am_pool_attributes){.fn = AM_POOL_MAX,
                                      .kernel = am_shape_of(3, 3),
                                      .stride = am_shape_of(2, 2),
                                      .padding_before = am_shape_of(1, 1),
                                      .padding_after = am_shape_of(1, 1)});
    for (int i = 0; i < 2; i++) {
        am_value inner = am_unary(b, AM_RELU, batch_norm(b, point(b, y, 17, i ? 100 : 40), 17));
        inner = am_unary(b, AM_GELU, batch_norm(b, window(b, inner, 17, 17, 1), 17));
        inner = batch_norm(b, point(b, inner, 100, 17), 100);
        am_value shortcut = i ? y : batch_norm(b, point(b, y, 100, 40), 100);
        y = am_unary(b, AM_RELU, am_add(b, inner, shortcut));
    }
    am_output(b, "last", y);
    am_output(b, "pooled", am_pool(b, y, &(am_pool_attributes){.fn = AM_POOL_AVERAGE, .adaptive = am_shape_of(1, 1)}));
}

/* Windows that overlap, leave places out, are dilated or reach over the edge; rows of many channels, of which a window
   is longer than what is taken at once. */
static void maxima(am_builder *b, am_value x)
{
    const am_pool_attributes ways[] = {
        {.kernel = am_shape_of(2, 5), .stride = am_shape_of(1, 1), .padding_before = am_shape_of(1, 2)},
        {.kernel = am_shape_of(1, 2), .stride = am_shape_of(2, 5), .ceil_mode = true},
        {.kernel = am_shape_of(3, 3),
         .stride = am_shape_of(2, 3),
         .dilation = am_shape_of(2, 4),
         .padding_before = am_shape_of(1, 1),
         .padding_after = am_shape_of(1, 1)},
        {.adaptive = am_shape_of(3, 7)},
    };
    am_value few = am_unary(b, AM_RELU, point(b, x, 70, 3)), many = am_unary(b, AM_RELU, point(b, x, 1500, 3));
    for (int i = 0; i < 4; i++) {
        am_output(b, am_test_format("few%d", i), point(b, am_pool(b, few, &ways[i]), 5, 70));
        am_output(b, am_test_format("many%d", i), point(b, am_pool(b, many, &ways[i]), 5, 1500));
    }
}

static void strides_and_groups(am_builder *b, am_value x)
{
    am_convolution_attributes a = {.stride = am_shape_of(2, 1),
                                   .dilation = am_shape_of(1, 2),
                                   .padding_before = am_shape_of(0, 3),
                                   .padding_after = am_shape_of(2, 1),
                                   .groups = 2};
    am_value y = convolve(b, x, am_shape_of(12, 3, 5, 5), true, &a);
    y = am_unary(b, AM_SILU, y);
    y = am_unary(b, AM_RELU,
                 am_unary(b, AM_TANH,
                          convolve(b, y, am_shape_of(50, 6, 3, 2), true, &(am_convolution_attributes){.groups = 2})));
    y = convolve(b, y, am_shape_of(130, 50, 1, 1), false,
                 &(am_convolution_attributes){.stride = am_shape_of(2, 3), .padding_after = am_shape_of(1, 0)});
    am_value z = am_pool(b, y,
                         &(am_pool_attributes){.fn = AM_POOL_AVERAGE,
                                               .kernel = am_shape_of(2, 3),
                                               .padding_before = am_shape_of(1, 1),
                                               .padding_after = am_shape_of(1, 1),
                                               .count_padding = true});
    am_output(b, "point", point(b, z, 7, 130));
    am_output(b, "all", am_mul_number(b, y, 2)); /* read in both ways */
}

static void filters_between(am_builder *b, am_value x)
{
    am_value y = am_unary(b, AM_RELU, point(b, x, 70, 6));
    am_value filtered =
        convolve(b, y, am_shape_of(70, 1, 3, 3), true,
                 &(am_convolution_attributes){
                     .padding_before = am_shape_of(1, 1), .padding_after = am_shape_of(1, 1), .groups = 70});
    y = am_add(b, y, point(b, am_unary(b, AM_RELU, batch_norm(b, filtered, 70)), 70, 70));
    filtered = convolve(b, y, am_shape_of(70, 1, 5, 2), false,
                        &(am_convolution_attributes){.stride = am_shape_of(2, 3),
                                                     .dilation = am_shape_of(1, 4),
                                                     .padding_before = am_shape_of(4, 1),
                                                     .padding_after = am_shape_of(0, 5),
                                                     .groups = 70});
    am_output(b, "sum", point(b, filtered, 30, 70));
}

/* As in ConvNeXt: the graph permutes, the program does not. */
static void permuted_between(am_builder *b, am_value x)
{
    const am_convolution_attributes patch = {.stride = am_shape_of(2, 2)};
    const am_convolution_attributes filter = {
        .padding_before = am_shape_of(3, 3), .padding_after = am_shape_of(3, 3), .groups = 40};
    am_value y = convolve(b, x, am_shape_of(40, 6, 2, 2), true, &patch);
    for (int i = 0; i < 3; i++) {
        am_value z = am_permute(b, convolve(b, y, am_shape_of(40, 1, 7, 7), true, &filter), am_shape_of(0, 2, 3, 1));
        z = am_norm_op(b, z, program_numbers(b, am_shape_of(40), 0, 1), program_numbers(b, am_shape_of(40), 0, 1),
                       AM_NONE, AM_NONE, &(am_norm_attributes){.kind = AM_NORM_LAYER, .eps = 1e-6});
        z = am_linear_op(b, z, program_numbers(b, am_shape_of(40, 40), -0.3, 0.3), AM_NONE, AM_NONE,
                         &(am_linear_attributes){.activation = AM_GELU});
        y = am_add(b, y, am_permute(b, z, am_shape_of(0, 3, 1, 2)));
        if (i == 1) am_output(b, "second", am_permute(b, y, am_shape_of(0, 2, 3, 1)));
    }
    am_output(b, "third", y);
    am_output(b, "channels", am_unary(b, AM_RELU, convolve(b, y, am_shape_of(9, 40, 2, 2), false, &patch)));
}

/* Sums whose result takes the place of what is added, and such as must not: of what is multiplied, of what is read
   later or given out, of a second pass, of more than one product. */
static void sums(am_builder *b, am_value x)
{
    am_value y = am_unary(b, AM_RELU, point(b, x, 50, 6));
    for (int i = 0; i < 3; i++)
        y = am_unary(b, AM_RELU,
                     am_add(b, y, batch_norm(b, point(b, am_unary(b, AM_RELU, point(b, y, 30, 50)), 50, 30), 50)));
    y = am_add(b, point(b, y, 50, 50), y);
    am_output(b, "given out", y);
    am_value z = am_add(b, y, point(b, window(b, y, 20, 50, 1), 50, 20));
    am_value later = am_add(b, z, point(b, window(b, z, 20, 50, 1), 50, 20));
    z = am_add(b, z, am_unary(b, AM_GELU, point(b, window(b, later, 20, 50, 1), 50, 20)));
    z = am_add(b, am_unary(b, AM_SILU, point(b, window(b, z, 20, 50, 1), 50, 20)), z);
    am_output(b, "two passes", point(b, z, 9, 50));
    am_value wide = point(b, later, 300, 50);
    wide = am_add(b, wide, point(b, window(b, wide, 300, 300, 1), 300, 300));
    am_output(b, "products", point(b, wide, 9, 300));
}

static void lines(am_builder *b, am_value x)
{
    am_value y = x;
    int64_t in = 1;
    for (int i = 0; i < 4; i++, in = 65)
        y = am_unary(b, AM_GELU,
                     convolve(b, y, am_shape_of(65, in, i ? 3 : 10), i % 2 == 1,
                              &(am_convolution_attributes){.stride = am_shape_of(i < 2 ? 2 : 1)}));
    am_output(b, "y", y);
}

static am_value group_norm(am_builder *b, am_value x, int64_t channels, int groups)
{
    am_shape shape = am_shape_of(channels);
    return am_norm_op(b, x, program_numbers(b, shape, 0.5, 1.5), program_numbers(b, shape, -1, 1), AM_NONE, AM_NONE,
                      &(am_norm_attributes){.kind = AM_NORM_GROUP, .groups = groups, .eps = 1e-5});
}

/* As in wav2vec2: all of it has channels last, what comes from one channel, too, and norms with and without a function.
 */
static void lines_with_norms(am_builder *b, am_value x)
{
    const am_convolution_attributes every_second = {.stride = am_shape_of(2)};
    const am_convolution_attributes padded = {.padding_before = am_shape_of(1), .padding_after = am_shape_of(1)};
    am_value y = convolve(b, x, am_shape_of(70, 1, 10), true, &(am_convolution_attributes){.stride = am_shape_of(5)});
    y = am_unary(b, AM_GELU, group_norm(b, y, 70, 70));
    y = am_unary(b, AM_GELU, convolve(b, y, am_shape_of(36, 70, 3), true, &every_second));
    y = convolve(b, am_unary(b, AM_RELU, y), am_shape_of(40, 36, 2), false, &every_second);
    y = am_unary(b, AM_SILU, batch_norm(b, group_norm(b, y, 40, 4), 40));
    am_value side = convolve(b, y, am_shape_of(40, 40, 3), true, &padded);
    y = am_add(b, convolve(b, y, am_shape_of(40, 40, 3), true, &padded), side);
    am_output(b, "y", y);
}

/* Planes of one channel, whose filters share it. */
static void planes_of_one(am_builder *b, am_value x)
{
    const am_convolution_attributes a = {
        .stride = am_shape_of(2, 2), .padding_before = am_shape_of(1, 1), .padding_after = am_shape_of(1, 1)};
    am_value y = group_norm(b, convolve(b, x, am_shape_of(36, 1, 3, 3), true, &a), 36, 3);
    am_output(b, "filters", convolve(b, x, am_shape_of(19, 1, 3, 3), true, &a));
    am_output(b, "y", point(b, am_unary(b, AM_RELU, y), 8, 36));
}

/* Windows of 3 x 3 as tiles: planes of odd sizes, more input channels than are taken at once, more of results than go
   by together, padding on some sides, sums in place, functions and norms after. */
static void tiles(am_builder *b, am_value x)
{
    const am_convolution_attributes bare = {0},
                                    uneven = {.padding_before = am_shape_of(2, 0), .padding_after = am_shape_of(0, 1)};
    am_value y = am_unary(b, AM_RELU, batch_norm(b, window(b, point(b, x, 34, 3), 70, 34, 1), 70));
    y = am_unary(b, AM_GELU, convolve(b, y, am_shape_of(300, 70, 3, 3), true, &bare));
    y = am_unary(b, AM_SILU, am_unary(b, AM_RELU, convolve(b, y, am_shape_of(36, 300, 3, 3), false, &uneven)));
    for (int i = 0; i < 2; i++) y = am_unary(b, AM_RELU, am_add(b, batch_norm(b, window(b, y, 36, 36, 1), 36), y));
    y = am_add(b, am_unary(b, AM_TANH, window(b, y, 36, 36, 1)), y);
    y = window(b, y, 33, 36, 1);
    am_output(b, "y", point(b, window(b, y, 40, 33, 1), 5, 40));
}

/* The same from planes, to planes, and from and to planes, with what comes after. */
static void tiles_in_planes(am_builder *b, am_value x)
{
    am_value y = am_unary(b, AM_RELU, batch_norm(b, window(b, x, 70, 34, 1), 70));
    const am_convolution_attributes same = {.padding_before = am_shape_of(1, 1), .padding_after = am_shape_of(1, 1)};
    y = convolve(b, y, am_shape_of(34, 70, 3, 3), true, &same);
    y = am_unary(b, AM_RELU, am_add(b, batch_norm(b, y, 34), x));
    am_output(b, "sum", y);
    am_output(b, "function", am_unary(b, AM_GELU, batch_norm(b, window(b, y, 33, 34, 1), 33)));
    am_output(b, "bare", convolve(b, y, am_shape_of(130, 34, 3, 3), true, &(am_convolution_attributes){0}));
    am_output(b, "only sums", window(b, y, 36, 34, 1));
}

/* Arithmetic and functions of single elements, in one pass: with operands that lie so, too, or of one number; and with
   one of the last dimension as the graph says. */
static void chains_between(am_builder *b, am_value x)
{
    am_value y = am_unary(b, AM_RELU, point(b, x, 20, 6));
    am_value z = am_unary(b, AM_TANH, am_mul(b, y, window(b, y, 20, 20, 1)));
    z = am_sub(b, program_numbers(b, am_shape_of(1), 2, 3), am_mul(b, y, z));
    y = point(b, z, 20, 20);
    z = am_mul(b, am_unary(b, AM_TANH, am_mul(b, y, y)), program_numbers(b, am_shape_of(26), 0.5, 1));
    am_output(b, "z", point(b, z, 9, 20));
}

/* Not as tiles: a distance between windows or between their places, groups, few channels, few places. */
static void no_tiles(am_builder *b, am_value x)
{
    const am_convolution_attributes ways[] = {
        {.stride = am_shape_of(1, 2)}, {.dilation = am_shape_of(2, 1)}, {.groups = 2}, {.groups = 1}};
    am_value y = point(b, x, 64, 3);
    for (int i = 0; i < 3; i++) y = convolve(b, y, am_shape_of(64, i == 2 ? 32 : 64, 3, 3), false, &ways[i]);
    y = convolve(b, y, am_shape_of(31, 64, 3, 3), false, &ways[3]);
    y = convolve(b, y, am_shape_of(40, 31, 3, 3), false, &ways[3]);
    y = point(b, am_pool(b, y, &(am_pool_attributes){.fn = AM_POOL_MAX, .adaptive = am_shape_of(7, 5)}), 40, 40);
    am_output(b, "y", point(b, window(b, y, 40, 40, 1), 5, 40));
}

/* --- */

static void expect_close(const am_tensor *expected, const am_tensor *found, const char *what)
{
    const float *e = expected->data, *f = found->data;
    int64_t count = am_shape_count(&expected->shape);
    double square = 0;
    for (int64_t i = 0; i < count; i++) square += (double)e[i] * (double)e[i];
    double allowed = 2e-5 * sqrt(square / (double)count) + 1e-6;
    assert_true(am_shape_equal(&expected->shape, &found->shape));
    for (int64_t i = 0; i < count; i++)
        if (!(fabs((double)e[i] - (double)f[i]) <= allowed))
            fail_msg("%s: element %lld is %.9g, expected %.9g", what, (long long)i, (double)f[i], (double)e[i]);
}

static int steps_with(const am_cpu_program *program, const char *part)
{
    int found = 0;
    for (int i = 0; i < am_cpu_program_step_count(program); i++)
        if (strstr(am_cpu_program_step(program, i).kernel, part)) found++;
    return found;
}

/* Outputs of programs with 1 to 3 threads: near the reference's, and the same bits. */
static void agree_at(const am_graph *g, am_cpu_program *reference, const am_tensor *input,
                     const am_cpu_program_options *options, int with_last, int copies)
{
    am_cpu_program *fast;
    void *alone[8] = {0};
    for (int threads = 1; threads <= 3; threads += options->allows_bf16 ? 2 : 1) {
        am_test_expect_ok(am_threads_set(threads));
        am_test_expect_ok(am_cpu_program_create(g, options, &fast));
        assert_int_equal(steps_with(fast, "channels_last"), with_last);
        assert_int_equal(steps_with(fast, "channels_first"), copies);
        for (int run = 0; run < 2; run++) am_test_expect_ok(am_cpu_program_run(fast, input, NULL));
        for (int i = 0; i < g->output_count; i++) {
            am_tensor expected = am_cpu_program_output(reference, i), found = am_cpu_program_output(fast, i);
            size_t bytes = am_tensor_bytes(found.dtype, &found.shape);
            if (options->allows_bf16) check_near_together(&found, &expected, 0.03, g->outputs[i].name);
            else expect_close(&expected, &found, g->outputs[i].name);
            if (!alone[i]) memcpy(alone[i] = malloc(bytes), found.data, bytes);
            assert_memory_equal(alone[i], found.data, bytes);
        }
        am_cpu_program_destroy(fast);
    }
    for (int i = 0; i < 8; i++) free(alone[i]);
}

/* Outputs of every level, beside the reference's. `with_last`: kernels with channels last; `copies`: of values that are
 * read as the graph says, too. */
static void expect_agreement(void (*build)(am_builder *, am_value), am_shape shape, int with_last, int copies)
{
    am_builder *b;
    am_graph *g;
    am_cpu_program *reference;
    am_test_expect_ok(am_builder_create(&b));
    program_restart();
    build(b, am_graph_input(b, "x", AM_F32, shape));
    am_test_expect_ok(am_builder_finish(b, &g));
    int64_t count = am_shape_count(&shape);
    float *x = malloc((size_t)count * sizeof *x);
    assert_non_null(x);
    for (int64_t i = 0; i < count; i++) x[i] = (float)(2 * am_uniform(99, (uint64_t)i) - 1);
    am_tensor input = {AM_F32, shape, x};
    am_test_expect_ok(am_cpu_program_create(g, &(am_cpu_program_options){.reference_only = true}, &reference));
    am_test_expect_ok(am_cpu_program_run(reference, &input, NULL));
    for (am_isa isa = AM_ISA_SSE2; isa < AM_ISA_COUNT; isa++) {
        if (!check_micro_of(isa)) continue;
        for (int rounds = 0; rounds < 2; rounds++)
            agree_at(g, reference, &input,
                     &(am_cpu_program_options){.isa = isa, .prepare = true, .allows_bf16 = rounds}, with_last, copies);
    }
    am_threads_shutdown();
    am_cpu_program_destroy(reference);
    am_graph_destroy(g);
    am_builder_destroy(b);
    free(x);
}

static void expect_steps(void (*build)(am_builder *, am_value), am_shape shape, bool rounds, const char *part,
                         int count)
{
    am_builder *b;
    am_graph *g;
    am_cpu_program *program;
    am_test_expect_ok(am_builder_create(&b));
    build(b, am_graph_input(b, "x", AM_F32, shape));
    am_test_expect_ok(am_builder_finish(b, &g));
    am_test_expect_ok(
        am_cpu_program_create(g, &(am_cpu_program_options){.prepare = true, .allows_bf16 = rounds}, &program));
    assert_int_equal(steps_with(program, part), count);
    am_cpu_program_destroy(program);
    am_graph_destroy(g);
    am_builder_destroy(b);
}

static void cpu_layout__residual_blocks_have_channels_last(void **state)
{
    (void)state;
    expect_agreement(residual_blocks, am_shape_of(2, 3, 61, 45), 10, 1);
    expect_agreement(residual_blocks, am_shape_of(1, 3, 8, 300), 10, 1);
}

static void cpu_layout__maxima(void **state)
{
    (void)state;
    expect_agreement(maxima, am_shape_of(2, 3, 9, 101), 18, 0);
}

static void cpu_layout__strides_groups_and_averages(void **state)
{
    (void)state;
    expect_agreement(strides_and_groups, am_shape_of(2, 6, 33, 29), 5, 1);
}

static void cpu_layout__channels_filtered_alone(void **state)
{
    (void)state;
    expect_agreement(filters_between, am_shape_of(3, 6, 9, 31), 5, 0);
    expect_agreement(filters_between, am_shape_of(1, 6, 6, 150), 5, 0);
}

static void cpu_layout__permutations_move_nothing(void **state)
{
    (void)state;
    expect_agreement(permuted_between, am_shape_of(2, 6, 20, 26), 5, 1);
}

static void cpu_layout__sums_take_the_place_of_what_is_added(void **state)
{
    (void)state;
    expect_agreement(sums, am_shape_of(2, 6, 9, 14), 20, 1);
    expect_agreement(sums, am_shape_of(1, 6, 7, 7), 20, 1);
}

static void cpu_layout__chains_of_single_elements(void **state)
{
    (void)state;
    expect_agreement(chains_between, am_shape_of(2, 6, 15, 26), 3, 0);
    expect_steps(chains_between, am_shape_of(2, 6, 15, 26), false, "binary", 2);
    expect_steps(chains_between, am_shape_of(2, 6, 15, 26), false, "unary", 0);
}

static void cpu_layout__lines_have_channels_last(void **state)
{
    (void)state;
    expect_agreement(lines, am_shape_of(1, 1, 2000), 4, 0);
    expect_agreement(lines_with_norms, am_shape_of(1, 1, 4000), 8, 0);
    expect_agreement(lines_with_norms, am_shape_of(2, 1, 333), 8, 0);
    expect_agreement(lines_with_norms, am_shape_of(1, 1, 30000), 8, 0);
}

static void cpu_layout__planes_of_one_channel(void **state)
{
    (void)state;
    expect_agreement(planes_of_one, am_shape_of(2, 1, 33, 29), 3, 0);
    expect_agreement(planes_of_one, am_shape_of(1, 1, 80, 700), 3, 0);
}

static void cpu_layout__windows_as_tiles(void **state)
{
    (void)state;
    expect_agreement(tiles, am_shape_of(2, 3, 25, 15), 2, 0);
    expect_agreement(tiles, am_shape_of(1, 3, 8, 43), 2, 0);
    expect_steps(tiles, am_shape_of(2, 3, 25, 15), false, "winograd_f32", 8);
    expect_steps(tiles, am_shape_of(2, 3, 25, 15), true, "winograd_bf16", 7); /* pairs are of even channels */
    expect_agreement(tiles_in_planes, am_shape_of(2, 34, 11, 17), 0, 0);
    expect_agreement(tiles_in_planes, am_shape_of(1, 34, 6, 43), 0, 0);
    expect_steps(tiles_in_planes, am_shape_of(1, 34, 6, 43), false, "winograd_f32", 5);
    expect_steps(tiles_in_planes, am_shape_of(1, 34, 6, 43), true, "winograd_bf16", 5);
    expect_agreement(no_tiles, am_shape_of(1, 3, 25, 23), 10, 0);
    expect_steps(no_tiles, am_shape_of(1, 3, 25, 23), false, "winograd", 0);
}
