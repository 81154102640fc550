#define _DEFAULT_SOURCE /* MAP_ANONYMOUS */
#include "check.h"

#include "cpu_isas.h"
#include "plain.h"

#include <float.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

/* --- levels --- */

static const char *const built[] = {
#define ROW(isa) #isa,
    AM_CPU_ISAS(ROW)
#undef ROW
        NULL};

static const char *only; /* --level */

bool check_only_level(const char *name)
{
    only = name;
    for (int isa = AM_ISA_ANY + 1; isa < AM_ISA_COUNT; isa++)
        if (check_micro_of((am_isa)isa)) return true;
    return false;
}

const am_micro *check_micro_of(am_isa isa)
{
    return only && strcmp(only, am_isa_name(isa)) != 0 ? NULL : am_micro_of(isa);
}

static void tell_lacking(void)
{
    static bool told;
    for (int i = 0; built[i] && !told; i++)
        for (int isa = AM_ISA_ANY + 1; isa < AM_ISA_COUNT; isa++)
            if (strcmp(built[i], am_isa_name((am_isa)isa)) == 0 && !am_micro_of((am_isa)isa))
                print_message("%s: skipped, this cpu lacks it\n", built[i]);
    told = true;
}

const am_micro *check_next_level(const am_micro *previous)
{
    bool passed = !previous;
    tell_lacking();
    for (int isa = AM_ISA_ANY + 1; isa < AM_ISA_COUNT; isa++) {
        const am_micro *micro = check_micro_of((am_isa)isa);
        if (micro && passed) return micro;
        passed = passed || micro == previous;
    }
    return only || previous == &plain_micro ? NULL : &plain_micro;
}

/* --- arrays --- */

enum { SLOTS = 20, SLOT_PAGES = 512, BORDER = 128, BORDER_BYTE = 0xa5, LINE = 64 };

typedef struct slot {
    unsigned char *pages, *room, *data; /* room: all but the first and the last page */
    size_t room_bytes, bytes;
} slot;

static slot slots[SLOTS];
static int used;

static void slot_make(slot *s)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    s->room_bytes = SLOT_PAGES * page;
    s->pages = mmap(NULL, s->room_bytes + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(s->pages != MAP_FAILED);
    s->room = s->pages + page;
    assert_int_equal(mprotect(s->room, s->room_bytes, PROT_READ | PROT_WRITE), 0);
}

/* The bytes before and after an array, as far as there are any. */
static unsigned char *border(const slot *s, bool after, size_t *bytes)
{
    unsigned char *end = s->data + s->bytes;
    size_t there = after ? (size_t)(s->room + s->room_bytes - end) : (size_t)(s->data - s->room);
    *bytes = there < BORDER ? there : BORDER;
    return after ? end : s->data - *bytes;
}

void *check_array(check_place place, int64_t count, size_t size)
{
    assert_true(used < SLOTS);
    slot *s = &slots[used++];
    if (!s->pages) slot_make(s);
    s->bytes = (size_t)count * size;
    assert_true(s->bytes <= s->room_bytes - LINE - size);
    s->data = place == AT_END     ? s->room + s->room_bytes - s->bytes
              : place == AT_START ? s->room
                                  : s->room + LINE + size;
    for (int after = 0; after < 2; after++) {
        size_t bytes;
        unsigned char *at = border(s, after, &bytes);
        memset(at, BORDER_BYTE, bytes);
    }
    return s->data;
}

float *check_floats(check_place place, int64_t count)
{
    return check_array(place, count, sizeof(float));
}

/* --- comparing --- */

enum { RECORDS = 64, WHERE = 160 };

typedef struct record {
    const char *function, *bound;
    double worst[AM_ISA_COUNT]; /* share of the bound, of plain at AM_ISA_ANY; negative: never begun */
} record;

static record records[RECORDS];
static int record_count;
static struct {
    const am_micro *micro;
    const char *function;
    double *worst;
    char where[WHERE];
} now;

static void complain(const char *what)
{
    used = 0; /* for the tests that follow */
    fail_msg("%s of %s%s%s: %s", now.function, now.micro->name, now.where[0] ? ", " : "", now.where, what);
}

void check_release(void)
{
    for (int i = 0; i < used; i++) {
        for (int after = 0; after < 2; after++) {
            size_t bytes;
            const unsigned char *at = border(&slots[i], after, &bytes);
            for (size_t k = 0; k < bytes; k++)
                if (at[k] != BORDER_BYTE) complain(after ? "wrote after an array" : "wrote before an array");
        }
    }
    used = 0;
}

void check_start(const am_micro *micro, const char *function, const char *bound)
{
    int isa = AM_ISA_COUNT - 1, i = 0;
    while (isa > AM_ISA_ANY && strcmp(micro->name, am_isa_name((am_isa)isa)) != 0) isa--;
    while (i < record_count && strcmp(records[i].function, function) != 0) i++;
    assert_true(i < RECORDS);
    if (i == record_count) {
        records[record_count++] = (record){.function = function, .bound = bound};
        for (int k = 0; k < AM_ISA_COUNT; k++) records[i].worst[k] = -1;
    }
    now.micro = micro, now.function = function, now.worst = &records[i].worst[isa];
    now.where[0] = 0;
    if (*now.worst < 0) *now.worst = 0;
}

