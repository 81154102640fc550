/* Matrices of elements of 4 bytes, rows and columns exchanged. */
#ifndef AM_TARGETS_CPU_KERNELS_TURN_H
#define AM_TARGETS_CPU_KERNELS_TURN_H

#include <stdint.h>

/* to[c, r] = from[r, c] for r of `rows` and c of `columns`, rows of each being so many elements apart. They do not
   overlap. */
void am_turn_matrix(const void *from, int64_t from_row, void *to, int64_t to_row, int64_t rows, int64_t columns);

#endif
