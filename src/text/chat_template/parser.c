#include "text/chat_template/parser.h"

#include "text/chat_template/represent.h"

#include <string.h>

/* ---- tokens ---- */

bool am_jparse_fail(am_jparser *p, size_t offset, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    am_jfail_v(p->j, AM_INVALID_FILE, "TemplateSyntaxError", format, arguments);
    va_end(arguments);
    am_jfail_at(p->j, offset);
    return false;
}

bool am_jparse_advance(am_jparser *p)
{
    if (p->has_pushed) {
        p->current = p->pushed;
        p->has_pushed = false;
        return true;
    }
    return am_jlexer_next(&p->lexer, &p->current);
}

bool am_jparse_look(am_jparser *p, am_jtoken *next)
{
    if (!p->has_pushed && !am_jlexer_next(&p->lexer, &p->pushed)) return false;
    p->has_pushed = true;
    *next = p->pushed;
    return true;
}

static bool expected(am_jparser *p, const char *what)
{
    am_jvalue wanted, found;
    if (!am_jstring_literal(p->j, what, &wanted)) return false;
    if (!am_jstring_literal(p->j, am_jtoken_describe(p->j, &p->current), &found)) return false;
    const char *wanted_text = am_jrepr_text(p->j, wanted);
    if (p->current.kind == AM_T_END)
        return am_jparse_fail(p, p->current.offset, "unexpected end of template, expected %s.", wanted_text);
    return am_jparse_fail(p, p->current.offset, "expected token %s, got %s", wanted_text, am_jrepr_text(p->j, found));
}

bool am_jparse_expect(am_jparser *p, am_jtoken_kind kind)
{
    if (p->current.kind == kind) return am_jparse_advance(p);
    return expected(p, am_jtoken_describe_kind(kind));
}

static bool expect_name(am_jparser *p, const char *name)
{
    return am_jparse_is_name(p, name) ? am_jparse_advance(p) : expected(p, name);
}

bool am_jparse_is_name(const am_jparser *p, const char *name)
{
    return p->current.kind == AM_T_NAME && am_jstring_is(p->current.value.string, name);
}

bool am_jparse_skip(am_jparser *p, am_jtoken_kind kind, bool *taken)
{
    *taken = p->current.kind == kind;
    return !*taken || am_jparse_advance(p);
}

bool am_jparse_skip_name(am_jparser *p, const char *name, bool *taken)
{
    *taken = am_jparse_is_name(p, name);
    return !*taken || am_jparse_advance(p);
}

bool am_jparse_enter(am_jparser *p)
{
    if (p->depth < AM_J_PARSE_DEPTH_LIMIT) {
        p->depth++;
        return true;
    }
    am_jfail_code(p->j, AM_INVALID_FILE, "RecursionError", "maximum recursion depth exceeded");
    am_jfail_at(p->j, p->current.offset);
    return false;
}

/* ---- nodes ---- */

am_jnode *am_jparse_node(am_jparser *p, am_jnode_kind kind, size_t offset)
{
    am_jnode *node = am_jalloc(p->j, sizeof *node);
    if (!node) return NULL;
    node->kind = kind;
    node->offset = offset;
    return node;
}

static bool take_height(void *context, am_jnode *child)
{
    am_jnode *node = context;
    if (child->height >= node->height) node->height = child->height + 1;
    return true;
}

am_jnode *am_jparse_finish(am_jparser *p, am_jnode *node)
{
    am_jnode_children(node, take_height, node);
    if (node->height <= AM_J_HEIGHT_LIMIT) return node;
    am_jfail_code(p->j, AM_INVALID_FILE, "RecursionError", "maximum recursion depth exceeded");
    am_jfail_at(p->j, node->offset);
    return NULL;
}

/* ---- blocks ---- */

static const char *describe_ends(am_jparser *p, const am_jend_tags *ends)
{
    am_jtext text = {.j = p->j};
    for (size_t i = 0; i < AM_J_END_TAGS && ends->names[i]; i++)
        am_jtext_printf(&text, "%s'%s'", i ? " or " : "", ends->names[i]);
    return am_jtext_string(&text);
}

