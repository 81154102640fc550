/* Vocabularies without tokenizer.json in the files of other libraries: sentencepiece models, tiktoken's list of ranks,
   Mistral's tekken.json (TokenizersBackend.convert_to_native_format, convert_slow_tokenizer.py). */
#include "text/tokenizer/auto.h"

#include "base/file.h"
#include "base/memory.h"
#include "base/utf8.h"

#include <stdlib.h>

/* Longest piece that merges are looked for in, so that a file of one long piece takes no square of its length. */
enum { LONGEST_MERGED_BYTES = 1024 };

#define UNDERLINE "\xe2\x96\x81"

/* ---- pieces ---- */

static am_status start_pieces(am_auto *a, size_t count)
{
    a->pieces = am_arena_array(a->loader.arena, count + 1, sizeof *a->pieces);
    a->piece_count = 0;
    return a->pieces ? NULL : am_out_of_memory();
}

static void put_piece(am_auto *a, am_text text, double score)
{
    a->pieces[a->piece_count] = (am_auto_piece){text, score, (int64_t)a->piece_count};
    a->piece_count++;
}

/* Text of a named token where the configuration has one; what the converters take is not always the class's own. */
static am_text configured(const am_auto *a, const char *name, const char *fallback)
{
    const am_auto_token *token = am_auto_named(a, name);
    if (token && token->kind >= AM_AUTO_STRING && !token->of_class) return token->token.content;
    return (am_text){fallback, strlen(fallback)};
}

static void put_named(am_auto *a, const char *name, const char *fallback)
{
    put_piece(a, configured(a, name, fallback), 0);
}

static void put_file_pieces(am_auto *a, uint32_t first)
{
    for (uint32_t i = first; i < a->spm->count; i++)
        put_piece(a, a->spm->pieces[i].text, (double)a->spm->pieces[i].score);
}

static void put_list(am_auto *a, const char *const *texts)
{
    for (; *texts; texts++) put_piece(a, (am_text){*texts, strlen(*texts)}, 0);
}

am_status am_auto_arrange_plain(am_auto *a)
{
    AM_TRY(start_pieces(a, a->spm->count));
    put_file_pieces(a, 0);
    return NULL;
}

am_status am_auto_arrange_camembert(am_auto *a)
{
    AM_TRY(start_pieces(a, a->spm->count + 6u));
    put_piece(a, (am_text){"<s>NOTUSED", 10}, 0);
    put_named(a, "pad_token", "<pad>");
    put_piece(a, (am_text){"</s>NOTUSED", 11}, 0);
    put_named(a, "unk_token", "<unk>");
    put_piece(a, (am_text){"<unk>NOTUSED", 12}, -100);
    put_file_pieces(a, 1);
    put_named(a, "mask_token", "<mask>");
    return NULL;
}

/* <s> <pad> </s> <unk>, the pieces behind the first three, languages, the mask. */
static am_status arrange_fairseq(am_auto *a, const char *first, const char *const *languages)
{
    size_t count = 0;
    for (; languages[count];) count++;
    AM_TRY(start_pieces(a, a->spm->count + count + 5));
    put_named(a, first, "<s>");
    put_named(a, "pad_token", "<pad>");
    put_named(a, "eos_token", "</s>");
    put_named(a, "unk_token", "<unk>");
    put_file_pieces(a, 3);
    put_list(a, languages);
    put_named(a, "mask_token", "<mask>");
    return NULL;
}

am_status am_auto_arrange_xlm_roberta(am_auto *a)
{
    static const char *const none[] = {NULL};
    return arrange_fairseq(a, "bos_token", none);
}

am_status am_auto_arrange_mbart(am_auto *a)
{
    return arrange_fairseq(a, "bos_token", am_mbart_languages);
}

am_status am_auto_arrange_mbart50(am_auto *a)
{
    return arrange_fairseq(a, "cls_token", am_mbart50_languages);
}

static bool has_piece(const am_auto *a, size_t count, am_text text)
{
    for (size_t i = 0; i < count; i++)
        if (am_text_equal(a->pieces[i].text, text)) return true;
    return false;
}

