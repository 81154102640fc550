/* Tokenizers of Hugging Face model directories: text to ids and back, the same as transformers' AutoTokenizer
   (or, in `file` mode, as the tokenizers library does with tokenizer.json alone).

   A tokenizer does not change after it was opened: several threads may use one at once. Text is UTF-8;
   ill-formed text is refused with AM_INVALID_ARGUMENT and the offset of its first bad byte. */
#ifndef AM_TEXT_TOKENIZER_H
#define AM_TEXT_TOKENIZER_H

#include "base/status.h"

#include <anymodel/encoding.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct am_tokenizer am_tokenizer;

typedef enum am_tokenizer_mode {
    AM_TOKENIZER_AUTO, /* what AutoTokenizer.from_pretrained(directory) gives */
    AM_TOKENIZER_FILE, /* tokenizer.json as it is, with its truncation and padding, or a sentencepiece model */
} am_tokenizer_mode;

/* Opens a model directory. AUTO reads tokenizer_config.json, config.json (model_type, tokenizer_class),
   tokenizer.json, special_tokens_map.json, added_tokens.json, vocab.txt, vocab.json and merges.txt, sentencepiece
   models, tiktoken.model and tekken.json, as far as the class needs them. FILE also takes the path of a file: of a
   tokenizer.json (by its ending), or of a sentencepiece model, which then answers as that library does. Fails with
   AM_NOT_FOUND (no tokenizer files), AM_INVALID_FILE (file, field, expected and found), AM_UNSUPPORTED (the class or
   file that this build cannot read is named), AM_OUT_OF_MEMORY. Closed with am_tokenizer_close. */
am_status am_tokenizer_open(const char *directory, am_tokenizer_mode mode, am_tokenizer **out) AM_NODISCARD;

/* The same from the text of a tokenizer.json, in `file` mode. `name` stands for the text in messages. */
am_status am_tokenizer_parse(const char *json, size_t length, const char *name, am_tokenizer **out) AM_NODISCARD;

/* Frees the tokenizer; null is allowed. Encodings borrow token texts from it and must not be used after. */
void am_tokenizer_close(am_tokenizer *tokenizer);

typedef enum am_side {
    AM_SIDE_DEFAULT, /* the tokenizer's own: padding_side, truncation_side */
    AM_SIDE_RIGHT,
    AM_SIDE_LEFT,
} am_side;

typedef enum am_truncation {
    AM_TRUNCATE_NEVER,
    AM_TRUNCATE_LONGEST_FIRST,
    AM_TRUNCATE_ONLY_FIRST,
    AM_TRUNCATE_ONLY_SECOND,
} am_truncation;

typedef enum am_padding {
    AM_PAD_NEVER,
    AM_PAD_LONGEST,    /* to the longest of the batch (of a single text: to itself, then the multiple) */
    AM_PAD_MAX_LENGTH, /* to max_length */
} am_padding;

/* How to encode. Start from AM_ENCODE_OPTIONS. */
typedef struct am_encode_options {
    bool add_special_tokens;
    bool split_special_tokens; /* special tokens in the text are text */
    bool as_in_file;           /* truncation and padding of tokenizer.json instead of the fields below */
    am_truncation truncation;
    am_side truncation_side;
    am_padding padding;
    am_side padding_side;
    uint64_t max_length;         /* tokens; 0: the tokenizer's model_max_length, where there is none no truncation or
                                    padding */
    uint32_t stride;             /* tokens that an overflowing part repeats of the one before */
    uint32_t pad_to_multiple_of; /* 0: none */
} am_encode_options;

#define AM_ENCODE_OPTIONS ((am_encode_options){.add_special_tokens = true})

/* Encodes a text, or a text and its pair (null: none). `options` null: AM_ENCODE_OPTIONS.
   Fails with AM_INVALID_ARGUMENT (ill-formed UTF-8, more than 1 GiB of text, stride not below the length,
   padding without a pad token, a sequence too short to truncate), AM_OUT_OF_RANGE (a pattern needs too many
   steps on this text, or the text has an unknown part and the model no unknown token), AM_OUT_OF_MEMORY. */
am_status am_tokenizer_encode(const am_tokenizer *tokenizer, am_text text, const am_text *pair,
                              const am_encode_options *options, am_encoding *out) AM_NODISCARD;

/* The same for texts already split into words (`is_split_into_words`): word_ids are indices of words, offsets
   are relative to their word. `pair` null: none. */
