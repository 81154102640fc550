#include "text/tokenizer/spm_file.h"

#include "base/file.h"
#include "base/memory.h"
#include "base/utf8.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

/* Numbers of the wire format and of the fields. */
enum { VARINT = 0, FIXED64 = 1, LENGTH_DELIMITED = 2, FIXED32 = 5 };
enum { MODEL_PIECES = 1, MODEL_TRAINER = 2, MODEL_NORMALIZER = 3, MODEL_DENORMALIZER = 5 };
enum { PIECE_TEXT = 1, PIECE_SCORE = 2, PIECE_TYPE = 3 };
enum {
    TRAINER_MODEL_TYPE = 3,
    TRAINER_WHITESPACE_AS_SUFFIX = 24,
    TRAINER_BYTE_FALLBACK = 35,
    TRAINER_UNK_ID = 40,
    TRAINER_BOS_ID = 41,
    TRAINER_EOS_ID = 42,
    TRAINER_UNK_SURFACE = 44,
    TRAINER_UNK_PIECE = 45,
    TRAINER_BOS_PIECE = 46,
    TRAINER_EOS_PIECE = 47,
};
enum {
    NORMALIZER_CHARSMAP = 2,
    NORMALIZER_DUMMY_PREFIX = 3,
    NORMALIZER_EXTRA_WHITESPACES = 4,
    NORMALIZER_ESCAPE_WHITESPACES = 5,
};

static const size_t file_limit_bytes = (size_t)1 << 30;

/* A message under way: the bytes [at, end) of the file. */
typedef struct message {
    const char *name;
    const unsigned char *bytes;
    size_t at, end;
} message;

typedef struct field {
    uint32_t number, wire_type;
    uint64_t value;  /* of numbers */
    message content; /* of what has a length */
    size_t offset;   /* of its tag */
} field;

static am_status broken(const message *m, size_t offset, const char *what)
{
    return am_error(AM_INVALID_FILE, "%s: byte %zu: %s", m->name, offset, what);
}

static am_status read_varint(message *m, uint64_t *out)
{
    size_t start = m->at;
    *out = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        if (m->at == m->end) return broken(m, start, "expected a number, found the end of the message");
        unsigned char byte = m->bytes[m->at++];
        *out |= (uint64_t)(byte & 0x7F) << shift;
        if (byte < 0x80) return NULL;
    }
    return broken(m, start, "expected a number of at most 10 bytes, found a longer one");
}

static am_status read_fixed(message *m, unsigned size, uint64_t *out)
{
    if (m->end - m->at < size)
        return am_error(AM_INVALID_FILE, "%s: byte %zu: expected %u bytes, found the end of the message after %zu",
                        m->name, m->at, size, m->end - m->at);
    *out = 0;
    for (unsigned i = 0; i < size; i++) *out |= (uint64_t)m->bytes[m->at++] << (8 * i);
    return NULL;
}

static am_status read_content(message *m, message *out)
{
    uint64_t length;
    size_t start = m->at;
    AM_TRY(read_varint(m, &length));
    if (length > m->end - m->at)
        return am_error(AM_INVALID_FILE, "%s: byte %zu: a length of %" PRIu64 ", where %zu bytes are left", m->name,
                        start, length, m->end - m->at);
    *out = (message){m->name, m->bytes, m->at, m->at + (size_t)length};
    m->at = out->end;
    return NULL;
}

static am_status read_field(message *m, field *out)
{
    uint64_t tag;
    *out = (field){.offset = m->at};
    AM_TRY(read_varint(m, &tag));
    if (tag >> 3 == 0 || tag >> 3 > INT32_MAX) return broken(m, out->offset, "not the number of a field");
    out->number = (uint32_t)(tag >> 3);
    out->wire_type = tag & 7;
    switch (out->wire_type) {
    case VARINT:
        return read_varint(m, &out->value);
    case FIXED64:
        return read_fixed(m, 8, &out->value);
    case LENGTH_DELIMITED:
        return read_content(m, &out->content);
    case FIXED32:
        return read_fixed(m, 4, &out->value);
    default:
        return am_error(AM_INVALID_FILE, "%s: byte %zu: field %" PRIu32 " has the wire type %" PRIu32, m->name,
                        out->offset, out->number, out->wire_type);
    }
}

