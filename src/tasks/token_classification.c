#include "tasks/task.h"

#include "base/file.h"
#include "base/memory.h"
#include "text/tokenizer.h"

#include <stdlib.h>
#include <string.h>

typedef enum strategy { NONE, SIMPLE, FIRST, AVERAGE, MAX } strategy;

typedef struct token {
    int64_t index;
    int32_t id;
    uint32_t start, end; /* code points */
    am_text_range bytes;
    bool is_subword, is_unknown;
    const float *scores; /* [labels] */
} token;

/* Tokens [first, last] as one: a token, a word or a group. */
typedef struct entity {
    int64_t first, last;
    int64_t label;
    float score;
} entity;

/* An entity of the answer. */
typedef struct found {
    uint32_t start, end; /* code points */
    float score;
    int64_t order;
    const char *json;
} found;

typedef struct job {
    am_pipeline *p;
    am_tokenizer *tokenizer;
    am_arena arena;
    const char *text;
    strategy strategy;
    const am_encoding *window; /* the tokens that are looked at */
    bool word_aware;           /* tokens inside of words have a prefix */
    bool byte_level;           /* its decoder is ByteLevel */
    int64_t labels;
    const char **names;
    token *tokens;
    int64_t token_count;
    entity *entities;
    int64_t entity_count;
    const char **ignored; /* labels */
    int64_t ignored_count;
    found *found;
    int64_t found_count, found_capacity;
} job;

/* --- tokens --- */

/* transformers: whether the model of tokenizer.json has a continuing_subword_prefix. Directories without that
   file have WordPiece's vocab.txt or none. */
static am_status read_prefix(job *j)
{
    am_json_document *document;
    char *path = am_path_join(&j->arena, j->p->directory, "tokenizer.json"),
         *vocab = am_path_join(&j->arena, j->p->directory, "vocab.txt");
    if (!path || !vocab) return am_out_of_memory();
    j->word_aware = am_file_exists(vocab);
    if (!am_file_exists(path)) return NULL;
    AM_TRY(am_json_open(path, &document));
    am_json model = am_json_get(am_json_root(document), "model");
    j->word_aware = am_json_text(am_json_get(model, "continuing_subword_prefix")).length > 0;
    j->byte_level = am_json_equals(am_json_get_path(am_json_root(document), "decoder.type"), "ByteLevel");
    am_json_close(document);
    return NULL;
}

static int64_t code_points(const char *bytes, size_t length)
{
    int64_t count = 0;
    for (size_t i = 0; i < length; i++) count += ((unsigned char)bytes[i] & 0xC0) != 0x80;
    return count;
}

/* Without prefixes a token goes on with a word when there is no space before it. */
static bool goes_on(const job *j, const token *t)
{
    am_text text = am_tokenizer_id_to_token(j->tokenizer, t->id);
    if (j->word_aware) return code_points(text.bytes, text.length) != (int64_t)(t->end - t->start);
    if (t->start == 0) return false;
    return j->text[t->bytes.start] != ' ' && j->text[t->bytes.start - 1] != ' ';
}

static am_status gather_tokens(job *j, const float *scores)
{
    const am_encoding *e = j->window;
    int32_t unknown = am_tokenizer_special_id(j->tokenizer, "unk_token");
    j->tokens = am_arena_array(&j->arena, e->count + 1, sizeof *j->tokens);
    j->token_count = 0;
    if (!j->tokens) return am_out_of_memory();
    for (size_t i = 0; i < e->count; i++) {
        if (e->special_tokens_mask[i]) continue;
        token *t = &j->tokens[j->token_count++];
        *t = (token){.index = (int64_t)i,
                     .id = e->ids[i],
                     .start = e->offsets[i].start,
                     .end = e->offsets[i].end,
                     .bytes = e->byte_offsets[i],
                     .scores = scores + (int64_t)i * j->labels};
        t->is_unknown = unknown >= 0 && t->id == unknown;
        t->is_subword = !t->is_unknown && goes_on(j, t);
    }
    return NULL;
}

