/* What the ops' `infer` functions share. */
#ifndef AM_GRAPH_OPS_CHECK_H
#define AM_GRAPH_OPS_CHECK_H

#include "graph/ops.h"

/* Sets the only output. */
am_status am_infer_one(am_infer *c, am_dtype dtype, const am_shape *shape) AM_NODISCARD;

/* Fails unless input i (if present) has this dtype class, rank or shape. */
am_status am_check_float(const am_infer *c, int i) AM_NODISCARD;
am_status am_check_index(const am_infer *c, int i) AM_NODISCARD; /* I32 or I64 */
am_status am_check_dtype(const am_infer *c, int i, am_dtype dtype) AM_NODISCARD;
am_status am_check_rank(const am_infer *c, int i, int rank) AM_NODISCARD;
am_status am_check_shape(const am_infer *c, int i, const am_shape *shape) AM_NODISCARD;

/* Fails unless input i (if present) broadcasts to exactly `shape`. */
am_status am_check_broadcasts(const am_infer *c, int i, const am_shape *shape) AM_NODISCARD;

/* Fails unless 0 <= axis < rank of input 0; the ops' attributes hold axes already counted from the front. */
am_status am_check_axis(const am_infer *c, int64_t axis) AM_NODISCARD;

/* Axis of a value as 0..rank-1; puts an error into the builder and gives 0 when it is out of range. */
int am_builder_axis(am_builder *b, am_value x, int axis);

/* The field tables: AM_FIELD(struct, INT, axis) and, for enums, AM_FIELD_OF_ENUM(struct, mode, names). */
#define AM_FIELD(type, kind, member)                                                                                   \
    {                                                                                                                  \
#member, AM_FIELD_##kind, offsetof(type, member), NULL                                                         \
    }
#define AM_FIELD_OF_ENUM(type, member, names)                                                                          \
    {                                                                                                                  \
#member, AM_FIELD_ENUM, offsetof(type, member), names                                                          \
    }
#define AM_FIELDS_END                                                                                                  \
    {                                                                                                                  \
        NULL, AM_FIELD_INT, 0, NULL                                                                                    \
    }

#endif
