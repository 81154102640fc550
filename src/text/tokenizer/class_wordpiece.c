/* Classes around WordPiece: BERT and its relatives. */
#include "text/tokenizer/auto.h"
#include "text/tokenizer/jieba.h"

static const char wordpiece_decoder[] = "{\"type\":\"WordPiece\",\"prefix\":\"##\",\"cleanup\":true}";

/* BertNormalizer; `lower` is what do_lower_case says. */
static void bert_normalizer(am_auto *a, const char *clean_text, const char *spaces_chinese, bool lower)
{
    am_json accents = am_json_get(a->config, "strip_accents");
    const char *strip =
        am_json_kind_of(accents) == AM_JSON_BOOL ? am_json_bool(accents, false) ? "true" : "false" : "null";
    am_buffer_printf(&a->normalizer,
                     "{\"type\":\"BertNormalizer\",\"clean_text\":%s,\"handle_chinese_chars\":%s,\"strip_"
                     "accents\":%s,\"lowercase\":%s}",
                     clean_text, spaces_chinese, strip, lower ? "true" : "false");
}

static void bert_rest(am_auto *a)
{
    a->settings.has_unk_token = true;
    a->settings.unk_token = am_auto_text(a, "unk_token");
    a->settings.continuing_subword_prefix = (am_text){"##", 2};
    a->settings.max_input_chars_per_word = 100;
    am_buffer_append_string(&a->pre_tokenizer, "{\"type\":\"BertPreTokenizer\"}");
    am_buffer_append_string(&a->decoder, wordpiece_decoder);
}

static am_status build_bert(am_auto *a)
{
    bert_normalizer(a, "true", am_auto_json_bool(a, "tokenize_chinese_chars", true),
                    am_auto_bool(a, "do_lower_case", true));
    bert_rest(a);
    return NULL;
}

/* Their do_lower_case is not handed on. */
static am_status build_dpr(am_auto *a)
{
    bert_normalizer(a, "true", am_auto_json_bool(a, "tokenize_chinese_chars", true), true);
    bert_rest(a);
    return NULL;
}

static am_status build_layoutlmv2(am_auto *a)
{
    a->max_length = 512;
    return build_bert(a);
}

static am_status finish_bert(am_auto *a)
{
    AM_TRY(am_auto_template(a, "cls A sep", "cls A sep B:1 sep:1"));
    return am_auto_use_post_processor(a);
}

static am_status build_funnel(am_auto *a)
{
    am_text prefix = am_auto_config_text(a, "wordpieces_prefix", "##");
    bert_normalizer(a, am_auto_json_bool(a, "clean_text", true), am_auto_json_bool(a, "tokenize_chinese_chars", true),
                    am_auto_bool(a, "do_lower_case", true));
    bert_rest(a);
    am_buffer_clear(&a->decoder);
    am_buffer_append_string(&a->decoder, "{\"type\":\"WordPiece\",\"cleanup\":true,\"prefix\":");
    am_buffer_append_json_string(&a->decoder, prefix.bytes, prefix.length);
    am_buffer_append_char(&a->decoder, '}');
    return NULL;
}

static am_status finish_funnel(am_auto *a)
{
    AM_TRY(am_auto_template(a, "cls:2 A sep", "cls:2 A sep B:1 sep:1"));
    return am_auto_use_post_processor(a);
}

static am_status build_mpnet(am_auto *a)
{
    static const char *const plain[] = {"bos_token", "eos_token", "sep_token", "cls_token", "unk_token", "pad_token"};
    for (size_t i = 0; i < sizeof plain / sizeof plain[0]; i++) am_auto_make_token(a, plain[i], false);
    am_auto_make_token(a, "mask_token", true);
    return build_bert(a);
}

static am_status finish_mpnet(am_auto *a)
{
    AM_TRY(am_auto_roberta(a, "sep_token", "cls_token", true, false));
    return am_auto_use_post_processor(a);
}

/* The question token is always this one, whatever the configuration says. */
static am_status finish_splinter(am_auto *a)
{
    bool right = a->tokenizer->padding_side == AM_SIDE_RIGHT;
    AM_TRY(am_auto_set_named(a, "question_token", "[QUESTION]"));
    AM_TRY(am_auto_template(a, "cls A sep",
                            right ? "cls A question =. sep B:1 sep:1" : "cls A sep B:1 question =. sep:1"));
    return am_auto_use_post_processor(a);
}