static am_status softmax_rows(job *j, const am_tensor *logits, const float **out)
{
    int64_t T = logits->shape.dims[1];
    am_score *row = am_arena_array(&j->arena, (size_t)j->labels + 1, sizeof *row);
    float *scores = am_arena_array(&j->arena, (size_t)(T * j->labels) + 1, sizeof *scores);
    if (!row || !scores) return am_out_of_memory();
    for (int64_t t = 0; t < T; t++) {
        am_scores_softmax((const float *)logits->data + t * j->labels, j->labels, 0, row);
        for (int64_t i = 0; i < j->labels; i++) scores[t * j->labels + row[i].id] = (float)row[i].score;
    }
    *out = scores;
    return NULL;
}

/* --- words and groups --- */

static int64_t best_label(const float *scores, int64_t labels)
{
    int64_t best = 0;
    for (int64_t i = 1; i < labels; i++)
        if (scores[i] > scores[best]) best = i;
    return best;
}

static void average(const job *j, entity *e)
{
    float best = -1;
    for (int64_t label = 0; label < j->labels; label++) {
        float total = 0;
        for (int64_t t = e->first; t <= e->last; t++) total += j->tokens[t].scores[label];
        total /= (float)(e->last - e->first + 1);
        if (total > best) {
            best = total;
            e->label = label;
        }
    }
    e->score = best;
}

static void judge(const job *j, entity *e)
{
    const float *scores = j->tokens[e->first].scores;
    if (j->strategy == AVERAGE) {
        average(j, e);
        return;
    }
    for (int64_t t = e->first; j->strategy == MAX && t <= e->last; t++) {
        const float *other = j->tokens[t].scores;
        if (other[best_label(other, j->labels)] > scores[best_label(scores, j->labels)]) scores = other;
    }
    e->label = best_label(scores, j->labels);
    e->score = scores[e->label];
}

/* One entity a token, or a word where the strategy looks at words. */
static am_status find_entities(job *j)
{
    j->entities = am_arena_array(&j->arena, (size_t)j->token_count + 1, sizeof *j->entities);
    j->entity_count = 0;
    if (!j->entities) return am_out_of_memory();
    for (int64_t t = 0; t < j->token_count; t++) {
        bool joins = j->strategy >= FIRST && t && j->tokens[t].is_subword;
        if (joins) j->entities[j->entity_count - 1].last = t;
        else j->entities[j->entity_count++] = (entity){.first = t, .last = t};
    }
    for (int64_t i = 0; i < j->entity_count; i++) judge(j, &j->entities[i]);
    return NULL;
}

static bool has_prefix(const char *label, char which)
{
    return label[0] == which && label[1] == '-';
}

static const char *tag_of(const char *label)
{
    return has_prefix(label, 'B') || has_prefix(label, 'I') ? label + 2 : label;
}

/* Neighbours of one tag become one, unless the second begins anew; the score is the mean of theirs. */
static void group_entities(job *j)
{
    int64_t count = 0;
    for (int64_t i = 0; i < j->entity_count;) {
        entity group = j->entities[i];
        double total = (double)group.score;
        int64_t next = i + 1;
        for (; next < j->entity_count; next++) {
            const char *label = j->names[j->entities[next].label];
            if (has_prefix(label, 'B') || strcmp(tag_of(label), tag_of(j->names[j->entities[next - 1].label])) != 0)
                break;
            total += (double)j->entities[next].score;
            group.last = j->entities[next].last;
        }
        group.score = (float)(total / (double)(next - i));
        j->entities[count++] = group;
        i = next;
    }
    j->entity_count = count;
}

/* --- output --- */

static am_status append_decoded(const job *j, const token *tokens, int64_t count, am_buffer *out)
{
    am_decode_options options = {.clean_up = 0};
    char *text;
    size_t length;
    int32_t *ids = am_alloc_zeroed((size_t)count, sizeof *ids);
    if (!ids) return am_out_of_memory();
    for (int64_t i = 0; i < count; i++) ids[i] = tokens[i].id;
    am_status status = am_tokenizer_decode(j->tokenizer, ids, (size_t)count, &options, &text, &length);
    if (!status) am_buffer_append(out, text, length);
    if (!status) am_free(text);
    am_free(ids);
    return status;
}

