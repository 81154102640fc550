#include "cli/command.h"
#include "cli/inputs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

typedef struct tokenize_values {
    const char *pair;
    bool decode, ids, no_special_tokens;
    am_cli_fields fields;
    am_cli_list options;
} tokenize_values;

static const am_option options[] = {
    {"pair", AM_OPTION_TEXT, offsetof(tokenize_values, pair), "TEXT", "a second text beside each TEXT", 0, 0},
    {"decode", AM_OPTION_FLAG, offsetof(tokenize_values, decode), NULL, "the other way: ids to text", 0, 0},
    {"ids", AM_OPTION_FLAG, offsetof(tokenize_values, ids), NULL, "print ids only, a text a line", 0, 0},
    {"no-special-tokens", AM_OPTION_FLAG, offsetof(tokenize_values, no_special_tokens), NULL,
     "add none; when decoding, leave none out", 0, 0},
    AM_FIELD_OPTION(tokenize_values, "max-length", "N", "cut off what is longer than N tokens", 0, 1e9),
    AM_FIELD_OPTION(tokenize_values, "truncation", "HOW", "true, longest_first, only_first or only_second", 0, 0),
    AM_FIELD_OPTION(tokenize_values, "padding", "HOW", "longest or max_length", 0, 0),
    AM_FIELD_OPTION(tokenize_values, "stride", "N", "tokens that a part cut off repeats of the one before", 0, 1e9),
    {"option", AM_OPTION_LIST, offsetof(tokenize_values, options), "KEY=VALUE",
     "another argument of the call, as transformers names it", 0, 0},
    {NULL, AM_OPTION_FLAG, 0, NULL, NULL, 0, 0},
};

static int run(int argc, char **argv, am_globals *globals);

const am_command am_command_tokenize = {
    .name = "tokenize",
    .summary = "text to tokens and back, as the model's tokenizer does it",
    .usage = "MODEL_DIR [TEXT...]",
    .help = "Prints id, token, the code points of the text that it is of, and that part of the text; without TEXT, "
            "each line of stdin is one.\n"
            "The tokenizer is the one that transformers' AutoTokenizer makes of the directory; with --tokenizer file "
            "it is tokenizer.json as it\n"
            "is, and MODEL_DIR may be that file or a sentencepiece model.\n\n"
            "  anymodel tokenize my-bert \"Paris is the capital of France.\"\n"
            "  anymodel tokenize my-bert --ids < sentences.txt\n"
            "  anymodel tokenize my-bert --decode 101 3000 2003 102\n"
            "  anymodel tokenize my-bert \"A question?\" --pair \"The context.\" --max-length 16 --truncation "
            "only_second\n\n"
            "With --json: an array, for each text {\"ids\", \"tokens\", \"type_ids\", \"attention_mask\", "
            "\"special_tokens_mask\", \"word_ids\",\n"
            "\"sequence_ids\", \"offsets\", \"byte_offsets\", \"overflowing\"}; with --decode {\"text\"}.\n",
    .options = options,
    .run = run,
};

/* --- printing --- */

static void put_numbers(const char *name, const int32_t *numbers, size_t count, bool has_null)
{
    printf("\"%s\": [", name);
    for (size_t i = 0; i < count; i++) {
        if (i) fputs(", ", stdout);
        if (has_null && numbers[i] < 0) fputs("null", stdout);
        else printf("%d", numbers[i]);
    }
    fputs("], ", stdout);
}

static void put_ranges(const char *name, const am_text_range *ranges, size_t count)
{
    printf("\"%s\": [", name);
    for (size_t i = 0; i < count; i++) printf("%s[%u, %u]", i ? ", " : "", ranges[i].start, ranges[i].end);
    fputs("], ", stdout);
}

static void put_json(const am_encoding *e)
{
    putchar('{');
    put_numbers("ids", e->ids, e->count, false);
    fputs("\"tokens\": [", stdout);
    for (size_t i = 0; i < e->count; i++) {
        if (i) fputs(", ", stdout);
        am_cli_put_json_text(stdout, e->tokens[i].bytes, e->tokens[i].length);
    }
    fputs("], ", stdout);
    put_numbers("type_ids", e->type_ids, e->count, false);
    put_numbers("attention_mask", e->attention_mask, e->count, false);
    put_numbers("special_tokens_mask", e->special_tokens_mask, e->count, false);
    put_numbers("word_ids", e->word_ids, e->count, true);
    put_numbers("sequence_ids", e->sequence_ids, e->count, true);
    put_ranges("offsets", e->offsets, e->count);
    put_ranges("byte_offsets", e->byte_offsets, e->count);
    fputs("\"overflowing\": [", stdout);
    for (size_t i = 0; i < e->overflowing_count; i++) {
        if (i) fputs(", ", stdout);
        put_json(&e->overflowing[i]);
    }
    fputs("]}", stdout);
}

