/* Tables with questions about them, as TapasTokenizer takes them. */
#include "recorded/tokenizers.h"

#include "text/table_encoding.h"

/* The header and the rows, one after the other, in the arena. */
static am_status read_table(am_json json, am_arena *arena, am_table *out)
{
    am_json header = am_json_get(json, "header"), rows = am_json_get(json, "rows");
    *out = (am_table){.rows = (int64_t)am_json_count(rows), .columns = (int64_t)am_json_count(header)};
    am_text *cells = am_arena_array(arena, (size_t)((out->rows + 1) * out->columns) + 1, sizeof *cells);
    size_t at = 0;
    if (!cells) return am_out_of_memory();
    for (am_json_iterator i = am_json_iterate(header); am_json_next(&i); at++)
        cells[at] = (am_text){am_json_text(i.value).bytes, am_json_text(i.value).length};
    for (am_json_iterator row = am_json_iterate(rows); am_json_next(&row);) {
        if ((int64_t)am_json_count(row.value) != out->columns)
            return am_error(AM_INVALID_FILE, "rows: expected as many cells as the header has");
        for (am_json_iterator i = am_json_iterate(row.value); am_json_next(&i); at++)
            cells[at] = (am_text){am_json_text(i.value).bytes, am_json_text(i.value).length};
    }
    out->cells = cells;
    return NULL;
}

static am_table_options read_options(am_json kw, am_table_options settings)
{
    am_json truncation = am_json_get(kw, "truncation"), padding = am_json_get(kw, "padding");
    settings.max_length = am_json_int(am_json_get(kw, "max_length"), 0);
    settings.drop_rows_to_fit = am_json_equals(truncation, "drop_rows_to_fit") || am_json_bool(truncation, false);
    settings.pad_to_max_length =
        am_json_equals(padding, "max_length") || (am_json_bool(padding, false) && settings.max_length > 0);
    return settings;
}

static void verify_types(am_verify_run *run, am_json expected, const am_table_encoding *e)
{
    int64_t at = 0;
    if ((int64_t)am_json_count(expected) != e->count)
        am_verify_fail(run, "token_type_ids", "as many rows as tokens", "another number");
    for (am_json_iterator i = am_json_iterate(expected); am_json_next(&i) && at < e->count; at++)
        am_verify_numbers(run, "token_type_ids", i.value, e->type_ids[at], AM_TABLE_KINDS);
}

static am_status encode(am_verify_run *run, am_json json, am_arena *arena, am_table_encoding *out)
{
    am_table table;
    am_table_options options;
    am_json_string query = am_json_text(am_json_get(json, "query"));
    AM_TRY(read_table(json, arena, &table));
    AM_TRY(am_table_options_read(run->where, &options));
    options = read_options(am_json_get(json, "kw"), options);
    return am_table_encode(run->tokenizer, &table, (am_text){query.bytes, query.length}, &options, arena, out);
}

am_status am_verify_table(am_verify_run *run, am_json json)
{
    am_arena arena = {0};
    am_table_encoding e;
    am_json out = am_json_get(json, "out");
    bool error_expected = am_json_kind_of(am_json_get(json, "err")) != AM_JSON_MISSING;
    am_verify_start_case(run, "table", (int64_t)++run->line);
    am_status status = encode(run, json, &arena, &e);
    bool is_encoded = !status;
    am_verify_status(run, status, error_expected);
    if (is_encoded && !error_expected) {
        am_verify_numbers(run, "input_ids", am_json_get(out, "input_ids"), e.ids, (size_t)e.count);
        am_verify_numbers(run, "attention_mask", am_json_get(out, "attention_mask"), e.attention_mask, (size_t)e.count);
        verify_types(run, am_json_get(out, "token_type_ids"), &e);
    }
    am_verify_end_case(run);
    am_arena_deinit(&arena);
    return NULL;
}
