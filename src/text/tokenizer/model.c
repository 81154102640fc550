/* Models: what they share, and the two small ones (WordPiece, WordLevel). */
#include "text/tokenizer/word_cache.h"

#include "base/memory.h"

am_status am_model_init(am_model *model, const am_model_settings *settings, size_t expected_tokens)
{
    *model = (am_model){.settings = *settings, .unk_id = -1};
    return am_vocabulary_init(&model->vocabulary, expected_tokens);
}

void am_model_deinit(am_model *model)
{
    am_vocabulary_deinit(&model->vocabulary);
    am_prefixes_deinit(&model->prefixes);
    am_free(model->bpe.merges);
    am_free(model->bpe.merge_filter);
    am_free(model->unigram.scores);
    *model = (am_model){0};
}

/* The score of the entry that was just added. */
static am_status set_score(am_model *model, double score)
{
    am_unigram *unigram = &model->unigram;
    if (unigram->score_capacity < model->vocabulary.capacity) {
        double *scores = am_realloc(unigram->scores, model->vocabulary.capacity * sizeof *scores);
        if (!scores) return am_out_of_memory();
        unigram->scores = scores;
        unigram->score_capacity = model->vocabulary.capacity;
    }
    unigram->scores[model->vocabulary.count - 1] = score;
    return NULL;
}

am_status am_model_add_token(am_model *model, am_text token, int64_t id, double score, const char *where)
{
    bool is_list = model->settings.kind == AM_MODEL_UNIGRAM;
    AM_TRY(am_vocabulary_add(&model->vocabulary, token, id, is_list, where));
    return is_list ? set_score(model, score) : NULL;
}

void am_model_find_byte_ids(const am_model *model, int32_t ids[256])
{
    static const char digits[] = "0123456789ABCDEF";
    for (int byte = 0; byte < 256; byte++) {
        char name[6] = {'<', '0', 'x', digits[byte >> 4], digits[byte & 15], '>'};
        ids[byte] = am_vocabulary_id(&model->vocabulary, (am_text){name, sizeof name});
    }
}

am_status am_model_finish(am_model *model)
{
    AM_TRY(am_vocabulary_finish(&model->vocabulary));
    if (model->settings.has_unk_token) model->unk_id = am_vocabulary_id(&model->vocabulary, model->settings.unk_token);
    if (model->settings.kind == AM_MODEL_BPE) return am_bpe_finish(model);
    if (model->settings.kind == AM_MODEL_WORDLEVEL) return NULL;
    AM_TRY(am_prefixes_init(&model->prefixes, &model->vocabulary));
    return model->settings.kind == AM_MODEL_UNIGRAM ? am_unigram_finish(model) : NULL;
}

static am_status missing_unknown(const am_model *model)
{
    am_text unk = model->settings.unk_token;
    return am_error(AM_OUT_OF_RANGE,
                    "the text has a part that is not in the vocabulary, and neither is the unknown token \"%.*s\"",
                    (int)unk.length, unk.bytes);
}

/* The whole word as unknown. */
static am_status add_unknown(const am_model *model, am_scratch *s, am_text word)
{
    if (model->unk_id < 0) return missing_unknown(model);
    am_scratch_add_token(s, (am_token){model->unk_id, 0, (uint32_t)word.length, false, model->settings.unk_token});
    return NULL;
}

static am_status tokenize_wordlevel(const am_model *model, am_scratch *s, am_text word)
{
    int32_t id = am_vocabulary_id(&model->vocabulary, word);
    if (id < 0) return add_unknown(model, s, word);
    am_scratch_add_token(s,
                         (am_token){id, 0, (uint32_t)word.length, false, am_vocabulary_text(&model->vocabulary, id)});
    return NULL;
}

static bool has_more_chars(am_text text, uint64_t limit)
{
    if (text.length <= limit) return false;
    uint64_t count = 0;
    for (size_t i = 0; i < text.length; i++) count += am_is_char_start(text.bytes[i]);
    return count > limit;
}

/* A beginning of the rest of a word that may be an entry. */
typedef struct candidate {
    uint32_t end, hash;
} candidate;

/* The longest entry that `word` continues with from `start`; its end, or `start` when there is none. */
static uint32_t longest_entry(const am_model *model, am_scratch *s, am_text word, uint32_t start,
                              const am_vocabulary_entry **out)
{
    am_text prefix = start > 0 ? model->settings.continuing_subword_prefix : (am_text){0};
    uint32_t hash = am_hash_bytes(AM_HASH_START, prefix.bytes, prefix.length), count = 0;
    candidate *candidates = am_scratch_work(s, 0, word.length + 1, sizeof *candidates);
    if (!candidates) return start;
    for (uint32_t end = start, next; end < word.length; end = next) {
        next = end + am_char_length(word.bytes[end]);
        hash = am_hash_bytes(hash, word.bytes + end, next - end);
        unsigned found = am_prefixes_find(&model->prefixes, hash);
        if (found & AM_PREFIX_IS_ENTRY) candidates[count++] = (candidate){next, hash};
        if (!(found & AM_PREFIX_GOES_ON)) break;
    }
    while (count-- > 0) {
        am_text rest = {word.bytes + start, candidates[count].end - start};
        *out = am_vocabulary_find_joined(&model->vocabulary, prefix, rest, candidates[count].hash);
        if (*out) return candidates[count].end;
    }
    return start;
}

am_status am_wordpiece_tokenize(const am_model *model, am_scratch *s, am_text word)
{
    size_t first = s->token_count;
    if (has_more_chars(word, model->settings.max_input_chars_per_word)) return add_unknown(model, s, word);
    for (uint32_t start = 0, end; start < word.length; start = end) {
        const am_vocabulary_entry *entry;
        end = longest_entry(model, s, word, start, &entry);
        if (s->failed) return NULL;
        if (end == start) {
            s->token_count = first;
            return add_unknown(model, s, word);
        }
        am_scratch_add_token(
            s, (am_token){entry->id, start, end, false, am_vocabulary_entry_text(&model->vocabulary, entry)});
    }
    return NULL;
}

static am_status tokenize_new(const am_model *model, am_scratch *s, am_text word, bool raw_bytes)
{
    switch (model->settings.kind) {
    case AM_MODEL_BPE:
        return am_bpe_tokenize(model, s, word, raw_bytes);
    case AM_MODEL_UNIGRAM:
        return am_unigram_tokenize(model, s, word);
    case AM_MODEL_WORDPIECE:
        return am_wordpiece_tokenize(model, s, word);
    case AM_MODEL_WORDLEVEL:
        return tokenize_wordlevel(model, s, word);
    }
    return NULL;
}

am_status am_model_tokenize(const am_model *model, am_scratch *s, const am_piece *piece)
{
    am_text word = {piece->text, piece->length};
    am_cache_place place;
    size_t first = s->token_count;
    if (am_word_cache_get(model, s, word, piece->raw_bytes, &place)) return NULL;
    AM_TRY(tokenize_new(model, s, word, piece->raw_bytes));
    am_word_cache_put(model, s, word, piece->raw_bytes, first, place);
    return NULL;
}
