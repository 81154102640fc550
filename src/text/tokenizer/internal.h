/* What the files of this folder share. A text goes through them in this order:

       added_tokens     cuts out tokens that are matched as they stand
       normalizer       rewrites the rest, keeping for every byte the range of the original it came from
       pre_tokenizer    cuts it into words
       model            turns each word into tokens
       post_processor   truncates, puts special tokens around, pads
       encoding         hands the result out

   Terms and behaviour are those of the tokenizers library (0.23), down to its corner cases. */
#ifndef AM_TEXT_TOKENIZER_INTERNAL_H
#define AM_TEXT_TOKENIZER_INTERNAL_H

#include "base/arena.h"
#include "base/buffer.h"
#include "base/json.h"
#include "text/tokenizer.h"
#include "text/tokenizer/layout.h"
#include "text/tokenizer/scratch.h"
#include "text/tokenizer/vocabulary.h"

#include <string.h>

/* Longest text that is encoded, so that offsets fit 32 bits. */
#define AM_TOKENIZER_TEXT_LIMIT ((size_t)1 << 30)

/* ---- texts ---- */

static inline bool am_text_equal(am_text a, am_text b)
{
    return a.length == b.length && am_bytes_equal(a.bytes, b.bytes, a.length);
}

static inline bool am_text_is(am_text text, const char *other)
{
    return am_text_equal(text, (am_text){other, strlen(other)});
}

static inline am_text am_text_of(am_json value)
{
    am_json_string string = am_json_text(value);
    return (am_text){string.bytes, string.length};
}

static inline am_text am_text_copy(am_arena *arena, am_text text)
{
    return (am_text){am_arena_string(arena, text.bytes, text.length), text.length};
}

/* Decodes the code point at `text`, which is well-formed. */
static inline uint32_t am_char_at(const char *text, uint32_t *length)
{
    const unsigned char *t = (const unsigned char *)text;
    if (t[0] < 0x80) return *length = 1, t[0];
    if (t[0] < 0xE0) return *length = 2, (t[0] & 0x1Fu) << 6 | (t[1] & 0x3Fu);
    if (t[0] < 0xF0) return *length = 3, (t[0] & 0xFu) << 12 | (t[1] & 0x3Fu) << 6 | (t[2] & 0x3Fu);
    *length = 4;
    return (t[0] & 7u) << 18 | (t[1] & 0x3Fu) << 12 | (t[2] & 0x3Fu) << 6 | (t[3] & 0x3Fu);
}

/* Start of the code point before `at` (> 0) in well-formed text. */
static inline uint32_t am_char_before(const char *text, uint32_t at)
{
    do at--;
    while (at > 0 && ((unsigned char)text[at] & 0xC0) == 0x80);
    return at;
}

static inline bool am_is_char_start(char byte)
{
    return ((unsigned char)byte & 0xC0) != 0x80;
}

/* Bytes of the code point that starts with `lead`. */
static inline uint32_t am_char_length(char lead)
{
    unsigned char c = (unsigned char)lead;
    return c < 0x80 ? 1 : c < 0xE0 ? 2 : c < 0xF0 ? 3 : 4;
}

/* Whether every byte is below 0x80. */
bool am_text_is_ascii(const char *text, size_t length);

/* ---- unicode.c: properties as the library's parts see them ---- */

bool am_char_is_chinese(uint32_t c);      /* in the blocks that BERT takes for Chinese */
bool am_char_is_whitespace(uint32_t c);   /* White_Space: Rust's char::is_whitespace */
bool am_char_is_numeric(uint32_t c);      /* Rust's char::is_numeric */
bool am_char_is_punctuation(uint32_t c);  /* ASCII punctuation and category P of unicode_categories */
bool am_char_is_mark(uint32_t c);         /* is_combining_mark of unicode_normalization */
bool am_char_is_nonspacing(uint32_t c);   /* is_mark_nonspacing of unicode_categories */
bool am_char_is_bert_removed(uint32_t c); /* what BertNormalizer's clean_text drops */
bool am_char_is_word(uint32_t c);         /* \w of Rust's regex crate */
bool am_char_is_inert(uint32_t c);        /* has no decomposition or combining class for the library */
/* Whether NFC, or NFKC, leaves it as it is whatever stands beside it. */
bool am_char_is_stable(uint32_t c, bool compatible);
/* Sets parts to the two or three code points that the upper case of `c` is; leaves it where that is one. */
void am_char_upper_expansion(uint32_t c, uint32_t parts[3]);
uint32_t am_char_lower(uint32_t c); /* lower case; U+0130 gives 'i' and U+0307 follows */
uint8_t am_char_script(uint32_t c); /* a number for each script, 0: goes with any */