static bool is_awaited(const am_jparser *p, const am_jstring *name)
{
    for (int i = 0; i < p->end_count; i++)
        for (size_t k = 0; k < AM_J_END_TAGS && p->ends[i].names[k]; k++)
            if (am_jstring_is(name, p->ends[i].names[k])) return true;
    return false;
}

/* The end of the template (`name` null) or an unknown tag where a block should go on. */
static bool fail_unexpected(am_jparser *p, const am_jstring *name, size_t offset)
{
    am_jtext text = {.j = p->j};
    const am_jend_tags *looking = p->end_count ? &p->ends[p->end_count - 1] : NULL;
    am_jvalue tag = {.kind = AM_J_STRING, .string = name};
    if (name) am_jtext_printf(&text, "Encountered unknown tag %s.", am_jrepr_text(p->j, tag));
    else am_jtext_append_string(&text, "Unexpected end of template.");
    if (looking && name && is_awaited(p, name))
        am_jtext_printf(&text,
                        " You probably made a nesting mistake. Jinja is expecting this tag, but currently "
                        "looking for %s.",
                        describe_ends(p, looking));
    else if (looking)
        am_jtext_printf(&text, " Jinja was looking for the following tags: %s.", describe_ends(p, looking));
    if (p->tag_count) {
        am_jvalue innermost = {.kind = AM_J_STRING, .string = p->tags[p->tag_count - 1]};
        am_jtext_printf(&text, " The innermost block that needs to be closed is %s.", am_jrepr_text(p->j, innermost));
    }
    return am_jparse_fail(p, offset, "%s", am_jtext_string(&text));
}

static am_jnode *parse_statement(am_jparser *p);

static bool at_end_tag(const am_jparser *p, const am_jend_tags *ends)
{
    for (size_t i = 0; ends && i < AM_J_END_TAGS && ends->names[i]; i++)
        if (am_jparse_is_name(p, ends->names[i])) return true;
    return false;
}

/* The output node that the text and expressions at the end of `body` belong to. */
static am_jnode *output_of(am_jparser *p, am_jnodes *body, bool *open)
{
    if (*open) return body->items[body->count - 1];
    am_jnode *node = am_jparse_node(p, AM_N_OUTPUT, p->current.offset);
    *open = node && am_jnodes_push(p->j, body, node);
    return *open ? node : NULL;
}

static bool parse_data(am_jparser *p, am_jnode *output)
{
    am_jnode *node = output ? am_jparse_node(p, AM_N_DATA, p->current.offset) : NULL;
    if (!node) return false;
    node->constant = p->current.value;
    return am_jnodes_push(p->j, &output->list, node) && am_jparse_advance(p);
}

static bool parse_variable(am_jparser *p, am_jnode *output)
{
    if (!output || !am_jparse_advance(p)) return false;
    return am_jnodes_push(p->j, &output->list, am_jparse_tuple(p, (am_jtuple_options){0})) &&
           am_jparse_expect(p, AM_T_VARIABLE_END);
}

/* Text, expressions and statements up to one of the end tags, which is the current token then. */
static bool parse_body(am_jparser *p, const am_jend_tags *ends, am_jnodes *body)
{
    bool open = false;
    while (p->current.kind != AM_T_END) {
        if (p->current.kind == AM_T_DATA) {
            if (!parse_data(p, output_of(p, body, &open))) return false;
        } else if (p->current.kind == AM_T_VARIABLE_BEGIN) {
            if (!parse_variable(p, output_of(p, body, &open))) return false;
        } else {
            open = false;
            if (!am_jparse_advance(p)) return false;
            if (at_end_tag(p, ends)) return true;
            if (!am_jnodes_push(p->j, body, parse_statement(p)) || !am_jparse_expect(p, AM_T_BLOCK_END)) return false;
        }
    }
    return true;
}