am_status am_tokenizer_encode_words(const am_tokenizer *tokenizer, const am_text *words, size_t count,
                                    const am_text *pair, size_t pair_count, const am_encode_options *options,
                                    am_encoding *out) AM_NODISCARD;

/* Encodes `count` texts, padded together, on the threads of base/threads.h; the result does not depend on how many
   these are. `pairs` null: none, else as many. On success `out` holds `count` encodings, each to be freed; on failure,
   which is that of the first text that fails, none. */
am_status am_tokenizer_encode_batch(const am_tokenizer *tokenizer, const am_text *texts, const am_text *pairs,
                                    size_t count, const am_encode_options *options, am_encoding *out) AM_NODISCARD;

/* What comes with the words of a page: arrays of as many elements as words. */
typedef struct am_word_marks {
    const int32_t (*boxes)[4]; /* left, top, right, bottom in thousandths; MarkupLM has none */
    const am_text *xpaths;     /* of MarkupLM ("/html/body/p[2]"), else null */
    const int32_t *labels;     /* null: none */
} am_word_marks;

/* Words of a page as tokens, with the marks of the word, or those of special tokens and padding. Arrays have
   encoding.count rows. Freed with am_layout_encoding_deinit; all zeros is an empty one. */
typedef struct am_layout_encoding {
    am_encoding encoding;
    int32_t (*boxes)[4];              /* null for MarkupLM */
    int32_t *xpath_tags, *xpath_subs; /* [count, max_depth]; null for others */
    size_t max_depth;
    int32_t
        *labels; /* the label of the word for its first token, -100 (or as configured) for the rest; null: none given */
    void *storage;
} am_layout_encoding;

void am_layout_encoding_deinit(am_layout_encoding *encoding);

/* Encodes words with their boxes (LayoutLMv2, LayoutLMv3, LayoutXLM, UDOP) or paths (MarkupLM), as these classes take
   them; `question` (null: none) is the text before. Overflowing parts have no marks. Fails with AM_UNSUPPORTED for
   other classes, AM_INVALID_ARGUMENT (marks that are missing, a path that is none), and as am_tokenizer_encode_words
   does. */
am_status am_tokenizer_encode_layout(const am_tokenizer *tokenizer, const am_text *question, const am_text *words,
                                     size_t count, const am_word_marks *marks, const am_encode_options *options,
                                     am_layout_encoding *out) AM_NODISCARD;

/* The text as a sentencepiece model cuts it into pieces, for a tokenizer that is one or is written around one (what a
   class does before is not in it). *out ends with a zero byte and is freed with am_free. Fails with AM_UNSUPPORTED for
   other tokenizers, and as am_tokenizer_encode. */
am_status am_tokenizer_normalize(const am_tokenizer *tokenizer, am_text text, char **out,
                                 size_t *out_length) AM_NODISCARD;

/* How to turn ids into text. Start from AM_DECODE_OPTIONS. */
typedef struct am_decode_options {
    bool skip_special_tokens;
    int clean_up;                       /* of spaces before punctuation. 0 and 1: no and yes, -1: as configured */
    bool keep_repeated_tokens;          /* CTC classes: no grouping of repeated ids */
    bool spaces_between_special_tokens; /* CTC classes: tokens joined with spaces */
} am_decode_options;

#define AM_DECODE_OPTIONS ((am_decode_options){.skip_special_tokens = true, .clean_up = -1})

/* Text of `count` ids; unknown ids give nothing. *out ends with a zero byte and is freed with am_free.
   `options` null: AM_DECODE_OPTIONS. Fails with AM_OUT_OF_MEMORY, AM_OUT_OF_RANGE (a pattern needs too many
   steps). */
am_status am_tokenizer_decode(const am_tokenizer *tokenizer, const int32_t *ids, size_t count,
                              const am_decode_options *options, char **out, size_t *out_length) AM_NODISCARD;

/* convert_tokens_to_string: the text of tokens, which need not be in the vocabulary. *out ends with a zero byte and is
   freed with am_free. Fails with AM_UNSUPPORTED for Wav2Vec2CTCTokenizer, and as am_tokenizer_decode. */
am_status am_tokenizer_join(const am_tokenizer *tokenizer, const am_text *tokens, size_t count, char **out,
                            size_t *out_length) AM_NODISCARD;

