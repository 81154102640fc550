/* What AutoTokenizer does with a model directory: a class is chosen, the class builds a tokenizer around the
   vocabulary, and the special tokens of the configuration files are added. Terms are those of
   transformers 5.23. */
#ifndef AM_TEXT_TOKENIZER_AUTO_H
#define AM_TEXT_TOKENIZER_AUTO_H

#include "text/tokenizer/internal.h"
#include "text/tokenizer/languages.h"
#include "text/tokenizer/spm_file.h"

/* A token as a class receives it: absent, null, a string, or an AddedToken with flags. */
typedef enum am_auto_kind { AM_AUTO_ABSENT, AM_AUTO_NULL, AM_AUTO_STRING, AM_AUTO_TOKEN } am_auto_kind;

typedef struct am_auto_token {
    am_auto_kind kind;
    am_text name; /* "unk_token"; of extra tokens empty */
    am_added_token token;
    bool normalized_set; /* else it follows `special` */
    bool of_class;       /* the configuration says nothing */
    int64_t id;          /* of added_tokens_decoder */
} am_auto_token;

typedef struct am_auto_list {
    am_auto_token *items;
    size_t count, capacity;
    bool set; /* given, even if empty */
} am_auto_list;

/* A token of a vocabulary that comes from other files than tokenizer.json. */
typedef struct am_auto_piece {
    am_text text;
    double score;
    int64_t id;
} am_auto_piece;

struct am_auto_class;

/* A tokenizer under construction. */
typedef struct am_auto {
    am_tokenizer *tokenizer;
    am_loader loader;
    const char *directory;
    const struct am_auto_class *class;
    am_json config, model_config, file, special_map, added_map; /* the JSON files; MISSING where there is none */
    bool has_file;
    am_auto_list named;      /* special tokens by name: the seven, then the model's own */
    am_auto_list given;      /* the model's own from the configuration, which win over the class's */
    am_auto_list extra;      /* extra_special_tokens */
    am_auto_list additional; /* additional_special_tokens, for where there are no extra ones */
    am_auto_list added;      /* added_tokens_decoder */
    am_model_settings settings;
    am_buffer normalizer, pre_tokenizer, decoder, post_processor; /* JSON; empty: none */
    bool add_bos, add_eos;
    bool update_post_processor; /* to one of bos_token and eos_token */
    bool own_post_processor;    /* where tokenizer.json has none, `finish` makes one */
    bool has_type_ids;
    uint64_t max_length; /* model_max_length unless configured; 0: none */
    size_t line_count;
    am_spm_file *spm;         /* the sentencepiece model that the vocabulary is from; null: none */
    am_auto_piece *pieces;    /* the vocabulary in order; null: it is in tokenizer.json, vocab.txt or vocab.json */
    size_t piece_count;       /* all of them */
    size_t unranked_count;    /* the first ones, which take no part in merges */
    am_auto_list file_tokens; /* special tokens of tiktoken's and tekken's files */
} am_auto;

/* One class of transformers. */
typedef struct am_auto_class {
    const char *name;
    am_model_kind model;
    const char *const *defaults;          /* name, token, ..., null: the special tokens it has unless configured */
    const char *vocab_file, *merges_file; /* names without tokenizer.json; null: none */
    const char *model_file;               /* name of the sentencepiece model without tokenizer.json; null: none */
    am_status (*arrange)(am_auto *a);     /* pieces of that model in the order of the class; null: its own */
    am_status (*build)(am_auto *a);       /* settings, normalizer, pre_tokenizer, decoder, post_processor; null: as
                                             the file has them */
    am_status (*finish)(am_auto *a);      /* after the tokens were added; null: nothing */
    bool keeps_file;                      /* takes tokenizer.json as it is, and builds only without it */
    bool pads_left, has_type_ids, cleans_bpe;
    bool takes_words; /* with boxes or paths, not texts; what is here is the tokenizer of the words */
    am_decode_style decode_style;
    am_layout_kind layout;
    const struct am_python_class *python; /* written in Python by transformers: what it does is there */
    bool cleans_up;                       /* clean_up_tokenization_spaces unless configured */
} am_auto_class;

