#include "targets/cpu/kernels/micro.h"

#define TEXT(name)    TEXT_OF(name)
#define TEXT_OF(name) #name
#define TABLE         AM_JOIN(am_cpu_, micro, AM_ISA)

extern const am_micro TABLE;

const am_micro TABLE = {
    .name = TEXT(AM_ISA),
    .gemm_nt = AM_TEMPLATE(gemm_nt),
    .gemm_nn = AM_TEMPLATE(gemm_nn),
    .panel_columns = AM_PANEL_COLUMNS,
    .pack_panel = AM_TEMPLATE(pack_panel),
    .gemm_panel = AM_TEMPLATE(gemm_panel),
    .gemm_panel_ending = AM_TEMPLATE(gemm_panel_ending),
    .quantize = AM_TEMPLATE(quantize),
    .gemm_quantized = AM_TEMPLATE(gemm_quantized),
    .taps = AM_TEMPLATE(taps),
    .filter = AM_TEMPLATE(filter),
    .affine = AM_TEMPLATE(affine),
    .finish = AM_TEMPLATE(finish),
    .unary = AM_TEMPLATE(unary),
    .gated = AM_TEMPLATE(gated),
    .binary = AM_TEMPLATE(binary),
    .layer_norm = AM_TEMPLATE(layer_norm),
    .rms_norm = AM_TEMPLATE(rms_norm),
    .moments = AM_TEMPLATE(moments),
    .scale = AM_TEMPLATE(scale),
    .softmax = AM_TEMPLATE(softmax),
    .sum = AM_TEMPLATE(sum),
    .largest = AM_TEMPLATE(largest),
    .rope = AM_TEMPLATE(rope),
    .widen = AM_TEMPLATE(widen),
    .attention = AM_TEMPLATE(attention),
};