/* Code points that Unicode 15 and 16 assigned or gave a property to. */
typedef struct am_new_range {
    uint32_t first, last;
    char category[3]; /* "Lo"; "": assigned before */
    bool han, alphabetic;
} am_new_range;

/* The i-th of them, ascending; false past the end. */
bool am_char_new_range(size_t i, am_new_range *out);

/* Whether Unicode 14 has not assigned it, but 15 or 16 has. */
bool am_char_is_younger(uint32_t c);

/* Whether the text holds a code point for which PCRE2 and Oniguruma may differ; `rare`: also in sets that few patterns
   have. */
bool am_text_has_new_chars(const char *text, size_t length, bool rare);

/* ---- piece.c: NormalizedString ---- */

/* Where byte `at` of the piece came from. */
am_text_range am_piece_range(const am_piece *piece, uint32_t at);

/* The part [start, end) of a piece, on code point boundaries. */
am_piece am_piece_slice(const am_piece *piece, uint32_t start, uint32_t end);

typedef enum am_split_behavior {
    AM_SPLIT_REMOVED,
    AM_SPLIT_ISOLATED,
    AM_SPLIT_MERGED_WITH_PREVIOUS,
    AM_SPLIT_MERGED_WITH_NEXT,
    AM_SPLIT_CONTIGUOUS,
} am_split_behavior;

/* Appends to the new pieces what scratch->matches, which cover the piece, cut it into. Empty parts are left
 * out. */
void am_piece_split(am_scratch *scratch, const am_piece *piece, am_split_behavior behavior);

/* scratch->matches = the code points of the piece for which `is` holds, and what lies between. */
void am_piece_match_chars(am_scratch *scratch, const am_piece *piece, bool (*is)(uint32_t));
void am_piece_match_char(am_scratch *scratch, const am_piece *piece, uint32_t c);

/* Rewrites a piece code point by code point (NormalizedString::transform). */
typedef struct am_rewrite {
    am_scratch *scratch;
    am_piece piece;
    uint32_t next, end; /* bytes of the piece that are still to be replaced */
} am_rewrite;

/* Starts; the first `removed` code points are dropped. */
am_rewrite am_rewrite_begin(am_scratch *scratch, const am_piece *piece, size_t removed);

/* Writes `c`. change > 0: it is new. 0: it replaces the next code point. -n: that, and n more are dropped
 * after it. */
void am_rewrite_put(am_rewrite *rewrite, uint32_t c, int change);

/* Ends: the piece has its new text. */
void am_rewrite_end(am_rewrite *rewrite, am_piece *piece);

/* Whether the first code point has no source of its own: the library then writes what it transforms behind
   it, without taking the old text away. Then no step may be left out as having no effect. */
bool am_piece_starts_without_source(const am_piece *piece);

/* Keeps the code points for which `keep` holds (NormalizedString::filter). */
void am_piece_filter(am_scratch *scratch, am_piece *piece, bool (*keep)(uint32_t));

/* Replaces each code point by map(c). */
void am_piece_map(am_scratch *scratch, am_piece *piece, uint32_t (*map)(uint32_t));

/* Puts `text` before a piece that is not empty. */
void am_piece_prepend(am_scratch *scratch, am_piece *piece, am_text text);

/* Replaces the matched parts of scratch->matches by `content` (NormalizedString::replace). */
void am_piece_replace(am_scratch *scratch, am_piece *piece, am_text content);

/* Drops white space at the ends asked for. */
void am_piece_strip(am_scratch *scratch, am_piece *piece, bool left, bool right);
/* Replaces each code point by its lower case, which may be several. */
void am_piece_lowercase(am_scratch *scratch, am_piece *piece);

