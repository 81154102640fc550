#include "text/chat_template/filters.h"

/* What depends on chance is known but refused. */
static bool refused(am_jinja *j, const am_jcall *c, am_jvalue *out)
{
    (void)out;
    return am_jfail_code(j, AM_UNSUPPORTED, "NotImplementedError", "the filter %s is not supported in chat templates",
                         c->routine->name);
}

static const am_jroutine filters[] = {
    {"abs", am_jfilter_abs, "/x", "abs"},
    {"attr", am_jfilter_attr, "@obj name", "do_attr"},
    {"batch", am_jfilter_batch, "value linecount fill_with?", "do_batch"},
    {"capitalize", am_jfilter_capitalize, "s", "do_capitalize"},
    {"center", am_jfilter_center, "value width?", "do_center"},
    {"count", am_jfilter_length, "/obj", "len"},
    {"d", am_jfilter_default, "value default_value? boolean?", "do_default"},
    {"default", am_jfilter_default, "value default_value? boolean?", "do_default"},
    {"dictsort", am_jfilter_dictsort, "value case_sensitive? by? reverse?", "do_dictsort"},
    {"e", am_jfilter_escape, "/s", "escape"},
    {"escape", am_jfilter_escape, "/s", "escape"},
    {"filesizeformat", am_jfilter_filesizeformat, "value binary?", "do_filesizeformat"},
    {"first", am_jfilter_first, "@seq", "sync_do_first"},
    {"float", am_jfilter_float, "value default?", "do_float"},
    {"forceescape", am_jfilter_forceescape, "value", "do_forceescape"},
    {"format", am_jfilter_format, "*", "do_format"},
    {"groupby", am_jfilter_groupby, "@value attribute default? case_sensitive?", "sync_do_groupby"},
    {"indent", am_jfilter_indent, "s width? first? blank?", "do_indent"},
    {"int", am_jfilter_int, "value default? base?", "do_int"},
    {"items", am_jfilter_items, "value", "do_items"},
    {"join", am_jfilter_join, "@value d? attribute?", "sync_do_join"},
    {"last", am_jfilter_last, "@seq", "do_last"},
    {"length", am_jfilter_length, "/obj", "len"},
    {"list", am_jfilter_list, "value", "sync_do_list"},
    {"lower", am_jfilter_lower, "s", "do_lower"},
    {"map", am_jfilter_map, "*", "sync_do_map"},
    {"max", am_jfilter_max, "@value case_sensitive? attribute?", "do_max"},
    {"min", am_jfilter_min, "@value case_sensitive? attribute?", "do_min"},
    {"pprint", am_jfilter_pprint, "value", "do_pprint"},
    {"random", refused, "*", "do_random"},
    {"reject", am_jfilter_select, "*", "sync_do_reject"},
    {"rejectattr", am_jfilter_select, "*", "sync_do_rejectattr"},
    {"replace", am_jfilter_replace, "@s old new count?", "do_replace"},
    {"reverse", am_jfilter_reverse, "value", "do_reverse"},
    {"round", am_jfilter_round, "value precision? method?", "do_round"},
    {"safe", am_jfilter_safe, "value", "do_mark_safe"},
    {"select", am_jfilter_select, "*", "sync_do_select"},
    {"selectattr", am_jfilter_select, "*", "sync_do_selectattr"},
    {"slice", am_jfilter_slice, "value slices fill_with?", "sync_do_slice"},
    {"sort", am_jfilter_sort, "@value reverse? case_sensitive? attribute?", "do_sort"},
    {"string", am_jfilter_string, "/s", "soft_str"},
    {"striptags", am_jfilter_striptags, "value", "do_striptags"},
    {"sum", am_jfilter_sum, "@iterable attribute? start?", "sync_do_sum"},
    {"title", am_jfilter_title, "s", "do_title"},
    {"tojson", am_jfilter_tojson, "x ensure_ascii? indent? separators? sort_keys?",
     "_cached_compile_jinja_template.<locals>.tojson"},
    {"trim", am_jfilter_trim, "value chars?", "do_trim"},
    {"truncate", am_jfilter_truncate, "@s length? killwords? end? leeway?", "do_truncate"},
    {"unique", am_jfilter_unique, "@value case_sensitive? attribute?", "sync_do_unique"},
    {"upper", am_jfilter_upper, "s", "do_upper"},
    {"urlencode", am_jfilter_urlencode, "value", "do_urlencode"},
    {"urlize", am_jfilter_urlize, "@value trim_url_limit? nofollow? target? rel? extra_schemes?", "do_urlize"},
    {"wordcount", am_jfilter_wordcount, "s", "do_wordcount"},
    {"wordwrap", am_jfilter_wordwrap, "@s width? break_long_words? wrapstring? break_on_hyphens?", "do_wordwrap"},
    {"xmlattr", am_jfilter_xmlattr, "@d autospace?", "do_xmlattr"},
};

const am_jroutine *am_jfilter_find(const am_jstring *name)
{
    return am_jroutine_find(filters, sizeof filters / sizeof *filters, name);
}
