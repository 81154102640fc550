#include "targets/cpu/kernels/strided.h"

#include "base/threads.h"
#include "targets/cpu/kernels/turn.h"

#include <string.h>

static bool can_merge(const am_strided *s, int last, int64_t dim, int64_t (*strides)[AM_RANK_LIMIT], int from)
{
    for (int k = 0; k < s->operands; k++)
        if (s->strides[k][last] != strides[k][from] * dim) return false;
    return true;
}

static void push(am_strided *s, int64_t dim, int64_t (*strides)[AM_RANK_LIMIT], int from)
{
    if (s->rank > 0 && can_merge(s, s->rank - 1, dim, strides, from)) s->dims[s->rank - 1] *= dim;
    else s->dims[s->rank++] = dim;
    for (int k = 0; k < s->operands; k++) s->strides[k][s->rank - 1] = strides[k][from];
}

void am_strided_make(am_strided *s, const am_shape *shape, int operands, int64_t (*strides)[AM_RANK_LIMIT],
                     int64_t chunk)
{
    *s = (am_strided){.operands = operands, .inner = 1, .rows = 1};
    for (int i = 0; i < shape->rank; i++)
        if (shape->dims[i] != 1) push(s, shape->dims[i], strides, i);
    if (s->rank > 0) {
        s->inner = s->dims[--s->rank];
        for (int k = 0; k < operands; k++) s->step[k] = s->strides[k][s->rank];
    }
    for (int64_t pieces = 64; chunk && pieces > 1; pieces /= 2) {
        if (s->inner < chunk * 2 || s->inner % pieces != 0) continue;
        s->inner /= pieces;
        s->dims[s->rank] = pieces;
        for (int k = 0; k < operands; k++) s->strides[k][s->rank] = s->inner * s->step[k];
        s->rank++;
        break;
    }
    for (int i = 0; i < s->rank; i++) s->rows *= s->dims[i];
    if (s->inner == 0) s->rows = 0;
}

void am_strided_of_broadcast(am_strided *s, const am_kernel_call *call, int operands, int64_t chunk)
{
    int64_t strides[AM_STRIDED_OPERANDS][AM_RANK_LIMIT];
    for (int k = 0; k < operands; k++)
        am_shape_broadcast_strides(&call->inputs[k].shape, &call->outputs[0].shape, strides[k]);
    am_strided_make(s, &call->outputs[0].shape, operands, strides, chunk);
}

am_strided_place am_strided_seek(const am_strided *s, int64_t row)
{
    am_strided_place at = {0};
    for (int i = s->rank - 1; i >= 0; i--) {
        at.index[i] = row % s->dims[i];
        row /= s->dims[i];
        for (int k = 0; k < s->operands; k++) at.offset[k] += at.index[i] * s->strides[k][i];
    }
    return at;
}

void am_strided_next(const am_strided *s, am_strided_place *at)
{
    for (int i = s->rank - 1; i >= 0; i--) {
        bool carry = ++at->index[i] == s->dims[i];
        for (int k = 0; k < s->operands; k++) at->offset[k] += s->strides[k][i] * (carry ? 1 - s->dims[i] : 1);
        if (!carry) return;
        at->index[i] = 0;
    }
}

typedef struct copy {
    const am_strided *s;
    const char *from;
    char *to;
    int64_t bytes;
} copy;

#define COPY_ROW(type)                                                                                                 \
    for (int64_t i = 0; i < n; i++) ((type *)to)[i] = ((const type *)from)[i * step]

static void copy_row(const void *from, int64_t step, void *to, int64_t n, int64_t bytes)
{
    if (step == 1) {
        memcpy(to, from, (size_t)(n * bytes));
        return;
    }
    switch (bytes) {
    case 1:
        COPY_ROW(uint8_t);
        break;
    case 2:
        COPY_ROW(uint16_t);
        break;
    case 4:
        COPY_ROW(uint32_t);
        break;
    default:
        COPY_ROW(uint64_t);
        break;
    }
}

static void copy_rows(void *context, int64_t begin, int64_t end)
{
    const copy *c = context;
    am_strided_place at = am_strided_seek(c->s, begin);
    for (int64_t row = begin; row < end; row++, am_strided_next(c->s, &at))
        copy_row(c->from + at.offset[0] * c->bytes, c->s->step[0], c->to + row * c->s->inner * c->bytes, c->s->inner,
                 c->bytes);
}

/* --- where neighbours in the result are apart in the operand, and its neighbours in the result --- */

enum { TURNED_TOGETHER = 64, LEAST_TURNED = 4 };

typedef struct turning {
    am_strided planes; /* operand 0 and, as operand 1, the result, without the two dimensions */
    const uint32_t *from;
    uint32_t *to;
    int64_t rows, row, columns, to_row, blocks; /* of the operand's matrix, whose columns are neighbours */
} turning;

static void turn_blocks(void *context, int64_t begin, int64_t end)
{
    const turning *t = context;
    for (int64_t i = begin; i < end; i++) {
        am_strided_place at = am_strided_seek(&t->planes, i / t->blocks);
        int64_t c = i % t->blocks * TURNED_TOGETHER, left = t->columns - c;
        am_turn_matrix(t->from + at.offset[0] + c, t->row, t->to + at.offset[1] + c * t->to_row, t->to_row, t->rows,
                       left < TURNED_TOGETHER ? left : TURNED_TOGETHER);
    }
}

/* False where there is no such matrix. */
static bool find_matrix(const am_strided *s, turning *t)
{
    int found = -1;
    for (int i = 0; i < s->rank; i++)
        if (s->strides[0][i] == 1 && s->dims[i] >= LEAST_TURNED) found = i;
    if (found < 0 || s->step[0] <= 1 || s->inner < LEAST_TURNED) return false;
    t->planes = (am_strided){.operands = 2};
    int64_t to_row = s->inner;
    for (int i = s->rank - 1; i >= 0; to_row *= s->dims[i--])
        if (i == found) t->to_row = to_row;
        else t->planes.strides[1][i - (i > found)] = to_row;
    for (int i = 0; i < s->rank; i++) {
        if (i == found) continue;
        t->planes.dims[t->planes.rank] = s->dims[i];
        t->planes.strides[0][t->planes.rank++] = s->strides[0][i];
    }
    t->rows = s->inner, t->row = s->step[0], t->columns = s->dims[found];
    t->blocks = (t->columns + TURNED_TOGETHER - 1) / TURNED_TOGETHER;
    return true;
}

void am_strided_copy(const am_strided *s, const void *from, void *to, int64_t bytes)
{
    turning t = {.from = from, .to = to};
    if (bytes == 4 && s->rows > 0 && find_matrix(s, &t)) {
        am_parallel_for(s->rows / t.columns * t.blocks, 1 + 256 / (t.rows + 1), turn_blocks, &t);
        return;
    }
    copy c = {s, from, to, bytes};
    am_parallel_for(s->rows, 1 + 16384 / (s->inner * bytes + 1), copy_rows, &c);
}
