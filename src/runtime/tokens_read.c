#include "runtime/tokens_read.h"

#include "base/memory.h"

void am_tokens_read_deinit(am_tokens_read *read)
{
    am_free(read->ids);
    *read = (am_tokens_read){0};
}

am_status am_tokens_read_append(am_tokens_read *read, const int32_t *ids, int64_t rows, int64_t T)
{
    int32_t *grown = am_realloc(read->ids, (size_t)((read->length + T) * rows) * sizeof *grown);
    if (!grown) return am_out_of_memory();
    for (int64_t t = 0; t < T; t++)
        for (int64_t r = 0; r < rows; r++) grown[(read->length + t) * rows + r] = ids[r * T + t];
    *read = (am_tokens_read){grown, read->length + T, rows};
    return NULL;
}

am_status am_tokens_read_reorder(am_tokens_read *read, const int32_t *origin, int64_t rows)
{
    if (read->length == 0) return NULL;
    int32_t *moved = am_alloc((size_t)(read->length * rows) * sizeof *moved);
    if (!moved) return am_out_of_memory();
    for (int64_t t = 0; t < read->length; t++)
        for (int64_t r = 0; r < rows; r++) moved[t * rows + r] = read->ids[t * read->rows + origin[r]];
    am_free(read->ids);
    *read = (am_tokens_read){moved, read->length, rows};
    return NULL;
}

void am_tokens_read_join(const am_tokens_read *read, const int32_t *ids, int64_t rows, int64_t T, int32_t *out)
{
    int64_t length = read->length + T;
    for (int64_t r = 0; r < rows; r++) {
        for (int64_t t = 0; t < read->length; t++) out[r * length + t] = read->ids[t * rows + r];
        for (int64_t t = 0; t < T; t++) out[r * length + read->length + t] = ids[r * T + t];
    }
}
