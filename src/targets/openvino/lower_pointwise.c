#include "graph/ops.h"
#include "targets/openvino/lower.h"

/* --- unary --- */

typedef am_ir_value (*compose)(am_ir *ir, am_ir_value x);

static am_ir_value number(am_ir *ir, double value)
{
    return am_ir_scalar(ir, AM_F32, value);
}

static am_ir_value apply(am_ir *ir, const char *type, const char *opset, am_ir_value x)
{
    return am_ir_add1(ir, type, opset, "", x);
}

static am_ir_value choose(am_ir *ir, am_ir_value condition, am_ir_value yes, am_ir_value no)
{
    return am_ir_add(ir, "Select", "opset1", "auto_broadcast=\"numpy\"", (am_ir_value[]){condition, yes, no}, 3, 1);
}

static am_ir_value reciprocal(am_ir *ir, am_ir_value x)
{
    return am_ir_binary(ir, "Divide", "opset1", number(ir, 1), x);
}

static am_ir_value rsqrt(am_ir *ir, am_ir_value x)
{
    return reciprocal(ir, apply(ir, "Sqrt", "opset1", x));
}

/* 2 t / (1 - t) with t = tanh(x / 2) keeps what exp(x) - 1 loses near 0; far out exp(x) - 1 is exact. */
static am_ir_value expm1_value(am_ir *ir, am_ir_value x)
{
    am_ir_value t = apply(ir, "Tanh", "opset1", am_ir_binary(ir, "Multiply", "opset1", x, number(ir, 0.5)));
    am_ir_value near = am_ir_binary(ir, "Divide", "opset1", am_ir_binary(ir, "Add", "opset1", t, t),
                                    am_ir_binary(ir, "Subtract", "opset1", number(ir, 1), t));
    am_ir_value far = am_ir_binary(ir, "Subtract", "opset1", apply(ir, "Exp", "opset1", x), number(ir, 1));
    am_ir_value is_far = am_ir_binary(ir, "Greater", "opset1", apply(ir, "Abs", "opset1", x), number(ir, 1));
    return choose(ir, is_far, far, near);
}

/* log(u) x / (u - 1) with u = 1 + x makes up for what rounding u lost (Kahan). */
static am_ir_value log1p_value(am_ir *ir, am_ir_value x)
{
    am_ir_value one = number(ir, 1), u = am_ir_binary(ir, "Add", "opset1", x, one);
    am_ir_value logarithm = apply(ir, "Log", "opset1", u);
    am_ir_value ratio = am_ir_binary(ir, "Divide", "opset1", x, am_ir_binary(ir, "Subtract", "opset1", u, one));
    am_ir_value near = am_ir_binary(ir, "Multiply", "opset1", logarithm, ratio);
    am_ir_value is_zero = am_ir_binary(ir, "Equal", "opset1", u, one);
    am_ir_value is_far = am_ir_binary(ir, "Greater", "opset1", apply(ir, "Abs", "opset1", x), one);
    return choose(ir, is_zero, x, choose(ir, is_far, logarithm, near));
}

static am_ir_value trunc_value(am_ir *ir, am_ir_value x)
{
    am_ir_value negative = am_ir_binary(ir, "Less", "opset1", x, number(ir, 0));
    return choose(ir, negative, apply(ir, "Ceiling", "opset1", x), apply(ir, "Floor", "opset1", x));
}

static am_ir_value round_value(am_ir *ir, am_ir_value x)
{
    return am_ir_add1(ir, "Round", "opset5", "mode=\"half_to_even\"", x);
}

static am_ir_value log_sigmoid(am_ir *ir, am_ir_value x)
{
    return apply(ir, "Negative", "opset1", apply(ir, "SoftPlus", "opset4", apply(ir, "Negative", "opset1", x)));
}

static am_ir_value relu6(am_ir *ir, am_ir_value x)
{
    return am_ir_add1(ir, "Clamp", "opset1", "min=\"0\" max=\"6\"", x);
}

static am_ir_value relu2(am_ir *ir, am_ir_value x)
{
    am_ir_value y = apply(ir, "Relu", "opset1", x);
    return am_ir_binary(ir, "Multiply", "opset1", y, y);
}

static am_ir_value gelu(am_ir *ir, am_ir_value x)
{
    return am_ir_add1(ir, "Gelu", "opset7", "approximation_mode=\"ERF\"", x);
}

static am_ir_value gelu_tanh(am_ir *ir, am_ir_value x)
{
    return am_ir_add1(ir, "Gelu", "opset7", "approximation_mode=\"TANH\"", x);
}

static am_ir_value quick_gelu(am_ir *ir, am_ir_value x)
{
    am_ir_value gate = apply(ir, "Sigmoid", "opset1", am_ir_binary(ir, "Multiply", "opset1", x, number(ir, 1.702)));
    return am_ir_binary(ir, "Multiply", "opset1", x, gate);
}

