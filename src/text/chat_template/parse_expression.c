#include "text/chat_template/parser.h"

#include "text/chat_template/represent.h"

#include <string.h>

static bool is_one_of(am_jtoken_kind kind, const am_jtoken_kind *kinds, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (kinds[i] == kind) return true;
    return false;
}

static am_jnode *constant(am_jparser *p, size_t offset, am_jvalue value)
{
    am_jnode *node = am_jparse_node(p, AM_N_CONST, offset);
    if (node) node->constant = value;
    return node;
}

static am_jnode *binary(am_jparser *p, am_jnode_kind kind, size_t offset, am_jtoken_kind operator, am_jnode * left,
                        am_jnode *right)
{
    am_jnode *node = right ? am_jparse_node(p, kind, offset) : NULL;
    if (!node) return NULL;
    node->binary.operator= operator;
    node->binary.left = left;
    node->binary.right = right;
    return am_jparse_finish(p, node);
}

static am_jnode *unary(am_jparser *p, am_jnode_kind kind, size_t offset, am_jtoken_kind operator, am_jnode * operand)
{
    am_jnode *node = operand ? am_jparse_node(p, kind, offset) : NULL;
    if (!node) return NULL;
    node->binary.operator= operator;
    node->binary.left = operand;
    return am_jparse_finish(p, node);
}

/* ---- primary expressions ---- */

static bool is_constant_name(const am_jstring *name, am_jvalue *out)
{
    bool truth = am_jstring_is(name, "true") || am_jstring_is(name, "True");
    *out = am_jbool(truth);
    if (truth || am_jstring_is(name, "false") || am_jstring_is(name, "False")) return true;
    *out = am_jnone();
    return am_jstring_is(name, "none") || am_jstring_is(name, "None");
}

static am_jnode *parse_name(am_jparser *p, bool with_namespace)
{
    am_jtoken token = p->current;
    am_jvalue value;
    if (!am_jparse_advance(p)) return NULL;
    if (is_constant_name(token.value.string, &value)) return constant(p, token.offset, value);
    bool dotted = with_namespace && p->current.kind == AM_T_DOT;
    am_jnode *node = am_jparse_node(p, dotted ? AM_N_NAMESPACE : AM_N_NAME, token.offset);
    if (!node) return NULL;
    node->name.name = token.value.string;
    if (!dotted) return node;
    if (!am_jparse_advance(p)) return NULL;
    node->name.attribute = p->current.value.string;
    return am_jparse_expect(p, AM_T_NAME) ? node : NULL;
}

/* Literals side by side are one string. */
static am_jnode *parse_string(am_jparser *p)
{
    size_t offset = p->current.offset;
    am_jvalue value = p->current.value;
    if (!am_jparse_advance(p)) return NULL;
    while (p->current.kind == AM_T_STRING) {
        if (!am_jstring_concat(p->j, value.string, p->current.value.string, &value)) return NULL;
        if (!am_jparse_advance(p)) return NULL;
    }
    /* The tree is shared between threads: nothing may be appended in place. */
    if (value.string->room && !am_jstring_borrow(p->j, value.string->bytes, value.string->length, &value)) return NULL;
    return constant(p, offset, value);
}

static am_jnode *parse_number(am_jparser *p)
{
    am_jtoken token = p->current;
    return am_jparse_advance(p) ? constant(p, token.offset, token.value) : NULL;
}

static am_jnode *parse_parentheses(am_jparser *p)
{
    if (!am_jparse_advance(p)) return NULL;
    am_jnode *node = am_jparse_tuple(p, (am_jtuple_options){.parentheses = true});
    return node && am_jparse_expect(p, AM_T_RPAREN) ? node : NULL;
}

