/* Classes around BPE with "▁" for spaces: Llama, Gemma and others that sentencepiece trained. */
#include "text/tokenizer/auto.h"

#define UNDERLINE          "\xe2\x96\x81"
#define REPLACE_SPACES     "{\"type\":\"Replace\",\"pattern\":{\"String\":\" \"},\"content\":\"" UNDERLINE "\"}"
#define REPLACE_MANY(with) "{\"type\":\"Replace\",\"pattern\":{\"Regex\":\" {2,}\"},\"content\":\"" with "\"}"
#define DECODE_SPACES                                                                                                  \
    "{\"type\":\"Sequence\",\"decoders\":[{\"type\":\"Replace\",\"pattern\":{\"String\":\"" UNDERLINE                  \
    "\"},\"content\":\" \"},"                                                                                          \
    "{\"type\":\"ByteFallback\"},{\"type\":\"Fuse\"}"
#define STRIP_FIRST ",{\"type\":\"Strip\",\"content\":\" \",\"start\":1,\"stop\":0}"

static void set_unk(am_auto *a)
{
    a->settings.has_unk_token = true;
    a->settings.unk_token = am_auto_text(a, "unk_token");
}

static void metaspace(am_auto *a, const char *scheme, bool split)
{
    am_auto_append_metaspace(&a->pre_tokenizer, scheme, split);
    am_auto_append_metaspace(&a->decoder, scheme, split);
}

/* true, also where the field is null. */
static bool adds_prefix_space(const am_auto *a)
{
    return am_json_bool(am_json_get(a->config, "add_prefix_space"), true);
}

static void llama_parts(am_auto *a, const char *scheme, bool strip)
{
    a->settings.fuse_unk = a->settings.byte_fallback = true;
    am_auto_append_metaspace(&a->pre_tokenizer, scheme, false);
    am_buffer_append_string(&a->decoder, strip ? DECODE_SPACES STRIP_FIRST "]}" : DECODE_SPACES "]}");
}

static am_status build_llama(am_auto *a)
{
    bool prefix = adds_prefix_space(a);
    const char *scheme = am_auto_bool(a, "legacy", false) ? "always" : "first";
    llama_parts(a, prefix ? scheme : "never", prefix);
    return NULL;
}

static am_status build_code_llama(am_auto *a)
{
    static const char *const fill[] = {UNDERLINE "<PRE>", UNDERLINE "<MID>", UNDERLINE "<SUF>",
                                       UNDERLINE "<EOT>", "<FILL_ME>",       NULL};
    set_unk(a);
    llama_parts(a, adds_prefix_space(a) ? "first" : "never", true);
    a->add_bos = a->has_file || am_auto_bool(a, "add_bos_token", true);
    a->update_post_processor = true;
    return am_auto_append_all(a, &a->additional, fill);
}

static am_status build_gemma(am_auto *a)
{
    set_unk(a);
    a->settings.fuse_unk = a->settings.byte_fallback = true;
    am_buffer_append_string(&a->normalizer, REPLACE_SPACES);
    am_buffer_append_string(&a->pre_tokenizer, "{\"type\":\"Split\",\"pattern\":{\"String\":\" "
                                               "\"},\"behavior\":\"MergedWithPrevious\",\"invert\":false}");
    am_buffer_append_string(&a->decoder, DECODE_SPACES "]}");
    return NULL;
}

/* Lower case comes after the tokens were added, so that their normal forms are made again. */
static am_status finish_siglip2(am_auto *a)
{
    static const char lower[] = "{\"type\":\"Sequence\",\"normalizers\":[{\"type\":\"Lowercase\"}," REPLACE_SPACES "]}";
    am_json_document *document;
    am_tokenizer *t = a->tokenizer;
    AM_TRY(am_json_parse(lower, sizeof lower - 1, a->loader.name, &document));
    am_status status = am_normalizer_parse(&a->loader, am_json_root(document), &t->normalizer);
    am_json_close(document);
    return status ? status : am_added_tokens_renormalize(&t->added, &t->arena, t->normalizer);
}

static am_status build_tipsv2(am_auto *a)
{
    a->settings.fuse_unk = a->settings.byte_fallback = true;
    a->max_length = 64;
    am_buffer_append_string(&a->normalizer, "{\"type\":\"Sequence\",\"normalizers\":[");
    if (am_auto_bool(a, "do_lower_case", true)) am_auto_append_item(&a->normalizer, "{\"type\":\"Lowercase\"}");
    am_auto_append_charsmap(a, &a->normalizer);
    am_buffer_append_string(&a->normalizer, "]}");
    am_buffer_append_string(&a->pre_tokenizer,
                            "{\"type\":\"Sequence\",\"pretokenizers\":[{\"type\":\"WhitespaceSplit\"},");
    am_auto_append_metaspace(&a->pre_tokenizer, "always", true);
    am_buffer_append_string(&a->pre_tokenizer, "]}");
    am_buffer_append_string(&a->decoder, "{\"type\":\"Sequence\",\"decoders\":[");
    am_auto_append_metaspace(&a->decoder, "always", true);
    am_buffer_append_string(&a->decoder, ",{\"type\":\"ByteFallback\"},{\"type\":\"Fuse\"}]}");
    return NULL;
}