/* The text of tokens; the unknown ones as they stand in the text. */
static am_status append_words(const job *j, int64_t first, int64_t last, am_buffer *out)
{
    for (int64_t i = first; i <= last;) {
        const token *t = &j->tokens[i];
        int64_t next = i + 1;
        if (i > first && j->word_aware) am_buffer_append_char(out, ' ');
        if (t->is_unknown) am_buffer_append(out, j->text + t->bytes.start, t->bytes.end - t->bytes.start);
        else {
            while (next <= last && !j->tokens[next].is_unknown) next++;
            AM_TRY(append_decoded(j, t, next - i, out));
        }
        i = next;
    }
    return NULL;
}

/* The byte that a character stands for in GPT-2's alphabet of bytes; -1: none. */
static int byte_of(uint32_t c)
{
    if ((c >= 33 && c <= 126) || (c >= 161 && c <= 172) || (c >= 174 && c <= 255)) return (int)c;
    if (c < 256 || c > 323) return -1;
    return c < 256 + 33 ? (int)c - 256 : c < 256 + 67 ? (int)c - 256 - 33 + 127 : 173;
}

static size_t read_char(const char *bytes, uint32_t *out)
{
    const unsigned char *b = (const unsigned char *)bytes;
    size_t length = b[0] < 0x80 ? 1 : b[0] < 0xE0 ? 2 : b[0] < 0xF0 ? 3 : 4;
    *out = length == 1 ? b[0] : length == 2 ? (b[0] & 0x1FU) << 6 | (b[1] & 0x3FU) : 0x10000;
    return length;
}

/* transformers decodes the words of a group a second time: one that consists of letters of the alphabet of
 * bytes becomes those bytes. */
static void append_decoded_twice(const char *word, size_t length, am_buffer *out)
{
    uint32_t c;
    for (size_t i = 0; i < length;) {
        i += read_char(word + i, &c);
        if (byte_of(c) >= 0) continue;
        am_buffer_append(out, word, length);
        return;
    }
    for (size_t i = 0; i < length;) {
        i += read_char(word + i, &c);
        am_buffer_append_char(out, (char)byte_of(c));
    }
}

static am_status append_group(const job *j, int64_t first, int64_t last, am_buffer *out)
{
    for (int64_t i = first, next; i <= last; i = next) {
        am_buffer word = {0};
        for (next = i + 1; next <= last && j->tokens[next].is_subword;) next++;
        am_status status = append_words(j, i, next - 1, &word);
        if (!status) status = am_buffer_status(&word);
        if (!status) append_decoded_twice(am_buffer_text(&word), word.length, out);
        am_buffer_deinit(&word);
        if (status) return status;
    }
    return NULL;
}

static am_status append_word(const job *j, const entity *e, am_buffer *out)
{
    am_buffer word = {0};
    const token *t = &j->tokens[e->first];
    am_text text = am_tokenizer_id_to_token(j->tokenizer, t->id);
    am_status status = NULL;
    if (j->strategy >= FIRST && j->byte_level) status = append_group(j, e->first, e->last, &word);
    else if (j->strategy != NONE || t->is_unknown) status = append_words(j, e->first, e->last, &word);
    else am_buffer_append(&word, text.bytes, text.length);
    if (!status) am_buffer_append_json_string(out, am_buffer_text(&word), word.length);
    if (!status) status = am_buffer_status(&word);
    am_buffer_deinit(&word);
    return status;
}

/* What follows the first "-", as group_sub_entities has it. */
static const char *group_name(const char *label)
{
    const char *dash = strchr(label, '-');
    return dash ? dash + 1 : label;
}

static am_status append_entity(const job *j, const entity *e, am_buffer *out)
{
    const char *name = j->strategy == NONE ? j->names[e->label] : group_name(j->names[e->label]);
    am_buffer_append_string(out, j->strategy == NONE ? "{\"entity\": " : "{\"entity_group\": ");
    am_buffer_append_json_string(out, name, strlen(name));
    am_buffer_append_string(out, ", \"score\": ");
    am_append_float(out, e->score);
    if (j->strategy == NONE) am_buffer_printf(out, ", \"index\": %lld", (long long)j->tokens[e->first].index);
    am_buffer_append_string(out, ", \"word\": ");
    AM_TRY(append_word(j, e, out));
    am_buffer_printf(out, ", \"start\": %u, \"end\": %u}", j->tokens[e->first].start, j->tokens[e->last].end);
    return NULL;
}

