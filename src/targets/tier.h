/* The policy auto: a graph starts on the cpu, and moves to another target when that is measured to be faster.

   Compiling for a target takes longer than most runs, so nothing is compiled before the cpu has spent some time on the
   graph, and never in the way of an answer: it happens on a thread beside. Then both take turns for a few runs, and the
   faster one stays. */
#ifndef AM_TARGETS_TIER_H
#define AM_TARGETS_TIER_H

#include "targets/program.h"

typedef struct am_tier am_tier;

/* For a graph that runs on the cpu now; `candidates` are tried in their order. Everything is borrowed and outlives the
   tier. Fails with AM_OUT_OF_MEMORY. */
am_status am_tier_create(const am_graph *graph, const am_target_choice *candidates, const am_target_options *options,
                         am_tier **out) AM_NODISCARD;

/* Waits for compiling to stop. */
void am_tier_destroy(am_tier *tier);

/* The program to run next: null for the cpu's own. */
am_program *am_tier_next(am_tier *tier);

/* Says how long the run took that am_tier_next chose, or that it failed on the candidate (which is then given up). */
void am_tier_ran(am_tier *tier, double milliseconds);
void am_tier_failed(am_tier *tier, am_status why);

/* What was decided so far: "on the cpu", "compiling for openvino", "trying openvino", "openvino". Static or borrowed.
 */
const char *am_tier_state(am_tier *tier);

#endif
