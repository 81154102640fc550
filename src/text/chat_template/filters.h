/* Filters of Jinja2 (jinja2/filters.py), in groups; filters.c has the table. */
#ifndef AM_TEXT_CHAT_TEMPLATE_FILTERS_H
#define AM_TEXT_CHAT_TEMPLATE_FILTERS_H

#include "text/chat_template/evaluate.h"

typedef bool am_jfilter(am_jinja *j, const am_jcall *c, am_jvalue *out);

/* filters_text.c */
am_jfilter am_jfilter_upper, am_jfilter_lower, am_jfilter_title, am_jfilter_capitalize, am_jfilter_trim,
    am_jfilter_replace, am_jfilter_indent, am_jfilter_truncate, am_jfilter_center, am_jfilter_wordcount,
    am_jfilter_string, am_jfilter_format, am_jfilter_tojson, am_jfilter_pprint, am_jfilter_join;

/* filters_html.c */
am_jfilter am_jfilter_escape, am_jfilter_forceescape, am_jfilter_safe, am_jfilter_striptags, am_jfilter_urlencode,
    am_jfilter_xmlattr;

/* filters_urlize.c, filters_wordwrap.c */
am_jfilter am_jfilter_urlize, am_jfilter_wordwrap;

/* filters_number.c */
am_jfilter am_jfilter_int, am_jfilter_float, am_jfilter_round, am_jfilter_abs, am_jfilter_filesizeformat,
    am_jfilter_sum, am_jfilter_min, am_jfilter_max;

/* filters_sequence.c */
am_jfilter am_jfilter_first, am_jfilter_last, am_jfilter_length, am_jfilter_list, am_jfilter_sort, am_jfilter_unique,
    am_jfilter_reverse, am_jfilter_map, am_jfilter_select, am_jfilter_batch, am_jfilter_slice, am_jfilter_groupby,
    am_jfilter_dictsort, am_jfilter_items, am_jfilter_default, am_jfilter_attr;

/* `a, b = value` */
bool am_junpack_two(am_jinja *j, am_jvalue value, am_jitems *out);

/* What the `attribute` argument of a filter looks up: "a.b.0" in steps, an integer, or the item itself. */
typedef struct am_jpath {
    am_jvalue *steps;
    size_t count;
    am_jvalue fallback; /* for undefined steps; MISSING or none: none */
    bool ignore_case;   /* strings are lowered in the end */
} am_jpath;

bool am_jpath_make(am_jinja *j, am_jvalue attribute, bool ignore_case, am_jpath *out);
bool am_jpath_get(am_jinja *j, const am_jpath *path, am_jvalue item, am_jvalue *out);

#endif
