"""The official `huggingface_hub` against the small Hub: jobs, scheduled jobs, hardware, Spaces, buckets.

Every call is named as in `src/playground/hub/jobs/claimed.txt`; one that is claimed and not made here, or the other
way round, is a failure. Jobs run for real.
"""
import os
import sys
import tempfile
import time

from harness import Tally, read_card, wait_for

card = read_card()
home = tempfile.TemporaryDirectory()
# Before the import: the library reads its environment once.
os.environ.update(HF_ENDPOINT=card["url"], HF_HOME=home.name, HF_HUB_DISABLE_TELEMETRY="1", HF_HUB_DISABLE_XET="1")
# Some calls ask for the account with the default token, whatever token the client was given.
os.environ.update(HF_HUB_DISABLE_PROGRESS_BARS="1", HF_TOKEN=card["tokens"]["alice"])

from huggingface_hub import CommitOperationAdd, HfApi, Volume  # noqa: E402
from huggingface_hub.errors import HfHubHTTPError  # noqa: E402

tally = Tally()
made = set()
api = HfApi(endpoint=card["url"], token=card["tokens"]["alice"])
PRINT = ["python", "-c", "print('one'); print('two')"]
WAIT = ["python", "-c", "import time; print('up', flush=True); time.sleep(60)"]


def call(name, held, seen=None):
    made.add(name)
    tally.check(name, held, seen)


def refused(status, work):
    try:
        work()
    except HfHubHTTPError as error:
        return error.response.status_code == status and str(error)
    return False


def finished(job, **where):
    return api.wait_for_job(job_id=job.id, poll_interval=0.05, timeout=30, **where)


def jobs():
    job = api.run_job(image="python:3.12", command=PRINT)
    call("run_job_min", job.owner.name == "alice" and job.flavor == "cpu-basic", job)
    tally.check("a fresh job is on its way", job.status.stage in ("SCHEDULING", "RUNNING", "COMPLETED"), job)
    end = finished(job)
    call("wait_for_job", end.status.stage == "COMPLETED" and end.started_at and end.finished_at, end)
    seen = api.inspect_job(job_id=job.id)
    call("inspect_job", seen.command == PRINT and seen.durations.total_secs >= 0 and not seen.secrets, seen)
    lines = list(api.fetch_job_logs(job_id=job.id))
    call("fetch_job_logs", lines == ["one", "two"], lines)
    call("fetch_job_logs_tail", list(api.fetch_job_logs(job_id=job.id, tail=1)) == ["two"])
    slow = "import time\nfor i in range(5): print('step', i, flush=True); time.sleep(0.1)"
    job = api.run_job(image="python:3.12", command=["python", "-c", slow])
    lines = list(api.fetch_job_logs(job_id=job.id, follow=True))
    call("fetch_job_logs_follow", lines == [f"step {i}" for i in range(5)], lines)
    again = api.rerun_job(job_id=job.id)
    call("rerun_job", again.id != job.id and again.command == job.command and again.initiator.type == "duplicated-job")
    labelled = api.update_job_labels(job_id=again.id, labels={"a": "b"})
    call("update_job_labels", labelled.labels == {"a": "b"}, labelled)
    full = api.run_job(
        image="pytorch/pytorch:2.6.0-cuda12.4-cudnn9-devel", command=["bash", "-lc", "echo $FOO; test -n \"$HF_TOKEN\""],
        env={"FOO": "1"}, secrets={"HF_TOKEN": "hf_secret"}, flavor="a10g-small", timeout="2h", namespace="acme",
    )
    call("run_job_full", full.owner.type == "org" and "hf_secret" not in repr(full), full)
    call("inspect_job_ns", finished(full, namespace="acme").status.stage == "COMPLETED")
    call("list_jobs_ns", [it.id for it in api.list_jobs(namespace="acme")] == [full.id])
    lines = list(api.fetch_job_logs(job_id=full.id, namespace="acme"))
    tally.check("a log in a namespace", lines == ["1"], lines)


