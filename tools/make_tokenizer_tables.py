#!/usr/bin/env python3
"""Writes src/text/tokenizer/unicode_tables.h, script_tables.h and regex_tables.h: what the `tokenizers` library answers for every code point, asked of the
library itself, because its parts use tables of different Unicode versions (8 to 17) and results must be the same.

    python tools/make_tokenizer_tables.py        (a minute or two)

Needs tokenizers 0.23, Python with unicodedata of Unicode 14 (3.11), libutf8proc 2.8 (Unicode 15) and PCRE2 10.42 (Unicode 14), the
versions that the exceptions are counted from."""
import contextlib
import ctypes
import functools
import os
import unicodedata

import tokenizers
from tokenizers import Regex
from tokenizers import normalizers as N
from tokenizers import pre_tokenizers as P

CODE_POINTS = [c for c in range(0x110000) if not 0xD800 <= c < 0xE000]
UTF8PROC = ctypes.CDLL("libutf8proc.so.2")
UTF8PROC.utf8proc_decompose_char.restype = ctypes.c_ssize_t
STABLE, COMPAT, DECOMPOSE = 1 << 1, 1 << 2, 1 << 4


class Property(ctypes.Structure):
    _fields_ = [("category", ctypes.c_int16), ("combining_class", ctypes.c_int16)]


UTF8PROC.utf8proc_get_property.restype = ctypes.POINTER(Property)


def ranges(code_points):
    out = []
    for c in sorted(code_points):
        # no scalar value lies between D7FF and E000
        if out and (c == out[-1][1] + 1 or (out[-1][1] == 0xD7FF and c == 0xE000)):
            out[-1][1] = c
        else:
            out.append([c, c])
    return out


def print_items(items):
    line = "   "
    for item in items:
        if len(line) + len(item) > 108:
            print(line)
            line = "   "
        line += " " + item + ","
    print(line)


def print_ranges(comment, name, code_points):
    print(f"/* {comment} */")
    print(f"static const uint32_t {name}[][2] = {{")
    print_items("{%s, %s}" % (hex(a), hex(b)) for a, b in ranges(code_points))
    print("};\n")


def normalizer_changes(normalizer, wanted):
    return [c for c in CODE_POINTS if normalizer.normalize_str("a" + chr(c) + "b") == wanted(chr(c))]


def bert(**options):
    return N.BertNormalizer(**{**dict.fromkeys(("clean_text", "handle_chinese_chars", "strip_accents", "lowercase"), False), **options})


def matches(pattern):
    split = P.Split(Regex(pattern), "removed")
    return {c for c in CODE_POINTS if not split.pre_tokenize_str(chr(c))}


def decompose(c, options):
    buffer = (ctypes.c_int32 * 64)()
    count = UTF8PROC.utf8proc_decompose_char(c, buffer, 64, options, ctypes.byref(ctypes.c_int()))
    return "".join(map(chr, buffer[:count]))


def normalizer_inert():
    """Code points to which utf8proc gives a decomposition or a combining class, and the library's older table none."""
    nfd, nfkd, out = N.NFD(), N.NFKD(), set()
    for c in CODE_POINTS:
        text = chr(c)
        if 0xAC00 <= c <= 0xD7A3:
            continue
        for normalizer, options in ((nfd, DECOMPOSE | STABLE), (nfkd, DECOMPOSE | COMPAT | STABLE)):
            answer = normalizer.normalize_str(text)
            if answer != decompose(c, options):
                assert answer == text, hex(c)
                out.add(c)
        if nfd.normalize_str(text) == text:
            sorts = nfd.normalize_str("a" + text + "\u0334") != "a" + text + "\u0334"  # U+0334 is of class 1
            if sorts != (UTF8PROC.utf8proc_get_property(c).contents.combining_class > 1):
                assert not sorts, hex(c)
                out.add(c)
    return out


def unstable(normalizer):
    """Code points that the normal form changes, or that join or move beside others."""
    seconds = set()
    for c in CODE_POINTS:
        parts = unicodedata.decomposition(chr(c)).split()
        if len(parts) == 2 and parts[0][0] != "<":
            seconds.add(int(parts[1], 16))
    seconds.update(range(0x1161, 0x1176), range(0x11A8, 0x11C3))
    return [c for c in CODE_POINTS
            if c in seconds or unicodedata.combining(chr(c)) or normalizer.normalize_str(chr(c)) != chr(c)]


def lowercase_exceptions():
    lowercase = N.Lowercase()
    for c in CODE_POINTS:
        answer = lowercase.normalize_str(chr(c))
        if answer != chr(UTF8PROC.utf8proc_tolower(c)) and c != 0x130:
            yield "{%s, %s}" % (hex(c), hex(ord(answer)))


