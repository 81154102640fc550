/* Byte pair encoding as the Python classes write it: all places of the best pair are merged, from the left, before the
   next pair is looked for. Parts are texts; what a merge gives need not be in the vocabulary. */
#include "text/tokenizer/python_tokenizer.h"

#include "base/memory.h"

typedef struct merge {
    uint64_t pair; /* left symbol << 32 | right symbol; UINT64_MAX: an empty slot */
    uint32_t rank;
    int32_t joined;
} merge;

struct am_py_bpe {
    am_vocabulary symbols;
    merge *merges; /* open addressing */
    size_t mask, count;
    char suffix[8];
};

/* ---- reading ---- */

static merge *slot_of(const am_py_bpe *bpe, uint64_t pair)
{
    size_t at = (size_t)((pair * 0x9E3779B97F4A7C15u) >> 20) & bpe->mask;
    while (bpe->merges[at].pair != UINT64_MAX && bpe->merges[at].pair != pair) at = (at + 1) & bpe->mask;
    return &bpe->merges[at];
}

static am_status symbol_of(am_py_bpe *bpe, am_text text, const char *path, int32_t *out)
{
    *out = am_vocabulary_id(&bpe->symbols, text);
    if (*out >= 0) return NULL;
    *out = (int32_t)bpe->symbols.count;
    return am_vocabulary_add(&bpe->symbols, text, *out, false, path);
}

static am_status add_merge(am_py_bpe *bpe, am_text left, am_text right, uint32_t rank, const char *path)
{
    int32_t a, b, joined;
    am_buffer text = {0};
    am_buffer_append(&text, left.bytes, left.length);
    am_buffer_append(&text, right.bytes, right.length);
    am_status status = am_buffer_status(&text);
    if (!status) status = symbol_of(bpe, left, path, &a);
    if (!status) status = symbol_of(bpe, right, path, &b);
    if (!status) status = symbol_of(bpe, am_buffer_view(&text), path, &joined);
    am_buffer_deinit(&text);
    if (status) return status;
    uint64_t pair = (uint64_t)a << 32 | (uint32_t)b;
    *slot_of(bpe, pair) = (merge){pair, rank, joined};
    return NULL;
}

/* A line of the file; one without words is no merge, but counts. */
static am_status read_line(am_py_bpe *bpe, am_text line, am_py_merges kind, uint32_t rank, size_t number,
                           const char *path)
{
    am_text words[3];
    size_t count = 0;
    for (am_text word; am_py_next_word(&line, &word); count++)
        if (count < 3) words[count] = word;
    if (count == 0) return NULL;
    bool whole = kind == AM_PY_MERGES_FIRST_TWO ? count >= 2 : count == (kind == AM_PY_MERGES_COUNTED ? 3 : 2);
    if (!whole)
        return am_error(AM_INVALID_FILE, "%s: line %zu: expected two tokens%s, found %zu words", path, number,
                        kind == AM_PY_MERGES_COUNTED ? " and a count" : "", count);
    return add_merge(bpe, words[0], words[1], rank, path);
}

static am_status reserve(am_py_bpe *bpe, size_t lines)
{
    size_t slots = 64;
    while (slots < lines * 2) slots *= 2;
    bpe->merges = am_alloc(slots * sizeof *bpe->merges);
    if (!bpe->merges) return am_out_of_memory();
    for (size_t i = 0; i < slots; i++) bpe->merges[i].pair = UINT64_MAX;
    bpe->mask = slots - 1;
    return am_vocabulary_init(&bpe->symbols, lines * 2);
}

static size_t count_lines(const am_python_lines *lines)
{
    size_t count = 1;
    for (size_t i = 0; i < lines->length; i++) count += lines->text[i] == '\n';
    return count;
}

static am_status read_merges(am_py_bpe *bpe, const am_python_lines *lines, am_py_merges kind)
{
    am_text rest = {lines->text, lines->length}, line;
    bool more = true;
    uint32_t rank = 0;
    AM_TRY(reserve(bpe, count_lines(lines)));
    for (size_t number = 1; am_py_next_part(&rest, '\n', &more, &line) && more; number++) {
        if (number == 1 && kind == AM_PY_MERGES_AFTER_HEADER) continue;
        AM_TRY(read_line(bpe, line, kind, rank++, number, lines->path));
    }
    return NULL;
}

am_status am_py_bpe_read(am_auto *a, const char *name, am_py_merges kind, const char *suffix, am_py_bpe **out)
{
    am_python_lines lines;
    *out = am_alloc_zeroed(1, sizeof **out);
    if (!*out) return am_out_of_memory();
    memcpy((*out)->suffix, suffix, strlen(suffix));
    AM_TRY(am_python_read_file(a, name, &lines));
    am_status status = read_merges(*out, &lines, kind);
    am_free(lines.text);
    return status;
}

void am_py_bpe_destroy(am_py_bpe *bpe)
{
    if (!bpe) return;
    am_vocabulary_deinit(&bpe->symbols);
    am_free(bpe->merges);
    am_free(bpe);
}

/* ---- merging ---- */

/* A part of the word: bytes [start, end) of it with its suffix. A part that was taken into the one before has
   start == end. */
typedef struct node {
    uint32_t start, end;
    uint32_t previous, next; /* UINT32_MAX: none */
    int32_t symbol;          /* -1: in no merge */
} node;

