#include "text/tokenizer/spm.h"

#include "base/memory.h"
#include "base/utf8.h"

#include <float.h>
#include <stdio.h>

#define SPACE_SYMBOL "\xe2\x96\x81"

static const am_text space_symbol = {SPACE_SYMBOL, sizeof SPACE_SYMBOL - 1};

/* ---- opening ---- */

static am_status refuse(const am_loader *loader, uint32_t id, const am_spm_piece *piece, const char *why)
{
    return am_error(AM_INVALID_FILE, "%s: piece %u \"%.*s\": %s", loader->name, (unsigned)id,
                    (int)(piece->text.length < 60 ? piece->text.length : 60), piece->text.bytes, why);
}

static bool is_listed(am_spm_piece_type type)
{
    return type == AM_SPM_NORMAL || type == AM_SPM_USER_DEFINED || type == AM_SPM_UNUSED;
}

/* The byte that "<0x41>" stands for, -1: none. */
static int byte_of_piece(am_text piece)
{
    static const char digits[] = "0123456789ABCDEF";
    const char *high, *low;
    if (piece.length != 6 || memcmp(piece.bytes, "<0x", 3) != 0 || piece.bytes[5] != '>') return -1;
    high = memchr(digits, piece.bytes[3], 16), low = memchr(digits, piece.bytes[4], 16);
    return high && low ? (int)(high - digits) << 4 | (int)(low - digits) : -1;
}

static am_status add_piece(am_spm *spm, const am_loader *loader, uint32_t id)
{
    const am_spm_piece *piece = &spm->file.pieces[id];
    am_vocabulary *list = is_listed(piece->type) ? &spm->pieces : &spm->reserved;
    if (am_vocabulary_find(list, piece->text)) return refuse(loader, id, piece, "it is there twice");
    AM_TRY(am_vocabulary_add(list, piece->text, id, false, loader->name));
    if (piece->type == AM_SPM_USER_DEFINED) AM_TRY(am_trie_add(&spm->symbols, piece->text, (int32_t)id));
    if (piece->type == AM_SPM_UNUSED) spm->has_unused = true;
    if (piece->type == AM_SPM_UNKNOWN) {
        if (spm->unk_id >= 0) return refuse(loader, id, piece, "a second unknown piece");
        spm->unk_id = (int32_t)id;
    }
    if (piece->type == AM_SPM_BYTE) {
        if (!spm->file.byte_fallback) return refuse(loader, id, piece, "a byte piece without byte_fallback");
        if (byte_of_piece(piece->text) < 0) return refuse(loader, id, piece, "not a byte as \"<0x41>\"");
    }
    if (piece->type == AM_SPM_NORMAL) {
        if (piece->score < spm->lowest) spm->lowest = piece->score;
        if (piece->score > spm->highest) spm->highest = piece->score;
    }
    return NULL;
}

static am_status find_bytes(am_spm *spm, const am_loader *loader)
{
    for (int byte = 0; byte < 256; byte++) {
        char name[8];
        snprintf(name, sizeof name, "<0x%02X>", byte);
        am_text text = {name, 6};
        const am_vocabulary_entry *entry = am_vocabulary_find(&spm->reserved, text);
        bool is_byte = entry && am_spm_type(spm, entry->id) == AM_SPM_BYTE;
        spm->byte_ids[byte] = am_spm_piece_to_id(spm, text);
        if (spm->file.byte_fallback && !is_byte)
            return am_error(AM_INVALID_FILE, "%s: byte_fallback, but no piece for the byte %s", loader->name, name);
    }
    return NULL;
}

static am_status read_maps(am_spm *spm, const am_loader *loader)
{
    am_text normal = spm->file.normalizer.charsmap, reverse = spm->file.denormalizer.charsmap;
    if (normal.length) AM_TRY(am_precompiled_create(loader, normal, &spm->normalizer));
    if (reverse.length) AM_TRY(am_precompiled_create(loader, reverse, &spm->denormalizer));
    return NULL;
}

am_status am_spm_init(am_spm *spm, const am_spm_file *file, const am_loader *loader)
{
    *spm = (am_spm){.file = *file, .symbols.empty_token = -1, .unk_id = -1, .lowest = FLT_MAX, .highest = FLT_MIN};
    AM_TRY(am_vocabulary_init(&spm->pieces, file->count));
    AM_TRY(am_vocabulary_init(&spm->reserved, 0));
    for (uint32_t i = 0; i < file->count; i++) AM_TRY(add_piece(spm, loader, i));
    if (spm->unk_id < 0) return am_error(AM_INVALID_FILE, "%s: no unknown piece", loader->name);
    AM_TRY(find_bytes(spm, loader));
    AM_TRY(read_maps(spm, loader));
    return am_prefixes_init(&spm->prefixes, &spm->pieces);
}