am_status am_auto_arrange_nllb(am_auto *a)
{
    AM_TRY(start_pieces(a, a->spm->count + 4u));
    put_named(a, "bos_token", "<s>");
    put_named(a, "pad_token", "<pad>");
    put_named(a, "eos_token", "</s>");
    put_named(a, "unk_token", "<unk>");
    size_t named = a->piece_count;
    for (uint32_t i = 0; i < a->spm->count; i++)
        if (!has_piece(a, named, a->spm->pieces[i].text)) put_piece(a, a->spm->pieces[i].text, 0);
    return NULL;
}

am_status am_auto_arrange_seamless(am_auto *a)
{
    static const char *const first[] = {"<pad>", "<unk>", "<s>", "</s>", NULL};
    AM_TRY(start_pieces(a, a->spm->count + 4u));
    put_list(a, first);
    size_t named = a->piece_count;
    put_file_pieces(a, 0);
    for (size_t i = named; i < a->piece_count; i++) a->pieces[i].id = (int64_t)(i - named) + 1;
    return NULL;
}

am_status am_auto_arrange_pegasus(am_auto *a)
{
    int64_t offset = am_json_int(am_json_get(a->config, "offset"), 103);
    am_text mask = configured(a, "mask_token", "<mask_1>"),
            sentence = am_auto_config_text(a, "mask_token_sent", "<mask_2>");
    bool has_sentence = am_json_kind_of(am_json_get(a->config, "mask_token_sent")) != AM_JSON_NULL;
    if (offset > 1 << 20) return am_error(AM_INVALID_FILE, "%s: offset is %lld", a->directory, (long long)offset);
    AM_TRY(start_pieces(a, a->spm->count + (size_t)(offset > 0 ? offset : 0) + 4));
    put_named(a, "pad_token", "<pad>");
    put_named(a, "eos_token", "</s>");
    if (am_auto_named(a, "mask_token")->kind != AM_AUTO_NULL) put_piece(a, mask, 0);
    if (has_sentence && !am_text_equal(sentence, mask)) put_piece(a, sentence, 0);
    for (int64_t i = 2; i < offset; i++) {
        const char *name = am_arena_printf(a->loader.arena, "<unk_%lld>", (long long)i);
        if (!name) return am_out_of_memory();
        put_piece(a, (am_text){name, strlen(name)}, -100);
    }
    put_file_pieces(a, 2);
    return NULL;
}

am_status am_auto_arrange_t5(am_auto *a)
{
    int64_t extra = am_json_int(am_json_get(a->config, "extra_ids"), 100);
    if (extra > 1 << 20) return am_error(AM_INVALID_FILE, "%s: extra_ids is %lld", a->directory, (long long)extra);
    AM_TRY(start_pieces(a, a->spm->count + (size_t)(extra > 0 ? extra : 0)));
    put_file_pieces(a, 0);
    for (int64_t i = extra - 1; i >= 0; i--) {
        const char *name = am_arena_printf(a->loader.arena, "<extra_id_%lld>", (long long)i);
        if (!name) return am_out_of_memory();
        put_piece(a, (am_text){name, strlen(name)}, 0);
    }
    return NULL;
}

/* ---- sentencepiece ---- */

/* Control pieces are special, user-defined ones are not; both are added tokens. */
static am_status take_added_pieces(am_auto *a)
{
    a->additional = (am_auto_list){.set = true};
    for (uint32_t i = 0; i < a->spm->count; i++) {
        const am_spm_piece *piece = &a->spm->pieces[i];
        bool special = piece->type == AM_SPM_CONTROL;
        if (!special && piece->type != AM_SPM_USER_DEFINED) continue;
        AM_TRY(am_auto_append(a, &a->additional, piece->text));
        am_auto_token *token = &a->additional.items[a->additional.count - 1];
        token->kind = AM_AUTO_TOKEN;
        token->normalized_set = true;
        token->token.special = special;
    }
    return NULL;
}