typedef struct candidate {
    uint32_t rank, at;
} candidate;

typedef struct queue {
    am_scratch *scratch;
    candidate *items; /* a heap: best rank first, then leftmost */
    size_t count;
} queue;

static bool is_before(candidate a, candidate b)
{
    return a.rank != b.rank ? a.rank < b.rank : a.at < b.at;
}

static void push(queue *q, candidate item)
{
    q->items = am_scratch_work(q->scratch, 1, q->count + 1, sizeof *q->items);
    if (!q->items) return;
    size_t at = q->count++;
    for (size_t parent; at > 0 && is_before(item, q->items[parent = (at - 1) / 2]); at = parent)
        q->items[at] = q->items[parent];
    q->items[at] = item;
}

static candidate pop(queue *q)
{
    candidate best = q->items[0], last = q->items[--q->count];
    size_t at = 0;
    for (size_t child; (child = at * 2 + 1) < q->count; at = child) {
        if (child + 1 < q->count && is_before(q->items[child + 1], q->items[child])) child++;
        if (!is_before(q->items[child], last)) break;
        q->items[at] = q->items[child];
    }
    q->items[at] = last;
    return best;
}

/* The merge of a node with the one behind it, or null. */
static const merge *merge_at(const am_py_bpe *bpe, const node *nodes, uint32_t at)
{
    uint32_t next = at == UINT32_MAX || nodes[at].start == nodes[at].end ? UINT32_MAX : nodes[at].next;
    if (next == UINT32_MAX || nodes[at].symbol < 0 || nodes[next].symbol < 0) return NULL;
    const merge *found = slot_of(bpe, (uint64_t)nodes[at].symbol << 32 | (uint32_t)nodes[next].symbol);
    return found->pair == UINT64_MAX ? NULL : found;
}

static void offer(const am_py_bpe *bpe, queue *q, const node *nodes, uint32_t at)
{
    const merge *found = merge_at(bpe, nodes, at);
    if (found && !q->scratch->failed) push(q, (candidate){found->rank, at});
}

/* Merges the places of one rank, which end up in `done`; their number. */
static size_t merge_rank(const am_py_bpe *bpe, queue *q, node *nodes, uint32_t rank, uint32_t *done)
{
    size_t count = 0;
    while (q->count > 0 && q->items[0].rank == rank) {
        uint32_t at = pop(q).at;
        const merge *found = merge_at(bpe, nodes, at);
        if (!found || found->rank != rank) continue;
        node *left = &nodes[at], *right = &nodes[left->next];
        left->end = right->end;
        left->symbol = found->joined;
        left->next = right->next;
        right->start = right->end;
        if (left->next != UINT32_MAX) nodes[left->next].previous = at;
        done[count++] = at;
    }
    return count;
}

static void merge_all(const am_py_bpe *bpe, am_scratch *s, node *nodes, uint32_t count)
{
    queue q = {.scratch = s};
    uint32_t *done = am_scratch_work(s, 2, count, sizeof *done);
    for (uint32_t i = 0; done && i < count; i++) offer(bpe, &q, nodes, i);
    while (q.count > 0 && !s->failed) {
        size_t merged = merge_rank(bpe, &q, nodes, q.items[0].rank, done);
        for (size_t i = 0; i < merged; i++) {
            offer(bpe, &q, nodes, done[i]);
            offer(bpe, &q, nodes, nodes[done[i]].previous);
        }
    }
}

/* ---- a word ---- */

static uint32_t cut_into_characters(const am_py_bpe *bpe, am_text word, size_t suffix_length, node *nodes)
{
    uint32_t count = 0, end = (uint32_t)word.length;
    for (uint32_t at = 0, next; at < end; at = next, count++) {
        next = at + am_char_length(word.bytes[at]);
        if (next + suffix_length == end) next = end;
        nodes[count] = (node){at, next, count - 1, count + 1, -1};
        nodes[count].symbol = am_vocabulary_id(&bpe->symbols, (am_text){word.bytes + at, next - at});
    }
    nodes[count - 1].next = UINT32_MAX;
    return count;
}

static am_text with_mark(am_scratch *s, am_text part, const char *mark)
{
    size_t length = strlen(mark);
    char *bytes = am_scratch_alloc(s, part.length + length, 1);
    if (!bytes) return (am_text){0};
    memcpy(bytes, part.bytes, part.length);
    memcpy(bytes + part.length, mark, length);
    return (am_text){bytes, part.length + length};
}

void am_py_bpe_tokenize(const am_py_bpe *bpe, am_scratch *s, am_text word, const char *mark)
{
    size_t suffix = strlen(bpe->suffix);
    am_text whole = with_mark(s, word, bpe->suffix);
    node *nodes = am_scratch_work(s, 0, word.length, sizeof *nodes);
    if (!whole.bytes || !nodes) return;
    uint32_t count = cut_into_characters(bpe, whole, suffix, nodes);
    merge_all(bpe, s, nodes, count);
    for (uint32_t at = 0; at != UINT32_MAX && !s->failed; at = nodes[at].next) {
        am_text part = {whole.bytes + nodes[at].start, nodes[at].end - nodes[at].start};
        bool last = nodes[at].next == UINT32_MAX;
        if (mark && last) part.length -= suffix;
        am_python_add_token(s, mark && !last ? with_mark(s, part, mark) : part);
    }
}
