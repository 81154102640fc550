"""Documents for the tokenizers' bench, the same on every machine: English and code of this project, and invented words
of other languages. Standard library only.

Sentences of English are chains of words that follow each other in docs/ and in comments. A language is a list of words
put together from its syllables, used as often as Zipf's law has it, with a few that come once. Sources with an even
number and those with an odd one are for different purposes, so that no text is in both.
"""

import functools
import glob
import itertools
import os
import random
import re
import struct

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
LEXICON_WORDS = 20000
NEW_WORDS = 0.02       # share of words that are not of the lexicon
SHORTEST, LONGEST = 100, 16000  # characters of a document

# Syllables, those a word has, what stands between words and behind a sentence.
LANGUAGES = {
    "western": ("Kon de ver lich mà tion über schaft é ré ment que ção ños ü sz wą rze cz ø lä gen ler in ta ri so pe du na",
                (1, 5), " ", ". "),
    "cyrillic": ("при на ко во то не по ста ль ный ост ю щие ж ёк рас пре ще ий ова ть ем о гра дом сло", (1, 5), " ", ". "),
    "greek": ("κα τη ρα σης ο υ μέ λό πο ει νά ντι ξε φω ψη γρα δια θέ", (1, 4), " ", ". "),
    "arabic": ("ال كت اب مد رس ة في من على ان ها وا لي تح قي مُ سَ ذا", (1, 4), " ", "، "),
    "devanagari": ("का मे है नहीं की स्त प्र ति यों रा जन ता हि न्दी भा षा क्ष", (1, 4), " ", "। "),
    "thai": ("การ ความ ไม่ ที่ เป็น ได้ ประ เทศ ไทย สวย งาม น้ำ เมือง", (2, 9), " ", " "),
    "chinese": (" ".join(chr(c) for c in range(0x4E00, 0x9FA5, 11)), (1, 3), "", "。"),
    "japanese": ("の に は を た が で て と し れ さ ある いる も する から な こと として 日 本 語 東 京 大 学 テ ス ト コン ピュ ー タ ー 人 年 会 社 "
                 + " ".join(chr(c) for c in range(0x4E07, 0x9FA5, 37)), (1, 5), "", "。"),
    "korean": ("이 다 는 가 에 을 의 한 국 어 하 고 사 람 학 교 서 울 대 시 간 지 만 해 요 습 니 까 "
               + " ".join(chr(c) for c in range(0xAC00, 0xD7A4, 17)), (1, 4), " ", ". "),
}
SHARES = {"english": 30, "code": 24, "western": 10, "cyrillic": 7, "greek": 2, "arabic": 4, "devanagari": 3, "thai": 2,
          "chinese": 5, "japanese": 4, "korean": 3, "numbers": 3, "addresses": 2, "emoji": 1}
DESCRIPTION = ("English sentences and code of this project, invented words of nine other languages and scripts, numbers, "
               "addresses, long words and emoji; shares of the documents in percent: "
               + ", ".join(f"{name} {share}" for name, share in SHARES.items()))


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


@functools.cache
def sources():
    """Texts of all source files, by path."""
    paths = itertools.chain.from_iterable(glob.glob(f"{ROOT}/{top}/**/*.{end}", recursive=True)
                                          for top in ("src", "tests", "tools", "bench") for end in ("c", "h", "py"))
    return [read(path) for path in sorted(paths)]


@functools.cache
def english():
    """{word: words behind it}, "" at the start of a sentence."""
    prose = [read(path) for path in sorted(glob.glob(f"{ROOT}/docs/**/*.md", recursive=True))]
    prose += [comment for text in sources() for comment in re.findall(r"/\* (.*?) \*/", text, re.DOTALL)]
    follows = {"": []}
    for text in prose:
        previous = ""
        for word in text.split():
            follows.setdefault(previous, []).append(word)
            previous = "" if word[-1] == "." else word
    return follows


class Language:
    def __init__(self, name):
        syllables, self.lengths, self.space, self.end = LANGUAGES[name]
        self.syllables = syllables.split()
        draw = random.Random(name)
        self.words = [self.new_word(draw) for _ in range(LEXICON_WORDS)]
        self.weights = list(itertools.accumulate(1 / (rank + 3) for rank in range(LEXICON_WORDS)))

    def new_word(self, draw):
        return "".join(draw.choices(self.syllables, k=draw.randint(*self.lengths)))

    def sentence(self, draw):
        words = draw.choices(self.words, cum_weights=self.weights, k=draw.randint(4, 20))
        words = [self.new_word(draw) if draw.random() < NEW_WORDS else word for word in words]
        return self.space.join(words).capitalize() + self.end


language = functools.cache(Language)


def english_sentence(draw):
    words, follows = [""], english()
    while len(words) < 40 and words[-1] in follows:
        words.append(draw.choice(follows[words[-1]]))
        if words[-1].endswith("."):
            break
    return " ".join(words[1:]) + draw.choice([" ", " ", " ", "\n", "\n\n"])


def numbers(draw):
    cells = [draw.choice([f"{draw.randint(0, 10 ** 9)}", f"{draw.uniform(-1e4, 1e4):.3f}", f"{draw.random():.2%}",
                          f"{draw.randint(1900, 2100)}-{draw.randint(1, 12):02}-{draw.randint(1, 28):02}", "½", "٣٤", "n/a"])
             for _ in range(draw.randint(1, 8))]
    return draw.choice(["\t", ", ", " | "]).join(cells) + "\r\n"


def addresses(draw):
    words = language("western").words
    path = "/".join(draw.choices(words, k=draw.randint(1, 5)))
    blob = "".join(draw.choices("ABCDEFabcdef0123456789+/", k=draw.choice([8, 40, 400])))
    return f"https://www.{draw.choice(words).lower()}.org/{path}?id={draw.randint(0, 9999)}&t={blob} "


def emoji(draw):
    marks = "😀 👍🏽 👩‍👩‍👧 🇩🇪 ❤️ ✓ … — ‘x’ don't I'll WE'VE e\u0301 a\u0308 ﬁ Ⅻ ∑ 𝔘 ＡＢＣ \u00a0 \u200b".split(" ")
    return " ".join(draw.choices(marks, k=draw.randint(1, 9))) + "  "


def document(draw, kind, size, part):
    if kind == "code":
        text = draw.choice(sources()[part::2])
        start = draw.randrange(max(1, len(text) - size))
        return text[start:start + size]
    write = {"english": english_sentence, "numbers": numbers, "addresses": addresses, "emoji": emoji}.get(kind)
    write = write or language(kind).sentence
    sentences, length = [], 0
    while length < size:
        sentences.append(write(draw))
        length += len(sentences[-1])
    return "".join(sentences)[:size]


def documents(part, total_bytes):
    """Texts of together about that many bytes; part 0 and part 1 have none in common."""
    draw, texts, done = random.Random(part), [], 0
    while done < total_bytes:
        kind = draw.choices(list(SHARES), SHARES.values())[0]
        size = int(SHORTEST * (LONGEST / SHORTEST) ** draw.random())
        texts.append(document(draw, kind, size, part))
        done += len(texts[-1].encode())
    return texts


def write_documents(path, texts):
    """A length of 4 bytes, little end first, before each."""
    with open(path, "wb") as file:
        for text in texts:
            file.write(struct.pack("<I", len(text.encode())) + text.encode())


def read_documents(path):
    with open(path, "rb") as file:
        while head := file.read(4):
            yield file.read(struct.unpack("<I", head)[0]).decode()
