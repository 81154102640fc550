/* Words of Chinese text as rjieba (jieba-rs 0.11) cuts them without its hidden Markov model: cut(text, hmm=False). */
#ifndef AM_TEXT_TOKENIZER_JIEBA_H
#define AM_TEXT_TOKENIZER_JIEBA_H

#include "text/tokenizer/internal.h"

typedef struct am_jieba am_jieba;

/* Reads the dictionary, which is the first of these: DIRECTORY/jieba_dict.txt; dict.txt in the folder that the variable
   ANYMODEL_JIEBA names (set to nothing: none); that of Debian's package python3-jieba. Without any, texts without
   Chinese words are cut the same. Fails with AM_NOT_FOUND (ANYMODEL_JIEBA names a folder without one), AM_INVALID_FILE
   (naming the line), AM_IO. Destroyed with am_jieba_destroy. */
am_status am_jieba_open(const char *directory, am_jieba **out) AM_NODISCARD;

/* The same of a dictionary's text; `name` is for messages. A line is a word, its frequency and, when there is one, a
   tag, with spaces between. */
am_status am_jieba_parse(am_text text, const char *name, am_jieba **out) AM_NODISCARD;
void am_jieba_destroy(am_jieba *jieba);

/* A text that is being cut. Borrows the text, which is UTF-8, and the dictionary. */
typedef struct am_jieba_cut {
    const am_jieba *jieba;
    am_text rest;
    uint8_t *steps;     /* bytes of the best word at each byte of a block where a character starts */
    size_t block, left; /* bytes of the block, and those of it that are still to be given out */
} am_jieba_cut;

static inline am_jieba_cut am_jieba_begin(const am_jieba *jieba, am_text text)
{
    return (am_jieba_cut){.jieba = jieba, .rest = text};
}

/* Takes the next word off; its length is 0 at the end of the text. Without a dictionary Chinese words are
   AM_UNSUPPORTED: several ideographs, or one beside letters. Also AM_OUT_OF_MEMORY. */
am_status am_jieba_next(am_jieba_cut *cut, am_text *word) AM_NODISCARD;
void am_jieba_end(am_jieba_cut *cut);

#endif
