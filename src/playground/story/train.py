"""Logistic regression on made-up sentiment data, in plain Python. Nothing to install."""
import json
import math
import random
import time

SEED = 7
EPOCHS = 12
LEARNING_RATE = 0.1
GOOD = "great love superb happy enjoyed wonderful crisp brilliant warm charming".split()
BAD = "awful hate dull angry bored terrible flat broken cold tedious".split()
PLAIN = "the film was with a plot and some actors in this scene today very it".split()


def review(label):
    mood, other = (GOOD, BAD) if label else (BAD, GOOD)
    words = random.choices(PLAIN, k=9) + random.choices(mood, k=2)
    if random.random() < 0.35:
        words += random.choices(other, k=2)
    random.shuffle(words)
    return words, label


def score(weights, bias, words):
    total = max(-30.0, min(30.0, bias + sum(weights.get(word, 0.0) for word in words)))
    return 1.0 / (1.0 + math.exp(-total))


def accuracy(weights, bias, rows):
    return sum((score(weights, bias, words) > 0.5) == bool(label) for words, label in rows) / len(rows)


def main():
    random.seed(SEED)
    rows = [review(index % 2) for index in range(2400)]
    random.shuffle(rows)
    train, test = rows[:2000], rows[2000:]
    weights, bias, began = {}, 0.0, time.time()
    for epoch in range(1, EPOCHS + 1):
        random.shuffle(train)
        loss = 0.0
        for words, label in train:
            guess = score(weights, bias, words)
            loss -= math.log(max(1e-9, guess if label else 1.0 - guess))
            step = LEARNING_RATE * (label - guess)
            bias += step
            for word in words:
                weights[word] = weights.get(word, 0.0) + step
        print(f"epoch {epoch:2d}  loss {loss / len(train):.4f}  test accuracy {accuracy(weights, bias, test):.4f}", flush=True)
        time.sleep(0.1)
    metrics = {
        "learning_rate": LEARNING_RATE,
        "epochs": EPOCHS,
        "loss": round(loss / len(train), 4),
        "train_accuracy": round(accuracy(weights, bias, train), 4),
        "test_accuracy": round(accuracy(weights, bias, test), 4),
        "seconds": round(time.time() - began, 2),
    }
    with open("metrics.json", "w") as out:
        json.dump(metrics, out, indent=2)
    print("METRICS " + json.dumps(metrics), flush=True)


if __name__ == "__main__":
    main()
