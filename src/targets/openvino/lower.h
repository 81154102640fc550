/* From our nodes to OpenVINO's layers. */
#ifndef AM_TARGETS_OPENVINO_LOWER_H
#define AM_TARGETS_OPENVINO_LOWER_H

#include "targets/common/nodes.h"
#include "targets/openvino/ir.h"
#include "targets/openvino/stages.h"
#include "targets/target.h"

/* What one op becomes. */
typedef struct am_ov_lowering {
    am_op_kind op;
    bool (*supports)(const am_graph *graph, const am_node *node, am_reason *why); /* null: whenever dtypes fit */
    am_ir_value (*lower)(am_ir *ir, const am_node *node); /* its first output; further ones have the next ports */
} am_ov_lowering;

/* Tables of the files lower_*.c, each ended by a row without a `lower`. */
extern const am_ov_lowering am_ov_movement[], am_ov_pointwise[], am_ov_axis[], am_ov_products[], am_ov_windows[],
    am_ov_indexing[];

/* Whether the plug-in computes the node; see am_target.supports. */
bool am_ov_supports(const am_graph *graph, const am_node *node, am_reason *why);

/* Writes the nodes of one stage; parameters are its inputs, results its outputs. */
am_status am_ov_lower(am_ir *ir, const am_graph *graph, const am_ov_stages *stages, int number) AM_NODISCARD;

/* --- for the tables --- */

#define AM_OV_ATTRIBUTES(type) const type *a = node->attributes

/* Input i of the node, narrow weights widened to F32. */
am_ir_value am_ov_input(am_ir *ir, const am_node *node, int i);

/* fn(x) by OpenVINO's layers, x of F32. */
am_ir_value am_ov_unary(am_ir *ir, int fn, am_ir_value x, am_dtype dtype);

/* x in another shape. */
am_ir_value am_ov_reshape(am_ir *ir, am_ir_value x, const am_shape *shape);

#endif
