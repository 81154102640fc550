/* TokenClassificationPipeline: labels of tokens, words and names from logits. */
#include "tasks/answers.h"

#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

typedef enum strategy { NONE, SIMPLE, FIRST, AVERAGE, MAX } strategy;

typedef struct token {
    int64_t index;
    am_text word;
    uint32_t start, end; /* code points */
    bool is_subword;
    const float *scores; /* [labels] */
} token;

/* Tokens [first, last] of a window as one: a token, a word or a group. */
typedef struct entity {
    int64_t first, last;
    int64_t label;
    float score;
    am_text word;
} entity;

/* An entity of the answer. */
typedef struct found {
    entity entity;
    int64_t index, order;
    uint32_t start, end; /* code points */
} found;

struct am_entities {
    const am_tokenizer *tokenizer;
    am_json config;
    am_arena arena;
    am_text text;
    uint32_t *places; /* where code points begin, [point_count + 1] */
    uint32_t point_count;
    strategy strategy;
    am_texts ignored; /* labels */
    bool has_offsets;
    am_text_range *offsets; /* given, [offset_count]; null: those of the tokenizer */
    size_t offset_count;
    am_json_document *word_list;
    am_text *words;        /* of a text that came in words; null: it did not */
    uint32_t *word_starts; /* code points */
    size_t word_count, window_count;
    int64_t labels;
    const char **names;
    token *tokens; /* of the window that is looked at */
    int64_t token_count;
    entity *entities;
    int64_t entity_count;
    found *found;
    int64_t found_count, found_capacity;
};

/* --- options --- */

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

static am_status read_ignored(am_entities *j, am_json options)
{
    static const char *outside[] = {"O"};
    am_json given = am_json_get(options, "ignore_labels");
    j->ignored = (am_texts){outside, 1};
    if (am_json_kind_of(given) <= AM_JSON_NULL) return NULL;
    j->ignored = (am_texts){0};
    if (am_json_kind_of(given) == AM_JSON_ARRAY && !am_json_count(given)) return NULL;
    return am_option_texts(options, "ignore_labels", false, &j->arena, &j->ignored);
}

/* [[start, end] ...], one of each token. */
static am_status read_offsets(am_entities *j, am_json options)
{
    am_json given = am_json_get(options, "offset_mapping");
    AM_TRY(am_check_option(options, "offset_mapping", AM_JSON_ARRAY));
    j->has_offsets = am_tokenizer_is_fast(j->tokenizer);
    if (am_json_kind_of(given) != AM_JSON_ARRAY) return NULL;
    j->has_offsets = true;
    j->offsets = am_arena_array(&j->arena, am_json_count(given) + 1, sizeof *j->offsets);
    if (!j->offsets) return am_out_of_memory();
    for (am_json_iterator i = am_json_iterate(given); am_json_next(&i);) {
        int64_t ends[2] = {-1, -1};
        int count = 0;
        for (am_json_iterator k = am_json_iterate(i.value); am_json_next(&k) && count < 2;)
            ends[count++] = am_json_int(k.value, -1);
        if (ends[0] < 0 || ends[1] < ends[0] || ends[1] > UINT32_MAX)
            return am_error(AM_INVALID_ARGUMENT, "option offset_mapping: expected [start, end] of each token");
        j->offsets[j->offset_count++] = (am_text_range){(uint32_t)ends[0], (uint32_t)ends[1]};
    }
    return NULL;
}

static uint32_t code_points(am_text text)
{
    uint32_t count = 0;
    for (size_t i = 0; i < text.length; i++) count += ((unsigned char)text.bytes[i] & 0xC0) != 0x80;
    return count;
}

/* The words of the JSON list that the text is, and the text that they give. */
static am_status join_words(am_entities *j, const char *delimiter)
{
    am_json root = am_json_root(j->word_list);
    am_buffer text = {0};
    uint32_t at = 0;
    j->words = am_arena_array(&j->arena, am_json_count(root) + 1, sizeof *j->words);
    j->word_starts = am_arena_array(&j->arena, am_json_count(root) + 1, sizeof *j->word_starts);
    if (!j->words || !j->word_starts) return am_out_of_memory();
    for (am_json_iterator i = am_json_iterate(root); am_json_next(&i); j->word_count++) {
        am_json_string word = am_json_text(i.value);
        if (j->word_count) am_buffer_append_string(&text, delimiter);
        am_buffer_append(&text, word.bytes, word.length);
        j->words[j->word_count] = (am_text){word.bytes, word.length};
        j->word_starts[j->word_count] = at;
        at += code_points(j->words[j->word_count]) + code_points((am_text){delimiter, strlen(delimiter)});
    }
    am_status status = am_buffer_status(&text);
    j->text = (am_text){am_arena_string(&j->arena, am_buffer_text(&text), text.length), text.length};
    am_buffer_deinit(&text);
    return status || j->text.bytes ? status : am_out_of_memory();
}

