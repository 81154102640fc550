/* What the policy auto found out about one graph on one target, kept in the cache folder under the graph's hash, which
   weights have no part in. */
#ifndef AM_TARGETS_MEASUREMENT_H
#define AM_TARGETS_MEASUREMENT_H

#include "targets/choice.h"

typedef enum am_measured {
    AM_MEASURED_NOTHING,
    AM_MEASURED_TIMES,    /* both ran */
    AM_MEASURED_DECLINED, /* the target does not take the graph */
    AM_MEASURED_FAILED,   /* compiling or running failed: tried again after a day */
} am_measured;

typedef struct am_measurement {
    am_measured what;
    double cpu_ms, target_ms; /* the least of `runs` each, taken in turns */
    double create_ms;         /* how long it took the last time until the target was ready to run */
    int runs;
    char reason[256]; /* without times: why */
} am_measurement;

/* A target must beat the cpu by this much to be worth its memory. */
bool am_measurement_is_faster(double target_ms, double other_ms);

/* What is kept of this graph on this target, by this program and that version of the target on this machine; else
   `what` is AM_MEASURED_NOTHING. */
am_measurement am_measurement_load(uint64_t graph_hash, const am_target_pick *pick, const am_target_options *options);

/* Keeps it, instead of what was there. */
void am_measurement_store(uint64_t graph_hash, const am_target_pick *pick, const am_target_options *options,
                          const am_measurement *measurement);

#endif