static am_status expect(const message *m, const field *f, uint32_t wire_type)
{
    if (f->wire_type == wire_type) return NULL;
    return am_error(AM_INVALID_FILE, "%s: byte %zu: field %" PRIu32 " has the wire type %" PRIu32 ", expected %" PRIu32,
                    m->name, f->offset, f->number, f->wire_type, wire_type);
}

static am_status read_bool(const message *m, const field *f, bool *out)
{
    AM_TRY(expect(m, f, VARINT));
    *out = f->value != 0;
    return NULL;
}

static am_status read_int(const message *m, const field *f, int32_t *out)
{
    AM_TRY(expect(m, f, VARINT));
    *out = (int32_t)(uint32_t)f->value;
    return NULL;
}

static am_status read_bytes(const message *m, const field *f, am_text *out)
{
    AM_TRY(expect(m, f, LENGTH_DELIMITED));
    *out = (am_text){(const char *)m->bytes + f->content.at, f->content.end - f->content.at};
    return NULL;
}

static am_status read_text(const message *m, const field *f, am_text *out)
{
    size_t bad;
    AM_TRY(read_bytes(m, f, out));
    if (am_utf8_valid(out->bytes, out->length, &bad)) return NULL;
    return am_error(AM_INVALID_FILE, "%s: byte %zu: text that is not UTF-8", m->name, f->content.at + bad);
}

/* ---- the messages ---- */

static am_status read_score(const message *m, const field *f, float *out)
{
    uint32_t bits = (uint32_t)f->value;
    AM_TRY(expect(m, f, FIXED32));
    memcpy(out, &bits, sizeof *out);
    return isfinite(*out) ? NULL : broken(m, f->offset, "a score that is not finite");
}

static am_status read_piece_type(const message *m, const field *f, am_spm_piece_type *out)
{
    AM_TRY(expect(m, f, VARINT));
    if (f->value < AM_SPM_NORMAL || f->value > AM_SPM_BYTE)
        return am_error(AM_INVALID_FILE, "%s: byte %zu: a piece of the type %" PRIu64, m->name, f->offset, f->value);
    *out = (am_spm_piece_type)f->value;
    return NULL;
}

static am_status read_piece(message m, am_spm_piece *out)
{
    size_t start = m.at;
    *out = (am_spm_piece){.type = AM_SPM_NORMAL};
    while (m.at < m.end) {
        field f;
        AM_TRY(read_field(&m, &f));
        if (f.number == PIECE_TEXT) AM_TRY(read_text(&m, &f, &out->text));
        if (f.number == PIECE_SCORE) AM_TRY(read_score(&m, &f, &out->score));
        if (f.number == PIECE_TYPE) AM_TRY(read_piece_type(&m, &f, &out->type));
    }
    return out->text.length ? NULL : broken(&m, start, "a piece without text");
}

static am_status read_model_type(const message *m, const field *f, am_spm_model_type *out)
{
    AM_TRY(expect(m, f, VARINT));
    if (f->value < AM_SPM_UNIGRAM || f->value > AM_SPM_CHAR)
        return am_error(AM_INVALID_FILE, "%s: byte %zu: a model of the type %" PRIu64, m->name, f->offset, f->value);
    *out = (am_spm_model_type)f->value;
    return NULL;
}

static am_status read_trainer(message m, am_spm_file *out)
{
    while (m.at < m.end) {
        field f;
        AM_TRY(read_field(&m, &f));
        if (f.number == TRAINER_MODEL_TYPE) AM_TRY(read_model_type(&m, &f, &out->model_type));
        if (f.number == TRAINER_WHITESPACE_AS_SUFFIX) AM_TRY(read_bool(&m, &f, &out->whitespace_as_suffix));
        if (f.number == TRAINER_BYTE_FALLBACK) AM_TRY(read_bool(&m, &f, &out->byte_fallback));
        if (f.number == TRAINER_UNK_ID) AM_TRY(read_int(&m, &f, &out->unk_id));
        if (f.number == TRAINER_BOS_ID) AM_TRY(read_int(&m, &f, &out->bos_id));
        if (f.number == TRAINER_EOS_ID) AM_TRY(read_int(&m, &f, &out->eos_id));
        if (f.number == TRAINER_UNK_SURFACE) AM_TRY(read_text(&m, &f, &out->unk_surface));
        if (f.number == TRAINER_UNK_PIECE) AM_TRY(read_text(&m, &f, &out->unk_piece));
        if (f.number == TRAINER_BOS_PIECE) AM_TRY(read_text(&m, &f, &out->bos_piece));
        if (f.number == TRAINER_EOS_PIECE) AM_TRY(read_text(&m, &f, &out->eos_piece));
    }
    return NULL;
}

