/* The same nodes on another target than the cpu: with ANYMODEL_TEST_TARGET=NAME set, every node that the tests of ops
   compare is run there too, and what came out is written to ANYMODEL_TEST_REPORT, a line a node:
       op <tab> native, elsewhere or wrong <tab> why <tab> the node
   tools/target_conformance.py holds that against what the target's folder says. */
#ifndef AM_TESTS_OPS_OP_TARGET_H
#define AM_TESTS_OPS_OP_TARGET_H

#include "op_test.h"

/* Whether a target is to be tested; then only it is. */
bool op_target_is_wanted(void);

/* Runs the graph of one node there and reports. `expected` are the outputs of the reference. */
void op_target_try(const am_graph *graph, const op_test_node *node, const am_tensor *expected);

#endif