static am_status default_token(am_auto *a, const char *name, int32_t id, am_text text)
{
    const am_auto_token *token = am_auto_named(a, name);
    if (id < 0 || token->kind != AM_AUTO_ABSENT) return NULL;
    const char *copy = am_arena_string(a->loader.arena, text.bytes, text.length);
    return copy ? am_auto_set_named(a, name, copy) : am_out_of_memory();
}

am_status am_auto_build_from_spm(am_auto *a)
{
    const am_spm_file *spm = a->spm;
    bool unigram = spm->model_type == AM_SPM_UNIGRAM;
    a->settings.kind = unigram ? AM_MODEL_UNIGRAM : AM_MODEL_BPE;
    a->settings.unk_id = spm->unk_id;
    a->settings.byte_fallback = spm->byte_fallback;
    if (!unigram) {
        a->settings.has_unk_token = a->settings.fuse_unk = true;
        a->settings.unk_token = spm->unk_piece;
    }
    am_buffer_append_string(&a->normalizer, "{\"type\":\"Sequence\",\"normalizers\":[");
    am_auto_append_charsmap(a, &a->normalizer);
    am_auto_append_item(&a->normalizer,
                        "{\"type\":\"Replace\",\"pattern\":{\"String\":\" \"},\"content\":\"" UNDERLINE "\"}]}");
    am_buffer_append_string(&a->decoder, "{\"type\":\"Sequence\",\"decoders\":[{\"type\":\"Replace\",\"pattern\":{"
                                         "\"String\":\"" UNDERLINE "\"},\"content\":\" \"}");
    if (spm->byte_fallback) am_buffer_append_string(&a->decoder, ",{\"type\":\"ByteFallback\"},{\"type\":\"Fuse\"}");
    am_buffer_append_string(&a->decoder, "]}");
    AM_TRY(default_token(a, "bos_token", spm->bos_id, spm->bos_piece));
    AM_TRY(default_token(a, "eos_token", spm->eos_id, spm->eos_piece));
    return default_token(a, "unk_token", spm->unk_id, spm->unk_piece);
}

/* ---- merges ---- */

typedef struct merge {
    uint32_t left, right; /* ids of the parts */
    uint32_t piece, cut;  /* the whole, and the bytes of it that are the left part */
} merge;

typedef struct merge_list {
    merge *items;
    size_t count, capacity;
} merge_list;

static am_status add_merge(merge_list *list, merge item)
{
    if (list->count == list->capacity) {
        size_t capacity = list->capacity ? list->capacity * 2 : 1024;
        merge *items = am_realloc(list->items, capacity * sizeof *items);
        if (!items) return am_out_of_memory();
        list->items = items;
        list->capacity = capacity;
    }
    list->items[list->count++] = item;
    return NULL;
}

static int by_parts(const void *a, const void *b)
{
    const merge *x = a, *y = b;
    if (x->left != y->left) return x->left < y->left ? -1 : 1;
    return (x->right > y->right) - (x->right < y->right);
}

/* All cuts of a text into two pieces, by the length of the left one or, `by_rank`, by the ids of both. */
static am_status find_merges(const am_vocabulary *v, am_text text, uint32_t piece, bool by_rank, const char *where,
                             merge_list *out)
{
    size_t first = out->count;
    uint32_t hash = AM_HASH_START;
    if (text.length > LONGEST_MERGED_BYTES)
        return am_error(AM_INVALID_FILE, "%s: piece %u has %zu bytes, more than the limit of %d", where,
                        (unsigned)piece, text.length, LONGEST_MERGED_BYTES);
    for (uint32_t cut = 0; cut + 1 < text.length;) {
        hash = am_hash_byte(hash, text.bytes[cut++]);
        if (!am_is_char_start(text.bytes[cut])) continue;
        const am_vocabulary_entry *left = am_vocabulary_find_hashed(v, (am_text){text.bytes, cut}, hash), *right;
        if (!left) continue;
        right = am_vocabulary_find(v, (am_text){text.bytes + cut, text.length - cut});
        if (right) AM_TRY(add_merge(out, (merge){(uint32_t)left->id, (uint32_t)right->id, piece, cut}));
    }
    if (by_rank && out->count - first > 1) qsort(out->items + first, out->count - first, sizeof *out->items, by_parts);
    return NULL;
}

