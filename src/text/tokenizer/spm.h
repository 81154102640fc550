/* The sentencepiece library (0.2): a text is normalized by the rules of the model file, cut into pieces by its model
   (unigram, bpe, word or char), and put together again from pieces. What is here answers as SentencePieceProcessor. */
#ifndef AM_TEXT_TOKENIZER_SPM_H
#define AM_TEXT_TOKENIZER_SPM_H

#include "text/tokenizer/internal.h"
#include "text/tokenizer/spm_file.h"

typedef struct am_spm {
    am_spm_file file;
    am_vocabulary pieces, reserved; /* normal, user-defined and unused ones; the others. Ids are indices of pieces */
    am_prefixes prefixes;           /* of `pieces` */
    am_trie symbols;                /* user-defined pieces, which are found before all else */
    am_precompiled *normalizer, *denormalizer; /* null: none */
    int32_t unk_id, byte_ids[256];
    float lowest, highest; /* scores of normal pieces */
    bool has_unused;
} am_spm;

/* Prepares a file, whose texts must live as long as *out; `name` stands for it in messages, `loader` is where the rest
   lives. Fails with AM_INVALID_FILE where the library refuses the file: no unknown piece or two of them, a piece twice,
   byte pieces that do not belong or are not all there, a charsmap that is none. Freed with am_spm_deinit, also after a
   failure. */
am_status am_spm_init(am_spm *spm, const am_spm_file *file, const am_loader *loader) AM_NODISCARD;
void am_spm_deinit(am_spm *spm);

/* spm_normalize.c: a text by `rules`. */
typedef struct am_spm_normal {
    am_text text;            /* in work arrays 0 and 1 of the scratch */
    const uint32_t *origins; /* for each byte and the end, the byte of the input it came from */
} am_spm_normal;

typedef struct am_spm_rewriter {
    const am_spm_rules *rules;
    const am_precompiled *map; /* null: none */
    const am_trie *symbols;    /* kept as they stand; null: none */
    bool space_behind;         /* add_dummy_prefix adds a suffix */
} am_spm_rewriter;

/* Fails with AM_OUT_OF_RANGE when the text becomes too long; a scratch that failed gives an empty text. */
am_status am_spm_rewrite(const am_spm_rewriter *rewriter, am_scratch *scratch, am_text text,
                         am_spm_normal *out) AM_NODISCARD;
am_status am_spm_normalize(const am_spm *spm, am_scratch *scratch, am_text text, am_spm_normal *out) AM_NODISCARD;

/* spm_encode.c: appends the pieces of a text to scratch->tokens: id, the bytes of the text that it covers, and its own
   text (of an unknown one that of the normalized text). */
am_status am_spm_encode(const am_spm *spm, am_scratch *scratch, am_text text) AM_NODISCARD;

/* Appends the text of pieces to `out`: byte pieces as characters, U+FFFD for broken ones; control pieces are silent. */
am_status am_spm_decode(const am_spm *spm, am_scratch *scratch, const am_text *pieces, size_t count,
                        am_buffer *out) AM_NODISCARD;

/* Id of a piece, that of the unknown one where it is not there. */
int32_t am_spm_piece_to_id(const am_spm *spm, am_text piece);

/* Text of an id, {null, 0} when there is none. */
am_text am_spm_id_to_piece(const am_spm *spm, int32_t id);

static inline am_spm_piece_type am_spm_type(const am_spm *spm, int32_t id)
{
    return spm->file.pieces[id].type;
}

#endif
