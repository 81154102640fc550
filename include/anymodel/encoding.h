/* Texts, what a tokenizer makes of them, and rendered conversations. */
#ifndef ANYMODEL_ENCODING_H
#define ANYMODEL_ENCODING_H

#include <anymodel/status.h>

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A text that is borrowed: `length` bytes of UTF-8, not always followed by a zero byte. */
typedef struct am_text {
    const char *bytes;
    size_t length;
} am_text;

/* [start, end) */
typedef struct am_text_range {
    uint32_t start, end;
} am_text_range;

/* One encoded text or pair; arrays have `count` elements. Freed with am_encoding_deinit; all zeros is an
 * empty one. */
typedef struct am_encoding {
    size_t count;
    int32_t *ids;
    am_text *tokens; /* borrowed from the tokenizer or the encoding */
    int32_t *type_ids;
    int32_t *attention_mask;
    int32_t *special_tokens_mask;
    am_text_range *offsets;          /* code points of the text, or of the pair; (0, 0) for special tokens */
    am_text_range *byte_offsets;     /* the same in bytes */
    int32_t *word_ids;               /* index of the pre-tokenizer's piece, or of the word given; -1: none */
    int32_t *sequence_ids;           /* 0: the text, 1: the pair, -1: neither */
    struct am_encoding *overflowing; /* the parts that truncation cut off, each encoded like the first */
    size_t overflowing_count;
    void *storage, *text_storage;
} am_encoding;

AM_API void am_encoding_deinit(am_encoding *encoding);

/* A part of the text in code points, [start, end). */
typedef struct am_chat_span {
    size_t start, end;
} am_chat_span;

/* Rendered text with a zero byte after it, and what of it stood in generation blocks. */
typedef struct am_chat_text {
    char *text;
    size_t length;
    am_chat_span *spans;
    size_t span_count;
} am_chat_text;

AM_API void am_chat_text_deinit(am_chat_text *text);

#ifdef __cplusplus
}
#endif
#endif
