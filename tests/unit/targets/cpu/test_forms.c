/* Forms of weights are kept on disks (targets/cpu/weight_cache.h), where another version of the program reads them: a
   kernel whose form changes gets another prepared_version, and a new line here. */
#include "check.h"

#include "base/sha256.h"
#include "targets/cpu/kernels/convolution.h"

#include <stdlib.h>
#include <string.h>

enum { NUMBERS = 21 * 290 * 9 };

typedef struct form {
    const char *kernel;
    int rank, version, columns;
    const char *digest;
} form;

/* By the weight's rank and the columns of a panel, which depend on the level. */
static const form forms[] = {
    {"linear_f32", 2, 1, 12, "9ba22176f7b84b9a42bfef28533a33fecf3dcae9e92c641c28fa61b7ea9e8795"},
    {"linear_f32", 2, 1, 16, "d6843196eaeb08f84eca343c6641b3e72e5473abd3e042e1c46e5ee8e0602d98"},
    {"linear_f32", 2, 1, 24, "cb459bc677ff34fd3abafcc1a405aa940e5ce392cd964044ad77ad66b3228e83"},
    {"linear_f32", 2, 1, 64, "ba858dad045f7f5779d41869b1cad2ae506ddcca94af9b4c8af6ed9db58b942c"},
    {"convolution_f32", 4, 2, 12, "9e34be9e71cd2ccfed611a1613c75f3c00ef7f99ff5aa5d0a19228499730b353"},
    {"convolution_f32", 4, 2, 16, "498fdabab93a8a4add8938c0478d2833fd7eb9f2a75cdf1da0af5b7d5af78fb1"},
    {"convolution_f32", 4, 2, 24, "7e0399396a14542fa43dbd716a21d12a4815bfb9e5a4132c0141dbaacbb19aab"},
    {"convolution_f32", 4, 2, 64, "bd75b5d95f9e1f43254d16982b345869cab4efa2ce51a577f8a72a8fc02d8a0a"},
    {"linear_bf16", 2, 1, 12, "aeabcd334c730430f94d7feb9625cc2e1ae67fc034233074f528097a0d09b6b6"},
    {"linear_bf16", 2, 1, 16, "e675f706c16d0741e3486ea5ec815fbc328ceb72d3ac6e376238fb40ca697f45"},
    {"linear_bf16", 2, 1, 24, "dd025beee1cf2af3fe141b6293f1e80b9f263d382061d0a4bf815a5854930abb"},
    {"linear_bf16", 2, 1, 64, "e6c87ab55a0668f964d0aa57189598a760267588025941b0284abec61473fe79"},
    {"convolution_bf16", 4, 2, 12, "f525724429b5ebf599d201fd829817e761d2829af391ac51c1437696fb36cd0c"},
    {"convolution_bf16", 4, 2, 16, "525b1d52c75ea1e0c5cecc435babf8c7d04a597655090d1e76a3f0855fe49266"},
    {"convolution_bf16", 4, 2, 24, "3123902da43478e884426dde29dbf2fb7c0357059960f30adaa6842f63522c53"},
    {"convolution_bf16", 4, 2, 64, "928fcf3edf6e65d63455fac1d54d8150159eef4b4e0cff081c35feec8c273128"},
    {"convolution_f32", 3, 2, 12, "f5e8fdc78710da3bda780af5774dc718986553141f6ee3a29975639906ba98e0"},
    {"convolution_f32", 3, 2, 16, "b493856ac42de654c0cd9755acbe5ac229759f487bdd5f2cf4dc8079598889b3"},
    {"convolution_f32", 3, 2, 24, "7cfcad438aa570cf44f7e2648ae36fdcf8978fc3ce4b2300b616a43fdf4725dd"},
    {"convolution_f32", 3, 2, 64, "8ba97f2fa99d0e7d182396425f9429f67a472d85ad52a7b4d9966a59df083666"},
    {"convolution_bf16", 3, 2, 12, "b29117069508a142064ab82321c1337bdda39da04b8675afc1a42e17e8e86c92"},
    {"convolution_bf16", 3, 2, 16, "5d1ff4a963a3f2a77dfde18a09b389df7a8238333ed448f8891e4217cdfad50d"},
    {"convolution_bf16", 3, 2, 24, "8341087c3ec3344a5a67a7b78316155e2da6b563f1c1c6df5d8ee322985c9c58"},
    {"convolution_bf16", 3, 2, 64, "91851ef983c551a24882a9d79f7da010e1660936fabcf9acfa1130ff9f5654a6"},
    {"convolution_winograd_f32", 4, 1, 12, "5c5439732ab493ba6e712dd9ab66fd7d3e2251dc26c3232e7b777db32c6a2369"},
    {"convolution_winograd_f32", 4, 1, 16, "f2c0ba2e76d816b3b12c6291859232c6ebdfb6598edf29e160e84208cdc9b6ab"},
    {"convolution_winograd_f32", 4, 1, 24, "a8d5e2d066f0fb22746e6fdd3810d0e65183603a49cb02dfafcbd59f52c77aa7"},
    {"convolution_winograd_f32", 4, 1, 64, "b3f44a94d6eb81951dd7443b210423f9065f1725d918c0fbb2ee3c268c6efd67"},
    {"convolution_winograd_bf16", 4, 1, 12, "e809d22f9747a6cf2fc83d962c4c32cb88fd952668397f113e5046edea849591"},
    {"convolution_winograd_bf16", 4, 1, 16, "512a2d8807efaac25c9fa9ed5dcd40b0e225a9ca3e1f42e44d40ee749264a5e3"},
    {"convolution_winograd_bf16", 4, 1, 24, "6af9ae378cb9fb312fd6a17d7e3fc4503c3e88d15fe09f5641384e62180633a7"},
    {"convolution_winograd_bf16", 4, 1, 64, "1df87f9a1fcd0b74145b13a6c17463b286b2b92b31c30f8456abe3affe3403f0"},
};

