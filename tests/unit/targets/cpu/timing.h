/* Times of the calls of calls.h by every level. */
#ifndef AM_TESTS_CPU_TIMING_H
#define AM_TESTS_CPU_TIMING_H

/* Prints a table of the calls whose function, or function and shape with a blank between, matches the pattern (as of
   shells; null: all): for plain loops and each level of this cpu the median of many times, how far half of them are
   from it at most, and how many times faster than the plain loops and than the first level that is. Returns 0; 1 where
   no call matches or there is no memory. */
int timing_print(const char *pattern);

#endif