static am_status add_merges(am_model *model, const am_text *texts, const merge_list *list, const char *where)
{
    AM_TRY(am_bpe_start_merges(model, list->count));
    am_merge_text *merges = am_alloc_table(list->count, sizeof *merges);
    if (!merges) return am_out_of_memory();
    for (size_t i = 0; i < list->count; i++) {
        const merge *item = &list->items[i];
        am_text whole = texts[item->piece];
        merges[i] = am_merge_of((am_text){whole.bytes, item->cut},
                                (am_text){whole.bytes + item->cut, whole.length - item->cut});
    }
    am_status status = am_bpe_add_merges(model, merges, list->count, 0, where);
    am_free(merges);
    return status;
}

/* The merges of texts in the order of their ranks. */
static am_status make_merges(am_auto *a, const am_text *texts, size_t count, bool by_rank)
{
    am_model *model = &a->tokenizer->model;
    merge_list list = {0};
    am_status status = NULL;
    for (size_t i = 0; i < count && !status; i++)
        status = find_merges(&model->vocabulary, texts[i], (uint32_t)i, by_rank, a->loader.name, &list);
    if (!status) status = add_merges(model, texts, &list, a->loader.name);
    am_free(list.items);
    return status;
}

static am_status make_spm_merges(am_auto *a)
{
    am_text *texts = am_alloc((a->spm->count + 1u) * sizeof *texts);
    if (!texts) return am_out_of_memory();
    for (uint32_t i = 0; i < a->spm->count; i++) texts[i] = a->spm->pieces[i].text;
    am_status status = make_merges(a, texts, a->spm->count, false);
    am_free(texts);
    return status;
}

static am_status make_rank_merges(am_auto *a)
{
    size_t count = a->piece_count - a->unranked_count;
    am_text *texts = am_alloc((count + 1) * sizeof *texts);
    if (!texts) return am_out_of_memory();
    for (size_t i = 0; i < count; i++) texts[i] = a->pieces[a->unranked_count + i].text;
    am_status status = make_merges(a, texts, count, true);
    am_free(texts);
    return status;
}

am_status am_auto_read_pieces(am_auto *a)
{
    am_model *model = &a->tokenizer->model;
    AM_TRY(am_model_init(model, &a->settings, a->piece_count));
    for (size_t i = 0; i < a->piece_count; i++)
        AM_TRY(am_model_add_token(model, a->pieces[i].text, a->pieces[i].id, a->pieces[i].score, a->loader.name));
    if (a->settings.kind == AM_MODEL_BPE) AM_TRY(a->spm ? make_spm_merges(a) : make_rank_merges(a));
    return am_model_finish(model);
}

/* ---- lists of ranks ---- */

/* The text that a token of bytes has in a byte-level vocabulary. */
static am_status byte_level_text(am_auto *a, am_text base64, am_text *out)
{
    char *bytes = am_alloc(base64.length + 4);
    am_buffer text = {0};
    if (!bytes) return am_out_of_memory();
    size_t length = am_base64_decode(base64, bytes);
    if (length == SIZE_MAX || length == 0) {
        am_free(bytes);
        return am_error(AM_INVALID_FILE, "%s: \"%.*s\" is no token in base 64", a->loader.name,
                        (int)(base64.length < 60 ? base64.length : 60), base64.bytes);
    }
    for (size_t i = 0; i < length; i++) {
        char c[4];
        am_buffer_append(&text, c, am_utf8_put(am_byte_level_char((unsigned char)bytes[i]), c));
    }
    am_free(bytes);
    am_status status = am_buffer_status(&text);
    if (!status) *out = am_text_copy(a->loader.arena, (am_text){am_buffer_text(&text), text.length});
    am_buffer_deinit(&text);
    return status ? status : out->bytes ? NULL : am_out_of_memory();
}

