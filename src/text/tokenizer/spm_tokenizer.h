/* Tokenizers that run sentencepiece itself: a model file as the library answers, and the classes of transformers that
   are written in Python around it (SentencePieceBackend and others). Text goes: whole text prepared, cut at added
   tokens, parts prepared, pieces, ids. */
#ifndef AM_TEXT_TOKENIZER_SPM_TOKENIZER_H
#define AM_TEXT_TOKENIZER_SPM_TOKENIZER_H

#include "text/tokenizer/spm.h"

/* Rewrites a text into `out`, which is empty. */
typedef am_status (*am_spm_prepare)(const am_tokenizer *tokenizer, am_scratch *scratch, am_text text, am_buffer *out);

/* How tokens become text. */
typedef struct am_spm_joining {
    bool by_model;        /* stretches between special tokens by the model; else texts put together, "▁" as spaces */
    bool space_before;    /* a special token that does not follow another gets a space before it */
    bool space_behind;    /* every special token gets one behind it */
    bool replaces_spaces; /* "▁" that are left become spaces */
    bool strips;          /* spaces at the ends go */
    bool visible_breaks;  /* then spaces go, U+2582 becomes a space and U+2583 a line break */
} am_spm_joining;

typedef struct am_spm_tokenizer {
    am_spm spm;
    am_spm_prepare prepare_text, prepare_part; /* null: none */
    am_spm_joining joining;
    bool is_library;         /* ids and texts of the model file, no added tokens */
    bool behind_unknown;     /* parts are encoded behind the unknown token, which is cut off again */
    bool spaces_behind_only; /* ... only those that begin with a space */
    bool has_target_code;    /* ">>de<<" at the start of a part is a token */
    bool splits_commas;      /* a comma behind digits is a token of its own */
    bool drops_first_space;  /* a "▁" alone before a special token at the start goes */
    bool ends_once;          /* eos comes behind each text that does not end in it */
    bool types_by_length;    /* type 1 in a pair begins as far in as the first text would be long alone */
    uint32_t listed_count;   /* the first entries of the vocabulary, those that tokens are not added beside */
    bool do_lower_case, do_upper_case, remove_space, keep_accents; /* settings of classes */
} am_spm_tokenizer;

/* scratch->pieces and scratch->tokens of one text. */
am_status am_spm_run(const am_tokenizer *tokenizer, am_scratch *scratch, am_text text, bool split_special) AM_NODISCARD;

/* Puts eos behind the drafts where the class does so itself. */
void am_spm_end_drafts(const am_tokenizer *tokenizer, am_scratch *scratch, am_draft *drafts, size_t count);

/* Types of a pair with its special tokens, of which the first text has `first_count` tokens. */
void am_spm_set_types(const am_tokenizer *tokenizer, am_draft *draft, size_t first_count);

/* Special tokens that this adds. */
size_t am_spm_added(const am_tokenizer *tokenizer, size_t count);

/* Appends the text of ids to `out`. */
am_status am_spm_decode_ids(const am_tokenizer *tokenizer, am_scratch *scratch, const int32_t *ids, size_t count,
                            bool skip_special_tokens, am_buffer *out) AM_NODISCARD;

/* Appends the text of tokens to `out`, which is empty. */
am_status am_spm_join(const am_tokenizer *tokenizer, am_scratch *scratch, const am_text *tokens, size_t count,
                      am_buffer *out) AM_NODISCARD;

/* Whether an id is among the special tokens by name and the extra ones. */
bool am_spm_is_special(const am_tokenizer *tokenizer, int32_t id);

/* What decoding an id gives may depend on all others. */
bool am_spm_waits_for_all(const am_tokenizer *tokenizer);

/* Opens a sentencepiece model as SentencePieceProcessor does. Fails as am_spm_file_open and am_spm_init. */
am_status am_tokenizer_open_spm(const char *path, am_tokenizer **out) AM_NODISCARD;

/* Frees; null is allowed. The memory itself is the arena's. */
void am_spm_tokenizer_deinit(am_spm_tokenizer *spm);

/* spm_prepare.c: what classes do to a text or part. */
am_status am_spm_prepare_siglip_text(const am_tokenizer *t, am_scratch *s, am_text text, am_buffer *out) AM_NODISCARD;
am_status am_spm_prepare_siglip_part(const am_tokenizer *t, am_scratch *s, am_text text, am_buffer *out) AM_NODISCARD;
am_status am_spm_prepare_gpt_sw3(const am_tokenizer *t, am_scratch *s, am_text text, am_buffer *out) AM_NODISCARD;
am_status am_spm_prepare_cpm(const am_tokenizer *t, am_scratch *s, am_text text, am_buffer *out) AM_NODISCARD;

/* spm_numbers.c: EnglishNumberNormalizer. Fails with AM_INVALID_ARGUMENT for numbers that it cannot spell. */
am_status am_spm_spell_numbers(const am_tokenizer *t, am_scratch *s, am_text text, am_buffer *out) AM_NODISCARD;

#endif
