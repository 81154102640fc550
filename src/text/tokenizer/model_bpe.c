/* Byte pair encoding: a word starts as its characters; of all neighbouring pairs the one with the lowest rank
   is joined, the leftmost first, until no pair is in the list of merges (Sennrich, Haddow, Birch 2016). */
#include "text/tokenizer/internal.h"

#include "base/memory.h"
#include "base/threads.h"
#include "base/utf8.h"

#include <pthread.h>

/* A symbol of a word: a token under way. Joined ones drop out of the list of neighbours. */
typedef struct symbol {
    int32_t id;
    uint32_t length;        /* bytes of the word; 0: joined into another */
    int32_t previous, next; /* -1: none */
} symbol;

/* A pair that may be joined: of symbols[position] and the next. */
typedef struct candidate {
    uint32_t rank;
    int32_t id;
    uint32_t position;
} candidate;

/* Words of up to so many symbols are joined by looking through them all, longer ones with a queue. */
enum { SHORT_WORD = 48, FILTER_BITS_PER_SLOT = 16 };

/* Merges that are resolved in passes, that a thread takes at once, and how far ahead tables are loaded. */
enum { BATCH_MERGES = 32, SLICE_MERGES = 4096, LOOK_AHEAD = 16 };

/* ---- merges ---- */

static uint64_t hash_pair(uint64_t pair)
{
    pair *= 0x9e3779b97f4a7c15u;
    return pair ^ pair >> 32;
}

static const am_merge_slot *find_merge(const am_bpe *bpe, int32_t left, int32_t right)
{
    uint64_t pair = (uint64_t)(uint32_t)left << 32 | (uint32_t)right, hash = hash_pair(pair);
    size_t bit = hash >> 24 & bpe->filter_mask;
    if (!(bpe->merge_filter[bit / 64] >> bit % 64 & 1)) return NULL;
    for (size_t at = hash & bpe->merge_mask;; at = (at + 1) & bpe->merge_mask) {
        const am_merge_slot *slot = &bpe->merges[at];
        if (slot->pair == pair) return slot;
        if (slot->pair == UINT64_MAX) return NULL;
    }
}

am_status am_bpe_start_merges(am_model *model, size_t expected)
{
    size_t count = 16;
    if (expected > UINT32_MAX / 2) return am_error(AM_INVALID_FILE, "%zu merges, more than there can be", expected);
    while (count < expected + expected / 2) count *= 2;
    model->bpe.merges = am_alloc_table(count, sizeof *model->bpe.merges);
    model->bpe.merge_filter = am_alloc_zeroed(count * FILTER_BITS_PER_SLOT / 64, sizeof *model->bpe.merge_filter);
    model->bpe.merge_mask = count - 1;
    model->bpe.filter_mask = count * FILTER_BITS_PER_SLOT - 1;
    if (!model->bpe.merges || !model->bpe.merge_filter) return am_out_of_memory();
    memset(model->bpe.merges, 0xFF, count * sizeof *model->bpe.merges); /* UINT64_MAX: empty */
    return NULL;
}

static am_status unknown_merge(am_text part, size_t rank, const char *where)
{
    return am_error(AM_INVALID_FILE, "%s: merge %zu: \"%.*s\" is not in the vocabulary", where, rank,
                    (int)(part.length < 60 ? part.length : 60), part.bytes);
}

static bool is_joined(const am_vocabulary *v, const am_vocabulary_entry *entry, am_text left, am_text right)
{
    const char *text = v->strings.bytes + entry->offset;
    return entry->length == left.length + right.length && am_bytes_equal(text, left.bytes, left.length) &&
           am_bytes_equal(text + left.length, right.bytes, right.length);
}

/* Entry of `left` and `right` put together: often *last, which that of the merge before was, or the next one; else it
   is looked up. Null: none. */
static const am_vocabulary_entry *find_joined(const am_vocabulary *v, am_text left, uint32_t left_hash, am_text right,
                                              uint32_t *last)
{
    const am_vocabulary_entry *joined = NULL;
    for (uint32_t i = *last; i < v->count && i <= *last + 1 && !joined; i++)
        if (is_joined(v, &v->entries[i], left, right)) joined = &v->entries[i];
    if (!joined)
        joined = am_vocabulary_find_joined(v, left, right, am_hash_bytes(left_hash, right.bytes, right.length));
    if (joined) *last = (uint32_t)(joined - v->entries);
    return joined;
}

