#include "targets/cpu/kernel.h"

/* Inputs are bound by the program; there is nothing to compute. */
am_status am_reference_input(const am_kernel_call *call)
{
    return am_error(AM_INTERNAL, "input %s was not bound", AM_ATTRIBUTES(am_input_attributes, call)->name);
}