void am_spm_deinit(am_spm *spm)
{
    am_vocabulary_deinit(&spm->pieces);
    am_vocabulary_deinit(&spm->reserved);
    am_prefixes_deinit(&spm->prefixes);
    am_free(spm->symbols.nodes);
    *spm = (am_spm){0};
}

/* ---- pieces ---- */

int32_t am_spm_piece_to_id(const am_spm *spm, am_text piece)
{
    int32_t id = am_vocabulary_id(&spm->reserved, piece);
    if (id < 0) id = am_vocabulary_id(&spm->pieces, piece);
    return id < 0 ? spm->unk_id : id;
}

am_text am_spm_id_to_piece(const am_spm *spm, int32_t id)
{
    return id < 0 || (uint32_t)id >= spm->file.count ? (am_text){0} : spm->file.pieces[id].text;
}

/* ---- decoding ---- */

/* Text under way. */
typedef struct decoding {
    const am_spm *spm;
    am_buffer *out;
    size_t start; /* of this text in `out` */
    am_buffer bytes;
    bool at_start, saw_space;
} decoding;

/* What byte pieces in a row spell. */
static void flush_bytes(decoding *d)
{
    for (size_t at = 0, length; at < d->bytes.length; at += length) {
        uint32_t c;
        length = am_utf8_next(d->bytes.bytes + at, d->bytes.length - at, &c);
        if (c == AM_UTF8_INVALID) am_buffer_append(d->out, "\xef\xbf\xbd", 3), length = 1;
        else am_buffer_append(d->out, d->bytes.bytes + at, length);
    }
    am_buffer_clear(&d->bytes);
}

static void append_with_spaces(am_buffer *out, am_text text)
{
    for (size_t at = 0; at < text.length;) {
        bool space = text.length - at >= space_symbol.length &&
                     memcmp(text.bytes + at, space_symbol.bytes, space_symbol.length) == 0;
        if (space) am_buffer_append_char(out, ' ');
        else am_buffer_append_char(out, text.bytes[at]);
        at += space ? space_symbol.length : 1;
    }
}

static void decode_piece(decoding *d, am_text piece, int32_t id)
{
    const am_spm_rules *rules = &d->spm->file.normalizer;
    d->saw_space = false;
    if (am_spm_type(d->spm, id) == AM_SPM_CONTROL) return;
    if (am_spm_type(d->spm, id) == AM_SPM_UNKNOWN) {
        bool itself = am_text_equal(piece, d->spm->file.pieces[id].text);
        am_text text = itself ? d->spm->file.unk_surface : piece;
        am_buffer_append(d->out, text.bytes, text.length);
        return;
    }
    if (d->at_start && (rules->add_dummy_prefix || rules->remove_extra_whitespaces) &&
        piece.length >= space_symbol.length && memcmp(piece.bytes, space_symbol.bytes, space_symbol.length) == 0) {
        piece.bytes += space_symbol.length;
        piece.length -= space_symbol.length;
        d->saw_space = !rules->remove_extra_whitespaces;
    }
    append_with_spaces(d->out, piece);
}

static am_status denormalize(const am_spm *spm, am_scratch *s, am_buffer *out, size_t start)
{
    am_spm_rewriter rewriter = {.rules = &spm->file.denormalizer, .map = spm->denormalizer};
    am_spm_normal normal;
    AM_TRY(am_spm_rewrite(&rewriter, s, (am_text){out->bytes + start, out->length - start}, &normal));
    out->length = start;
    am_buffer_append(out, normal.text.bytes, normal.text.length);
    return NULL;
}

am_status am_spm_decode(const am_spm *spm, am_scratch *s, const am_text *pieces, size_t count, am_buffer *out)
{
    decoding d = {.spm = spm, .out = out, .start = out->length, .at_start = true};
    for (size_t i = 0; i < count; i++) {
        int32_t id = am_spm_piece_to_id(spm, pieces[i]);
        if (am_spm_type(spm, id) == AM_SPM_BYTE) {
            am_buffer_append_char(&d.bytes, (char)byte_of_piece(pieces[i]));
            continue;
        }
        flush_bytes(&d);
        if (d.saw_space || out->length > d.start) d.at_start = false;
        decode_piece(&d, pieces[i], id);
    }
    flush_bytes(&d);
    am_status status = am_buffer_status(&d.bytes);
    am_buffer_deinit(&d.bytes);
    if (!status) status = am_buffer_status(out);
    if (!status && spm->denormalizer && out->length > d.start) status = denormalize(spm, s, out, d.start);
    return status ? status : am_buffer_status(out);
}