static am_status read_words(am_entities *j, am_json options)
{
    const char *delimiter;
    AM_TRY(am_check_option(options, "is_split_into_words", AM_JSON_BOOL));
    AM_TRY(am_option_text(options, "delimiter", &j->arena, " ", &delimiter));
    if (!am_json_bool(am_json_get(options, "is_split_into_words"), false)) return NULL;
    AM_TRY(am_json_parse(j->text.bytes, j->text.length, "the text", &j->word_list));
    bool is_list = am_json_kind_of(am_json_root(j->word_list)) == AM_JSON_ARRAY;
    for (am_json_iterator i = am_json_iterate(am_json_root(j->word_list)); am_json_next(&i);)
        is_list = is_list && am_json_kind_of(i.value) == AM_JSON_STRING;
    if (!is_list)
        return am_error(AM_INVALID_ARGUMENT, "option is_split_into_words: expected a JSON list of words as the text");
    if (!am_tokenizer_is_fast(j->tokenizer))
        return am_error(AM_UNSUPPORTED, "option is_split_into_words: the tokenizer %s gives no places of words",
                        am_tokenizer_class(j->tokenizer));
    return join_words(j, delimiter);
}

static am_status find_places(am_entities *j)
{
    j->places = am_arena_array(&j->arena, j->text.length + 1, sizeof *j->places);
    if (!j->places) return am_out_of_memory();
    for (uint32_t i = 0; i < j->text.length; i++)
        if (((unsigned char)j->text.bytes[i] & 0xC0) != 0x80) j->places[j->point_count++] = i;
    j->places[j->point_count] = (uint32_t)j->text.length;
    return NULL;
}

static am_status read_options(am_entities *j, am_json options)
{
    AM_TRY(read_strategy(options, &j->strategy));
    AM_TRY(read_ignored(j, options));
    AM_TRY(read_offsets(j, options));
    AM_TRY(read_words(j, options));
    AM_TRY(find_places(j));
    if (j->strategy < FIRST || am_tokenizer_is_fast(j->tokenizer)) return NULL;
    return am_error(AM_INVALID_ARGUMENT,
                    "option aggregation_strategy: the tokenizer %s gives no places of tokens: expected none or simple",
                    am_tokenizer_class(j->tokenizer));
}

am_status am_entities_create(const am_tokenizer *tokenizer, const char *text, am_json config, am_json options,
                             am_entities **out)
{
    am_entities *j = *out = am_alloc_zeroed(1, sizeof *j);
    if (!j) return am_out_of_memory();
    j->tokenizer = tokenizer;
    j->config = config;
    j->text = (am_text){text, strlen(text)};
    am_status status = read_options(j, options);
    if (status) {
        am_entities_destroy(j);
        *out = NULL;
    }
    return status;
}

void am_entities_destroy(am_entities *j)
{
    if (!j) return;
    am_json_close(j->word_list);
    am_arena_deinit(&j->arena);
    am_free(j);
}

am_status am_entities_encode(const am_entities *j, const am_encode_options *options, am_encoding *out)
{
    if (!j->words) return am_tokenizer_encode(j->tokenizer, j->text, NULL, options, out);
    return am_tokenizer_encode_words(j->tokenizer, j->words, j->word_count, NULL, 0, options, out);
}

/* --- tokens --- */

/* Code points [start, end) of the text, as far as there are any. */
static am_text part_of(const am_entities *j, uint32_t start, uint32_t end)
{
    uint32_t first = start < j->point_count ? start : j->point_count,
             last = end < j->point_count ? end : j->point_count;
    return (am_text){j->text.bytes + j->places[first], j->places[last] - j->places[first]};
}

/* Without prefixes a token goes on with a word when there is no space before it. */
static bool goes_on(const am_entities *j, const token *t, am_text part)
{
    if (am_tokenizer_marks_subwords(j->tokenizer)) return code_points(t->word) != code_points(part);
    if (t->start == 0) return false;
    am_text around = part_of(j, t->start - 1, t->start + 1);
    return !around.length || !memchr(around.bytes, ' ', around.length);
}