def pcre2_set(pattern):
    """Code points that PCRE2, whose Unicode is 14, matches; None where it knows no such pattern."""
    library = ctypes.CDLL("libpcre2-8.so.0")
    for name in ("pcre2_compile_8", "pcre2_match_data_create_8"):
        getattr(library, name).restype = ctypes.c_void_p
    library.pcre2_get_ovector_pointer_8.restype = ctypes.POINTER(ctypes.c_size_t)
    error, offset = ctypes.c_int(), ctypes.c_size_t()
    utf, ucp = 0x00080000, 0x00020000
    pattern = b"[" + pattern + b"]+"
    code = library.pcre2_compile_8(pattern, ctypes.c_size_t(len(pattern)), utf | ucp, ctypes.byref(error), ctypes.byref(offset), None)
    if not code:
        return None
    data = ctypes.c_void_p(library.pcre2_match_data_create_8(1, None))
    found = library.pcre2_get_ovector_pointer_8(data)
    text, at, out = "".join(map(chr, CODE_POINTS)).encode(), 0, set()
    while library.pcre2_match_8(ctypes.c_void_p(code), text, ctypes.c_size_t(len(text)), ctypes.c_size_t(at), 0x40000000, data, None) >= 0:
        at = found[1]
        out.update(ord(c) for c in text[found[0]:at].decode())
    return out


def oniguruma_set(name):
    try:
        split = P.Split(Regex(r"[\p{%s}]+" % name), "removed", invert=True)
    except Exception:
        return None
    return {ord(c) for piece, _ in split.pre_tokenize_str("".join(map(chr, CODE_POINTS))) for c in piece}


def script_names():
    """Scripts as the names of their characters begin; what is none is known to neither library."""
    words = [unicodedata.name(chr(c), "").replace("-", " ").split() for c in CODE_POINTS]
    return sorted({"_".join(w[:n]).capitalize() for w in words for n in (1, 2, 3) if len(w) > n} |
                  {"Common", "Inherited", "Han", "Nko", "Phags_Pa", "Signwriting", "Masaram_Gondi"})


BINARY = """Case_Ignorable Cased Dash Diacritic Emoji Emoji_Component Emoji_Modifier Emoji_Modifier_Base Emoji_Presentation
Extended_Pictographic Extender Grapheme_Base Grapheme_Extend ID_Continue ID_Start Ideographic Lowercase Math Sentence_Terminal Soft_Dotted
Terminal_Punctuation Unified_Ideograph Uppercase XID_Continue XID_Start Default_Ignorable_Code_Point Quotation_Mark""".split()


@functools.cache
def set_additions():
    """By sets as regex_translate.c writes them: what is in them for Oniguruma and not for PCRE2, save for what new_code_points says."""
    simple = lambda name: name.replace("_", "").lower()
    sets = {rf"\p{{{name}}}": (rf"\p{{{name}}}", name) for name in ("Mc", "Mn", "Lowercase", "Uppercase")}
    sets.update({rf"\p{{{simple(name)}}}": (rf"\p{{{name}}}", name) for name in BINARY if name not in ("Lowercase", "Uppercase")})
    sets.update({rf"\p{{sc:{simple(name)}}}": (rf"\p{{sc:{name}}}", name) for name in script_names() if name != "Han"})
    out = {}
    for key, (pattern, name) in sets.items():
        ours, theirs = pcre2_set(pattern.encode()), oniguruma_set(name)
        if ours is not None and theirs is not None and theirs - ours:
            out[key] = theirs - ours
    return out


def print_set_additions():
    print_head("REGEX_TABLES")
    print("/* what is in a set for Oniguruma (Unicode 16) and perhaps not for PCRE2 (10.42: Unicode 14), where neither the category nor")
    print("   what else is said of new code points tells it */")
    print("typedef struct set_addition {\n    const char *set;\n    const uint32_t (*ranges)[2];\n    size_t count;\n} set_addition;\n")
    items = sorted((key, ranges(new)) for key, new in set_additions().items())
    lists = [list(map(list, added)) for added in sorted({tuple(map(tuple, added)) for _, added in items})]
    for i, added in enumerate(lists):
        print(f"static const uint32_t added_ranges_{i}[][2] = {{")
        print_items("{%s, %s}" % (hex(a), hex(b)) for a, b in added)
        print("};\n")
    print("static const set_addition set_additions[] = {")
    print_items('{"%s", added_ranges_%d, %d}' % (key.replace("\\", "\\\\"), lists.index(added), len(added)) for key, added in items)
    print("};\n\n#endif")


def new_code_points():
    """What Oniguruma's Unicode 16 has and PCRE2's 14 has not: categories, Han, Alphabetic."""
    han, alphabetic = matches(r"\p{Han}"), matches(r"\p{Alpha}")
    entries = {c: ("", False, True) for c in alphabetic - pcre2_set(rb"\p{Alphabetic}")}
    for name in "Lu Ll Lt Lm Lo Mn Mc Me Nd Nl No Pc Pd Ps Pe Pi Pf Po Sm Sc Sk So Zs Cf".split():
        for c in matches(r"\p{%s}" % name):
            if unicodedata.category(chr(c)) == "Cn":
                entries[c] = (name, c in han, c in alphabetic)
    out = []
    for c in sorted(entries):
        if out and out[-1][1] == c - 1 and out[-1][2] == entries[c]:
            out[-1][1] = c
        else:
            out.append([c, c, entries[c]])
    for first, last, (name, is_han, is_alphabetic) in out:
        yield '{%s, %s, "%s", %d, %d}' % (hex(first), hex(last), name, is_han, is_alphabetic)


