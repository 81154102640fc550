#include "text/table_encoding.h"

#include "base/file.h"
#include "text/numeric_values.h"

#include <string.h>

enum { EQUAL = 1, LESS = 2, GREATER = 4 }; /* relations of a value in the question to that of a cell */

/* A piece of a cell; row 0 is the header. `begin`: place in the cell of the first piece of its word. */
typedef struct token {
    int32_t id;
    int64_t column, row, begin;
} token;

typedef struct cell {
    am_text text;
    bool has_value;
    am_numeric_value value; /* of the kind that its column has */
    int rank, inverse_rank, relations;
} cell;

typedef struct job {
    const am_tokenizer *tokenizer;
    const am_table_options *options;
    am_arena *arena;
    int64_t rows, columns;
    cell *cells; /* [rows + 1, columns], the names of the columns first */
    am_text question;
    token *tokens; /* of the table, then kept ones only */
    int64_t count, capacity;
    int32_t *question_ids;
    int64_t question_count;
} job;

/* The cell of a row of the table: 0 is the first below the header. */
static cell *cell_at(const job *j, int64_t row, int64_t column)
{
    return &j->cells[(row + 1) * j->columns + column];
}

/* ---- settings ---- */

static int64_t count_or(am_json config, const char *key, int64_t fallback)
{
    int64_t value = am_json_int(am_json_get(config, key), -1);
    return value >= 0 ? value : fallback;
}

am_status am_table_options_read(const char *directory, am_table_options *out)
{
    am_arena arena = {0};
    am_json_document *document = NULL;
    char *path = am_path_join(&arena, directory, "tokenizer_config.json");
    am_status status = path ? NULL : am_out_of_memory();
    if (path && am_file_exists(path)) status = am_json_open(path, &document);
    am_json config = status || !document ? (am_json){0} : am_json_root(document);
    *out = (am_table_options){.cell_trim_length = count_or(config, "cell_trim_length", -1),
                              .max_column_id = count_or(config, "max_column_id", -1),
                              .max_row_id = count_or(config, "max_row_id", -1),
                              .min_question_length = count_or(config, "min_question_length", 0),
                              .max_question_length = count_or(config, "max_question_length", INT64_MAX),
                              .strip_column_names = am_json_bool(am_json_get(config, "strip_column_names"), false)};
    am_json_close(document);
    am_arena_deinit(&arena);
    return status;
}

/* ---- tokens ---- */

static am_status add_token(job *j, token t)
{
    if (j->count == j->capacity) {
        int64_t larger = j->capacity ? 2 * j->capacity : 256;
        token *grown = am_arena_array(j->arena, (size_t)larger, sizeof *grown);
        if (!grown) return am_out_of_memory();
        if (j->count) memcpy(grown, j->tokens, (size_t)j->count * sizeof *grown);
        j->tokens = grown;
        j->capacity = larger;
    }
    j->tokens[j->count++] = t;
    return NULL;
}

/* The pieces of a text; one that says nothing is a single empty_token. */
static am_status encode(const job *j, am_text text, am_encoding *out)
{
    am_encode_options options = {0};
    bool is_empty = text.length && am_text_says_nothing(text.bytes, text.length);
    am_text empty = am_tokenizer_special_token(j->tokenizer, "empty_token");
    return am_tokenizer_encode(j->tokenizer, is_empty ? empty : text, NULL, &options, out);
}

static am_status encode_cell(job *j, int64_t row, int64_t column)
{
    am_encoding e = {0};
    bool is_stripped = row < 0 && j->options->strip_column_names;
    am_status status = encode(j, is_stripped ? (am_text){"", 0} : cell_at(j, row, column)->text, &e);
    int64_t begin = 0;
    for (size_t i = 0; i < e.count && !status; i++) {
        bool goes_on = e.tokens[i].length >= 2 && memcmp(e.tokens[i].bytes, "##", 2) == 0;
        if (!goes_on) begin = (int64_t)i;
        status = add_token(j, (token){.id = e.ids[i], .column = column + 1, .row = row + 1, .begin = begin});
    }
    am_encoding_deinit(&e);
    return status;
}

