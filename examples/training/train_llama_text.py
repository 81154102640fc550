"""Train examples/models/tiny-llama-text: a small LlamaForCausalLM on the novels of Jane Austen.

The text is that of the Debian package r-cran-janeaustenr (six novels, public domain):

    apt-get install --no-install-recommends r-cran-janeaustenr
    python train_llama_text.py --output DIR                   # tokenizer, training, evaluation
    python train_llama_text.py --output DIR --evaluate-only   # the metrics of the model card
    python train_llama_text.py --output DIR --expected DATA   # DIR/expected.json, from DATA/prompts.json
"""

import hashlib
import json
import math
import re
import subprocess

import numpy as np
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    GenerationConfig,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedTokenizerFast,
    pipeline,
)

from common import (
    Progress,
    arguments,
    cosine_schedule,
    parameter_groups,
    prepare,
    report,
    report_size,
    write_json,
)

BOS, EOS, END = "<s>", "</s>", "<|end|>"
ROLES = SYSTEM, USER, ASSISTANT = "<|system|>", "<|user|>", "<|assistant|>"
VOCAB_SIZE = 2048
CONTEXT = 512
HELD_OUT_EVERY = 15  # of the chapters in order, every 15th is never trained on
SHORT_WINDOW, LONG_WINDOW, LONG_FROM = 256, CONTEXT, 0.85  # the last 15 % of the steps see whole contexts
TOKENS_PER_STEP = 2048
NEW_TOKENS = 40

# Every message is its role, its text and <|end|>. The system message is the narration before a dialogue.
CHAT_TEMPLATE = (
    "{{ bos_token }}"
    "{% for message in messages %}"
    "{% if message['role'] not in ['system', 'user', 'assistant'] %}"
    "{{ raise_exception('unknown role: ' + message['role']) }}"
    "{% endif %}"
    "{{ '<|' + message['role'] + '|>' + message['content'] | trim + '<|end|>' }}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}"
)

R_PROGRAM = """
books <- janeaustenr::austen_books()
for (book in levels(books$book)) {
    cat("\\f\\n")
    cat(enc2utf8(books$text[books$book == book]), sep = "\\n")
}
"""
CHAPTER_HEADING = re.compile(r"(chapter|volume)\b.{0,20}$", re.I)
NOT_PROSE = re.compile(r"[\[*]|\(end of|(the end|finis)\.?$", re.I)  # editors' notes, rules, last words


def read_chapters():
    """The novels as chapters in order, a chapter as a list of paragraphs, a paragraph as one line."""
    text = subprocess.run(
        ["Rscript", "-e", R_PROGRAM], check=True, capture_output=True, encoding="utf-8"
    ).stdout
    chapters = []
    for book in text.split("\f\n")[1:]:
        chapter = []
        for paragraph in re.split(r"\n\s*\n", book):
            line = " ".join(paragraph.replace("_", "").split())
            if CHAPTER_HEADING.match(line):
                chapters.append(chapter)
                chapter = []
            elif line and not NOT_PROSE.match(line):
                chapter.append(line)
        chapters.append(chapter)
    chapters = [c for c in chapters if sum(map(len, c)) > 1000]  # drops title pages
    joined = "\n\n\n".join("\n\n".join(c) for c in chapters)
    print(
        f"text: {len(chapters)} chapters, {len(joined.encode())} bytes, "
        f"sha256 {hashlib.sha256(joined.encode()).hexdigest()}"
    )
    return chapters


def split(chapters):
    held_out = chapters[HELD_OUT_EVERY - 1 :: HELD_OUT_EVERY]
    train = [c for i, c in enumerate(chapters) if i % HELD_OUT_EVERY != HELD_OUT_EVERY - 1]
    return train, held_out


def spoken(paragraph):
    """The words spoken in a paragraph that opens with a quotation mark; None for narration."""
    if not paragraph.startswith('"') or len(paragraph) > 400:
        return None
    said = [part.strip() for part in re.findall(r'"([^"]+)"?', paragraph)]
    return " ".join(part for part in said if part) or None


def conversations(chapters):
    """Runs of two or more spoken paragraphs as chats, with the short narration before them or None."""
    for chapter in chapters:
        before, turns = None, []
        for paragraph in [*chapter, ""]:
            words = spoken(paragraph)
            if words:
                turns.append(words)
                continue
            if len(turns) >= 2:
                yield before, turns
            before, turns = paragraph if len(paragraph) < 400 else None, []


def chat_text(before, turns):
    narration = f"{SYSTEM}{before}{END}" if before else ""
    return BOS + narration + "".join(f"{(USER, ASSISTANT)[i % 2]}{turn}{END}" for i, turn in enumerate(turns))


