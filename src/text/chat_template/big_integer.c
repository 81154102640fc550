#include "text/chat_template/big_integer.h"

#include <math.h>
#include <string.h>

/* Any integer as words; those of an int64 lie in `small`. */
typedef struct number {
    bool negative;
    size_t count;
    const uint32_t *words;
    uint32_t small[2];
} number;

static int64_t small_of(am_jvalue integer)
{
    return integer.kind == AM_J_BOOL ? integer.boolean : integer.integer;
}

static void view(am_jvalue integer, number *out)
{
    if (integer.kind == AM_J_BIG) {
        *out = (number){integer.big->negative, integer.big->count, integer.big->words, {0}};
        return;
    }
    int64_t i = small_of(integer);
    uint64_t magnitude = i < 0 ? 0 - (uint64_t)i : (uint64_t)i;
    out->negative = i < 0;
    out->small[0] = (uint32_t)magnitude;
    out->small[1] = (uint32_t)(magnitude >> 32);
    out->words = out->small;
    out->count = out->small[1] ? 2 : out->small[0] ? 1 : 0;
}

static am_jbig *new_big(am_jinja *j, size_t words)
{
    if (words > AM_J_INTEGER_WORDS_LIMIT) {
        am_jfail_code(j, AM_OUT_OF_MEMORY, "OverflowError", "integers of more than %d bits are not supported",
                      AM_J_INTEGER_WORDS_LIMIT * 32);
        return NULL;
    }
    am_jbig *big = am_jalloc(j, sizeof *big + words * sizeof *big->words);
    if (big) big->count = words;
    return big;
}

/* Drops leading zero words; an INT where it fits. */
static am_jvalue normal(am_jbig *big)
{
    while (big->count && big->words[big->count - 1] == 0) big->count--;
    uint64_t low = 0;
    for (size_t i = 0; i < big->count && i < 2; i++) low |= (uint64_t)big->words[i] << (32 * i);
    if (big->count <= 2 && low <= (uint64_t)INT64_MAX + big->negative)
        return am_jint(big->negative ? (int64_t)(0 - low) : (int64_t)low);
    return (am_jvalue){.kind = AM_J_BIG, .big = big};
}

/* ---- order and conversion ---- */

static int compare_magnitudes(const number *a, const number *b)
{
    if (a->count != b->count) return a->count < b->count ? -1 : 1;
    for (size_t i = a->count; i-- > 0;)
        if (a->words[i] != b->words[i]) return a->words[i] < b->words[i] ? -1 : 1;
    return 0;
}

static am_jorder order_of(int sign)
{
    return sign < 0 ? AM_J_LESS : sign > 0 ? AM_J_GREATER : AM_J_EQUAL;
}

static am_jorder compare_integers(am_jvalue a, am_jvalue b)
{
    number x, y;
    view(a, &x);
    view(b, &y);
    if (x.negative != y.negative) return x.negative ? AM_J_LESS : AM_J_GREATER;
    int sign = compare_magnitudes(&x, &y);
    return order_of(x.negative ? -sign : sign);
}

/* Order of an integer and a finite double. */
static am_jorder compare_with_real(am_jvalue integer, double real)
{
    if (integer.kind != AM_J_BIG) {
        if (real >= 0x1p63) return AM_J_LESS;
        if (real < -0x1p63) return AM_J_GREATER;
        int64_t i = small_of(integer), whole = (int64_t)real;
        if (i != whole) return i < whole ? AM_J_LESS : AM_J_GREATER;
        double rest = real - (double)whole;
        return rest > 0 ? AM_J_LESS : rest < 0 ? AM_J_GREATER : AM_J_EQUAL;
    }
    if (integer.big->negative != (real < 0)) return integer.big->negative ? AM_J_LESS : AM_J_GREATER;
    /* Beyond int64 every double is whole: compare the exponents, then all bits. */
    int exponent;
    frexp(real, &exponent);
    size_t bits = am_jinteger_bits(integer), real_bits = exponent > 0 ? (size_t)exponent : 0;
    int sign = bits < real_bits ? -1 : bits > real_bits;
    uint32_t words[AM_J_INTEGER_WORDS_LIMIT + 2] = {0};
    if (!sign) {
        double rest = fabs(real);
        for (size_t i = integer.big->count; i-- > 0;) {
            words[i] = (uint32_t)ldexp(rest, -32 * (int)i);
            rest -= ldexp((double)words[i], 32 * (int)i);
        }
        number other = {false, integer.big->count, words, {0}}, self;
        view(integer, &self);
        sign = compare_magnitudes(&self, &other);
    }
    return order_of(integer.big->negative ? -sign : sign);
}

static am_jorder reversed(am_jorder order)
{
    return order == AM_J_LESS ? AM_J_GREATER : order == AM_J_GREATER ? AM_J_LESS : order;
}

