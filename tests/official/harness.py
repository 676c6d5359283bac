"""What both checks need: the workspace's card, people who act, and a count of what held."""
import json
import queue
import sys
import time
import urllib.request


def read_card():
    text = open(sys.argv[1]).read() if len(sys.argv) > 1 else sys.stdin.readline()
    return json.loads(text)


class People:
    """Acts as people do, through the playground's control API."""

    def __init__(self, card):
        self.card = card
        self.state = self.get("/playground/state")
        self.by_name = {it["name"]: it["id"] for it in self.state["people"]}
        self.channels = {it["name"]: it["id"] for it in self.state["channels"]}
        self.bot = self.state["bot"]["user_id"]

    def call(self, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        headers = {"authorization": "Bearer " + self.card["control_token"], "content-type": "application/json"}
        request = urllib.request.Request(self.card["url"] + path, data=data, headers=headers)
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)

    def get(self, path):
        return self.call(path)

    def act(self, name, act, **fields):
        done = self.call("/playground/act", {"user": self.by_name[name], "act": {"act": act, **fields}})
        assert done["ok"], done
        return done

    def messages(self):
        return self.get("/playground/state")["messages"]


class Tally:
    def __init__(self):
        self.passed = self.failed = 0

    def check(self, what, held, seen=None):
        if held:
            self.passed += 1
        else:
            self.failed += 1
            print(f"FAILED: {what}" + (f": {seen!r}" if seen is not None else ""), flush=True)

    def end(self):
        print(f"{self.passed} passed, {self.failed} failed", flush=True)
        sys.exit(1 if self.failed or not self.passed else 0)


def wait_for(look, seconds=10):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        found = look()
        if found:
            return found
        time.sleep(0.05)
    return None


def take(box, seconds=10):
    try:
        return box.get(timeout=seconds)
    except queue.Empty:
        return None