static am_jnode *parse_list(am_jparser *p)
{
    am_jnode *node = am_jparse_node(p, AM_N_LIST, p->current.offset);
    if (!node || !am_jparse_expect(p, AM_T_LBRACKET)) return NULL;
    while (p->current.kind != AM_T_RBRACKET) {
        if (node->list.count && !am_jparse_expect(p, AM_T_COMMA)) return NULL;
        if (p->current.kind == AM_T_RBRACKET) break;
        if (!am_jnodes_push(p->j, &node->list, am_jparse_expression(p))) return NULL;
    }
    return am_jparse_expect(p, AM_T_RBRACKET) ? am_jparse_finish(p, node) : NULL;
}

static am_jnode *parse_dict(am_jparser *p)
{
    am_jnode *node = am_jparse_node(p, AM_N_DICT, p->current.offset);
    if (!node || !am_jparse_expect(p, AM_T_LBRACE)) return NULL;
    while (p->current.kind != AM_T_RBRACE) {
        if (node->dict.keys.count && !am_jparse_expect(p, AM_T_COMMA)) return NULL;
        if (p->current.kind == AM_T_RBRACE) break;
        if (!am_jnodes_push(p->j, &node->dict.keys, am_jparse_expression(p))) return NULL;
        if (!am_jparse_expect(p, AM_T_COLON)) return NULL;
        if (!am_jnodes_push(p->j, &node->dict.values, am_jparse_expression(p))) return NULL;
    }
    return am_jparse_expect(p, AM_T_RBRACE) ? am_jparse_finish(p, node) : NULL;
}

am_jnode *am_jparse_primary(am_jparser *p, bool with_namespace)
{
    switch (p->current.kind) {
    case AM_T_NAME:
        return parse_name(p, with_namespace);
    case AM_T_STRING:
        return parse_string(p);
    case AM_T_INTEGER:
    case AM_T_FLOAT:
        return parse_number(p);
    case AM_T_LPAREN:
        return parse_parentheses(p);
    case AM_T_LBRACKET:
        return parse_list(p);
    case AM_T_LBRACE:
        return parse_dict(p);
    default:
        break;
    }
    am_jvalue name;
    if (!am_jstring_literal(p->j, am_jtoken_describe(p->j, &p->current), &name)) return NULL;
    am_jparse_fail(p, p->current.offset, "unexpected %s", am_jrepr_text(p->j, name));
    return NULL;
}

/* ---- arguments, filters, tests ---- */

static bool invalid_call(am_jparser *p, size_t offset)
{
    return am_jparse_fail(p, offset, "invalid syntax for function call expression");
}

static bool push_named(am_jparser *p, am_jarguments_node *out)
{
    const am_jstring *name = p->current.value.string;
    for (size_t i = 0; i < out->named.count; i++)
        if (am_jstring_equals(out->names[i], name)) {
            am_jfail_code(p->j, AM_INVALID_FILE, "SyntaxError", "keyword argument repeated: %.*s", (int)name->length,
                          name->bytes);
            am_jfail_at(p->j, p->current.offset);
            return false;
        }
    if (!am_jparse_advance(p) || !am_jparse_advance(p)) return false;
    const am_jstring **names = am_jarray(p->j, out->named.count + 1, sizeof *names);
    if (!names) return false;
    for (size_t i = 0; i < out->named.count; i++) names[i] = out->names[i];
    names[out->named.count] = name;
    out->names = names;
    return am_jnodes_push(p->j, &out->named, am_jparse_expression(p));
}

static bool parse_argument(am_jparser *p, size_t offset, am_jarguments_node *out)
{
    am_jtoken next = {.kind = AM_T_END};
    if (p->current.kind == AM_T_MUL) {
        if (out->star || out->star_star) return invalid_call(p, offset);
        return am_jparse_advance(p) && (out->star = am_jparse_expression(p)) != NULL;
    }
    if (p->current.kind == AM_T_POW) {
        if (out->star_star) return invalid_call(p, offset);
        return am_jparse_advance(p) && (out->star_star = am_jparse_expression(p)) != NULL;
    }
    if (p->current.kind == AM_T_NAME && !am_jparse_look(p, &next)) return false;
    if (next.kind == AM_T_ASSIGN) return out->star_star ? invalid_call(p, offset) : push_named(p, out);
    if (out->star || out->star_star || out->named.count) return invalid_call(p, offset);
    return am_jnodes_push(p->j, &out->positional, am_jparse_expression(p));
}