static am_ir_value elu(am_ir *ir, am_ir_value x)
{
    return am_ir_add1(ir, "Elu", "opset1", "alpha=\"1\"", x);
}

/* Plain layers, or a function that composes several. */
static const struct unary_row {
    int fn;
    const char *type, *opset;
    compose compose;
    bool integers; /* takes I32 too */
} unary_rows[] = {
    {AM_ABS, "Abs", "opset1", NULL, true},
    {AM_NEG, "Negative", "opset1", NULL, true},
    {AM_SIGN, "Sign", "opset1", NULL, true},
    {AM_RECIPROCAL, NULL, NULL, reciprocal, false},
    {AM_SQRT, "Sqrt", "opset1", NULL, false},
    {AM_RSQRT, NULL, NULL, rsqrt, false},
    {AM_EXP, "Exp", "opset1", NULL, false},
    {AM_EXPM1, NULL, NULL, expm1_value, false},
    {AM_LOG, "Log", "opset1", NULL, false},
    {AM_LOG1P, NULL, NULL, log1p_value, false},
    {AM_SIN, "Sin", "opset1", NULL, false},
    {AM_COS, "Cos", "opset1", NULL, false},
    {AM_TAN, "Tan", "opset1", NULL, false},
    {AM_ASIN, "Asin", "opset1", NULL, false},
    {AM_ACOS, "Acos", "opset1", NULL, false},
    {AM_ATAN, "Atan", "opset1", NULL, false},
    {AM_SINH, "Sinh", "opset1", NULL, false},
    {AM_COSH, "Cosh", "opset1", NULL, false},
    {AM_TANH, "Tanh", "opset1", NULL, false},
    {AM_ASINH, "Asinh", "opset4", NULL, false},
    {AM_ACOSH, "Acosh", "opset4", NULL, false},
    {AM_ATANH, "Atanh", "opset4", NULL, false},
    {AM_ERF, "Erf", "opset1", NULL, false},
    {AM_FLOOR, "Floor", "opset1", NULL, false},
    {AM_CEIL, "Ceiling", "opset1", NULL, false},
    {AM_ROUND, NULL, NULL, round_value, false},
    {AM_TRUNC, NULL, NULL, trunc_value, false},
    {AM_SIGMOID, "Sigmoid", "opset1", NULL, false},
    {AM_LOG_SIGMOID, NULL, NULL, log_sigmoid, false},
    {AM_SOFTPLUS, "SoftPlus", "opset4", NULL, false},
    {AM_RELU, "Relu", "opset1", NULL, true},
    {AM_RELU6, NULL, NULL, relu6, false},
    {AM_RELU2, NULL, NULL, relu2, false},
    {AM_GELU, NULL, NULL, gelu, false},
    {AM_GELU_TANH, NULL, NULL, gelu_tanh, false},
    {AM_QUICK_GELU, NULL, NULL, quick_gelu, false},
    {AM_SILU, "Swish", "opset4", NULL, false},
    {AM_MISH, "Mish", "opset4", NULL, false},
    {AM_HARD_SIGMOID, "HSigmoid", "opset5", NULL, false},
    {AM_HARD_SWISH, "HSwish", "opset4", NULL, false},
    {AM_ELU, NULL, NULL, elu, false},
    {AM_IS_NAN, "IsNaN", "opset10", NULL, false},
    {AM_IS_INF, "IsInf", "opset10", NULL, false},
};

static const struct unary_row *find_unary(int fn)
{
    for (size_t i = 0; i < sizeof unary_rows / sizeof unary_rows[0]; i++)
        if (unary_rows[i].fn == fn) return &unary_rows[i];
    return NULL;
}

am_ir_value am_ov_unary(am_ir *ir, int fn, am_ir_value x, am_dtype dtype)
{
    const struct unary_row *row = find_unary(fn);
    if (fn == AM_IDENTITY) return x;
    if (fn == AM_SQUARE) return am_ir_binary(ir, "Multiply", "opset1", x, x);
    if (fn == AM_LOGICAL_NOT)
        return dtype == AM_BOOL ? apply(ir, "LogicalNot", "opset1", x)
                                : am_ir_binary(ir, "Equal", "opset1", x, am_ir_scalar(ir, dtype, 0));
    return row->compose ? row->compose(ir, x) : apply(ir, row->type, row->opset, x);
}