static bool parse_block(am_jparser *p, am_jend_tags ends, am_jnodes *body)
{
    bool colon;
    if (!am_jparse_skip(p, AM_T_COLON, &colon) || !am_jparse_expect(p, AM_T_BLOCK_END)) return false;
    p->ends[p->end_count++] = ends;
    if (!parse_body(p, &ends, body)) return false;
    if (p->current.kind == AM_T_END) return fail_unexpected(p, NULL, p->current.offset);
    p->end_count--;
    return true;
}

/* The same with the end tag taken. */
static bool parse_whole_block(am_jparser *p, const char *end, am_jnodes *body)
{
    return parse_block(p, (am_jend_tags){{end}}, body) && am_jparse_advance(p);
}

/* A block that is a function of its own: loops outside do not reach into it. */
static bool parse_function_block(am_jparser *p, const char *end, am_jnodes *body)
{
    int loops = p->loops;
    p->loops = 0;
    bool ok = parse_whole_block(p, end, body);
    p->loops = loops;
    return ok;
}

/* ---- targets of assignments ---- */

static bool can_assign(const am_jnode *node)
{
    if (node->kind == AM_N_NAME || node->kind == AM_N_NAMESPACE) return true;
    if (node->kind != AM_N_TUPLE) return false;
    for (size_t i = 0; i < node->list.count; i++)
        if (!can_assign(node->list.items[i])) return false;
    return true;
}

static void set_use(am_jnode *node, am_jname_use use)
{
    if (node->kind == AM_N_NAME) node->name.use = use;
    for (size_t i = 0; node->kind == AM_N_TUPLE && i < node->list.count; i++) set_use(node->list.items[i], use);
}

/* Class of a node in Jinja2, in lower case: what a message calls it. */
static const char *class_of(const am_jnode *node)
{
    switch (node->kind) {
    case AM_N_CONST:
        return "const";
    case AM_N_TUPLE:
        return "tuple";
    case AM_N_LIST:
        return "list";
    case AM_N_DICT:
        return "dict";
    default:
        return "name";
    }
}

static am_jnode *parse_target(am_jparser *p, am_jtuple_options options, am_jname_use use)
{
    options.targets_only = true;
    am_jnode *node = am_jparse_tuple(p, options);
    if (!node) return NULL;
    set_use(node, use);
    if (can_assign(node)) return node;
    am_jparse_fail(p, node->offset, "can't assign to '%s'", class_of(node));
    return NULL;
}

/* A name and nothing else. */
static am_jnode *parse_target_name(am_jparser *p, am_jname_use use)
{
    static const char *const constants[] = {"true", "false", "none", "True", "False", "None"};
    am_jtoken token = p->current;
    if (!am_jparse_expect(p, AM_T_NAME)) return NULL;
    am_jnode *node = am_jparse_node(p, AM_N_NAME, token.offset);
    if (!node) return NULL;
    node->name.name = token.value.string;
    node->name.use = use;
    for (size_t i = 0; i < 6; i++)
        if (am_jstring_is(token.value.string, constants[i])) {
            am_jparse_fail(p, token.offset, "can't assign to 'name'");
            return NULL;
        }
    return node;
}

/* ---- statements; the tag's name is the current token ---- */

static bool parse_for(am_jparser *p, am_jnode *node)
{
    bool taken;
    if (!am_jparse_advance(p)) return false;
    if (!(node->loop.target = parse_target(p, (am_jtuple_options){0}, AM_J_USE_STORE))) return false;
    if (!expect_name(p, "in")) return false;
    node->loop.iterable = am_jparse_tuple(p, (am_jtuple_options){.no_condition = true});
    if (!node->loop.iterable || !am_jparse_skip_name(p, "if", &taken)) return false;
    if (taken && !(node->loop.test = am_jparse_expression(p))) return false;
    if (!am_jparse_skip_name(p, "recursive", &node->loop.recursive)) return false;
    p->loops++;
    bool ok = parse_block(p, (am_jend_tags){{"endfor", "else"}}, &node->loop.body);
    p->loops--;
    bool has_else = ok && am_jparse_is_name(p, "else");
    if (!ok || !am_jparse_advance(p)) return false;
    return !has_else || parse_whole_block(p, "endfor", &node->loop.otherwise);
}

