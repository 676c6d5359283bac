"""The sandbox's server: commands and files over HTTP, for the agent that made this Space.

Needs nothing but Python. Speaks the sandbox API (health, bash, kill, read, write, edit, exists): every POST takes a
JSON object and answers `{success, output, error}` and, where it helps, more. Nothing but `health` is answered without
the sandbox's own token in `X-Sandbox-Authorization`; without a token in its environment it answers nobody (503).

The folder that it is started in is the home: relative paths and commands begin there, and `/app` means it too.
"""

import ast
import base64
import codecs
import ctypes
import hmac
import json
import os
import re
import signal
import stat
import subprocess
import sys
import tempfile
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

# The image's name for the home folder; requests may use it wherever the home really is.
APP = "/app"
HOME = os.path.realpath(os.getcwd())
# Taken out of the environment, so that commands do not inherit it.
TOKEN = os.environ.pop("SANDBOX_API_TOKEN", "")
SPILL = os.path.join(tempfile.gettempdir(), "sandbox_output")

LARGEST_BODY = 64 * 1024 * 1024
LARGEST_SPILL = 64 * 1024 * 1024
LONGEST_TIMEOUT = 36_000
LONGEST_WAIT = 60
TERM_GRACE = 2.0
LINGER = 0.2
KEPT_COMMANDS = 200
NAMES = 5_000
SIGNATURE_SECONDS = 20
SYSTEM = ("/proc", "/sys", "/dev")
CONTINUATION = bytes(range(0x80, 0xC0))
ANSI = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[@-Z\\-_]")
# The beginning of an escape sequence whose end has not come yet.
ANSI_BEGUN = re.compile(r"\x1b(?:\[[0-?]*[ -/]*|\][^\x07\x1b]{0,256})?$")


class Refused(Exception):
    """What was asked for cannot be done; the text is for whoever asked."""


def hide():
    """Makes this process's memory and first environment unreadable to the commands that it starts."""
    try:
        ctypes.CDLL(None, use_errno=True).prctl(4, 0, 0, 0, 0)  # PR_SET_DUMPABLE
    except (OSError, AttributeError):
        pass


def bearer(header):
    scheme, _, given = header.partition(" ")
    return given.strip() if scheme.lower() == "bearer" else ""


def text_of(body, name, default=None):
    value = body.get(name, default)
    if not isinstance(value, str):
        raise Refused(f"`{name}` must be a text")
    return value


def number_of(body, name, default, least, most):
    value = body.get(name)
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise Refused(f"`{name}` must be a number")
    return min(max(int(value), least), most)


def resolve(given):
    """The real path: absolute, links followed."""
    if not given.strip() or "\0" in given:
        raise Refused("the path is empty or holds a zero byte")
    if given == APP or given.startswith(APP + "/"):
        given = "." + given[len(APP):]
    path = os.path.realpath(os.path.join(HOME, given))
    if any(path == root or path.startswith(root + "/") for root in SYSTEM):
        raise Refused(f"{path} is a window into the system, not a file")
    return path


# -- commands ---------------------------------------------------------------------------------------------------------


class Output:
    """Output of any length in bounded memory: beginning and end are kept, all of it goes to a file."""

    def __init__(self, name, cap):
        self.head_room, self.tail_room = cap // 4, max(cap - cap // 4, 1)
        self.head, self.tail, self.total = "", "", 0
        self.decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self.held, self.file, self.written, self.failed = "", None, 0, ""
        self.path = os.path.join(SPILL, f"{name}.txt")
        self.lock = threading.Lock()

    def push(self, piece, final=False):
        with self.lock:
            text = self.held + self.decoder.decode(piece, final)
            begun = None if final else ANSI_BEGUN.search(text[-300:])
            cut = len(text) - len(begun.group()) if begun else len(text)
            text, self.held = ANSI.sub("", text[:cut]), text[cut:]
            if text:
                self._keep(text)

    def _keep(self, text):
        if self.total + len(text) > self.head_room + self.tail_room and self.file is None and not self.failed:
            try:
                os.makedirs(SPILL, exist_ok=True)
                self.file = open(self.path, "w", encoding="utf-8", errors="replace")
                self._spill(self.head + self.tail)
            except OSError as error:
                self.failed = str(error)
        self._spill(text)
        self.total += len(text)
        room = self.head_room - len(self.head)
        if room > 0:
            self.head, text = self.head + text[:room], text[room:]
        self.tail = (self.tail + text)[-self.tail_room:]

    def _spill(self, text):
        if self.file is None or self.written >= LARGEST_SPILL:
            return
        try:
            self.file.write(text)
            self.file.flush()
            self.written += len(text.encode("utf-8", "replace"))
        except OSError as error:
            self.failed, self.file = str(error), None

    def shown(self):
        with self.lock:
            left_out = self.total - len(self.head) - len(self.tail)
            if left_out <= 0:
                return self.head + self.tail
            if self.failed:
                whole = f"it could not be kept in a file: {self.failed}"
            elif self.written >= LARGEST_SPILL:
                whole = f"its first {LARGEST_SPILL // 1024 // 1024} MB are in {self.path}, the rest is lost"
            else:
                whole = f"all of it is in {self.path}, which `read` can page through"
            return f"{self.head}\n\n[… {left_out} of {self.total} characters left out; {whole} …]\n\n{self.tail}"

    def last(self):
        with self.lock:
            return (self.head + self.tail)[-2_000:]


