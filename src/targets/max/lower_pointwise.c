#include "graph/ops.h"
#include "targets/max/lower.h"

/* --- unary --- */

typedef am_mx_value (*compose)(am_mlir *m, am_mx_value x);

static am_mx_value number(am_mlir *m, double value)
{
    return am_mx_scalar(m, AM_F32, value);
}

static am_mx_value add(am_mlir *m, am_mx_value x, am_mx_value y)
{
    return am_mx_binary(m, "rmo.add", x, y);
}

static am_mx_value sub(am_mlir *m, am_mx_value x, am_mx_value y)
{
    return am_mx_binary(m, "rmo.sub", x, y);
}

static am_mx_value mul(am_mlir *m, am_mx_value x, am_mx_value y)
{
    return am_mx_binary(m, "rmo.mul", x, y);
}

static am_mx_value divide(am_mlir *m, am_mx_value x, am_mx_value y)
{
    return am_mx_binary(m, "rmo.div", x, y);
}

static am_mx_value is_above(am_mlir *m, am_mx_value x, double bound)
{
    return am_mx_compare(m, "rmo.greater", x, am_mx_scalar(m, x.dtype, bound));
}

static am_mx_value is_below(am_mlir *m, am_mx_value x, double bound)
{
    return am_mx_compare(m, "rmo.greater", am_mx_scalar(m, x.dtype, bound), x);
}

static am_mx_value sign(am_mlir *m, am_mx_value x)
{
    am_mx_value one = am_mx_scalar(m, x.dtype, 1), minus = am_mx_scalar(m, x.dtype, -1);
    return am_mx_select(m, is_above(m, x, 0), one, am_mx_select(m, is_below(m, x, 0), minus, x));
}

static am_mx_value reciprocal(am_mlir *m, am_mx_value x)
{
    return divide(m, number(m, 1), x);
}

static am_mx_value square(am_mlir *m, am_mx_value x)
{
    return mul(m, x, x);
}

/* 2 t / (1 - t) with t = tanh(x / 2) keeps what exp(x) - 1 loses near 0; far out exp(x) - 1 is exact. */
static am_mx_value expm1_value(am_mlir *m, am_mx_value x)
{
    am_mx_value t = am_mx_unary(m, "rmo.mo.tanh", mul(m, x, number(m, 0.5)));
    am_mx_value near = divide(m, add(m, t, t), sub(m, number(m, 1), t));
    am_mx_value far = sub(m, am_mx_unary(m, "rmo.mo.exp", x), number(m, 1));
    return am_mx_select(m, is_above(m, am_mx_unary(m, "rmo.mo.abs", x), 1), far, near);
}

static am_mx_value tan_value(am_mlir *m, am_mx_value x)
{
    return divide(m, am_mx_unary(m, "rmo.mo.sin", x), am_mx_unary(m, "rmo.mo.cos", x));
}

/* max(x, 0) + log1p(exp(-|x|)) */
static am_mx_value softplus(am_mlir *m, am_mx_value x)
{
    am_mx_value tail = am_mx_unary(m, "rmo.mo.negative", am_mx_unary(m, "rmo.mo.abs", x));
    tail = am_mx_unary(m, "rmo.mo.log1p", am_mx_unary(m, "rmo.mo.exp", tail));
    return add(m, am_mx_unary(m, "rmo.mo.relu", x), tail);
}

static am_mx_value log_sigmoid(am_mlir *m, am_mx_value x)
{
    return am_mx_unary(m, "rmo.mo.negative", softplus(m, am_mx_unary(m, "rmo.mo.negative", x)));
}

static am_mx_value relu(am_mlir *m, am_mx_value x)
{
    return am_mx_select(m, is_below(m, x, 0), am_mx_scalar(m, x.dtype, 0), x);
}

static am_mx_value relu6(am_mlir *m, am_mx_value x)
{
    return am_mx_select(m, is_above(m, x, 6), number(m, 6), relu(m, x));
}

static am_mx_value relu2(am_mlir *m, am_mx_value x)
{
    return square(m, relu(m, x));
}

static am_mx_value quick_gelu(am_mlir *m, am_mx_value x)
{
    return mul(m, x, am_mx_unary(m, "rmo.mo.sigmoid", mul(m, x, number(m, 1.702))));
}

static am_mx_value mish(am_mlir *m, am_mx_value x)
{
    return mul(m, x, am_mx_unary(m, "rmo.mo.tanh", softplus(m, x)));
}