static bool supports_unary(const am_graph *graph, const am_node *node, am_reason *why)
{
    AM_OV_ATTRIBUTES(am_unary_attributes);
    am_dtype dtype = am_node_in(graph, node, 0)->dtype;
    const struct unary_row *row = find_unary(a->fn);
    if (a->fn == AM_IDENTITY || a->fn == AM_SQUARE || a->fn == AM_LOGICAL_NOT) return true;
    if (row && (dtype == AM_F32 || row->integers)) return true;
    return am_reason_no(why, "openvino has no %s of %s", am_unary_names[a->fn], am_dtype_name(dtype));
}

static am_ir_value lower_unary(am_ir *ir, const am_node *node)
{
    AM_OV_ATTRIBUTES(am_unary_attributes);
    return am_ov_unary(ir, a->fn, am_ov_input(ir, node, 0), am_node_in(ir->graph, node, 0)->dtype);
}

/* --- binary --- */

static const struct binary_row {
    int fn;
    const char *type, *opset;
} binary_rows[] = {
    {AM_ADD, "Add", "opset1"},
    {AM_SUB, "Subtract", "opset1"},
    {AM_MUL, "Multiply", "opset1"},
    {AM_DIV, "Divide", "opset1"},
    {AM_MOD, "FloorMod", "opset1"},
    {AM_POW, "Power", "opset1"},
    {AM_MIN, "Minimum", "opset1"},
    {AM_MAX, "Maximum", "opset1"},
    {AM_EQUAL, "Equal", "opset1"},
    {AM_NOT_EQUAL, "NotEqual", "opset1"},
    {AM_LESS, "Less", "opset1"},
    {AM_LESS_EQUAL, "LessEqual", "opset1"},
    {AM_GREATER, "Greater", "opset1"},
    {AM_GREATER_EQUAL, "GreaterEqual", "opset1"},
    {AM_LOGICAL_AND, "LogicalAnd", "opset1"},
    {AM_LOGICAL_OR, "LogicalOr", "opset1"},
    {AM_LOGICAL_XOR, "LogicalXor", "opset1"},
    {AM_BIT_AND, "BitwiseAnd", "opset13"},
    {AM_BIT_OR, "BitwiseOr", "opset13"},
    {AM_BIT_XOR, "BitwiseXor", "opset13"},
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

/* Whether no element of the divisor, a constant, is 0: what our ops make of a division by 0 is not OpenVINO's. */
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
    AM_OV_ATTRIBUTES(am_binary_attributes);
    am_dtype dtype = am_node_in(graph, node, 0)->dtype;
    if (!find_binary(a->fn)) return am_reason_no(why, "openvino has no %s", am_binary_names[a->fn]);
    if (dtype != AM_I32) return true;
    if (a->fn == AM_POW) return am_reason_no(why, "openvino has no pow of integers");
    if ((a->fn == AM_DIV || a->fn == AM_MOD) && !divides_safely(graph, node))
        return am_reason_no(why, "an integer divisor that may be 0");
    return true;
}

/* The quotient rounded down: OpenVINO's own truncates on the cpu. */
static am_ir_value floor_div(am_ir *ir, am_ir_value x, am_ir_value y)
{
    am_ir_value rest = am_ir_binary(ir, "FloorMod", "opset1", x, y);
    return am_ir_add2(ir, "Divide", "opset1", "auto_broadcast=\"numpy\" m_pythondiv=\"false\"",
                      am_ir_binary(ir, "Subtract", "opset1", x, rest), y);
}

static am_ir_value truth(am_ir *ir, am_ir_value x, am_dtype dtype)
{
    return dtype == AM_BOOL ? x : am_ir_binary(ir, "NotEqual", "opset1", x, am_ir_scalar(ir, dtype, 0));
}

static am_ir_value lower_binary(am_ir *ir, const am_node *node)
{
    AM_OV_ATTRIBUTES(am_binary_attributes);
    am_dtype dtype = am_node_in(ir->graph, node, 0)->dtype;
    const struct binary_row *row = find_binary(a->fn);
    am_ir_value x = am_ov_input(ir, node, 0), y = am_ov_input(ir, node, 1);
    if (a->fn == AM_DIV && dtype == AM_I32) return floor_div(ir, x, y);
    if (is_logical(a->fn)) return am_ir_binary(ir, row->type, row->opset, truth(ir, x, dtype), truth(ir, y, dtype));
    return am_ir_binary(ir, row->type, row->opset, x, y);
}

static am_ir_value lower_select(am_ir *ir, const am_node *node)
{
    return choose(ir, am_ov_input(ir, node, 0), am_ov_input(ir, node, 1), am_ov_input(ir, node, 2));
}

const am_ov_lowering am_ov_pointwise[] = {
    {AM_OP_UNARY, supports_unary, lower_unary},
    {AM_OP_BINARY, supports_binary, lower_binary},
    {AM_OP_SELECT, NULL, lower_select},
    {AM_OP_COUNT, NULL, NULL},
};
