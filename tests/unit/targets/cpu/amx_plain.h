/* gemm_pairs (am_micro) as the level amx has it, with the instructions in plain C: where there is AVX-512, its indices,
   remainders and endings are tested without a processor that has AMX. */
#ifndef AM_TESTS_CPU_AMX_PLAIN_H
#define AM_TESTS_CPU_AMX_PLAIN_H

#include "targets/cpu/isa.h"

typedef void (*amx_gemm_pairs)(int64_t M, int64_t columns, int64_t K, const am_pair *a, int64_t lda,
                               const am_pair *panel, const am_pair *next, float *c, int64_t ldc, bool accumulate,
                               const am_ending *ending);

/* Null where this build has no AVX-512. */
amx_gemm_pairs amx_plain_gemm_pairs(void);

#endif
