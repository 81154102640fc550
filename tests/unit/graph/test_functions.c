#include "graph/functions.h"
#include "test_support.h"

#include <math.h>
#include <string.h>

static void expect_activation(const char *name, am_unary_fn expected)
{
    am_unary_fn fn = AM_UNARY_COUNT;
    assert_true(am_activation_from_name(name, strlen(name), &fn));
    assert_int_equal(fn, expected);
}

static void graph_functions__knows_activations_by_the_names_of_configurations(void **state)
{
    expect_activation("gelu", AM_GELU);
    expect_activation("gelu_new", AM_GELU_TANH);
    expect_activation("gelu_pytorch_tanh", AM_GELU_TANH);
    expect_activation("quick_gelu", AM_QUICK_GELU);
    expect_activation("swish", AM_SILU);
    expect_activation("silu", AM_SILU);
    expect_activation("hardswish", AM_HARD_SWISH);
}

static void graph_functions__knows_no_other_activations(void **state)
{
    am_unary_fn fn;
    assert_false(am_activation_from_name("gel", 3, &fn));
    assert_false(am_activation_from_name("gelux", 5, &fn));
    assert_false(am_activation_from_name("", 0, &fn));
    assert_true(am_activation_from_name("gelux", 4, &fn)); /* the name is as long as it is said to be */
}

static void graph_functions__names_every_function(void **state)
{
    for (int i = 0; i < AM_UNARY_COUNT; i++) assert_non_null(am_unary_names[i]);
    for (int i = 0; i < AM_BINARY_COUNT; i++) assert_non_null(am_binary_names[i]);
    for (int i = 0; i < AM_REDUCE_COUNT; i++) assert_non_null(am_reduce_names[i]);
    assert_null(am_unary_names[AM_UNARY_COUNT]);
    assert_null(am_binary_names[AM_BINARY_COUNT]);
    assert_null(am_reduce_names[AM_REDUCE_COUNT]);
    assert_string_equal(am_unary_names[AM_GELU_TANH], "gelu_tanh");
    assert_string_equal(am_binary_names[AM_LOGICAL_XOR], "logical_xor");
    assert_string_equal(am_reduce_names[AM_REDUCE_ALL], "all");
}

static void graph_functions__gives_bool_for_questions(void **state)
{
    am_dtype result;
    assert_true(am_unary_result(AM_IS_NAN, AM_F16, &result) && result == AM_BOOL);
    assert_true(am_unary_result(AM_EXP, AM_F16, &result) && result == AM_F16);
    assert_true(am_binary_result(AM_LESS, AM_I64, &result) && result == AM_BOOL);
    assert_true(am_binary_result(AM_BIT_AND, AM_BOOL, &result) && result == AM_BOOL);
    assert_false(am_binary_result(AM_BIT_AND, AM_F32, &result));
    assert_false(am_unary_result(AM_EXP, AM_I32, &result));
}

static void graph_functions__inverts_the_normal_distribution(void **state)
{
    assert_true(isnan(am_normal_icdf(-0.1)) && isnan(am_normal_icdf(1.1)) && isnan(am_normal_icdf(NAN)));
    assert_true(am_normal_icdf(0) == -INFINITY && am_normal_icdf(1) == INFINITY);
    for (double x = -6; x <= 6; x += 0.25)
        assert_true(fabs(am_normal_icdf(0.5 * erfc(-x / sqrt(2))) - x) < 1e-8 * (1 + exp(x)));
}
