/* Unigram: the cutting of a text into pieces with the largest sum of scores, by Viterbi (Kudo 2018). Unknown
   characters score 10 below the worst piece; neighbouring ones become one token. */
#include "text/tokenizer/internal.h"

#include "base/memory.h"

#include <math.h>

/* The best way to a place in the text. */
typedef struct node {
    double score;
    uint32_t start;
    int32_t id; /* -1: not reached; the last piece otherwise */
} node;

am_status am_unigram_finish(am_model *model)
{
    am_unigram *unigram = &model->unigram;
    const am_vocabulary *v = &model->vocabulary;
    int64_t unk_id = model->settings.unk_id;
    if (unk_id >= v->id_limit)
        return am_error(AM_INVALID_FILE, "model.unk_id: %lld is not in the vocabulary of %d", (long long)unk_id,
                        (int)v->id_limit);
    model->unk_id = (int32_t)unk_id;
    double lowest = (double)INFINITY;
    for (uint32_t i = 0; i < v->count; i++)
        if (unigram->scores[i] < lowest) lowest = unigram->scores[i];
    unigram->unk_score = lowest - 10;
    am_model_find_byte_ids(model, unigram->byte_ids);
    return NULL;
}

static void offer(node *target, double score, uint32_t start, int32_t id)
{
    if (target->id >= 0 && score <= target->score) return;
    *target = (node){score, start, id};
}

/* Enters all pieces that start at `at`; false when the single character there is none. */
static bool offer_pieces(const am_model *model, am_text word, node *nodes, uint32_t at)
{
    const am_vocabulary *v = &model->vocabulary;
    uint32_t hash = AM_HASH_START, first = at + am_char_length(word.bytes[at]);
    unsigned found = AM_PREFIX_GOES_ON;
    bool single = false;
    for (uint32_t end = at, next; end < word.length && (found & AM_PREFIX_GOES_ON); end = next) {
        next = end + am_char_length(word.bytes[end]);
        hash = am_hash_bytes(hash, word.bytes + end, next - end);
        found = am_prefixes_find(&model->prefixes, hash);
        if (!(found & AM_PREFIX_IS_ENTRY)) continue;
        const am_vocabulary_entry *entry = am_vocabulary_find_hashed(v, (am_text){word.bytes + at, next - at}, hash);
        if (!entry) continue;
        offer(&nodes[next], model->unigram.scores[entry - v->entries] + nodes[at].score, at, entry->id);
        single |= next == first;
    }
    return single;
}

static am_status find_best_path(const am_model *model, am_text word, node *nodes)
{
    for (size_t i = 0; i <= word.length; i++) nodes[i].id = -1;
    nodes[0] = (node){.score = 0, .id = 0};
    for (uint32_t at = 0, length; at < word.length; at += length) {
        length = am_char_length(word.bytes[at]);
        if (offer_pieces(model, word, nodes, at)) continue;
        double score = model->unigram.unk_score + nodes[at].score;
        if (nodes[at + length].id >= 0 && score <= nodes[at + length].score) continue;
        if (model->unk_id < 0)
            return am_error(AM_OUT_OF_RANGE,
                            "the text has a character that is not in the vocabulary, and the model has no unk_id");
        offer(&nodes[at + length], score, at, model->unk_id);
    }
    return NULL;
}

/* A piece of the result; its bytes as tokens when it is unknown and they are all there. */
static void add_piece(const am_model *model, am_scratch *s, am_text word, uint32_t start, uint32_t end)
{
    const am_vocabulary *v = &model->vocabulary;
    am_text text = {word.bytes + start, end - start};
    const am_vocabulary_entry *entry = am_vocabulary_find(v, text);
    int32_t id = entry ? entry->id : model->unk_id;
    bool bytes = !entry && model->settings.byte_fallback;
    for (uint32_t i = start; bytes && i < end; i++) bytes = model->unigram.byte_ids[(unsigned char)word.bytes[i]] >= 0;
    for (uint32_t i = start; bytes && i < end; i++) {
        int32_t byte_id = model->unigram.byte_ids[(unsigned char)word.bytes[i]];
        am_scratch_add_token(s, (am_token){byte_id, start, end, false, am_vocabulary_text(v, byte_id)});
    }
    if (entry) text = am_vocabulary_entry_text(v, entry);
    if (!bytes) am_scratch_add_token(s, (am_token){id, start, end, !entry, text});
}

am_status am_unigram_tokenize(const am_model *model, am_scratch *s, am_text word)
{
    node *nodes = am_scratch_work(s, 0, word.length + 1, sizeof *nodes);
    uint32_t *cuts = am_scratch_work(s, 1, word.length + 1, sizeof *cuts);
    if (!nodes || !cuts) return NULL;
    AM_TRY(find_best_path(model, word, nodes));
    size_t count = 0;
    bool unknown = false;
    for (uint32_t end = (uint32_t)word.length; end > 0; end = nodes[end].start) {
        bool is_unknown = nodes[end].id == model->unk_id;
        if (!(unknown && is_unknown)) cuts[count++] = end; /* unknown ones side by side are one */
        unknown = is_unknown;
    }
    for (uint32_t start = 0; count > 0; start = cuts[count]) add_piece(model, s, word, start, cuts[--count]);
    return NULL;
}