class Command:
    """One command: started once, waited for as often as somebody asks."""

    def __init__(self, name, command, folder, timeout, cap):
        self.name, self.timeout, self.output = name, timeout, Output(name, cap)
        self.done, self.timed_out, self.killed, self.code = threading.Event(), False, False, None
        shell = "/bin/bash" if os.path.exists("/bin/bash") else "/bin/sh"
        self.mark = f"SANDBOX_COMMAND={os.getpid()}-{name}"
        environment = dict(os.environ, PYTHONUNBUFFERED="1", TERM="dumb", PAGER="cat", GIT_TERMINAL_PROMPT="0")
        environment["SANDBOX_COMMAND"] = self.mark.partition("=")[2]
        self.process = subprocess.Popen(
            [shell, "-c", command], cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, start_new_session=True, env=environment, bufsize=0,
        )
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()
        threading.Thread(target=self._follow, daemon=True).start()

    def _read(self):
        # Goes on after the command's own end, so that what it left in the background is not blocked by a full pipe.
        while True:
            try:
                piece = os.read(self.process.stdout.fileno(), 65_536)
            except OSError:
                break
            if not piece:
                break
            if not self.done.is_set():
                self.output.push(piece)
        self.process.stdout.close()

    def _follow(self):
        try:
            self.code = self.process.wait(self.timeout)
        except subprocess.TimeoutExpired:
            self.timed_out = True
            self.end()
            self.code = self.process.wait()
        self.reader.join(LINGER)
        self.output.push(b"", final=True)
        self.done.set()

    def members(self):
        """Everybody whom the command started, whatever session they made for themselves."""
        found, mark = set(), self.mark.encode()
        for pid in filter(str.isdigit, os.listdir("/proc") if os.path.isdir("/proc") else []):
            try:
                with open(f"/proc/{pid}/environ", "rb") as environment:
                    if mark in environment.read().split(b"\0"):
                        found.add(int(pid))
            except OSError:
                pass
        return found

    def signal(self, number):
        try:
            os.killpg(self.process.pid, number)
        except OSError:
            pass
        members = self.members()
        for pid in members:
            try:
                os.kill(pid, number)
            except OSError:
                pass
        return members

    def end(self):
        self.signal(signal.SIGTERM)
        until = time.monotonic() + TERM_GRACE
        while time.monotonic() < until and (self.process.poll() is None or self.members()):
            time.sleep(0.05)
        self.signal(signal.SIGKILL)

    def told(self):
        if not self.done.is_set():
            return {"success": True, "running": True, "output": self.output.last(), "error": ""}
        code = self.code
        error = "" if code == 0 else f"Exit code {code}" if code >= 0 else f"Ended by signal {-code}"
        if self.timed_out:
            error = f"Timeout after {self.timeout}s"
        elif self.killed:
            error = "Killed"
        success = code == 0 and not error
        return {"success": success, "output": self.output.shown(), "error": error,
                "exit_code": code, "timed_out": self.timed_out}


COMMANDS = {}
COMMANDS_LOCK = threading.Lock()


