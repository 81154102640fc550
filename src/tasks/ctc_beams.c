#include "tasks/ctc_beams.h"

#include "base/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A prefix, byte by byte, so that what is spelled by other classes is the same: words with a blank between them, and
   behind the last where it has ended. */
typedef struct prefix prefix;
struct prefix {
    prefix *parent, *children, *sibling;
    int64_t length;
    char byte;
};

/* Frames of the words that have ended, last first. */
typedef struct span span;
struct span {
    const span *before;
    int64_t start, end;
};

typedef struct beam {
    prefix *prefix;
    const span *words;
    int64_t part_start, part_end; /* frames of the word that goes on; part_start -1: none yet */
    int64_t last;                 /* the class of the last frame, of those with one label the first; -1: none yet */
    int64_t order;                /* of coming in, which decides between equals */
    double score;
} beam;

typedef struct search {
    const am_text *labels;
    const int64_t *same; /* [classes]: the first class with the same label */
    int64_t classes;
    const am_ctc_beam_options *options;
    am_arena *arena;
    beam *beams, *next;
    int64_t count, next_count, capacity;
    int64_t *table; /* [table_size] of next's indices; -1: free */
    size_t table_size;
    float *log_probabilities; /* [classes] of the frame */
} search;

/* --- options and labels --- */

am_status am_ctc_beam_options_read(am_json kwargs, am_ctc_beam_options *out)
{
    *out = (am_ctc_beam_options){.beam_width = 100, .beam_prune_logp = -10.0, .token_min_logp = -5.0};
    for (am_json_iterator i = am_json_iterate(kwargs); am_json_next(&i);) {
        bool is_null = am_json_kind_of(i.value) == AM_JSON_NULL;
        if (strcmp(i.key.bytes, "beam_width") == 0) out->beam_width = is_null ? 100 : am_json_int(i.value, 0);
        else if (strcmp(i.key.bytes, "beam_prune_logp") == 0)
            out->beam_prune_logp = is_null ? -10.0 : am_json_real(i.value, NAN);
        else if (strcmp(i.key.bytes, "token_min_logp") == 0)
            out->token_min_logp = is_null ? -5.0 : am_json_real(i.value, NAN);
        else return am_error(AM_UNSUPPORTED, "decoder_kwargs: %.40s", i.key.bytes);
    }
    if (out->beam_width < 1 || out->beam_width > 1 << 16)
        return am_error(AM_INVALID_ARGUMENT, "decoder_kwargs: beam_width: expected 1 to %d", 1 << 16);
    if (out->beam_prune_logp <= 0.0 && out->token_min_logp <= 0.0) return NULL;
    return am_error(AM_INVALID_ARGUMENT, "decoder_kwargs: beam_prune_logp and token_min_logp: expected at most 0");
}

static bool is_text(am_text a, const char *b)
{
    return a.length == strlen(b) && memcmp(a.bytes, b, a.length) == 0;
}

/* <pad> or [PAD], as pyctcdecode's patterns have them. */
static bool is_special(am_text a, const char *name)
{
    static const char lower = 'a' - 'A';
    size_t length = strlen(name);
    if (a.length != length + 2 || (a.bytes[0] != '<' && a.bytes[0] != '[')) return false;
    if (a.bytes[length + 1] != '>' && a.bytes[length + 1] != ']') return false;
    for (size_t i = 0; i < length; i++) {
        char c = a.bytes[i + 1];
        if (c >= 'A' && c <= 'Z') c = (char)(c + lower);
        if (c != name[i]) return false;
    }
    return true;
}

static int64_t find_label(const am_text *labels, int64_t classes, const char *label)
{
    for (int64_t i = 0; i < classes; i++) {
        if (is_text(labels[i], label)) return i;
    }
    return -1;
}

am_status am_ctc_labels(const am_tokenizer *tokenizer, int64_t classes, am_arena *arena, am_text **out)
{
    am_text *labels = *out = am_arena_array(arena, (size_t)classes, sizeof *labels);
    if (!labels) return am_out_of_memory();
    for (int64_t i = 0; i < classes; i++) {
        am_text token = am_tokenizer_id_to_token(tokenizer, (int32_t)i);
        labels[i] = token.bytes ? token : (am_text){"\xe2\x81\x87", 3};
        bool is_piece = (token.length > 2 && memcmp(token.bytes, "##", 2) == 0) ||
                        (token.length >= 3 && memcmp(token.bytes, "\xe2\x96\x81", 3) == 0);
        if (is_piece) return am_error(AM_UNSUPPORTED, "a beam search over pieces of words");
    }
    int64_t bar = find_label(labels, classes, "|");
    if (bar >= 0 && find_label(labels, classes, " ") < 0) labels[bar] = (am_text){" ", 1};
    for (int64_t i = 0; i < classes; i++) {
        if (is_special(labels[i], "pad")) labels[i] = (am_text){"", 0};
        if (is_special(labels[i], "unk")) labels[i] = (am_text){"\xe2\x81\x87", 3};
    }
    int64_t line = find_label(labels, classes, "_");
    if (line >= 0 && find_label(labels, classes, "") < 0) labels[line] = (am_text){"", 0};
    if (find_label(labels, classes, "") >= 0) return NULL;
    return am_error(AM_UNSUPPORTED, "a beam search over a vocabulary without a blank (<pad>)");
}

