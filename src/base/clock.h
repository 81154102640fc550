/* Time that passes. */
#ifndef AM_BASE_CLOCK_H
#define AM_BASE_CLOCK_H

/* Seconds since some moment; never goes back. */
double am_clock_seconds(void);

/* The same in milliseconds. */
double am_clock_ms(void);

#endif