static void put_merge(am_bpe *bpe, am_merge_slot merge)
{
    uint64_t hash = hash_pair(merge.pair);
    size_t at = hash & bpe->merge_mask, bit = hash >> 24 & bpe->filter_mask;
    bpe->merge_filter[bit / 64] |= (uint64_t)1 << bit % 64;
    while (bpe->merges[at].pair != UINT64_MAX && bpe->merges[at].pair != merge.pair) at = (at + 1) & bpe->merge_mask;
    bpe->merges[at] = merge;
}

/* A merge of texts as one of ids. */
static am_status resolve_merge(const am_model *model, const am_merge_text *merge, size_t rank, const char *where,
                               uint32_t *last, am_merge_slot *out)
{
    const am_vocabulary *v = &model->vocabulary;
    am_text left = merge->left, right = merge->right;
    size_t prefix = model->settings.continuing_subword_prefix.length;
    const am_vocabulary_entry *a = am_vocabulary_find_hashed(v, left, merge->left_hash),
                              *b = am_vocabulary_find_hashed(v, right, merge->right_hash);
    if (!a) return unknown_merge(left, rank, where);
    if (!b || right.length < prefix) return unknown_merge(right, rank, where);
    am_text tail = {right.bytes + prefix, right.length - prefix};
    const am_vocabulary_entry *joined = find_joined(v, left, merge->left_hash, tail, last);
    if (!joined)
        return am_error(AM_INVALID_FILE, "%s: merge %zu: \"%.*s%.*s\" is not in the vocabulary", where, rank,
                        (int)(left.length < 60 ? left.length : 60), left.bytes,
                        (int)(tail.length < 60 ? tail.length : 60), tail.bytes);
    *out = (am_merge_slot){(uint64_t)(uint32_t)a->id << 32 | (uint32_t)b->id, (uint32_t)rank, joined->id};
    return NULL;
}

/* Merges that are being resolved, in any order. */
typedef struct merge_job {
    const am_model *model;
    const am_merge_text *merges;
    size_t count, rank; /* rank: of the first */
    const char *where;
    am_merge_slot *resolved;
    uint32_t last_joined; /* entry that the last merge gives */
    pthread_mutex_t lock; /* guards what follows */
    am_status status;     /* of the first merge that fails */
    size_t failed;        /* where the batch of that begins; SIZE_MAX: none */
} merge_job;

/* In passes, so that the memory each looks at is on its way before. */
static am_status resolve_batch(const merge_job *job, size_t begin, size_t end, uint32_t *last)
{
    const am_vocabulary *v = &job->model->vocabulary;
    for (size_t i = begin; i < end; i++) {
        am_vocabulary_prefetch(v, job->merges[i].left_hash);
        am_vocabulary_prefetch(v, job->merges[i].right_hash);
    }
    for (size_t i = begin; i < end; i++) {
        am_vocabulary_prefetch_entry(v, job->merges[i].left_hash);
        am_vocabulary_prefetch_entry(v, job->merges[i].right_hash);
    }
    for (size_t i = begin; i < end; i++)
        AM_TRY(resolve_merge(job->model, &job->merges[i], job->rank + i, job->where, last, &job->resolved[i]));
    return NULL;
}

static void keep_failure(merge_job *job, size_t begin, am_status status)
{
    pthread_mutex_lock(&job->lock);
    am_status other = status;
    if (begin < job->failed) {
        other = job->status;
        job->status = status;
        job->failed = begin;
    }
    pthread_mutex_unlock(&job->lock);
    am_status_free(other);
}

static void resolve_slice(void *context, int64_t first, int64_t stop)
{
    merge_job *job = context;
    uint32_t last = job->model->bpe.last_joined;
    am_status status = NULL;
    for (size_t begin = (size_t)first, end; begin < (size_t)stop && !status; begin = end) {
        end = begin + BATCH_MERGES < (size_t)stop ? begin + BATCH_MERGES : (size_t)stop;
        status = resolve_batch(job, begin, end, &last);
        if (status) keep_failure(job, begin, status);
    }
    if ((size_t)stop == job->count) job->last_joined = last;
}

