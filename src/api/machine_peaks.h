/* What this machine can do at most, measured here and now: the scale for a benchmark's numbers. */
#ifndef AM_API_MACHINE_PEAKS_H
#define AM_API_MACHINE_PEAKS_H

#include "base/status.h"

typedef struct am_machine_peaks {
    const char *kernels; /* whose multiply-adds were timed: "avx2", or null where there are no vector kernels;
                            static */
    double gflop_per_s;  /* products of matrices that stay in cache, on all threads; NaN without vector kernels */
    double bf16_gflop_per_s,
        int8_gop_per_s;   /* the same of numbers in BF16, and of rounded ones with weights of 8 bits */
    double read_gb_per_s; /* summing an array larger than caches, on all threads */
} am_machine_peaks;

/* Takes about half a second and 256 MiB (less where that is more than a quarter of the memory that is
 * free). Fails when there is no memory. */
am_status am_machine_peaks_measure(am_machine_peaks *out) AM_NODISCARD;

/* The reading alone, for those who repeat it between what they compare with it. Owned by the caller; *out stays as it was
   when there is no memory for it: 256 MiB, or a quarter of what is free. */
typedef struct am_machine_reading am_machine_reading;
am_status am_machine_reading_new(am_machine_reading **out) AM_NODISCARD;
double am_machine_reading_bytes(const am_machine_reading *r); /* that a run reads */
void am_machine_reading_run(am_machine_reading *r);            /* on all threads, one run at a time */
void am_machine_reading_free(am_machine_reading *r);           /* may be null */

#endif
