#include "graph/ops/check.h"

static am_status infer(am_infer *c)
{
    char text[3][AM_SHAPE_TEXT];
    am_shape shape;
    AM_TRY(am_check_dtype(c, 0, AM_BOOL));
    AM_TRY(am_check_dtype(c, 2, c->inputs[1]->dtype));
    if (!am_shape_broadcast(&c->inputs[1]->shape, &c->inputs[2]->shape, &shape) ||
        !am_shape_broadcast(&shape, &c->inputs[0]->shape, &shape))
        return am_error(AM_INVALID_ARGUMENT, "shapes %s, %s and %s do not fit",
                        am_shape_text(&c->inputs[0]->shape, text[0]), am_shape_text(&c->inputs[1]->shape, text[1]),
                        am_shape_text(&c->inputs[2]->shape, text[2]));
    return am_infer_one(c, c->inputs[1]->dtype, &shape);
}

am_value am_select(am_builder *b, am_value condition, am_value x, am_value y)
{
    return am_add_node(b, AM_OP_SELECT, (am_value[]){condition, x, y}, 3, NULL, NULL);
}

const am_op am_op_select = {
    .name = "select",
    .summary = "condition ? x : y for every element, all three broadcast.",
    .min_inputs = 3,
    .max_inputs = 3,
    .infer = infer,
};