/* Byte-level parts around a pattern, and a byte-level post-processor that leaves offsets alone. */
static void build_from_ranks(am_auto *a, am_text pattern)
{
    static const char byte_level[] = "{\"type\":\"ByteLevel\",\"add_prefix_space\":%s,\"trim_offsets\":%s,"
                                     "\"use_regex\":%s}";
    a->settings.kind = AM_MODEL_BPE;
    a->settings.ignore_merges = true;
    am_buffer_append_string(&a->pre_tokenizer,
                            "{\"type\":\"Sequence\",\"pretokenizers\":[{\"type\":\"Split\",\"pattern\":{\"Regex\":");
    am_buffer_append_json_string(&a->pre_tokenizer, pattern.bytes, pattern.length);
    am_buffer_append_string(&a->pre_tokenizer, "},\"behavior\":\"Isolated\",\"invert\":false},");
    am_buffer_printf(&a->pre_tokenizer, byte_level, "false", "true", "false");
    am_buffer_append_string(&a->pre_tokenizer, "]}");
    am_buffer_printf(&a->decoder, byte_level, "true", "true", "true");
    am_buffer_printf(&a->post_processor, byte_level, "true", "false", "true");
}

static int by_id(const void *a, const void *b)
{
    const am_auto_piece *x = a, *y = b;
    return (x->id > y->id) - (x->id < y->id);
}

/* Lines of a token in base 64, a space, its rank. */
static am_status read_rank_line(am_auto *a, am_text line, size_t number, const char *path)
{
    const char *space = memchr(line.bytes, ' ', line.length);
    char *end;
    if (line.length == 0) return NULL;
    long long rank = space ? strtoll(space + 1, &end, 10) : -1;
    if (rank < 0 || end == space + 1 || (size_t)(end - line.bytes) != line.length)
        return am_error(AM_INVALID_FILE, "%s: line %zu: expected a token in base 64, a space and its rank", path,
                        number + 1);
    am_text text = {0};
    AM_TRY(byte_level_text(a, (am_text){line.bytes, (size_t)(space - line.bytes)}, &text));
    put_piece(a, text, 0);
    a->pieces[a->piece_count - 1].id = rank;
    return NULL;
}

static am_status keep_token(am_auto *a, am_text text)
{
    return am_auto_append_once(a, &a->file_tokens, text);
}

/* Tokens of added_tokens_decoder that lie behind the ranks, with fillers between them, then the extra ones. */
static am_status take_tiktoken_tokens(am_auto *a)
{
    int64_t base = (int64_t)a->piece_count, last = a->added.count ? a->added.items[a->added.count - 1].id : 0;
    size_t at = 0;
    if (last > AM_VOCABULARY_ID_LIMIT)
        return am_error(AM_INVALID_FILE, "%s: added_tokens_decoder: the id %lld", a->directory, (long long)last);
    for (int64_t id = base; last >= base && id <= last; id++) {
        while (at < a->added.count && a->added.items[at].id < id) at++;
        bool given = at < a->added.count && a->added.items[at].id == id;
        const char *name = am_arena_printf(a->loader.arena, "<|reserved_token_%lld|>", (long long)id);
        if (!name) return am_out_of_memory();
        AM_TRY(am_auto_append(a, &a->file_tokens,
                              given ? a->added.items[at].token.content : (am_text){name, strlen(name)}));
    }
    for (size_t i = 0; i < a->extra.count; i++) AM_TRY(keep_token(a, a->extra.items[i].token.content));
    return NULL;
}

static am_status open_tiktoken(am_auto *a, const char *path)
{
    static const char pattern[] = "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| "
                                  "?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
    AM_TRY(am_auto_count_lines(a, path));
    AM_TRY(start_pieces(a, a->line_count));
    AM_TRY(am_auto_read_lines(a, path, read_rank_line));
    if (a->piece_count == 0) return am_error(AM_INVALID_FILE, "%s: no tokens", path);
    qsort(a->pieces, a->piece_count, sizeof *a->pieces, by_id);
    build_from_ranks(a, (am_text){pattern, sizeof pattern - 1});
    return take_tiktoken_tokens(a);
}

/* Whether a file that is no sentencepiece model looks like tiktoken's: a first line of base 64, a space and a number.
 */
