#include "targets/cpu/isa.h"

const am_micro *am_micro_of(am_isa isa)
{
    (void)isa;
    return NULL;
}
