/* Expressions. */
#include "text/chat_template/evaluate.h"

#include "text/chat_template/iterate.h"
#include "text/chat_template/represent.h"

#include <stdio.h>

static bool evaluate_list(am_jinja *j, const am_jnodes *nodes, am_jenv *env, am_jkind kind, am_jvalue *out)
{
    am_jitems items = {0};
    for (size_t i = 0; i < nodes->count; i++) {
        am_jvalue value;
        if (!am_jevaluate(j, nodes->items[i], env, &value) || !am_jitems_push(j, &items, value)) return false;
    }
    return am_jitems_list(j, &items, kind, out);
}

static bool evaluate_dict(am_jinja *j, const am_jnode *node, am_jenv *env, am_jvalue *out)
{
    if (!am_jdict_make(j, out)) return false;
    for (size_t i = 0; i < node->dict.keys.count; i++) {
        am_jvalue key, value;
        if (!am_jevaluate(j, node->dict.keys.items[i], env, &key)) return false;
        if (!am_jevaluate(j, node->dict.values.items[i], env, &value)) return false;
        if (!am_jdict_set(j, out->dict, key, value)) return false;
    }
    return true;
}

am_jvalue *am_jslot_of(am_jenv *env, am_jslot slot)
{
    for (uint32_t i = 0; i < slot.hops; i++) env = env->parent;
    return &env->slots[slot.index];
}

static bool evaluate_name(am_jinja *j, const am_jnode *node, am_jenv *env, am_jvalue *out)
{
    *out = *am_jslot_of(env, node->name.slot);
    if (out->kind != AM_J_MISSING) return true;
    am_jvalue name = {.kind = AM_J_STRING, .string = node->name.name};
    return am_jundefined_make(j, (am_jundefined){.name = name}, out);
}

/* Line of a node, from 1. */
static size_t line_of(const am_jinja *j, const am_jnode *node)
{
    size_t line = 1;
    for (size_t i = 0; i < node->offset; i++) line += j->run->source[i] == '\n';
    return line;
}

static bool evaluate_condition(am_jinja *j, const am_jnode *node, am_jenv *env, am_jvalue *out)
{
    am_jvalue test;
    if (!am_jevaluate(j, node->condition.test, env, &test)) return false;
    if (am_jvalue_true(test)) return am_jevaluate(j, node->condition.yes, env, out);
    if (node->condition.no) return am_jevaluate(j, node->condition.no, env, out);
    am_jtext hint = {.j = j};
    am_jtext_printf(&hint, "the inline if-expression on line %zu evaluated to false and no else section was defined.",
                    line_of(j, node));
    return am_jundefined_make(j, (am_jundefined){.hint = am_jtext_string(&hint)}, out);
}

static bool evaluate_logical(am_jinja *j, const am_jnode *node, am_jenv *env, am_jvalue *out)
{
    if (!am_jevaluate(j, node->binary.left, env, out)) return false;
    bool is_or = node->kind == AM_N_OR;
    return am_jvalue_true(*out) == is_or || am_jevaluate(j, node->binary.right, env, out);
}

static bool evaluate_not(am_jinja *j, const am_jnode *node, am_jenv *env, am_jvalue *out)
{
    am_jvalue value;
    if (!am_jevaluate(j, node->binary.left, env, &value)) return false;
    *out = am_jbool(!am_jvalue_true(value));
    return true;
}

static bool compare(am_jinja *j, am_jtoken_kind operator, am_jvalue a, am_jvalue b, bool *out)
{
    bool inverted = operator== AM_T_NE || operator== AM_T_END; /* !=, not in */
    bool ok = operator== AM_T_NAME || operator== AM_T_END ? am_jcontains(j, b, a, out) :
              operator== AM_T_EQ || operator== AM_T_NE
                  ? am_jvalue_equal(j, a, b, out)
                  : am_jvalue_compare(j, am_jtoken_describe_kind(operator), a, b, out);
    if (inverted) *out = !*out;
    return ok;
}

static bool evaluate_compare(am_jinja *j, const am_jnode *node, am_jenv *env, am_jvalue *out)
{
    am_jvalue left, right;
    bool holds = true;
    if (!am_jevaluate(j, node->compare.first, env, &left)) return false;
    for (size_t i = 0; holds && i < node->compare.rest.count; i++) {
        if (!am_jevaluate(j, node->compare.rest.items[i], env, &right)) return false;
        if (!compare(j, node->compare.operators[i], left, right, &holds)) return false;
        left = right;
    }
    *out = am_jbool(holds);
    return true;
}