am_status am_bpe_add_merges(am_model *model, const am_merge_text *merges, size_t count, size_t rank, const char *where)
{
    am_bpe *bpe = &model->bpe;
    merge_job job = {.model = model,
                     .merges = merges,
                     .count = count,
                     .rank = rank,
                     .where = where,
                     .lock = PTHREAD_MUTEX_INITIALIZER,
                     .failed = SIZE_MAX};
    job.resolved = am_alloc_table(count, sizeof *job.resolved);
    if (!job.resolved) return am_out_of_memory();
    am_parallel_for((int64_t)count, SLICE_MERGES, resolve_slice, &job);
    for (size_t i = 0; i < count && !job.status; i++) {
        if (i + LOOK_AHEAD < count)
            __builtin_prefetch(&bpe->merges[hash_pair(job.resolved[i + LOOK_AHEAD].pair) & bpe->merge_mask], 1);
        put_merge(bpe, job.resolved[i]);
    }
    if (count) bpe->last_joined = job.last_joined;
    am_free(job.resolved);
    return job.status;
}

am_status am_bpe_finish(am_model *model)
{
    if (!model->bpe.merges) AM_TRY(am_bpe_start_merges(model, 0));
    am_model_find_byte_ids(model, model->bpe.byte_ids);
    for (uint32_t c = 0; c < sizeof model->bpe.char_ids / sizeof model->bpe.char_ids[0]; c++) {
        char bytes[4];
        model->bpe.char_ids[c] = am_vocabulary_id(&model->vocabulary, (am_text){bytes, am_utf8_put(c, bytes)});
    }
    model->bpe.takes_raw_bytes =
        model->settings.continuing_subword_prefix.length == 0 && model->settings.end_of_word_suffix.length == 0;
    for (int byte = 0; byte < 256; byte++) {
        model->bpe.raw_ids[byte] = model->bpe.char_ids[am_byte_level_char((unsigned char)byte)];
        model->bpe.takes_raw_bytes &= model->bpe.raw_ids[byte] >= 0;
    }
    return NULL;
}

/* ---- the symbols a word starts as ---- */

typedef struct word_builder {
    const am_model *model;
    am_scratch *scratch;
    symbol *symbols;
    uint32_t count, unknown_length; /* bytes of unknown characters not yet added */
    bool has_unknown;
} word_builder;

static void add_symbol(word_builder *w, int32_t id, uint32_t length)
{
    w->symbols[w->count] = (symbol){id, length, (int32_t)w->count - 1, (int32_t)w->count + 1};
    w->count++;
}

static void flush_unknown(word_builder *w)
{
    if (w->has_unknown) add_symbol(w, w->model->unk_id, w->unknown_length);
    w->has_unknown = false;
}

/* The text of a character with the affixes that its place in the word gives it; in work array 1. */
static am_text with_affixes(const word_builder *w, am_text c, bool first, bool last)
{
    am_text prefix = first ? (am_text){0} : w->model->settings.continuing_subword_prefix;
    am_text suffix = last ? w->model->settings.end_of_word_suffix : (am_text){0};
    if (prefix.length + suffix.length == 0) return c;
    char *text = am_scratch_work(w->scratch, 1, prefix.length + c.length + suffix.length, 1);
    if (!text) return c;
    if (prefix.length) memcpy(text, prefix.bytes, prefix.length);
    memcpy(text + prefix.length, c.bytes, c.length);
    if (suffix.length) memcpy(text + prefix.length + c.length, suffix.bytes, suffix.length);
    return (am_text){text, prefix.length + c.length + suffix.length};
}

static bool add_bytes(word_builder *w, am_text text)
{
    const int32_t *ids = w->model->bpe.byte_ids;
    for (size_t i = 0; i < text.length; i++)
        if (ids[(unsigned char)text.bytes[i]] < 0) return false;
    for (size_t i = 0; i < text.length; i++) add_symbol(w, ids[(unsigned char)text.bytes[i]], 1);
    return true;
}

static am_status add_unknown(word_builder *w, uint32_t length)
{
    const am_model_settings *settings = &w->model->settings;
    if (!settings->has_unk_token) return NULL; /* the character is dropped */
    if (w->model->unk_id < 0)
        return am_error(AM_OUT_OF_RANGE,
                        "the text has a character that is not in the vocabulary, and neither is the unknown "
                        "token \"%.*s\"",
                        (int)settings->unk_token.length, settings->unk_token.bytes);
    if (w->has_unknown && !settings->fuse_unk) flush_unknown(w);
    w->unknown_length = (w->has_unknown ? w->unknown_length : 0) + length;
    w->has_unknown = true;
    return NULL;
}