/* --- the answer --- */

static am_status read_ignored(job *j, am_json options)
{
    static const char *outside[] = {"O"};
    am_json given = am_json_get(options, "ignore_labels");
    am_texts texts = {0};
    j->ignored = outside;
    j->ignored_count = 1;
    if (am_json_kind_of(given) <= AM_JSON_NULL) return NULL;
    if (am_json_kind_of(given) != AM_JSON_ARRAY || am_json_count(given))
        AM_TRY(am_option_texts(options, "ignore_labels", false, &j->arena, &texts));
    j->ignored = texts.items;
    j->ignored_count = texts.count;
    return NULL;
}

static bool is_ignored(const job *j, const entity *e)
{
    const char *name = j->strategy == NONE ? j->names[e->label] : group_name(j->names[e->label]);
    for (int64_t i = 0; i < j->ignored_count; i++)
        if (strcmp(j->ignored[i], name) == 0) return true;
    return false;
}

static am_status keep_entity(job *j, const entity *e)
{
    am_buffer json = {0};
    am_status status = append_entity(j, e, &json);
    if (!status) status = am_buffer_status(&json);
    found one = {.start = j->tokens[e->first].start,
                 .end = j->tokens[e->last].end,
                 .score = e->score,
                 .order = j->found_count,
                 .json = am_arena_string(&j->arena, am_buffer_text(&json), json.length)};
    am_buffer_deinit(&json);
    if (status) return status;
    if (!one.json) return am_out_of_memory();
    if (j->found_count == j->found_capacity) {
        int64_t larger = j->found_capacity ? 2 * j->found_capacity : 32;
        found *grown = am_arena_array(&j->arena, (size_t)larger, sizeof *grown);
        if (!grown) return am_out_of_memory();
        if (j->found_count) memcpy(grown, j->found, (size_t)j->found_count * sizeof *grown);
        j->found = grown;
        j->found_capacity = larger;
    }
    j->found[j->found_count++] = one;
    return NULL;
}

static int by_start(const void *a, const void *b)
{
    const found *x = a, *y = b;
    if (x->start != y->start) return x->start < y->start ? -1 : 1;
    return (x->order > y->order) - (x->order < y->order);
}

/* Of the entities of several windows that overlap: the longer one, of equally long ones the likelier
   (aggregate_overlapping_entities). */
static void resolve_overlaps(job *j)
{
    int64_t last = 0;
    if (!j->found_count) return;
    qsort(j->found, (size_t)j->found_count, sizeof *j->found, by_start);
    for (int64_t i = 1; i < j->found_count; i++) {
        found *before = &j->found[last];
        const found *one = &j->found[i];
        if (one->start >= before->end) {
            j->found[++last] = *one;
            continue;
        }
        uint32_t length = one->end - one->start, other = before->end - before->start;
        if (length > other || (length == other && one->score > before->score)) *before = *one;
    }
    j->found_count = last + 1;
}

static void append_found(const job *j, am_buffer *out)
{
    am_buffer_append_char(out, '[');
    for (int64_t i = 0; i < j->found_count; i++) {
        if (i) am_buffer_append_string(out, ", ");
        am_buffer_append_string(out, j->found[i].json);
    }
    am_buffer_append_char(out, ']');
}

/* --- */

static am_status read_strategy(am_json options, strategy *out)
{
    static const char *const names[] = {"none", "simple", "first", "average", "max"};
    am_json given = am_json_get(options, "aggregation_strategy");
    *out = NONE;
    AM_TRY(am_check_option(options, "aggregation_strategy", AM_JSON_STRING));
    if (am_json_kind_of(given) != AM_JSON_STRING) return NULL;
    for (int i = 0; i < 5; i++)
        if (am_json_equals(given, names[i])) {
            *out = (strategy)i;
            return NULL;
        }
    return am_error(AM_INVALID_ARGUMENT,
                    "option aggregation_strategy: expected none, simple, first, average or max, found \"%s\"",
                    am_json_text(given).bytes);
}

