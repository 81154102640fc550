/* What the tests of the cpu's vector routines (am_micro) share: arrays beside pages that cannot be touched, numbers of
   every kind, the levels of this cpu, and a record of how near each routine comes to its bound. */
#ifndef AM_TESTS_CPU_CHECK_H
#define AM_TESTS_CPU_CHECK_H

#include "test_support.h"

#include "targets/cpu/isa.h"
#include "tensor/shape.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* --- levels --- */

/* From now on tests are of this level only, without plain_micro. False where this build or this cpu lacks it. `name`
   lives on. */
bool check_only_level(const char *name);

/* am_micro_of, but null for other levels than check_only_level's. */
const am_micro *check_micro_of(am_isa isa);

/* The level after `previous` (null: the first) that this cpu has, then plain_micro, then null. Says once which levels
   of the build the cpu lacks. */
const am_micro *check_next_level(const am_micro *previous);
#define FOR_EACH_LEVEL(micro)                                                                                          \
    for (const am_micro *micro = check_next_level(NULL); micro; micro = check_next_level(micro))

/* --- arrays --- */

/* AT_END: the page after the array cannot be touched. AT_START: the one before it. ODD: one element after a multiple of
   64 bytes. Bytes around an array must stay as they are. */
typedef enum check_place { AT_END, AT_START, ODD, PLACES } check_place;
#define FOR_EACH_PLACE(place) for (check_place place = AT_END; place < PLACES; place++)

/* `count` elements of `size` bytes, at most 1 MiB, valid until check_release. Fails the test beyond twenty. */
void *check_array(check_place place, int64_t count, size_t size);
float *check_floats(check_place place, int64_t count);

/* Takes all arrays back. Fails the test when bytes around one changed. */
void check_release(void);

/* --- numbers --- */

/* ORDINARY: both signs, 2^-12 to 2^3. SMALL: denormal numbers and the least normal ones. LARGE: up to 2^50. SPECIAL:
   ORDINARY with, in one place of check_fill's array, the next of NaN, the infinities, -0 and a denormal number. */
typedef enum check_kind { ORDINARY, SMALL, LARGE, SPECIAL, KINDS } check_kind;
#define FOR_EACH_KIND(kind) for (check_kind kind = ORDINARY; kind < KINDS; kind++)

uint32_t check_random(void);
float check_number(check_kind kind);
void check_fill(check_kind kind, float *x, int64_t count);

/* Any float: all patterns of bits, every fourth one of those at which functions change. */
float check_any(void);

/* Counts around the widths of vectors and of what the routines take together. */
extern const int64_t check_counts[];
#define FOR_EACH_COUNT(n)                                                                                              \
    for (int64_t n##_at = 0, n = check_counts[0]; n >= 0; n = check_counts[++n##_at]) /* ends with -1 */

/* --- comparing --- */

/* What the comparisons after it are about; `bound` says in words what is allowed. Both live on. */
void check_start(const am_micro *micro, const char *function, const char *bound);

/* Where: a part of the message of a comparison that fails. */
void check_where(const char *format, ...) AM_PRINTF(1, 2);

/* Fails the test unless |found - expected| <= bound; NaN and infinities must be the same. Records found's distance. */
void check_near(double found, double expected, double bound);

/* Fails the test unless the root mean square of the errors of floats is at most this share of that of what is
   expected. */
void check_near_together(const am_tensor *found, const am_tensor *expected, double share, const char *what);

/* Fails the test unless both have the same bits, or both are NaN. */
void check_same(float found, float expected);

/* The distance of floats near x: 2^-23 of its power of two, at least 2^-149. */
double check_ulp(double x);

/* The most that `roundings` of floats, one after the other, move a sum of numbers with this sum of magnitudes. */
double check_rounding(double roundings, double magnitude);

/* Additions that an element of a sum of n goes through at most: sixteen or more sums at once, which are added then. */
double check_additions(int64_t n);

/* Prints for each function and level the largest distance found, as a share of what is allowed. */
void check_report(void);

#endif