static am_mx_value hard_sigmoid(am_mlir *m, am_mx_value x)
{
    am_mx_value y = add(m, divide(m, x, number(m, 6)), number(m, 0.5));
    y = am_mx_select(m, is_below(m, x, -3), number(m, 0), y);
    return am_mx_select(m, is_above(m, x, 3), number(m, 1), y);
}

static am_mx_value hard_swish(am_mlir *m, am_mx_value x)
{
    am_mx_value y = divide(m, mul(m, x, add(m, x, number(m, 3))), number(m, 6));
    y = am_mx_select(m, is_below(m, x, -3), number(m, 0), y);
    return am_mx_select(m, is_above(m, x, 3), x, y);
}

static am_mx_value elu(am_mlir *m, am_mx_value x)
{
    return am_mx_select(m, is_above(m, x, 0), x, expm1_value(m, x));
}

static am_mx_value test(am_mlir *m, const char *form, am_mx_value x)
{
    return am_mx_add1(m, form, "", x, AM_BOOL, x.shape);
}

static am_mx_value logical_not(am_mlir *m, am_mx_value x)
{
    if (x.dtype == AM_BOOL) return am_mx_unary(m, "rmo.mo.not", x);
    return am_mx_compare(m, "rmo.equal", x, am_mx_scalar(m, x.dtype, 0));
}

static am_mx_value is_nan(am_mlir *m, am_mx_value x)
{
    return test(m, "rmo.mo.is_nan", x);
}

static am_mx_value is_inf(am_mlir *m, am_mx_value x)
{
    return test(m, "rmo.mo.is_inf", x);
}

static am_mx_value identity(am_mlir *m, am_mx_value x)
{
    (void)m;
    return x;
}

/* An operation of MAX's, or a function that composes several. */
static const struct unary_row {
    int fn;
    const char *form;
    compose compose;
    bool integers;  /* takes I32 too */
    bool loses_nan; /* MAX gives a number where x is none */
} unary_rows[] = {
    {AM_IDENTITY, NULL, identity, true, false},
    {AM_ABS, "rmo.mo.abs", NULL, true, false},
    {AM_NEG, "rmo.mo.negative", NULL, true, false},
    {AM_SIGN, NULL, sign, true, false},
    {AM_RECIPROCAL, NULL, reciprocal, false, false},
    {AM_SQUARE, NULL, square, true, false},
    {AM_SQRT, "rmo.mo.sqrt", NULL, false, false},
    {AM_RSQRT, "rmo.mo.rsqrt", NULL, false, false},
    {AM_EXP, "rmo.mo.exp", NULL, false, true},
    {AM_EXPM1, NULL, expm1_value, false, true},
    {AM_LOG, "rmo.mo.log", NULL, false, false},
    {AM_LOG1P, "rmo.mo.log1p", NULL, false, false},
    {AM_SIN, "rmo.mo.sin", NULL, false, false},
    {AM_COS, "rmo.mo.cos", NULL, false, false},
    {AM_TAN, NULL, tan_value, false, false},
    {AM_TANH, "rmo.mo.tanh", NULL, false, true},
    {AM_ATANH, "rmo.mo.atanh", NULL, false, false},
    {AM_ERF, "rmo.mo.erf", NULL, false, false},
    {AM_FLOOR, "rmo.mo.floor", NULL, false, false},
    {AM_CEIL, "rmo.mo.ceil", NULL, false, false},
    {AM_ROUND, "rmo.mo.round", NULL, false, false},
    {AM_TRUNC, "rmo.mo.trunc", NULL, false, false},
    {AM_SIGMOID, "rmo.mo.sigmoid", NULL, false, true},
    {AM_LOG_SIGMOID, NULL, log_sigmoid, false, true},
    {AM_SOFTPLUS, NULL, softplus, false, true},
    {AM_RELU, NULL, relu, true, false},
    {AM_RELU6, NULL, relu6, false, false},
    {AM_RELU2, NULL, relu2, false, false},
    {AM_GELU, "rmo.mo.gelu", NULL, false, false},
    {AM_GELU_TANH, "rmo.mo.gelu_tanh", NULL, false, false},
    {AM_QUICK_GELU, NULL, quick_gelu, false, false},
    {AM_SILU, "rmo.mo.silu", NULL, false, false},
    {AM_MISH, NULL, mish, false, false},
    {AM_HARD_SIGMOID, NULL, hard_sigmoid, false, false},
    {AM_HARD_SWISH, NULL, hard_swish, false, false},
    {AM_ELU, NULL, elu, false, true},
    {AM_LOGICAL_NOT, NULL, logical_not, true, false},
    {AM_IS_NAN, NULL, is_nan, false, false},
    {AM_IS_INF, NULL, is_inf, false, false},
};