void check_where(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(now.where, sizeof now.where, format, arguments);
    va_end(arguments);
}

void check_near(double found, double expected, double bound)
{
    if (isnan(expected) && isnan(found)) return;
    double distance = found == expected ? 0 : fabs(found - expected);
    if (isinf(expected) ? found != expected : !(distance <= bound))
        complain(am_test_format("expected %.9g within %.3g, found %.9g", expected, bound, found));
    double share = distance > 0 ? distance / bound : 0;
    if (share > *now.worst) *now.worst = share;
}

void check_near_together(const am_tensor *found, const am_tensor *expected, double share, const char *what)
{
    const float *f = found->data, *e = expected->data;
    double off = 0, size = 0;
    assert_true(am_shape_equal(&expected->shape, &found->shape));
    for (int64_t i = 0; i < am_shape_count(&expected->shape); i++) {
        double difference = (double)f[i] - (double)e[i];
        off += difference * difference, size += (double)e[i] * (double)e[i];
    }
    if (!(off <= share * share * size)) fail_msg("%s: off by %.3g of its size", what, sqrt(off / size));
}

void check_same(float found, float expected)
{
    if (isnan(expected) && isnan(found)) return;
    if (memcmp(&found, &expected, sizeof found) != 0)
        complain(am_test_format("expected %.9g (%a), found %.9g (%a)", (double)expected, (double)expected,
                                (double)found, (double)found));
}

double check_ulp(double x)
{
    int exponent;
    frexp(x, &exponent);
    return ldexp(1, x != 0 && exponent > -125 ? exponent - 24 : -149);
}

double check_rounding(double roundings, double magnitude)
{
    return roundings * (ldexp(magnitude, -24) + ldexp(1, -149));
}

double check_additions(int64_t n)
{
    return (double)n / 16 + 8;
}

static void report_row(const record *r)
{
    print_message("%-18s", r->function);
    for (int isa = AM_ISA_ANY; isa < AM_ISA_COUNT; isa++)
        if (isa == AM_ISA_ANY || check_micro_of((am_isa)isa))
            print_message("%8s", r->worst[isa] < 0 ? "-" : am_test_format("%.3f", r->worst[isa]));
    print_message("  of %s\n", r->bound);
}

void check_report(void)
{
    print_message("Largest distances, as shares of what is allowed\n%-18s%8s", "function", "plain");
    for (int isa = AM_ISA_ANY + 1; isa < AM_ISA_COUNT; isa++)
        if (check_micro_of((am_isa)isa)) print_message("%8s", am_isa_name((am_isa)isa));
    print_message("\n");
    for (int i = 0; i < record_count; i++) report_row(&records[i]);
}

/* --- numbers --- */

const int64_t check_counts[] = {0,  1,  2,  3,  4,   5,   7,   8,   9,   11,  15,   16,   17,   19,   31,   32, 33,
                                35, 63, 64, 65, 127, 128, 129, 255, 256, 257, 1000, 1023, 1024, 1025, 2049, -1};

uint32_t check_random(void)
{
    static uint32_t state = 1;
    state = state * 1664525u + 1013904223u;
    return state >> 8 | state << 24;
}

static float bits_to_float(uint32_t bits)
{
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

float check_number(check_kind kind)
{
    float fraction = (float)(check_random() & 0xffffff) / (float)(1 << 24) - 0.5f;
    int power = (int)(check_random() & 15);
    if (kind == SMALL) return ldexpf(fraction, power - 137);
    return ldexpf(fraction, kind == LARGE ? 5 * power - 24 : power - 11);
}

void check_fill(check_kind kind, float *x, int64_t count)
{
    static const float specials[] = {NAN, INFINITY, -INFINITY, -0.0f, 0x1p-140f};
    static size_t turn;
    for (int64_t i = 0; i < count; i++) x[i] = check_number(kind);
    if (kind == SPECIAL && count) x[check_random() % count] = specials[turn++ % (sizeof specials / sizeof *specials)];
}

float check_any(void)
{
    static const float edges[] = {NAN,      INFINITY,  -INFINITY,  0.0f,      -0.0f,  FLT_MAX, -FLT_MAX, FLT_MIN,
                                  -FLT_MIN, 0x1p-149f, -0x1p-149f, 0x1p-130f, 88.72f, 88.73f,  -87.33f,  -87.34f,
                                  -103.97f, -103.98f,  89.0f,      -104.0f,   1.0f,   -1.0f,   0.625f,   -0.9f,
                                  4.0f,     -4.0f,     9.01f,      -9.01f,    5.5f,   -5.5f,   1e10f,    -1e30f};
    uint32_t random = check_random();
    if (random % 4 == 0) return edges[check_random() % (sizeof edges / sizeof *edges)];
    if (random % 4 == 1) return check_number(ORDINARY) * 30;
    return bits_to_float(check_random() ^ check_random() << 9);
}
