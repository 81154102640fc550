/* A command of the program: src/cli/commands/<command>.c exports `const am_command am_command_<command> =
   {...}`. The program uses the library by its public headers alone. */
#ifndef AM_CLI_COMMAND_H
#define AM_CLI_COMMAND_H

#include <anymodel/anymodel.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* What every command takes. */
typedef struct am_globals {
    bool json, verbose, help;
    int threads;        /* 0: as many as the machine allows */
    const char *target; /* null: what the environment says, else the fastest */
    const char *target_policy;
    const char *auto_class; /* null: config.json says */
    const char *tokenizer;  /* "auto", "file" or null */
    const char *weights;    /* "auto", "int8", ..; null: as the files have them */
    const char *dtype;      /* "auto", "float32", "bf16"; null: float32 */
} am_globals;

/* A text option that may be given more than once. */
enum { AM_CLI_LIST_LIMIT = 64 };
typedef struct am_cli_list {
    const char *items[AM_CLI_LIST_LIMIT];
    int count;
} am_cli_list;

/* Options that stand for fields of a JSON object: --num-beams 4 for "num_beams": 4. */
struct am_option;
enum { AM_CLI_FIELDS_LIMIT = 48 };
typedef struct am_cli_fields {
    const struct am_option *options[AM_CLI_FIELDS_LIMIT];
    const char *values[AM_CLI_FIELDS_LIMIT];
    int count;
} am_cli_fields;

typedef enum am_option_kind {
    AM_OPTION_FLAG,  /* bool */
    AM_OPTION_TEXT,  /* const char * */
    AM_OPTION_LIST,  /* am_cli_list */
    AM_OPTION_INT,   /* int, from min to max */
    AM_OPTION_SEED,  /* unsigned long long */
    AM_OPTION_REAL,  /* double, from min to max */
    AM_OPTION_FIELD, /* am_cli_fields; a number from min to max, or with both 0 any text */
} am_option_kind;

/* An option --name and where its value goes: offset bytes into the values of the command. */
typedef struct am_option {
    const char *name;
    am_option_kind kind;
    size_t offset;
    const char *argument; /* "N"; null of a flag */
    const char *meaning;  /* one line */
    double min, max;
} am_option;

typedef struct am_command {
    const char *name;
    const char *summary;      /* one line, no full stop */
    const char *usage;        /* what follows the name: "MODEL_DIR [FILE|-]" */
    const char *help;         /* paragraphs and examples */
    const am_option *options; /* its own, ended by a null name; null: none */
    /* Prints what the help says besides, before the options; values null: none were read. Null: nothing. */
    void (*more_help)(const void *values, FILE *file);
    /* argv[0] is the command's name. Gives the exit code: that of the status (anymodel/status.h). */
    int (*run)(int argc, char **argv, am_globals *globals);
} am_command;

/* All commands, generated from the folder; ends with null. */
extern const am_command *const am_command_registry[];

/* The command of that name, or null. */
const am_command *am_command_find(const char *name);

/* --- command line (options.c) --- */

/* What is left of a command line after its options. */
typedef struct am_operands {
    char **items;
    int count;
} am_operands;

enum { AM_CLI_CONTINUE = -1 };

/* Reads the options of a command into *values (laid out as command->options say; may be null without options)
   and *globals, sets the thread count and checks the target. Gives AM_CLI_CONTINUE, or the exit code when the
   command ends here: after an error, which has been reported, or after --help. Between min and max operands
   are allowed (max < 0: any number). */
int am_cli_parse(const am_command *command, int argc, char **argv, am_globals *globals, void *values, int min, int max,
                 am_operands *operands);

/* The options that all commands take; ended by a null name. Offsets are into am_globals. */
extern const am_option am_cli_common_options[];

/* --- reports (report.c) --- */

/* Says what failed on stderr, and with --json as an object on stdout. Gives the exit code. */
int am_cli_fail(const am_globals *globals, am_code code, const char *format, ...) AM_PRINTF(3, 4);

/* The same of a status, which is freed; 0 of null. */
int am_cli_fail_status(const am_globals *globals, am_status status);

/* A passing note on stderr when that is a terminal, wiped by am_cli_progress_end and before errors. */
void am_cli_progress(const char *format, ...) AM_PRINTF(1, 2);
void am_cli_progress_end(void);

/* A line on stderr with --verbose. */
void am_cli_note(const am_globals *globals, const char *format, ...) AM_PRINTF(2, 3);

/* Writes a JSON string with its quotes; the text is UTF-8, its bytes above 127 are kept. */
void am_cli_put_json_string(FILE *file, const char *text);
void am_cli_put_json_text(FILE *file, const char *text, size_t length);

/* Milliseconds of a clock that never goes back. */
double am_cli_now_ms(void);

/* Writes a result of the library: as it is with --json, else as an outline (cli/outline.h). Frees it. Gives
   the exit code: 0, or that of the status, which is reported and freed. */
int am_cli_put_result(const am_globals *globals, am_status status, char *json);

/* --- fields of a JSON object (fields.c) --- */

/* Writes {"num_beams": 4, "key": ...}: fields, then the KEY=VALUE of --option; a value is JSON when it looks like it,
   else a text. *out is freed with free. Gives the exit code; errors are reported. */
int am_cli_make_object(const am_globals *globals, const am_cli_fields *fields, const am_cli_list *pairs, char **out);

/* The fields of generation that generate, chat and run all take: rows of an option table for a values structure with a
   member `fields`. */
#define AM_FIELD_OPTION(type, name, argument, meaning, min, max)                                                       \
    {                                                                                                                  \
        name, AM_OPTION_FIELD, offsetof(type, fields), argument, meaning, min, max                                     \
    }
/* clang-format off */
#define AM_GENERATION_OPTIONS(type)                                                                                    \
    AM_FIELD_OPTION(type, "num-return-sequences", "N", "give N answers, of the beams or sampled", 1, 1024),            \
    AM_FIELD_OPTION(type, "length-penalty", "X", "of beams: above 0 longer answers, below 0 shorter ones", -1e3, 1e3), \
    AM_FIELD_OPTION(type, "early-stopping", "WHEN", "of beams: true, false or never", 0, 0),                           \
    AM_FIELD_OPTION(type, "min-new-tokens", "N", "write at least N tokens", 0, 1e9),                                   \
    AM_FIELD_OPTION(type, "no-repeat-ngram-size", "N", "write no N tokens in a row twice", 0, 1e9),                    \
    AM_FIELD_OPTION(type, "encoder-no-repeat-ngram-size", "N", "write no N tokens in a row that the input has", 0, 1e9), \
    AM_FIELD_OPTION(type, "encoder-repetition-penalty", "X", "above 1: closer to the words of the input", 1e-6, 1e6)
/* clang-format on */

/* --- help (help.c) --- */

/* Prints the help of the whole program. */
void am_cli_put_help(FILE *file);

/* Prints the help of one command; values: those of its options that stood beside --help, or null. */
void am_cli_put_command_help(const am_command *command, const void *values, FILE *file);

/* Prints what a task takes and which parameters it has; task null: all tasks, a line each. */
void am_cli_put_task_help(const char *task, FILE *file);

/* "help COMMAND" of a name that is none: reports it with the nearest name. */
int am_cli_unknown_command(const am_globals *globals, const char *name);

/* --- models --- */

/* Opens a model as the common options say; notes how long it took. */
am_status am_cli_open_model(const am_globals *globals, const char *directory, am_model **out) AM_NODISCARD;

#endif