def more_jobs():
    failed = api.run_job(image="python:3.12", command=["python", "-c", "1/0"])
    end = finished(failed)
    tally.check("a failure says so", end.status.stage == "ERROR" and "exit code: 1" in end.status.message, end)
    mine = dict(image="python:3.12", command=WAIT, labels={"k": "v"})
    running = api.run_job(timeout=90, **mine)
    call("run_job_labels", running.labels["k"] == "v" and running.labels["name"].startswith("python-3-12-"), running)
    call("list_jobs", running.id in [it.id for it in api.list_jobs()])
    found = [it.id for it in api.list_jobs(status="RUNNING", labels={"k": "v"})]
    call("list_jobs_filter", found == [running.id], found)
    sample = list(api.fetch_job_metrics(job_id=running.id))
    call("fetch_job_metrics", len(sample) == 1 and sample[0]["memory_total_bytes"] > 0, sample)
    api.cancel_job(job_id=running.id)
    call("cancel_job", api.inspect_job(job_id=running.id).status.stage == "CANCELED")
    tally.check("no metrics after the end", list(api.fetch_job_metrics(job_id=running.id)) == [])
    other = api.run_job(namespace="acme", **mine)
    api.cancel_job(job_id=other.id, namespace="acme")
    call("cancel_job_ns", api.inspect_job(job_id=other.id, namespace="acme").status.stage == "CANCELED")
    tries = api.run_job(image="python:3.12", command=["true"], name="train", attempts=3)
    call("run_job_attempts_name", tries.retry == 2 and tries.labels == {"name": "train"}, tries)
    open_job = api.run_job(image="python:3.12", command=["true"], expose=[8000])
    call("run_job_expose", open_job.expose == [8000], open_job)
    for name, image in (
        ("run_job_space_image", "https://huggingface.co/spaces/lhoestq/duckdb"),
        ("run_job_space_image_hfco", "hf.co/spaces/lhoestq/duckdb"),
    ):
        job = api.run_job(image=image, command=["duckdb"])
        call(name, job.space_id == "lhoestq/duckdb" and job.docker_image is None, job)
    volumes = [
        Volume(type="dataset", source="alice/d", mount_path="/data"),
        Volume(type="bucket", source="alice/b", mount_path="/out", read_only=False),
    ]
    job = api.run_job(image="python:3.12", command=["true"], volumes=volumes)
    call("run_job_volumes", [it.mount_path for it in job.volumes] == ["/data", "/out"], job)
    job = api.run_uv_job("python", script_args=["-c", "print(1)"])
    call("run_uv_job_inline_command", list(api.fetch_job_logs(job_id=job.id, follow=True)) == ["1"], job)
    url = "https://raw.githubusercontent.com/huggingface/trl/main/trl/scripts/sft.py"
    job = api.run_uv_job(url, script_args=["--model", "x"], dependencies=["trl"], flavor="a10g-large")
    call("run_uv_job_url", job.command[:4] == ["uv", "run", "--with", "trl"] and url in job.command, job)
    poor = HfApi(endpoint=card["url"], token=card["tokens"]["bob"])
    words = refused(402, lambda: poor.run_job(image="a", command=["b"]))
    call("err_run_job_402", words and "Pre-paid credit balance is insufficient" in words, words)
    tally.check("an unknown flavour", refused(400, lambda: api.run_job(image="a", command=["b"], flavor="h100")))
    tally.check("an unknown job", refused(404, lambda: api.inspect_job(job_id="0" * 24)))
    tally.check("somebody else's", refused(403, lambda: poor.run_job(image="a", command=["b"], namespace="alice")))