/* Any bits; or, for forms that are computed, numbers that levels round alike: neither NaN nor next to nothing. */
static void fill_numbers(uint32_t *numbers, bool is_copy)
{
    for (uint32_t i = 0; i < NUMBERS; i++) {
        float number = (float)(i * 2654435761u) / 4294967296.0f - 0.5f;
        numbers[i] = i * 2654435761u;
        if (!is_copy) memcpy(&numbers[i], &number, sizeof number);
    }
}

static const form *form_of(const am_kernel *kernel, const am_shape *shape, int columns)
{
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
        if (strcmp(forms[i].kernel, kernel->name) == 0 && forms[i].rank == shape->rank && forms[i].columns == columns)
            return &forms[i];
    return NULL;
}

static void expect_form(const am_kernel *kernel, const void *attributes, am_shape shape, const am_micro *micro)
{
    static uint32_t numbers[NUMBERS];
    fill_numbers(numbers, !kernel->is_bf16 && kernel != &am_cpu_convolution_winograd);
    am_tensor inputs[AM_INPUT_LIMIT] = {[1] = {AM_F32, shape, numbers}};
    am_node node = {.op = kernel->op, .input_count = 2, .attributes = (void *)(uintptr_t)attributes};
    am_kernel_call call = {.node = &node, .inputs = inputs, .input_count = 2, .micro = micro};
    const form *expected = form_of(kernel, &shape, micro->panel_columns);
    if (!expected)
        fail_msg("%s: no form of rank %d recorded for %d columns", kernel->name, shape.rank, micro->panel_columns);
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
    const am_convolution_attributes convolution = {.groups = 2}, sequence = {.stride = {1, {2}}}, plain = {0};
    for (am_isa isa = AM_ISA_SSE2; isa < AM_ISA_COUNT; isa++) {
        const am_micro *micro = check_micro_of(isa);
        if (!micro) continue;
        expect_form(&am_cpu_linear, &linear, (am_shape){2, {50, 300}}, micro);
        expect_form(&am_cpu_convolution, &convolution, (am_shape){4, {60, 25, 3, 3}}, micro);
        expect_form(&am_cpu_linear_bf16, &linear, (am_shape){2, {50, 299}}, micro);
        expect_form(&am_cpu_convolution_bf16, &convolution, (am_shape){4, {60, 26, 3, 3}}, micro);
        expect_form(&am_cpu_convolution, &sequence, (am_shape){3, {50, 100, 3}}, micro);
        expect_form(&am_cpu_convolution_bf16, &sequence, (am_shape){3, {50, 100, 3}}, micro);
        expect_form(&am_cpu_convolution_winograd, &plain, (am_shape){4, {21, 290, 3, 3}}, micro);
        expect_form(&am_cpu_convolution_winograd_bf16, &plain, (am_shape){4, {21, 290, 3, 3}}, micro);
    }
}
