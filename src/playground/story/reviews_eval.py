# /// script
# dependencies = []
# ///
"""Measures a pushed model and its base on the test split of a dataset, by accuracy and F1.

Plain Python, nothing to install. Reads both models and the data from the Hub and prints one line for each.
"""
import csv
import io
import json
import math
import os
import time
import urllib.request
import zlib

HUB = os.environ.get("HF_ENDPOINT", "https://huggingface.co").rstrip("/")
TOKEN = os.environ["HF_TOKEN"]
DATASET = os.environ.get("DATASET", "ml-intern-demo/reviews")
REVISION = os.environ.get("DATASET_REVISION", "main")
MODEL = os.environ.get("HUB_MODEL_ID", "ml-intern-demo/reviews-classifier")
BASE = os.environ.get("BASE_MODEL_ID", "ml-intern-demo/majority-baseline")
# How long a measurement takes at least, for people who watch.
SECONDS = float(os.environ.get("PACE_SECONDS", "4"))


def read(path):
    request = urllib.request.Request(HUB + path, headers={"Authorization": "Bearer " + TOKEN})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return answer.read().decode(), answer.headers.get("X-Repo-Commit")


def majority(config, _model):
    return lambda text: config["label"]


def hashed(config, model):
    weights = {int(index): weight for index, weight in model["weights"].items()}
    buckets, bias = config["buckets"], model["bias"]

    def label(text):
        words = "".join(it if it.isalnum() or it == "'" else " " for it in text.lower()).split()
        pairs = [first + " " + second for first, second in zip(words, words[1:])]
        found = {zlib.crc32(it.encode()) % buckets for it in words + pairs}
        return int(bias + sum(weights.get(it, 0.0) for it in found) / math.sqrt(len(found) or 1) > 0.0)

    return label


KINDS = {"majority": (majority, False), "hashed": (hashed, True)}


def load(model_id):
    text, commit = read(f"/{model_id}/resolve/main/config.json")
    config = json.loads(text)
    make, has_weights = KINDS[config["model_type"]]
    model = json.loads(read(f"/{model_id}/resolve/{commit or 'main'}/model.json")[0]) if has_weights else None
    return make(config, model), commit


def measure(label_of, data):
    hits = {(guess, label): 0 for guess in (0, 1) for label in (0, 1)}
    for text, label in data:
        hits[label_of(text), label] += 1
    right = hits[1, 1] + hits[0, 0]
    wrong = hits[1, 0] + hits[0, 1]
    return right / len(data), 2 * hits[1, 1] / max(1, 2 * hits[1, 1] + wrong)


def main():
    text, data_commit = read(f"/datasets/{DATASET}/resolve/{REVISION}/data/test.csv")
    data = [(row["text"], int(row["label"])) for row in csv.DictReader(io.StringIO(text))]
    print(f"dataset {DATASET} test at {data_commit}: {len(data)} examples", flush=True)
    results = {}
    for role, model_id in (("base", BASE), ("model", MODEL)):
        label_of, commit = load(model_id)
        accuracy, f1 = measure(label_of, data)
        time.sleep(SECONDS / 2)
        results[role] = {
            "model": model_id, "commit": commit, "accuracy": round(accuracy, 4), "f1": round(f1, 4),
        }
        print(json.dumps({"evaluated": role, **results[role]}), flush=True)
    summary = {"dataset": DATASET, "dataset_revision": data_commit, "split": "test", "examples": len(data), **results}
    print("EVALUATION " + json.dumps(summary), flush=True)


if __name__ == "__main__":
    main()
