/* The policy auto: a graph starts on the cpu, and moves to another target when that is measured to be faster.

   What was measured is kept (measurement.h), so the next process decides at once: a target that was slower, or that
   failed, is not tried again; the fastest one is moved over to. It is waited for only where loading it and running
   there take no longer together than running on the cpu; else it is loaded beside, once the cpu has spent as long on
   the graph as loading takes.

   Of a target that nothing is kept for, nothing is compiled before the cpu has spent a second on the graph, and never
   in the way of an answer: that happens on a thread beside. First the target is calibrated, once for all graphs
   (calibration.h): where the estimate is more than AM_TIER_HOPELESS times the cpu's, that is the end of it. Else the
   graph is compiled, and it and the best so far take turns for a few runs; the faster one stays. */
#ifndef AM_TARGETS_TIER_H
#define AM_TARGETS_TIER_H

#include "targets/program.h"

typedef struct am_tier am_tier;

/* A target is not tried where its estimated time is more than this many times the cpu's. */
#define AM_TIER_HOPELESS 1.5

/* For a graph that runs on the cpu now; all `candidates` are tried, and the fastest stays. Everything is borrowed and
   outlives the tier. Fails with AM_OUT_OF_MEMORY. */
am_status am_tier_create(const am_graph *graph, const am_target_choice *candidates, const am_target_options *options,
                         am_tier **out) AM_NODISCARD;

/* Cancels compiling, and waits until it has stopped. */
void am_tier_destroy(am_tier *tier);

/* The program to run next: null for the cpu's own. */
am_program *am_tier_next(am_tier *tier);

/* Says how long the run took that am_tier_next chose, or that it failed on its target (which is then given up, with a
   warning). */
void am_tier_ran(am_tier *tier, double milliseconds);
void am_tier_failed(am_tier *tier, am_status why);

/* What was decided so far, and by which numbers: "on the cpu", "on the cpu, compiling for openvino", "on openvino
   (openvino 8.1 ms, cpu 12.3 ms; mojo 14.9 ms, cpu 12.2 ms; max not tried: estimated at 1.9 times the cpu's time)".
   Borrowed until the next call. */
const char *am_tier_state(am_tier *tier);

#endif
