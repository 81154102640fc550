/* Classes around Unigram: T5, ALBERT, XLM-RoBERTa and others that sentencepiece trained. */
#include "text/tokenizer/auto.h"

#define UNDERLINE          "\xe2\x96\x81"
#define NORMALIZERS        "{\"type\":\"Sequence\",\"normalizers\":["
#define QUOTE_TICKS        "{\"type\":\"Replace\",\"pattern\":{\"String\":\"``\"},\"content\":\"\\\"\"}"
#define QUOTE_APOSTROPHES  "{\"type\":\"Replace\",\"pattern\":{\"String\":\"''\"},\"content\":\"\\\"\"}"
#define REPLACE_MANY(with) "{\"type\":\"Replace\",\"pattern\":{\"Regex\":\" {2,}\"},\"content\":\"" with "\"}"
#define SPACES_AND_NFC                                                                                                 \
    "{\"type\":\"Replace\",\"pattern\":{\"Regex\":\"\\\\s{2,}|[\\\\n\\\\r\\\\t]\"},\"content\":\" "                    \
    "\"},{\"type\":\"NFC\"},"                                                                                          \
    "{\"type\":\"Strip\",\"strip_left\":false,\"strip_right\":true}"

static am_status use_template(am_auto *a, const char *single, const char *pair)
{
    AM_TRY(am_auto_template(a, single, pair));
    return am_auto_use_post_processor(a);
}

/* Metaspace to cut and to decode; with `words` behind WhitespaceSplit. */
static void metaspace(am_auto *a, const char *scheme, bool words)
{
    if (words)
        am_buffer_append_string(&a->pre_tokenizer,
                                "{\"type\":\"Sequence\",\"pretokenizers\":[{\"type\":\"WhitespaceSplit\"},");
    am_auto_append_metaspace(&a->pre_tokenizer, scheme, true);
    if (words) am_buffer_append_string(&a->pre_tokenizer, "]}");
    am_auto_append_metaspace(&a->decoder, scheme, true);
}

static const char *scheme_of(const am_auto *a)
{
    return am_auto_bool(a, "add_prefix_space", true) ? "always" : "never";
}

static void charsmap_alone(am_auto *a)
{
    am_auto_append_charsmap(a, &a->normalizer);
}

static void add_lower(am_auto *a)
{
    if (am_auto_bool(a, "do_lower_case", false)) am_auto_append_item(&a->normalizer, "{\"type\":\"Lowercase\"}");
}

/* Index of the unknown token: the first piece of its text, with a score of 0 where `zero`. */
static void find_unk(am_auto *a, bool zero, int64_t first, int64_t fallback)
{
    int64_t index = am_auto_find_piece(a, am_auto_text(a, "unk_token"), zero, first);
    a->settings.unk_id = index >= 0 ? index : fallback;
}

/* ---- T5 and those like it ---- */

/* additional_special_tokens gets <extra_id_0> ... unless it has them. */
static am_status add_extra_ids(am_auto *a)
{
    int64_t wanted = am_json_int(am_json_get(a->config, "extra_ids"), 100), found = 0;
    for (size_t i = 0; i < a->additional.count; i++) {
        am_text token = a->additional.items[i].token.content;
        for (size_t k = 0; k + 10 <= token.length; k++)
            if (memcmp(token.bytes + k, "<extra_id_", 10) == 0) {
                found++;
                break;
            }
    }
    if (found > 0 && wanted > 0 && found != wanted)
        return am_error(AM_INVALID_FILE, "%s: extra_ids is %lld, but additional_special_tokens has %lld of them",
                        a->directory, (long long)wanted, (long long)found);
    if (wanted > 1 << 20) return am_error(AM_INVALID_FILE, "%s: extra_ids is %lld", a->directory, (long long)wanted);
    a->additional.set = true;
    for (int64_t i = 0; i < wanted && found == 0; i++) {
        const char *name = am_arena_printf(a->loader.arena, "<extra_id_%lld>", (long long)i);
        if (!name) return am_out_of_memory();
        AM_TRY(am_auto_append(a, &a->additional, (am_text){name, strlen(name)}));
    }
    return NULL;
}

