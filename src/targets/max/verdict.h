/* MAX has computed some graphs wrongly without saying so; so each newly compiled one is run beside the cpu before it is
   trusted. */
#ifndef AM_TARGETS_MAX_VERDICT_H
#define AM_TARGETS_MAX_VERDICT_H

#include "targets/max/cache.h"
#include "targets/target.h"

/* What runs the graph beside the cpu: am_mx_run and am_mx_output of program.h. */
typedef struct am_mx_runner {
    void *program;
    am_status (*run)(void *program, const am_tensor *inputs, void *const *states);
    am_tensor (*output)(const void *program, int i);
} am_mx_runner;

/* Runs the graph on two sets of generated inputs, indices within their ranges, and compares outputs and states with the
   cpu's: AM_MX_WRONG with the worst difference in `reason`, else AM_MX_RIGHT. Fails when running fails. */
am_status am_mx_judge(const am_graph *graph, const am_mx_runner *runner, am_mx_verdict *out,
                      char reason[AM_MX_REASON]) AM_NODISCARD;

#endif
