/* Gated activations whose parts are kept within a limit. */
#ifndef AM_MODELS_BLOCKS_LIMITED_GATES_H
#define AM_MODELS_BLOCKS_LIMITED_GATES_H

#include "models/blocks/layers.h"

/* (up + 1) * gate * sigmoid(alpha * gate), the gate being at most `limit` and up within it on both sides (gpt-oss). */
am_value am_oss_gate(am_builder *b, am_value gate, am_value up, double limit, double alpha);

/* activation(gate) * up, the first being at most `limit` and up within it on both sides; 0: no limit. */
am_value am_limited_gate(am_builder *b, am_unary_fn activation, am_value gate, am_value up, double limit);

/* activation(gate) * up, the gate being at most `limit` before the activation and up within it on both sides; 0: no
 * limit. */
am_value am_gate_of_limited(am_builder *b, am_unary_fn activation, am_value gate, am_value up, double limit);

/* The gated MLP below the scope, `inner` wide; gate_proj of x is at most `limit` before the activation, up_proj within
   it on both sides. */
am_value am_limited_mlp(am_builder *b, am_value x, int64_t inner, am_unary_fn activation, int bias, double limit);

/* x within limit on both sides; 0: x. */
am_value am_within(am_builder *b, am_value x, double limit);

#endif
