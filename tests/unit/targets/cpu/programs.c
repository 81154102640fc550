#include "programs.h"

#include "base/prng.h"
#include "test_support.h"

#include <stdlib.h>
#include <string.h>

static uint64_t seed;

void program_restart(void)
{
    seed = 1;
}

am_value program_numbers_of(am_builder *b, am_dtype dtype, am_shape shape, double low, double high)
{
    int64_t count = am_shape_count(&shape);
    void *values = malloc(am_tensor_bytes(dtype, &shape));
    assert_non_null(values);
    for (int64_t i = 0; i < count; i++)
        am_store_real(dtype, values, i, low + (high - low) * am_uniform(seed, (uint64_t)i));
    seed++;
    am_value v = am_constant_copy(b, dtype, shape, values);
    free(values);
    return v;
}

am_value program_numbers(am_builder *b, am_shape shape, double low, double high)
{
    return program_numbers_of(b, AM_F32, shape, low, high);
}

am_cpu_program *program_run(const am_graph *graph, const am_cpu_program_options *options, const am_tensor *inputs)
{
    am_cpu_program *program;
    am_test_expect_ok(am_cpu_program_create(graph, options, &program));
    am_test_expect_ok(am_cpu_program_run(program, inputs, NULL));
    return program;
}

int program_steps(const am_cpu_program *program, const char *kernel)
{
    int found = 0;
    for (int i = 0; i < am_cpu_program_step_count(program); i++)
        found += strcmp(am_cpu_program_step(program, i).kernel, kernel) == 0;
    return found;
}