def bash(body):
    """Runs a command, or waits for one: a second request with the same `id` never runs it again."""
    name = re.sub(r"[^A-Za-z0-9_-]", "_", text_of(body, "id", ""))[:80]
    wait = number_of(body, "wait", None, 0, LONGEST_WAIT)
    with COMMANDS_LOCK:
        found = COMMANDS.get(name) if name else None
        if found is None:
            if "command" not in body:
                return {"success": False, "output": "", "error": f"Unknown command id: {name}", "unknown": True}
            name = name or f"c{time.monotonic_ns()}"
            folder = resolve(text_of(body, "work_dir", "."))
            if not os.path.isdir(folder):
                raise Refused(f"`work_dir`: there is no folder {folder}")
            timeout = number_of(body, "timeout", 120, 1, LONGEST_TIMEOUT)
            cap = number_of(body, "max_chars", 25_000, 100, 1_000_000)
            found = Command(name, text_of(body, "command"), folder, timeout, cap)
            COMMANDS[name] = found
            for old in [key for key, one in COMMANDS.items() if one.done.is_set()][:-KEPT_COMMANDS]:
                del COMMANDS[old]
    found.done.wait(wait)
    return found.told()


def kill(body):
    """Ends one command, or all of them and what they left in the background."""
    name = body.get("id")
    with COMMANDS_LOCK:
        chosen = [one for key, one in COMMANDS.items() if name is None or key == name]
    ended = 0
    for one in chosen:
        if not one.done.is_set() or one.members():
            one.killed = not one.done.is_set()
            one.end()
            ended += 1
    return {"success": True, "output": f"Killed {ended} command(s)", "error": ""}


# -- files ------------------------------------------------------------------------------------------------------------


def stamp(about):
    return f"{about.st_size}:{about.st_mtime_ns}"


def look(path):
    """What stands at a path, as fields of an answer."""
    try:
        about = os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        folder = os.path.dirname(path)
        names = sorted(os.listdir(folder))[:NAMES] if os.path.isdir(folder) else None
        return {"kind": "missing", "path": path, "names": names}, None
    if stat.S_ISDIR(about.st_mode):
        return {"kind": "folder", "path": path}, about
    kind = "file" if stat.S_ISREG(about.st_mode) else "other"
    return {"kind": kind, "path": path, "bytes": about.st_size, "stamp": stamp(about)}, about


