# /// script
# requires-python = ">=3.10"
# dependencies = ["torch", "transformers", "datasets", "accelerate", "peft", "sentencepiece", "protobuf"]
# ///
"""Measures a model and the model that it started from, in the same way, on the same rows.

Prints plain lines while it works, and at the end one line of JSON: {"eval": {...}}.
"""

import json
import math
import sys
import time

SETTINGS = json.loads("{}")

import torch
from datasets import load_dataset
from huggingface_hub import HfApi
from transformers import (
    AutoModelForCausalLM,
    AutoModelForSequenceClassification,
    AutoTokenizer,
)

TEXT_COLUMNS = ("text", "sentence", "content", "prompt", "question", "instruction", "input", "review")
LABEL_COLUMNS = ("label", "labels", "answer", "completion", "target", "output", "response", "expected")


def fail(why):
    print(f"evaluation failed: {why}", flush=True)
    sys.exit(1)


def column(wanted, known, names, what):
    if wanted:
        if wanted not in names:
            fail(f"there is no column {wanted!r}; there are {sorted(names)}")
        return wanted
    for name in known:
        if name in names:
            return name
    fail(f"no column was recognised as the {what}; there are {sorted(names)}. Name it with {what}_column")


def device():
    if torch.cuda.is_available():
        return "cuda"
    return "cpu"


def load(kind, name, revision, **more):
    tokenizer = AutoTokenizer.from_pretrained(name, revision=revision)
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    dtype = torch.bfloat16 if device() == "cuda" else torch.float32
    model = kind.from_pretrained(name, revision=revision, dtype=dtype, **more)
    if model.config.pad_token_id is None:
        model.config.pad_token_id = tokenizer.pad_token_id
    return tokenizer, model.to(device()).eval()


def longest(tokenizer, model):
    limits = [1024, tokenizer.model_max_length, getattr(model.config, "max_position_embeddings", 1024) or 1024]
    return int(min(limit for limit in limits if limit and limit > 0))


def batches(rows, size):
    for start in range(0, len(rows), size):
        yield rows[start : start + size]


def progress(name, done, total, since):
    pace = done / max(time.time() - since, 1e-9)
    print(f"{name}: row {done}/{total} ({pace:.1f} rows/s)", flush=True)


@torch.no_grad()
def perplexity(name, revision, rows, text):
    tokenizer, model = load(AutoModelForCausalLM, name, revision)
    limit = longest(tokenizer, model)
    loss, tokens, since = 0.0, 0, time.time()
    for done, row in enumerate(rows, 1):
        content = row[text]
        if isinstance(content, list):
            content = tokenizer.apply_chat_template(content, tokenize=False)
        ids = tokenizer(content, return_tensors="pt", truncation=True, max_length=limit).input_ids.to(device())
        if ids.shape[1] >= 2:
            count = ids.shape[1] - 1
            loss += model(ids, labels=ids).loss.float().item() * count
            tokens += count
        if done == 1 or done % 50 == 0:
            progress(name, done, len(rows), since)
    if tokens == 0:
        fail("no row has two tokens or more")
    return {"perplexity": math.exp(min(loss / tokens, 700.0)), "tokens": tokens}


@torch.no_grad()
def classification(name, revision, rows, text, label, names):
    tokenizer, model = load(AutoModelForSequenceClassification, name, revision, num_labels=len(names),
                            ignore_mismatched_sizes=True)
    limit = longest(tokenizer, model)
    # A model may count its labels in another order than the dataset; its own names decide where they match.
    own = {str(word).lower(): at for at, word in (model.config.id2label or {}).items()}
    order = [own.get(str(word).lower(), at) for at, word in enumerate(names)]
    place = {at: number for number, at in enumerate(order)}
    hits, counts, since, done = 0, [[0, 0, 0] for _ in names], time.time(), 0
    for batch in batches(rows, 16):
        inputs = tokenizer([row[text] for row in batch], return_tensors="pt", truncation=True, max_length=limit,
                           padding=True).to(device())
        said = model(**inputs).logits.argmax(-1).tolist()
        for row, at in zip(batch, said):
            truth, guess = names.index(row[label]), place.get(at, at)
            hits += truth == guess
            counts[truth][1] += 1
            if guess < len(counts):
                counts[guess][2] += 1
            if truth == guess:
                counts[truth][0] += 1
        done += len(batch)
        if done == len(batch) or done % 160 == 0:
            progress(name, done, len(rows), since)
    scores = [2 * hit / (real + said) if real + said else 0.0 for hit, real, said in counts]
    return {"accuracy": hits / len(rows), "macro_f1": sum(scores) / len(scores)}


