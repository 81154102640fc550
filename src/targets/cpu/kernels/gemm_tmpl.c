/* Matrix products without packing.

   gemm_nt: both operands have K contiguous. A tile of ROWS x 4 results keeps one vector of partial sums each;
   lane l takes k = l, l + AM_WIDTH, .. and the lanes are added at the end by vsum4, in one and the same tree
   for every tile shape. K is taken DEPTH at a time so that the rows of b in use stay in the first cache and
   those of a in the second; the sums of the pieces are added in order. gemm_nn: b has N contiguous. A tile of
   AM_TILE_ROWS x AM_TILE_VECTORS vectors of results; each result is one sequence over k. */
#include "targets/cpu/kernels/tile.h"

enum { ROWS = AM_TILE_VECTORS == 4 ? 6 : 3 };

enum { DEPTH = 1024 };

/* One row reads b once and waits for memory, which gives one stream faster than four beside each other: columns then go
   by alone where they are LONG. Narrow vectors would wait for their sums instead. */
enum { LONG = AM_WIDTH > 4 ? 512 : INT32_MAX };

AM_INLINE vf load_part(form k, const void *b, int64_t at, int64_t n)
{
    if (k == FORM_F32) return vload_part((const float *)b + at, n);
    uint16_t padded[AM_WIDTH] = {0};
    memcpy(padded, (const uint16_t *)b + at, (size_t)n * sizeof *padded);
    return load(k, padded, 0);
}

/* rows x columns results, columns 1..4; with 1 the other three are computed as zeros. */
AM_INLINE void tile_nt(form k, int rows, int columns, int64_t K, const float *a, int64_t lda, const void *b,
                       int64_t ldb, float *c, int64_t ldc, bool accumulate)
{
    vf sum[ROWS][4];
    int64_t i = 0, whole = K / AM_WIDTH * AM_WIDTH;
#pragma GCC unroll 8
    for (int m = 0; m < rows; m++)
#pragma GCC unroll 4
        for (int n = 0; n < 4; n++) sum[m][n] = vset(0);
    for (; i < whole; i += AM_WIDTH) {
        vf w[4];
#pragma GCC unroll 4
        for (int n = 0; n < columns; n++) {
            w[n] = load(k, b, n * ldb + i);
            if (rows == 1) /* all time goes into reading b: the columns after these */
                __builtin_prefetch((const char *)b + ((n + columns) * ldb + i) * (k == FORM_F32 ? 4 : 2), 0, 3);
        }
#pragma GCC unroll 8
        for (int m = 0; m < rows; m++) {
            vf x = vload(a + m * lda + i);
#pragma GCC unroll 4
            for (int n = 0; n < columns; n++) sum[m][n] = vfma(x, w[n], sum[m][n]);
        }
    }
    if (i < K) {
        vf w[4];
#pragma GCC unroll 4
        for (int n = 0; n < columns; n++) w[n] = load_part(k, b, n * ldb + i, K - i);
#pragma GCC unroll 8
        for (int m = 0; m < rows; m++) {
            vf x = vload_part(a + m * lda + i, K - i);
#pragma GCC unroll 4
            for (int n = 0; n < columns; n++) sum[m][n] = vfma(x, w[n], sum[m][n]);
        }
    }
#pragma GCC unroll 8
    for (int m = 0; m < rows; m++) {
        v4 y = vsum4(sum[m][0], sum[m][1], sum[m][2], sum[m][3]);
        float *to = c + m * ldc;
        if (columns == 4) {
            if (accumulate) y += *(v4_unaligned *)to;
            *(v4_unaligned *)to = y;
        } else *to = accumulate ? *to + y[0] : y[0];
    }
}

AM_INLINE void column_nt(form k, int columns, int64_t M, int64_t K, const float *a, int64_t lda, const void *b,
                         int64_t ldb, float *c, int64_t ldc, bool accumulate)
{
    int64_t m = 0;
    for (; m + ROWS <= M; m += ROWS)
        tile_nt(k, ROWS, columns, K, a + m * lda, lda, b, ldb, c + m * ldc, ldc, accumulate);
    for (; m + 2 <= M; m += 2) tile_nt(k, 2, columns, K, a + m * lda, lda, b, ldb, c + m * ldc, ldc, accumulate);
    for (; m < M; m++) tile_nt(k, 1, columns, K, a + m * lda, lda, b, ldb, c + m * ldc, ldc, accumulate);
}