def scripts():
    """(first, last, script number) of UnicodeScripts; two code points are of one script when nothing is split between."""
    splitter = P.UnicodeScripts()
    one = lambda a, b: len(splitter.pre_tokenize_str(a + b)) == 1
    representatives, out = [], []
    for c in CODE_POINTS:
        text = chr(c)
        neutral = one("a", text) and one("\u05d0", text)  # goes with Latin and with Hebrew: of no script
        if out and not neutral and out[-1][2] and one(chr(out[-1][1]), text):
            number = out[-1][2]
        elif neutral:
            number = 0
        else:
            number = next((i + 1 for i, r in enumerate(representatives) if one(r, text)), None)
            if number is None:
                representatives.append(text)
                number = len(representatives)
        if out and out[-1][2] == number and out[-1][1] in (c - 1, 0xD7FF if c == 0xE000 else -1):
            out[-1][1] = c
        else:
            out.append([c, c, number])
    return ["{%s, %s, %d}" % (hex(a), hex(b), n) for a, b, n in out if n]


def print_head(guard):
    print("/* Generated by tools/make_tokenizer_tables.py: what tokenizers 0.23 answers for every code point. Ranges are")
    print("   inclusive and ascending. */")
    print(f"#ifndef AM_TEXT_TOKENIZER_{guard}_H\n#define AM_TEXT_TOKENIZER_{guard}_H\n")
    print('#include "text/tokenizer/internal.h"\n')


def print_properties():
    print_head("UNICODE_TABLES")
    removed = normalizer_changes(bert(clean_text=True), lambda c: "ab")
    print_ranges("BertNormalizer: removed by clean_text (with U+0000 and U+FFFD)", "bert_removed", removed)
    nfd = N.NFD()
    accents = bert(strip_accents=True)
    print_ranges("BertNormalizer: removed by strip_accents, after NFD", "mark_nonspacing",
                 [c for c in CODE_POINTS if nfd.normalize_str(chr(c)) == chr(c) and not accents.normalize_str(chr(c))])
    print_ranges("StripAccents", "mark", [c for c in CODE_POINTS if not N.StripAccents().normalize_str(chr(c))])
    isolated = lambda pre: [c for c in CODE_POINTS if len(pre.pre_tokenize_str(chr(c) * 2)) == 2]
    print_ranges("Punctuation, BertPreTokenizer", "punctuation", isolated(P.Punctuation("isolated")))
    print_ranges("Digits", "numeric", isolated(P.Digits(individual_digits=True)))
    whitespace = P.Whitespace()
    word = [c for c in CODE_POINTS if (whitespace.pre_tokenize_str("a" + chr(c)) or [("",)])[0][0] == "a" + chr(c)]
    print_ranges(r"Whitespace: \w", "word", word)
    print_ranges("decompositions and combining classes of utf8proc that NFC, NFD, NFKC and NFKD do not know",
                 "normalizer_inert", normalizer_inert())
    print_ranges("code points that NFC may change", "nfc_unstable", unstable(N.NFC()))
    print_ranges("code points that NFKC may change", "nfkc_unstable", unstable(N.NFKC()))
    print("/* Lowercase, where utf8proc differs; U+0130 becomes two code points and is not here */")
    print("static const uint32_t lowercase_exceptions[][2] = {")
    print_items(lowercase_exceptions())
    print("};\n")
    print("/* upper case of more than one code point (Python's str.upper) */")
    print("static const uint32_t upper_expansions[][4] = {")
    print_items("{%s}" % ", ".join(hex(ord(x)) for x in (chr(c) + chr(c).upper()).ljust(4, "\0"))
                for c in CODE_POINTS if len(chr(c).upper()) > 1)
    print("};\n")
    print("/* known to Oniguruma (Unicode 16), perhaps not to PCRE2 (10.42: Unicode 14) */")
    print("static const am_new_range changed_after_14[] = {")
    print_items(new_code_points())
    print("};\n")
    print_ranges("all of set_additions", "added_to_sets", {c for new in set_additions().values() for c in new})
    print("#endif")


def print_scripts():
    print_head("SCRIPT_TABLES")
    print("/* UnicodeScripts: a number for each script; code points not here go with any */")
    print("typedef struct script_range {\n    uint32_t first, last;\n    uint8_t script;\n} script_range;\n")
    print("static const script_range script_ranges[] = {")
    print_items(scripts())
    print("};\n\n#endif")


def main():
    assert unicodedata.unidata_version == "14.0.0" and tokenizers.__version__.startswith("0.23.")
    folder = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "src", "text", "tokenizer")
    for name, function in (("unicode_tables.h", print_properties), ("script_tables.h", print_scripts), ("regex_tables.h", print_set_additions)):
        with open(os.path.join(folder, name), "w", encoding="utf-8") as file, contextlib.redirect_stdout(file):
            function()


if __name__ == "__main__":
    main()