static bool parse_arguments(am_jparser *p, am_jarguments_node *out)
{
    size_t offset = p->current.offset;
    if (!am_jparse_expect(p, AM_T_LPAREN)) return false;
    for (bool comma = false; p->current.kind != AM_T_RPAREN; comma = true) {
        if (comma && !am_jparse_expect(p, AM_T_COMMA)) return false;
        if (comma && p->current.kind == AM_T_RPAREN) break;
        if (!parse_argument(p, offset, out)) return false;
    }
    return am_jparse_expect(p, AM_T_RPAREN);
}

static am_jnode *parse_call(am_jparser *p, am_jnode *callee)
{
    am_jnode *node = am_jparse_node(p, AM_N_CALL, p->current.offset);
    if (!node) return NULL;
    node->call.callee = callee;
    return parse_arguments(p, &node->call.arguments) ? am_jparse_finish(p, node) : NULL;
}

/* "name" or "name.name". */
static const am_jstring *parse_dotted_name(am_jparser *p)
{
    am_jvalue name = p->current.value;
    if (!am_jparse_expect(p, AM_T_NAME)) return NULL;
    while (p->current.kind == AM_T_DOT) {
        am_jvalue dot;
        if (!am_jparse_advance(p) || !am_jstring_literal(p->j, ".", &dot)) return NULL;
        if (!am_jstring_concat(p->j, name.string, dot.string, &name)) return NULL;
        am_jvalue next = p->current.value;
        if (!am_jparse_expect(p, AM_T_NAME)) return NULL;
        if (!am_jstring_concat(p->j, name.string, next.string, &name)) return NULL;
    }
    return name.string;
}

am_jnode *am_jparse_filter(am_jparser *p, am_jnode *input, bool inside)
{
    am_jnode *node = input;
    while (p->current.kind == AM_T_PIPE || inside) {
        if (!inside && !am_jparse_advance(p)) return NULL;
        am_jnode *filter = am_jparse_node(p, AM_N_FILTER, p->current.offset);
        if (!filter) return NULL;
        filter->filter.input = node;
        filter->filter.name = parse_dotted_name(p);
        if (!filter->filter.name) return NULL;
        if (p->current.kind == AM_T_LPAREN && !parse_arguments(p, &filter->filter.arguments)) return NULL;
        node = am_jparse_finish(p, filter);
        if (!node) return NULL;
        inside = false;
    }
    return node;
}

static am_jnode *parse_postfix(am_jparser *p, am_jnode *node);

/* The one argument that a test may have without parentheses. */
static bool parse_bare_argument(am_jparser *p, am_jarguments_node *out)
{
    static const am_jtoken_kind starts[] = {AM_T_NAME,   AM_T_STRING,   AM_T_INTEGER, AM_T_FLOAT,
                                            AM_T_LPAREN, AM_T_LBRACKET, AM_T_LBRACE};
    if (!is_one_of(p->current.kind, starts, sizeof starts / sizeof *starts)) return true;
    if (am_jparse_is_name(p, "else") || am_jparse_is_name(p, "or") || am_jparse_is_name(p, "and")) return true;
    if (am_jparse_is_name(p, "is"))
        return am_jparse_fail(p, p->current.offset, "You cannot chain multiple tests with is");
    am_jnode *argument = am_jparse_primary(p, false);
    return argument && am_jnodes_push(p->j, &out->positional, parse_postfix(p, argument));
}

static am_jnode *parse_test(am_jparser *p, am_jnode *input)
{
    bool negated;
    am_jnode *node = am_jparse_node(p, AM_N_TEST, p->current.offset);
    if (!node || !am_jparse_advance(p) || !am_jparse_skip_name(p, "not", &negated)) return NULL;
    node->filter.input = input;
    node->filter.name = parse_dotted_name(p);
    if (!node->filter.name) return NULL;
    bool ok = p->current.kind == AM_T_LPAREN ? parse_arguments(p, &node->filter.arguments)
                                             : parse_bare_argument(p, &node->filter.arguments);
    if (!ok || !am_jparse_finish(p, node)) return NULL;
    return negated ? unary(p, AM_N_NOT, node->offset, AM_T_END, node) : node;
}

