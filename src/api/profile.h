/* Where the time of a run goes: by kernel. */
#ifndef AM_API_PROFILE_H
#define AM_API_PROFILE_H

#include "base/buffer.h"
#include "runtime/session.h"

typedef struct am_profile_row {
    const char *kernel; /* of the target; static */
    int64_t calls, nanoseconds;
    double flops;
} am_profile_row;

/* Of all runs together. */
typedef struct am_profile {
    am_session *session;
    am_profile_row *rows; /* the longest time first */
    int count, limit;
    int runs;
    double runs_ms;
} am_profile;

/* What is run, as am_session_run takes it. */
typedef struct am_profile_run {
    const am_session_input *inputs;
    int input_count;
    const am_run_options *options; /* or null */
} am_profile_run;

/* Runs the model for about `milliseconds`, after a run that does not count, in a session of its own with these options,
   of which program.profile is set. *out is to be freed in any case. */
am_status am_profile_measure(am_loaded_model *model, const am_session_options *options, const am_profile_run *run,
                             double milliseconds, am_profile *out) AM_NODISCARD;
void am_profile_deinit(am_profile *profile);

/* "profile": {"runs", "run_ms", "kernels": [{"kernel", "calls", "ms", "share", "gflop_per_s"}]}: calls and ms of one
   run, share of its time, and null for the kernels whose arithmetic is not counted (am_graph_work). */
void am_profile_put(am_buffer *out, const am_profile *profile);

#endif