static bool push_branch(am_jparser *p, am_jnode *node)
{
    size_t count = node->branches.tests.count;
    am_jnodes *bodies = am_jarray(p->j, count + 1, sizeof *bodies);
    if (!bodies) return false;
    if (count) memcpy(bodies, node->branches.bodies, count * sizeof *bodies);
    node->branches.bodies = bodies;
    return am_jnodes_push(p->j, &node->branches.tests, am_jparse_tuple(p, (am_jtuple_options){.no_condition = true})) &&
           parse_block(p, (am_jend_tags){{"elif", "else", "endif"}}, &bodies[count]);
}

static bool parse_if(am_jparser *p, am_jnode *node)
{
    for (bool more = true; more;) {
        if (!am_jparse_advance(p) || !push_branch(p, node)) return false;
        more = am_jparse_is_name(p, "elif");
    }
    bool has_else = am_jparse_is_name(p, "else");
    if (!am_jparse_advance(p)) return false;
    return !has_else || parse_whole_block(p, "endif", &node->branches.otherwise);
}

static bool parse_with(am_jparser *p, am_jnode *node)
{
    if (!am_jparse_advance(p)) return false;
    while (p->current.kind != AM_T_BLOCK_END) {
        if (node->with.targets.count && !am_jparse_expect(p, AM_T_COMMA)) return false;
        am_jnode *target = parse_target(p, (am_jtuple_options){0}, AM_J_USE_PARAMETER);
        if (!am_jnodes_push(p->j, &node->with.targets, target) || !am_jparse_expect(p, AM_T_ASSIGN)) return false;
        if (!am_jnodes_push(p->j, &node->with.values, am_jparse_expression(p))) return false;
    }
    return parse_whole_block(p, "endwith", &node->with.body);
}

static bool parse_set(am_jparser *p, am_jnode *node)
{
    bool taken;
    const am_jtuple_options target = {.with_namespace = true};
    if (!am_jparse_advance(p) || !(node->set.target = parse_target(p, target, AM_J_USE_STORE))) return false;
    if (!am_jparse_skip(p, AM_T_ASSIGN, &taken)) return false;
    if (taken) return (node->set.value = am_jparse_tuple(p, (am_jtuple_options){0})) != NULL;
    node->kind = AM_N_SET_BLOCK;
    if (p->current.kind == AM_T_PIPE && !(node->set.value = am_jparse_filter(p, NULL, false))) return false;
    return parse_whole_block(p, "endset", &node->set.body);
}

static bool parse_signature(am_jparser *p, am_jmacro_node *macro)
{
    bool taken;
    if (!am_jparse_expect(p, AM_T_LPAREN)) return false;
    while (p->current.kind != AM_T_RPAREN) {
        if (macro->parameters.count && !am_jparse_expect(p, AM_T_COMMA)) return false;
        if (!am_jnodes_push(p->j, &macro->parameters, parse_target_name(p, AM_J_USE_PARAMETER))) return false;
        if (!am_jparse_skip(p, AM_T_ASSIGN, &taken)) return false;
        if (taken && !am_jnodes_push(p->j, &macro->defaults, am_jparse_expression(p))) return false;
        if (!taken && macro->defaults.count)
            return am_jparse_fail(p, p->current.offset, "non-default argument follows default argument");
    }
    return am_jparse_expect(p, AM_T_RPAREN);
}

static bool parse_macro(am_jparser *p, am_jnode *node)
{
    if (!am_jparse_advance(p) || !(node->macro.target = parse_target_name(p, AM_J_USE_STORE))) return false;
    node->macro.macro.name = node->macro.target->name.name;
    return parse_signature(p, &node->macro.macro) && parse_function_block(p, "endmacro", &node->macro.macro.body);
}