/* ---- subscripts ---- */

/* A part of a slice, when there is one before the next ':' or the end. */
static bool parse_slice_part(am_jparser *p, am_jnode **out)
{
    static const am_jtoken_kind ends[] = {AM_T_COLON, AM_T_RBRACKET, AM_T_COMMA};
    *out = NULL;
    if (is_one_of(p->current.kind, ends, 3)) return true;
    return (*out = am_jparse_expression(p)) != NULL;
}

static am_jnode *parse_subscribed(am_jparser *p)
{
    bool colon;
    size_t offset = p->current.offset;
    am_jnode *start = p->current.kind == AM_T_COLON ? NULL : am_jparse_expression(p);
    if (p->j->failed) return NULL;
    if (p->current.kind != AM_T_COLON) return start;
    am_jnode *node = am_jparse_node(p, AM_N_SLICE, offset);
    if (!node || !am_jparse_advance(p) || !parse_slice_part(p, &node->slice.stop)) return NULL;
    node->slice.start = start;
    if (!am_jparse_skip(p, AM_T_COLON, &colon)) return NULL;
    if (colon && !parse_slice_part(p, &node->slice.step)) return NULL;
    return am_jparse_finish(p, node);
}

static am_jnode *item_node(am_jparser *p, size_t offset, am_jnode *object, am_jnode *index)
{
    am_jnode *node = am_jparse_node(p, AM_N_ITEM, offset);
    if (!node) return NULL;
    node->item.object = object;
    node->item.index = index;
    return am_jparse_finish(p, node);
}

static am_jnode *parse_attribute(am_jparser *p, am_jnode *object)
{
    size_t offset = p->current.offset;
    if (!am_jparse_advance(p)) return NULL;
    am_jtoken token = p->current;
    if (!am_jparse_advance(p)) return NULL;
    if (token.kind == AM_T_INTEGER) {
        am_jnode *index = constant(p, token.offset, token.value);
        return index ? item_node(p, offset, object, index) : NULL;
    }
    if (token.kind != AM_T_NAME) {
        am_jparse_fail(p, token.offset, "expected name or number");
        return NULL;
    }
    am_jnode *node = am_jparse_node(p, AM_N_ATTRIBUTE, offset);
    if (!node) return NULL;
    node->item.object = object;
    node->item.name = token.value.string;
    return am_jparse_finish(p, node);
}

static am_jnode *parse_index(am_jparser *p, am_jnode *object)
{
    size_t offset = p->current.offset;
    am_jnode *indices = am_jparse_node(p, AM_N_TUPLE, offset);
    if (!indices || !am_jparse_advance(p)) return NULL;
    while (p->current.kind != AM_T_RBRACKET) {
        if (indices->list.count && !am_jparse_expect(p, AM_T_COMMA)) return NULL;
        if (!am_jnodes_push(p->j, &indices->list, parse_subscribed(p))) return NULL;
    }
    if (!am_jparse_expect(p, AM_T_RBRACKET) || !am_jparse_finish(p, indices)) return NULL;
    return item_node(p, offset, object, indices->list.count == 1 ? indices->list.items[0] : indices);
}

static am_jnode *parse_postfix(am_jparser *p, am_jnode *node)
{
    while (node) {
        if (p->current.kind == AM_T_DOT) node = parse_attribute(p, node);
        else if (p->current.kind == AM_T_LBRACKET) node = parse_index(p, node);
        else if (p->current.kind == AM_T_LPAREN) node = parse_call(p, node);
        else break;
    }
    return node;
}

static am_jnode *parse_filter_expression(am_jparser *p, am_jnode *node)
{
    while (node) {
        if (p->current.kind == AM_T_PIPE) node = am_jparse_filter(p, node, false);
        else if (am_jparse_is_name(p, "is")) node = parse_test(p, node);
        else if (p->current.kind == AM_T_LPAREN) node = parse_call(p, node);
        else break;
    }
    return node;
}