static am_status build_t5(am_auto *a)
{
    a->settings.unk_id = 2;
    charsmap_alone(a);
    metaspace(a, "always", true);
    return add_extra_ids(a);
}

static am_status build_lasr(am_auto *a)
{
    AM_TRY(build_t5(a));
    a->settings.unk_id = 3;
    return NULL;
}

static am_status build_udop(am_auto *a)
{
    find_unk(a, false, 0, 2);
    metaspace(a, "always", true);
    return NULL;
}

/* "</s>" with the id of the end token, whatever that is called. */
static am_status finish_t5(am_auto *a)
{
    return use_template(a, "A =</s>@eos", "A =</s>@eos B =</s>@eos");
}

/* ---- ALBERT ---- */

static am_status build_albert(am_auto *a)
{
    a->settings.unk_id = 1;
    a->own_post_processor = true;
    am_buffer_append_string(&a->normalizer, NORMALIZERS QUOTE_TICKS "," QUOTE_APOSTROPHES);
    if (!am_auto_bool(a, "keep_accents", false))
        am_auto_append_item(&a->normalizer, "{\"type\":\"NFKD\"},{\"type\":\"StripAccents\"}");
    if (am_auto_bool(a, "do_lower_case", true)) am_auto_append_item(&a->normalizer, "{\"type\":\"Lowercase\"}");
    am_auto_append_charsmap(a, &a->normalizer);
    am_buffer_append_string(&a->normalizer, "]}");
    metaspace(a, scheme_of(a), true);
    return NULL;
}

static am_status finish_albert(am_auto *a)
{
    if (am_auto_file_has_post_processor(a) || a->update_post_processor) return NULL;
    return use_template(a, "=[CLS]@cls A =[SEP]@sep", "=[CLS]@cls A =[SEP]@sep B:1 =[SEP]@sep:1");
}

static am_status build_rembert(am_auto *a)
{
    a->settings.unk_id = 2;
    am_buffer_append_string(&a->normalizer, NORMALIZERS QUOTE_TICKS "," QUOTE_APOSTROPHES "," REPLACE_MANY(" "));
    if (!am_auto_bool(a, "keep_accents", true))
        am_auto_append_item(&a->normalizer, "{\"type\":\"NFKD\"},{\"type\":\"StripAccents\"}");
    add_lower(a);
    am_auto_append_charsmap(a, &a->normalizer);
    am_buffer_append_string(&a->normalizer, "]}");
    metaspace(a, scheme_of(a), false);
    return NULL;
}

static am_status finish_bert(am_auto *a)
{
    return use_template(a, "cls A sep", "cls A sep B:1 sep:1");
}

static am_status finish_rembert(am_auto *a)
{
    AM_TRY(finish_bert(a));
    AM_TRY(am_auto_post_init(a));
    if (!a->update_post_processor) return NULL;
    AM_TRY(am_auto_update_post_processor(a)); /* which drops the special tokens */
    return am_auto_use_post_processor(a);
}

/* ---- RoBERTa's relatives ---- */

static am_status build_xlm_roberta(am_auto *a)
{
    a->settings.unk_id = 3;
    charsmap_alone(a);
    metaspace(a, scheme_of(a), true);
    return NULL;
}

static am_status finish_xlm_roberta(am_auto *a)
{
    return use_template(a, "bos A eos", "bos A eos eos B eos");
}

static am_status build_camembert(am_auto *a)
{
    static const char *const unused[] = {"<s>NOTUSED", "</s>NOTUSED", "<unk>NOTUSED", NULL};
    find_unk(a, false, 0, 0);
    am_auto_make_token(a, "mask_token", true);
    charsmap_alone(a);
    metaspace(a, scheme_of(a), true);
    return a->additional.set ? NULL : am_auto_append_all(a, &a->additional, unused);
}

static am_status build_barthez(am_auto *a)
{
    a->settings.unk_id = 3;
    am_auto_make_token(a, "mask_token", true);
    am_buffer_append_string(&a->normalizer, NORMALIZERS SPACES_AND_NFC "]}");
    metaspace(a, scheme_of(a), false);
    return NULL;
}