/* Writes each byte as the character GPT-2 has for it. */
void am_piece_byte_level(am_scratch *scratch, am_piece *piece);

/* normalization.c: NFC, NFD, NFKC, NFKD. */
void am_piece_normalize(am_scratch *scratch, am_piece *piece, bool compatible, bool compose);

/* The character of a byte, and the byte of a character (-1: none), in GPT-2's table. */
uint32_t am_byte_level_char(unsigned char byte);
int am_byte_level_byte(uint32_t c);

/* ---- regex.c ---- */

typedef struct am_regex am_regex;

/* Writes a pattern of Oniguruma (Ruby syntax) as PCRE2 has it. `exact`: with the code points that only newer
   Unicode knows spelled out. Fails with AM_INVALID_FILE, AM_UNSUPPORTED (the construct is named). */
am_status am_regex_translate(am_text pattern, bool exact, am_buffer *out, bool *is_rare) AM_NODISCARD;

/* Compiles an Oniguruma pattern, or a literal text. Fails with AM_INVALID_FILE, AM_UNSUPPORTED. */
am_status am_regex_create(am_text pattern, bool literal, am_regex **out) AM_NODISCARD;
void am_regex_destroy(am_regex *regex);

/* scratch->matches = all matches in the text and what lies between. An empty text is one stretch, not
   matched. Fails with AM_OUT_OF_RANGE when PCRE2 gives up. */
am_status am_regex_match_all(const am_regex *regex, am_scratch *scratch, const char *text,
                             uint32_t length) AM_NODISCARD;
/* Frees what matching keeps in the scratch. */
void am_regex_free_scratch(am_scratch *scratch);

/* ---- components, read from JSON ---- */

/* Where components live while a tokenizer is read. */
typedef struct am_loader {
    am_arena *arena;
    struct am_regex_list **regexes; /* destroyed with the tokenizer */
    const char *name;               /* the file, for messages */
} am_loader;

typedef struct am_regex_list {
    struct am_regex_list *next;
    am_regex *regex;
} am_regex_list;

/* AM_INVALID_FILE "NAME: WHERE: expected WHAT, found KIND". */
am_status am_loader_expected(const am_loader *loader, const char *where, const char *what, am_json found) AM_NODISCARD;

/* A required string or boolean, or an optional one with a fallback, of a component. */
am_status am_loader_text(const am_loader *loader, am_json object, const char *where, const char *key,
                         am_text *out) AM_NODISCARD;
am_status am_loader_bool(const am_loader *loader, am_json object, const char *where, const char *key,
                         bool *out) AM_NODISCARD;

/* A string of exactly one code point. */
am_status am_loader_char(const am_loader *loader, am_json object, const char *where, const char *key,
                         uint32_t *out) AM_NODISCARD;

/* A whole number of at least 0. */
am_status am_loader_count(const am_loader *loader, am_json object, const char *where, const char *key,
                          uint64_t *out) AM_NODISCARD;

/* One of `names`, which end with null, by its index. */
am_status am_loader_choice(const am_loader *loader, am_json object, const char *where, const char *key,
                           const char *const *names, int *out) AM_NODISCARD;

/* Compiles a pattern that is destroyed with the tokenizer. */
am_status am_loader_regex(const am_loader *loader, am_text pattern, bool literal, am_regex **out) AM_NODISCARD;

/* The pattern {"String": ...} or {"Regex": ...} of Split and Replace, compiled. */
am_status am_loader_pattern(const am_loader *loader, am_json object, const char *where, am_regex **out) AM_NODISCARD;

/* A number of `names` (ending with null), found by name; -1: none of them. */
int am_name_index(am_text name, const char *const *names);

typedef struct am_normalizer am_normalizer;

/* null JSON gives *out = null, which does nothing. */
am_status am_normalizer_parse(const am_loader *loader, am_json json, am_normalizer **out) AM_NODISCARD;
am_status am_normalizer_apply(const am_normalizer *normalizer, am_scratch *scratch, am_piece *piece) AM_NODISCARD;

typedef struct am_precompiled am_precompiled;