static bool evaluate_binary(am_jinja *j, const am_jnode *node, am_jenv *env, am_jvalue *out)
{
    am_jvalue a, b;
    return am_jevaluate(j, node->binary.left, env, &a) && am_jevaluate(j, node->binary.right, env, &b) &&
           am_jbinary(j, node->binary.operator, a, b, out);
}

static bool evaluate_unary(am_jinja *j, const am_jnode *node, am_jenv *env, am_jvalue *out)
{
    am_jvalue a;
    return am_jevaluate(j, node->binary.left, env, &a) && am_junary(j, node->binary.operator, a, out);
}

static bool evaluate_concat(am_jinja *j, const am_jnode *node, am_jenv *env, am_jvalue *out)
{
    am_jvalue list, part;
    if (!evaluate_list(j, &node->list, env, AM_J_TUPLE, &list)) return false;
    if (!am_jvalue_to_string(j, list.list->items[0], out)) return false;
    for (size_t i = 1; i < list.list->count; i++) {
        if (!am_jvalue_to_string(j, list.list->items[i], &part)) return false;
        if (!am_jstring_concat(j, out->string, part.string, out)) return false;
    }
    return true;
}

static bool evaluate_attribute(am_jinja *j, const am_jnode *node, am_jenv *env, am_jvalue *out)
{
    am_jvalue object, name = {.kind = AM_J_STRING, .string = node->item.name};
    return am_jevaluate(j, node->item.object, env, &object) && am_jgetattr(j, object, name, out);
}

static bool evaluate_part(am_jinja *j, const am_jnode *node, am_jenv *env, am_jvalue *out)
{
    *out = am_jnone();
    return !node || am_jevaluate(j, node, env, out);
}

static bool evaluate_item(am_jinja *j, const am_jnode *node, am_jenv *env, am_jvalue *out)
{
    am_jvalue object, index, stop, step;
    const am_jnode *slice = node->item.index;
    if (!am_jevaluate(j, node->item.object, env, &object)) return false;
    if (slice->kind != AM_N_SLICE) return am_jevaluate(j, slice, env, &index) && am_jgetitem(j, object, index, out);
    return evaluate_part(j, slice->slice.start, env, &index) && evaluate_part(j, slice->slice.stop, env, &stop) &&
           evaluate_part(j, slice->slice.step, env, &step) && am_jslice(j, object, index, stop, step, out);
}

static bool evaluate_call(am_jinja *j, const am_jnode *node, am_jenv *env, am_jvalue *out)
{
    am_jvalue callee;
    am_jarguments arguments;
    return am_jevaluate(j, node->call.callee, env, &callee) &&
           am_jevaluate_arguments(j, &node->call.arguments, env, &arguments) &&
           am_jvalue_call(j, callee, &arguments, out);
}

static bool apply_routine(am_jinja *j, const am_jnode *node, am_jenv *env, am_jvalue input, am_jvalue *out)
{
    am_jarguments arguments;
    if (!am_jevaluate_arguments(j, &node->filter.arguments, env, &arguments)) return false;
    if (node->filter.routine) return am_jroutine_apply(j, node->filter.routine, input, &arguments, out);
    return am_jfail(j, "TemplateRuntimeError", "No %s named %s found.", node->kind == AM_N_FILTER ? "filter" : "test",
                    am_jrepr_text(j, (am_jvalue){.kind = AM_J_STRING, .string = node->filter.name}));
}

bool am_jevaluate_filters(am_jinja *j, const am_jnode *node, am_jenv *env, am_jvalue input, am_jvalue *out)
{
    if (!am_jcharge(j, 1) || !am_jenter(j)) return false;
    bool ok = !node->filter.input || am_jevaluate_filters(j, node->filter.input, env, input, &input);
    ok = ok && apply_routine(j, node, env, input, out);
    am_jleave(j);
    if (!ok) am_jfail_at(j, node->offset);
    return ok;
}

static bool evaluate_filter(am_jinja *j, const am_jnode *node, am_jenv *env, am_jvalue *out)
{
    am_jvalue input;
    return am_jevaluate(j, node->filter.input, env, &input) && apply_routine(j, node, env, input, out);
}

