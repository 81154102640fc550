/* Tokenizers that transformers writes in Python (PreTrainedTokenizer of tokenization_python.py). They share a frame:

       prepare     rewrites the text as a whole
       split       cuts it at the added tokens (Trie.split, then the flags lstrip, rstrip, single_word)
       tokenize    the class's own: a piece of text becomes tokens, which are texts
       ids         of the added tokens, or of the class's vocabulary, or that of the unknown token
       template    puts special tokens around
       join        the class's own way from tokens back to a text

   A class is a row of functions and names. There are no offsets. */
#ifndef AM_TEXT_TOKENIZER_PYTHON_TOKENIZER_H
#define AM_TEXT_TOKENIZER_PYTHON_TOKENIZER_H

#include "text/tokenizer/auto.h"
#include "text/tokenizer/python_text.h"

typedef struct am_py_bpe am_py_bpe;
typedef struct am_python am_python;

/* What an unknown token becomes. */
typedef enum am_python_unknown {
    AM_PYTHON_UNK_OF_VOCABULARY, /* the id that the vocabulary file has for unk_token */
    AM_PYTHON_UNK_TOKEN,         /* the id of unk_token, which may be an added one */
    AM_PYTHON_NO_UNK,            /* no id: Python's None */
} am_python_unknown;

/* A token that a class adds before any other: a special one by name, or a text. */
typedef struct am_python_fixed_token {
    const char *name, *text; /* one of them is null */
    int32_t id;
    bool strips; /* takes the white space on both sides along */
} am_python_fixed_token;

typedef struct am_python_class {
    /* Reads the class's files and settings; fills the vocabulary, but does not finish it. */
    am_status (*open)(am_auto *a, am_python *p);
    void (*close)(am_python *p); /* frees p->own; may be null */
    /* The functions below may be null. Text handed out lives in scratch memory, in the input or in the tokenizer. */
    am_status (*prepare)(const am_python *p, am_scratch *s, am_text *text);
    /* Appends tokens to scratch->tokens with am_python_add_token. */
    am_status (*tokenize)(const am_python *p, am_scratch *s, am_text text);
    /* Id of a token that is no added one, -1: it is unknown. Null: the vocabulary's. */
    int32_t (*token_id)(const am_python *p, am_text token);
    /* Text of an id that is no added one, {null, 0}: none. Null: the vocabulary's, or unk_token. */
    am_text (*id_text)(const am_python *p, int32_t id);
    int32_t id_limit; /* of ids that are computed; 0: the vocabulary says */
    /* Appends the text of the tokens. */
    am_status (*join)(const am_python *p, const am_text *tokens, size_t count, const am_decode_options *options,
                      am_buffer *out);
    am_status (*clean_up)(const am_python *p, am_buffer *text); /* null: am_clean_up */
    am_python_unknown unknown;
    bool skips_unknown_ids; /* decoding gives nothing for ids that are not there, else unk_token */
    /* Words "A", "B": the texts; others: special tokens by name without "_token"; "eos?": unless the text ends so. */
    const char *single, *pair;
    bool one_type;                            /* all type ids are 0; else the first is as long as `single` gives */
    const am_python_fixed_token *fixed_tokens; /* the last one has neither name nor text */
    const char *const *extra_tokens;           /* extra_special_tokens unless configured; ends with null; may be null */
    bool joins_piecewise;                      /* text of ids can be given out as they come */
} am_python_class;

enum { AM_PYTHON_TEMPLATE_WORDS = 8 };

typedef struct am_python_template {
    struct {
        char side;    /* 'A', 'B' or 0 */
        bool if_lacking;
        am_text name; /* of the special token, where side is 0 */
        am_text token;
    } items[AM_PYTHON_TEMPLATE_WORDS];
    size_t count;
} am_python_template;

struct am_python {
    const am_python_class *class;
    const am_tokenizer *tokenizer; /* vocabulary (model.vocabulary) and added tokens */
    am_trie trie;                  /* of the texts that are cut out */
    am_text *specials;             /* all_special_tokens */
    int32_t *special_ids;          /* theirs, ascending */
    size_t special_count;
    am_text unk_token;
    int32_t unk_id; /* -1: none */
    am_python_template single, pair;
    am_text cut_only[2]; /* special tokens that are cut out of the text without being added; {null, 0}: none */
    am_py_bpe *bpe; /* freed with the tokenizer */
    void *own;      /* of the class */
};