/* precompiled.c: sentencepiece's character map, of bytes that live as long as it, or in base 64. */
am_status am_precompiled_create(const am_loader *loader, am_text map, am_precompiled **out) AM_NODISCARD;
am_status am_precompiled_parse(const am_loader *loader, am_text base64, am_precompiled **out) AM_NODISCARD;
void am_precompiled_apply(const am_precompiled *precompiled, am_scratch *scratch, am_piece *piece);

/* The replacement of the longest known prefix of a text, as sentencepiece itself looks for it; *used bytes are what it
   replaces. False when no prefix is known. */
bool am_precompiled_longest(const am_precompiled *precompiled, am_text text, am_text *out, size_t *used);

/* Decodes RFC 4648 base 64 with padding into 3 bytes for 4. Returns the length, or SIZE_MAX when it is none. */
size_t am_base64_decode(am_text text, char *out);

typedef struct am_pre_tokenizer am_pre_tokenizer;

/* Reads the pre_tokenizer of a tokenizer.json; *out is freed with its destroy function. */
am_status am_pre_tokenizer_parse(const am_loader *loader, am_json json, am_pre_tokenizer **out) AM_NODISCARD;

/* Cuts scratch->pieces that are no added tokens. `raw_bytes`: a ByteLevel that comes last may leave writing bytes as
   characters to the model (am_piece.raw_bytes). */
am_status am_pre_tokenizer_apply(const am_pre_tokenizer *pre_tokenizer, am_scratch *scratch,
                                 bool raw_bytes) AM_NODISCARD;

/* JiebaPreTokenizer of RoFormer, in the arena. `whole`: the words that are not cut into Chinese characters; may be
   null. Both must outlive it. */
struct am_jieba;
am_status am_pre_tokenizer_jieba(am_arena *arena, const struct am_jieba *jieba, const am_vocabulary *whole,
                                 am_pre_tokenizer **out) AM_NODISCARD;

/* Reads the fields of Metaspace, which is a pre-tokenizer and a decoder. */
typedef enum am_prepend_scheme { AM_PREPEND_ALWAYS, AM_PREPEND_FIRST, AM_PREPEND_NEVER } am_prepend_scheme;
typedef struct am_metaspace {
    uint32_t replacement;
    am_prepend_scheme scheme;
    bool split;
} am_metaspace;
am_status am_metaspace_parse(const am_loader *loader, am_json json, am_metaspace *out) AM_NODISCARD;

/* ---- models ---- */

typedef enum am_model_kind { AM_MODEL_BPE, AM_MODEL_WORDPIECE, AM_MODEL_UNIGRAM, AM_MODEL_WORDLEVEL } am_model_kind;

typedef struct am_merge_slot {
    uint64_t pair; /* left id << 32 | right id; UINT64_MAX: empty */
    uint32_t rank;
    int32_t id;
} am_merge_slot;

typedef struct am_bpe {
    am_merge_slot *merges;
    uint64_t *merge_filter; /* a bit for the hash of each pair: most neighbours are no pair */
    size_t merge_mask, filter_mask;
    uint32_t last_joined;  /* entry that the last merge gives */
    int32_t byte_ids[256]; /* of <0x00> ... <0xFF>, -1: none */
    int32_t char_ids[512]; /* of single characters, -1: none */
    int32_t raw_ids[256];  /* of the characters that ByteLevel has for bytes */
    bool takes_raw_bytes;  /* whether all of these are there, and nothing else decides how a word begins */
} am_bpe;

typedef struct am_unigram {
    double *scores; /* by entry of the vocabulary */
    size_t score_capacity;
    double unk_score;
    int32_t byte_ids[256];
} am_unigram;

/* What the model object of tokenizer.json, or a class of transformers, says beside vocabulary and merges. */
typedef struct am_model_settings {
    am_model_kind kind;
    bool has_unk_token;
    am_text unk_token;
    am_text continuing_subword_prefix, end_of_word_suffix;
    bool fuse_unk, byte_fallback, ignore_merges;
    bool may_lack_merges; /* a file without "merges" has none */
    int64_t unk_id;       /* of Unigram, -1: none */
    uint64_t max_input_chars_per_word;
} am_model_settings;

