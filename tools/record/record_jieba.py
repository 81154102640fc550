#!/usr/bin/env python3
"""Records how jieba cuts texts with a dictionary of our own: cuts.json beside jieba_dict.txt in a folder, an array of the words of
each text (which is what they are together).

    python tools/record/record_jieba.py tests/unit/text/data/jieba

Needs rjieba 0.2.2."""
import argparse
import json
import os
import random

import rjieba

TEXTS = ["我们是北京大学的研究生。", "研究生命起源", "中国人在今天有一个活动", "大学生生活", "臺灣的電腦軟體，電腦的軟體", "二二二 三三三 三三",
         "零一零 零", "𠀀𠀁𠀀㐀𠀂", "T恤和卡拉OK，卡拉O", "C++ c# C# c++ AT&T", "ab aab abab3.5ab", "3.53.5.1 2026年11月29日 12:30", "a\r\nb\r\r\n\t我\r\n我们",
         "naïve 日本語 한국어 ひらがな", "王小明說：「天氣好」", "x-y_z 100% #1 +1 a.b&c", "我我们我", "天天天气", "", "_我", "我_们", "豈更"]
PARTS = "我 我们 他 的 了 大 学 学生 大学生 生 活 动 北 北京 研究 命 起 源 中 国 中国人 华 一 个 二 三 今天 天 气 電 腦 臺 灣 零 𠀀 𠀁 T 恤 OK 3.5 ab a 7 ， 。 + # - \n".split(
    " ") + [" ", "é", "麟"]


def read_dictionary(path):
    jieba = rjieba.Jieba.empty()
    with open(path, encoding="utf-8") as file:
        for line in file:
            word, frequency, tag = line.split()
            jieba.add_word(word, int(frequency), tag)
    return jieba


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder")
    folder = parser.parse_args().folder
    jieba = read_dictionary(os.path.join(folder, "jieba_dict.txt"))
    draw = random.Random(1)
    texts = TEXTS + ["".join(draw.choices(PARTS, k=draw.randrange(2, 40))) for _ in range(120)]
    cuts = [json.dumps(jieba.cut(text, False), ensure_ascii=False, separators=(",", ":")) for text in texts]
    with open(os.path.join(folder, "cuts.json"), "w", encoding="utf-8") as out:
        out.write("[\n" + ",\n".join(cuts) + "\n]\n")


main()