static const struct unary_row *find_unary(int fn)
{
    for (size_t i = 0; i < sizeof unary_rows / sizeof unary_rows[0]; i++)
        if (unary_rows[i].fn == fn) return &unary_rows[i];
    return NULL;
}

bool am_mx_has_function(int fn)
{
    return find_unary(fn) != NULL;
}

am_mx_value am_mx_function(am_mlir *m, int fn, am_mx_value x)
{
    const struct unary_row *row = find_unary(fn);
    am_mx_value y = row->compose ? row->compose(m, x) : am_mx_unary(m, row->form, x);
    return row->loses_nan ? am_mx_select(m, is_nan(m, x), x, y) : y;
}

static bool supports_unary(const am_graph *graph, const am_node *node, am_reason *why)
{
    AM_MX_ATTRIBUTES(am_unary_attributes);
    am_dtype dtype = am_node_in(graph, node, 0)->dtype;
    const struct unary_row *row = find_unary(a->fn);
    bool wide = a->fn == AM_SIN || a->fn == AM_COS || a->fn == AM_NEG || a->fn == AM_IDENTITY;
    if (row && (dtype == AM_F32 || (dtype == AM_F64 ? wide : row->integers))) return true;
    return am_reason_no(why, "max has no %s of %s", am_unary_names[a->fn], am_dtype_name(dtype));
}

static void lower_unary(am_mlir *m, const am_node *node, am_mx_value *y)
{
    AM_MX_ATTRIBUTES(am_unary_attributes);
    y[0] = am_mx_function(m, a->fn, am_mx_input(m, node, 0));
}

/* --- binary --- */

am_mx_value am_mx_extreme(am_mlir *m, bool largest, am_mx_value x, am_mx_value y)
{
    am_mx_value z = am_mx_binary(m, largest ? "rmo.max" : "rmo.min", x, y);
    if (x.dtype != AM_F32) return z;
    return am_mx_select(m, is_nan(m, x), x, am_mx_select(m, is_nan(m, y), y, z));
}

static const struct binary_row {
    int fn;
    const char *form;
    bool compares, swapped;
} binary_rows[] = {
    {AM_ADD, "rmo.add", false, false},        {AM_SUB, "rmo.sub", false, false},
    {AM_MUL, "rmo.mul", false, false},        {AM_DIV, "rmo.div", false, false},
    {AM_MOD, "rmo.mod", false, false},        {AM_POW, "rmo.pow", false, false},
    {AM_MIN, "rmo.min", false, false},        {AM_MAX, "rmo.max", false, false},
    {AM_EQUAL, "rmo.equal", true, false},     {AM_NOT_EQUAL, "rmo.not_equal", true, false},
    {AM_LESS, "rmo.greater", true, true},     {AM_LESS_EQUAL, "rmo.greater_equal", true, true},
    {AM_GREATER, "rmo.greater", true, false}, {AM_GREATER_EQUAL, "rmo.greater_equal", true, false},
    {AM_LOGICAL_AND, "rmo.and", true, false}, {AM_LOGICAL_OR, "rmo.or", true, false},
    {AM_LOGICAL_XOR, "rmo.xor", true, false}, {AM_BIT_AND, "rmo.and", false, false},
    {AM_BIT_OR, "rmo.or", false, false},      {AM_BIT_XOR, "rmo.xor", false, false},
};

static const struct binary_row *find_binary(int fn)
{
    for (size_t i = 0; i < sizeof binary_rows / sizeof binary_rows[0]; i++)
        if (binary_rows[i].fn == fn) return &binary_rows[i];
    return NULL;
}

static bool is_logical(int fn)
{
    return fn == AM_LOGICAL_AND || fn == AM_LOGICAL_OR || fn == AM_LOGICAL_XOR;
}

static bool is_bitwise(int fn)
{
    return fn == AM_BIT_AND || fn == AM_BIT_OR || fn == AM_BIT_XOR;
}

