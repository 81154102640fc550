/* What tokenizers are configured with that take the words of a page. */
#ifndef AM_TEXT_TOKENIZER_LAYOUT_H
#define AM_TEXT_TOKENIZER_LAYOUT_H

#include "text/tokenizer/vocabulary.h"

#include <stddef.h>

/* Classes that take the words of a page, by how they label tokens. */
typedef enum am_layout_kind {
    AM_LAYOUT_NONE,
    AM_LAYOUT_BY_OFFSET, /* LayoutLMv2, LayoutXLM: a token at the start of its word is the first */
    AM_LAYOUT_BY_WORD,   /* LayoutLMv3: a token of another word than the one before */
    AM_LAYOUT_UDOP,      /* at the start of its word, and not behind a token without text */
    AM_LAYOUT_MARKUP,    /* MarkupLM: by offset, with paths in the place of boxes */
} am_layout_kind;

/* What these classes are configured with. */
typedef struct am_layout {
    am_layout_kind kind;
    int32_t cls_box[4], sep_box[4], pad_box[4], pad_label;
    bool only_first;    /* only_label_first_subword */
    am_vocabulary tags; /* tags_dict of MarkupLM */
    int32_t max_width, pad_width;
    size_t max_depth;
} am_layout;

void am_layout_destroy(am_layout *layout);

#endif