/* Chinese is left to jieba, whatever tokenize_chinese_chars says. */
static am_status build_roformer(am_auto *a)
{
    bert_normalizer(a, "true", "false", am_auto_bool(a, "do_lower_case", true));
    bert_rest(a);
    return NULL;
}

/* Without tokenizer.json transformers looks words up in the path of vocab.txt, not in the vocabulary: none is there. */
static am_status finish_roformer(am_auto *a)
{
    am_tokenizer *t = a->tokenizer;
    const am_vocabulary *whole = a->has_file ? &t->model.vocabulary : NULL;
    AM_TRY(am_jieba_open(a->directory, &t->jieba));
    AM_TRY(am_pre_tokenizer_jieba(&t->arena, t->jieba, whole, &t->pre_tokenizer));
    return finish_bert(a);
}

static const char *const bert_tokens[] = {"unk_token", "[UNK]", "sep_token",  "[SEP]",  "pad_token", "[PAD]",
                                          "cls_token", "[CLS]", "mask_token", "[MASK]", NULL};
static const char *const tapas_tokens[] = {"unk_token",   "[UNK]",     "sep_token", "[SEP]",      "pad_token",
                                           "[PAD]",       "cls_token", "[CLS]",     "mask_token", "[MASK]",
                                           "empty_token", "[EMPTY]",   NULL};
static const char *const splinter_tokens[] = {"unk_token",      "[UNK]",      "sep_token", "[SEP]",      "pad_token",
                                              "[PAD]",          "cls_token",  "[CLS]",     "mask_token", "[MASK]",
                                              "question_token", "[QUESTION]", NULL};
static const char *const funnel_tokens[] = {"unk_token", "<unk>",     "sep_token", "<sep>",      "pad_token",
                                            "<pad>",     "cls_token", "<cls>",     "mask_token", "<mask>",
                                            "bos_token", "<s>",       "eos_token", "</s>",       NULL};
static const char *const mpnet_tokens[] = {"bos_token", "<s>",       "eos_token",  "</s>",      "sep_token",
                                           "</s>",      "cls_token", "<s>",        "unk_token", "[UNK]",
                                           "pad_token", "<pad>",     "mask_token", "<mask>",    NULL};

#define WORDPIECE(name_, tokens_, build_, finish_)                                                                     \
    .name = name_, .model = AM_MODEL_WORDPIECE, .defaults = tokens_, .vocab_file = "vocab.txt", .build = build_,       \
    .finish = finish_

const am_auto_class am_wordpiece_classes[] = {
    {WORDPIECE("BertTokenizer", bert_tokens, build_bert, finish_bert), .has_type_ids = true},
    {WORDPIECE("DistilBertTokenizer", bert_tokens, build_bert, finish_bert)},
    {WORDPIECE("ConvBertTokenizer", bert_tokens, build_bert, finish_bert), .has_type_ids = true, .keeps_file = true},
    {WORDPIECE("DPRContextEncoderTokenizer", bert_tokens, build_dpr, finish_bert), .has_type_ids = true},
    {WORDPIECE("DPRQuestionEncoderTokenizer", bert_tokens, build_dpr, finish_bert), .has_type_ids = true},
    {WORDPIECE("DPRReaderTokenizer", bert_tokens, build_dpr, finish_bert)},
    {WORDPIECE("DPRContextEncoderTokenizerFast", bert_tokens, build_bert, finish_bert), .has_type_ids = true,
     .keeps_file = true},
    {WORDPIECE("DPRQuestionEncoderTokenizerFast", bert_tokens, build_bert, finish_bert), .has_type_ids = true,
     .keeps_file = true},
    {WORDPIECE("DPRReaderTokenizerFast", bert_tokens, build_bert, finish_bert), .keeps_file = true},
    {WORDPIECE("FunnelTokenizer", funnel_tokens, build_funnel, finish_funnel)},
    {WORDPIECE("LayoutLMv2Tokenizer", bert_tokens, build_layoutlmv2, finish_bert), .has_type_ids = true,
     .takes_words = true, .layout = AM_LAYOUT_BY_OFFSET},
    {WORDPIECE("MPNetTokenizer", mpnet_tokens, build_mpnet, finish_mpnet)},
    {WORDPIECE("RoFormerTokenizer", bert_tokens, build_roformer, finish_roformer), .has_type_ids = true},
    {WORDPIECE("SplinterTokenizer", splinter_tokens, build_bert, finish_splinter)},
    {WORDPIECE("TapasTokenizer", tapas_tokens, build_layoutlmv2, NULL), .has_type_ids = true, .takes_words = true},
    {0},
};
