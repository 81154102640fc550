/* Forms of weights are kept on disks (targets/cpu/weight_cache.h), where another version of the program reads them: a
   kernel whose form changes gets another prepared_version, and a new line here. */
#include "check.h"

#include "base/sha256.h"
#include "targets/cpu/kernels/kernels.h"

#include <stdlib.h>
#include <string.h>

enum { NUMBERS = 50 * 300 };

typedef struct form {
    const char *kernel;
    int version, columns;
    const char *digest;
} form;

/* By columns of a panel, which depend on the level. */
static const form forms[] = {
    {"linear_f32", 1, 12, "9ba22176f7b84b9a42bfef28533a33fecf3dcae9e92c641c28fa61b7ea9e8795"},
    {"linear_f32", 1, 16, "d6843196eaeb08f84eca343c6641b3e72e5473abd3e042e1c46e5ee8e0602d98"},
    {"linear_f32", 1, 24, "cb459bc677ff34fd3abafcc1a405aa940e5ce392cd964044ad77ad66b3228e83"},
    {"linear_f32", 1, 64, "ba858dad045f7f5779d41869b1cad2ae506ddcca94af9b4c8af6ed9db58b942c"},
    {"convolution_f32", 1, 12, "9e34be9e71cd2ccfed611a1613c75f3c00ef7f99ff5aa5d0a19228499730b353"},
    {"convolution_f32", 1, 16, "498fdabab93a8a4add8938c0478d2833fd7eb9f2a75cdf1da0af5b7d5af78fb1"},
    {"convolution_f32", 1, 24, "7e0399396a14542fa43dbd716a21d12a4815bfb9e5a4132c0141dbaacbb19aab"},
    {"convolution_f32", 1, 64, "bd75b5d95f9e1f43254d16982b345869cab4efa2ce51a577f8a72a8fc02d8a0a"},
};

static const form *form_of(const am_kernel *kernel, int columns)
{
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
        if (strcmp(forms[i].kernel, kernel->name) == 0 && forms[i].columns == columns) return &forms[i];
    return NULL;
}

static void expect_form(const am_kernel *kernel, const void *attributes, am_shape shape, const am_micro *micro)
{
    static uint32_t numbers[NUMBERS];
    for (uint32_t i = 0; i < NUMBERS; i++) numbers[i] = i * 2654435761u;
    am_tensor inputs[AM_INPUT_LIMIT] = {[1] = {AM_F32, shape, numbers}};
    am_node node = {.op = kernel->op, .input_count = 2, .attributes = (void *)(uintptr_t)attributes};
    am_kernel_call call = {.node = &node, .inputs = inputs, .input_count = 2, .micro = micro};
    const form *expected = form_of(kernel, micro->panel_columns);
    if (!expected) fail_msg("%s: no form recorded for %d columns", kernel->name, micro->panel_columns);
    size_t bytes = kernel->prepared_bytes(&call);
    void *prepared = aligned_alloc(64, (bytes + 63) / 64 * 64);
    char digest[AM_SHA256_TEXT];
    assert_non_null(prepared);
    memset(prepared, 0xff, bytes);
    kernel->prepare(&call, prepared);
    am_sha256_digits_of(prepared, bytes, digest);
    free(prepared);
    assert_int_equal(kernel->prepared_version, expected->version);
    assert_string_equal(digest, expected->digest);
}

static void cpu_forms__have_the_bytes_of_their_versions(void **state)
{
    (void)state;
    const am_linear_attributes linear = {.in_out = false};
    const am_convolution_attributes convolution = {.groups = 2};
    for (am_isa isa = AM_ISA_SSE2; isa < AM_ISA_COUNT; isa++) {
        const am_micro *micro = check_micro_of(isa);
        if (!micro) continue;
        expect_form(&am_cpu_linear, &linear, (am_shape){2, {50, 300}}, micro);
        expect_form(&am_cpu_convolution, &convolution, (am_shape){4, {60, 25, 3, 3}}, micro);
    }
}