def read(body):
    """A page of a text file, the names in a folder, or (with `raw`) the whole content in base64."""
    given = text_of(body, "path")
    path = resolve(given)
    found, _ = look(path)
    bad = {"missing": f"File not found: {given}", "other": f"Not a regular file: {given}"}.get(found["kind"])
    if bad:
        return {"success": False, "output": "", "error": bad, **found}
    if found["kind"] == "folder":
        with os.scandir(path) as entries:
            names = [(one.name, one.is_dir(follow_symlinks=False)) for one, _ in zip(entries, range(NAMES))]
        found["entries"] = [name + "/" if folder else name for name, folder in names]
        error = "" if body.get("list") else f"Is a directory: {given}"
        return {"success": not error, "output": "\n".join(found["entries"]), "error": error, **found}
    with open(path, "rb") as file:
        found["stamp"] = stamp(os.fstat(file.fileno()))
        if body.get("look"):
            return {"success": True, "output": "", "error": "", **found}
        if body.get("raw"):
            most = number_of(body, "most", LARGEST_BODY // 2, 0, LARGEST_BODY // 2)
            content = file.read(most + 1)
            if len(content) > most:
                return {"success": False, "output": "", "error": f"Larger than {most} bytes: {given}", **found}
            found["content"] = base64.b64encode(content).decode()
            return {"success": True, "output": "", "error": "", **found}
        return page(file, body, found)


def page(file, body, found):
    offset = number_of(body, "offset", 1, 1, 2**62)
    limit = number_of(body, "limit", 2_000, 1, 100_000)
    width = number_of(body, "line_chars", 4_000, 1, 100_000)
    room = number_of(body, "max_chars", 1_000_000, 1, 10_000_000)
    if b"\0" in file.read(8_192):
        found["kind"] = "binary"
        return {"success": False, "output": "", "error": "Not a text file", **found}
    file.seek(0)
    shown, cut, passed, size = [], {}, 0, 0
    # One line more than asked for, so that the reader knows whether there is more.
    while len(shown) <= limit and (size <= room or len(shown) < 2):
        wanted = passed + 1 >= offset
        line = next_line(file, width if wanted else 0)
        if line is None:
            break
        if not wanted:
            passed += 1
            continue
        number = offset + len(shown)
        text = line[0].decode("utf-8", "replace")[:width]
        if line[1] > len(text):
            cut[str(number)] = line[1] - len(text)
        shown.append(f"{number}\t{text}")
        size += len(text) + 8
    found.update(passed=passed, lines=len(shown), cut=cut)
    return {"success": True, "output": "\n".join(shown), "error": "", **found}


def next_line(file, width):
    """The next line's first bytes and how many characters it has, without its end; None at the end of the file."""
    kept, characters, any_of_it = b"", 0, False
    while True:
        piece = file.readline(65_536)
        if not piece:
            return (kept, characters) if any_of_it else None
        any_of_it = True
        ended = piece.endswith(b"\n")
        piece = piece[:-1] if ended else piece
        kept += piece[:max(width * 4 - len(kept), 0)]
        characters += len(piece.translate(None, CONTINUATION))
        if ended:
            return kept, characters


def put(given, content, seen):
    """Replaces or makes a file in one step. `seen` is its stamp as the writer knows it, or "none"."""
    path = resolve(given)
    found, about = look(path)
    if found["kind"] in ("folder", "other"):
        raise Refused(f"{given} is a folder" if found["kind"] == "folder" else f"{given} is not a regular file")
    if seen is not None and seen != found.get("stamp", "none"):
        return {"success": False, "output": "", "error": f"Changed since it was read: {given}", "changed": True, **found}
    folder = os.path.dirname(path)
    os.makedirs(folder, exist_ok=True)
    handle, draft = tempfile.mkstemp(dir=folder, prefix=".sandbox-", suffix=".tmp")
    try:
        with os.fdopen(handle, "wb") as file:
            if about is None:
                mask = os.umask(0)
                os.umask(mask)
                os.fchmod(file.fileno(), 0o666 & ~mask)
            else:
                os.fchmod(file.fileno(), stat.S_IMODE(about.st_mode) & 0o777)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(draft, path)
    except BaseException:
        if os.path.exists(draft):
            os.unlink(draft)
        raise
    found, _ = look(path)
    warnings = python_warnings(content, path) if path.endswith(".py") else []
    output = f"Wrote {len(content)} bytes to {given}"
    if warnings:
        output += "\n\nValidation warnings:\n" + "\n".join(f"  ! {warning}" for warning in warnings)
    return {"success": True, "output": output, "error": "", "warnings": warnings, **found}


def write(body):
    if "content_base64" in body:
        content = base64.b64decode(text_of(body, "content_base64"), validate=True)
    else:
        content = text_of(body, "content").encode("utf-8", "surrogatepass")
    return put(text_of(body, "path"), content, body.get("seen"))


def edit(body):
    """Exact matches only: nearness is the business of whoever asks."""
    given, old, new = text_of(body, "path"), text_of(body, "old_str"), text_of(body, "new_str")
    mode, everywhere = body.get("mode", "replace"), bool(body.get("replace_all"))
    path = resolve(given)
    found, _ = look(path)
    if found["kind"] != "file":
        raise Refused(f"File not found: {given}")
    if not old or (old == new and mode == "replace"):
        raise Refused("`old_str` must not be empty and must differ from `new_str`")
    with open(path, "rb") as file:
        content = file.read().decode("utf-8")
    count = content.count(old)
    if count == 0:
        raise Refused("`old_str` does not stand in the file")
    if count > 1 and mode == "replace" and not everywhere:
        raise Refused(f"`old_str` stands in the file {count} times; take in more around it, or set `replace_all`")
    if mode not in ("replace", "append_after", "prepend_before"):
        raise Refused("`mode` must be replace, append_after or prepend_before")
    whole = {"replace": new, "append_after": old + new, "prepend_before": new + old}[mode]
    times = count if everywhere else 1
    return put(given, content.replace(old, whole, times).encode("utf-8"), body.get("seen", found["stamp"]))


def exists(body):
    return {"success": True, "output": str(os.path.exists(resolve(text_of(body, "path")))).lower(), "error": ""}


# -- Python files -----------------------------------------------------------------------------------------------------

# Runs in a process of its own: it imports what the script imports, as far as that is an installed package.
SIGNATURES = r"""
import ast, importlib, importlib.util, inspect, sys
tree, names = ast.parse(sys.stdin.buffer.read()), {}
def installed(module):
    try:
        origin = getattr(importlib.util.find_spec(module.partition(".")[0]), "origin", None) or ""
    except (ImportError, ValueError):
        return False
    return "site-packages" in origin or "dist-packages" in origin
for node in ast.walk(tree):
    if isinstance(node, ast.ImportFrom) and node.module and not node.level and installed(node.module):
        names.update({one.asname or one.name: (node.module, one.name) for one in node.names})
for node in ast.walk(tree):
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name) or node.func.id not in names:
        continue
    given = [one.arg for one in node.keywords]
    if not given or None in given:
        continue
    module, name = names[node.func.id]
    try:
        accepted = inspect.signature(getattr(importlib.import_module(module), name)).parameters.values()
    except Exception:
        continue
    if any(one.kind is inspect.Parameter.VAR_KEYWORD for one in accepted):
        continue
    for wrong in sorted(set(given) - {one.name for one in accepted}):
        print(f"line {node.lineno}: {module}.{name}() takes no argument `{wrong}` in the version installed here")
"""


def python_warnings(content, path):
    """What is plainly wrong with a Python file: syntax, and arguments that installed packages do not take."""
    if len(content) > 1024 * 1024:
        return []
    try:
        ast.parse(content)
    except SyntaxError as error:
        return [f"Python syntax error in line {error.lineno}: {error.msg}"]
    except (ValueError, RecursionError, MemoryError) as error:
        return [f"Python cannot read it: {error}"]
    environment = {name: value for name, value in os.environ.items() if "TOKEN" not in name and "KEY" not in name}
    try:
        done = subprocess.run(
            # Isolated: nothing that lies about in a folder or stands in the environment is imported.
            [sys.executable, "-I", "-c", SIGNATURES],
            input=content, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            timeout=SIGNATURE_SECONDS, cwd=tempfile.gettempdir(), env=environment, start_new_session=True,
        )
        return done.stdout.decode("utf-8", "replace").splitlines()[:20]
    except (OSError, subprocess.TimeoutExpired):
        return []


# -- HTTP -------------------------------------------------------------------------------------------------------------

ROUTES = {"/api/bash": bash, "/api/kill": kill, "/api/read": read, "/api/write": write, "/api/edit": edit,
          "/api/exists": exists}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "sandbox", ""
    timeout = 120

    def answer(self, status, body):
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def refuse(self, status, why):
        # What was sent and not read would be taken for the next request.
        self.close_connection = True
        self.answer(status, {"success": False, "output": "", "error": why})

    def do_GET(self):
        if self.path.partition("?")[0] in ("/", "/api/health"):
            self.answer(200, {"status": "ok"})
        else:
            self.refuse(404, "No such route")

    do_HEAD = do_GET

    def do_POST(self):
        if not TOKEN:
            return self.refuse(503, "Sandbox API token not configured")
        given = bearer(self.headers.get("X-Sandbox-Authorization", ""))
        if not hmac.compare_digest(given.encode(), TOKEN.encode()):
            return self.refuse(401, "Invalid bearer token" if given else "Missing bearer token")
        route = ROUTES.get(self.path.partition("?")[0])
        if route is None:
            return self.refuse(404, "No such route")
        try:
            length = int(self.headers.get("Content-Length", ""))
        except ValueError:
            return self.refuse(411, "Content-Length is missing")
        if not 0 <= length <= LARGEST_BODY:
            return self.refuse(413, f"Larger than {LARGEST_BODY} bytes")
        try:
            body = json.loads(self.rfile.read(length) or b"{}")
            if not isinstance(body, dict):
                raise ValueError("not an object")
        except (ValueError, RecursionError):
            return self.refuse(400, "The body must be one JSON object")
        try:
            done = route(body)
        except Refused as why:
            done = {"success": False, "output": "", "error": str(why)}
        except UnicodeDecodeError:
            done = {"success": False, "output": "", "error": "Not UTF-8 text"}
        except (OSError, ValueError) as error:
            done = {"success": False, "output": "", "error": str(error)}
        self.answer(200, done)

    def log_message(self, *_):
        """Says nothing: what people's commands are is not for the Space's log."""


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request, client_address):
        # Somebody who hung up before the answer is no error of the server's.
        if not isinstance(sys.exc_info()[1], (ConnectionError, TimeoutError)):
            super().handle_error(request, client_address)


def main():
    hide()
    host, port = os.environ.get("SANDBOX_HOST", "0.0.0.0"), int(os.environ.get("PORT", "7860"))
    server = Server((host, port), Handler)
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown, daemon=True).start())
    print(f"listening on {host}:{server.server_address[1]}", flush=True)
    try:
        server.serve_forever()
    finally:
        kill({})


if __name__ == "__main__":
    main()