static bool parse_call_block(am_jparser *p, am_jnode *node)
{
    if (!am_jparse_advance(p)) return false;
    if (p->current.kind == AM_T_LPAREN && !parse_signature(p, &node->macro.macro)) return false;
    if (!(node->macro.call = am_jparse_expression(p))) return false;
    if (node->macro.call->kind != AM_N_CALL) return am_jparse_fail(p, node->offset, "expected call");
    return parse_function_block(p, "endcall", &node->macro.macro.body);
}

static bool parse_generation(am_jparser *p, am_jnode *node)
{
    return am_jparse_advance(p) && parse_function_block(p, "endgeneration", &node->macro.macro.body);
}

static bool parse_filter_block(am_jparser *p, am_jnode *node)
{
    if (!am_jparse_advance(p) || !(node->set.value = am_jparse_filter(p, NULL, true))) return false;
    return parse_whole_block(p, "endfilter", &node->set.body);
}

static bool parse_print(am_jparser *p, am_jnode *node)
{
    if (!am_jparse_advance(p)) return false;
    while (p->current.kind != AM_T_BLOCK_END) {
        if (node->list.count && !am_jparse_expect(p, AM_T_COMMA)) return false;
        if (!am_jnodes_push(p->j, &node->list, am_jparse_expression(p))) return false;
    }
    return true;
}

static bool unsupported(am_jparser *p, size_t offset, const char *what)
{
    am_jfail_code(p->j, AM_UNSUPPORTED, "NotImplementedError", "%s is not supported in chat templates", what);
    am_jfail_at(p->j, offset);
    return false;
}

static bool parse_named_block(am_jparser *p, am_jnode *node)
{
    bool taken;
    if (!am_jparse_advance(p)) return false;
    node->block.name = p->current.value.string;
    if (!am_jparse_expect(p, AM_T_NAME)) return false;
    if (am_jparse_is_name(p, "scoped") || am_jparse_is_name(p, "required"))
        return unsupported(p, node->offset, "a scoped or required block");
    if (p->current.kind == AM_T_SUB)
        return am_jparse_fail(p, p->current.offset,
                              "Block names in Jinja have to be valid Python identifiers and may not contain hyphens, "
                              "use an underscore instead.");
    if (!parse_function_block(p, "endblock", &node->block.body)) return false;
    taken = p->current.kind == AM_T_NAME && am_jstring_equals(p->current.value.string, node->block.name);
    return !taken || am_jparse_advance(p);
}

static bool parse_autoescape(am_jparser *p, am_jnode *node)
{
    return unsupported(p, node->offset, "autoescape");
}

/* break and continue */
static bool parse_jump(am_jparser *p, am_jnode *node)
{
    if (p->loops) return am_jparse_advance(p);
    am_jfail_code(p->j, AM_INVALID_FILE, "SyntaxError", "%s",
                  node->kind == AM_N_BREAK ? "'break' outside loop" : "'continue' not properly in loop");
    am_jfail_at(p->j, node->offset);
    return false;
}

/* "with context" or "without context", when it stands here. */
static bool skip_context(am_jparser *p, bool *taken)
{
    am_jtoken next;
    *taken = false;
    if (!am_jparse_is_name(p, "with") && !am_jparse_is_name(p, "without")) return true;
    if (!am_jparse_look(p, &next)) return false;
    *taken = next.kind == AM_T_NAME && am_jstring_is(next.value.string, "context");
    return !*taken || (am_jparse_advance(p) && am_jparse_advance(p));
}

