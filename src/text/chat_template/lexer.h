/* Tokens of a template, as Jinja2's lexer makes them with trim_blocks and lstrip_blocks on and the usual
   delimiters. Lexed on demand: an error later in the template must not hide a parser's error before it. */
#ifndef AM_TEXT_CHAT_TEMPLATE_LEXER_H
#define AM_TEXT_CHAT_TEMPLATE_LEXER_H

#include "text/chat_template/value.h"

typedef enum am_jtoken_kind {
    AM_T_END,
    AM_T_DATA,
    AM_T_BLOCK_BEGIN,
    AM_T_BLOCK_END,
    AM_T_VARIABLE_BEGIN,
    AM_T_VARIABLE_END,
    AM_T_NAME,
    AM_T_STRING,
    AM_T_INTEGER,
    AM_T_FLOAT,
    AM_T_ADD,
    AM_T_SUB,
    AM_T_DIV,
    AM_T_FLOORDIV,
    AM_T_MUL,
    AM_T_MOD,
    AM_T_POW,
    AM_T_TILDE,
    AM_T_LBRACKET,
    AM_T_RBRACKET,
    AM_T_LPAREN,
    AM_T_RPAREN,
    AM_T_LBRACE,
    AM_T_RBRACE,
    AM_T_EQ,
    AM_T_NE,
    AM_T_GT,
    AM_T_GTEQ,
    AM_T_LT,
    AM_T_LTEQ,
    AM_T_ASSIGN,
    AM_T_DOT,
    AM_T_COLON,
    AM_T_PIPE,
    AM_T_COMMA,
    AM_T_SEMICOLON,
} am_jtoken_kind;

typedef struct am_jtoken {
    am_jtoken_kind kind;
    size_t offset;
    am_jvalue value; /* of NAME, DATA, STRING, INTEGER and FLOAT */
} am_jtoken;

typedef struct am_jlexer {
    am_jinja *j;
    const char *text; /* line ends are "\n", the last one is gone; shared by names and data of the tokens */
    size_t length, at;
    char state;     /* 0: text; '%', '{': inside of a block or a variable */
    char *brackets; /* closing ones that are awaited */
    size_t depth, capacity;
    bool line_starting; /* the last match ended a line */
} am_jlexer;

/* Text of a template with the line ends that the lexer wants, in the arena. */
bool am_jlexer_normalize(am_jinja *j, const char *text, size_t length, const char **out, size_t *out_length);

/* Starts at the beginning of normalized text, which is borrowed. */
void am_jlexer_init(am_jlexer *lexer, am_jinja *j, const char *text, size_t length);

/* The next token; AM_T_END at the end, again and again. */
bool am_jlexer_next(am_jlexer *lexer, am_jtoken *out);

/* What messages call a token: "end of print statement", ",", its name. */
const char *am_jtoken_describe(am_jinja *j, const am_jtoken *token);
const char *am_jtoken_describe_kind(am_jtoken_kind kind);

#endif