/* Classes, by name; the rows of python_*.c. Null: not one of them. */
const am_auto_class *am_python_class_named(am_text name);
extern const am_auto_class am_python_byte_classes[], am_python_bpe_classes[], am_python_moses_classes[],
    am_python_wordpiece_classes[], am_python_character_classes[], am_python_clvp_classes[], am_python_cpmant_classes[];

/* Builds the tokenizer of a->class (PreTrainedTokenizer.__init__), after the configuration's tokens were read. */
am_status am_python_build(am_auto *a) AM_NODISCARD;
void am_python_destroy(am_python *p);

/* tokenizer(text, pair), not padded. Truncation is that of Python classes: nothing overflows. */
am_status am_python_encode(const am_tokenizer *tokenizer, const am_input inputs[2], size_t count,
                           const am_encode_options *options, const am_limits *limits, am_encoding *out) AM_NODISCARD;

/* tokenizer.decode(ids), appended, without clean-up. */
am_status am_python_join(const am_tokenizer *tokenizer, const int32_t *ids, size_t count,
                         const am_decode_options *options, am_buffer *out) AM_NODISCARD;

/* Id of a token as the class has it, without the unknown token's; -1: none. */
int32_t am_python_token_id(const am_python *p, am_text token);

/* Text of an id without unk_token in the place of what is unknown; {null, 0}: none. */
am_text am_python_id_text(const am_python *p, int32_t id);

/* Whether decoding skips the id. */
bool am_python_is_special(const am_python *p, int32_t id);

/* Whether a text is one of all_special_tokens. */
bool am_python_is_special_text(const am_python *p, am_text text);

/* Appends a token to the scratch's. */
static inline void am_python_add_token(am_scratch *s, am_text text)
{
    am_scratch_add_token(s, (am_token){.id = -1, .text = text, .transient = true});
}

/* A copy of the buffer's text in scratch memory; the buffer is emptied and freed. */
am_text am_python_keep(am_scratch *s, am_buffer *buffer);

/* ---- python_files.c: files beside the configuration ---- */

/* A file whose lines are read as Python's text mode has them: "\r\n" and "\r" are ends of lines too. */
typedef struct am_python_lines {
    char *text; /* freed with am_free */
    size_t length;
    const char *path;
} am_python_lines;

/* Opens DIRECTORY/name. Fails with AM_NOT_FOUND, AM_INVALID_FILE (not UTF-8). */
am_status am_python_read_file(am_auto *a, const char *name, am_python_lines *out) AM_NODISCARD;

/* vocab.txt: a token a line, its number is the id. `strip`: without the white space around. */
am_status am_python_read_vocab_lines(am_auto *a, const char *name, bool strip) AM_NODISCARD;

/* {"token": id, ...} into a vocabulary, which is initialized here. Entries whose value is no number are errors. */
am_status am_python_read_vocab_json(am_auto *a, const char *name, am_vocabulary *out) AM_NODISCARD;

/* The tokenizer's vocabulary, initialized and empty. */
am_status am_python_init_vocabulary(am_auto *a, size_t expected, am_vocabulary **out) AM_NODISCARD;

/* ---- python_bpe.c: byte pair encoding on texts ---- */

typedef enum am_py_merges {
    AM_PY_MERGES_AFTER_HEADER, /* lines [1:-1] of two words */
    AM_PY_MERGES_FIRST_TWO,    /* lines [:-1], the first two words */
    AM_PY_MERGES_COUNTED,      /* lines [:-1] of words and a count behind */
} am_py_merges;

/* Reads DIRECTORY/name. `suffix`: of the last character of a word ("</w>" or ""). */
am_status am_py_bpe_read(am_auto *a, const char *name, am_py_merges kind, const char *suffix, am_py_bpe **out) AM_NODISCARD;
void am_py_bpe_destroy(am_py_bpe *bpe);

/* Appends the parts of a word (not empty). `mark`: all but the last get it behind, and the last loses its suffix; null:
   parts as they are. */
void am_py_bpe_tokenize(const am_py_bpe *bpe, am_scratch *s, am_text word, const char *mark);

#endif
