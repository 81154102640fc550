/* sentencepiece's models. */
#include "text/tokenizer/spm.h"

#include "base/memory.h"

enum { UNKNOWN_PENALTY = 10 };

/* Pieces under way; ranges are of the normalized text. */
typedef struct encoder {
    const am_spm *spm;
    am_scratch *scratch;
    am_spm_normal normal;
    am_text text; /* the normalized one, in memory that stays until the next call */
    bool after_unknown;
} encoder;

/* ---- handing out ---- */

/* Bytes of the input that [start, end) came from. */
static am_text_range origin(const encoder *e, size_t start, size_t end)
{
    return (am_text_range){e->normal.origins[start], e->normal.origins[end]};
}

static void add_bytes(encoder *e, size_t start, size_t end)
{
    am_text_range range = origin(e, start, end);
    for (size_t i = start; i < end; i++) {
        int32_t id = e->spm->byte_ids[(unsigned char)e->text.bytes[i]];
        am_scratch_add_token(e->scratch, (am_token){id, range.start, range.end, false, e->spm->file.pieces[id].text});
    }
}

/* A piece; unknown ones become bytes where the model has them, else those side by side are one. */
static void add_piece(encoder *e, size_t start, size_t end, int32_t id)
{
    am_scratch *s = e->scratch;
    am_text_range range = origin(e, start, end);
    bool unknown = am_spm_type(e->spm, id) == AM_SPM_UNKNOWN, control = am_spm_type(e->spm, id) == AM_SPM_CONTROL;
    if (unknown && e->spm->file.byte_fallback) add_bytes(e, start, end);
    else if (unknown && e->after_unknown && s->token_count) {
        s->tokens[s->token_count - 1].text.length += end - start;
        s->tokens[s->token_count - 1].end = range.end;
    } else {
        if (control) range.end = range.start;
        am_text text = unknown ? (am_text){e->text.bytes + start, end - start} : e->spm->file.pieces[id].text;
        am_scratch_add_token(s, (am_token){id, range.start, range.end, unknown, text});
    }
    e->after_unknown = unknown;
}

/* ---- unigram: the cut with the largest sum of scores, in the library's single precision ---- */

typedef struct node {
    float score;
    int32_t id;
    uint32_t start; /* UINT32_MAX: not reached */
} node;

static void offer(node *target, float score, uint32_t start, int32_t id)
{
    if (target->start != UINT32_MAX && score <= target->score) return;
    *target = (node){score, id, start};
}

/* User-defined pieces always win. */
static float score_of(const am_spm *spm, int32_t id, size_t length)
{
    if (am_spm_type(spm, id) != AM_SPM_USER_DEFINED) return spm->file.pieces[id].score;
    return (float)((double)((float)length * spm->highest) - 0.1);
}

/* Enters the pieces that start at `at`; false when the character there is none. */
static bool offer_pieces(const encoder *e, node *nodes, uint32_t at)
{
    const am_vocabulary *v = &e->spm->pieces;
    uint32_t hash = AM_HASH_START, first = at + am_char_length(e->text.bytes[at]);
    unsigned found = AM_PREFIX_GOES_ON;
    bool single = false;
    for (uint32_t end = at, next; end < e->text.length && (found & AM_PREFIX_GOES_ON); end = next) {
        next = end + am_char_length(e->text.bytes[end]);
        hash = am_hash_bytes(hash, e->text.bytes + end, next - end);
        found = am_prefixes_find(&e->spm->prefixes, hash);
        if (!(found & AM_PREFIX_IS_ENTRY)) continue;
        const am_vocabulary_entry *entry = am_vocabulary_find_hashed(v, (am_text){e->text.bytes + at, next - at}, hash);
        if (!entry || am_spm_type(e->spm, entry->id) == AM_SPM_UNUSED) continue;
        offer(&nodes[next], score_of(e->spm, entry->id, next - at) + nodes[at].score, at, entry->id);
        single |= next == first;
    }
    return single;
}