typedef struct am_model {
    am_model_settings settings;
    am_vocabulary vocabulary;
    am_prefixes prefixes; /* of the vocabulary, for WordPiece and Unigram */
    int32_t unk_id;       /* -1: none */
    am_bpe bpe;
    am_unigram unigram;
} am_model;

/* A model is made by: init, the tokens, start_merges, the merges, finish. Freed with am_model_deinit, also
   after a failure. The texts of the settings live as long as the model. */
am_status am_model_init(am_model *model, const am_model_settings *settings, size_t expected_tokens) AM_NODISCARD;
void am_model_deinit(am_model *model);

/* Adds a token; the score is Unigram's. `where` stands for the vocabulary in messages. */
am_status am_model_add_token(am_model *model, am_text token, int64_t id, double score, const char *where) AM_NODISCARD;

/* Makes room for the merges, after the last token. */
am_status am_bpe_start_merges(am_model *model, size_t expected_merges) AM_NODISCARD;

/* Two tokens that give a third, and their hashes. */
typedef struct am_merge_text {
    am_text left, right;
    uint32_t left_hash, right_hash;
} am_merge_text;

static inline am_merge_text am_merge_of(am_text left, am_text right)
{
    return (am_merge_text){left, right, am_hash_bytes(AM_HASH_START, left.bytes, left.length),
                           am_hash_bytes(AM_HASH_START, right.bytes, right.length)};
}

/* The next merges in order of rank; later ones replace earlier ones of the same pair. Resolves them on all threads. */
am_status am_bpe_add_merges(am_model *model, const am_merge_text *merges, size_t count, size_t rank,
                            const char *where) AM_NODISCARD;

/* Checks and completes a model whose tokens and merges are all there. */
am_status am_model_finish(am_model *model) AM_NODISCARD;

/* model_file.c: settings, tokens and merges of the "model" object of a tokenizer.json. */
am_status am_model_read_settings(const am_loader *loader, am_json json, am_model_settings *out) AM_NODISCARD;
am_status am_model_read(const am_loader *loader, am_json json, const am_model_settings *settings,
                        am_model *out) AM_NODISCARD;

/* Appends the tokens of a piece to scratch->tokens. Fails with AM_OUT_OF_RANGE when a part is unknown and the
   model has no unknown token. */
am_status am_model_tokenize(const am_model *model, am_scratch *scratch, const am_piece *piece) AM_NODISCARD;

/* The parts of the above that are one model's. */
am_status am_bpe_finish(am_model *model) AM_NODISCARD;
am_status am_unigram_finish(am_model *model) AM_NODISCARD;
am_status am_bpe_tokenize(const am_model *model, am_scratch *scratch, am_text word, bool raw_bytes) AM_NODISCARD;
am_status am_unigram_tokenize(const am_model *model, am_scratch *scratch, am_text word) AM_NODISCARD;
am_status am_wordpiece_tokenize(const am_model *model, am_scratch *scratch, am_text word) AM_NODISCARD;

/* Ids of <0x00> ... <0xFF>, -1 where there is none. */
void am_model_find_byte_ids(const am_model *model, int32_t ids[256]);

/* ---- added_tokens.c ---- */

typedef struct am_added_token {
    am_text content;
    bool single_word, lstrip, rstrip, normalized, special;
} am_added_token;

typedef struct am_trie_node {
    uint32_t first_child, next_sibling; /* 0: none */
    int32_t token;                      /* index of the token that ends here, or -1 */
    char byte;
} am_trie_node;

/* Texts that are found in a text, the longest at the leftmost place. */
typedef struct am_trie {
    am_trie_node *nodes;
    uint32_t count, capacity;
    uint32_t roots[256]; /* first nodes, by byte */
    int32_t empty_token; /* the token of the empty text, or -1 */
} am_trie;

typedef struct am_added_entry {
    am_added_token token;
    int32_t id;
    bool was_special;    /* once special, decoding skips it for good */
    am_text normal_form; /* {null, 0}: the content itself */
} am_added_entry;

/* Tokens on top of the model's. All texts are in the arena of the tokenizer. */
typedef struct am_added_tokens {
    am_added_entry *entries;
    uint32_t count, capacity;
    am_vocabulary by_content; /* ids are indices of entries */
    uint32_t *by_id;          /* index plus one, 0: none; filled by finish */
    int32_t id_limit;
    am_trie plain, normalized;
} am_added_tokens;

