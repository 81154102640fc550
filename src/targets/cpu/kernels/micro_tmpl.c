#include "targets/cpu/kernels/micro.h"

#define TEXT(name)    TEXT_OF(name)
#define TEXT_OF(name) #name
#define TABLE         AM_JOIN(am_cpu_, micro, AM_ISA)

extern const am_micro TABLE;

const am_micro TABLE = {
    .name = TEXT(AM_ISA),
    .gemm_nt = AM_BASE(gemm_nt),
    .gemm_nn = AM_BASE(gemm_nn),
    .panel_columns = AM_PANEL_COLUMNS,
    .pack_panel = AM_BASE(pack_panel),
    .gemm_panel = AM_BASE(gemm_panel),
    .gemm_panel_ending = AM_BASE(gemm_panel_ending),
    .gemm_pairs = AM_TEMPLATE(gemm_pairs),
    .round_pairs = AM_TEMPLATE(round_pairs),
    .round_function = AM_TEMPLATE(round_function),
    .pack_pairs = AM_TEMPLATE(pack_pairs),
    .quantize = AM_TEMPLATE(quantize),
    .gemm_quantized = AM_TEMPLATE(gemm_quantized),
    .taps = AM_BASE(taps),
    .filter = AM_BASE(filter),
    .winograd_places = AM_TEMPLATE(winograd_places),
    .winograd_results = AM_TEMPLATE(winograd_results),
    .affine = AM_BASE(affine),
    .finish = AM_BASE(finish),
    .unary = AM_BASE(unary),
    .gated = AM_BASE(gated),
    .binary = AM_BASE(binary),
    .layer_norm = AM_BASE(layer_norm),
    .rms_norm = AM_BASE(rms_norm),
    .moments = AM_BASE(moments),
    .scale = AM_BASE(scale),
    .softmax = AM_BASE(softmax),
    .sum = AM_BASE(sum),
    .largest = AM_BASE(largest),
    .rope = AM_BASE(rope),
    .widen = AM_BASE(widen),
    .attention = AM_TEMPLATE(attention),
};