/* The character map and one space for many, where the file has a map. */
static void charsmap_and_spaces(am_auto *a)
{
    am_buffer_append_string(&a->normalizer, "{\"type\":\"Sequence\",\"normalizers\":[");
    if (!am_auto_append_charsmap(a, &a->normalizer)) {
        am_buffer_clear(&a->normalizer);
        return;
    }
    am_auto_append_item(&a->normalizer, REPLACE_MANY(" "));
    am_buffer_append_string(&a->normalizer, "]}");
}

static am_status build_reformer(am_auto *a)
{
    set_unk(a);
    a->settings.fuse_unk = true;
    charsmap_and_spaces(a);
    metaspace(a, "always", true);
    a->additional.set = true;
    return NULL;
}

static am_status build_nllb(am_auto *a)
{
    am_auto_token *mask = am_auto_named(a, "mask_token");
    set_unk(a);
    a->settings.fuse_unk = true;
    charsmap_and_spaces(a);
    metaspace(a, "always", true);
    if (mask->kind == AM_AUTO_STRING) {
        am_auto_make_token(a, "mask_token", true);
        mask->token.normalized = mask->normalized_set = true;
        mask->token.special = true;
    }
    return a->additional.set ? NULL : am_auto_append_all(a, &a->additional, am_nllb_languages);
}

/* A language code as the vocabulary has it: itself, or the unknown token. */
static am_text language_token(const am_auto *a, am_text language)
{
    return am_tokenizer_token_to_id(a->tokenizer, language) >= 0 ? language : am_auto_text(a, "unk_token");
}

static am_status finish_nllb(am_auto *a)
{
    am_text language = am_auto_config_text(a, "src_lang", "eng_Latn"),
            after[2] = {am_auto_text(a, "eos_token"), language};
    bool legacy = am_auto_bool(a, "legacy_behaviour", false);
    a->tokenizer->language_id = am_tokenizer_token_to_id(a->tokenizer, language_token(a, language));
    AM_TRY(am_auto_template_of(a, &language, legacy ? 0 : 1, after, legacy ? 2 : 1, 0));
    return am_auto_use_post_processor(a);
}

static am_status build_seamless(am_auto *a)
{
    set_unk(a);
    a->settings.fuse_unk = true;
    am_buffer_append_string(&a->normalizer, "{\"type\":\"Sequence\",\"normalizers\":["
                                            "{\"type\":\"Replace\",\"pattern\":{\"Regex\":\"[\\\\n\\\\r\\\\t]"
                                            "\"},\"content\":\" \"},{\"type\":\"NFKC\"},"
                                            "{\"type\":\"Strip\",\"strip_left\":false,\"strip_right\":true},"
                                            "{\"type\":\"Replace\",\"pattern\":{\"Regex\":\" +" UNDERLINE
                                            "\"},\"content\":\"" UNDERLINE "\"},"
                                            "{\"type\":\"Replace\",\"pattern\":{\"Regex\":\"^" UNDERLINE
                                            "+$\"},\"content\":\"\"}," REPLACE_MANY(UNDERLINE) "]}");
    metaspace(a, "first", true);
    return NULL;
}

/* __src_lang__ A eos */
static am_status finish_seamless(am_auto *a)
{
    am_text code = am_auto_config_text(a, "src_lang", "eng"), eos = am_auto_text(a, "eos_token");
    bool wrapped = false;
    for (size_t i = 0; i + 1 < code.length; i++) wrapped |= code.bytes[i] == '_' && code.bytes[i + 1] == '_';
    const char *name = am_arena_printf(a->loader.arena, wrapped ? "%.*s" : "__%.*s__", (int)code.length, code.bytes);
    if (!name) return am_out_of_memory();
    am_text before = language_token(a, (am_text){name, strlen(name)});
    AM_TRY(am_auto_template_of(a, &before, 1, &eos, 1, 0));
    return am_auto_use_post_processor(a);
}

static am_status build_herbert(am_auto *a)
{
    set_unk(a);
    a->settings.end_of_word_suffix = (am_text){"</w>", 4};
    am_buffer_append_string(&a->normalizer,
                            "{\"type\":\"BertNormalizer\",\"clean_text\":true,\"handle_chinese_chars\":true,"
                            "\"strip_accents\":false,\"lowercase\":false}");
    am_buffer_append_string(&a->pre_tokenizer, "{\"type\":\"BertPreTokenizer\"}");
    am_buffer_append_string(&a->decoder, "{\"type\":\"BPEDecoder\",\"suffix\":\"</w>\"}");
    return NULL;
}