/* `stride`: tokens that windows share; -1: there is one window, and what is behind it is cut off. */
static am_status read_stride(job *j, am_json options, int64_t *out)
{
    int64_t limit = am_pipeline_context_length(j->p);
    AM_TRY(am_check_option(options, "stride", AM_JSON_INTEGER));
    *out = am_json_int(am_json_get(options, "stride"), -1);
    if (am_json_kind_of(am_json_get(options, "stride")) <= AM_JSON_NULL) return NULL;
    if (*out < 0 || *out >= limit || *out > UINT32_MAX)
        return am_error(AM_INVALID_ARGUMENT, "option stride: expected 0 or more and less than %lld tokens, found %lld",
                        (long long)limit, (long long)*out);
    if (j->strategy == NONE && am_json_kind_of(am_json_get(options, "aggregation_strategy")) == AM_JSON_STRING)
        return am_error(AM_INVALID_ARGUMENT, "option stride: windows need an aggregation_strategy other than none");
    return NULL;
}

static am_status encode(const job *j, int64_t stride, am_encoding *out)
{
    am_encode_options options = AM_ENCODE_OPTIONS;
    int64_t limit = am_pipeline_context_length(j->p);
    if (limit < INT64_MAX) {
        options.truncation = AM_TRUNCATE_LONGEST_FIRST;
        options.max_length = (uint64_t)limit;
        options.stride = stride > 0 ? (uint32_t)stride : 0;
    }
    return am_tokenizer_encode(j->tokenizer, (am_text){j->text, strlen(j->text)}, NULL, &options, out);
}

static am_status name_labels(job *j)
{
    j->names = am_arena_array(&j->arena, (size_t)j->labels + 1, sizeof *j->names);
    if (!j->names) return am_out_of_memory();
    for (int64_t i = 0; i < j->labels; i++) j->names[i] = am_pipeline_label(j->p, &j->arena, i);
    return NULL;
}

static am_status classify_window(job *j, const am_encoding *window)
{
    am_text_inputs inputs;
    am_tensor logits;
    const float *scores;
    j->window = window;
    AM_TRY(am_inputs_of_encodings(j->tokenizer, &j->arena, window, 1, &inputs));
    AM_TRY(am_run_for_labels(j->p, inputs.inputs, inputs.count, 3, &logits));
    if (logits.shape.dims[1] != inputs.length)
        return am_error(AM_UNSUPPORTED, "class %s gives no logits of each token", j->p->model->architecture->name);
    j->labels = logits.shape.dims[2];
    AM_TRY(name_labels(j));
    AM_TRY(softmax_rows(j, &logits, &scores));
    AM_TRY(gather_tokens(j, scores));
    AM_TRY(find_entities(j));
    if (j->strategy != NONE) group_entities(j);
    for (int64_t i = 0; i < j->entity_count; i++)
        if (!is_ignored(j, &j->entities[i])) AM_TRY(keep_entity(j, &j->entities[i]));
    return NULL;
}

static am_status classify(job *j, am_json options, am_buffer *out)
{
    am_encoding first = {0};
    int64_t stride;
    AM_TRY(read_strategy(options, &j->strategy));
    AM_TRY(read_ignored(j, options));
    AM_TRY(read_stride(j, options, &stride));
    AM_TRY(am_pipeline_tokenizer(j->p, &j->tokenizer));
    AM_TRY(read_prefix(j));
    AM_TRY(encode(j, stride, &first));
    am_status status = classify_window(j, &first);
    for (size_t i = 0; stride >= 0 && i < first.overflowing_count && !status; i++)
        status = classify_window(j, &first.overflowing[i]);
    if (!status && stride >= 0 && first.overflowing_count) resolve_overlaps(j);
    if (!status) append_found(j, out);
    am_encoding_deinit(&first);
    return status;
}

static am_status run(am_pipeline *p, const am_task_input *input, am_json options, am_buffer *out)
{
    AM_TRY(am_need_text(input));
    job j = {.p = p, .text = input->text};
    am_status status = classify(&j, options, out);
    am_arena_deinit(&j.arena);
    return status;
}

const am_task am_task_token_classification = {
    .name = "token-classification",
    .input = "text",
    .summary = "Labels the tokens of a text, or its words and names.",
    .parameters = "aggregation_strategy, ignore_labels, stride",
    .run = run,
};