def train_tokenizer(chapters):
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCAB_SIZE,
        special_tokens=[BOS, EOS, *ROLES, END],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(("\n\n".join(c) for c in chapters), trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{BOS} $A", pair=f"{BOS} $A {BOS} $B", special_tokens=[(BOS, tokenizer.token_to_id(BOS))]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token=BOS,
        eos_token=EOS,
        pad_token=EOS,
        model_max_length=CONTEXT,
        clean_up_tokenization_spaces=False,
        chat_template=CHAT_TEMPLATE,
    )


def encode(tokenizer, text):
    return tokenizer(text, add_special_tokens=False).input_ids


def build_model(tokenizer):
    return LlamaForCausalLM(
        LlamaConfig(
            vocab_size=len(tokenizer),
            hidden_size=160,
            intermediate_size=384,
            num_hidden_layers=4,
            num_attention_heads=4,
            num_key_value_heads=2,
            head_dim=40,
            hidden_act="silu",
            max_position_embeddings=CONTEXT,
            rms_norm_eps=1e-5,
            initializer_range=0.04,
            tie_word_embeddings=True,
            rope_parameters={"rope_type": "default", "rope_theta": 10000.0},
            bos_token_id=tokenizer.bos_token_id,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id,
        )
    )


class Stream:
    """Documents one after the other, and where in them a window may begin."""

    def __init__(self, documents):
        self.ids = np.array([i for document in documents for part in document for i in part], dtype=np.int64)
        lengths = [len(part) for document in documents for part in document]
        self.starts = np.concatenate([[0], np.cumsum(lengths)[:-1]])

    def windows(self, rng, length, snap):
        """Starts of the windows of an epoch, a share `snap` of them moved back to a paragraph."""
        begin = np.arange(int(rng.integers(length)), len(self.ids) - length - 1, length)
        at_start = self.starts[np.searchsorted(self.starts, begin, side="right") - 1]
        return np.where(rng.random(len(begin)) < snap, at_start, begin)


def epoch(rng, prose, chats, length, bos):
    """Shuffled [length + 1] windows: prose begins with <s>, chats hold their own."""
    rows = [np.concatenate([[bos], prose.ids[s : s + length]]) for s in prose.windows(rng, length, 0.5)]
    rows += [chats.ids[s : s + length + 1] for s in chats.windows(rng, length, 1.0)]
    rng.shuffle(rows)
    return rows


def batches(rng, prose, chats, steps, bos):
    rows, length = [], SHORT_WINDOW
    for step in range(steps):
        wanted = LONG_WINDOW if step >= LONG_FROM * steps else SHORT_WINDOW
        if wanted != length:
            rows, length = [], wanted
        size = TOKENS_PER_STEP // length
        if len(rows) < size:
            rows = epoch(rng, prose, chats, length, bos)
        batch, rows = rows[:size], rows[size:]
        yield torch.from_numpy(np.stack(batch))


def train(model, prose, chats, steps, seed, bos):
    optimizer = torch.optim.AdamW(parameter_groups(model, 0.1), lr=3e-3, betas=(0.9, 0.95))
    schedule = cosine_schedule(optimizer, steps, warmup=100)
    progress = Progress(steps, 100)
    model.train()
    for step, ids in enumerate(batches(np.random.default_rng(seed), prose, chats, steps, bos)):
        logits = model(input_ids=ids[:, :-1], use_cache=False).logits
        loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), ids[:, 1:].flatten())
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        progress.add(step, loss.item())
    model.eval()


def create(args):
    """Tokenizer and model, trained on the training chapters, saved as bfloat16."""
    chapters, _ = split(read_chapters())
    tokenizer = train_tokenizer(chapters)
    eos = tokenizer.eos_token_id
    prose = Stream(
        [
            [encode(tokenizer, p + "\n\n") for p in c[:-1]] + [encode(tokenizer, c[-1]) + [eos]]
            for c in chapters
        ]
    )
    chats = Stream([[encode(tokenizer, chat_text(*chat))] for chat in conversations(chapters)])
    model = build_model(tokenizer)
    print(
        f"{model.num_parameters()} parameters, {len(prose.ids)} tokens of prose, "
        f"{len(chats.ids)} tokens in {len(chats.starts)} conversations"
    )
    train(model, prose, chats, args.steps, args.seed, tokenizer.bos_token_id)
    model.generation_config = GenerationConfig(
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=[eos, tokenizer.convert_tokens_to_ids(END)],
        pad_token_id=tokenizer.pad_token_id,
        do_sample=True,
        temperature=0.7,
        top_p=0.9,
    )
    model.to(torch.bfloat16).save_pretrained(args.output)
    tokenizer.save_pretrained(args.output)


