/* TapasTokenizer: a table and a question about it as a model's inputs. */
#ifndef AM_TEXT_TABLE_ENCODING_H
#define AM_TEXT_TABLE_ENCODING_H

#include "base/arena.h"
#include "base/json.h"
#include "text/tokenizer.h"

/* Texts, borrowed: [rows + 1, columns], the names of the columns first. */
typedef struct am_table {
    int64_t rows, columns;
    const am_text *cells;
} am_table;

/* Settings of the class, and arguments of a call. */
typedef struct am_table_options {
    int64_t cell_trim_length;          /* pieces of a cell that stay when rows are dropped; -1: as many as fit */
    int64_t max_column_id, max_row_id; /* there must be fewer; -1: the tokenizer's model_max_length */
    int64_t min_question_length, max_question_length; /* tokens; another question is none */
    bool strip_column_names;                          /* the header has no tokens */
    bool drop_rows_to_fit, pad_to_max_length;
    int64_t max_length; /* tokens; 0: the tokenizer's model_max_length */
} am_table_options;

/* The settings of DIRECTORY/tokenizer_config.json; nothing is cut or padded. */
am_status am_table_options_read(const char *directory, am_table_options *out) AM_NODISCARD;

/* What TAPAS knows of a token, in the order of its embeddings. */
typedef enum am_table_kind {
    AM_TABLE_SEGMENT,
    AM_TABLE_COLUMN, /* from 1; 0: none */
    AM_TABLE_ROW,    /* from 1; 0: the header */
    AM_TABLE_LABEL,
    AM_TABLE_RANK,
    AM_TABLE_INVERSE_RANK,
    AM_TABLE_RELATIONS,
    AM_TABLE_KINDS,
} am_table_kind;

/* Arrays have `count` elements, in the arena; the tokens begin at `first`, those of the table at `table_first`. */
typedef struct am_table_encoding {
    int64_t count, first, table_first, table_count;
    int32_t *ids, *attention_mask, (*type_ids)[AM_TABLE_KINDS];
} am_table_encoding;

/* Fails with AM_UNSUPPORTED for other classes, AM_OUT_OF_RANGE (too many columns, rows or tokens), and as
   am_tokenizer_encode. */
am_status am_table_encode(const am_tokenizer *tokenizer, const am_table *table, am_text question,
                          const am_table_options *options, am_arena *arena, am_table_encoding *out) AM_NODISCARD;

#endif
