#include "tasks/task.h"

#include "tensor/shape.h"
#include "text/numeric_values.h"
#include "text/tokenizer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What TAPAS knows of a token, in the order of its embeddings. */
enum { SEGMENT, COLUMN, ROW, LABEL, RANK, INVERSE_RANK, RELATIONS, KINDS };

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
    am_pipeline *p;
    am_tokenizer *tokenizer;
    am_arena arena;
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

/* --- the table --- */

static am_status read_column(job *j, am_json_string name, am_json values, int64_t column)
{
    int64_t row = 0;
    if (am_json_kind_of(values) != AM_JSON_ARRAY || (int64_t)am_json_count(values) != j->rows)
        return am_error(AM_INVALID_ARGUMENT, "table: column %s: expected a list of %lld texts, as the first has",
                        name.bytes, (long long)j->rows);
    j->cells[column].text = (am_text){name.bytes, name.length};
    for (am_json_iterator i = am_json_iterate(values); am_json_next(&i); row++) {
        am_json_string text = am_json_text(i.value);
        if (am_json_kind_of(i.value) != AM_JSON_STRING)
            return am_error(AM_INVALID_ARGUMENT, "table: column %s, row %lld: expected a text, found %s", name.bytes,
                            (long long)row, am_json_kind_name(am_json_kind_of(i.value)));
        cell_at(j, row, column)->text = (am_text){text.bytes, text.length};
    }
    return NULL;
}

/* {"column": ["cell", ...], ...} */
static am_status read_table(job *j, am_json table)
{
    int64_t column = 0;
    am_json_iterator first = am_json_iterate(table);
    bool is_object = am_json_kind_of(table) == AM_JSON_OBJECT && am_json_next(&first);
    j->rows = is_object ? (int64_t)am_json_count(first.value) : 0;
    j->columns = (int64_t)am_json_count(table);
    if (!j->rows)
        return am_error(AM_INVALID_ARGUMENT, "the table is empty: expected an object of columns, each a list of texts");
    j->cells = am_arena_array(&j->arena, (size_t)((j->rows + 1) * j->columns), sizeof *j->cells);
    if (!j->cells) return am_out_of_memory();
    for (am_json_iterator i = am_json_iterate(table); am_json_next(&i);)
        AM_TRY(read_column(j, i.key, i.value, column++));
    return NULL;
}

/* --- tokens --- */