/* The ids are these whatever the vocabulary says. */
static am_status finish_herbert(am_auto *a)
{
    am_text sep = am_auto_text(a, "sep_token"), cls = am_auto_text(a, "cls_token");
    am_buffer_clear(&a->post_processor);
    am_buffer_append_string(&a->post_processor, "{\"type\":\"BertProcessing\",\"sep\":[");
    am_buffer_append_json_string(&a->post_processor, sep.bytes, sep.length);
    am_buffer_append_string(&a->post_processor, ",2],\"cls\":[");
    am_buffer_append_json_string(&a->post_processor, cls.bytes, cls.length);
    am_buffer_append_string(&a->post_processor, ",0]}");
    AM_TRY(am_buffer_status(&a->post_processor));
    return am_auto_use_post_processor(a);
}

static am_status build_openai_gpt(am_auto *a)
{
    AM_TRY(build_herbert(a));
    am_buffer_clear(&a->normalizer);
    am_buffer_append_string(&a->normalizer,
                            "{\"type\":\"BertNormalizer\",\"clean_text\":true,\"handle_chinese_chars\":true,"
                            "\"strip_accents\":null,\"lowercase\":true}");
    return NULL;
}

static am_status build_esmc(am_auto *a)
{
    return am_error(AM_UNSUPPORTED, "%s: tokenizer class %s", a->directory, a->class->name);
}

static const char *const llama_tokens[] = {"unk_token", "<unk>", "bos_token", "<s>", "eos_token", "</s>", NULL};
static const char *const code_llama_tokens[] = {"unk_token",
                                                "<unk>",
                                                "bos_token",
                                                "<s>",
                                                "eos_token",
                                                "</s>",
                                                "prefix_token",
                                                UNDERLINE "<PRE>",
                                                "middle_token",
                                                UNDERLINE "<MID>",
                                                "suffix_token",
                                                UNDERLINE "<SUF>",
                                                "eot_token",
                                                UNDERLINE "<EOT>",
                                                "fill_token",
                                                "<FILL_ME>",
                                                NULL};
static const char *const gemma_tokens[] = {"unk_token", "<unk>", "bos_token",  "<bos>",  "eos_token", "<eos>",
                                           "pad_token", "<pad>", "mask_token", "<mask>", NULL};
static const char *const tipsv2_tokens[] = {"unk_token", "<unk>", "pad_token", "<pad>", NULL};
static const char *const reformer_tokens[] = {"eos_token", "</s>", "unk_token", "<unk>", NULL};
static const char *const nllb_tokens[] = {"bos_token", "<s>",       "eos_token",  "</s>",      "sep_token",
                                          "</s>",      "cls_token", "<s>",        "unk_token", "<unk>",
                                          "pad_token", "<pad>",     "mask_token", "<mask>",    NULL};
static const char *const seamless_tokens[] = {"bos_token", "<s>",       "eos_token", "</s>",      "sep_token",
                                              "</s>",      "cls_token", "<s>",       "unk_token", "<unk>",
                                              "pad_token", "<pad>",     NULL};
static const char *const herbert_tokens[] = {"cls_token",  "<s>",    "unk_token", "<unk>", "pad_token", "<pad>",
                                             "mask_token", "<mask>", "sep_token", "</s>",  NULL};
static const char *const openai_tokens[] = {"unk_token", "<unk>", NULL};

#define SPM(name_, tokens_, build_, finish_)                                                                           \
    .name = name_, .model = AM_MODEL_BPE, .defaults = tokens_, .build = build_, .finish = finish_
#define VOCAB_AND_MERGES .vocab_file = "vocab.json", .merges_file = "merges.txt"

const am_auto_class am_spm_bpe_classes[] = {
    {SPM("LlamaTokenizer", llama_tokens, build_llama, NULL), .model_file = "tokenizer.model", .pads_left = true},
    {SPM("CodeLlamaTokenizer", code_llama_tokens, build_code_llama, NULL), .model_file = "tokenizer.model",
     .pads_left = true},
    {SPM("GemmaTokenizer", gemma_tokens, build_gemma, NULL), .model_file = "tokenizer.model", .pads_left = true},
    {SPM("Siglip2Tokenizer", gemma_tokens, build_gemma, finish_siglip2), .model_file = "tokenizer.model",
     .pads_left = true},
    {SPM("Tipsv2Tokenizer", tipsv2_tokens, build_tipsv2, NULL), .model_file = "tokenizer.model"},
    {SPM("ReformerTokenizer", reformer_tokens, build_reformer, am_auto_post_init), .model_file = "spiece.model"},
    {SPM("NllbTokenizer", nllb_tokens, build_nllb, finish_nllb), .model_file = "sentencepiece.bpe.model",
     .arrange = am_auto_arrange_nllb},
    {SPM("SeamlessM4TTokenizer", seamless_tokens, build_seamless, finish_seamless),
     .model_file = "sentencepiece.bpe.model", .arrange = am_auto_arrange_seamless},
    {SPM("HerbertTokenizer", herbert_tokens, build_herbert, finish_herbert), VOCAB_AND_MERGES},
    {SPM("OpenAIGPTTokenizer", openai_tokens, build_openai_gpt, NULL), VOCAB_AND_MERGES},
    {SPM("EsmcTokenizer", NULL, build_esmc, NULL)},
    {0},
};