static am_status build_layoutxlm(am_auto *a)
{
    a->settings.unk_id = 3;
    am_auto_make_token(a, "mask_token", true);
    am_buffer_append_string(
        &a->normalizer,
        NORMALIZERS "{\"type\":\"Strip\",\"strip_left\":false,\"strip_right\":true}," REPLACE_MANY(UNDERLINE) "]}");
    metaspace(a, scheme_of(a), false);
    return NULL;
}

static am_status finish_layoutxlm(am_auto *a)
{
    return use_template(a, "cls A sep", "cls A sep sep B sep");
}

static am_status build_xglm(am_auto *a)
{
    static const char *const madeup[] = {"<madeupword0>", "<madeupword1>", "<madeupword2>", "<madeupword3>",
                                         "<madeupword4>", "<madeupword5>", "<madeupword6>", NULL};
    a->settings.unk_id = 3;
    am_buffer_append_string(&a->normalizer, NORMALIZERS);
    am_auto_append_charsmap(a, &a->normalizer);
    am_auto_append_item(&a->normalizer, REPLACE_MANY(" ") "]}");
    metaspace(a, scheme_of(a), false);
    return am_auto_append_all(a, &a->additional, madeup);
}

static am_status finish_xglm(am_auto *a)
{
    return use_template(a, "eos A", "eos A eos eos B");
}

static am_status build_mluke(am_auto *a)
{
    static const char *const entities[] = {UNDERLINE "<ent>", UNDERLINE "<ent2>", "[UNK]", "[PAD]",
                                           "[MASK]",          "[MASK2]",          NULL};
    a->settings.unk_id = 0;
    am_auto_make_token(a, "mask_token", true);
    am_buffer_append_string(&a->normalizer, NORMALIZERS QUOTE_TICKS "," QUOTE_APOSTROPHES "]}");
    metaspace(a, "always", false);
    AM_TRY(am_auto_join_extra(a));
    return am_auto_append_all(a, &a->extra, entities);
}

static am_status finish_mluke(am_auto *a)
{
    AM_TRY(am_auto_post_init(a));
    return use_template(a, "cls A sep", "cls A sep sep B:1 sep:1");
}

/* ---- BigBird, DeBERTa, Pegasus, XLNet ---- */

static am_status build_big_bird(am_auto *a)
{
    static const char *const plain[] = {"bos_token", "eos_token", "unk_token", "pad_token", "cls_token", "sep_token"};
    for (size_t i = 0; i < sizeof plain / sizeof plain[0]; i++) am_auto_make_token(a, plain[i], false);
    am_auto_make_token(a, "mask_token", true);
    find_unk(a, true, 0, 100);
    am_buffer_append_string(
        &a->normalizer,
        NORMALIZERS "{\"type\":\"Strip\",\"strip_left\":false,\"strip_right\":false}," REPLACE_MANY(UNDERLINE) "]}");
    metaspace(a, scheme_of(a), false);
    return NULL;
}

static am_status build_deberta_v2(am_auto *a)
{
    const char *scheme = am_auto_bool(a, "add_prefix_space", true) ? "always" : "first";
    find_unk(a, true, 0, am_auto_unk_id(a, 1));
    am_buffer_append_string(&a->normalizer, NORMALIZERS);
    add_lower(a);
    am_auto_append_item(&a->normalizer, SPACES_AND_NFC "]}");
    am_buffer_append_string(&a->pre_tokenizer, "{\"type\":\"Sequence\",\"pretokenizers\":[");
    if (am_auto_bool(a, "split_by_punct", false))
        am_buffer_append_string(&a->pre_tokenizer, "{\"type\":\"Punctuation\",\"behavior\":\"Isolated\"},");
    am_auto_append_metaspace(&a->pre_tokenizer, scheme, true);
    am_buffer_append_string(&a->pre_tokenizer, "]}");
    am_auto_append_metaspace(&a->decoder, scheme, true);
    return NULL;
}

