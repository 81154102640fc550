#include "tasks/task.h"

#include "tensor/shape.h"
#include "text/table_encoding.h"

#include <math.h>
#include <string.h>

typedef struct job {
    am_pipeline *p;
    am_tokenizer *tokenizer;
    am_arena arena;
    am_text *cells;
    am_table table;
    am_table_encoding encoding;
} job;

static am_text cell_at(const job *j, int64_t row, int64_t column)
{
    return j->cells[(row + 1) * j->table.columns + column];
}

/* --- the table --- */

static am_status read_column(job *j, am_json_string name, am_json values, int64_t column)
{
    int64_t row = 0, rows = j->table.rows, columns = j->table.columns;
    if (am_json_kind_of(values) != AM_JSON_ARRAY || (int64_t)am_json_count(values) != rows)
        return am_error(AM_INVALID_ARGUMENT, "table: column %s: expected a list of %lld texts, as the first has",
                        name.bytes, (long long)rows);
    j->cells[column] = (am_text){name.bytes, name.length};
    for (am_json_iterator i = am_json_iterate(values); am_json_next(&i); row++) {
        am_json_string text = am_json_text(i.value);
        if (am_json_kind_of(i.value) != AM_JSON_STRING)
            return am_error(AM_INVALID_ARGUMENT, "table: column %s, row %lld: expected a text, found %s", name.bytes,
                            (long long)row, am_json_kind_name(am_json_kind_of(i.value)));
        j->cells[(row + 1) * columns + column] = (am_text){text.bytes, text.length};
    }
    return NULL;
}

/* {"column": ["cell", ...], ...} */
static am_status read_table(job *j, am_json table)
{
    int64_t column = 0;
    am_json_iterator first = am_json_iterate(table);
    bool is_object = am_json_kind_of(table) == AM_JSON_OBJECT && am_json_next(&first);
    j->table.rows = is_object ? (int64_t)am_json_count(first.value) : 0;
    j->table.columns = (int64_t)am_json_count(table);
    if (!j->table.rows)
        return am_error(AM_INVALID_ARGUMENT, "the table is empty: expected an object of columns, each a list of texts");
    j->cells = am_arena_array(&j->arena, (size_t)((j->table.rows + 1) * j->table.columns), sizeof *j->cells);
    if (!j->cells) return am_out_of_memory();
    j->table.cells = j->cells;
    for (am_json_iterator i = am_json_iterate(table); am_json_next(&i);)
        AM_TRY(read_column(j, i.key, i.value, column++));
    return NULL;
}

static void make_inputs(const am_table_encoding *e, am_session_input out[3])
{
    out[0] = (am_session_input){"input_ids", {AM_I32, am_shape_of(1, e->count), e->ids}};
    out[1] = (am_session_input){"attention_mask", {AM_I32, am_shape_of(1, e->count), e->attention_mask}};
    out[2] = (am_session_input){"token_type_ids", {AM_I32, am_shape_of(1, e->count, AM_TABLE_KINDS), e->type_ids}};
}

/* --- the answer --- */

/* Mean probability of a cell's tokens, as the logits give it; 0 where it has none. */
static double probability(const job *j, const float *logits, int64_t row, int64_t column)
{
    const am_table_encoding *e = &j->encoding;
    double sum = 0;
    int64_t count = 0;
    for (int64_t i = e->table_first; i < e->table_first + e->table_count; i++) {
        if (e->type_ids[i][AM_TABLE_ROW] != row + 1 || e->type_ids[i][AM_TABLE_COLUMN] != column + 1) continue;
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
    for (int64_t row = 0; row < j->table.rows; row++)
        for (int64_t column = 0; column < j->table.columns; column++) {
            if (probability(j, logits, row, column) <= 0.5) continue;
            am_text text = cell_at(j, row, column);
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

static am_status answer_question(job *j, const char *question, am_json table, am_buffer *out)
{
    am_session_input inputs[3];
    am_table_options options;
    am_tensor logits;
    AM_TRY(am_pipeline_tokenizer(j->p, &j->tokenizer));
    AM_TRY(am_table_options_read(j->p->directory, &options));
    options.drop_rows_to_fit = true;
    AM_TRY(read_table(j, table));
    AM_TRY(am_table_encode(j->tokenizer, &j->table, (am_text){question, strlen(question)}, &options, &j->arena,
                           &j->encoding));
    make_inputs(&j->encoding, inputs);
    AM_TRY(am_run_for_output(j->p, inputs, 3, "logits", &logits));
    if (logits.shape.rank != 2 || logits.shape.dims[1] != j->encoding.count)
        return am_error(AM_UNSUPPORTED, "class %s does not choose cells", j->p->model->architecture->name);
    return append_answer(j, logits.data, out);
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
    AM_TRY(am_json_parse(input->text_pair, strlen(input->text_pair), "table", &table));
    am_status status = answer_question(&j, input->text, am_json_root(table), out);
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