am_status am_added_tokens_init(am_added_tokens *added) AM_NODISCARD;
void am_added_tokens_deinit(am_added_tokens *added);

/* Adds tokens, or changes the flags of those that are there. Ids: the model's, or the next free ones. */
am_status am_added_tokens_add(am_added_tokens *added, am_arena *arena, const am_added_token *tokens, size_t count,
                              const am_model *model, const am_normalizer *normalizer) AM_NODISCARD;

/* Normal forms anew, for another normalizer (null: none). */
am_status am_added_tokens_renormalize(am_added_tokens *added, am_arena *arena,
                                      const am_normalizer *normalizer) AM_NODISCARD;

/* Adds a token with this id, which another may have too, or changes the one of that text. Fails with AM_INVALID_FILE
   when there can be no such id. */
am_status am_added_tokens_put(am_added_tokens *added, am_arena *arena, const am_added_token *token,
                              int64_t id) AM_NODISCARD;

/* Builds what matching needs, after the last change. */
am_status am_added_tokens_finish(am_added_tokens *added) AM_NODISCARD;

/* A text that the trie is to find as `token`, and the node behind `node` for a byte (0: none). */
am_status am_trie_add(am_trie *trie, am_text text, int32_t token) AM_NODISCARD;
uint32_t am_trie_child(const am_trie *trie, uint32_t node, char byte);

/* Finds the added tokens in a text, in order. */
const am_added_entry *am_added_tokens_find(const am_added_tokens *added, am_text content);
/* By id: fast once finished, else a search. */
const am_added_entry *am_added_tokens_by_id(const am_added_tokens *added, int32_t id);

/* The token of the longest text of a trie that starts at `at`, which *end is behind, or -1. */
int32_t am_trie_longest(const am_trie *trie, am_text text, uint32_t at, uint32_t *end);

/* Cuts the added tokens out of scratch->pieces and normalizes what is between them. With `split_special`
   special tokens stay text. */
am_status am_added_tokens_extract(const am_added_tokens *added, const am_normalizer *normalizer, am_scratch *scratch,
                                  bool split_special) AM_NODISCARD;

/* ---- draft.c: an encoding being put together, in scratch memory ---- */

typedef struct am_draft_token {
    int32_t id, type_id;
    int32_t word;  /* index, or -1 */
    int8_t source; /* 0: the text, 1: the pair, -1: neither */
    bool special, attended, transient;
    am_text text;
    am_text_range offsets; /* code points */
} am_draft_token;

/* The tokens of a sequence of the input. */
typedef struct am_draft_range {
    uint32_t sequence;
    am_text_range tokens;
} am_draft_range;

typedef struct am_draft {
    am_draft_token *tokens;
    size_t count;
    am_draft_range *ranges;
    size_t range_count;
    struct am_draft *overflowing;
    size_t overflowing_count;
} am_draft;

/* Truncation and padding, resolved from options and tokenizer. */
typedef struct am_limits {
    am_truncation truncation;
    bool truncate_left, pad_left;
    uint64_t max_length;
    uint32_t stride;
    am_padding padding;
    uint64_t pad_length; /* of AM_PAD_MAX_LENGTH */
    uint64_t pad_to_multiple_of;
    int32_t pad_id, pad_type_id;
    am_text pad_token;
} am_limits;

/* Truncates one draft, or two together, to limits->max_length less `added` special tokens. */
am_status am_draft_truncate(am_scratch *scratch, am_draft *drafts, size_t count, const am_limits *limits,
                            size_t added) AM_NODISCARD;

/* Length that padding gives encodings of which the longest has `longest` tokens. */
am_status am_draft_pad_length(const am_limits *limits, size_t longest, size_t *out) AM_NODISCARD;

/* All tokens belong to this sequence. */
void am_draft_set_sequence(am_scratch *scratch, am_draft *draft, uint32_t sequence);
void am_draft_set_types(am_draft *draft, int32_t type_id);