/* --- prefixes --- */

static prefix *child(search *s, prefix *parent, char byte)
{
    for (prefix *p = parent->children; p; p = p->sibling) {
        if (p->byte == byte) return p;
    }
    prefix *made = am_arena_alloc(s->arena, sizeof *made);
    if (!made) return NULL;
    *made = (prefix){.parent = parent, .sibling = parent->children, .length = parent->length + 1, .byte = byte};
    parent->children = made;
    return made;
}

static bool is_between_words(const prefix *p)
{
    return !p->parent || p->byte == ' ';
}

/* --- a frame --- */

static double sum_of_logarithms(double a, double b)
{
    double most = a > b ? a : b, least = a > b ? b : a;
    return most + log(1.0 + exp(least - most));
}

/* Where the next beam with that prefix and last class stands in the table, or is to stand. */
static int64_t *place_of(const search *s, const beam *b)
{
    uint64_t hash = ((uint64_t)(uintptr_t)b->prefix >> 4) * UINT64_C(0x9e3779b97f4a7c15) + (uint64_t)b->last * 31;
    for (size_t at = (size_t)(hash >> 20) % s->table_size;; at = (at + 1) % s->table_size) {
        int64_t i = s->table[at];
        if (i < 0 || (s->next[i].prefix == b->prefix && s->next[i].last == b->last)) return &s->table[at];
    }
}

/* Of beams that say the same the frames are those of the last. */
static void add_beam(search *s, beam b)
{
    int64_t *place = place_of(s, &b);
    if (*place >= 0) {
        beam *other = &s->next[*place];
        b.score = sum_of_logarithms(other->score, b.score);
        b.order = other->order;
        *other = b;
        return;
    }
    *place = b.order = s->next_count;
    s->next[s->next_count++] = b;
}

/* A beam with one class more at frame t. */
static am_status extend(search *s, const beam *from, int64_t class, int64_t t)
{
    am_text label = s->labels[class];
    beam b = *from;
    bool is_blank = !label.length, is_same = s->same[class] == from->last, is_space = is_text(label, " ");
    b.score += (double)s->log_probabilities[class];
    b.last = s->same[class];
    if (is_blank || is_same) {
        if (!is_blank) b.part_end = t + 1;
        add_beam(s, b);
        return NULL;
    }
    if (is_space && !is_between_words(b.prefix)) {
        span *ended = am_arena_alloc(s->arena, sizeof *ended);
        if (!ended) return am_out_of_memory();
        *ended = (span){b.words, b.part_start, b.part_end};
        b.words = ended;
        b.prefix = child(s, b.prefix, ' ');
    }
    for (size_t i = 0; i < label.length && !is_space && b.prefix; i++) b.prefix = child(s, b.prefix, label.bytes[i]);
    if (!b.prefix) return am_out_of_memory();
    if (is_space) b.part_start = b.part_end = -1;
    else {
        if (b.part_start < 0) b.part_start = t;
        b.part_end = t + 1;
    }
    add_beam(s, b);
    return NULL;
}

static int by_score(const void *a, const void *b)
{
    const beam *x = a, *y = b;
    if (x->score != y->score) return x->score > y->score ? -1 : 1;
    return x->order < y->order ? -1 : x->order > y->order;
}

/* The next beams become the beams: those that are not far behind the best, at most beam_width. */
static void trim(search *s)
{
    qsort(s->next, (size_t)s->next_count, sizeof *s->next, by_score);
    beam *beams = s->next;
    s->next = s->beams;
    s->beams = beams;
    s->count = 0;
    while (s->count < s->next_count && s->count < s->options->beam_width &&
           beams[s->count].score >= beams[0].score + s->options->beam_prune_logp)
        s->count++;
    s->next_count = 0;
}

static am_status reserve(search *s, int64_t beams)
{
    if (beams > s->capacity) {
        beam *kept = am_arena_array(s->arena, (size_t)beams, sizeof *kept);
        s->next = am_arena_array(s->arena, (size_t)beams, sizeof *s->next);
        if (!kept || !s->next) return am_out_of_memory();
        if (s->count) memcpy(kept, s->beams, (size_t)s->count * sizeof *kept);
        s->beams = kept;
        s->capacity = beams;
        s->table_size = 2 * (size_t)beams + 1;
        s->table = am_arena_array(s->arena, s->table_size, sizeof *s->table);
        if (!s->table) return am_out_of_memory();
    }
    for (size_t i = 0; i < s->table_size; i++) s->table[i] = -1;
    return NULL;
}