/* Whether no element of the divisor, a constant, is 0: what our ops make of a division by 0 is not MAX's. */
static bool divides_safely(const am_graph *graph, const am_node *node)
{
    const am_node *from = am_graph_producer(graph, node->inputs[1]);
    if (from->op != AM_OP_CONSTANT) return false;
    const am_constant_attributes *c = from->attributes;
    for (int64_t i = 0, count = am_shape_count(&c->shape); i < count; i++)
        if (am_load_int(c->dtype, c->data, i) == 0) return false;
    return true;
}

static bool supports_binary(const am_graph *graph, const am_node *node, am_reason *why)
{
    AM_MX_ATTRIBUTES(am_binary_attributes);
    am_dtype dtype = am_node_in(graph, node, 0)->dtype;
    if (a->fn == AM_POW) return am_reason_no(why, "max's pow loses NaN and infinities");
    if (!find_binary(a->fn)) return am_reason_no(why, "max has no %s", am_binary_names[a->fn]);
    if (is_bitwise(a->fn) && dtype != AM_BOOL)
        return am_reason_no(why, "max has no %s of integers", am_binary_names[a->fn]);
    if (dtype == AM_F64 && a->fn > AM_DIV) return am_reason_no(why, "max has no %s of f64", am_binary_names[a->fn]);
    if (dtype == AM_F32 && a->fn == AM_MOD) return am_reason_no(why, "max's remainder of reals is inexact");
    if (dtype != AM_I32) return true;
    if ((a->fn == AM_DIV || a->fn == AM_MOD) && !divides_safely(graph, node))
        return am_reason_no(why, "an integer divisor that may be 0");
    return true;
}

/* The quotient rounded down: MAX's own truncates. */
static am_mx_value floor_div(am_mlir *m, am_mx_value x, am_mx_value y)
{
    am_mx_value quotient = divide(m, x, y), rest = sub(m, x, mul(m, quotient, y));
    am_mx_value differs = am_mx_binary(m, "rmo.xor", is_below(m, rest, 0), is_below(m, y, 0));
    am_mx_value inexact = am_mx_compare(m, "rmo.not_equal", rest, am_mx_scalar(m, rest.dtype, 0));
    am_mx_value down = am_mx_binary(m, "rmo.and", inexact, differs);
    return sub(m, quotient, am_mx_cast(m, down, x.dtype));
}

am_mx_value am_mx_truth(am_mlir *m, am_mx_value x)
{
    return x.dtype == AM_BOOL ? x : am_mx_unary(m, "rmo.mo.not", logical_not(m, x));
}

static void lower_binary(am_mlir *m, const am_node *node, am_mx_value *out)
{
    AM_MX_ATTRIBUTES(am_binary_attributes);
    const struct binary_row *row = find_binary(a->fn);
    am_mx_value x = am_mx_input(m, node, 0), y = am_mx_input(m, node, 1);
    bool integers = x.dtype == AM_I32;
    if (is_logical(a->fn)) x = am_mx_truth(m, x), y = am_mx_truth(m, y);
    else if (row->compares && x.dtype == AM_BOOL) x = am_mx_cast(m, x, AM_I32), y = am_mx_cast(m, y, AM_I32);
    if (a->fn == AM_MIN || a->fn == AM_MAX) out[0] = am_mx_extreme(m, a->fn == AM_MAX, x, y);
    else if (a->fn == AM_NOT_EQUAL) out[0] = am_mx_unary(m, "rmo.mo.not", am_mx_compare(m, "rmo.equal", x, y));
    else if (a->fn == AM_DIV && integers) out[0] = floor_div(m, x, y);
    else if (a->fn == AM_MOD && integers) out[0] = sub(m, x, mul(m, floor_div(m, x, y), y));
    else if (row->swapped) out[0] = am_mx_compare(m, row->form, y, x);
    else out[0] = (row->compares ? am_mx_compare : am_mx_binary)(m, row->form, x, y);
}

static void lower_select(am_mlir *m, const am_node *node, am_mx_value *y)
{
    y[0] = am_mx_select(m, am_mx_input(m, node, 0), am_mx_input(m, node, 1), am_mx_input(m, node, 2));
}

const am_mx_lowering am_mx_pointwise[] = {
    {AM_OP_UNARY, supports_unary, lower_unary},
    {AM_OP_BINARY, supports_binary, lower_binary},
    {AM_OP_SELECT, NULL, lower_select},
    {AM_OP_COUNT, NULL, NULL},
};