/* Tokens of a, then of b, and the overflowing parts of each with the other. */
am_draft am_draft_merge(am_scratch *scratch, const am_draft *a, const am_draft *b);

/* The same of many, one after the other, which must not be used after. */
am_draft am_draft_join(am_scratch *scratch, const am_draft *drafts, size_t count);

/* ---- encoding.c: handing out ---- */

/* One side of the input: a text, or words. */
typedef struct am_input {
    const am_text *words;
    size_t count;
    bool is_words;
} am_input;

/* Bytes of all texts of one or two inputs. */
size_t am_input_bytes(const am_input *inputs, size_t count);

/* The encoding of a draft. On failure nothing is left to free. */
am_status am_encoding_from_draft(const am_draft *draft, const am_input inputs[2], am_encoding *out) AM_NODISCARD;

/* Pads to `length` tokens, the overflowing parts too. `sequence`: sequence id of what is added. */
am_status am_encoding_pad(am_encoding *encoding, const am_limits *limits, size_t length, int32_t sequence) AM_NODISCARD;

/* A place in a text, in bytes and in code points; moving it costs the distance. */
typedef struct am_cursor {
    am_text text;
    bool ascii;
    uint32_t byte, point;
} am_cursor;

am_cursor am_cursor_at_start(am_text text);

/* Bytes to code points. A range that starts behind the text stays as it is. */
am_text_range am_cursor_points(am_cursor *cursor, am_text_range bytes);

/* ---- post_processor.c ---- */

typedef struct am_post_processor am_post_processor;

/* Reads the post_processor of a tokenizer.json; *out is freed with its destroy function. */
am_status am_post_processor_parse(const am_loader *loader, am_json json, am_post_processor **out) AM_NODISCARD;

/* Special tokens that it puts around a text or a pair. */
size_t am_post_processor_added(const am_post_processor *processor, bool pair);

/* Puts one or two drafts together. `processor` null: one after the other. */
am_status am_post_processor_apply(const am_post_processor *processor, am_scratch *scratch, am_draft *drafts,
                                  size_t count, bool add_special_tokens, am_draft *out) AM_NODISCARD;

/* ---- token_decoder.c ---- */

typedef struct am_token_decoder am_token_decoder;

/* Reads the decoder of a tokenizer.json; *out is freed with its destroy function. */
am_status am_token_decoder_parse(const am_loader *loader, am_json json, am_token_decoder **out) AM_NODISCARD;

/* Appends the text of the tokens to `out`. `decoder` null: joined with spaces. */
am_status am_token_decoder_apply(const am_token_decoder *decoder, am_scratch *scratch, const am_text *tokens,
                                 size_t count, am_buffer *out) AM_NODISCARD;

/* Takes away the spaces that word pieces leave before punctuation and contractions; `do_not`: also " do not"
 * to " don't". */
am_status am_clean_up(am_buffer *text, bool do_not) AM_NODISCARD;

/* Replaces every `from` (not empty) by `to`. */
am_status am_replace_all(am_buffer *text, am_text from, am_text to) AM_NODISCARD;

/* ---- tokenizer.c ---- */

/* A special token by its name in tokenizer_config.json; extra ones have an empty name. */
typedef struct am_named_token {
    am_text name, token;
} am_named_token;

/* What a class does beyond its tokenizer.json when it decodes. */
typedef enum am_decode_style {
    AM_DECODE_PLAIN,
    AM_DECODE_CLIP,    /* "</w>" becomes a space, the ends are stripped */
    AM_DECODE_WHISPER, /* without the prompt and the timestamps */
    AM_DECODE_GROUPED, /* repeated ids once, without padding (Parakeet, Lasr) */
} am_decode_style;

/* Settings of Wav2Vec2CTCTokenizer. */
typedef struct am_ctc {
    am_text word_delimiter, replacement, pad;
    bool do_lower_case; /* text is read in upper case, and written in lower case */
} am_ctc;