def schedules():
    made_job = api.create_scheduled_job(
        image="python:3.12", command=["python", "-c", "print(1)"], schedule="@hourly", suspend=False, concurrency=True,
        env={"A": "1"}, secrets={"HF_TOKEN": "hf_secret"}, flavor="cpu-upgrade", timeout="30m",
    )
    good = made_job.concurrency and made_job.status.next_job_run_at and made_job.job_spec.timeout == 1800
    call("create_scheduled_job", good and "hf_secret" not in repr(made_job), made_job)
    uv = api.create_scheduled_uv_job("https://example.com/s.py", schedule="@daily")
    call("create_scheduled_uv_job_url", uv.job_spec.command == ["uv", "run", "https://example.com/s.py"], uv)
    which = {"scheduled_job_id": made_job.id}
    call("inspect_scheduled_job", api.inspect_scheduled_job(**which).job_spec.environment == {"A": "1"})
    api.suspend_scheduled_job(**which)
    call("suspend_scheduled_job", api.inspect_scheduled_job(**which).suspend is True)
    # The library hides suspended ones unless it is asked for them.
    call("list_scheduled_jobs", {it.id for it in api.list_scheduled_jobs()} == {made_job.id, uv.id})
    api.resume_scheduled_job(**which)
    call("resume_scheduled_job", api.inspect_scheduled_job(**which).suspend is False)
    job = api.trigger_scheduled_job(**which)
    call("trigger_scheduled_job", job.initiator.type == "scheduled-job" and finished(job).status.stage == "COMPLETED")
    tally.check("the last job", api.inspect_scheduled_job(**which).status.last_job.id == job.id)
    changed = api.update_scheduled_job_schedule(schedule="@weekly", **which)
    call("update_scheduled_job_schedule", changed.schedule == "@weekly", changed)
    api.delete_scheduled_job(**which)
    call("delete_scheduled_job", refused(404, lambda: api.inspect_scheduled_job(**which)))
    tally.check("a schedule that is none", refused(400, lambda: api.create_scheduled_job(
        image="a", command=["b"], schedule="now and then")))


def hardware():
    listed = {it.name: it for it in api.list_jobs_hardware()}
    basic, gpu = listed["cpu-basic"], listed["a10g-small"]
    good = (basic.unit_cost_micro_usd, basic.unit_label, basic.accelerator) == (167, "minute", None)
    call("list_jobs_hardware", good and gpu.accelerator.model == "A10G", listed)
    listed = {it.name: it for it in api.list_spaces_hardware()}
    call("list_spaces_hardware", listed["cpu-basic"].unit_cost_micro_usd == 0 and "t4-small" in listed, listed)


def spaces():
    space = "alice/sandbox-1"
    secret, variable = [{"key": "K", "value": "V"}], [{"key": "A", "value": "B"}]
    url = api.duplicate_repo(
        from_id="burtenshaw/sandbox", to_id=space, repo_type="space", private=True, space_hardware="t4-small",
        space_sleep_time=2700,
    )
    call("duplicate_space_repo", url.repo_id == space and api.space_info(space).private, url)
    runtime = api.get_space_runtime(space)
    call("get_space_runtime", (runtime.requested_hardware, runtime.sleep_time) == ("t4-small", 2700), runtime.raw)
    basic = dict(from_id="burtenshaw/sandbox", repo_type="space", private=True)
    api.duplicate_repo(to_id="alice/sandbox-2", space_hardware="cpu-basic", **basic)
    call("duplicate_space_repo_cpu", api.get_space_runtime("alice/sandbox-2").requested_hardware == "cpu-basic")
    api.duplicate_repo(to_id="alice/sandbox-3", space_secrets=secret, space_variables=variable, **basic)
    held = list(api.get_space_secrets("alice/sandbox-3")) == ["K"]
    call("duplicate_space_secrets", held and api.get_space_variables("alice/sandbox-3")["A"].value == "B")
    docker = dict(repo_type="space", space_sdk="docker", private=True, space_secrets=secret, space_variables=variable)
    api.create_repo("alice/docker", space_hardware="t4-small", space_sleep_time=300, **docker)
    runtime = api.get_space_runtime("alice/docker")
    call("create_repo_space_docker", runtime.sleep_time == 300 and runtime.stage == "NO_APP_FILE", runtime.raw)
    api.add_space_secret(space, "SANDBOX_API_TOKEN", "tok")
    call("add_space_secret", "SANDBOX_API_TOKEN" in api.get_space_secrets(space))
    api.add_space_secret(space, "K", "v", description="d")
    secrets = api.get_space_secrets(space)
    call("add_space_secret_desc", secrets["K"].description == "d", secrets)
    call("get_space_secrets", secrets["K"].updated_at and "tok" not in repr(secrets), secrets)
    api.delete_space_secret(space, "K")
    call("delete_space_secret", list(api.get_space_secrets(space)) == ["SANDBOX_API_TOKEN"])
    call("add_space_variable", api.add_space_variable(space, "V", "w")["V"].value == "w")
    call("get_space_variables", api.get_space_variables(space)["V"].value == "w")
    call("delete_space_variable", api.delete_space_variable(space, "V") == {})
    call("request_space_hardware", api.request_space_hardware(space, "a10g-small", sleep_time=600).sleep_time == 600)
    call("set_space_sleep_time", api.set_space_sleep_time(space, 300).sleep_time == 300)
    bucket = api.create_bucket("alice/b", private=True)
    tally.check("a bucket", bucket.bucket_id == "alice/b" and api.bucket_info("alice/b").private)
    tally.check("the same bucket", api.create_bucket("alice/b", exist_ok=True).bucket_id == "alice/b")
    api.set_space_volumes(space, [Volume(type="bucket", source="alice/b", mount_path="/data")])
    runtime = api.get_space_runtime(space)
    call("set_space_volumes", [it.mount_path for it in runtime.volumes] == ["/data"], runtime.raw)
    call("pause_space", api.pause_space(space).stage == "PAUSED")
    call("restart_space", api.restart_space(space).stage in ("BUILDING", "APP_STARTING", "RUNNING"))
    serve(space)
    api.delete_repo(space, repo_type="space")
    call("delete_repo_space", refused(404, lambda: api.get_space_runtime(space)))
    tally.check("buckets are listed", [it.id for it in api.list_buckets()] == ["alice/b"])
    api.delete_bucket("alice/b")
    tally.check("and deleted", refused(404, lambda: api.bucket_info("alice/b")))