/* A question that is too short or too long is none. */
static am_status encode_question(job *j)
{
    am_encoding e = {0};
    AM_TRY(encode(j, j->question, &e));
    bool fits =
        (int64_t)e.count >= j->options->min_question_length && (int64_t)e.count <= j->options->max_question_length;
    size_t count = fits ? e.count : 0;
    if (!fits) j->question = (am_text){"", 0};
    j->question_ids = am_arena_array(j->arena, count + 1, sizeof *j->question_ids);
    j->question_count = (int64_t)count;
    if (j->question_ids && count) memcpy(j->question_ids, e.ids, count * sizeof *e.ids);
    am_encoding_deinit(&e);
    return j->question_ids ? NULL : am_out_of_memory();
}

/* Keeps the first `rows` rows and, of each cell, the words that begin among its first `pieces`. Returns how many tokens
   that is; moves them together when `drop`. */
static int64_t fit(job *j, int64_t rows, int64_t pieces, bool drop)
{
    int64_t kept = 0;
    for (int64_t i = 0; i < j->count; i++) {
        if (j->tokens[i].row > rows || j->tokens[i].begin >= pieces) continue;
        if (drop) j->tokens[kept] = j->tokens[i];
        kept++;
    }
    return kept;
}

/* How many pieces of every cell have room when `rows` rows stand; -1: too few. A cell_trim_length leaves no choice. */
static int64_t room_for(job *j, int64_t rows, int64_t budget, int64_t longest)
{
    int64_t trim = j->options->cell_trim_length, pieces = 0;
    if (trim >= 0 && longest > trim) longest = trim;
    while (pieces < longest && fit(j, rows, pieces + 1, false) <= budget) pieces++;
    bool is_short = pieces < longest && (trim >= 0 || pieces == 0);
    return is_short ? -1 : pieces;
}

/* Fails when the table is too wide, or too long and not to be cut; else *rows are those that may stand. */
static am_status check_size(const job *j, int64_t *rows)
{
    int64_t length = (int64_t)am_tokenizer_model_max_length(j->tokenizer), unlimited = length ? length : INT64_MAX;
    int64_t most_columns = j->options->max_column_id >= 0 ? j->options->max_column_id : unlimited;
    int64_t most_rows = j->options->max_row_id >= 0 ? j->options->max_row_id : unlimited;
    *rows = j->rows;
    if (j->columns >= most_columns) return am_error(AM_OUT_OF_RANGE, "a table of %lld columns", (long long)j->columns);
    if (j->rows < most_rows) return NULL;
    *rows = most_rows - 1;
    return j->options->drop_rows_to_fit ? NULL : am_error(AM_OUT_OF_RANGE, "a table of %lld rows", (long long)j->rows);
}

/* The last rows go first, then the ends of the cells (drop_rows_to_fit). */
static am_status truncate(job *j)
{
    int64_t limit = j->options->max_length, rows, longest = 0, pieces;
    AM_TRY(check_size(j, &rows));
    if (!limit) limit = (int64_t)am_tokenizer_model_max_length(j->tokenizer);
    if (!limit || !j->options->drop_rows_to_fit) return NULL;
    for (int64_t i = 0; i < j->count; i++)
        if (j->tokens[i].begin + 1 > longest) longest = j->tokens[i].begin + 1;
    do pieces = room_for(j, rows, limit - j->question_count - 2, longest);
    while (pieces < 0 && --rows > 0);
    j->count = fit(j, rows, pieces > 0 ? pieces : 1, true);
    return NULL;
}

static am_status tokenize(job *j)
{
    AM_TRY(encode_question(j));
    for (int64_t row = -1; row < j->rows; row++)
        for (int64_t column = 0; column < j->columns; column++) AM_TRY(encode_cell(j, row, column));
    return truncate(j);
}

/* ---- numbers and dates in the table ---- */

/* A column's values are all numbers or all dates: the kind that more cells have, dates of equals; none where fewer than
   70 % have it. */