static am_status read_rules(message m, am_spm_rules *out)
{
    while (m.at < m.end) {
        field f;
        AM_TRY(read_field(&m, &f));
        if (f.number == NORMALIZER_CHARSMAP) AM_TRY(read_bytes(&m, &f, &out->charsmap));
        if (f.number == NORMALIZER_DUMMY_PREFIX) AM_TRY(read_bool(&m, &f, &out->add_dummy_prefix));
        if (f.number == NORMALIZER_EXTRA_WHITESPACES) AM_TRY(read_bool(&m, &f, &out->remove_extra_whitespaces));
        if (f.number == NORMALIZER_ESCAPE_WHITESPACES) AM_TRY(read_bool(&m, &f, &out->escape_whitespaces));
    }
    return NULL;
}

/* Pieces of the whole message, so that their array is made once. */
static am_status count_pieces(message m, size_t *out)
{
    *out = 0;
    while (m.at < m.end) {
        field f;
        AM_TRY(read_field(&m, &f));
        *out += f.number == MODEL_PIECES;
    }
    if (*out > AM_SPM_PIECE_LIMIT)
        return am_error(AM_INVALID_FILE, "%s: %zu pieces, more than the limit of %d", m.name, *out, AM_SPM_PIECE_LIMIT);
    return *out ? NULL : am_error(AM_INVALID_FILE, "%s: expected a sentencepiece model, found no pieces", m.name);
}

static am_status read_model(message m, am_spm_file *out)
{
    while (m.at < m.end) {
        field f;
        AM_TRY(read_field(&m, &f));
        bool known = f.number == MODEL_PIECES || f.number == MODEL_TRAINER || f.number == MODEL_NORMALIZER ||
                     f.number == MODEL_DENORMALIZER;
        if (known) AM_TRY(expect(&m, &f, LENGTH_DELIMITED));
        if (f.number == MODEL_PIECES) AM_TRY(read_piece(f.content, &out->pieces[out->count++]));
        if (f.number == MODEL_TRAINER) AM_TRY(read_trainer(f.content, out));
        if (f.number == MODEL_NORMALIZER) AM_TRY(read_rules(f.content, &out->normalizer));
        if (f.number == MODEL_DENORMALIZER) AM_TRY(read_rules(f.content, &out->denormalizer));
    }
    return NULL;
}

#define TEXT(literal)                                                                                                  \
    {                                                                                                                  \
        literal, sizeof literal - 1                                                                                    \
    }

#define RULES                                                                                                          \
    {                                                                                                                  \
        .add_dummy_prefix = true, .remove_extra_whitespaces = true, .escape_whitespaces = true                         \
    }

/* What fields that are not there are. */
static const am_spm_file defaults = {
    .model_type = AM_SPM_UNIGRAM,
    .bos_id = 1,
    .eos_id = 2,
    .unk_piece = TEXT("<unk>"),
    .bos_piece = TEXT("<s>"),
    .eos_piece = TEXT("</s>"),
    .unk_surface = TEXT(" \xe2\x81\x87 "),
    .normalizer = RULES,
    .denormalizer = RULES,
};

am_status am_spm_file_parse(am_arena *arena, am_text bytes, const char *name, am_spm_file *out)
{
    size_t count;
    message m = {name, (const unsigned char *)bytes.bytes, 0, bytes.length};
    *out = defaults;
    AM_TRY(count_pieces(m, &count));
    out->pieces = am_arena_array(arena, count, sizeof *out->pieces);
    return out->pieces ? read_model(m, out) : am_out_of_memory();
}

am_status am_spm_file_open(am_arena *arena, const char *path, am_spm_file *out)
{
    char *bytes;
    size_t length;
    AM_TRY(am_file_read(path, file_limit_bytes, &bytes, &length));
    char *copy = am_arena_string(arena, bytes, length);
    am_free(bytes);
    return copy ? am_spm_file_parse(arena, (am_text){copy, length}, path, out) : am_out_of_memory();
}