static am_jorder compare_reals(double a, double b)
{
    if (isnan(a) || isnan(b)) return AM_J_UNORDERED;
    return order_of((a > b) - (a < b));
}

am_jorder am_jnumber_compare(am_jvalue a, am_jvalue b)
{
    bool real_a = a.kind == AM_J_REAL, real_b = b.kind == AM_J_REAL;
    if (real_a && real_b) return compare_reals(a.real, b.real);
    if (!real_a && !real_b) return compare_integers(a, b);
    double real = real_a ? a.real : b.real;
    if (!isfinite(real)) return real_a ? compare_reals(real, 0) : compare_reals(0, real);
    return real_a ? reversed(compare_with_real(b, real)) : compare_with_real(a, real);
}

bool am_jinteger_negative(am_jvalue integer)
{
    return integer.kind == AM_J_BIG ? integer.big->negative : small_of(integer) < 0;
}

bool am_jinteger_zero(am_jvalue integer)
{
    return integer.kind != AM_J_BIG && small_of(integer) == 0;
}

size_t am_jinteger_bits(am_jvalue integer)
{
    number n;
    view(integer, &n);
    if (!n.count) return 0;
    size_t bits = (n.count - 1) * 32;
    for (uint32_t top = n.words[n.count - 1]; top; top >>= 1) bits++;
    return bits;
}

double am_jbig_real(const am_jbig *big)
{
    /* The top 64 bits, the lowest of them set when anything below is not zero, round as the whole would. */
    size_t at = big->count - 1;
    uint64_t top = (uint64_t)big->words[at] << 32 | big->words[at - 1];
    uint32_t next = at >= 2 ? big->words[at - 2] : 0;
    int shift = 0;
    while (!(top >> 63)) {
        top = top << 1 | next >> 31;
        next <<= 1;
        shift++;
    }
    bool sticky = next != 0;
    for (size_t i = 0; i + 2 < at; i++) sticky = sticky || big->words[i];
    top |= sticky;
    double real = ldexp((double)top, (int)(big->count - 2) * 32 - shift);
    return big->negative ? -real : real;
}

double am_jnumber_real(am_jvalue value)
{
    if (value.kind == AM_J_REAL) return value.real;
    return value.kind == AM_J_BIG ? am_jbig_real(value.big) : (double)small_of(value);
}

bool am_jinteger_from_real(am_jinja *j, double real, am_jvalue *out)
{
    if (real >= -0x1p63 && real < 0x1p63) {
        *out = am_jint((int64_t)real);
        return true;
    }
    int exponent;
    frexp(real, &exponent);
    am_jbig *big = new_big(j, (size_t)exponent / 32 + 1);
    if (!big) return false;
    big->negative = real < 0;
    double rest = fabs(real);
    for (size_t i = big->count; i-- > 0;) {
        big->words[i] = (uint32_t)ldexp(rest, -32 * (int)i);
        rest -= ldexp((double)big->words[i], 32 * (int)i);
    }
    *out = normal(big);
    return true;
}

/* ---- sums ---- */

static void add_magnitudes(const number *a, const number *b, am_jbig *out)
{
    uint64_t carry = 0;
    for (size_t i = 0; i < out->count; i++) {
        carry += (uint64_t)(i < a->count ? a->words[i] : 0) + (i < b->count ? b->words[i] : 0);
        out->words[i] = (uint32_t)carry;
        carry >>= 32;
    }
}

/* |a| - |b| with |a| >= |b|. */
static void subtract_magnitudes(const number *a, const number *b, am_jbig *out)
{
    uint64_t borrow = 0;
    for (size_t i = 0; i < out->count; i++) {
        uint64_t from = i < a->count ? a->words[i] : 0, take = (i < b->count ? b->words[i] : 0) + borrow;
        out->words[i] = (uint32_t)(from - take);
        borrow = from < take;
    }
}

static bool add_signed(am_jinja *j, const number *a, const number *b, am_jvalue *out)
{
    am_jbig *sum = new_big(j, (a->count > b->count ? a->count : b->count) + 1);
    if (!sum) return false;
    bool swap = compare_magnitudes(a, b) < 0;
    sum->negative = swap ? b->negative : a->negative;
    if (a->negative == b->negative) add_magnitudes(a, b, sum);
    else subtract_magnitudes(swap ? b : a, swap ? a : b, sum);
    *out = normal(sum);
    return true;
}

bool am_jinteger_add(am_jinja *j, am_jvalue a, am_jvalue b, am_jvalue *out)
{
    int64_t sum;
    if (a.kind != AM_J_BIG && b.kind != AM_J_BIG && !__builtin_add_overflow(small_of(a), small_of(b), &sum)) {
        *out = am_jint(sum);
        return true;
    }
    number x, y;
    view(a, &x);
    view(b, &y);
    return add_signed(j, &x, &y, out);
}

