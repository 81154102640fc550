#define _DEFAULT_SOURCE
#include "targets/cpu/isa.h"

#include "base/status.h"
#include "cpu_isas.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#if defined(__x86_64__) && defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>
#endif
#if defined(__aarch64__) && defined(__linux__)
#include <asm/hwcap.h>
#include <sys/auxv.h>
#endif

#define ROW(isa) extern const am_micro am_cpu_micro_##isa;
AM_CPU_ISAS(ROW)
#undef ROW

/* The table of a level, or null when this build has none. */
static const am_micro *compiled(am_isa isa)
{
#define ROW(name)                                                                                                      \
    if (strcmp(am_isa_name(isa), #name) == 0) return &am_cpu_micro_##name;
    AM_CPU_ISAS(ROW)
#undef ROW
    return NULL;
}

typedef struct feature {
    const char *name;
    bool present;
} feature;

enum { FEATURE_LIMIT = 24, TEXT_LIMIT = 256 };

static struct {
    pthread_once_t once;
    feature features[FEATURE_LIMIT];
    int count;
    const char *wish; /* ANYMODEL_CPU */
    bool wish_known;
    am_isa most; /* what the wish allows */
    char text[TEXT_LIMIT], model[TEXT_LIMIT];
} cpu = {.once = PTHREAD_ONCE_INIT, .model = "unknown"};

/* level: the lowest whose processors all have the feature, or the one above when not all have it. */
static void add(const char *name, am_isa level, bool present)
{
    present = present && level <= cpu.most;
    cpu.features[cpu.count++] = (feature){name, present};
    if (!present) return;
    if (cpu.text[0]) strcat(cpu.text, " ");
    strcat(cpu.text, name);
}

static bool has(const char *name)
{
    for (int i = 0; i < cpu.count; i++)
        if (strcmp(cpu.features[i].name, name) == 0) return cpu.features[i].present;
    return false;
}

#if defined(__x86_64__)
#include <cpuid.h>

typedef struct registers {
    unsigned a, b, c, d;
} registers;

static registers cpuid(unsigned leaf, unsigned subleaf)
{
    registers r = {0, 0, 0, 0};
    if (!__get_cpuid_count(leaf, subleaf, &r.a, &r.b, &r.c, &r.d)) return (registers){0, 0, 0, 0};
    return r;
}

/* Register states that the system saves: 6 is SSE and AVX, 0xe0 the three of AVX-512. */
static unsigned saved_states(void)
{
    unsigned low, high;
    __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return low;
}

static bool bit(unsigned word, int index)
{
    return word >> index & 1;
}

/* Whether the system saves the tiles of AMX, states 17 and 18, and lets this process use them, which Linux wants to be
   asked for: 0x1023 is ARCH_REQ_XCOMP_PERM of arch_prctl(2). */
static bool may_use_tiles(unsigned saved)
{
    enum { TILES = 3 << 17, TILE_DATA = 18 };
    if (cpu.most < AM_ISA_AMX || (saved & TILES) != TILES) return false;
#if defined(__linux__)
    return syscall(SYS_arch_prctl, 0x1023, TILE_DATA) == 0;
#else
    return false;
#endif
}

/* Bits as in Intel's Software Developer's Manual, volume 2, CPUID. */
static void detect_features(void)
{
    registers one = cpuid(1, 0), seven = cpuid(7, 0), more = cpuid(7, 1);
    unsigned saved = bit(one.c, 27) ? saved_states() : 0;
    bool ymm = (saved & 6) == 6, zmm = ymm && (saved & 0xe0) == 0xe0;
    add("sse2", AM_ISA_SSE2, bit(one.d, 26));
    add("sse4_1", AM_ISA_AVX2, bit(one.c, 19));
    add("avx", AM_ISA_AVX2, ymm && bit(one.c, 28));
    add("avx2", AM_ISA_AVX2, ymm && bit(seven.b, 5));
    add("fma", AM_ISA_AVX2, ymm && bit(one.c, 12));
    add("f16c", AM_ISA_AVX2, ymm && bit(one.c, 29));
    add("avxvnni", AM_ISA_AVX2VNNI, ymm && bit(more.a, 4));
    add("avx512f", AM_ISA_AVX512, zmm && bit(seven.b, 16));
    add("avx512bw", AM_ISA_AVX512, zmm && bit(seven.b, 30));
    add("avx512vl", AM_ISA_AVX512, zmm && bit(seven.b, 31));
    add("avx512dq", AM_ISA_AVX512, zmm && bit(seven.b, 17));
    add("avx512vnni", AM_ISA_AVX512VNNI, zmm && bit(seven.c, 11));
    add("avx512bf16", AM_ISA_AVX512BF16, zmm && bit(more.a, 5));
    add("avx512fp16", AM_ISA_AMX, zmm && bit(seven.d, 23));
    bool tiles = zmm && bit(seven.d, 24) && may_use_tiles(saved);
    add("amx_tile", AM_ISA_AMX, tiles);
    add("amx_bf16", AM_ISA_AMX, tiles && bit(seven.d, 22));
    add("amx_int8", AM_ISA_AMX, tiles && bit(seven.d, 25));
}

static void detect_model(void)
{
    unsigned words[12];
    if ((unsigned)__get_cpuid_max(0x80000000u, NULL) < 0x80000004u) return;
    for (unsigned i = 0; i < 3; i++) {
        registers r = cpuid(0x80000002u + i, 0);
        memcpy(words + 4 * i, &r, sizeof r);
    }
    char name[sizeof words + 1] = {0};
    memcpy(name, words, sizeof words);
    const char *start = name + strspn(name, " ");
    if (*start) snprintf(cpu.model, sizeof cpu.model, "%s", start);
}
#else
static void detect_features(void)
{
#if defined(__aarch64__)
    bool has_dot_products = false, has_bf16 = false, has_i8mm = false;
#if defined(__linux__)
    has_dot_products = getauxval(AT_HWCAP) & HWCAP_ASIMDDP;
    has_bf16 = getauxval(AT_HWCAP2) & HWCAP2_BF16;
    has_i8mm = getauxval(AT_HWCAP2) & HWCAP2_I8MM;
#endif
    add("neon", AM_ISA_NEON, true);
    add("dotprod", AM_ISA_NEON_DOTPROD, has_dot_products);
    add("bf16", AM_ISA_NEON_BF16, has_bf16);
    add("i8mm", AM_ISA_NEON_I8MM, has_i8mm);
#endif
}

static void detect_model(void)
{
    char line[TEXT_LIMIT];
    FILE *file = fopen("/proc/cpuinfo", "re");
    while (file && fgets(line, sizeof line, file)) {
        const char *colon = strchr(line, ':');
        if (strncmp(line, "model name", 10) != 0 || !colon) continue;
        snprintf(cpu.model, sizeof cpu.model, "%.*s", (int)strcspn(colon + 2, "\n"), colon + 2);
        break;
    }
    if (file) fclose(file);
}
#endif

static void read_wish(void)
{
    cpu.wish = getenv("ANYMODEL_CPU");
    cpu.most = AM_ISA_COUNT;
    cpu.wish_known = !cpu.wish;
    if (!cpu.wish) return;
    if (strcmp(cpu.wish, "reference") == 0) {
        cpu.most = AM_ISA_ANY;
        cpu.wish_known = true;
    }
    for (int i = AM_ISA_SSE2; i < AM_ISA_COUNT; i++) {
        if (!compiled((am_isa)i) || strcmp(cpu.wish, am_isa_name((am_isa)i)) != 0) continue;
        cpu.most = (am_isa)i;
        cpu.wish_known = true;
    }
}

static void detect(void)
{
    read_wish();
    detect_features();
    detect_model();
}

static bool usable(am_isa isa)
{
    enum { MOST = 9 };
    static const char *const needed[AM_ISA_COUNT][MOST] = {
        [AM_ISA_SSE2] = {"sse2"},
        [AM_ISA_AVX2] = {"avx2", "fma", "f16c"},
        [AM_ISA_AVX2VNNI] = {"avx2", "fma", "f16c", "avxvnni"},
        [AM_ISA_AVX512] = {"avx512f", "avx512bw", "avx512vl", "avx512dq", "f16c"},
        [AM_ISA_AVX512VNNI] = {"avx512f", "avx512bw", "avx512vl", "avx512dq", "f16c", "avx512vnni"},
        [AM_ISA_AVX512BF16] = {"avx512f", "avx512bw", "avx512vl", "avx512dq", "f16c", "avx512vnni", "avx512bf16"},
        [AM_ISA_AMX] = {"avx512f", "avx512bw", "avx512vl", "avx512dq", "f16c", "avx512vnni", "avx512bf16", "amx_tile",
                        "amx_bf16"},
        [AM_ISA_NEON] = {"neon"},
        [AM_ISA_NEON_DOTPROD] = {"neon", "dotprod"},
        [AM_ISA_NEON_BF16] = {"neon", "dotprod", "bf16"},
        [AM_ISA_NEON_I8MM] = {"neon", "dotprod", "bf16", "i8mm"},
    };
    for (int i = 0; i < MOST && needed[isa][i]; i++)
        if (!has(needed[isa][i])) return false;
    return true;
}

const am_micro *am_micro_of(am_isa isa)
{
    pthread_once(&cpu.once, detect);
    if (isa == AM_ISA_ANY) {
        for (int i = AM_ISA_COUNT - 1; i > AM_ISA_ANY; i--)
            if (am_micro_of((am_isa)i)) return am_micro_of((am_isa)i);
        return NULL;
    }
    if (isa < 0 || isa >= AM_ISA_COUNT || !usable(isa)) return NULL;
    return compiled(isa);
}

am_status am_cpu_check_wish(void)
{
    char levels[TEXT_LIMIT] = "reference";
    pthread_once(&cpu.once, detect);
    if (cpu.wish_known) return NULL;
    for (int i = AM_ISA_SSE2; i < AM_ISA_COUNT; i++)
        if (compiled((am_isa)i)) strcat(strcat(levels, ", "), am_isa_name((am_isa)i));
    return am_error(AM_INVALID_ARGUMENT, "environment variable ANYMODEL_CPU: expected one of %s, found \"%s\"", levels,
                    cpu.wish);
}

const char *am_isa_name(am_isa isa)
{
    static const char *const names[AM_ISA_COUNT] = {"any",        "sse2", "avx2", "avx2vnni",     "avx512",    "avx512vnni",
                                                    "avx512bf16", "amx",  "neon", "neon_dotprod", "neon_bf16", "neon_i8mm"};
    return isa >= 0 && isa < AM_ISA_COUNT ? names[isa] : "unknown";
}

const char *am_cpu_features_text(void)
{
    pthread_once(&cpu.once, detect);
    return cpu.text;
}

const char *am_cpu_model_name(void)
{
    pthread_once(&cpu.once, detect);
    return cpu.model;
}