struct am_tokenizer {
    am_arena arena;
    am_regex_list *regexes;
    am_model model;
    am_normalizer *normalizer;
    am_pre_tokenizer *pre_tokenizer;
    am_post_processor *post_processor;
    am_token_decoder *decoder;
    am_added_tokens added;
    am_limits file_limits;
    am_ctc *ctc;                  /* of Wav2Vec2CTCTokenizer, else null */
    am_layout *layout;            /* of classes that take the words of a page, else null */
    struct am_spm_tokenizer *spm; /* of classes that run sentencepiece itself, else null */
    struct am_python *python;     /* of classes that transformers writes in Python, else null */
    struct am_jieba *jieba;       /* of classes that cut words of Chinese, else null */
    const char *class_name;
    am_named_token *named;
    size_t named_count;
    am_side padding_side, truncation_side;
    uint64_t model_max_length;        /* 0: none */
    int32_t pad_type_id, language_id; /* language_id -1: none */
    am_decode_style decode_style;
    bool empty_pair_is_none; /* as for AutoTokenizer: a pair of no text is no pair */
    bool clean_up, never_cleans_up, has_type_ids, split_special_tokens;
    struct am_scratch_pool *pool;
};

/* Scratch memory for a call, and back. Null when there is no memory. */
am_scratch *am_tokenizer_take_scratch(const am_tokenizer *tokenizer);
void am_tokenizer_give_scratch(const am_tokenizer *tokenizer, am_scratch *scratch);

/* An empty tokenizer with what does not come from files. */
am_status am_tokenizer_create(am_tokenizer **out) AM_NODISCARD;

/* What AutoTokenizer gives for a directory. */
am_status am_tokenizer_open_auto(const char *directory, am_tokenizer **out) AM_NODISCARD;

/* A tokenizer.json as it is. */
am_status am_tokenizer_open_file(const char *path, am_tokenizer **out) AM_NODISCARD;

/* Parts of a tokenizer.json, each null or what the file has. */
typedef struct am_tokenizer_parts {
    am_json normalizer, pre_tokenizer, post_processor, decoder;
} am_tokenizer_parts;
am_status am_tokenizer_read_parts(am_tokenizer *tokenizer, const am_loader *loader,
                                  const am_tokenizer_parts *parts) AM_NODISCARD;

/* "added_tokens", "truncation" and "padding" of a tokenizer.json. */
am_status am_tokenizer_read_added_tokens(am_tokenizer *tokenizer, const am_loader *loader,
                                         am_json added_tokens) AM_NODISCARD;
am_status am_tokenizer_read_limits(const am_loader *loader, am_json root, am_limits *out) AM_NODISCARD;

/* One added token of JSON; strings give a plain one. */
am_status am_added_token_read(const am_loader *loader, am_json json, am_added_token *out) AM_NODISCARD;

/* ---- ctc.c: Wav2Vec2CTCTokenizer ---- */

/* Characters to ids, as the Python class splits and joins them. */
am_status am_ctc_encode(const am_tokenizer *tokenizer, const am_input inputs[2], size_t count,
                        const am_encode_options *options, const am_limits *limits, am_encoding *out) AM_NODISCARD;

/* ---- decode.c ---- */

/* What the decoder of tokenizer.json gives, without what the class does besides. Appends to `out`. */
am_status am_tokenizer_decode_plain(const am_tokenizer *tokenizer, const int32_t *ids, size_t count,
                                    bool skip_special_tokens, am_buffer *out) AM_NODISCARD;

/* The same with what the class does to a whole text, clean-up too; a Whisper prompt and timestamps stay. */
am_status am_tokenizer_decode_cleaned(const am_tokenizer *tokenizer, const int32_t *ids, size_t count,
                                      const am_decode_options *options, am_buffer *out) AM_NODISCARD;

/* Moves *ids behind a prompt before <|startoftranscript|>. */
void am_tokenizer_skip_prompt(const am_tokenizer *tokenizer, const int32_t **ids, size_t *count);

/* What the class does to each piece of a stream. */
void am_tokenizer_finish_piece(const am_tokenizer *tokenizer, am_buffer *text);

/* str.strip of Python, in place. */
void am_strip_like_python(am_buffer *text);

/* Ids to text: repeats grouped, pads dropped, word delimiters turned into spaces. */
am_status am_ctc_decode(const am_tokenizer *tokenizer, const int32_t *ids, size_t count,
                        const am_decode_options *options, am_buffer *out) AM_NODISCARD;

#endif