static bool looks_like_tiktoken(const char *path)
{
    am_mapped_file file;
    bool found = false;
    am_status status = am_file_map(path, &file);
    if (status) {
        am_status_free(status);
        return false;
    }
    for (size_t i = 1; i + 1 < file.size_bytes && i < LONGEST_MERGED_BYTES && !found; i++) {
        if (file.bytes[i] == '\n') break;
        found = file.bytes[i] == ' ' && file.bytes[i + 1] >= '0' && file.bytes[i + 1] <= '9';
    }
    am_file_unmap(&file);
    return found;
}

/* ---- tekken.json ---- */

static int by_token_id(const void *a, const void *b)
{
    const am_auto_token *x = a, *y = b;
    return (x->id > y->id) - (x->id < y->id);
}

/* The special tokens of files up to version 7 that name none: Tekkenizer.DEPRECATED_SPECIAL_TOKENS of mistral-common.
 */
static am_status take_older_tekken_specials(am_auto *a)
{
    static const char *const tokens[] = {"<unk>",
                                         "<s>",
                                         "</s>",
                                         "[INST]",
                                         "[/INST]",
                                         "[AVAILABLE_TOOLS]",
                                         "[/AVAILABLE_TOOLS]",
                                         "[TOOL_RESULTS]",
                                         "[/TOOL_RESULTS]",
                                         "[TOOL_CALLS]",
                                         "[IMG]",
                                         "<pad>",
                                         "[IMG_BREAK]",
                                         "[IMG_END]",
                                         "[PREFIX]",
                                         "[MIDDLE]",
                                         "[SUFFIX]",
                                         "[SYSTEM_PROMPT]",
                                         "[/SYSTEM_PROMPT]",
                                         "[TOOL_CONTENT]"};
    for (size_t i = 0; i < sizeof tokens / sizeof *tokens; i++) {
        AM_TRY(am_auto_append(a, &a->file_tokens, (am_text){tokens[i], strlen(tokens[i])}));
        a->file_tokens.items[i].id = (int64_t)i;
    }
    return NULL;
}

/* Special tokens in the order of their ranks, then fillers up to `count`; they come before all others. */
static am_status read_tekken_specials(am_auto *a, am_json list, int64_t *count)
{
    int64_t rank = 0;
    am_json_kind kind = am_json_kind_of(list);
    if (kind == AM_JSON_MISSING || kind == AM_JSON_NULL) AM_TRY(take_older_tekken_specials(a));
    else if (kind != AM_JSON_ARRAY) return am_loader_expected(&a->loader, "special_tokens", "an array", list);
    for (am_json_iterator i = am_json_iterate(list); am_json_next(&i);) {
        am_json text = am_json_get(i.value, "token_str");
        if (am_json_kind_of(text) != AM_JSON_STRING)
            return am_loader_expected(&a->loader, "special_tokens", "token_str as a string", text);
        AM_TRY(am_auto_append(a, &a->file_tokens, am_text_of(text)));
        a->file_tokens.items[a->file_tokens.count - 1].id = am_json_int(am_json_get(i.value, "rank"), -1);
    }
    if (a->file_tokens.count)
        qsort(a->file_tokens.items, a->file_tokens.count, sizeof *a->file_tokens.items, by_token_id);
    for (size_t i = 0; i < a->file_tokens.count; i++, rank++)
        if (a->file_tokens.items[i].id != rank)
            return am_error(AM_INVALID_FILE, "%s: special_tokens: expected the rank %lld, found %lld", a->loader.name,
                            (long long)rank, (long long)a->file_tokens.items[i].id);
    if (*count < 0) *count = rank;
    if (*count > AM_VOCABULARY_ID_LIMIT)
        return am_error(AM_INVALID_FILE, "%s: config.default_num_special_tokens is %lld", a->loader.name,
                        (long long)*count);
    for (; rank < *count; rank++) {
        const char *name = am_arena_printf(a->loader.arena, "<SPECIAL_%lld>", (long long)rank);
        if (!name) return am_out_of_memory();
        AM_TRY(am_auto_append(a, &a->file_tokens, (am_text){name, strlen(name)}));
    }
    return NULL;
}

