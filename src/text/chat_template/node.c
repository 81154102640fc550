#include "text/chat_template/node.h"

#include <string.h>

bool am_jnodes_push(am_jinja *j, am_jnodes *list, am_jnode *node)
{
    if (!node) return false;
    if (list->count == list->capacity) {
        size_t capacity = list->capacity ? list->capacity * 2 : 4;
        am_jnode **grown = am_jarray(j, capacity, sizeof *grown);
        if (!grown) return false;
        if (list->count) memcpy(grown, list->items, list->count * sizeof *grown);
        list->items = grown;
        list->capacity = capacity;
    }
    list->items[list->count++] = node;
    return true;
}

static bool one(am_jnode *node, am_jvisit visit, void *context)
{
    return !node || visit(context, node);
}

static bool all(const am_jnodes *list, am_jvisit visit, void *context)
{
    for (size_t i = 0; i < list->count; i++)
        if (!visit(context, list->items[i])) return false;
    return true;
}

static bool arguments(const am_jarguments_node *node, am_jvisit visit, void *context)
{
    return all(&node->positional, visit, context) && all(&node->named, visit, context) &&
           one(node->star, visit, context) && one(node->star_star, visit, context);
}

static bool pairs(const am_jnodes *keys, const am_jnodes *values, am_jvisit visit, void *context)
{
    for (size_t i = 0; i < keys->count; i++)
        if (!visit(context, keys->items[i]) || !visit(context, values->items[i])) return false;
    return true;
}

static bool branches(am_jnode *node, am_jvisit visit, void *context)
{
    for (size_t i = 0; i < node->branches.tests.count; i++)
        if (!visit(context, node->branches.tests.items[i]) || !all(&node->branches.bodies[i], visit, context))
            return false;
    return all(&node->branches.otherwise, visit, context);
}

static bool macro(am_jnode *node, am_jvisit visit, void *context)
{
    const am_jmacro_node *m = &node->macro.macro;
    return one(node->macro.call, visit, context) && all(&m->parameters, visit, context) &&
           all(&m->defaults, visit, context) && all(&m->body, visit, context);
}

bool am_jnode_children(am_jnode *node, am_jvisit visit, void *context)
{
    switch (node->kind) {
    case AM_N_CONST:
    case AM_N_NAME:
    case AM_N_NAMESPACE:
    case AM_N_DATA:
    case AM_N_BREAK:
    case AM_N_CONTINUE:
        return true;
    case AM_N_TUPLE:
    case AM_N_LIST:
    case AM_N_CONCAT:
    case AM_N_OUTPUT:
        return all(&node->list, visit, context);
    case AM_N_DICT:
        return pairs(&node->dict.keys, &node->dict.values, visit, context);
    case AM_N_CONDITION:
        return one(node->condition.test, visit, context) && one(node->condition.yes, visit, context) &&
               one(node->condition.no, visit, context);
    case AM_N_OR:
    case AM_N_AND:
    case AM_N_NOT:
    case AM_N_BINARY:
    case AM_N_UNARY:
        return one(node->binary.left, visit, context) && one(node->binary.right, visit, context);
    case AM_N_COMPARE:
        return one(node->compare.first, visit, context) && all(&node->compare.rest, visit, context);
    case AM_N_ATTRIBUTE:
    case AM_N_ITEM:
        return one(node->item.object, visit, context) && one(node->item.index, visit, context);
    case AM_N_SLICE:
        return one(node->slice.start, visit, context) && one(node->slice.stop, visit, context) &&
               one(node->slice.step, visit, context);
    case AM_N_CALL:
        return one(node->call.callee, visit, context) && arguments(&node->call.arguments, visit, context);
    case AM_N_FILTER:
    case AM_N_TEST:
        return one(node->filter.input, visit, context) && arguments(&node->filter.arguments, visit, context);
    case AM_N_FOR:
        return one(node->loop.target, visit, context) && one(node->loop.iterable, visit, context) &&
               all(&node->loop.body, visit, context) && all(&node->loop.otherwise, visit, context) &&
               one(node->loop.test, visit, context);
    case AM_N_IF:
        return branches(node, visit, context);
    case AM_N_MACRO:
    case AM_N_CALL_BLOCK:
    case AM_N_GENERATION:
        return macro(node, visit, context);
    case AM_N_FILTER_BLOCK:
        return all(&node->set.body, visit, context) && one(node->set.value, visit, context);
    case AM_N_WITH:
        return all(&node->with.targets, visit, context) && all(&node->with.values, visit, context) &&
               all(&node->with.body, visit, context);
    case AM_N_SET:
        return one(node->set.target, visit, context) && one(node->set.value, visit, context);
    case AM_N_SET_BLOCK:
        return one(node->set.target, visit, context) && one(node->set.value, visit, context) &&
               all(&node->set.body, visit, context);
    case AM_N_BLOCK:
        return all(&node->block.body, visit, context);
    case AM_N_OTHER_TEMPLATE:
        return one(node->set.value, visit, context);
    }
    return true;
}