/* log_softmax, at least log(1e-15); gives the best class. */
static int64_t take_logarithms(search *s, const float *logits)
{
    static const double least = 1e-15;
    int64_t best = 0;
    double sum = 0.0;
    for (int64_t k = 1; k < s->classes; k++)
        if (logits[k] > logits[best]) best = k;
    for (int64_t k = 0; k < s->classes; k++) sum += exp((double)(logits[k] - logits[best]));
    for (int64_t k = 0; k < s->classes; k++)
        s->log_probabilities[k] = (float)fmax((double)(logits[k] - logits[best]) - log(sum), log(least));
    return best;
}

static am_status take_frame(search *s, const float *logits, int64_t t)
{
    int64_t best = take_logarithms(s, logits), used = 0;
    for (int64_t k = 0; k < s->classes; k++)
        used += k == best || (double)s->log_probabilities[k] >= s->options->token_min_logp;
    AM_TRY(reserve(s, s->count * used));
    for (int64_t k = 0; k < s->classes; k++) {
        if (k != best && (double)s->log_probabilities[k] < s->options->token_min_logp) continue;
        for (int64_t i = 0; i < s->count; i++) AM_TRY(extend(s, &s->beams[i], k, t));
    }
    trim(s);
    return NULL;
}

/* --- the end --- */

/* Every word ends; what says the same then is one. */
static am_status end_words(search *s)
{
    AM_TRY(reserve(s, s->count));
    for (int64_t i = 0; i < s->count; i++) {
        beam b = s->beams[i];
        b.last = -1;
        if (!is_between_words(b.prefix)) {
            span *ended = am_arena_alloc(s->arena, sizeof *ended);
            b.prefix = child(s, b.prefix, ' ');
            if (!ended || !b.prefix) return am_out_of_memory();
            *ended = (span){b.words, b.part_start, b.part_end};
            b.words = ended;
        }
        add_beam(s, b);
    }
    trim(s);
    return NULL;
}

static am_status write_hypothesis(const search *s, const beam *b, am_ctc_hypothesis *out)
{
    int64_t length = b->prefix->length > 0 ? b->prefix->length - 1 : 0, words = 0;
    char *text = am_arena_alloc(s->arena, (size_t)length + 2);
    if (!text) return am_out_of_memory();
    for (const prefix *p = b->prefix; p->parent; p = p->parent) {
        text[p->length - 1] = p->byte;
        words += p->byte == ' ';
    }
    text[length] = 0;
    *out = (am_ctc_hypothesis){.text = {text, (size_t)length}, .word_count = words, .score = b->score};
    out->words = am_arena_array(s->arena, (size_t)words + 1, sizeof *out->words);
    if (!out->words) return am_out_of_memory();
    const char *end = text + length;
    for (const span *w = b->words; w && words > 0; w = w->before) {
        const char *start = end;
        while (start > text && start[-1] != ' ') start--;
        out->words[--words] = (am_ctc_beam_word){{start, (size_t)(end - start)}, w->start, w->end};
        end = start > text ? start - 1 : start;
    }
    return NULL;
}

static am_status start(search *s)
{
    int64_t *same = am_arena_array(s->arena, (size_t)s->classes, sizeof *same);
    s->log_probabilities = am_arena_array(s->arena, (size_t)s->classes, sizeof *s->log_probabilities);
    prefix *root = am_arena_alloc(s->arena, sizeof *root);
    if (!same || !s->log_probabilities || !root) return am_out_of_memory();
    for (int64_t i = 0; i < s->classes; i++) {
        while (same[i] < i && (s->labels[same[i]].length != s->labels[i].length ||
                               memcmp(s->labels[same[i]].bytes, s->labels[i].bytes, s->labels[i].length) != 0))
            same[i]++;
    }
    s->same = same;
    AM_TRY(reserve(s, 1));
    s->beams[s->count++] = (beam){.prefix = root, .part_start = -1, .part_end = -1, .last = -1};
    return NULL;
}

am_status am_ctc_beam_search(const float *logits, int64_t frames, const am_text *labels, int64_t classes,
                             const am_ctc_beam_options *options, am_arena *arena, am_ctc_hypothesis **out,
                             int64_t *count)
{
    search s = {.labels = labels, .classes = classes, .options = options, .arena = arena};
    AM_TRY(start(&s));
    for (int64_t t = 0; t < frames; t++) AM_TRY(take_frame(&s, logits + t * classes, t));
    AM_TRY(end_words(&s));
    *count = s.count;
    *out = am_arena_array(arena, (size_t)s.count, sizeof **out);
    if (!*out) return am_out_of_memory();
    for (int64_t i = 0; i < s.count; i++) AM_TRY(write_hypothesis(&s, &s.beams[i], &(*out)[i]));
    return NULL;
}