bool am_jinteger_subtract(am_jinja *j, am_jvalue a, am_jvalue b, am_jvalue *out)
{
    int64_t difference;
    if (a.kind != AM_J_BIG && b.kind != AM_J_BIG && !__builtin_sub_overflow(small_of(a), small_of(b), &difference)) {
        *out = am_jint(difference);
        return true;
    }
    number x, y;
    view(a, &x);
    view(b, &y);
    y.negative = !y.negative;
    return add_signed(j, &x, &y, out);
}

/* ---- products and quotients ---- */

bool am_jinteger_multiply(am_jinja *j, am_jvalue a, am_jvalue b, am_jvalue *out)
{
    int64_t product;
    if (a.kind != AM_J_BIG && b.kind != AM_J_BIG && !__builtin_mul_overflow(small_of(a), small_of(b), &product)) {
        *out = am_jint(product);
        return true;
    }
    number x, y;
    view(a, &x);
    view(b, &y);
    am_jbig *big = new_big(j, x.count + y.count);
    if (!big || !am_jcharge(j, x.count * y.count / 16)) return false;
    big->negative = x.negative != y.negative;
    for (size_t i = 0; i < x.count; i++) {
        uint64_t carry = 0;
        for (size_t k = 0; k < y.count || carry; k++) {
            carry += big->words[i + k] + (k < y.count ? (uint64_t)x.words[i] * y.words[k] : 0);
            big->words[i + k] = (uint32_t)carry;
            carry >>= 32;
        }
    }
    *out = normal(big);
    return true;
}

/* Divides words in place by one word and returns the remainder. */
static uint32_t divide_by_word(uint32_t *words, size_t count, uint32_t divisor)
{
    uint64_t rest = 0;
    for (size_t i = count; i-- > 0;) {
        rest = rest << 32 | words[i];
        words[i] = (uint32_t)(rest / divisor);
        rest %= divisor;
    }
    return (uint32_t)rest;
}

/* rest = 2 * rest + bit; one word more than the divisor is enough. */
static void shift_in(am_jbig *rest, uint32_t bit)
{
    for (size_t i = 0; i < rest->count; i++) {
        uint32_t top = rest->words[i] >> 31;
        rest->words[i] = rest->words[i] << 1 | bit;
        bit = top;
    }
}

/* Magnitudes by binary long division: numbers here are short and rare. */
static bool divide_magnitudes(am_jinja *j, const number *a, const number *b, am_jbig *quotient, am_jbig *rest)
{
    if (!am_jcharge(j, a->count * (b->count + 1))) return false;
    for (size_t bit = a->count * 32; bit-- > 0;) {
        shift_in(rest, a->words[bit / 32] >> (bit % 32) & 1);
        number current = {false, rest->count, rest->words, {0}};
        while (current.count && !current.words[current.count - 1]) current.count--;
        if (compare_magnitudes(&current, b) < 0) continue;
        subtract_magnitudes(&current, b, rest);
        quotient->words[bit / 32] |= (uint32_t)1 << (bit % 32);
    }
    return true;
}

static bool divide_big(am_jinja *j, am_jvalue a, am_jvalue b, am_jvalue *quotient, am_jvalue *remainder)
{
    number x, y;
    view(a, &x);
    view(b, &y);
    am_jbig *q = new_big(j, x.count), *r = q ? new_big(j, y.count + 1) : NULL;
    if (!r || !divide_magnitudes(j, &x, &y, q, r)) return false;
    q->negative = x.negative != y.negative;
    r->negative = x.negative;
    *quotient = normal(q);
    *remainder = normal(r);
    /* Rounded to zero so far: towards minus infinity when the signs differ and something is left. */
    if (am_jinteger_zero(*remainder) || x.negative == y.negative) return true;
    return am_jinteger_subtract(j, *quotient, am_jint(1), quotient) && am_jinteger_add(j, *remainder, b, remainder);
}

bool am_jinteger_divide(am_jinja *j, am_jvalue a, am_jvalue b, am_jvalue *quotient, am_jvalue *remainder)
{
    bool small = a.kind != AM_J_BIG && b.kind != AM_J_BIG;
    if (!small || (small_of(a) == INT64_MIN && small_of(b) == -1)) return divide_big(j, a, b, quotient, remainder);
    int64_t x = small_of(a), y = small_of(b), q = x / y, r = x % y;
    bool adjust = r != 0 && (r < 0) != (y < 0);
    *quotient = am_jint(q - adjust);
    *remainder = am_jint(adjust ? r + y : r);
    return true;
}

static bool shift_left(am_jinja *j, am_jvalue a, int bits, am_jvalue *out)
{
    am_jvalue power;
    return am_jinteger_power(j, am_jint(2), am_jint(bits), &power) && am_jinteger_multiply(j, a, power, out);
}