static am_status add_token(job *j, token t)
{
    if (j->count == j->capacity) {
        int64_t larger = j->capacity ? 2 * j->capacity : 256;
        token *grown = am_arena_array(&j->arena, (size_t)larger, sizeof *grown);
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
    am_status status = encode(j, cell_at(j, row, column)->text, &e);
    int64_t begin = 0;
    for (size_t i = 0; i < e.count && !status; i++) {
        bool goes_on = e.tokens[i].length >= 2 && memcmp(e.tokens[i].bytes, "##", 2) == 0;
        if (!goes_on) begin = (int64_t)i;
        status = add_token(j, (token){.id = e.ids[i], .column = column + 1, .row = row + 1, .begin = begin});
    }
    am_encoding_deinit(&e);
    return status;
}

static am_status encode_question(job *j)
{
    am_encoding e = {0};
    AM_TRY(encode(j, j->question, &e));
    j->question_ids = am_arena_array(&j->arena, e.count + 1, sizeof *j->question_ids);
    j->question_count = (int64_t)e.count;
    if (j->question_ids && e.count) memcpy(j->question_ids, e.ids, e.count * sizeof *e.ids);
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

/* How many pieces of every cell have room when `rows` rows stand; 0: not one. */
static int64_t room_for(job *j, int64_t rows, int64_t budget, int64_t longest)
{
    int64_t pieces = 0;
    while (pieces < longest && fit(j, rows, pieces + 1, false) <= budget) pieces++;
    return pieces;
}

/* The last rows go first, then the ends of the cells (drop_rows_to_fit). */
static am_status truncate(job *j)
{
    int64_t limit = (int64_t)am_tokenizer_model_max_length(j->tokenizer), rows = j->rows, longest = 0, pieces;
    if (limit == 0) return NULL;
    if (j->columns >= limit) return am_error(AM_OUT_OF_RANGE, "a table of %lld columns", (long long)j->columns);
    if (rows >= limit) rows = limit - 1;
    for (int64_t i = 0; i < j->count; i++)
        if (j->tokens[i].begin + 1 > longest) longest = j->tokens[i].begin + 1;
    do pieces = room_for(j, rows, limit - j->question_count - 2, longest);
    while (!pieces && --rows > 0);
    j->count = fit(j, rows, pieces ? pieces : 1, true);
    return NULL;
}

static am_status tokenize(job *j)
{
    AM_TRY(encode_question(j));
    for (int64_t row = -1; row < j->rows; row++)
        for (int64_t column = 0; column < j->columns; column++) AM_TRY(encode_cell(j, row, column));
    return truncate(j);
}

/* --- numbers and dates in the table --- */

/* A column's values are all numbers or all dates: the kind that more cells have, dates of equals; none where fewer than
   70 % have it. */
static am_status find_values(job *j, int64_t column)
{
    const double least = 0.7;
    int64_t counts[2] = {0};
    am_numeric_values *found = am_arena_array(&j->arena, (size_t)j->rows, sizeof *found);
    if (!found) return am_out_of_memory();
    for (int64_t row = 0; row < j->rows; row++) {
        am_text text = cell_at(j, row, column)->text;
        bool has[2] = {false, false};
        AM_TRY(am_numeric_values_find(text.bytes, text.length, &j->arena, &found[row]));
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
    AM_TRY(am_numeric_values_find(j->question.bytes, j->question.length, &j->arena, &asked));
    for (int64_t column = 0; column < j->columns; column++) {
        AM_TRY(find_values(j, column));
        rank_column(j, column);
        for (size_t i = 0; i < asked.count; i++) relate(j, column, &asked.items[i]);
    }
    return NULL;
}

/* --- the model's inputs --- */

static void describe(const job *j, const token *t, int32_t kinds[KINDS])
{
    kinds[SEGMENT] = 1;
    kinds[COLUMN] = (int32_t)t->column;
    kinds[ROW] = (int32_t)t->row;
    if (!t->row) return;
    const cell *c = cell_at(j, t->row - 1, t->column - 1);
    kinds[RANK] = c->rank;
    kinds[INVERSE_RANK] = c->inverse_rank;
    kinds[RELATIONS] = c->relations;
}

/* [CLS] question [SEP] table, cell by cell. */
static am_status make_inputs(job *j, am_session_input out[3], int64_t *out_length)
{
    int64_t before = j->question_count + 2, T = before + j->count;
    int32_t *ids = am_arena_array(&j->arena, (size_t)T, sizeof *ids),
            *mask = am_arena_array(&j->arena, (size_t)T, sizeof *mask);
    int32_t(*types)[KINDS] = am_arena_array(&j->arena, (size_t)T, sizeof *types);
    if (!ids || !mask || !types) return am_out_of_memory();
    ids[0] = am_tokenizer_special_id(j->tokenizer, "cls_token");
    ids[before - 1] = am_tokenizer_special_id(j->tokenizer, "sep_token");
    memcpy(ids + 1, j->question_ids, (size_t)j->question_count * sizeof *ids);
    for (int64_t i = 0; i < j->count; i++) {
        ids[before + i] = j->tokens[i].id;
        describe(j, &j->tokens[i], types[before + i]);
    }
    for (int64_t i = 0; i < T; i++) mask[i] = 1;
    out[0] = (am_session_input){"input_ids", {AM_I32, am_shape_of(1, T), ids}};
    out[1] = (am_session_input){"attention_mask", {AM_I32, am_shape_of(1, T), mask}};
    out[2] = (am_session_input){"token_type_ids", {AM_I32, am_shape_of(1, T, KINDS), types}};
    *out_length = T;
    return NULL;
}

/* --- the answer --- */

/* Mean probability of a cell's tokens, as logits of the table's tokens give it; 0 where it has none. */
static double probability(const job *j, const float *logits, int64_t row, int64_t column)
{
    double sum = 0;
    int64_t count = 0;
    for (int64_t i = 0; i < j->count; i++) {
        if (j->tokens[i].row != row + 1 || j->tokens[i].column != column + 1) continue;
        sum += (double)(1 / (1 + expf(-logits[i])));
        count++;
    }
    return count ? sum / (double)count : 0;
}

static void append_quoted(am_buffer *out, am_text text)
{
    am_buffer_append_json_string(out, text.bytes, text.length);
}

/* Name of the operator that the answer is to be made with, null where the model has none; *is_used: it is not "none".
 */
static am_status find_operator(job *j, am_json_string *out, bool *is_used)
{
    const am_config *c = am_pipeline_config(j->p);
    am_json labels = am_json_get(c->object, "aggregation_labels");
    am_tensor logits;
    *out = (am_json_string){0};
    if (!am_json_count(labels) || !am_session_find_output(j->p->session, "logits_aggregation", &logits)) return NULL;
    const float *scores = logits.data;
    int64_t best = 0;
    for (int64_t i = 1; i < logits.shape.dims[1]; i++)
        if (scores[i] > scores[best]) best = i;
    const char *key = am_arena_printf(&j->arena, "%lld", (long long)best);
    if (!key) return am_out_of_memory();
    am_json label = am_json_get(labels, key);
    if (am_json_kind_of(label) != AM_JSON_STRING)
        return am_error(AM_INVALID_FILE, "config.json: aggregation_labels: expected a text at %s", key);
    *out = am_json_text(label);
    *is_used = best != am_config_int(c, "no_aggregation_label_index", -1);
    return NULL;
}

static am_status append_answer(job *j, const float *logits, am_buffer *out)
{
    am_buffer places = {0}, cells = {0}, answer = {0};
    am_json_string operator;
    bool is_used = false, any = false;
    AM_TRY(find_operator(j, &operator, & is_used));
    if (is_used) am_buffer_printf(&answer, "%s > ", operator.bytes);
    for (int64_t row = 0; row < j->rows; row++)
        for (int64_t column = 0; column < j->columns; column++) {
            if (probability(j, logits, row, column) <= 0.5) continue;
            am_text text = cell_at(j, row, column)->text;
            am_buffer_printf(&places, "%s[%lld, %lld]", any ? ", " : "", (long long)row, (long long)column);
            if (any) am_buffer_append_string(&cells, ", ");
            append_quoted(&cells, text);
            if (any) am_buffer_append_string(&answer, ", ");
            am_buffer_append(&answer, text.bytes, text.length);
            any = true;
        }
    am_buffer_append_string(out, "{\"answer\": ");
    append_quoted(out, (am_text){am_buffer_text(&answer), answer.length});
    am_buffer_printf(out, ", \"coordinates\": [%s], \"cells\": [%s]", am_buffer_text(&places), am_buffer_text(&cells));
    if (operator.length) am_buffer_append_string(out, ", \"aggregator\": ");
    if (operator.length) append_quoted(out, (am_text){operator.bytes, operator.length});
    am_buffer_append_char(out, '}');
    am_status status = am_buffer_status(&places);
    if (!status) status = am_buffer_status(&cells);
    if (!status) status = am_buffer_status(&answer);
    am_buffer_deinit(&places);
    am_buffer_deinit(&cells);
    am_buffer_deinit(&answer);
    return status;
}

/* Settings of TapasTokenizer that no model in use turns. */
static am_status check_settings(job *j)
{
    static const char *const fields[] = {"max_column_id",       "max_row_id",         "min_question_length",
                                         "max_question_length", "strip_column_names", "cell_trim_length"};
    am_json_document *document;
    const char *path = am_arena_printf(&j->arena, "%s/tokenizer_config.json", j->p->directory);
    am_status status = NULL;
    if (!path) return am_out_of_memory();
    am_status opened = am_json_open(path, &document);
    if (opened) {
        am_status_free(opened); /* its fields are all optional */
        return NULL;
    }
    for (size_t i = 0; i < sizeof fields / sizeof *fields && !status; i++) {
        am_json value = am_json_get(am_json_root(document), fields[i]);
        if (am_json_bool(value, false) || am_json_int(value, -1) >= 0)
            status = am_error(AM_UNSUPPORTED, "%s: %s: only its default is supported", path, fields[i]);
    }
    am_json_close(document);
    return status;
}

static am_status answer_question(job *j, am_json table, am_buffer *out)
{
    am_session_input inputs[3];
    am_tensor logits;
    int64_t T;
    AM_TRY(am_pipeline_tokenizer(j->p, &j->tokenizer));
    if (!am_tokenizer_special_token(j->tokenizer, "empty_token").length)
        return am_error(AM_UNSUPPORTED, "this task needs a TapasTokenizer, found %s", am_tokenizer_class(j->tokenizer));
    AM_TRY(check_settings(j));
    AM_TRY(read_table(j, table));
    AM_TRY(tokenize(j));
    AM_TRY(annotate(j));
    AM_TRY(make_inputs(j, inputs, &T));
    AM_TRY(am_run_for_output(j->p, inputs, 3, "logits", &logits));
    if (logits.shape.rank != 2 || logits.shape.dims[1] != T)
        return am_error(AM_UNSUPPORTED, "class %s does not choose cells", j->p->model->architecture->name);
    return append_answer(j, (const float *)logits.data + T - j->count, out);
}

static am_status run(am_pipeline *p, const am_task_input *input, am_json options, am_buffer *out)
{
    am_json_document *table;
    job j = {.p = p};
    (void)options;
    AM_TRY(am_need_text(input));
    if (!input->text[0]) return am_error(AM_INVALID_ARGUMENT, "the question is empty");
    if (!input->text_pair)
        return am_error(AM_INVALID_ARGUMENT, "this task needs a question and a table as JSON (the text's pair): "
                                             "{\"column\": [\"cell\", ...], ...}");
    j.question = (am_text){input->text, strlen(input->text)};
    AM_TRY(am_json_parse(input->text_pair, strlen(input->text_pair), "table", &table));
    am_status status = answer_question(&j, am_json_root(table), out);
    am_json_close(table);
    am_arena_deinit(&j.arena);
    return status;
}

const am_task am_task_table_question_answering = {
    .name = "table-question-answering",
    .input = "question and table",
    .summary = "Finds the cells of a table that answer a question.",
    .parameters = "",
    .run = run,
};
