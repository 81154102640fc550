/* Each level of the kernels has a test of its own, so that a run says which of them it could not test. */
#include "check.h"

#include "targets/cpu/kernels/attention.h"

static void check_level(am_isa isa)
{
    const am_micro *m = am_micro_of(isa);
    if (!m) {
        print_message("%s: this build or this cpu lacks it\n", am_isa_name(isa));
        skip();
    }
    assert_string_equal(m->name, am_isa_name(isa));
    assert_true(m->panel_columns > 0 && AM_ATTENTION_KEYS % m->panel_columns == 0);
    assert_true(m->gemm_nt && m->gemm_nn && m->pack_panel && m->gemm_panel && m->taps && m->finish && m->unary);
    assert_true(m->gemm_panel_ending && m->filter && m->winograd_places && m->winograd_results && m->affine && m->gated && m->binary && m->layer_norm &&
                m->rms_norm && m->moments && m->scale && m->softmax);
    assert_true(m->quantize && m->gemm_quantized && m->gemm_pairs && m->round_pairs && m->round_function &&
                m->pack_pairs);
    assert_true(m->sum && m->largest && m->rope && m->widen && m->attention);
}

static void targets_cpu_levels__sse2_is_tested_here(void **state)
{
    check_level(AM_ISA_SSE2);
}

static void targets_cpu_levels__avx2_is_tested_here(void **state)
{
    check_level(AM_ISA_AVX2);
}

static void targets_cpu_levels__avx2vnni_is_tested_here(void **state)
{
    check_level(AM_ISA_AVX2VNNI);
}

static void targets_cpu_levels__avx512_is_tested_here(void **state)
{
    check_level(AM_ISA_AVX512);
}

static void targets_cpu_levels__avx512vnni_is_tested_here(void **state)
{
    check_level(AM_ISA_AVX512VNNI);
}

static void targets_cpu_levels__avx512bf16_is_tested_here(void **state)
{
    check_level(AM_ISA_AVX512BF16);
}

static void targets_cpu_levels__amx_is_tested_here(void **state)
{
    check_level(AM_ISA_AMX);
}

static void targets_cpu_levels__neon_is_tested_here(void **state)
{
    check_level(AM_ISA_NEON);
}

static void targets_cpu_levels__neon_dotprod_is_tested_here(void **state)
{
    check_level(AM_ISA_NEON_DOTPROD);
}

static void targets_cpu_levels__neon_bf16_is_tested_here(void **state)
{
    check_level(AM_ISA_NEON_BF16);
}

static void targets_cpu_levels__neon_i8mm_is_tested_here(void **state)
{
    check_level(AM_ISA_NEON_I8MM);
}