/* One is shifted until the quotient has 66 bits or so; these and one for the remainder round right. */
bool am_jinteger_true_divide(am_jinja *j, am_jvalue a, am_jvalue b, double *out)
{
    enum { BITS = 66 };
    am_jvalue quotient, rest;
    bool negative = am_jinteger_negative(a) != am_jinteger_negative(b);
    double x = am_jnumber_real(a), y = am_jnumber_real(b);
    *out = x / y;
    if ((fabs(x) < 0x1p53 && fabs(y) < 0x1p53) || x == 0) return true;
    if (am_jinteger_negative(a) && !am_jinteger_subtract(j, am_jint(0), a, &a)) return false;
    if (am_jinteger_negative(b) && !am_jinteger_subtract(j, am_jint(0), b, &b)) return false;
    int shift = BITS - ((int)am_jinteger_bits(a) - (int)am_jinteger_bits(b));
    if (!shift_left(j, shift > 0 ? a : b, shift > 0 ? shift : -shift, shift > 0 ? &a : &b)) return false;
    if (!am_jinteger_divide(j, a, b, &quotient, &rest) || !am_jinteger_add(j, quotient, quotient, &quotient))
        return false;
    if (!am_jinteger_zero(rest) && !am_jinteger_add(j, quotient, am_jint(1), &quotient)) return false;
    *out = ldexp(am_jnumber_real(quotient), -shift - 1);
    if (negative) *out = -*out;
    return true;
}

bool am_jinteger_power(am_jinja *j, am_jvalue a, am_jvalue b, am_jvalue *out)
{
    am_jvalue base = a, result = am_jint(1);
    /* 0, 1 and -1 stay small whatever the exponent; all others double in length with each squaring. */
    bool unit = a.kind != AM_J_BIG && small_of(a) >= -1 && small_of(a) <= 1;
    if (b.kind == AM_J_BIG && !unit) return new_big(j, SIZE_MAX) != NULL;
    uint64_t exponent = b.kind == AM_J_BIG ? 2 + (b.big->words[0] & 1) : (uint64_t)small_of(b);
    if (unit && exponent > 3) exponent = 2 + (exponent & 1);
    for (; exponent; exponent >>= 1) {
        if ((exponent & 1) && !am_jinteger_multiply(j, result, base, &result)) return false;
        if (exponent > 1 && !am_jinteger_multiply(j, base, base, &base)) return false;
    }
    *out = result;
    return true;
}

/* ---- digits ---- */

static unsigned digit_of(char c)
{
    if (c >= '0' && c <= '9') return (unsigned)(c - '0');
    return (unsigned)((c | 0x20) - 'a') + 10;
}

bool am_jinteger_from_digits(am_jinja *j, const char *digits, size_t length, unsigned base, am_jvalue *out)
{
    size_t at = 0;
    int64_t small = 0;
    for (; at < length; at++)
        if (small > (INT64_MAX - 36) / (int64_t)base) break;
        else small = small * (int64_t)base + digit_of(digits[at]);
    *out = am_jint(small);
    if (at == length) return true;
    if (base == 10 && length > 4300)
        return am_jfail(j, "ValueError",
                        "Exceeds the limit (4300 digits) for integer string conversion: value has %zu "
                        "digits; use sys.set_int_max_str_digits() to increase the limit",
                        length);
    for (; at < length; at++)
        if (!am_jinteger_multiply(j, *out, am_jint(base), out) ||
            !am_jinteger_add(j, *out, am_jint(digit_of(digits[at])), out))
            return false;
    return true;
}

bool am_jinteger_write(am_jtext *text, am_jvalue integer, unsigned base)
{
    char digits[AM_J_INTEGER_WORDS_LIMIT * 32 + 1];
    uint32_t words[AM_J_INTEGER_WORDS_LIMIT];
    size_t length = 0;
    number n;
    view(integer, &n);
    if (n.count > AM_J_INTEGER_WORDS_LIMIT) return am_jfail_memory(text->j);
    if (n.count) memcpy(words, n.words, n.count * sizeof *words);
    for (size_t count = n.count; count;) {
        digits[length++] = "0123456789abcdefghijklmnopqrstuvwxyz"[divide_by_word(words, count, base)];
        while (count && !words[count - 1]) count--;
    }
    if (!length) digits[length++] = '0';
    if (base == 10 && length > 4300)
        return am_jfail(text->j, "ValueError",
                        "Exceeds the limit (4300 digits) for integer string conversion; use "
                        "sys.set_int_max_str_digits() to increase the limit");
    if (n.negative) am_jtext_append_char(text, '-');
    while (length) am_jtext_append_char(text, digits[--length]);
    return !text->j->failed;
}
