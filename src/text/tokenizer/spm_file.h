/* sentencepiece's model file: the protobuf message ModelProto of sentencepiece_model.proto (0.2), as far as encoding
   and decoding need it. */
#ifndef AM_TEXT_TOKENIZER_SPM_FILE_H
#define AM_TEXT_TOKENIZER_SPM_FILE_H

#include "base/arena.h"
#include "text/tokenizer.h"

/* The values of the enumerations in the file. */
typedef enum am_spm_model_type { AM_SPM_UNIGRAM = 1, AM_SPM_BPE, AM_SPM_WORD, AM_SPM_CHAR } am_spm_model_type;
typedef enum am_spm_piece_type {
    AM_SPM_NORMAL = 1,
    AM_SPM_UNKNOWN,
    AM_SPM_CONTROL,
    AM_SPM_USER_DEFINED,
    AM_SPM_UNUSED,
    AM_SPM_BYTE,
} am_spm_piece_type;

typedef struct am_spm_piece {
    am_text text; /* UTF-8 */
    float score;  /* finite */
    am_spm_piece_type type;
} am_spm_piece;

/* NormalizerSpec. */
typedef struct am_spm_rules {
    am_text charsmap; /* bytes; empty: none */
    bool add_dummy_prefix, remove_extra_whitespaces, escape_whitespaces;
} am_spm_rules;

/* Texts lie in the arena that the file was read into. */
typedef struct am_spm_file {
    am_spm_piece *pieces; /* by id */
    uint32_t count;
    am_spm_model_type model_type;
    bool whitespace_as_suffix, byte_fallback;
    int32_t unk_id, bos_id, eos_id; /* as the file says; not checked against the pieces */
    am_text unk_piece, bos_piece, eos_piece, unk_surface;
    am_spm_rules normalizer, denormalizer; /* the second only where it has a charsmap */
} am_spm_file;

enum { AM_SPM_PIECE_LIMIT = 1 << 24 };

/* Reads a file. Fails with AM_NOT_FOUND, AM_IO, AM_OUT_OF_MEMORY, AM_INVALID_FILE (path, offset of the byte, expected
   and found: truncated, a length beyond the message, a wire type that the field does not have, a piece that is empty or
   no UTF-8, a score that is not finite, more than AM_SPM_PIECE_LIMIT pieces, none at all). Memory is at most a small
   multiple of the file. */
am_status am_spm_file_open(am_arena *arena, const char *path, am_spm_file *out) AM_NODISCARD;

/* The same from bytes, which must live as long as *out; `name` stands for them in messages. */
am_status am_spm_file_parse(am_arena *arena, am_text bytes, const char *name, am_spm_file *out) AM_NODISCARD;

#endif
