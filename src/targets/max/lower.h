/* Lowering of a graph's nodes to MAX's operations: a table of rows in each lower_*.c. */
#ifndef AM_TARGETS_MAX_LOWER_H
#define AM_TARGETS_MAX_LOWER_H

#include "targets/max/mlir.h"
#include "targets/common/nodes.h"
#include "targets/target.h"

typedef struct am_mx_lowering {
    am_op_kind op;
    bool (*supports)(const am_graph *graph, const am_node *node, am_reason *why); /* null: whenever dtypes fit */
    void (*lower)(am_mlir *m, const am_node *node, am_mx_value *outputs);
} am_mx_lowering;

/* Tables of the files lower_*.c, each ended by a row without a `lower`. */
extern const am_mx_lowering am_mx_movement[], am_mx_pointwise[], am_mx_axis[], am_mx_products[], am_mx_windows[],
    am_mx_indexing[];

/* Whether MAX computes the node, and computes it right; see am_target.supports. */
bool am_mx_supports(const am_graph *graph, const am_node *node, am_reason *why);

/* The whole text of the graph. Arguments are the graph's inputs and then its states; results its outputs and then those
   updated states that are not written in place (m->places). What the text needs beside is in m until am_mx_deinit. */
am_status am_mx_lower(am_mlir *m, const am_graph *graph, am_buffer *out) AM_NODISCARD;

/* Changes whenever the text of some graph changes its meaning: compiled graphs are kept under it. */
enum { AM_MX_VERSION = 1 };

/* --- for the tables --- */

#define AM_MX_ATTRIBUTES(type) const type *a = node->attributes

/* Input i of the node, narrow weights widened to F32. */
am_mx_value am_mx_input(am_mlir *m, const am_node *node, int i);

/* Whether there is fn of F32; and fn(x). */
bool am_mx_has_function(int fn);
am_mx_value am_mx_function(am_mlir *m, int fn, am_mx_value x);

/* The larger, or smaller, of two; NaN wins, which MAX drops. */
am_mx_value am_mx_extreme(am_mlir *m, bool largest, am_mx_value x, am_mx_value y);

/* Whether x is not 0; NaN is not, though MAX's own not_equal says that NaN equals everything. */
am_mx_value am_mx_truth(am_mlir *m, am_mx_value x);

/* x <op> number. */
am_mx_value am_mx_with_number(am_mlir *m, const char *form, am_mx_value x, double number);

/* " [axis = N]". */
typedef struct am_mx_text {
    char text[96];
} am_mx_text;
am_mx_text am_mx_format(const char *format, ...) AM_PRINTF(1, 2);

/* --- states --- */

/* Finds states that one scatter writes at an offset that is an input: m->places. */
am_status am_mx_find_places(am_mlir *m) AM_NODISCARD;

/* The place that this scatter writes; null where it is an ordinary one. */
const am_mx_place *am_mx_place_of(const am_mlir *m, const am_node *node);

/* The scatter by a store into the buffer, and what it holds then. */
am_mx_value am_mx_store_place(am_mlir *m, const am_mx_place *place, const am_node *node);

#endif
