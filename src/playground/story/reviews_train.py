# /// script
# dependencies = []
# ///
"""Tells friendly reviews from unfriendly ones: hashed words and pairs of words, logistic regression.

Plain Python, nothing to install. Downloads its data from the Hub, trains, and pushes the model to the Hub.
"""
import base64
import csv
import io
import json
import math
import os
import random
import time
import urllib.error
import urllib.request
import zlib

HUB = os.environ.get("HF_ENDPOINT", "https://huggingface.co").rstrip("/")
TOKEN = os.environ["HF_TOKEN"]
DATASET = os.environ.get("DATASET", "ml-intern-demo/reviews")
REVISION = os.environ.get("DATASET_REVISION", "main")
MODEL = os.environ.get("HUB_MODEL_ID", "ml-intern-demo/reviews-classifier")
EPOCHS = int(os.environ.get("EPOCHS", "20"))
LEARNING_RATE = float(os.environ.get("LEARNING_RATE", "0.1"))
BUCKETS = 4096
DECAY = 1e-4
LOG_EVERY = 24
SEED = 7
# How long the training takes at least: it is fast, and people want to watch it.
SECONDS = float(os.environ.get("PACE_SECONDS", "24"))


def ask(method, path, body=None, kind="application/json"):
    request = urllib.request.Request(HUB + path, data=body, method=method)
    request.add_header("Authorization", "Bearer " + TOKEN)
    if body is not None:
        request.add_header("Content-Type", kind)
    with urllib.request.urlopen(request, timeout=60) as answer:
        return answer.read(), answer.headers


def rows(split):
    content, headers = ask("GET", f"/datasets/{DATASET}/resolve/{REVISION}/data/{split}.csv")
    print(f"dataset {DATASET} {split} at {headers.get('X-Repo-Commit', REVISION)}", flush=True)
    return [(row["text"], int(row["label"])) for row in csv.DictReader(io.StringIO(content.decode()))]


def features(text):
    words = "".join(it if it.isalnum() or it == "'" else " " for it in text.lower()).split()
    pairs = [first + " " + second for first, second in zip(words, words[1:])]
    return sorted({zlib.crc32(it.encode()) % BUCKETS for it in words + pairs})


def guess(weights, bias, found):
    total = bias + sum(weights[it] for it in found) / math.sqrt(len(found) or 1)
    return 1.0 / (1.0 + math.exp(-max(-30.0, min(30.0, total))))


def measure(weights, bias, data):
    loss = right = 0
    for found, label in data:
        chance = guess(weights, bias, found)
        loss -= math.log(max(1e-9, chance if label else 1.0 - chance))
        right += (chance > 0.5) == bool(label)
    return loss / len(data), right / len(data)


def train(data, held_out):
    weights, bias, step = [0.0] * BUCKETS, 0.0, 0
    steps = EPOCHS * len(data)
    window, norms = [], []
    began = time.monotonic()
    for epoch in range(1, EPOCHS + 1):
        random.shuffle(data)
        for found, label in data:
            chance = guess(weights, bias, found)
            error = chance - label
            rate = LEARNING_RATE * (1.0 - step / steps)
            scale = 1.0 / math.sqrt(len(found) or 1)
            for it in found:
                weights[it] -= rate * (error * scale + DECAY * weights[it])
            bias -= rate * error
            window.append(-math.log(max(1e-9, chance if label else 1.0 - chance)))
            norms.append(abs(error) * math.sqrt(2.0))
            step += 1
            if step % LOG_EVERY == 0:
                line = {
                    "loss": round(sum(window) / len(window), 4),
                    "grad_norm": round(sum(norms) / len(norms), 4),
                    "learning_rate": round(rate, 6),
                    "epoch": round(step / len(data), 2),
                }
                print(line, flush=True)
                window, norms = [], []
                time.sleep(max(0.0, began + SECONDS * step / steps - time.monotonic()))
        if epoch % 2 == 0 or epoch == EPOCHS:
            loss, accuracy = measure(weights, bias, held_out)
            line = {"eval_loss": round(loss, 4), "eval_accuracy": round(accuracy, 4), "epoch": float(epoch)}
            print(line, flush=True)
    took = time.monotonic() - began
    loss, accuracy = measure(weights, bias, data)
    line = {
        "train_runtime": round(took, 2),
        "train_samples_per_second": round(steps / max(took, 1e-9), 1),
        "train_loss": round(loss, 4),
        "epoch": float(EPOCHS),
    }
    print(line, flush=True)
    return weights, bias, accuracy


def push_to_hub(weights, bias, metrics):
    namespace, name = MODEL.split("/")
    made = json.dumps({"name": name, "organization": namespace, "type": "model"}).encode()
    try:
        ask("POST", "/api/repos/create", made)
    except urllib.error.HTTPError as error:
        if error.code != 409:
            raise
    kept = {str(index): round(weight, 6) for index, weight in enumerate(weights) if weight}
    config = {"architectures": ["HashedLogisticRegression"], "model_type": "hashed", "buckets": BUCKETS}
    card = (
        f"---\ndatasets:\n- {DATASET}\npipeline_tag: text-classification\nlibrary_name: plain-python\n---\n"
        f"# {name}\n\nHashed words and pairs of words with logistic regression, trained on `{DATASET}` "
        f"(revision `{REVISION}`).\n\n| Measure | Value |\n|---|---|\n"
        + "".join(f"| {key} | {value} |\n" for key, value in metrics.items())
    )
    files = {
        "model.json": json.dumps({"bias": bias, "weights": kept}),
        "config.json": json.dumps(config, indent=2),
        "README.md": card,
    }
    lines = [{"key": "header", "value": {"summary": "Upload trained model", "description": ""}}]
    for path, text in files.items():
        content = base64.b64encode(text.encode()).decode()
        lines.append({"key": "file", "value": {"path": path, "content": content, "encoding": "base64"}})
    body = "\n".join(json.dumps(line) for line in lines).encode()
    answer, _ = ask("POST", f"/api/models/{MODEL}/commit/main", body, "application/x-ndjson")
    return json.loads(answer)["commitOid"]


def main():
    random.seed(SEED)
    data = [(features(text), label) for text, label in rows("train")]
    random.shuffle(data)
    part = len(data) // 5
    held_out, data = data[:part], data[part:]
    print(f"***** Running training *****\n  Num examples = {len(data)}\n  Num Epochs = {EPOCHS}", flush=True)
    weights, bias, accuracy = train(data, held_out)
    _, held = measure(weights, bias, held_out)
    metrics = {"train accuracy": round(accuracy, 4), "held-out accuracy": round(held, 4)}
    commit = push_to_hub(weights, bias, metrics)
    print(f"pushed {MODEL} at {commit}", flush=True)


if __name__ == "__main__":
    main()
