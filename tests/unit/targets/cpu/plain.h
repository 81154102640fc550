/* am_micro as plain loops: numbers are doubles on the way and rounded once, elements follow each other. What the vector
   routines' times are compared with, checked by the same tests. */
#ifndef AM_TESTS_CPU_PLAIN_H
#define AM_TESTS_CPU_PLAIN_H

#include "targets/cpu/isa.h"

extern const am_micro plain_micro; /* "plain" */

#endif