/* ---- operators, from the tightest to the loosest ---- */

static am_jnode *parse_unary(am_jparser *p, bool with_filter)
{
    am_jnode *node;
    am_jtoken token = p->current;
    if (!am_jparse_enter(p)) return NULL;
    if (token.kind == AM_T_SUB || token.kind == AM_T_ADD)
        node = am_jparse_advance(p) ? unary(p, AM_N_UNARY, token.offset, token.kind, parse_unary(p, false)) : NULL;
    else node = am_jparse_primary(p, false);
    node = parse_postfix(p, node);
    if (with_filter) node = parse_filter_expression(p, node);
    p->depth--;
    return node;
}

static am_jnode *parse_operand(am_jparser *p)
{
    return parse_unary(p, true);
}

/* Left-associative operators of one level. */
static am_jnode *parse_level(am_jparser *p, const am_jtoken_kind *operators, size_t count,
                             am_jnode *(*parse_next)(am_jparser *))
{
    size_t offset = p->current.offset;
    am_jnode *left = parse_next(p);
    while (left && is_one_of(p->current.kind, operators, count)) {
        am_jtoken_kind operator= p->current.kind;
        left = am_jparse_advance(p) ? binary(p, AM_N_BINARY, offset, operator, left, parse_next(p)) : NULL;
    }
    return left;
}

static am_jnode *parse_power(am_jparser *p)
{
    static const am_jtoken_kind operators[] = {AM_T_POW};
    return parse_level(p, operators, 1, parse_operand);
}

static am_jnode *parse_product(am_jparser *p)
{
    static const am_jtoken_kind operators[] = {AM_T_MUL, AM_T_DIV, AM_T_FLOORDIV, AM_T_MOD};
    return parse_level(p, operators, 4, parse_power);
}

static am_jnode *parse_concat(am_jparser *p)
{
    size_t offset = p->current.offset;
    am_jnode *first = parse_product(p);
    if (!first || p->current.kind != AM_T_TILDE) return first;
    am_jnode *node = am_jparse_node(p, AM_N_CONCAT, offset);
    if (!node || !am_jnodes_push(p->j, &node->list, first)) return NULL;
    while (p->current.kind == AM_T_TILDE)
        if (!am_jparse_advance(p) || !am_jnodes_push(p->j, &node->list, parse_product(p))) return NULL;
    return am_jparse_finish(p, node);
}

static am_jnode *parse_sum(am_jparser *p)
{
    static const am_jtoken_kind operators[] = {AM_T_ADD, AM_T_SUB};
    return parse_level(p, operators, 2, parse_concat);
}

/* The comparison at the current token (NAME: in, END: not in), taken; *found says whether there is one. */
static bool parse_comparison(am_jparser *p, am_jtoken_kind *operator, bool * found)
{
    static const am_jtoken_kind comparisons[] = {AM_T_EQ, AM_T_NE, AM_T_LT, AM_T_LTEQ, AM_T_GT, AM_T_GTEQ};
    am_jtoken next;
    *operator= p->current.kind;
    *found = is_one_of(*operator, comparisons, 6) || am_jparse_is_name(p, "in");
    if (*found) return am_jparse_advance(p);
    if (!am_jparse_is_name(p, "not")) return true;
    if (!am_jparse_look(p, &next)) return false;
    *found = next.kind == AM_T_NAME && am_jstring_is(next.value.string, "in");
    *operator= AM_T_END;
    return !*found || (am_jparse_advance(p) && am_jparse_advance(p));
}