static void place_token(const am_entities *j, const am_encoding *window, size_t i, token *t)
{
    am_text_range place = j->offsets ? j->offsets[i] : window->offsets[i];
    uint32_t before = j->words && window->word_ids[i] >= 0 ? j->word_starts[window->word_ids[i]] : 0;
    t->start = place.start + before;
    t->end = place.end + before;
    am_text part = part_of(j, t->start, t->end);
    t->is_subword = goes_on(j, t, part);
    if (window->ids[i] != am_tokenizer_special_id(j->tokenizer, "unk_token")) return;
    t->word = part;
    t->is_subword = false;
}

static am_status gather_tokens(am_entities *j, const am_encoding *window, const float *scores)
{
    j->tokens = am_arena_array(&j->arena, window->count + 1, sizeof *j->tokens);
    j->token_count = 0;
    if (!j->tokens) return am_out_of_memory();
    if (j->offsets && j->offset_count < window->count)
        return am_error(AM_INVALID_ARGUMENT, "option offset_mapping: %zu places for %zu tokens", j->offset_count,
                        window->count);
    for (size_t i = 0; i < window->count; i++) {
        if (window->special_tokens_mask[i]) continue;
        token *t = &j->tokens[j->token_count++];
        *t = (token){.index = (int64_t)i,
                     .word = am_tokenizer_id_to_token(j->tokenizer, window->ids[i]),
                     .scores = scores + (int64_t)i * j->labels};
        if (j->has_offsets) place_token(j, window, i, t);
    }
    return NULL;
}

static am_status softmax_rows(am_entities *j, const am_tensor *logits, const float **out)
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

static void average(const am_entities *j, entity *e)
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

static void judge(const am_entities *j, entity *e)
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

/* convert_tokens_to_string, in the arena. */
static am_status join(am_entities *j, const am_text *tokens, int64_t count, am_text *out)
{
    char *text;
    AM_TRY(am_tokenizer_join(j->tokenizer, tokens, (size_t)count, &text, &out->length));
    out->bytes = am_arena_string(&j->arena, text, out->length);
    am_free(text);
    return out->bytes ? NULL : am_out_of_memory();
}

static am_status name_word(am_entities *j, entity *e)
{
    int64_t count = e->last - e->first + 1;
    am_text *tokens = am_arena_array(&j->arena, (size_t)count, sizeof *tokens);
    if (!tokens) return am_out_of_memory();
    for (int64_t i = 0; i < count; i++) tokens[i] = j->tokens[e->first + i].word;
    if (j->strategy >= FIRST) return join(j, tokens, count, &e->word);
    e->word = tokens[0];
    return NULL;
}