static am_status add_char(word_builder *w, am_text c, bool first, bool last)
{
    uint32_t length = (uint32_t)c.length, bytes;
    am_text text = with_affixes(w, c, first, last);
    int32_t id = -1;
    if (text.bytes == c.bytes && length <= 2 && am_char_at(c.bytes, &bytes) < 512)
        id = w->model->bpe.char_ids[am_char_at(c.bytes, &bytes)];
    else id = am_vocabulary_id(&w->model->vocabulary, text);
    if (id >= 0) {
        flush_unknown(w);
        add_symbol(w, id, length);
        return NULL;
    }
    if (w->model->settings.byte_fallback && add_bytes(w, text)) return NULL;
    return add_unknown(w, length);
}

static am_status start_word(const am_model *model, am_scratch *s, am_text word, symbol **out, uint32_t *count)
{
    const am_model_settings *settings = &model->settings;
    size_t affixes = settings->continuing_subword_prefix.length + settings->end_of_word_suffix.length, most;
    *count = 0;
    if (!am_multiply_size(word.length, 1 + affixes, &most) || most > INT32_MAX - 1) return am_out_of_memory();
    word_builder w = {.model = model, .scratch = s, .symbols = am_scratch_work(s, 0, most + 1, sizeof(symbol))};
    if (!w.symbols) return NULL;
    for (uint32_t at = 0, length; at < word.length; at += length) {
        length = am_char_length(word.bytes[at]);
        AM_TRY(add_char(&w, (am_text){word.bytes + at, length}, at == 0, at + length == word.length));
    }
    flush_unknown(&w);
    if (w.count) w.symbols[w.count - 1].next = -1;
    *out = w.symbols;
    *count = w.count;
    return NULL;
}

/* The same of bytes, each of which is a symbol. */
static void start_raw_word(const am_bpe *bpe, am_scratch *s, am_text word, symbol **out, uint32_t *count)
{
    symbol *symbols = am_scratch_work(s, 0, word.length + 1, sizeof *symbols);
    *count = 0;
    if (!symbols) return;
    for (int32_t i = 0; i < (int32_t)word.length; i++)
        symbols[i] = (symbol){bpe->raw_ids[(unsigned char)word.bytes[i]], 1, i - 1, i + 1};
    if (word.length) symbols[word.length - 1].next = -1;
    *out = symbols;
    *count = (uint32_t)word.length;
}

/* ---- joining ---- */

/* Looks for the best pair again after every join; the symbols stay side by side. Returns how many are left.
 */
static uint32_t join_short(const am_bpe *bpe, symbol *symbols, uint32_t count)
{
    uint32_t ranks[SHORT_WORD];
    int32_t ids[SHORT_WORD];
    for (uint32_t i = 0; i + 1 < count; i++) {
        const am_merge_slot *merge = find_merge(bpe, symbols[i].id, symbols[i + 1].id);
        ranks[i] = merge ? merge->rank : UINT32_MAX;
        ids[i] = merge ? merge->id : -1;
    }
    while (count > 1) {
        uint32_t best = 0;
        for (uint32_t i = 1; i + 1 < count; i++)
            if (ranks[i] < ranks[best]) best = i;
        if (ranks[best] == UINT32_MAX) break;
        symbols[best].id = ids[best];
        symbols[best].length += symbols[best + 1].length;
        memmove(symbols + best + 1, symbols + best + 2, (count - best - 2) * sizeof *symbols);
        if (count - best > 2) {
            memmove(ranks + best, ranks + best + 1, (count - best - 2) * sizeof *ranks);
            memmove(ids + best, ids + best + 1, (count - best - 2) * sizeof *ids);
        }
        count--;
        for (uint32_t i = best > 0 ? best - 1 : best; i <= best && i + 1 < count; i++) {
            const am_merge_slot *merge = find_merge(bpe, symbols[i].id, symbols[i + 1].id);
            ranks[i] = merge ? merge->rank : UINT32_MAX;
            ids[i] = merge ? merge->id : -1;
        }
    }
    return count;
}

