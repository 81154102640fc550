/* Words of a text model that stand for codes of pieces of images: which they are, vocabulary_map says, by their names.
 */
#ifndef AM_MODELS_BLOCKS_IMAGE_WORDS_H
#define AM_MODELS_BLOCKS_IMAGE_WORDS_H

#include "models/model.h"

/* How such a word is named: what stands between a prefix and the last `suffix` bytes is its code. */
typedef struct am_image_word_style {
    const char *prefix;
    size_t suffix;
    size_t digits; /* of the code; 0: all between */
    bool letters;  /* A is the digit 0, B 1 .. */
} am_image_word_style;

typedef struct am_image_words {
    int64_t image_token; /* "<image>", which places of images have; -1: there is none */
    int64_t end_of_line; /* "<|extra_200|>", or -1 */
    int32_t *words;      /* [count]: the word of each code, 0 where there is none */
    int64_t count;
    bool *is_code; /* whether each code has a word */
} am_image_words;

/* vocabulary_map of the configuration; an error where it is missing or a name has no code. */
am_image_words am_image_words_read(am_builder *b, const am_image_word_style *style);

/* codes: I32 [..] -> words, I32 [..]. */
am_value am_words_of_codes(am_builder *b, const am_image_words *words, am_value codes);

/* Which words stand for codes: BOOL [vocab]. */
am_value am_words_of_images(am_builder *b, const am_image_words *words, int64_t vocab);

#endif