/* One entity a token, or a word where the strategy looks at words. */
static am_status find_entities(am_entities *j)
{
    j->entities = am_arena_array(&j->arena, (size_t)j->token_count + 1, sizeof *j->entities);
    j->entity_count = 0;
    if (!j->entities) return am_out_of_memory();
    for (int64_t t = 0; t < j->token_count; t++) {
        bool joins = j->strategy >= FIRST && t && j->tokens[t].is_subword;
        if (joins) j->entities[j->entity_count - 1].last = t;
        else j->entities[j->entity_count++] = (entity){.first = t, .last = t};
    }
    for (int64_t i = 0; i < j->entity_count; i++) {
        judge(j, &j->entities[i]);
        AM_TRY(name_word(j, &j->entities[i]));
    }
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

/* Whether an entity goes on with the one before it: of one tag, and it does not begin anew. */
static bool continues(const am_entities *j, int64_t i)
{
    const char *label = j->names[j->entities[i].label], *before = j->names[j->entities[i - 1].label];
    return !has_prefix(label, 'B') && strcmp(tag_of(label), tag_of(before)) == 0;
}

/* Neighbours that go on become one; the score is the mean of theirs. */
static am_status group_entities(am_entities *j)
{
    int64_t count = 0;
    am_text *words = am_arena_array(&j->arena, (size_t)j->entity_count + 1, sizeof *words);
    if (!words) return am_out_of_memory();
    for (int64_t i = 0, next; i < j->entity_count; i = next) {
        entity group = j->entities[i];
        double total = 0;
        for (next = i; next == i || (next < j->entity_count && continues(j, next)); next++) {
            total += (double)j->entities[next].score;
            group.last = j->entities[next].last;
            words[next - i] = j->entities[next].word;
        }
        group.score = (float)(total / (double)(next - i));
        AM_TRY(join(j, words, next - i, &group.word));
        j->entities[count++] = group;
    }
    j->entity_count = count;
    return NULL;
}

/* --- what is kept --- */

/* The label, or of groups what follows its first "-". */
static const char *name_of(const am_entities *j, const entity *e)
{
    const char *label = j->names[e->label], *dash = strchr(label, '-');
    return j->strategy != NONE && dash ? dash + 1 : label;
}

static bool is_ignored(const am_entities *j, const entity *e)
{
    const char *name = name_of(j, e);
    for (int64_t i = 0; i < j->ignored.count; i++)
        if (strcmp(j->ignored.items[i], name) == 0) return true;
    return false;
}

static am_status keep_entity(am_entities *j, const entity *e)
{
    if (j->found_count == j->found_capacity) {
        int64_t larger = j->found_capacity ? 2 * j->found_capacity : 32;
        found *grown = am_arena_array(&j->arena, (size_t)larger, sizeof *grown);
        if (!grown) return am_out_of_memory();
        if (j->found_count) memcpy(grown, j->found, (size_t)j->found_count * sizeof *grown);
        j->found = grown;
        j->found_capacity = larger;
    }
    j->found[j->found_count] = (found){.entity = *e,
                                       .index = j->tokens[e->first].index,
                                       .order = j->found_count,
                                       .start = j->tokens[e->first].start,
                                       .end = j->tokens[e->last].end};
    j->found_count++;
    return NULL;
}

static am_status name_labels(am_entities *j, int64_t labels)
{
    if (j->labels == labels) return NULL;
    j->labels = labels;
    j->names = am_arena_array(&j->arena, (size_t)labels + 1, sizeof *j->names);
    if (!j->names) return am_out_of_memory();
    for (int64_t i = 0; i < labels; i++) j->names[i] = am_label(j->config, &j->arena, i);
    return NULL;
}

am_status am_entities_add(am_entities *j, const am_encoding *window, const am_tensor *logits)
{
    const float *scores;
    AM_TRY(name_labels(j, logits->shape.dims[2]));
    AM_TRY(softmax_rows(j, logits, &scores));
    AM_TRY(gather_tokens(j, window, scores));
    AM_TRY(find_entities(j));
    if (j->strategy != NONE) AM_TRY(group_entities(j));
    for (int64_t i = 0; i < j->entity_count; i++)
        if (!is_ignored(j, &j->entities[i])) AM_TRY(keep_entity(j, &j->entities[i]));
    j->window_count++;
    return NULL;
}

/* --- the answer --- */

static int by_start(const void *a, const void *b)
{
    const found *x = a, *y = b;
    if (x->start != y->start) return x->start < y->start ? -1 : 1;
    return (x->order > y->order) - (x->order < y->order);
}

/* Of the entities of several windows that overlap: the longer one, of equally long ones the likelier
   (aggregate_overlapping_entities). */
static void resolve_overlaps(am_entities *j)
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
        if (length > other || (length == other && one->entity.score > before->entity.score)) *before = *one;
    }
    j->found_count = last + 1;
}

static void append_entity(const am_entities *j, const found *one, am_buffer *out)
{
    const entity *e = &one->entity;
    const char *name = name_of(j, e);
    am_buffer_append_string(out, j->strategy == NONE ? "{\"entity\": " : "{\"entity_group\": ");
    am_buffer_append_json_string(out, name, strlen(name));
    am_buffer_append_string(out, ", \"score\": ");
    am_append_float(out, e->score);
    if (j->strategy == NONE) am_buffer_printf(out, ", \"index\": %lld", (long long)one->index);
    am_buffer_append_string(out, ", \"word\": ");
    am_buffer_append_json_string(out, e->word.bytes ? e->word.bytes : "", e->word.length);
    if (j->has_offsets) am_buffer_printf(out, ", \"start\": %u, \"end\": %u}", one->start, one->end);
    else am_buffer_append_string(out, ", \"start\": null, \"end\": null}");
}

void am_entities_append(am_entities *j, am_buffer *out)
{
    if (j->window_count > 1) resolve_overlaps(j);
    am_buffer_append_char(out, '[');
    for (int64_t i = 0; i < j->found_count; i++) {
        if (i) am_buffer_append_string(out, ", ");
        append_entity(j, &j->found[i], out);
    }
    am_buffer_append_char(out, ']');
}
