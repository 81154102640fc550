/* Integer arithmetic of Python's int: 64 bits where they do, more words where not, up to
   AM_J_INTEGER_WORDS_LIMIT. All `am_jvalue` arguments here are BOOL, INT or BIG unless said otherwise;
   results are BIG only outside of int64. Schoolbook algorithms (Knuth, The Art of Computer Programming,
   volume 2, section 4.3.1). */
#ifndef AM_TEXT_CHAT_TEMPLATE_BIG_INTEGER_H
#define AM_TEXT_CHAT_TEMPLATE_BIG_INTEGER_H

#include "text/chat_template/value.h"

struct am_jbig {
    bool negative;
    size_t count;     /* words, the highest is not 0 */
    uint32_t words[]; /* lowest first */
};

typedef enum am_jorder { AM_J_LESS, AM_J_EQUAL, AM_J_GREATER, AM_J_UNORDERED } am_jorder;

/* Exact order of two numbers (REAL too); UNORDERED with a NaN. */
am_jorder am_jnumber_compare(am_jvalue a, am_jvalue b);

/* Nearest double, infinite when there is none. */
double am_jbig_real(const am_jbig *big);
double am_jnumber_real(am_jvalue number);

/* a + b, a - b, a * b; a // b and a % b, rounded to minus infinity, with b not 0. Fail when the
   result is too large. */
bool am_jinteger_add(am_jinja *j, am_jvalue a, am_jvalue b, am_jvalue *out);
bool am_jinteger_subtract(am_jinja *j, am_jvalue a, am_jvalue b, am_jvalue *out);
bool am_jinteger_multiply(am_jinja *j, am_jvalue a, am_jvalue b, am_jvalue *out);
bool am_jinteger_divide(am_jinja *j, am_jvalue a, am_jvalue b, am_jvalue *quotient, am_jvalue *remainder);
/* a / b, rounded once; infinite when it is too large. */
bool am_jinteger_true_divide(am_jinja *j, am_jvalue a, am_jvalue b, double *out);

/* a ** b; b is not negative. */
bool am_jinteger_power(am_jinja *j, am_jvalue a, am_jvalue b, am_jvalue *out);

/* The whole part of a finite double. */
bool am_jinteger_from_real(am_jinja *j, double real, am_jvalue *out);

/* Number written with digits below `base` (2 to 36); all characters must be such digits. */
bool am_jinteger_from_digits(am_jinja *j, const char *digits, size_t length, unsigned base, am_jvalue *out);

/* Writes the digits (lower case), with '-' when negative. Fails beyond 4300 decimal ones, like Python. */
bool am_jinteger_write(am_jtext *text, am_jvalue integer, unsigned base);

/* Whether it is below 0; whether it is 0. */
bool am_jinteger_negative(am_jvalue integer);
bool am_jinteger_zero(am_jvalue integer);

/* Number of bits of the magnitude. */
size_t am_jinteger_bits(am_jvalue integer);

#endif