/* The mask of sentences, then <unk_2> ... up to `offset`; what was given is dropped. */
static am_status build_pegasus(am_auto *a)
{
    int64_t offset = am_json_int(am_json_get(a->config, "offset"), 103);
    bool has_mask = am_json_kind_of(am_json_get(a->config, "mask_token_sent")) != AM_JSON_NULL, given = false;
    am_text mask = am_auto_config_text(a, "mask_token_sent", "<mask_1>");
    find_unk(a, true, 1, -1);
    if ((a->has_file || a->pieces) && a->settings.unk_id < 0)
        return am_error(AM_INVALID_FILE, "%s: the vocabulary has no unknown token of score 0 behind its first token",
                        a->directory);
    if (offset > 1 << 20) return am_error(AM_INVALID_FILE, "%s: offset is %lld", a->directory, (long long)offset);
    am_buffer_append_string(&a->normalizer, NORMALIZERS);
    if (!am_auto_append_charsmap(a, &a->normalizer))
        am_buffer_append_string(&a->normalizer,
                                "{\"type\":\"Replace\",\"pattern\":{\"Regex\":\"\\\\n\"},\"content\":\" \"}");
    am_auto_append_item(&a->normalizer, REPLACE_MANY(" ") "]}");
    metaspace(a, "always", false);
    for (size_t i = 0; i < a->additional.count; i++) given |= am_text_equal(a->additional.items[i].token.content, mask);
    a->additional = (am_auto_list){.set = true};
    if (has_mask && !given) AM_TRY(am_auto_append(a, &a->additional, mask));
    for (int64_t i = 2; i < offset; i++) {
        const char *name = am_arena_printf(a->loader.arena, "<unk_%lld>", (long long)i);
        if (!name) return am_out_of_memory();
        AM_TRY(am_auto_append(a, &a->additional, (am_text){name, strlen(name)}));
    }
    return NULL;
}

static am_status finish_pegasus(am_auto *a)
{
    return use_template(a, "A eos", "A B eos");
}

static am_status build_xlnet(am_auto *a)
{
    static const char *const ends[] = {"<eop>", "<eod>", NULL};
    a->settings.unk_id = am_auto_unk_id(a, 0);
    am_buffer_append_string(&a->normalizer, NORMALIZERS QUOTE_TICKS "," QUOTE_APOSTROPHES
                                                                    ",{\"type\":\"NFKD\"},{\"type\":\"StripAccents\"}");
    add_lower(a);
    am_auto_append_charsmap(a, &a->normalizer);
    am_buffer_append_string(&a->normalizer, "]}");
    am_auto_make_token(a, "mask_token", true);
    metaspace(a, "always", true);
    return a->additional.set ? NULL : am_auto_append_all(a, &a->additional, ends);
}

static am_status finish_xlnet(am_auto *a)
{
    return use_template(a, "A sep cls:2", "A sep B:1 sep:1 cls:2");
}

/* ---- mBART: a language code stands before or after the text ---- */

static am_status build_mbart(am_auto *a)
{
    am_auto_list given = a->additional;
    a->settings.unk_id = 3;
    am_auto_make_token(a, "mask_token", true);
    metaspace(a, "always", true);
    a->additional = (am_auto_list){0};
    AM_TRY(am_auto_append_all(a, &a->additional, am_mbart_languages));
    for (size_t i = 0; i < given.count; i++)
        AM_TRY(am_auto_append_once(a, &a->additional, given.items[i].token.content));
    return NULL;
}

static am_status build_mbart50(am_auto *a)
{
    bool has_codes = false;
    for (size_t i = 0; am_mbart50_languages[i] && !has_codes; i++)
        has_codes =
            am_auto_find_piece(a, (am_text){am_mbart50_languages[i], strlen(am_mbart50_languages[i])}, false, 0) >= 0;
    if (a->has_file && !has_codes)
        return am_error(AM_UNSUPPORTED, "%s: a vocabulary of MBart50Tokenizer without language codes", a->directory);
    a->settings.unk_id = 3;
    am_auto_make_token(a, "mask_token", true);
    am_buffer_append_string(&a->normalizer, NORMALIZERS);
    am_auto_append_charsmap(a, &a->normalizer);
    am_auto_append_item(&a->normalizer, REPLACE_MANY(" ") "]}");
    metaspace(a, "always", false);
    return am_auto_append_all(a, &a->additional, am_mbart50_languages);
}