/* auto_tables.c, generated. Lists end with null. */
typedef struct am_model_class {
    const char *model_type, *class_name;
    bool wrong; /* checkpoints of this type are known to name a wrong class */
} am_model_class;
extern const am_model_class am_model_classes[];
extern const char *const am_old_class_names[][2]; /* and the class they stand for */
extern const char *const am_foreign_classes[];    /* classes that read other files than tokenizer.json */
extern const char *const am_mbart_languages[], *const am_mbart50_languages[], *const am_nllb_languages[];

/* Rows of class_wordpiece.c, class_byte_level.c, class_spm_bpe.c, class_unigram.c; each ends with a null
 * name. */
extern const am_auto_class am_wordpiece_classes[], am_byte_level_classes[], am_spm_bpe_classes[], am_unigram_classes[];

/* auto.c: the parts that Wav2Vec2CTCTokenizer shares. Tokens by name, and the settings of
 * tokenizer_config.json. */
am_status am_auto_name_tokens(am_auto *a) AM_NODISCARD;
void am_auto_read_settings(am_auto *a);

/* auto_class.c: the name of the class for a directory. Fails with AM_UNSUPPORTED. */
am_status am_auto_class_name(am_auto *a, const char **out) AM_NODISCARD;

/* auto_tokens.c: the special and added tokens of the configuration files. */
am_status am_auto_read_tokens(am_auto *a) AM_NODISCARD;

/* Moves the configuration's tokens with names of their own to the named ones. */
am_status am_auto_take_given(am_auto *a) AM_NODISCARD;

/* Adds the tokens of added_tokens_decoder, then special ones that are not there. */
am_status am_auto_add_tokens(am_auto *a) AM_NODISCARD;

/* add_tokens and add_special_tokens of a list of tokens (PreTrainedTokenizerBase._post_init): all named and
 * extra ones. */
am_status am_auto_post_init(am_auto *a) AM_NODISCARD;

/* Makes every special token special and not normalized (Qwen2Tokenizer). */
am_status am_auto_add_all_special(am_auto *a) AM_NODISCARD;

/* A named token; null when the class does not know the name. */
am_auto_token *am_auto_named(const am_auto *a, const char *name);

/* Its text, as str() has it: "None" when it is not set. */
am_text am_auto_text(const am_auto *a, const char *name);

/* Whether the file has a post-processor. */
bool am_auto_file_has_post_processor(const am_auto *a);

/* Sets or replaces a named token. */
am_status am_auto_set_named(am_auto *a, const char *name, const char *token) AM_NODISCARD;

/* A string becomes AddedToken(token, lstrip=lstrip); others stay. */
void am_auto_make_token(am_auto *a, const char *name, bool lstrip);

/* Appends a string to a list, always or where the list has no token of that text. */
am_status am_auto_append(am_auto *a, am_auto_list *list, am_text token) AM_NODISCARD;
am_status am_auto_append_once(am_auto *a, am_auto_list *list, am_text token) AM_NODISCARD;

/* Appends strings up to null, where the list does not have them. */
am_status am_auto_append_all(am_auto *a, am_auto_list *list, const char *const *tokens) AM_NODISCARD;

/* Makes extra_special_tokens and additional_special_tokens one list of extra ones. */
am_status am_auto_join_extra(am_auto *a) AM_NODISCARD;

/* auto_post.c. A field of tokenizer_config.json: the fallback when absent, false when null. */
bool am_auto_bool(const am_auto *a, const char *key, bool fallback);
const char *am_auto_json_bool(const am_auto *a, const char *key, bool fallback);
am_text am_auto_config_text(const am_auto *a, const char *key, const char *fallback);

/* Makes a TemplateProcessing. single and pair are words: "A" and "B" are the texts, any other word a special
   token by its name without "_token", or "=text" (id of the text) or "=text@name" (id of the named token).
   ":1" behind gives a type. */
am_status am_auto_template(am_auto *a, const char *single, const char *pair) AM_NODISCARD;

/* The same from a list of token texts before and after; both texts of a pair stand between them, the second
   with `pair_type`, which what follows has too. */
am_status am_auto_template_of(am_auto *a, const am_text *before, size_t before_count, const am_text *after,
                              size_t after_count, int32_t pair_type) AM_NODISCARD;

