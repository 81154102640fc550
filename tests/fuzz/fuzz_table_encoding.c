/* A table and a question about it as TAPAS takes them. The first three bytes choose options and the number of columns;
   then follows the question, and cells, with line feeds between. */
#include "base/utf8.h"
#include "text/table_encoding.h"

#include "fuzz_data.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { OPTION_BYTES = 3, MOST_CELLS = 128 };

static void encode(const am_table *table, am_text question, const am_table_options *options)
{
    static am_tokenizer *t;
    static const char path[] = FUZZ_DATA "text/data/tokenizers/python/tapas";
    am_arena arena = {0};
    am_table_encoding e;
    if (!t && am_tokenizer_open(path, AM_TOKENIZER_AUTO, &t)) abort();
    am_status status = am_table_encode(t, table, question, options, &arena, &e);
    if (status && am_status_code(status) == AM_INTERNAL) abort();
    for (int64_t i = 0; !status && i < e.count; i++) {
        if (e.ids[i] < 0 || e.ids[i] >= am_tokenizer_id_limit(t)) abort();
        if (e.type_ids[i][AM_TABLE_COLUMN] < 0 || e.type_ids[i][AM_TABLE_COLUMN] > table->columns) abort();
        if (e.type_ids[i][AM_TABLE_ROW] < 0 || e.type_ids[i][AM_TABLE_ROW] > table->rows) abort();
    }
    if (!status && (e.first < 0 || e.table_first < 0 || e.table_first + e.table_count > e.count)) abort();
    am_status_free(status);
    am_arena_deinit(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    am_text lines[MOST_CELLS + 1];
    int64_t count = 0;
    if (size < OPTION_BYTES || !am_utf8_valid((const char *)data + OPTION_BYTES, size - OPTION_BYTES, NULL)) return 0;
    const char *at = (const char *)data + OPTION_BYTES, *end = (const char *)data + size;
    for (bool more = true; more && count <= MOST_CELLS; count++) {
        const char *line = at < end ? memchr(at, '\n', (size_t)(end - at)) : NULL;
        lines[count] = (am_text){at, (size_t)((line ? line : end) - at)};
        more = line != NULL;
        at = more ? line + 1 : end;
    }
    am_table table = {.columns = 1 + data[0] % 6, .cells = lines + 1};
    table.rows = (count - 1) / table.columns - 1;
    if (table.rows < 0) return 0;
    am_table_options options = {.cell_trim_length = data[1] % 4 - 1,
                                .max_column_id = data[1] & 16 ? 4 : -1,
                                .max_row_id = data[1] & 32 ? 4 : -1,
                                .max_question_length = data[1] & 64 ? 5 : 64,
                                .strip_column_names = data[1] & 128,
                                .drop_rows_to_fit = data[2] & 1,
                                .pad_to_max_length = data[2] & 2,
                                .max_length = data[2] / 4};
    encode(&table, lines[0], &options);
    return 0;
}