/* One row. */
AM_INLINE void columns_nt(form k, int64_t N, int64_t K, const float *a, const char *b, int64_t row_bytes, float *c)
{
    int64_t bytes = k == FORM_F32 ? 4 : 2;
    for (int64_t n = 0; n < N; n++, b += row_bytes)
        for (int64_t i = 0; i < K; i += DEPTH)
            tile_nt(k, 1, 1, K - i < DEPTH ? K - i : DEPTH, a + i, K, b + i * bytes, row_bytes / bytes, c + n, N,
                    i > 0);
}

AM_INLINE void block_nt(form k, int64_t M, int64_t N, int64_t K, const float *a, int64_t lda, const void *b,
                        int64_t ldb, float *c, int64_t ldc)
{
    int64_t bytes = k == FORM_F32 ? 4 : 2, i = 0;
    if (M == 1 && K >= LONG) {
        columns_nt(k, N, K, a, b, ldb * bytes, c);
        return;
    }
    do { /* once even where K is 0 */
        int64_t n = 0, depth = K - i < DEPTH ? K - i : DEPTH;
        const char *from = (const char *)b + i * bytes;
        for (; n + 4 <= N; n += 4)
            column_nt(k, 4, M, depth, a + i, lda, from + n * ldb * bytes, ldb, c + n, ldc, i > 0);
        for (; n < N; n++) column_nt(k, 1, M, depth, a + i, lda, from + n * ldb * bytes, ldb, c + n, ldc, i > 0);
        i += depth;
    } while (i < K);
}

void AM_TEMPLATE(gemm_nt)(int64_t M, int64_t N, int64_t K, const float *a, int64_t lda, const void *b, int64_t ldb,
                          am_dtype b_dtype, float *c, int64_t ldc)
{
    if (b_dtype == AM_F32) block_nt(FORM_F32, M, N, K, a, lda, b, ldb, c, ldc);
    else if (b_dtype == AM_BF16) block_nt(FORM_BF16, M, N, K, a, lda, b, ldb, c, ldc);
    else block_nt(FORM_F16, M, N, K, a, lda, b, ldb, c, ldc);
}

AM_INLINE void column_nn(int vectors, int64_t last, int64_t M, int64_t K, const float *a, int64_t lda, const float *b,
                         int64_t ldb, float *c, int64_t ldc, bool accumulate)
{
    int64_t m = 0;
    for (; m + AM_TILE_ROWS(vectors) <= M; m += AM_TILE_ROWS(vectors))
        tile(FORM_F32, false, AM_TILE_ROWS(vectors), vectors, last, K, a + m * lda, lda, b, ldb, c + m * ldc, ldc,
             accumulate, NULL, (ahead){0});
    for (; m + 2 <= M; m += 2)
        tile(FORM_F32, false, 2, vectors, last, K, a + m * lda, lda, b, ldb, c + m * ldc, ldc, accumulate, NULL,
             (ahead){0});
    if (m < M)
        tile(FORM_F32, false, 1, vectors, last, K, a + m * lda, lda, b, ldb, c + m * ldc, ldc, accumulate, NULL,
             (ahead){0});
}

void AM_TEMPLATE(gemm_nn)(int64_t M, int64_t N, int64_t K, const float *a, int64_t lda, const float *b, int64_t ldb,
                          float *c, int64_t ldc, bool accumulate)
{
    int64_t n = 0;
    for (; n + AM_TILE_VECTORS * AM_WIDTH <= N; n += AM_TILE_VECTORS * AM_WIDTH)
        column_nn(AM_TILE_VECTORS, AM_WIDTH, M, K, a, lda, b + n, ldb, c + n, ldc, accumulate);
    for (; n + 2 * AM_WIDTH <= N; n += 2 * AM_WIDTH)
        column_nn(2, AM_WIDTH, M, K, a, lda, b + n, ldb, c + n, ldc, accumulate);
    if (n + AM_WIDTH <= N) {
        column_nn(1, AM_WIDTH, M, K, a, lda, b + n, ldb, c + n, ldc, accumulate);
        n += AM_WIDTH;
    }
    if (n < N) column_nn(1, N - n, M, K, a, lda, b + n, ldb, c + n, ldc, accumulate);
}
