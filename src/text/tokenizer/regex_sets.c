#include "text/tokenizer/regex_sets.h"

#include "text/tokenizer/regex_tables.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include <utf8proc.h>

#define WORD "\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}"

const char am_regex_word[] = WORD "\\x{b2}\\x{b3}\\x{b9}\\x{bc}-\\x{be}";
const char am_regex_word_in_brackets[] = WORD;
const char am_regex_space[] =
    "\\x{9}-\\x{d}\\x{20}\\x{85}\\x{a0}\\x{1680}\\x{2000}-\\x{200a}\\x{2028}\\x{2029}\\x{202f}"
    "\\x{205f}\\x{3000}";

/* Names of Oniguruma with what belongs into PCRE2's brackets, lower case, without spaces, '_' and '-'. */
static const char *const properties[][2] = {
    {"alpha", "\\p{Alphabetic}"},
    {"alphabetic", "\\p{Alphabetic}"},
    {"alnum", "\\p{Alphabetic}\\p{Nd}"},
    {"digit", "\\p{Nd}"},
    {"upper", "\\p{Uppercase}"},
    {"lower", "\\p{Lowercase}"},
    {"uppercase", "\\p{Uppercase}"},
    {"lowercase", "\\p{Lowercase}"},
    {"punct", "\\p{P}"},
    {"cntrl", "\\p{Cc}"},
    {"blank", "\\x{9}\\p{Zs}"},
    {"xdigit", "0-9A-Fa-f"},
    {"ascii", "\\x{0}-\\x{7f}"},
    {"any", "\\x{0}-\\x{10ffff}"},
    {"letter", "\\p{L}"},
    {"uppercaseletter", "\\p{Lu}"},
    {"lowercaseletter", "\\p{Ll}"},
    {"titlecaseletter", "\\p{Lt}"},
    {"casedletter", "\\p{Lu}\\p{Ll}\\p{Lt}"},
    {"lc", "\\p{Lu}\\p{Ll}\\p{Lt}"},
    {"modifierletter", "\\p{Lm}"},
    {"otherletter", "\\p{Lo}"},
    {"mark", "\\p{M}"},
    {"combiningmark", "\\p{M}"},
    {"nonspacingmark", "\\p{Mn}"},
    {"spacingmark", "\\p{Mc}"},
    {"enclosingmark", "\\p{Me}"},
    {"number", "\\p{N}"},
    {"decimalnumber", "\\p{Nd}"},
    {"letternumber", "\\p{Nl}"},
    {"othernumber", "\\p{No}"},
    {"punctuation", "\\p{P}"},
    {"connectorpunctuation", "\\p{Pc}"},
    {"dashpunctuation", "\\p{Pd}"},
    {"openpunctuation", "\\p{Ps}"},
    {"closepunctuation", "\\p{Pe}"},
    {"initialpunctuation", "\\p{Pi}"},
    {"finalpunctuation", "\\p{Pf}"},
    {"otherpunctuation", "\\p{Po}"},
    {"symbol", "\\p{S}"},
    {"mathsymbol", "\\p{Sm}"},
    {"currencysymbol", "\\p{Sc}"},
    {"modifiersymbol", "\\p{Sk}"},
    {"othersymbol", "\\p{So}"},
    {"separator", "\\p{Z}"},
    {"spaceseparator", "\\p{Zs}"},
    {"lineseparator", "\\p{Zl}"},
    {"paragraphseparator", "\\p{Zp}"},
    {"other", "\\p{C}"},
    {"control", "\\p{Cc}"},
    {"format", "\\p{Cf}"},
    {"privateuse", "\\p{Co}"},
    {"unassigned", "\\p{Cn}"},
    {"inbasiclatin", "\\x{0}-\\x{7f}"},
    {"incjkunifiedideographs", "\\x{4e00}-\\x{9fff}"},
};

/* Whether code points of a category belong to a set that is written like those above. */
static bool set_has(const char *set, const char *category)
{
    char whole[8], general[8];
    snprintf(whole, sizeof whole, "\\p{%s}", category);
    snprintf(general, sizeof general, "\\p{%c}", category[0]);
    return strstr(set, whole) || strstr(set, general) ||
           (strcmp(category, "Lu") == 0 && strstr(set, "\\p{Uppercase}")) ||
           (strcmp(category, "Ll") == 0 && strstr(set, "\\p{Lowercase}"));
}

