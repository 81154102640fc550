/* Builds a graph. The first error sticks, and everything after it does nothing: callers check once, at
 * am_builder_finish. */
#ifndef AM_GRAPH_BUILDER_H
#define AM_GRAPH_BUILDER_H

#include "graph/graph.h"

/* Finds a weight: fills dtype, shape and data (which outlive the graph) and returns true, or returns false.
 */
typedef bool (*am_weight_lookup)(void *context, const char *name, am_tensor *out);

/* An empty builder; destroyed with am_builder_destroy. Fails with AM_OUT_OF_MEMORY. */
am_status am_builder_create(am_builder **out) AM_NODISCARD;
void am_builder_destroy(am_builder *b); /* also after finish; null is allowed */

/* Gives the graph to the caller, or the first error. Nodes that no output or state needs are dropped. */
am_status am_builder_finish(am_builder *b, am_graph **out) AM_NODISCARD;

/* Whether an error is kept already. */
bool am_builder_failed(const am_builder *b);

/* Keeps an error of the caller's, unless there is one already (then this one is freed). The scope is put
 * before it. */
void am_builder_fail(am_builder *b, am_status status);

/* Where strings and tables of the model's description may live as long as the graph. */
am_arena *am_builder_arena(am_builder *b);

/* --- scopes: the path of weight names and node names --- */

/* am_scope(b, "layers.%d", i) ... am_end_scope(b). */
void am_scope(am_builder *b, const char *format, ...) AM_PRINTF(2, 3);
void am_end_scope(am_builder *b);

/* "layers.0.self_attn" or ""; borrowed until the scope changes. */
const char *am_scope_path(const am_builder *b);

/* --- weights --- */

/* Where am_weight looks; `context` is handed to every call and outlives the builder. */
void am_builder_set_weights(am_builder *b, am_weight_lookup lookup, void *context);

/* The weight "SCOPE.name"; its shape must be `shape` (-1: any size). An error when it is not there. */
am_value am_weight(am_builder *b, const char *name, am_shape shape);

/* The same, or AM_NONE when it is not there. */
am_value am_weight_optional(am_builder *b, const char *name, am_shape shape);

/* The weight "SCOPE.name", a table of integers in its file, as I32. */
am_value am_weight_integers(am_builder *b, const char *name, am_shape shape);

/* Whether the weight "SCOPE.name" is there. */
bool am_has_weight(am_builder *b, const char *name);

/* A weight by its whole name, whatever the scope: for tied weights. Whole names begin where am_weight_root_here was
   called last. */
am_value am_weight_absolute(am_builder *b, const char *name, am_shape shape);

/* From here on whole names begin at the current scope, as those of a model inside another do; gives what
   am_weight_root_restore takes to end this. */
size_t am_weight_root_here(am_builder *b);
void am_weight_root_restore(am_builder *b, size_t root);

/* --- inputs, outputs, states --- */

/* A new graph input. */
am_value am_graph_input(am_builder *b, const char *name, am_dtype dtype, am_shape shape);

/* Says that the input of integers `value` has to hold `wanted` `count` times; nothing where the value is no input. A
   session checks it before each run and names both numbers. `what` is static. */
void am_require_count(am_builder *b, am_value value, int64_t wanted, int64_t count, const char *what);

/* A new state, zero before the first run; `am_state_update` names the value that replaces it after each run.
 */
am_value am_graph_state_input(am_builder *b, const char *name, am_dtype dtype, am_shape shape);
void am_state_update(am_builder *b, am_value state, am_value updated);

/* Names an output; outputs keep the order of these calls. */
void am_output(am_builder *b, const char *name, am_value value);

/* How many outputs are named so far. */
int am_output_count(const am_builder *b);

/* Takes back the outputs from the `first` one on: *out lends them in the arena. Gives how many they are. */
int am_outputs_take(am_builder *b, int first, const am_named_value **out);

/* --- values --- */

am_dtype am_dtype_of(const am_builder *b, am_value v); /* F32 of AM_NONE */

/* Shape of a value; rank 0 of AM_NONE. */
am_shape am_shape_of_value(const am_builder *b, am_value v);

/* Number of dimensions; 0 of AM_NONE. */
int am_rank(const am_builder *b, am_value v);

/* Size along an axis (negative: from the end); 1 of AM_NONE or a wrong axis. */
int64_t am_dim(const am_builder *b, am_value v, int axis);

/* --- for the op files --- */

/* Adds a node: copies attributes, infers shapes; outputs (may be null when there is one) receives all of
 * them. Returns the first. */
am_value am_add_node(am_builder *b, am_op_kind op, const am_value *inputs, int input_count, const void *attributes,
                     am_value *outputs);

/* Adds a copy of another graph's node with other inputs; with `expand`, a composite as its expansion. Outputs
 * receives them. */
void am_copy_node(am_builder *b, const am_graph *graph, const am_node *node, const am_value *inputs, bool expand,
                  am_value *outputs);

/* A new graph in which nodes are what `replace` makes of them, those in bodies of loops included: it either adds nodes
   with `inputs`, which are the node's in the new graph, fills `outputs` and returns true, or returns false, and the
   node is copied. What then nothing needs is dropped. */
typedef bool (*am_replace)(void *context, am_builder *b, const am_graph *graph, const am_node *node,
                           const am_value *inputs, am_value *outputs);
am_status am_graph_rewrite(const am_graph *graph, am_replace replace, void *context, am_graph **out) AM_NODISCARD;

/* A new graph with every composite for which `keep` says no replaced by its expansion (keep null: all are
 * replaced). */
am_status am_graph_expand(const am_graph *graph,
                          bool (*keep)(void *context, const am_graph *graph, const am_node *node), void *context,
                          am_graph **out) AM_NODISCARD;

#endif