static am_jnode *parse_compare(am_jparser *p)
{
    bool found;
    am_jtoken_kind operator;
    size_t offset = p->current.offset;
    am_jnode *first = parse_sum(p), *node = NULL;
    while (first) {
        if (!parse_comparison(p, &operator, & found)) return NULL;
        if (!found) break;
        if (!node && !(node = am_jparse_node(p, AM_N_COMPARE, offset))) return NULL;
        size_t count = node->compare.rest.count;
        am_jtoken_kind *operators = am_jarray(p->j, count + 1, sizeof *operators);
        if (!operators) return NULL;
        if (count) memcpy(operators, node->compare.operators, count * sizeof *operators);
        operators[count] = operator;
        node->compare.first = first;
        node->compare.operators = operators;
        if (!am_jnodes_push(p->j, &node->compare.rest, parse_sum(p))) return NULL;
    }
    return first && node ? am_jparse_finish(p, node) : first;
}

static am_jnode *parse_not(am_jparser *p)
{
    size_t offset = p->current.offset;
    if (!am_jparse_is_name(p, "not")) return parse_compare(p);
    if (!am_jparse_enter(p) || !am_jparse_advance(p)) return NULL;
    am_jnode *node = unary(p, AM_N_NOT, offset, AM_T_END, parse_not(p));
    p->depth--;
    return node;
}

static am_jnode *parse_logical(am_jparser *p, const char *word, am_jnode_kind kind,
                               am_jnode *(*parse_next)(am_jparser *))
{
    bool taken;
    size_t offset = p->current.offset;
    am_jnode *left = parse_next(p);
    while (left) {
        if (!am_jparse_skip_name(p, word, &taken)) return NULL;
        if (!taken) break;
        left = binary(p, kind, offset, AM_T_END, left, parse_next(p));
    }
    return left;
}

static am_jnode *parse_and(am_jparser *p)
{
    return parse_logical(p, "and", AM_N_AND, parse_not);
}

static am_jnode *parse_or(am_jparser *p)
{
    return parse_logical(p, "or", AM_N_OR, parse_and);
}

am_jnode *am_jparse_expression(am_jparser *p)
{
    bool taken;
    size_t offset = p->current.offset;
    if (!am_jparse_enter(p)) return NULL;
    am_jnode *yes = parse_or(p);
    while (yes) {
        if (!am_jparse_skip_name(p, "if", &taken)) return NULL;
        if (!taken) break;
        am_jnode *node = am_jparse_node(p, AM_N_CONDITION, offset);
        if (!node || !(node->condition.test = parse_or(p)) || !am_jparse_skip_name(p, "else", &taken)) return NULL;
        if (taken && !(node->condition.no = am_jparse_expression(p))) return NULL;
        node->condition.yes = yes;
        yes = am_jparse_finish(p, node);
    }
    p->depth--;
    return yes;
}

/* ---- tuples ---- */

static bool at_tuple_end(const am_jparser *p)
{
    static const am_jtoken_kind ends[] = {AM_T_VARIABLE_END, AM_T_BLOCK_END, AM_T_RPAREN};
    return is_one_of(p->current.kind, ends, 3);
}

static am_jnode *parse_tuple_item(am_jparser *p, const am_jtuple_options *options)
{
    if (options->targets_only) return am_jparse_primary(p, options->with_namespace);
    return options->no_condition ? parse_or(p) : am_jparse_expression(p);
}

am_jnode *am_jparse_tuple(am_jparser *p, am_jtuple_options options)
{
    bool is_tuple = false;
    am_jnode *node = am_jparse_node(p, AM_N_TUPLE, p->current.offset);
    while (node) {
        if (node->list.count && !am_jparse_expect(p, AM_T_COMMA)) return NULL;
        if (at_tuple_end(p)) break;
        if (!am_jnodes_push(p->j, &node->list, parse_tuple_item(p, &options))) return NULL;
        if (p->current.kind != AM_T_COMMA) break;
        is_tuple = true;
    }
    if (!node) return NULL;
    if (!is_tuple && node->list.count) return node->list.items[0];
    if (is_tuple || options.parentheses) return am_jparse_finish(p, node);
    am_jvalue name;
    if (!am_jstring_literal(p->j, am_jtoken_describe(p->j, &p->current), &name)) return NULL;
    am_jparse_fail(p, p->current.offset, "Expected an expression, got %s", am_jrepr_text(p->j, name));
    return NULL;
}