static void encode_unigram(encoder *e)
{
    uint32_t length = (uint32_t)e->text.length, count = 0;
    node *nodes = am_scratch_alloc(e->scratch, e->text.length + 1, sizeof *nodes);
    uint32_t *cuts = am_scratch_alloc(e->scratch, e->text.length + 1, sizeof *cuts);
    float unknown_score = e->spm->lowest - UNKNOWN_PENALTY;
    if (!nodes || !cuts) return;
    for (size_t i = 0; i <= length; i++) nodes[i] = (node){.id = -1, .start = UINT32_MAX};
    for (uint32_t at = 0, step; at < length; at += step) {
        step = am_char_length(e->text.bytes[at]);
        if (!offer_pieces(e, nodes, at)) offer(&nodes[at + step], unknown_score + nodes[at].score, at, e->spm->unk_id);
    }
    for (uint32_t end = length; end > 0; end = nodes[end].start) cuts[count++] = end;
    for (uint32_t start = 0; count > 0; start = cuts[count]) {
        count--;
        add_piece(e, start, cuts[count], nodes[cuts[count]].id);
    }
}

/* ---- bpe: of all neighbours that make a piece those with the best score are joined first ---- */

typedef struct symbol {
    uint32_t start, length; /* length 0: joined into another */
    int32_t previous, next; /* -1: none */
    bool frozen;            /* user-defined: not joined */
} symbol;

typedef struct candidate {
    float score;
    int32_t left;
    uint32_t length;
} candidate;

typedef struct joiner {
    encoder *encoder;
    symbol *symbols;
    candidate *queue; /* a binary heap with the best on top, in work array 2 */
    size_t queued;
    uint32_t *cuts; /* of unused pieces by id: the length of the left part they were joined from; null: none unused */
} joiner;

static bool is_before(const candidate *a, const candidate *b)
{
    return a->score > b->score || (a->score >= b->score && a->left < b->left);
}

static void push(joiner *j, candidate item)
{
    j->queue = am_scratch_work(j->encoder->scratch, 2, j->queued + 1, sizeof *j->queue);
    if (!j->queue) return;
    size_t at = j->queued++;
    for (; at > 0 && is_before(&item, &j->queue[(at - 1) / 2]); at = (at - 1) / 2)
        j->queue[at] = j->queue[(at - 1) / 2];
    j->queue[at] = item;
}

static candidate pop(joiner *j)
{
    candidate top = j->queue[0], last = j->queue[--j->queued];
    size_t at = 0;
    for (size_t child; (child = at * 2 + 1) < j->queued; at = child) {
        if (child + 1 < j->queued && is_before(&j->queue[child + 1], &j->queue[child])) child++;
        if (!is_before(&j->queue[child], &last)) break;
        j->queue[at] = j->queue[child];
    }
    j->queue[at] = last;
    return top;
}

static void push_pair(joiner *j, int32_t left)
{
    const am_spm *spm = j->encoder->spm;
    if (left < 0 || j->symbols[left].next < 0) return;
    const symbol *a = &j->symbols[left], *b = &j->symbols[a->next];
    am_text piece = {j->encoder->text.bytes + a->start, a->length + b->length};
    if (a->frozen || b->frozen || piece.length > spm->pieces.longest_bytes) return;
    int32_t id = am_vocabulary_id(&spm->pieces, piece);
    if (id < 0) return;
    push(j, (candidate){spm->file.pieces[id].score, left, (uint32_t)piece.length});
    if (am_spm_type(spm, id) == AM_SPM_UNUSED) j->cuts[id] = a->length;
}

static uint32_t symbol_end(const am_spm *spm, am_text text, uint32_t at, bool *frozen)
{
    uint32_t end;
    *frozen = spm->symbols.count && am_trie_longest(&spm->symbols, text, at, &end) >= 0;
    return *frozen ? end : at + am_char_length(text.bytes[at]);
}

static int32_t split_symbols(joiner *j)
{
    am_text text = j->encoder->text;
    int32_t count = 0;
    for (uint32_t at = 0, end; at < text.length; at = end, count++) {
        bool frozen;
        end = symbol_end(j->encoder->spm, text, at, &frozen);
        j->symbols[count] = (symbol){at, end - at, count - 1, end < text.length ? count + 1 : -1, frozen};
    }
    return count;
}