/* A word, or one character of a CTC decoding, with the ids [start, end) it comes from. */
typedef struct am_ctc_piece {
    am_text text;
    uint32_t start, end;
} am_ctc_piece;

typedef struct am_ctc_decoding {
    am_text text;
    am_ctc_piece *characters, *words;
    size_t character_count, word_count;
    void *storage;
} am_ctc_decoding;

/* Wav2Vec2CTCTokenizer.decode with output_char_offsets and output_word_offsets. Fails with AM_UNSUPPORTED for
   other classes. Freed with am_ctc_decoding_deinit. */
am_status am_tokenizer_decode_ctc(const am_tokenizer *tokenizer, const int32_t *ids, size_t count,
                                  const am_decode_options *options, am_ctc_decoding *out) AM_NODISCARD;
void am_ctc_decoding_deinit(am_ctc_decoding *decoding);

/* Ids of a text as the vocabulary and added tokens have them; -1: not there. */
int32_t am_tokenizer_token_to_id(const am_tokenizer *tokenizer, am_text token);

/* Token of an id, {null, 0} when there is none; borrowed from the tokenizer. */
am_text am_tokenizer_id_to_token(const am_tokenizer *tokenizer, int32_t id);

/* Number of tokens of the model, without or with the added tokens. */
size_t am_tokenizer_vocab_size(const am_tokenizer *tokenizer, bool with_added_tokens);

/* Largest id in use plus one: what an embedding matrix must have at least. */
int32_t am_tokenizer_id_limit(const am_tokenizer *tokenizer);

/* A special token by name: "bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token",
   "mask_token" or one that tokenizer_config.json adds ("image_token"). {null, 0}: not set. Borrowed. */
am_text am_tokenizer_special_token(const am_tokenizer *tokenizer, const char *name);

/* Its id; where the token is not in the vocabulary that of the unknown token; -1: not set. */
int32_t am_tokenizer_special_id(const am_tokenizer *tokenizer, const char *name);

/* Whether decoding with skip_special_tokens leaves this id out. */
bool am_tokenizer_is_special(const am_tokenizer *tokenizer, int32_t id);

/* model_max_length in tokens, or 0 when there is no limit. */
uint64_t am_tokenizer_model_max_length(const am_tokenizer *tokenizer);

/* Sides of padding and truncation, never AM_SIDE_DEFAULT. */
am_side am_tokenizer_padding_side(const am_tokenizer *tokenizer);
am_side am_tokenizer_truncation_side(const am_tokenizer *tokenizer);

/* Whether "token_type_ids" is among model_input_names: whether models want am_encoding.type_ids. */
bool am_tokenizer_has_type_ids(const am_tokenizer *tokenizer);

/* Id of the language code that the class puts before or after a source text, as src_lang of the configuration says
   (mBART, NLLB); -1: the class has no such codes. */
int32_t am_tokenizer_language_id(const am_tokenizer *tokenizer);

/* Whether transformers runs the class by the tokenizers library. Where not (classes written in Python), tokens are the
   parts the text was cut into, an unknown one too, and there are no offsets (all are (0, 0)) and no overflowing parts;
   Wav2Vec2CTCTokenizer has both. */
bool am_tokenizer_is_fast(const am_tokenizer *tokenizer);

/* Whether tokens that go on with a word are marked (continuing_subword_prefix: "##"). */
bool am_tokenizer_marks_subwords(const am_tokenizer *tokenizer);

/* Name of the class that was built ("BertTokenizer", "TokenizersBackend" for a tokenizer.json taken as it
 * is). */
const char *am_tokenizer_class(const am_tokenizer *tokenizer);

/* Text of ids that come one at a time. Pieces are whole code points; put together they are the text of all
   ids, where decoding a longer list does not change what came before. */
typedef struct am_token_stream am_token_stream;

/* The tokenizer must outlive the stream. Freed with am_token_stream_destroy. */
am_status am_token_stream_create(const am_tokenizer *tokenizer, bool skip_special_tokens,
                                 am_token_stream **out) AM_NODISCARD;
void am_token_stream_destroy(am_token_stream *stream);

/* Takes an id and gives the text that is now certain (often empty), borrowed until the next call. */
am_status am_token_stream_feed(am_token_stream *stream, int32_t id, am_text *out) AM_NODISCARD;

/* Gives what is left, with U+FFFD for bytes that are no character. The stream is empty again. */
am_status am_token_stream_flush(am_token_stream *stream, am_text *out) AM_NODISCARD;

#endif