static am_text language_of(const am_auto *a)
{
    am_text language = am_auto_config_text(a, "src_lang", "en_XX");
    return am_tokenizer_token_to_id(a->tokenizer, language) >= 0 ? language : am_auto_text(a, "unk_token");
}

static am_status finish_mbart(am_auto *a)
{
    am_text after[2] = {am_auto_text(a, "eos_token"), language_of(a)};
    a->tokenizer->language_id = am_tokenizer_token_to_id(a->tokenizer, after[1]);
    AM_TRY(am_auto_template_of(a, NULL, 0, after, 2, 0));
    return am_auto_use_post_processor(a);
}

static am_status finish_mbart50(am_auto *a)
{
    am_text language = language_of(a), eos = am_auto_text(a, "eos_token");
    a->tokenizer->language_id = am_tokenizer_token_to_id(a->tokenizer, language);
    AM_TRY(am_auto_template_of(a, &language, 1, &eos, 1, 0));
    return am_auto_use_post_processor(a);
}

/* ---- the classes ---- */

#define ROBERTA_TOKENS                                                                                                 \
    "bos_token", "<s>", "eos_token", "</s>", "sep_token", "</s>", "cls_token", "<s>", "unk_token", "<unk>",            \
        "pad_token", "<pad>"

static const char *const roberta_tokens[] = {ROBERTA_TOKENS, "mask_token", "<mask>", NULL};
static const char *const mluke_tokens[] = {ROBERTA_TOKENS,
                                           "mask_token",
                                           "<mask>",
                                           "entity_1_token",
                                           UNDERLINE "<ent>",
                                           "entity_2_token",
                                           UNDERLINE "<ent2>",
                                           "entity_unk_token",
                                           "[UNK]",
                                           "entity_pad_token",
                                           "[PAD]",
                                           "entity_mask_token",
                                           "[MASK]",
                                           "entity_mask2_token",
                                           "[MASK2]",
                                           NULL};
static const char *const xglm_tokens[] = {ROBERTA_TOKENS, NULL};
static const char *const mbart50_tokens[] = {"eos_token",  "</s>",      "sep_token", "</s>",      "cls_token",
                                             "<s>",        "unk_token", "<unk>",     "pad_token", "<pad>",
                                             "mask_token", "<mask>",    NULL};
static const char *const t5_tokens[] = {"eos_token", "</s>", "unk_token", "<unk>", "pad_token", "<pad>", NULL};
static const char *const udop_tokens[] = {"eos_token", "</s>",      "sep_token", "</s>", "unk_token",
                                          "<unk>",     "pad_token", "<pad>",     NULL};
static const char *const pegasus_tokens[] = {"pad_token", "<pad>",      "eos_token", "</s>", "unk_token",
                                             "<unk>",     "mask_token", "<mask_2>",  NULL};
static const char *const albert_tokens[] = {"bos_token", "[CLS]",     "eos_token",  "[SEP]",     "unk_token",
                                            "<unk>",     "sep_token", "[SEP]",      "pad_token", "<pad>",
                                            "cls_token", "[CLS]",     "mask_token", "[MASK]",    NULL};
static const char *const deberta_tokens[] = {"bos_token", "[CLS]",     "eos_token",  "[SEP]",     "unk_token",
                                             "[UNK]",     "sep_token", "[SEP]",      "pad_token", "[PAD]",
                                             "cls_token", "[CLS]",     "mask_token", "[MASK]",    NULL};
static const char *const big_bird_tokens[] = {"unk_token",  "<unk>",     "bos_token", "<s>",       "eos_token",
                                              "</s>",       "pad_token", "<pad>",     "sep_token", "[SEP]",
                                              "mask_token", "[MASK]",    "cls_token", "[CLS]",     NULL};
static const char *const xlnet_tokens[] = {"bos_token", "<s>",       "eos_token",  "</s>",      "unk_token",
                                           "<unk>",     "sep_token", "<sep>",      "pad_token", "<pad>",
                                           "cls_token", "<cls>",     "mask_token", "<mask>",    NULL};

