#include "op_test.h"

static void ops_expert_routing__agrees_on_large_routers(void **state)
{
    am_expert_routing_attributes a = {.top_k = 8, .normalize = true};
    op_test_compare(AM_OP_EXPERT_ROUTING, &a, OP_INPUTS(OP_F32(5, 128)));
    a = (am_expert_routing_attributes){
        .top_k = 8, .groups = 8, .group_top_k = 4, .sigmoid = true, .normalize = true, .scale = 2.5};
    op_test_compare(AM_OP_EXPERT_ROUTING, &a, OP_INPUTS(OP_F32(5, 64), OP_F32(64)));
    op_test_compare(AM_OP_EXPERT_ROUTING, &a, OP_INPUTS(OP_OF(AM_F64, 5, 64), OP_ABSENT));
    a = (am_expert_routing_attributes){.top_k = 4, .softmax_after = true};
    op_test_compare(AM_OP_EXPERT_ROUTING, &a, OP_INPUTS(OP_OF(AM_F64, 5, 33)));
}

static void ops_expert_routing__prefers_the_lower_of_equals(void **state)
{
    am_value experts;
    am_builder *b = op_test_builder();
    am_value logits = OP_VALUES(b, AM_F32, am_shape_of(1, 4), 1, 1, 1, 1);
    am_expert_routing(b, logits, AM_NONE, &(am_expert_routing_attributes){.top_k = 2}, &experts);
    OP_EXPECT(b, experts, AM_I32, am_shape_of(1, 2), 0, 1);
}

/* minus infinity everywhere leaves no better one */
static void ops_expert_routing__chooses_each_expert_once(void **state)
{
    am_value experts;
    am_builder *b = op_test_builder();
    am_value logits = OP_VALUES(b, AM_F32, am_shape_of(1, 4), -INFINITY, -INFINITY, -INFINITY, 0);
    am_expert_routing(b, logits, AM_NONE, &(am_expert_routing_attributes){.top_k = 4, .softmax_after = true}, &experts);
    OP_EXPECT(b, experts, AM_I32, am_shape_of(1, 4), 3, 0, 1, 2);
}

/* the one group that is kept holds two: the others follow by index */
static void ops_expert_routing__fills_up_beyond_the_groups(void **state)
{
    am_value experts;
    am_builder *b = op_test_builder();
    am_value logits = OP_VALUES(b, AM_F32, am_shape_of(1, 6), 1, 2, 6, 5, 4, 3);
    am_expert_routing_attributes a = {.top_k = 4, .groups = 3, .group_top_k = 1, .sigmoid = true};
    am_expert_routing(b, logits, AM_NONE, &a, &experts);
    OP_EXPECT(b, experts, AM_I32, am_shape_of(1, 4), 2, 3, 0, 1);
    op_test_compare(AM_OP_EXPERT_ROUTING, &a, OP_INPUTS(OP_F32(5, 6), OP_F32(6)));
}

static void ops_expert_routing__refuses_what_does_not_fit(void **state)
{
    am_expert_routing_attributes a = {.top_k = 5};
    op_test_refused(AM_OP_EXPERT_ROUTING, &a, "cannot choose 5 of 4 experts", OP_INPUTS(OP_F32(2, 4)));
    a.top_k = 0;
    op_test_refused(AM_OP_EXPERT_ROUTING, &a, "cannot choose 0", OP_INPUTS(OP_F32(2, 4)));
    a.top_k = 2;
    op_test_refused(AM_OP_EXPERT_ROUTING, &a, "input 1 must have shape [4], found [3]",
                    OP_INPUTS(OP_F32(2, 4), OP_F32(3)));
    op_test_refused(AM_OP_EXPERT_ROUTING, &a, "input 0 must have rank 2", OP_INPUTS(OP_F32(4)));
    a.groups = 3;
    a.group_top_k = 1;
    op_test_refused(AM_OP_EXPERT_ROUTING, &a, "4 experts do not fall into 3 groups of which 1 are taken",
                    OP_INPUTS(OP_F32(2, 4)));
    a.groups = 4;
    op_test_refused(AM_OP_EXPERT_ROUTING, &a, "groups of 1 experts are too small", OP_INPUTS(OP_F32(2, 4)));
    a.groups = -4;
    op_test_refused(AM_OP_EXPERT_ROUTING, &a, "-4 groups", OP_INPUTS(OP_F32(2, 4)));
}
