/* Memory of one encode or decode call, with the pieces, matches and tokens that are in it. */
#ifndef AM_TEXT_TOKENIZER_SCRATCH_H
#define AM_TEXT_TOKENIZER_SCRATCH_H

#include "text/tokenizer.h"

/* A part of the text on its way: `text` is what the stages before made of original[original_start ...]. */
typedef struct am_piece {
    const char *text;
    const am_text_range *ranges; /* for each byte the bytes of the original it came from; null: itself */
    uint32_t length;
    uint32_t original_start, original_length;
    int32_t added_id;                  /* the added token that this is, or -1 */
    bool raw_bytes;                    /* ByteLevel is still to be applied: the model takes bytes as they are */
    uint32_t first_token, token_count; /* set by the model stage */
} am_piece;

/* A stretch of a piece that a pattern matched, or one between matches. */
typedef struct am_match {
    uint32_t start, end;
    bool matched;
} am_match;

/* A token of a piece; [start, end) are bytes of the piece. */
typedef struct am_token {
    int32_t id;
    uint32_t start, end;
    bool transient; /* the text is in scratch memory or in the input, not in the tokenizer */
    am_text text;
} am_token;

typedef struct am_scratch_block am_scratch_block;

/* Growable arrays and a bump allocator, used again by the next call. A failed allocation sets `failed`,
   everything after does little or nothing, and the caller of the stages turns it into AM_OUT_OF_MEMORY. */
typedef struct am_scratch {
    struct am_scratch *next_free;
    am_scratch_block *blocks, *current;
    bool failed, too_long;
    size_t allocated, allocation_limit, text_limit; /* bytes */
    am_piece *pieces, *new_pieces;
    size_t piece_count, piece_capacity, new_piece_count, new_piece_capacity;
    am_match *matches;
    size_t match_count, match_capacity;
    am_token *tokens;
    size_t token_count, token_capacity;
    char *text; /* being written by a rewrite */
    am_text_range *ranges;
    size_t text_length, text_capacity, range_capacity;
    void *work[3]; /* arrays of the models and of normalization */
    size_t work_bytes[3];
    void *regex_data, *regex_stack, *regex_context; /* of PCRE2 */
    struct am_word_cache *word_cache;               /* of model.c's, null until the first word */
} am_scratch;

am_scratch *am_scratch_create(void);
void am_scratch_destroy(am_scratch *scratch);

/* Forgets what the last call left; memory stays for the next, unless it is large. */
void am_scratch_reset(am_scratch *scratch);

/* Sets the limits for a call on so many bytes of text: rewriting may make a text much longer, and longer
 * again. */
void am_scratch_limit(am_scratch *scratch, size_t bytes);

/* What a failure was: AM_OUT_OF_RANGE for a text that became too long, else AM_OUT_OF_MEMORY. Null without
 * one. */
am_status am_scratch_status(const am_scratch *scratch) AM_NODISCARD;

/* Fails because of a limit. */
void am_scratch_overflow(am_scratch *scratch);

/* Memory until the next reset, not zeroed; null after a failure. */
void *am_scratch_alloc(am_scratch *scratch, size_t count, size_t bytes);

/* The i-th work array with room for `count` elements, its content kept; null after a failure. */
void *am_scratch_work(am_scratch *scratch, int i, size_t count, size_t bytes);

/* Gives back growable and work arrays that a long text made large, other than the tokens, or these. No stage may be
   under way; what the arrays hold is lost. */
void am_scratch_trim(am_scratch *scratch);
void am_scratch_trim_tokens(am_scratch *scratch);

/* Gives back memory of am_scratch_alloc, when that is large; else it stays until the next reset. */
void am_scratch_give_back(am_scratch *scratch, const void *memory);

/* Makes room for `count` elements in a growable array; false after a failure. */
bool am_scratch_reserve(am_scratch *scratch, void *array, size_t *capacity, size_t count, size_t bytes);

static inline void am_scratch_add_match(am_scratch *s, uint32_t start, uint32_t end, bool matched)
{
    if (s->match_count == s->match_capacity &&
        !am_scratch_reserve(s, &s->matches, &s->match_capacity, s->match_count + 1, sizeof *s->matches))
        return;
    s->matches[s->match_count++] = (am_match){start, end, matched};
}

static inline void am_scratch_add_piece(am_scratch *s, am_piece piece)
{
    if (s->new_piece_count == s->new_piece_capacity &&
        !am_scratch_reserve(s, &s->new_pieces, &s->new_piece_capacity, s->new_piece_count + 1, sizeof *s->new_pieces))
        return;
    s->new_pieces[s->new_piece_count++] = piece;
}

static inline void am_scratch_add_token(am_scratch *s, am_token token)
{
    if (s->token_count == s->token_capacity &&
        !am_scratch_reserve(s, &s->tokens, &s->token_capacity, s->token_count + 1, sizeof *s->tokens))
        return;
    s->tokens[s->token_count++] = token;
}

/* Makes the new pieces the pieces. */
void am_scratch_take_new_pieces(am_scratch *scratch);

#endif