#define UNIGRAM(name_, tokens_, build_, finish_)                                                                       \
    .name = name_, .model = AM_MODEL_UNIGRAM, .defaults = tokens_, .build = build_, .finish = finish_

const am_auto_class am_unigram_classes[] = {
    {UNIGRAM("AlbertTokenizer", albert_tokens, build_albert, finish_albert), .model_file = "spiece.model"},
    {UNIGRAM("BarthezTokenizer", roberta_tokens, build_barthez, NULL), .model_file = "sentencepiece.bpe.model"},
    {UNIGRAM("BigBirdTokenizer", big_bird_tokens, build_big_bird, finish_bert), .model_file = "spiece.model"},
    {UNIGRAM("CamembertTokenizer", roberta_tokens, build_camembert, finish_xlm_roberta),
     .model_file = "sentencepiece.bpe.model", .arrange = am_auto_arrange_camembert},
    {UNIGRAM("DebertaV2Tokenizer", deberta_tokens, build_deberta_v2, finish_bert), .model_file = "spm.model",
     .has_type_ids = true},
    {UNIGRAM("FNetTokenizer", albert_tokens, build_albert, finish_albert), .model_file = "spiece.model",
     .has_type_ids = true, .keeps_file = true},
    {UNIGRAM("LasrTokenizer", t5_tokens, build_lasr, finish_t5), .model_file = "spiece.model",
     .decode_style = AM_DECODE_GROUPED},
    {UNIGRAM("LayoutXLMTokenizer", roberta_tokens, build_layoutxlm, finish_layoutxlm),
     .model_file = "sentencepiece.bpe.model", .arrange = am_auto_arrange_xlm_roberta, .takes_words = true,
     .layout = AM_LAYOUT_BY_OFFSET},
    {UNIGRAM("MBartTokenizer", roberta_tokens, build_mbart, finish_mbart), .model_file = "sentencepiece.bpe.model",
     .arrange = am_auto_arrange_mbart},
    {UNIGRAM("MBart50Tokenizer", mbart50_tokens, build_mbart50, finish_mbart50),
     .model_file = "sentencepiece.bpe.model", .arrange = am_auto_arrange_mbart50},
    {UNIGRAM("MLukeTokenizer", mluke_tokens, build_mluke, finish_mluke), .model_file = "sentencepiece.bpe.model",
     .cleans_bpe = true},
    {UNIGRAM("ParakeetTokenizer", NULL, NULL, NULL), .keeps_file = true, .decode_style = AM_DECODE_GROUPED},
    {UNIGRAM("PegasusTokenizer", pegasus_tokens, build_pegasus, finish_pegasus), .model_file = "spiece.model",
     .arrange = am_auto_arrange_pegasus},
    {UNIGRAM("RemBertTokenizer", albert_tokens, build_rembert, finish_rembert), .model_file = "sentencepiece.model"},
    {UNIGRAM("T5Tokenizer", t5_tokens, build_t5, finish_t5), .model_file = "spiece.model",
     .arrange = am_auto_arrange_t5},
    {UNIGRAM("UdopTokenizer", udop_tokens, build_udop, finish_t5), .model_file = "spiece.model", .takes_words = true,
     .layout = AM_LAYOUT_UDOP},
    {UNIGRAM("VideoPrismTokenizer", t5_tokens, build_t5, NULL), .model_file = "spiece.model",
     .arrange = am_auto_arrange_t5},
    {UNIGRAM("XGLMTokenizer", xglm_tokens, build_xglm, finish_xglm), .model_file = "sentencepiece.bpe.model"},
    {UNIGRAM("XLMRobertaTokenizer", roberta_tokens, build_xlm_roberta, finish_xlm_roberta),
     .model_file = "sentencepiece.bpe.model", .arrange = am_auto_arrange_xlm_roberta},
    {UNIGRAM("XLNetTokenizer", xlnet_tokens, build_xlnet, finish_xlnet), .model_file = "spiece.model",
     .pads_left = true},
    {0},
};
