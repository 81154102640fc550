/* Classes around BPE over bytes: GPT-2 and its relatives. */
#include "text/tokenizer/auto.h"

static const char byte_level_decoder[] =
    "{\"type\":\"ByteLevel\",\"add_prefix_space\":true,\"trim_offsets\":true,\"use_regex\":true}";

static void byte_level(am_auto *a, bool add_prefix_space)
{
    am_buffer_printf(&a->pre_tokenizer,
                     "{\"type\":\"ByteLevel\",\"add_prefix_space\":%s,\"trim_offsets\":true,\"use_regex\":true}",
                     add_prefix_space ? "true" : "false");
    am_buffer_append_string(&a->decoder, byte_level_decoder);
}

static am_status build_gpt2(am_auto *a)
{
    byte_level(a, am_auto_bool(a, "add_prefix_space", false));
    return NULL;
}

static am_status build_prefixed(am_auto *a)
{
    byte_level(a, am_auto_bool(a, "add_prefix_space", true));
    return NULL;
}

static am_status build_blenderbot(am_auto *a)
{
    am_auto_make_token(a, "mask_token", true);
    return build_prefixed(a);
}

static am_status finish_roberta(am_auto *a)
{
    AM_TRY(am_auto_roberta(a, "sep_token", "cls_token", am_auto_bool(a, "trim_offsets", true),
                           am_auto_bool(a, "add_prefix_space", false)));
    return am_auto_use_post_processor(a);
}

static am_status finish_layoutlmv3(am_auto *a)
{
    AM_TRY(am_auto_roberta(a, "sep_token", "cls_token", true, am_auto_bool(a, "add_prefix_space", true)));
    return am_auto_use_post_processor(a);
}

static am_status build_codegen(am_auto *a)
{
    a->has_type_ids = am_auto_bool(a, "return_token_type_ids", false);
    am_buffer_append_string(
        &a->post_processor,
        "{\"type\":\"ByteLevel\",\"add_prefix_space\":true,\"trim_offsets\":false,\"use_regex\":true}");
    return build_gpt2(a);
}

static am_status finish_deberta(am_auto *a)
{
    AM_TRY(am_auto_template(a, "cls A sep", "cls A sep sep B sep"));
    return am_auto_use_post_processor(a);
}

static am_status build_markuplm(am_auto *a)
{
    static const char *const plain[] = {"bos_token", "eos_token", "sep_token", "cls_token", "unk_token", "pad_token"};
    for (size_t i = 0; i < sizeof plain / sizeof plain[0]; i++) am_auto_make_token(a, plain[i], false);
    am_auto_make_token(a, "mask_token", true);
    return build_gpt2(a);
}

static am_status finish_markuplm(am_auto *a)
{
    AM_TRY(am_auto_template(a, "cls A sep", "cls A sep B sep"));
    return am_auto_use_post_processor(a);
}

static am_status build_luke(am_auto *a)
{
    static const char *const entities[] = {"<ent>", "<ent2>", NULL};
    AM_TRY(am_auto_join_extra(a));
    AM_TRY(am_auto_append_all(a, &a->extra, entities));
    return build_gpt2(a);
}

static am_status finish_luke(am_auto *a)
{
    AM_TRY(am_auto_roberta(a, "sep_token", "cls_token", true, true));
    return am_auto_use_post_processor(a);
}

static am_status build_gpt_neox(am_auto *a)
{
    am_buffer_append_string(&a->normalizer, "{\"type\":\"NFC\"}");
    return build_gpt2(a);
}

static am_status finish_gpt_neox(am_auto *a)
{
    AM_TRY(am_auto_update_post_processor(a));
    return am_auto_use_post_processor(a);
}

static am_status build_nougat(am_auto *a)
{
    am_buffer_append_string(&a->normalizer, "{\"type\":\"NFKC\"}");
    am_buffer_append_string(&a->decoder, byte_level_decoder);
    am_buffer_append_string(
        &a->pre_tokenizer,
        "{\"type\":\"Sequence\",\"pretokenizers\":["
        "{\"type\":\"Split\",\"pattern\":{\"String\":\"SPL1T-TH1S-Pl3A5E\"},\"behavior\":\"Removed\","
        "\"invert\":false},"
        "{\"type\":\"Digits\",\"individual_digits\":true},"
        "{\"type\":\"Split\",\"pattern\":{\"String\":"
        "\"[\\\\(\\\\)\\\\[\\\\]\\\\{\\\\}]|([!\\\\\\\"#\\\\$%\\\\&'\\\\*\\\\+,\\\\-\\\\./"
        ":;<=>\\\\?\\\\\\\\\\\\^_`\\\\|\\\\~])\\\\1*\"},"
        "\"behavior\":\"Isolated\",\"invert\":false},"
        "{\"type\":\"Split\",\"pattern\":{\"String\":\"\\n\"},\"behavior\":\"Isolated\",\"invert\":false},"
        "{\"type\":\"ByteLevel\",\"add_prefix_space\":false,\"trim_offsets\":true,\"use_regex\":true}]}");
    return NULL;
}