/* Metaspace of "▁" as a pre-tokenizer and a decoder ("always", "first" or "never"), appended. */
void am_auto_append_metaspace(am_buffer *out, const char *scheme, bool split);

/* RobertaProcessing; sep and cls are names of special tokens. */
am_status am_auto_roberta(am_auto *a, const char *sep, const char *cls, bool trim_offsets,
                          bool add_prefix_space) AM_NODISCARD;

/* TokenizersBackend.update_post_processor. */
am_status am_auto_update_post_processor(am_auto *a) AM_NODISCARD;

/* Puts the JSON in a->post_processor into the tokenizer. */
am_status am_auto_use_post_processor(am_auto *a) AM_NODISCARD;

/* Id of a token, or that of unk_token; AM_INVALID_FILE when neither is there. */
am_status am_auto_token_id(am_auto *a, am_text token, int32_t *out) AM_NODISCARD;

/* Index of a piece in the list of a Unigram vocabulary, from `first` on; -1: not there. */
int64_t am_auto_find_piece(const am_auto *a, am_text piece, bool with_score_zero, int64_t first);

/* An item of a JSON array that is being written, with a comma where it is not the first. */
void am_auto_append_item(am_buffer *out, const char *json);

/* The item {"type":"Precompiled", ...} of the file's normalizer; false when the file has none. */
bool am_auto_append_charsmap(am_auto *a, am_buffer *out);

/* auto_vocab.c: the vocabulary of tokenizer.json, or of vocab.txt, vocab.json and merges.txt. */
am_status am_auto_read_model(am_auto *a) AM_NODISCARD;

/* auto_layout.c: boxes, labels and tags of tokenizer_config.json, for a->class->layout. */
am_status am_auto_read_layout(am_auto *a) AM_NODISCARD;

/* Calls `line` for each line of a text file without its end; their number in a->line_count. */
typedef am_status (*am_auto_line)(am_auto *a, am_text line, size_t number, const char *path);
am_status am_auto_read_lines(am_auto *a, const char *path, am_auto_line line) AM_NODISCARD;
am_status am_auto_count_lines(am_auto *a, const char *path) AM_NODISCARD;

/* auto_pieces.c. Where there is no tokenizer.json: opens tekken.json, tokenizer.model, tiktoken.model or the class's
   model_file, the first that is there, and fills a->pieces, for lists of ranks also the parts and a->file_tokens.
   Leaves a->pieces null where there is none of them. Fails as am_spm_file_open, and with AM_INVALID_FILE,
   AM_UNSUPPORTED. */
am_status am_auto_open_pieces(am_auto *a) AM_NODISCARD;

/* The parts of a sentencepiece model for classes that make none of their own (build_tokenizer_from_spm_proto). */
am_status am_auto_build_from_spm(am_auto *a) AM_NODISCARD;

/* The model of a->pieces; merges are made from the pieces (generate_merges). */
am_status am_auto_read_pieces(am_auto *a) AM_NODISCARD;

/* Adds a->file_tokens, after the parts were read. */
am_status am_auto_add_file_tokens(am_auto *a) AM_NODISCARD;

/* The order of pieces that classes have (convert_from_spm). */
am_status am_auto_arrange_plain(am_auto *a) AM_NODISCARD;
am_status am_auto_arrange_camembert(am_auto *a) AM_NODISCARD;
am_status am_auto_arrange_xlm_roberta(am_auto *a) AM_NODISCARD;
am_status am_auto_arrange_mbart(am_auto *a) AM_NODISCARD;
am_status am_auto_arrange_mbart50(am_auto *a) AM_NODISCARD;
am_status am_auto_arrange_nllb(am_auto *a) AM_NODISCARD;
am_status am_auto_arrange_seamless(am_auto *a) AM_NODISCARD;
am_status am_auto_arrange_pegasus(am_auto *a) AM_NODISCARD;
am_status am_auto_arrange_t5(am_auto *a) AM_NODISCARD;

/* unk_id of the sentencepiece model, or of the configuration. */
int64_t am_auto_unk_id(const am_auto *a, int64_t fallback);

/* Wav2Vec2CTCTokenizer. */
am_status am_auto_build_ctc(am_auto *a) AM_NODISCARD;

#endif