static bool is_before(const candidate *a, const candidate *b)
{
    return a->rank != b->rank ? a->rank < b->rank : a->position < b->position;
}

/* A binary heap with the best candidate on top. */
typedef struct queue {
    am_scratch *scratch;
    candidate *items;
    size_t count;
} queue;

static void push(queue *q, candidate item)
{
    q->items = am_scratch_work(q->scratch, 2, q->count + 1, sizeof *q->items);
    if (!q->items) return;
    size_t at = q->count++;
    for (; at > 0 && is_before(&item, &q->items[(at - 1) / 2]); at = (at - 1) / 2)
        q->items[at] = q->items[(at - 1) / 2];
    q->items[at] = item;
}

static candidate pop(queue *q)
{
    candidate top = q->items[0], last = q->items[--q->count];
    size_t at = 0;
    for (size_t child; (child = at * 2 + 1) < q->count; at = child) {
        if (child + 1 < q->count && is_before(&q->items[child + 1], &q->items[child])) child++;
        if (!is_before(&q->items[child], &last)) break;
        q->items[at] = q->items[child];
    }
    q->items[at] = last;
    return top;
}

static void push_pair(queue *q, const am_bpe *bpe, const symbol *symbols, int32_t left)
{
    if (left < 0 || symbols[left].next < 0) return;
    const am_merge_slot *merge = find_merge(bpe, symbols[left].id, symbols[symbols[left].next].id);
    if (merge) push(q, (candidate){merge->rank, merge->id, (uint32_t)left});
}

/* Joins by way of a queue, in which candidates that no longer stand are skipped when they come up. */
static void join_long(const am_bpe *bpe, am_scratch *s, symbol *symbols, uint32_t count)
{
    queue q = {.scratch = s};
    for (uint32_t i = 0; i < count && !s->failed; i++) push_pair(&q, bpe, symbols, (int32_t)i);
    while (q.count > 0 && !s->failed) {
        candidate top = pop(&q);
        symbol *left = &symbols[top.position];
        if (left->length == 0 || left->next < 0) continue;
        symbol *right = &symbols[left->next];
        const am_merge_slot *merge = find_merge(bpe, left->id, right->id);
        if (!merge || merge->id != top.id) continue;
        left->id = top.id;
        left->length += right->length;
        left->next = right->next;
        right->length = 0;
        if (left->next >= 0) symbols[left->next].previous = (int32_t)top.position;
        push_pair(&q, bpe, symbols, left->previous);
        push_pair(&q, bpe, symbols, (int32_t)top.position);
    }
}

/* Id of the whole word, or -1. */
static int32_t whole_id(const am_vocabulary *v, am_scratch *s, am_text word, bool raw_bytes)
{
    if (!raw_bytes || word.length > v->longest_bytes) return am_vocabulary_id(v, word);
    char *text = am_scratch_work(s, 1, word.length * 2, 1);
    size_t length = 0;
    if (!text) return -1;
    for (size_t i = 0; i < word.length; i++)
        length += am_utf8_put(am_byte_level_char((unsigned char)word.bytes[i]), text + length);
    return am_vocabulary_id(v, (am_text){text, length});
}

am_status am_bpe_tokenize(const am_model *model, am_scratch *s, am_text word, bool raw_bytes)
{
    const am_vocabulary *v = &model->vocabulary;
    symbol *symbols = NULL;
    uint32_t count, offset = 0;
    if (model->settings.ignore_merges) {
        int32_t id = whole_id(v, s, word, raw_bytes);
        if (id >= 0) {
            am_scratch_add_token(s, (am_token){id, 0, (uint32_t)word.length, false, am_vocabulary_text(v, id)});
            return NULL;
        }
    }
    if (raw_bytes) start_raw_word(&model->bpe, s, word, &symbols, &count);
    else AM_TRY(start_word(model, s, word, &symbols, &count));
    if (count > SHORT_WORD) join_long(&model->bpe, s, symbols, count);
    else if (count > 1) count = join_short(&model->bpe, symbols, count);
    for (uint32_t i = 0; i < count; i++) {
        if (symbols[i].length == 0) continue;
        am_scratch_add_token(s, (am_token){symbols[i].id, offset, offset + symbols[i].length, false,
                                           am_vocabulary_text(v, symbols[i].id)});
        offset += symbols[i].length;
    }
    return NULL;
}