/* include and extends: the name of the template is computed, then it turns out that there are no others. */
static bool parse_include(am_jparser *p, am_jnode *node)
{
    bool taken;
    am_jtoken next;
    if (!am_jparse_advance(p) || !(node->set.value = am_jparse_expression(p))) return false;
    if (am_jparse_is_name(p, "ignore")) {
        if (!am_jparse_look(p, &next)) return false;
        if (next.kind == AM_T_NAME && am_jstring_is(next.value.string, "missing") &&
            (!am_jparse_advance(p) || !am_jparse_advance(p)))
            return false;
    }
    return skip_context(p, &taken);
}

static bool parse_import(am_jparser *p, am_jnode *node)
{
    bool taken;
    if (!am_jparse_advance(p) || !(node->set.value = am_jparse_expression(p))) return false;
    return expect_name(p, "as") && parse_target_name(p, AM_J_USE_STORE) && skip_context(p, &taken);
}

/* One imported name; *more says whether another follows. */
static bool parse_imported_name(am_jparser *p, bool *more)
{
    bool taken;
    *more = false;
    if (p->current.kind == AM_T_NAME) {
        if (!skip_context(p, &taken)) return false;
        if (taken) return true;
    }
    if (!parse_target_name(p, AM_J_USE_STORE) || !am_jparse_skip_name(p, "as", &taken)) return false;
    if (taken && !parse_target_name(p, AM_J_USE_STORE)) return false;
    if (!skip_context(p, &taken)) return false;
    return taken || am_jparse_skip(p, AM_T_COMMA, more);
}

static bool parse_from(am_jparser *p, am_jnode *node)
{
    bool more = true;
    if (!am_jparse_advance(p) || !(node->set.value = am_jparse_expression(p)) || !expect_name(p, "import"))
        return false;
    while (more)
        if (!parse_imported_name(p, &more)) return false;
    return true;
}

static const struct statement {
    const char *tag;
    am_jnode_kind kind;
    bool (*parse)(am_jparser *p, am_jnode *node);
} statements[] = {
    {"for", AM_N_FOR, parse_for},
    {"if", AM_N_IF, parse_if},
    {"set", AM_N_SET, parse_set},
    {"macro", AM_N_MACRO, parse_macro},
    {"call", AM_N_CALL_BLOCK, parse_call_block},
    {"generation", AM_N_GENERATION, parse_generation},
    {"filter", AM_N_FILTER_BLOCK, parse_filter_block},
    {"with", AM_N_WITH, parse_with},
    {"print", AM_N_OUTPUT, parse_print},
    {"block", AM_N_BLOCK, parse_named_block},
    {"break", AM_N_BREAK, parse_jump},
    {"continue", AM_N_CONTINUE, parse_jump},
    {"autoescape", AM_N_WITH, parse_autoescape},
    {"include", AM_N_OTHER_TEMPLATE, parse_include},
    {"extends", AM_N_OTHER_TEMPLATE, parse_include},
    {"import", AM_N_OTHER_TEMPLATE, parse_import},
    {"from", AM_N_OTHER_TEMPLATE, parse_from},
};

static am_jnode *parse_statement(am_jparser *p)
{
    am_jtoken token = p->current;
    if (token.kind != AM_T_NAME) {
        am_jparse_fail(p, token.offset, "tag name expected");
        return NULL;
    }
    for (size_t i = 0; i < sizeof statements / sizeof *statements; i++) {
        if (!am_jstring_is(token.value.string, statements[i].tag)) continue;
        am_jnode *node = am_jparse_node(p, statements[i].kind, token.offset);
        if (!node || !am_jparse_enter(p)) return NULL;
        p->tags[p->tag_count++] = token.value.string;
        if (!statements[i].parse(p, node)) return NULL;
        p->tag_count--;
        p->depth--;
        return node;
    }
    fail_unexpected(p, token.value.string, token.offset);
    return NULL;
}

bool am_jparse(am_jinja *j, const char *text, size_t length, am_jnodes *out)
{
    am_jparser *p = am_jalloc(j, sizeof *p);
    if (!p) return false;
    p->j = j;
    am_jlexer_init(&p->lexer, j, text, length);
    return am_jparse_advance(p) && parse_body(p, NULL, out);
}