static am_status read_tekken(am_auto *a, am_json root)
{
    am_json config = am_json_get(root, "config"), vocab = am_json_get(root, "vocab");
    am_json pattern = am_json_get(config, "pattern"), size = am_json_get(config, "default_vocab_size");
    int64_t specials = am_json_int(am_json_get(config, "default_num_special_tokens"), -1);
    if (am_json_kind_of(pattern) != AM_JSON_STRING)
        return am_loader_expected(&a->loader, "config.pattern", "a string", pattern);
    if (am_json_kind_of(vocab) != AM_JSON_ARRAY) return am_loader_expected(&a->loader, "vocab", "an array", vocab);
    AM_TRY(read_tekken_specials(a, am_json_get(root, "special_tokens"), &specials));
    int64_t most = am_json_int(size, INT64_MAX / 2) - specials;
    AM_TRY(start_pieces(a, a->file_tokens.count + am_json_count(vocab)));
    for (size_t i = 0; i < a->file_tokens.count; i++) put_piece(a, a->file_tokens.items[i].token.content, 0);
    a->unranked_count = a->piece_count;
    for (am_json_iterator i = am_json_iterate(vocab); most-- > 0 && am_json_next(&i);) {
        am_json bytes = am_json_get(i.value, "token_bytes");
        am_text text = {0};
        if (am_json_kind_of(bytes) != AM_JSON_STRING)
            return am_loader_expected(&a->loader, "vocab", "token_bytes as a string", bytes);
        AM_TRY(byte_level_text(a, am_text_of(bytes), &text));
        put_piece(a, text, 0);
        a->pieces[a->piece_count - 1].id += specials - (int64_t)a->unranked_count;
    }
    build_from_ranks(a, am_text_of(pattern));
    return NULL;
}

static am_status open_tekken(am_auto *a, const char *path)
{
    am_json_document *document;
    AM_TRY(am_json_open(path, &document));
    am_status status = read_tekken(a, am_json_root(document));
    am_json_close(document);
    return status;
}

/* ---- choosing ---- */

static am_status open_spm(am_auto *a, const char *path)
{
    am_spm_file *file = am_arena_alloc(a->loader.arena, sizeof *file);
    if (!file) return am_out_of_memory();
    am_status status = am_spm_file_open(a->loader.arena, path, file);
    if (am_status_code(status) == AM_INVALID_FILE && looks_like_tiktoken(path)) {
        am_status_free(status);
        return open_tiktoken(a, path);
    }
    if (status) return status;
    a->spm = file;
    AM_TRY(take_added_pieces(a));
    return a->class->arrange ? a->class->arrange(a) : am_auto_arrange_plain(a);
}

am_status am_auto_open_pieces(am_auto *a)
{
    static const char *const anywhere[] = {"tekken.json", "tokenizer.model", "tiktoken.model"};
    const char *path = NULL;
    for (size_t i = 0; i <= sizeof anywhere / sizeof anywhere[0]; i++) {
        bool own = i == sizeof anywhere / sizeof anywhere[0];
        if (own && !a->class->model_file) break;
        const char *candidate = am_path_join(a->loader.arena, a->directory, own ? a->class->model_file : anywhere[i]);
        if (!candidate) return am_out_of_memory();
        if (!am_file_exists(candidate)) continue;
        path = a->loader.name = candidate;
        break;
    }
    if (!path) return NULL;
    if (strcmp(am_path_base(path), "tekken.json") == 0) return open_tekken(a, path);
    return strcmp(am_path_base(path), "tiktoken.model") == 0 ? open_tiktoken(a, path) : open_spm(a, path);
}

am_status am_auto_add_file_tokens(am_auto *a)
{
    am_tokenizer *t = a->tokenizer;
    am_added_token *tokens = am_arena_array(a->loader.arena, a->file_tokens.count + 1, sizeof *tokens);
    if (!tokens) return am_out_of_memory();
    for (size_t i = 0; i < a->file_tokens.count; i++)
        tokens[i] = (am_added_token){.content = a->file_tokens.items[i].token.content, .special = true};
    return am_added_tokens_add(&t->added, &t->arena, tokens, a->file_tokens.count, &t->model, t->normalizer);
}