static am_status find_values(job *j, int64_t column)
{
    const double least = 0.7;
    int64_t counts[2] = {0};
    am_numeric_values *found = am_arena_array(j->arena, (size_t)j->rows, sizeof *found);
    if (!found) return am_out_of_memory();
    for (int64_t row = 0; row < j->rows; row++) {
        am_text text = cell_at(j, row, column)->text;
        bool has[2] = {false, false};
        AM_TRY(am_numeric_values_find(text.bytes, text.length, j->arena, &found[row]));
        for (size_t i = 0; i < found[row].count; i++) has[found[row].items[i].is_date] = true;
        for (int kind = 0; kind < 2; kind++) counts[kind] += has[kind];
    }
    bool dates = counts[true] >= counts[false];
    if ((double)counts[dates] < (double)j->rows * least) return NULL;
    for (int64_t row = 0; row < j->rows; row++)
        for (size_t i = found[row].count; i-- > 0;) /* the first of that kind stays */
            if (found[row].items[i].is_date == dates) {
                cell_at(j, row, column)->value = found[row].items[i];
                cell_at(j, row, column)->has_value = true;
            }
    return NULL;
}

/* Which parts two values of a column, or one of it and `other` (may be null), are compared by: those that all have.
   False: they cannot be. */
static bool common_parts(const job *j, int64_t column, const am_numeric_value *other, bool parts[AM_DATE_PARTS])
{
    bool is_date = false, any = false;
    for (int i = 0; i < AM_DATE_PARTS; i++) parts[i] = true;
    for (int64_t row = 0; row < j->rows; row++) {
        const cell *c = cell_at(j, row, column);
        if (!c->has_value) continue;
        if (other && other->is_date != c->value.is_date) return false;
        is_date = c->value.is_date;
        any = true;
        for (int i = 0; i < AM_DATE_PARTS; i++) parts[i] = parts[i] && c->value.parts[i] != 0;
    }
    for (int i = 0; other && i < AM_DATE_PARTS; i++) parts[i] = parts[i] && other->parts[i] != 0;
    if (!is_date) memcpy(parts, (const bool[AM_DATE_PARTS]){true}, sizeof(bool[AM_DATE_PARTS]));
    return any && (parts[0] || parts[1] || parts[2]);
}

static int compare(const am_numeric_value *a, const am_numeric_value *b, const bool parts[AM_DATE_PARTS])
{
    for (int i = 0; i < AM_DATE_PARTS; i++)
        if (parts[i] && a->parts[i] != b->parts[i]) return a->parts[i] < b->parts[i] ? -1 : 1;
    return 0;
}

/* Whether a row above has the same value. */
static bool is_repeated(const job *j, int64_t column, int64_t row, const bool parts[AM_DATE_PARTS])
{
    for (int64_t i = 0; i < row; i++) {
        const cell *c = cell_at(j, i, column);
        if (c->has_value && compare(&c->value, &cell_at(j, row, column)->value, parts) == 0) return true;
    }
    return false;
}

/* Ranks from 1 up and from 1 down; equal values have equal ones. */
static void rank_column(job *j, int64_t column)
{
    bool parts[AM_DATE_PARTS];
    if (!common_parts(j, column, NULL, parts)) return;
    for (int64_t row = 0; row < j->rows; row++)
        if (cell_at(j, row, column)->has_value)
            cell_at(j, row, column)->rank = cell_at(j, row, column)->inverse_rank = 1;
    for (int64_t other = 0; other < j->rows; other++) {
        const cell *distinct = cell_at(j, other, column);
        if (!distinct->has_value || is_repeated(j, column, other, parts)) continue;
        for (int64_t row = 0; row < j->rows; row++) {
            cell *c = cell_at(j, row, column);
            if (!c->has_value) continue;
            int order = compare(&distinct->value, &c->value, parts);
            c->rank += order < 0;
            c->inverse_rank += order > 0;
        }
    }
}

static void relate(job *j, int64_t column, const am_numeric_value *value)
{
    bool parts[AM_DATE_PARTS];
    if (!common_parts(j, column, value, parts)) return;
    for (int64_t row = 0; row < j->rows; row++) {
        cell *c = cell_at(j, row, column);
        int order = c->has_value ? compare(value, &c->value, parts) : 0;
        if (c->has_value) c->relations |= order < 0 ? LESS : order > 0 ? GREATER : EQUAL;
    }
}

