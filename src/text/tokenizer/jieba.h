/* What jieba does with texts without Chinese. */
#ifndef AM_TEXT_TOKENIZER_JIEBA_H
#define AM_TEXT_TOKENIZER_JIEBA_H

#include "text/tokenizer/internal.h"

/* rjieba.cut(text, hmm=False) (jieba-rs): takes the next word off the front of *rest, which is not empty. Several
   ideographs, or one with letters, would need its dictionary: AM_UNSUPPORTED. */
am_status am_jieba_next(am_text *rest, am_text *word) AM_NODISCARD;

#endif
