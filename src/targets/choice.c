#include "targets/choice.h"

#include "base/warning.h"

#include <stdlib.h>
#include <string.h>

static const char *const policy_names[] = {"auto", "prefer", "require"};

const char *am_target_policy_name(am_target_policy policy)
{
    return policy_names[policy];
}

/* What was asked for, and where it was said. */
typedef struct wish {
    const char *text, *source;
    bool is_group; /* any one of them will do, even under require */
} wish;

static const char *set_variable(const char *name)
{
    const char *value = getenv(name);
    return value && *value ? value : NULL;
}

/* Whether USE_MOJO_MAX_TARGET says yes. */
static am_status read_switch(bool *out)
{
    static const char *const yes[] = {"1", "true", "yes"}, *const no[] = {"0", "false", "no"};
    const char *text = set_variable("USE_MOJO_MAX_TARGET");
    *out = false;
    if (!text) return NULL;
    for (size_t i = 0; i < sizeof yes / sizeof yes[0]; i++) {
        if (strcmp(text, no[i]) == 0) return NULL;
        *out = *out || strcmp(text, yes[i]) == 0;
    }
    if (*out) return NULL;
    return am_error(AM_INVALID_ARGUMENT, "USE_MOJO_MAX_TARGET is \"%s\", expected 1, true, yes, 0, false or no", text);
}

static am_status find_wish(const char *target, wish *out)
{
    const char *variable = set_variable("ANYMODEL_TARGET");
    bool modular;
    *out = (wish){.text = "auto", .source = "the default"};
    if (target) *out = (wish){.text = target, .source = "target"};
    else if (variable) *out = (wish){.text = variable, .source = "ANYMODEL_TARGET"};
    else {
        AM_TRY(read_switch(&modular));
        if (modular) *out = (wish){.text = "max,mojo", .source = "USE_MOJO_MAX_TARGET", .is_group = true};
    }
    return NULL;
}

static am_status read_policy(const char *text, const wish *wanted, am_target_policy *out)
{
    const char *source = "target policy";
    bool is_auto = strcmp(wanted->text, "auto") == 0;
    if (!text) {
        source = "ANYMODEL_TARGET_POLICY";
        text = set_variable(source);
    }
    *out = is_auto ? AM_TARGET_AUTO : AM_TARGET_PREFER;
    if (!text) return NULL;
    int i = 0;
    while (i <= AM_TARGET_REQUIRE && strcmp(text, policy_names[i]) != 0) i++;
    if (i > AM_TARGET_REQUIRE)
        return am_error(AM_INVALID_ARGUMENT, "%s \"%s\" does not exist; there are require, prefer and auto", source,
                        text);
    if (is_auto && i == AM_TARGET_REQUIRE)
        return am_error(AM_INVALID_ARGUMENT, "%s \"require\" needs a target that is required", source);
    if (!is_auto) *out = (am_target_policy)i;
    return NULL;
}

static am_status unknown_target(const wish *wanted, const char *name, size_t length)
{
    am_buffer names = {0};
    for (const am_target *const *t = am_target_registry; *t; t++) am_buffer_printf(&names, "%s, ", (*t)->name);
    am_status status = am_error(AM_INVALID_ARGUMENT, "%s: there is no target \"%.*s\"; there are %sand auto",
                                wanted->source, (int)(length < 100 ? length : 100), name, am_buffer_text(&names));
    am_buffer_deinit(&names);
    return status;
}

/* One name of the list, with its device. */
static am_status read_pick(const wish *wanted, const char *text, size_t length, am_target_pick *out)
{
    const char *colon = memchr(text, ':', length);
    size_t name_length = colon ? (size_t)(colon - text) : length, device_length = length - name_length;
    *out = (am_target_pick){.target = am_target_find(text, name_length)};
    if (!out->target) return unknown_target(wanted, text, name_length);
    if (!colon) return NULL;
    if (--device_length == 0 || device_length >= sizeof out->device)
        return am_error(AM_INVALID_ARGUMENT, "%s: \"%.*s\" names no device after the colon", wanted->source,
                        (int)(length < 100 ? length : 100), text);
    memcpy(out->device, colon + 1, device_length);
    return NULL;
}

/* Takes the target if it is here and can run graphs; else says why not. Of a group the first reason is kept for when
   none is here. */
static am_status take_pick(const wish *wanted, const am_target_pick *pick, am_target_choice *choice, am_reason *first)
{
    am_target_report report = {0};
    am_reason why;
    pick->target->probe(&report);
    if (report.present && pick->target->supports) {
        choice->picks[choice->count++] = *pick;
        return NULL;
    }
    if (report.present) am_reason_no(&why, "this version has no lowering of graphs for it");
    else
        am_reason_no(&why, "%.250s%s%.250s", report.reason.text, report.remedy.text[0] ? "; " : "", report.remedy.text);
    if (wanted->is_group) {
        if (!first->text[0]) *first = why;
        return NULL;
    }
    if (choice->policy == AM_TARGET_REQUIRE)
        return am_error(AM_UNAVAILABLE, "target %s is not available: %s", pick->target->name, why.text);
    am_warn("target %s is not available: %s", pick->target->name, why.text);
    return NULL;
}

/* One line for the whole group. */
static am_status miss_group(const wish *wanted, const am_target_choice *choice, const am_reason *why)
{
    am_status status = am_error(AM_UNAVAILABLE, "%s asks for one of %s, and none is available: %s", wanted->source,
                                wanted->text, why->text);
    if (choice->policy == AM_TARGET_REQUIRE) return status;
    am_warn("%s", am_status_message(status));
    am_status_free(status);
    return NULL;
}

static am_status read_picks(const wish *wanted, am_target_choice *choice)
{
    am_reason why = {0};
    if (!*wanted->text) return unknown_target(wanted, "", 0);
    for (const char *at = wanted->text; *at;) {
        am_target_pick pick;
        size_t length = strcspn(at, ",");
        AM_TRY(read_pick(wanted, at, length, &pick));
        for (int i = 0; i < choice->count; i++)
            if (choice->picks[i].target == pick.target)
                return am_error(AM_INVALID_ARGUMENT, "%s: %s is named twice", wanted->source, pick.target->name);
        if (choice->count == AM_TARGET_LIMIT - 1) return unknown_target(wanted, at, length);
        AM_TRY(take_pick(wanted, &pick, choice, &why));
        at += length + (at[length] == ',');
    }
    return choice->count == 0 && wanted->is_group ? miss_group(wanted, choice, &why) : NULL;
}

/* Every target that can run graphs. Whether it is here is asked when a graph has become worth it, not at every start.
 */
static void take_all(am_target_choice *choice)
{
    for (const am_target *const *t = am_target_registry; *t; t++)
        if ((*t)->supports && strcmp((*t)->name, "cpu") != 0)
            choice->picks[choice->count++] = (am_target_pick){.target = *t};
}

am_status am_target_choose(const char *target, const char *policy, am_target_choice *out)
{
    wish wanted;
    *out = (am_target_choice){0};
    AM_TRY(find_wish(target, &wanted));
    AM_TRY(read_policy(policy, &wanted, &out->policy));
    out->allow_untested = set_variable("ANYMODEL_ALLOW_UNTESTED") != NULL;
    if (strcmp(wanted.text, "auto") == 0) take_all(out);
    else AM_TRY(read_picks(&wanted, out));
    return NULL;
}
