/* Copy this folder to src/targets/NAME and rename what says `template`: that is a target. It is found by the build,
   listed by `anymodel targets`, and asked about every node. As it stands it takes none, so everything runs on the cpu
   and every answer is right; taking an op is a row in `supports` and what `create` makes of it.

   openvino/ shows one that gives whole graphs to a library; mojo/ one that has kernels of its own. */
#include "targets/target.h"

/* Looks at files and device nodes only: is what the target needs on this machine? */
static void probe(am_target_report *out)
{
    out->present = true; /* else say why not, and how to get it: */
    am_reason_no(&out->reason, "%s", "");
    am_reason_no(&out->remedy, "%s", "");
}

static bool supports(const am_graph *graph, const am_node *node, am_reason *why)
{
    (void)graph;
    return am_reason_no(why, "the template has no lowering of %s", am_op_of(node->op)->name);
}

/* Gets graphs of nodes for which `supports` said yes. */
static am_status create(const am_graph *graph, const am_target_options *options, void **out)
{
    (void)graph;
    (void)options;
    *out = NULL;
    return am_error(AM_UNSUPPORTED, "the template makes no programs");
}

static void destroy(void *program)
{
    (void)program;
}

static am_status run(void *program, const am_tensor *inputs, void *const *states)
{
    (void)program;
    (void)inputs;
    (void)states;
    return am_error(AM_UNSUPPORTED, "the template runs nothing");
}

static am_tensor output(const void *program, int i)
{
    (void)program;
    (void)i;
    return (am_tensor){0};
}

static size_t bytes(const void *program)
{
    (void)program;
    return 0;
}

const am_target am_target_template = {
    .name = "template",
    .summary = "takes nothing: the beginning of a target",
    .probe = probe,
    .supports = supports,
    .create = create,
    .destroy = destroy,
    .run = run,
    .output = output,
    .bytes = bytes,
};