static am_status finish_nougat(am_auto *a)
{
    AM_TRY(am_auto_template(a, "bos A eos", "A B:1"));
    return am_auto_use_post_processor(a);
}

/* Split by a pattern, then bytes without one. */
static am_status build_split(am_auto *a, const char *pattern)
{
    am_buffer_append_string(&a->normalizer, "{\"type\":\"NFC\"}");
    am_buffer_append_string(&a->decoder, byte_level_decoder);
    am_buffer_append_string(&a->pre_tokenizer,
                            "{\"type\":\"Sequence\",\"pretokenizers\":[{\"type\":\"Split\",\"pattern\":{\"Regex\":");
    am_buffer_append_json_string(&a->pre_tokenizer, pattern, strlen(pattern));
    am_buffer_printf(&a->pre_tokenizer,
                     "},\"behavior\":\"Isolated\",\"invert\":false},"
                     "{\"type\":\"ByteLevel\",\"add_prefix_space\":%s,\"trim_offsets\":true,\"use_regex\":false}]}",
                     am_auto_json_bool(a, "add_prefix_space", false));
    return NULL;
}

static am_status build_qwen2(am_auto *a)
{
    return build_split(a, "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| "
                          "?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+");
}

static am_status build_qwen3_5(am_auto *a)
{
    return build_split(a, "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?[\\p{L}\\p{M}]+|\\p{N}| "
                          "?[^\\s\\p{L}\\p{M}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+"
                          "|\\s+(?!\\S)|\\s+");
}

static am_status build_cohere(am_auto *a)
{
    am_buffer_append_string(&a->normalizer, "{\"type\":\"NFC\"}");
    am_buffer_append_string(&a->decoder, byte_level_decoder);
    am_buffer_printf(&a->pre_tokenizer,
                     "{\"type\":\"Sequence\",\"pretokenizers\":[{\"type\":\"Digits\",\"individual_digits\":true},"
                     "{\"type\":\"ByteLevel\",\"add_prefix_space\":%s,\"trim_offsets\":true,\"use_regex\":true}]}",
                     am_auto_json_bool(a, "add_prefix_space", false));
    return NULL;
}

static am_status build_clip(am_auto *a)
{
    a->settings.has_unk_token = true;
    a->settings.unk_token = am_auto_text(a, "unk_token");
    a->settings.end_of_word_suffix = (am_text){"</w>", 4};
    am_buffer_append_string(&a->decoder, byte_level_decoder);
    am_buffer_append_string(&a->normalizer, "{\"type\":\"Sequence\",\"normalizers\":[{\"type\":\"NFC\"},"
                                            "{\"type\":\"Replace\",\"pattern\":{\"Regex\":\"\\\\s+\"},"
                                            "\"content\":\" \"},{\"type\":\"Lowercase\"}]}");
    am_buffer_append_string(
        &a->pre_tokenizer,
        "{\"type\":\"Sequence\",\"pretokenizers\":[{\"type\":\"Split\",\"pattern\":{\"Regex\":\"<\\\\|"
        "startoftext\\\\|>|<\\\\|endoftext"
        "\\\\|>|'s|'t|'re|'ve|'m|'ll|'d|[\\\\p{L}]+|[\\\\p{N}]|[^\\\\s\\\\p{L}\\\\p{N}]+\"},\"behavior\":"
        "\"Removed\",\"invert\":true},"
        "{\"type\":\"ByteLevel\",\"add_prefix_space\":false,\"trim_offsets\":true,\"use_regex\":true}]}");
    return NULL;
}

static am_status finish_clip(am_auto *a)
{
    AM_TRY(am_auto_roberta(a, "eos_token", "bos_token", false, false));
    return am_auto_use_post_processor(a);
}