@torch.inference_mode()
def evaluate(directory, window=SHORT_WINDOW):
    """Loss and accuracy on the held-out chapters, in windows of 256 tokens that overlap by half and begin
    with <s>: every token is scored once, with 128 tokens or more before it save where a chapter starts."""
    train_chapters, held_out = split(read_chapters())
    tokenizer = AutoTokenizer.from_pretrained(directory)
    model = AutoModelForCausalLM.from_pretrained(directory, dtype=torch.float32).eval()
    counts = (
        np.bincount(
            [i for c in train_chapters for i in encode(tokenizer, "\n\n".join(c))], minlength=VOCAB_SIZE
        )
        + 1.0
    )
    unigram = -np.log(counts / counts.sum())
    nats = unigram_nats = 0.0
    tokens = right = commonest_right = n_bytes = 0
    for chapter in held_out:
        text = "\n\n".join(chapter)
        ids = encode(tokenizer, text)
        n_bytes += len(text.encode())
        unigram_nats += unigram[ids].sum()
        commonest_right += int((np.array(ids) == counts.argmax()).sum())
        for begin in range(0, max(1, len(ids) - window // 2), window // 2):
            part = ids[begin : begin + window]
            skip = window // 2 if begin else 0  # scored by the window before
            logits = model(torch.tensor([[tokenizer.bos_token_id, *part[:-1]]])).logits[0, skip:]
            target = torch.tensor(part[skip:])
            nats += torch.nn.functional.cross_entropy(logits, target, reduction="sum").item()
            right += int((logits.argmax(-1) == target).sum())
            tokens += len(target)
    bits = 1 / math.log(2) / n_bytes
    report(
        "held-out chapters",
        {
            "chapters": len(held_out),
            "bytes": n_bytes,
            "tokens": tokens,
            "perplexity per token": math.exp(nats / tokens),
            "bits per byte": nats * bits,
            "next-token accuracy": right / tokens,
            "unigram perplexity per token": math.exp(unigram_nats / tokens),
            "unigram bits per byte": unigram_nats * bits,
            "accuracy of always guessing the commonest token": commonest_right / tokens,
            "uniform perplexity per token": float(VOCAB_SIZE),
            "uniform bits per byte": tokens * math.log(VOCAB_SIZE) * bits,
        },
    )


def greedy(directory, prompt, dtype):
    """Text and ids of the pipeline's greedy answer; a list of messages goes through the chat template."""
    generator = pipeline("text-generation", model=str(directory), dtype=dtype)
    # Greedy needs the sampling fields of generation_config.json neutral.
    options = {"do_sample": False, "temperature": 1.0, "top_p": 1.0, "max_new_tokens": NEW_TOKENS}
    ids = generator(prompt, return_tensors=True, **options)[0]["generated_token_ids"]
    text = generator(prompt, return_full_text=False, **options)[0]["generated_text"]
    return text, [int(i) for i in ids]


@torch.inference_mode()
def smallest_margin(directory, ids, prompt_length):
    """The least distance of best to second logit on the way: what rounding may add unseen."""
    model = AutoModelForCausalLM.from_pretrained(directory, dtype=torch.float32)
    logits = model(torch.tensor([ids])).logits[0]
    best = logits[prompt_length - 1 : -1].topk(2).values
    return float((best[:, 0] - best[:, 1]).min())


def write_expected(directory, data):
    tokenizer = AutoTokenizer.from_pretrained(directory)
    cases = []
    for entry in json.loads((data / "prompts.json").read_text(encoding="utf-8")):
        prompt = entry.get("prompt") or entry["messages"]
        if isinstance(prompt, str):
            prompt_text, prompt_ids = prompt, tokenizer(prompt).input_ids
        else:
            prompt_text = tokenizer.apply_chat_template(prompt, tokenize=False, add_generation_prompt=True)
            prompt_ids = encode(tokenizer, prompt_text)
        text, ids = greedy(directory, prompt, torch.float32)
        _, ids_bfloat16 = greedy(directory, prompt, torch.bfloat16)
        if ids[: len(prompt_ids)] != prompt_ids:
            raise SystemExit(f"pipeline and tokenizer disagree on the ids of {prompt!r}")
        cases.append(
            {
                **entry,
                "prompt_text": prompt_text,
                "prompt_token_ids": prompt_ids,
                "generated_text": text,
                "generated_token_ids": ids[len(prompt_ids) :],
                "smallest_logit_margin": round(smallest_margin(directory, ids, len(prompt_ids)), 5),
                "same_in_bfloat16": ids_bfloat16 == ids,
            }
        )
        print(json.dumps(cases[-1], ensure_ascii=False))
    write_json(
        directory / "expected.json",
        {
            "task": "text-generation",
            "dtype": "float32",
            "do_sample": False,
            "max_new_tokens": NEW_TOKENS,
            "cases": cases,
        },
    )


def main():
    args = arguments(__doc__, {"seed": 1, "steps": 2800})
    prepare(args.seed, args.threads)
    if args.expected:
        write_expected(args.output, args.expected)
        return
    if not args.evaluate_only:
        create(args)
    evaluate(args.output)
    report_size(args.output)


if __name__ == "__main__":
    main()