static void put_ids(const am_encoding *e)
{
    for (size_t i = 0; i < e->count; i++) printf("%s%d", i ? " " : "", e->ids[i]);
    putchar('\n');
}

/* Columns are as wide as code points; those that are wider or narrower on a terminal are shifted. */
static void put_padded(am_text text, int width)
{
    for (size_t i = 0; i < text.length; i++) {
        unsigned char byte = (unsigned char)text.bytes[i];
        width -= byte < 0x20 ? 4 : (byte & 0xC0) != 0x80;
        if (byte < 0x20) printf("\\x%02x", byte);
        else putchar(byte);
    }
    printf("%*s", width > 0 ? width : 0, "");
}

static void put_table(const am_encoding *e, const am_text *text, const am_text *pair)
{
    for (size_t i = 0; i < e->count; i++) {
        const am_text *source = e->sequence_ids[i] == 0 ? text : e->sequence_ids[i] == 1 ? pair : NULL;
        am_text_range bytes = e->byte_offsets[i];
        bool has_part = source && bytes.start < bytes.end && bytes.end <= source->length;
        printf("%8d  ", e->ids[i]);
        put_padded(e->tokens[i], has_part ? 24 : 0);
        if (has_part) {
            printf(" %5u-%-5u ", e->offsets[i].start, e->offsets[i].end);
            am_cli_put_json_text(stdout, source->bytes + bytes.start, bytes.end - bytes.start);
        }
        putchar('\n');
    }
}

/* --- encoding --- */

typedef struct job {
    const am_globals *globals;
    const tokenize_values *values;
    am_tokenizer *tokenizer;
    char *arguments; /* JSON */
    bool is_first;
} job;

static void put_encoding(job *j, const am_encoding *e, const am_text *text, const am_text *pair)
{
    if (j->globals->json) {
        fputs(j->is_first ? "[" : ",\n ", stdout);
        put_json(e);
    } else if (j->values->ids) {
        put_ids(e);
        for (size_t i = 0; i < e->overflowing_count; i++) put_ids(&e->overflowing[i]);
    } else {
        if (!j->is_first) putchar('\n');
        put_table(e, text, pair);
        for (size_t i = 0; i < e->overflowing_count; i++) {
            printf("cut off, part %zu:\n", i + 1);
            put_table(&e->overflowing[i], text, pair);
        }
    }
    j->is_first = false;
}

static int encode(job *j, const am_text *texts, size_t count)
{
    am_text pair = {j->values->pair, j->values->pair ? strlen(j->values->pair) : 0};
    am_encoding *encodings = calloc(count + 1, sizeof *encodings);
    am_text *pairs = j->values->pair ? calloc(count + 1, sizeof *pairs) : NULL;
    if (!encodings || (j->values->pair && !pairs)) {
        free(encodings);
        return am_cli_fail(j->globals, AM_OUT_OF_MEMORY, "no memory for %zu texts", count);
    }
    for (size_t i = 0; pairs && i < count; i++) pairs[i] = pair;
    am_status status = am_tokenizer_encode_texts(j->tokenizer, texts, pairs, count, j->arguments, encodings);
    for (size_t i = 0; !status && i < count; i++) {
        put_encoding(j, &encodings[i], &texts[i], &pair);
        am_encoding_deinit(&encodings[i]);
    }
    free(encodings);
    free(pairs);
    return am_cli_fail_status(j->globals, status);
}

static int encode_lines(job *j)
{
    am_cli_bytes input;
    am_code problem = am_cli_read("-", &input);
    if (problem) return am_cli_fail(j->globals, problem, "cannot read stdin: %s", strerror(errno));
    size_t count = 0, room = 1;
    for (size_t i = 0; i < input.length; i++) room += input.bytes[i] == '\n';
    am_text *texts = calloc(room, sizeof *texts);
    for (char *at = input.bytes, *end = input.bytes + input.length; texts && at < end;) {
        char *stop = memchr(at, '\n', (size_t)(end - at));
        if (!stop) stop = end;
        size_t length = (size_t)(stop - at);
        texts[count++] = (am_text){at, length - (length && at[length - 1] == '\r')};
        at = stop + 1;
    }
    int code = texts ? encode(j, texts, count) : am_cli_fail(j->globals, AM_OUT_OF_MEMORY, "no memory for the lines");
    free(texts);
    free(input.bytes);
    return code;
}