/* ---- Whisper: the task and the language stand before the text ---- */

/* Place in am_whisper_languages of a language given by its code or a name; -1: there is none. */
static int language_index(const char *language)
{
    for (size_t i = 0; am_whisper_language_names[i][0]; i++)
        if (strcmp(am_whisper_language_names[i][0], language) == 0) language = am_whisper_language_names[i][1];
    for (int i = 0; am_whisper_languages[i][0]; i++)
        if (strcmp(am_whisper_languages[i][0], language) == 0 || strcmp(am_whisper_languages[i][1], language) == 0)
            return i;
    return -1;
}

/* The configured language, in any case; -1: none is set. */
static am_status find_language(const am_auto *a, int *out)
{
    am_text language = am_auto_config_text(a, "language", "");
    char lower[40];
    size_t i;
    *out = -1;
    if (am_json_kind_of(am_json_get(a->config, "language")) != AM_JSON_STRING) return NULL;
    for (i = 0; i < language.length && i + 1 < sizeof lower; i++)
        lower[i] =
            language.bytes[i] >= 'A' && language.bytes[i] <= 'Z' ? (char)(language.bytes[i] + 32) : language.bytes[i];
    lower[i] = 0;
    *out = language_index(lower);
    if (*out < 0)
        return am_error(AM_INVALID_FILE, "%s: tokenizer_config.json: language \"%s\" is none of Whisper's",
                        a->directory, lower);
    return NULL;
}

static am_status append_prefix(const am_auto *a, am_text *prefix, size_t *count, int32_t id)
{
    am_text token = am_tokenizer_id_to_token(a->tokenizer, id);
    if (!token.bytes)
        return am_error(AM_INVALID_FILE, "%s: no token has the id %d that the prompt of Whisper needs", a->directory,
                        (int)id);
    prefix[(*count)++] = token;
    return NULL;
}

static am_status finish_whisper(am_auto *a)
{
    am_text prefix[4], task = am_auto_config_text(a, "task", ""), eos = am_auto_text(a, "eos_token");
    size_t count = 0;
    int language;
    int32_t start, id;
    AM_TRY(find_language(a, &language));
    AM_TRY(am_auto_token_id(a, (am_text){"<|startoftranscript|>", 21}, &start));
    AM_TRY(append_prefix(a, prefix, &count, start));
    if (language >= 0) AM_TRY(append_prefix(a, prefix, &count, start + 1 + language));
    if (am_json_kind_of(am_json_get(a->config, "task")) == AM_JSON_STRING) {
        bool translate = am_text_is(task, "translate");
        if (!translate && !am_text_is(task, "transcribe"))
            return am_error(AM_INVALID_FILE,
                            "%s: tokenizer_config.json: task \"%.*s\" is neither \"transcribe\" nor \"translate\"",
                            a->directory, (int)(task.length < 40 ? task.length : 40), task.bytes);
        AM_TRY(am_auto_token_id(a, translate ? (am_text){"<|translate|>", 13} : (am_text){"<|transcribe|>", 14}, &id));
        AM_TRY(append_prefix(a, prefix, &count, id));
    }
    if (!am_auto_bool(a, "predict_timestamps", false)) {
        AM_TRY(am_auto_token_id(a, (am_text){"<|notimestamps|>", 16}, &id));
        AM_TRY(append_prefix(a, prefix, &count, id));
    }
    AM_TRY(am_auto_template_of(a, prefix, count, &eos, 1, 1));
    return am_auto_use_post_processor(a);
}

static am_status build_whisper(am_auto *a)
{
    static const char *const plain[] = {"bos_token", "eos_token", "unk_token"};
    for (size_t i = 0; i < sizeof plain / sizeof plain[0]; i++) am_auto_make_token(a, plain[i], false);
    return build_gpt2(a);
}

/* ---- the classes ---- */

#define END_OF_TEXT "<|endoftext|>"
#define ROBERTA_TOKENS                                                                                                 \
    "bos_token", "<s>", "eos_token", "</s>", "sep_token", "</s>", "cls_token", "<s>", "unk_token", "<unk>",            \
        "pad_token", "<pad>", "mask_token", "<mask>"

static const char *const roberta_tokens[] = {ROBERTA_TOKENS, NULL};
static const char *const luke_tokens[] = {ROBERTA_TOKENS, "entity_1_token",
                                          "<ent>",        "entity_2_token",
                                          "<ent2>",       "entity_unk_token",
                                          "[UNK]",        "entity_pad_token",
                                          "[PAD]",        "entity_mask_token",
                                          "[MASK]",       "entity_mask2_token",
                                          "[MASK2]",      NULL};
