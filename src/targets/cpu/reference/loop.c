#include "targets/cpu/reference/loop.h"

#include <string.h>

static void copy(void *to, const am_tensor *from)
{
    size_t bytes = am_tensor_bytes(from->dtype, &from->shape);
    if (bytes) memcpy(to, from->data, bytes);
}

/* Moves what a trip gave to where it belongs: carried values over the ones before, the others into row
   `trip`. */
static void take_results(const am_kernel_call *call, const am_cpu_program *body, int64_t trip)
{
    const am_loop_attributes *a = AM_ATTRIBUTES(am_loop_attributes, call);
    for (int i = 0; i < call->output_count; i++) {
        am_tensor from = am_cpu_program_output(body, a->has_condition + i);
        size_t bytes = am_tensor_bytes(from.dtype, &from.shape);
        copy((char *)call->outputs[i].data + (i < a->carried ? 0 : (size_t)trip * bytes), &from);
    }
}

static am_status run_trips(const am_kernel_call *call, am_cpu_program *body)
{
    const am_loop_attributes *a = AM_ATTRIBUTES(am_loop_attributes, call);
    am_tensor inputs[1 + AM_INPUT_LIMIT];
    int32_t trip = 0;
    inputs[0] = (am_tensor){.dtype = AM_I32, .data = &trip};
    for (int i = 0; i < call->input_count; i++) inputs[1 + i] = i < a->carried ? call->outputs[i] : call->inputs[i];
    for (bool more = true; more && trip < a->trips; trip++) {
        am_status status = am_cpu_program_run(body, inputs, NULL);
        if (status) return am_note(status, "trip %d", (int)trip);
        take_results(call, body, trip);
        if (a->has_condition) more = *(const uint8_t *)am_cpu_program_output(body, 0).data;
    }
    return NULL;
}

am_status am_cpu_run_loop(const am_kernel_call *call, const am_cpu_program_options *options)
{
    const am_loop_attributes *a = AM_ATTRIBUTES(am_loop_attributes, call);
    am_cpu_program *body;
    AM_TRY(am_cpu_program_create(a->body, options, &body));
    for (int i = 0; i < call->output_count; i++) {
        size_t bytes = am_tensor_bytes(call->outputs[i].dtype, &call->outputs[i].shape);
        if (i < a->carried) copy(call->outputs[i].data, &call->inputs[i]);
        else if (bytes) memset(call->outputs[i].data, 0, bytes);
    }
    am_status status = run_trips(call, body);
    am_cpu_program_destroy(body);
    return status;
}

am_status am_reference_loop(const am_kernel_call *call)
{
    return am_cpu_run_loop(call, &(am_cpu_program_options){.reference_only = true});
}