static void join(joiner *j)
{
    while (j->queued > 0 && !j->encoder->scratch->failed) {
        candidate top = pop(j);
        symbol *left = &j->symbols[top.left];
        if (left->length == 0 || left->next < 0) continue;
        symbol *right = &j->symbols[left->next];
        if (left->length + right->length != top.length) continue;
        left->length = top.length;
        left->next = right->next;
        right->length = 0;
        if (left->next >= 0) j->symbols[left->next].previous = top.left;
        push_pair(j, left->previous);
        push_pair(j, top.left);
    }
}

/* Appends a piece, of unused ones the parts that they were joined from. The queue, which is empty, holds what is still
   to come. */
static void add_joined(joiner *j, uint32_t start, uint32_t length)
{
    const am_spm *spm = j->encoder->spm;
    uint32_t end = start + length;
    size_t waiting = 0;
    while (start < end && !j->encoder->scratch->failed) {
        int32_t id = am_spm_piece_to_id(spm, (am_text){j->encoder->text.bytes + start, length});
        uint32_t cut = am_spm_type(spm, id) == AM_SPM_UNUSED ? j->cuts[id] : 0;
        if (cut > 0) {
            j->queue = am_scratch_work(j->encoder->scratch, 2, waiting + 1, sizeof *j->queue);
            if (!j->queue) return;
            j->queue[waiting++].length = length - cut;
            length = cut;
            continue;
        }
        add_piece(j->encoder, start, start + length, id);
        start += length;
        length = waiting > 0 ? j->queue[--waiting].length : 0;
    }
}

static void encode_bpe(encoder *e)
{
    am_scratch *s = e->scratch;
    joiner j = {.encoder = e, .symbols = am_scratch_alloc(s, e->text.length, sizeof *j.symbols)};
    if (e->spm->has_unused) {
        j.cuts = am_scratch_alloc(s, e->spm->file.count, sizeof *j.cuts);
        if (j.cuts) memset(j.cuts, 0, e->spm->file.count * sizeof *j.cuts);
    }
    if (s->failed) return;
    int32_t count = split_symbols(&j);
    for (int32_t i = 0; i < count && !s->failed; i++) push_pair(&j, i);
    join(&j);
    for (int32_t i = 0; i >= 0 && !s->failed; i = j.symbols[i].next)
        add_joined(&j, j.symbols[i].start, j.symbols[i].length);
}

/* ---- characters and words ---- */

static void encode_chars(encoder *e)
{
    bool frozen;
    for (uint32_t at = 0, end; at < e->text.length && !e->scratch->failed; at = end) {
        end = symbol_end(e->spm, e->text, at, &frozen);
        add_piece(e, at, end, am_spm_piece_to_id(e->spm, (am_text){e->text.bytes + at, end - at}));
    }
}

/* Words begin with the space symbol. */
static void encode_words(encoder *e)
{
    for (uint32_t at = 0, end; at < e->text.length && !e->scratch->failed; at = end) {
        for (end = at + 1; end < e->text.length; end++)
            if (e->text.length - end >= 3 && memcmp(e->text.bytes + end, "\xe2\x96\x81", 3) == 0) break;
        add_piece(e, at, end, am_spm_piece_to_id(e->spm, (am_text){e->text.bytes + at, end - at}));
    }
}

am_status am_spm_encode(const am_spm *spm, am_scratch *s, am_text text)
{
    encoder e = {.spm = spm, .scratch = s};
    AM_TRY(am_spm_normalize(spm, s, text, &e.normal));
    if (e.normal.text.length == 0) return NULL;
    char *copy = am_scratch_alloc(s, e.normal.text.length, 1);
    if (!copy) return am_scratch_status(s);
    memcpy(copy, e.normal.text.bytes, e.normal.text.length);
    e.text = (am_text){copy, e.normal.text.length};
    switch (spm->file.model_type) {
    case AM_SPM_UNIGRAM:
        encode_unigram(&e);
        break;
    case AM_SPM_BPE:
        encode_bpe(&e);
        break;
    case AM_SPM_WORD:
        encode_words(&e);
        break;
    case AM_SPM_CHAR:
        encode_chars(&e);
        break;
    }
    return am_scratch_status(s);
}