@torch.no_grad()
def exact_match(name, revision, rows, text, label):
    tokenizer, model = load(AutoModelForCausalLM, name, revision)
    tokenizer.padding_side = "left"
    limit = longest(tokenizer, model)

    def prompt(row):
        content = row[text]
        if tokenizer.chat_template:
            turns = content if isinstance(content, list) else [{"role": "user", "content": content}]
            return tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True)
        return content if isinstance(content, str) else "\n".join(turn["content"] for turn in content)

    def plain(words):
        return " ".join(str(words).lower().split()).strip(" .")

    hits, since, done = 0, time.time(), 0
    for batch in batches(rows, 8):
        expected = [plain(row[label]) for row in batch]
        room = max(len(tokenizer(str(row[label])).input_ids) for row in batch) + 8
        inputs = tokenizer([prompt(row) for row in batch], return_tensors="pt", truncation=True, max_length=limit,
                           padding=True, add_special_tokens=not tokenizer.chat_template).to(device())
        made = model.generate(**inputs, max_new_tokens=min(room, 256), do_sample=False,
                              pad_token_id=tokenizer.pad_token_id)
        said = tokenizer.batch_decode(made[:, inputs.input_ids.shape[1] :], skip_special_tokens=True)
        # What follows the answer's own line does not count against it.
        hits += sum(plain(words.strip().split("\n")[0]) == right for words, right in zip(said, expected))
        done += len(batch)
        if done == len(batch) or done % 80 == 0:
            progress(name, done, len(rows), since)
    return {"exact_match": hits / len(rows)}


def main():
    api = HfApi()
    dataset, config, split = SETTINGS["dataset"], SETTINGS.get("dataset_config"), SETTINGS["split"]
    revision = SETTINGS.get("revision") or api.dataset_info(dataset).sha
    data = load_dataset(dataset, config, split=split, revision=revision)
    rows = data.select(range(min(len(data), SETTINGS["max_rows"])))
    if len(rows) == 0:
        fail(f"the split {split!r} has no rows")
    task, names = SETTINGS["task"], set(rows.column_names)
    known = ("messages", *TEXT_COLUMNS) if task == "perplexity" else TEXT_COLUMNS
    text = column(SETTINGS.get("text_column"), known, names, "text")
    label = None
    if task != "perplexity":
        label = column(SETTINGS.get("label_column"), LABEL_COLUMNS, names, "label")
    print(f"{len(rows)} rows of {dataset} ({split}) at {revision}, text in {text!r}, on {device()}", flush=True)

    if task == "text_classification":
        feature = rows.features[label]
        if hasattr(feature, "names"):
            words = list(feature.names)
            rows = [{text: row[text], label: words[row[label]]} for row in rows]
        else:
            rows = [{text: row[text], label: row[label]} for row in rows]
            words = sorted({row[label] for row in rows}, key=str)
        measure = lambda name, at: classification(name, at, rows, text, label, words)
    elif task == "exact_match":
        rows = [{text: row[text], label: row[label]} for row in rows]
        measure = lambda name, at: exact_match(name, at, rows, text, label)
    else:
        rows = [{text: row[text]} for row in rows]
        measure = lambda name, at: perplexity(name, at, rows, text)

    model, base = SETTINGS["model"], SETTINGS["base_model"]
    commit = SETTINGS.get("model_revision") or api.model_info(model).sha
    after = measure(model, commit)
    before = measure(base, None)
    metric = SETTINGS["metric"]
    result = {"metric": metric, metric: after[metric], f"base_{metric}": before[metric]}
    for name, value in after.items():
        result.setdefault(name, value)
        result.setdefault(f"base_{name}", before[name])
    result.update(rows=len(rows), task=task, model=model, model_revision=commit, base_model=base, dataset=dataset,
                  dataset_config=config, dataset_revision=revision, split=split)
    print(f"{metric}: {model} {after[metric]:.4f}, {base} {before[metric]:.4f}", flush=True)
    print(json.dumps({"eval": result}), flush=True)


main()
