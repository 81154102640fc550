#include "base/clock.h"

#include <time.h>

double am_clock_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

double am_clock_ms(void)
{
    return am_clock_seconds() * 1e3;
}
