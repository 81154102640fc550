/* How fast a target is on this machine beside the cpu: two ops at two sizes each, measured once and kept in the cache
   folder. The policy auto estimates from it whether compiling a graph for the target is worth it. */
#ifndef AM_TARGETS_CALIBRATION_H
#define AM_TARGETS_CALIBRATION_H

#include "targets/choice.h"
#include "targets/work.h"

enum { AM_CALIBRATION_POINTS = 4 };

typedef struct am_calibration_point {
    const char *name;        /* "linear 128x768x768" */
    double work;             /* flops of a linear, bytes of an add */
    double cpu_ms, other_ms; /* the least of a few runs, taken in turns */
} am_calibration_point;

/* Small and large linear, then small and large add. */
typedef struct am_calibration {
    am_calibration_point points[AM_CALIBRATION_POINTS];
} am_calibration;

/* What is kept for the target as it is here now; false when there is nothing. */
bool am_calibration_load(const am_target_pick *pick, const am_target_options *options, am_calibration *out);

/* Measures, which compiles four small graphs for the target, and keeps the result. Fails with what the target fails
   with, AM_INTERNAL when cancelled by options->cancelled. */
am_status am_calibration_measure(const am_target_pick *pick, const am_target_options *options,
                                 am_calibration *out) AM_NODISCARD;

/* Estimated time of this work on the target over that on the cpu: each a latency, flops at the rate of linear, bytes
   at that of add. Crude: kernels differ in what they are good at. */
double am_calibration_ratio(const am_calibration *calibration, const am_graph_work *work);

#endif
