/* How much work one run of a compiled graph is. */
#ifndef AM_API_GRAPH_WORK_H
#define AM_API_GRAPH_WORK_H

#include "targets/program.h"
#include "targets/work.h"

/* Of all pieces together. Fails when there is no memory. */
am_status am_graph_work_count(const am_program *program, am_graph_work *out) AM_NODISCARD;

#endif