SERVER = """
import http.server, os
class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = (self.path + ' ' + os.environ['SANDBOX_API_TOKEN'] + ' ' + str(self.headers['Authorization'])).encode()
        self.send_response(200); self.send_header('Content-Length', str(len(body))); self.end_headers()
        self.wfile.write(body)
print('serving', flush=True)
http.server.HTTPServer(('127.0.0.1', int(os.environ['PORT'])), Answer).serve_forever()
"""


def serve(space):
    """Commits a server, and reaches it through the edge."""
    files = {"sandbox_server.py": SERVER, "Dockerfile": "FROM python:3.12"}
    operations = [CommitOperationAdd(path, text.encode()) for path, text in files.items()]
    commit = api.create_commit(space, operations, repo_type="space", commit_message="Setup sandbox server")
    call("create_commit_space_two_files", commit.oid, commit)
    runtime = api.wait_for_space(space, timeout=30, poll_interval=0.1)
    tally.check("the committed server runs", runtime.stage == "RUNNING", runtime.raw)
    word = space.replace("/", "-")
    address = card["spaces_url"].replace("{space}", word) + "/api/health"
    answer = fetch(address, {"Authorization": "Bearer " + card["tokens"]["alice"]})
    tally.check("it answers, without the token", answer == (200, "/api/health tok None"), answer)
    for name, headers in (("nobody", {}), ("a stranger", {"Authorization": "Bearer " + card["tokens"]["carol"]})):
        tally.check(f"{name} finds no private Space", fetch(address, headers)[0] == 404)
    logs = wait_for(lambda: list(api.fetch_space_logs(space)))
    call("fetch_space_logs", logs and logs[0] == "serving\n", logs)
    logs = list(api.fetch_space_logs(space, build=True))
    call("fetch_space_logs_build", len(logs) == 1 and commit.oid in logs[0], logs)
    call("restart_space_factory", api.restart_space(space, factory_reboot=True).stage in ("BUILDING", "APP_STARTING"))


def fetch(address, headers):
    import urllib.error
    import urllib.request

    try:
        with urllib.request.urlopen(urllib.request.Request(address, headers=headers), timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, ""


def claims():
    path = os.path.join(os.path.dirname(__file__), "../../src/playground/hub/jobs/claimed.txt")
    with open(path) as lines:
        claimed = {line.strip() for line in lines if line.strip() and not line.startswith("#")}
    tally.check("what is claimed is what was called", claimed == made, sorted(claimed ^ made))


began = time.monotonic()
for part in (hardware, jobs, more_jobs, schedules, spaces):
    try:
        part()
    except Exception as error:  # The others still have their say.
        tally.check(f"{part.__name__} went through", False, f"{type(error).__name__}: {error}")
claims()
print(f"{len(made)} claimed calls in {time.monotonic() - began:.1f} s", flush=True)
home.cleanup()
sys.stdout.flush()
tally.end()
