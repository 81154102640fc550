/* Which targets a model is to run on, and what happens where they cannot. */
#ifndef AM_TARGETS_CHOICE_H
#define AM_TARGETS_CHOICE_H

#include "targets/target.h"

typedef enum am_target_policy {
    AM_TARGET_AUTO,    /* the fastest for each graph, by measured cost; the cpu where nothing is faster */
    AM_TARGET_PREFER,  /* what the named targets lack runs on the next one, the cpu last, with a warning */
    AM_TARGET_REQUIRE, /* a named target that is not there, or a node that none of them computes, is an error */
} am_target_policy;

typedef struct am_target_pick {
    const am_target *target;
    char device[32]; /* "GPU" of "openvino:GPU"; "": the target's first */
} am_target_pick;

/* All zeros is auto with nothing to choose from: the cpu. */
typedef struct am_target_choice {
    am_target_pick picks[AM_TARGET_LIMIT]; /* targets in order of preference, the cpu behind them; named ones are here,
                                              those of auto are looked for when they are tried */
    int count;
    am_target_policy policy;
    bool allow_untested; /* versions of a vendor's library that were never tried */
} am_target_choice;

/* Reads a choice: `target` ("openvino", "max,mojo", "openvino:GPU", "auto"), where that is null ANYMODEL_TARGET, where
   that is unset USE_MOJO_MAX_TARGET (1, true, yes: max, then mojo). `policy` ("require", "prefer", "auto"), where that
   is null ANYMODEL_TARGET_POLICY, where that is unset prefer for named targets and auto without. Fails with
   AM_INVALID_ARGUMENT on names that do not exist, AM_UNAVAILABLE under require for a target that is not there; under
   prefer that is a warning. Of the two that USE_MOJO_MAX_TARGET asks for one is enough. */
am_status am_target_choose(const char *target, const char *policy, am_target_choice *out) AM_NODISCARD;

/* "auto", "prefer", "require". */
const char *am_target_policy_name(am_target_policy policy);

#endif
