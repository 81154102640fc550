/* Sinusoidal positions (arXiv 1706.03762) as a table. */
#ifndef AM_MODELS_BLOCKS_SINUSOIDS_H
#define AM_MODELS_BLOCKS_SINUSOIDS_H

#include "models/model.h"

/* Row p: sin(p f) of C / 2 frequencies, then cos(p f): [rows, C], f_i = 10000^(-i / steps); a zero behind them where C
   is odd. steps is C / 2 in Pegasus and Marian, C / 2 - 1 in M2M-100. Row zero_row (-1: none) is zero. */
am_value am_sinusoid_table(am_builder *b, int64_t rows, int64_t C, double steps, int64_t zero_row);

/* The same of positions: [rows] that may be anything, with C / 2 steps: [rows, C]. */
am_value am_sinusoids_at(am_builder *b, const double *positions, int64_t rows, int64_t C);

/* Rows: I32 [.., T] that count from pad + 1 (am_positions_after_pad) of a table of C / 2 - 1 steps, of `count` rows or
   more, as this run and its caches ask for; row pad is zero: [.., T, C]. */
am_value am_sinusoids_after_pad(am_builder *b, am_value rows, int64_t count, int64_t C, int64_t pad);

#endif