/* Adds the code points that Unicode 15 and 16 put into a set. */
static void put_new_ranges(const char *set, am_buffer *out, bool *is_rare)
{
    am_new_range range;
    for (size_t i = 0; am_char_new_range(i, &range); i++) {
        bool inside = (range.han && strstr(set, "\\p{sc:Han}")) ||
                      (range.alphabetic && strstr(set, "\\p{Alphabetic}")) ||
                      (range.category[0] && set_has(set, range.category));
        if (inside) am_buffer_printf(out, "\\x{%x}-\\x{%x}", (unsigned)range.first, (unsigned)range.last);
    }
    for (size_t i = 0; i < sizeof set_additions / sizeof set_additions[0]; i++) {
        const set_addition *a = &set_additions[i];
        if (!strstr(set, a->set)) continue;
        for (size_t k = 0; k < a->count; k++)
            am_buffer_printf(out, "\\x{%x}-\\x{%x}", (unsigned)a->ranges[k][0], (unsigned)a->ranges[k][1]);
        *is_rare = true;
    }
}

/* What no version up to 16 has assigned; planes 4 to 13 are empty. */
static void put_unassigned(am_buffer *out)
{
    am_buffer_append_string(out, "\\x{40000}-\\x{dffff}");
    for (uint32_t c = 0, first = UINT32_MAX; c <= 0xE1000; c = c == 0x3FFFF ? 0xE0000 : c + 1) {
        bool inside =
            c < 0xE1000 && utf8proc_category((utf8proc_int32_t)c) == UTF8PROC_CATEGORY_CN && !am_char_is_younger(c);
        if (inside && first == UINT32_MAX) first = c;
        if (first != UINT32_MAX && (!inside || c == 0x3FFFF)) {
            am_buffer_printf(out, "\\x{%x}-\\x{%x}", (unsigned)first, (unsigned)(inside ? c : c - 1));
            first = UINT32_MAX;
        }
    }
    am_buffer_append_string(out, "\\x{e1000}-\\x{effff}\\x{ffffe}\\x{fffff}\\x{10fffe}\\x{10ffff}");
}

void am_regex_put_set(const char *set, bool exact, am_buffer *out, bool *is_rare)
{
    bool is_other = strcmp(set, "\\p{C}") == 0;
    if (exact && (is_other || strcmp(set, "\\p{Cn}") == 0)) {
        if (is_other) am_buffer_append_string(out, "\\p{Cc}\\p{Co}\\p{Cs}");
        if (is_other) am_regex_put_set("\\p{Cf}", true, out, is_rare);
        put_unassigned(out);
        return;
    }
    am_buffer_append_string(out, set);
    if (exact) put_new_ranges(set, out, is_rare);
}

const char *am_regex_property(const char *name, char buffer[48])
{
    static const char *const binary_properties[] = {"emoji",
                                                    "emojipresentation",
                                                    "emojimodifier",
                                                    "emojimodifierbase",
                                                    "emojicomponent",
                                                    "extendedpictographic",
                                                    "math",
                                                    "hexdigit",
                                                    "asciihexdigit",
                                                    "ideographic",
                                                    "unifiedideograph",
                                                    "diacritic",
                                                    "extender",
                                                    "cased",
                                                    "caseignorable",
                                                    "dash",
                                                    "idstart",
                                                    "idcontinue",
                                                    "xidstart",
                                                    "xidcontinue",
                                                    "joincontrol",
                                                    "quotationmark",
                                                    "terminalpunctuation",
                                                    "sentenceterminal",
                                                    "variationselector",
                                                    "defaultignorablecodepoint",
                                                    "graphemebase",
                                                    "graphemeextend",
                                                    "bidicontrol",
                                                    "bidimirrored",
                                                    "patternsyntax",
                                                    "patternwhitespace",
                                                    "radical",
                                                    "regionalindicator",
                                                    "softdotted",
                                                    "noncharactercodepoint",
                                                    "deprecated",
                                                    "logicalorderexception",
                                                    NULL};
    char simple[40];
    size_t length = 0;
    for (const char *c = name; *c && length + 1 < sizeof simple; c++)
        if (*c != ' ' && *c != '_' && *c != '-') simple[length++] = (char)tolower((unsigned char)*c);
    simple[length] = 0;
    if (strcmp(simple, "space") == 0 || strcmp(simple, "whitespace") == 0) return am_regex_space;
    if (strcmp(simple, "word") == 0) return am_regex_word;
    for (size_t i = 0; i < sizeof properties / sizeof properties[0]; i++)
        if (strcmp(simple, properties[i][0]) == 0) return properties[i][1];
    if (length == 0) return "";
    if (length <= 2) snprintf(buffer, 48, "\\p{%c%s}", toupper((unsigned char)simple[0]), simple + 1);
    else if (strcmp(simple, "han") == 0) snprintf(buffer, 48, "\\p{sc:Han}");
    else
        snprintf(buffer, 48, am_name_index((am_text){simple, length}, binary_properties) < 0 ? "\\p{sc:%s}" : "\\p{%s}",
                 simple);
    return buffer;
}