static bool evaluate_kind(am_jinja *j, const am_jnode *node, am_jenv *env, am_jvalue *out)
{
    switch (node->kind) {
    case AM_N_DATA:
    case AM_N_CONST:
        *out = node->constant;
        return true;
    case AM_N_NAME:
        return evaluate_name(j, node, env, out);
    case AM_N_TUPLE:
        return evaluate_list(j, &node->list, env, AM_J_TUPLE, out);
    case AM_N_LIST:
        return evaluate_list(j, &node->list, env, AM_J_LIST, out);
    case AM_N_DICT:
        return evaluate_dict(j, node, env, out);
    case AM_N_CONDITION:
        return evaluate_condition(j, node, env, out);
    case AM_N_OR:
    case AM_N_AND:
        return evaluate_logical(j, node, env, out);
    case AM_N_NOT:
        return evaluate_not(j, node, env, out);
    case AM_N_COMPARE:
        return evaluate_compare(j, node, env, out);
    case AM_N_BINARY:
        return evaluate_binary(j, node, env, out);
    case AM_N_UNARY:
        return evaluate_unary(j, node, env, out);
    case AM_N_CONCAT:
        return evaluate_concat(j, node, env, out);
    case AM_N_ATTRIBUTE:
        return evaluate_attribute(j, node, env, out);
    case AM_N_ITEM:
        return evaluate_item(j, node, env, out);
    case AM_N_CALL:
        return evaluate_call(j, node, env, out);
    case AM_N_FILTER:
    case AM_N_TEST:
        return evaluate_filter(j, node, env, out);
    default:
        return am_jfail(j, "SyntaxError", "invalid syntax"); /* a slice beside other indices */
    }
}

bool am_jevaluate(am_jinja *j, const am_jnode *node, am_jenv *env, am_jvalue *out)
{
    bool ok = am_jcharge(j, 1) && am_jenter(j);
    if (ok) {
        ok = evaluate_kind(j, node, env, out);
        am_jleave(j);
    }
    if (!ok) am_jfail_at(j, node->offset);
    return ok;
}

/* ---- arguments ---- */

typedef struct named_items {
    am_jitems names, values;
} named_items;

static bool push_named(am_jinja *j, named_items *named, am_jvalue name, am_jvalue value)
{
    for (size_t i = 0; i < named->names.count; i++)
        if (am_jstring_equals(named->names.items[i].string, name.string))
            return am_jfail(j, "TypeError", "got multiple values for keyword argument %s", am_jrepr_text(j, name));
    return am_jitems_push(j, &named->names, name) && am_jitems_push(j, &named->values, value);
}

/* **value */
static bool push_mapping(am_jinja *j, am_jvalue value, named_items *named)
{
    if (value.kind != AM_J_DICT)
        return am_jfail(j, "TypeError",
                        "jinja2.sandbox.SandboxedEnvironment.call() argument after ** must be a mapping, not %s",
                        am_jvalue_type(value));
    for (size_t i = 0; i < value.dict->count; i++) {
        const am_jentry *entry = &value.dict->entries[i];
        if (entry->key.kind != AM_J_STRING) return am_jfail(j, "TypeError", "keywords must be strings");
        if (!am_jcharge(j, 1) || !push_named(j, named, entry->key, entry->value)) return false;
    }
    return true;
}

/* *value */
static bool push_iterable(am_jinja *j, am_jvalue value, am_jitems *positional)
{
    if (!am_jvalue_is_iterable(value))
        return am_jfail(j, "TypeError", "Value after * must be an iterable, not %s", am_jvalue_type(value));
    return am_jcollect(j, value, positional);
}

bool am_jevaluate_arguments(am_jinja *j, const am_jarguments_node *node, am_jenv *env, am_jarguments *out)
{
    am_jitems positional = {0};
    named_items named = {0};
    am_jvalue value;
    for (size_t i = 0; i < node->positional.count; i++)
        if (!am_jevaluate(j, node->positional.items[i], env, &value) || !am_jitems_push(j, &positional, value))
            return false;
    for (size_t i = 0; i < node->named.count; i++) {
        am_jvalue name = {.kind = AM_J_STRING, .string = node->names[i]};
        if (!am_jevaluate(j, node->named.items[i], env, &value) || !push_named(j, &named, name, value)) return false;
    }
    if (node->star && (!am_jevaluate(j, node->star, env, &value) || !push_iterable(j, value, &positional)))
        return false;
    if (node->star_star && (!am_jevaluate(j, node->star_star, env, &value) || !push_mapping(j, value, &named)))
        return false;
    const am_jstring **names = am_jarray(j, named.names.count, sizeof *names);
    if (!names) return false;
    for (size_t i = 0; i < named.names.count; i++) names[i] = named.names.items[i].string;
    *out = (am_jarguments){positional.items, positional.count, names, named.values.items, named.names.count};
    return true;
}