static const char *const gpt2_tokens[] = {"unk_token", END_OF_TEXT, "bos_token", END_OF_TEXT,
                                          "eos_token", END_OF_TEXT, NULL};
static const char *const gpt_neox_tokens[] = {"unk_token", END_OF_TEXT, "bos_token",   END_OF_TEXT, "eos_token",
                                              END_OF_TEXT, "pad_token", "<|padding|>", NULL};
static const char *const qwen_tokens[] = {"unk_token", END_OF_TEXT, "eos_token", END_OF_TEXT,
                                          "pad_token", END_OF_TEXT, NULL};
static const char *const clip_tokens[] = {
    "unk_token", END_OF_TEXT, "bos_token", "<|startoftext|>", "eos_token", END_OF_TEXT, "pad_token", END_OF_TEXT, NULL};
static const char *const nougat_tokens[] = {"unk_token", "<unk>",     "bos_token", "<s>", "eos_token",
                                            "</s>",      "pad_token", "<pad>",     NULL};
static const char *const deberta_tokens[] = {"bos_token", "[CLS]",     "eos_token",  "[SEP]",     "sep_token",
                                             "[SEP]",     "cls_token", "[CLS]",      "unk_token", "[UNK]",
                                             "pad_token", "[PAD]",     "mask_token", "[MASK]",    NULL};
static const char *const cohere_tokens[] = {
    "unk_token", "<UNK>", "bos_token", "<BOS_TOKEN>", "eos_token",  "<|END_OF_TURN_TOKEN|>", "pad_token", "<PAD>",
    "cls_token", "<CLS>", "sep_token", "<SEP>",       "mask_token", "<MASK_TOKEN>",          NULL};

#define BYTE_LEVEL(name_, tokens_, build_, finish_)                                                                    \
    .name = name_, .model = AM_MODEL_BPE, .defaults = tokens_, .vocab_file = "vocab.json",                             \
    .merges_file = "merges.txt", .build = build_, .finish = finish_

const am_auto_class am_byte_level_classes[] = {
    {BYTE_LEVEL("GPT2Tokenizer", gpt2_tokens, build_gpt2, NULL)},
    {BYTE_LEVEL("RobertaTokenizer", roberta_tokens, build_gpt2, finish_roberta)},
    {BYTE_LEVEL("BlenderbotTokenizer", roberta_tokens, build_blenderbot, NULL)},
    {BYTE_LEVEL("CodeGenTokenizer", gpt2_tokens, build_codegen, NULL)},
    {BYTE_LEVEL("CohereTokenizer", cohere_tokens, build_cohere, am_auto_post_init), .pads_left = true},
    {BYTE_LEVEL("DebertaTokenizer", deberta_tokens, build_gpt2, finish_deberta), .has_type_ids = true},
    {BYTE_LEVEL("GPTNeoXTokenizer", gpt_neox_tokens, build_gpt_neox, finish_gpt_neox)},
    {BYTE_LEVEL("LayoutLMv3Tokenizer", roberta_tokens, build_prefixed, finish_layoutlmv3), .takes_words = true,
     .layout = AM_LAYOUT_BY_WORD},
    {BYTE_LEVEL("LukeTokenizer", luke_tokens, build_luke, finish_luke), .cleans_bpe = true},
    {BYTE_LEVEL("MarkupLMTokenizer", roberta_tokens, build_markuplm, finish_markuplm), .has_type_ids = true,
     .takes_words = true, .layout = AM_LAYOUT_MARKUP},
    {BYTE_LEVEL("NougatTokenizer", nougat_tokens, build_nougat, finish_nougat)},
    {BYTE_LEVEL("Qwen2Tokenizer", qwen_tokens, build_qwen2, am_auto_add_all_special)},
    {BYTE_LEVEL("Qwen3_5Tokenizer", qwen_tokens, build_qwen3_5, NULL)},
    {BYTE_LEVEL("WhisperTokenizer", gpt2_tokens, build_whisper, finish_whisper), .decode_style = AM_DECODE_WHISPER},
    {BYTE_LEVEL("CLIPTokenizer", clip_tokens, build_clip, finish_clip), .decode_style = AM_DECODE_CLIP},
    {0},
};