static am_status annotate(job *j)
{
    am_numeric_values asked;
    AM_TRY(am_numeric_values_find(j->question.bytes, j->question.length, j->arena, &asked));
    for (int64_t column = 0; column < j->columns; column++) {
        AM_TRY(find_values(j, column));
        rank_column(j, column);
        for (size_t i = 0; i < asked.count; i++) relate(j, column, &asked.items[i]);
    }
    return NULL;
}

/* ---- the encoding ---- */

static void describe(const job *j, const token *t, int32_t kinds[AM_TABLE_KINDS])
{
    kinds[AM_TABLE_SEGMENT] = 1;
    kinds[AM_TABLE_COLUMN] = (int32_t)t->column;
    kinds[AM_TABLE_ROW] = (int32_t)t->row;
    if (!t->row) return;
    const cell *c = cell_at(j, t->row - 1, t->column - 1);
    kinds[AM_TABLE_RANK] = c->rank;
    kinds[AM_TABLE_INVERSE_RANK] = c->inverse_rank;
    kinds[AM_TABLE_RELATIONS] = c->relations;
}

/* Padding is behind, or before where that is the tokenizer's side. */
static am_status place(const job *j, int64_t length, am_table_encoding *out)
{
    const am_table_options *options = j->options;
    int64_t limit = options->max_length ? options->max_length : (int64_t)am_tokenizer_model_max_length(j->tokenizer);
    int64_t padded = options->pad_to_max_length && limit > length ? limit : length;
    bool left = am_tokenizer_padding_side(j->tokenizer) == AM_SIDE_LEFT;
    int32_t pad = am_tokenizer_special_id(j->tokenizer, "pad_token");
    out->count = padded;
    out->first = left ? padded - length : 0;
    out->ids = am_arena_array(j->arena, (size_t)padded, sizeof *out->ids);
    out->attention_mask = am_arena_array(j->arena, (size_t)padded, sizeof *out->attention_mask);
    out->type_ids = am_arena_array(j->arena, (size_t)padded, sizeof *out->type_ids);
    if (!out->ids || !out->attention_mask || !out->type_ids) return am_out_of_memory();
    for (int64_t i = 0; i < padded; i++) {
        bool is_token = i >= out->first && i < out->first + length;
        out->attention_mask[i] = is_token;
        if (!is_token) out->ids[i] = pad;
    }
    return NULL;
}

/* [CLS] question [SEP] table, cell by cell. */
static am_status assemble(const job *j, am_table_encoding *out)
{
    int64_t before = j->question_count + 2, length = before + j->count;
    if (j->options->max_length && length > j->options->max_length)
        return am_error(AM_OUT_OF_RANGE, "question and table have %lld tokens, more than max_length (%lld)",
                        (long long)length, (long long)j->options->max_length);
    AM_TRY(place(j, length, out));
    int32_t *ids = out->ids + out->first;
    ids[0] = am_tokenizer_special_id(j->tokenizer, "cls_token");
    ids[before - 1] = am_tokenizer_special_id(j->tokenizer, "sep_token");
    memcpy(ids + 1, j->question_ids, (size_t)j->question_count * sizeof *ids);
    out->table_first = out->first + before;
    out->table_count = j->count;
    for (int64_t i = 0; i < j->count; i++) {
        ids[before + i] = j->tokens[i].id;
        describe(j, &j->tokens[i], out->type_ids[out->table_first + i]);
    }
    return NULL;
}

am_status am_table_encode(const am_tokenizer *tokenizer, const am_table *table, am_text question,
                          const am_table_options *options, am_arena *arena, am_table_encoding *out)
{
    job j = {.tokenizer = tokenizer,
             .options = options,
             .arena = arena,
             .rows = table->rows,
             .columns = table->columns,
             .question = question};
    *out = (am_table_encoding){0};
    if (!am_tokenizer_special_token(tokenizer, "empty_token").length)
        return am_error(AM_UNSUPPORTED, "tables need a TapasTokenizer, found %s", am_tokenizer_class(tokenizer));
    j.cells = am_arena_array(arena, (size_t)((j.rows + 1) * j.columns) + 1, sizeof *j.cells);
    if (!j.cells) return am_out_of_memory();
    for (int64_t i = 0; i < (j.rows + 1) * j.columns; i++) j.cells[i].text = table->cells[i];
    AM_TRY(tokenize(&j));
    AM_TRY(annotate(&j));
    return assemble(&j, out);
}