static int encode_operands(job *j, const am_operands *operands)
{
    size_t count = (size_t)operands->count - 1;
    am_text *texts = calloc(count + 1, sizeof *texts);
    if (!texts) return am_cli_fail(j->globals, AM_OUT_OF_MEMORY, "no memory for the texts");
    for (size_t i = 0; i < count; i++) texts[i] = (am_text){operands->items[i + 1], strlen(operands->items[i + 1])};
    int code = encode(j, texts, count);
    free(texts);
    return code;
}

/* --- decoding --- */

/* Ids of one operand, parted by spaces or commas. */
static int read_ids(const am_globals *globals, const char *text, int32_t **ids, size_t *count)
{
    for (const char *at = text; *(at += strspn(at, " ,\t\r\n"));) {
        char *end;
        errno = 0;
        long id = strtol(at, &end, 10);
        if (end == at || errno || id < 0 || id > INT32_MAX)
            return am_cli_fail(globals, AM_INVALID_ARGUMENT, "tokenize: expected ids, found \"%.32s\"", at);
        int32_t *grown = realloc(*ids, (*count + 1) * sizeof **ids);
        if (!grown) return am_cli_fail(globals, AM_OUT_OF_MEMORY, "no memory for %zu ids", *count + 1);
        *ids = grown;
        grown[(*count)++] = (int32_t)id;
        at = end;
    }
    return AM_OK;
}

static int put_decoded(job *j, const int32_t *ids, size_t count)
{
    char *text = NULL;
    const char *arguments =
        j->values->no_special_tokens ? "{\"skip_special_tokens\": false}" : "{\"skip_special_tokens\": true}";
    am_status status = am_tokenizer_decode_ids(j->tokenizer, ids, count, arguments, &text);
    if (!status && j->globals->json) {
        fputs(j->is_first ? "[{\"text\": " : ",\n {\"text\": ", stdout);
        am_cli_put_json_string(stdout, text);
        putchar('}');
    } else if (!status) puts(text);
    j->is_first = false;
    am_string_free(text);
    return am_cli_fail_status(j->globals, status);
}

/* All operands are one text, of stdin each line. */
static int decode(job *j, const am_operands *operands)
{
    int32_t *ids = NULL;
    int code = AM_OK;
    size_t count = 0;
    am_cli_bytes input = {0};
    for (int i = 1; i < operands->count && !code; i++) code = read_ids(j->globals, operands->items[i], &ids, &count);
    if (operands->count > 1 && !code) code = put_decoded(j, ids, count);
    am_code problem = operands->count > 1 ? AM_OK : am_cli_read("-", &input);
    if (problem) code = am_cli_fail(j->globals, problem, "cannot read stdin: %s", strerror(errno));
    char *state = NULL;
    for (char *line = input.bytes ? strtok_r(input.bytes, "\n", &state) : NULL; line && !code;
         line = strtok_r(NULL, "\n", &state)) {
        count = 0;
        code = read_ids(j->globals, line, &ids, &count);
        if (!code) code = put_decoded(j, ids, count);
    }
    free(input.bytes);
    free(ids);
    return code;
}

/* --- the command --- */

static int run(int argc, char **argv, am_globals *globals)
{
    tokenize_values values = {0};
    am_operands operands;
    int code = am_cli_parse(&am_command_tokenize, argc, argv, globals, &values, 1, -1, &operands);
    if (code != AM_CLI_CONTINUE) return code;
    job j = {.globals = globals, .values = &values, .is_first = true};
    am_cli_list *pairs = &values.options;
    if (values.no_special_tokens && pairs->count == AM_CLI_LIST_LIMIT)
        return am_cli_fail(globals, AM_INVALID_ARGUMENT, "--option: given more than %d times", AM_CLI_LIST_LIMIT - 1);
    if (values.no_special_tokens) pairs->items[pairs->count++] = "add_special_tokens=false";
    code = am_cli_make_object(globals, &values.fields, pairs, &j.arguments);
    if (!code)
        code = am_cli_fail_status(globals, am_tokenizer_load(operands.items[0], globals->tokenizer, &j.tokenizer));
    if (!code) {
        if (values.decode) code = decode(&j, &operands);
        else code = operands.count > 1 ? encode_operands(&j, &operands) : encode_lines(&j);
        if (globals->json && (!code || !j.is_first)) puts(j.is_first ? "[]" : "]");
    }
    am_tokenizer_free(j.tokenizer);
    free(j.arguments);
    return code;
}
