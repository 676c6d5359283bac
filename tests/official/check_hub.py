"""The official `huggingface_hub`, unchanged, against the small Hub: every call that it claims.

The card names the Hub's address, tokens, what was claimed, and a control address of the harness through
which the check asks for a fault: `{"fault": "429"}`. Each claimed call prints a line; one that was not
made fails the check.
"""
import io
import os
import socket
import sys
import tempfile
import traceback

from harness import Tally, read_card

card = read_card()
home = tempfile.TemporaryDirectory()
os.environ.update(
    HF_ENDPOINT=card["url"], HF_HOME=home.name, HF_HUB_DISABLE_XET="1", HF_HUB_DISABLE_TELEMETRY="1",
    HF_HUB_DISABLE_PROGRESS_BARS="1", HF_HUB_DISABLE_IMPLICIT_TOKEN="1", NO_PROXY="*",
)
for name in ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
    os.environ.pop(name, None)

import huggingface_hub  # noqa: E402  (the environment decides where it speaks to)
from huggingface_hub import CommitOperationAdd as Add  # noqa: E402
from huggingface_hub import CommitOperationCopy as Copy  # noqa: E402
from huggingface_hub import CommitOperationDelete as Delete  # noqa: E402
from huggingface_hub import HfApi, errors  # noqa: E402

tally = Tally()
made = []
api, bob, stranger = HfApi(token=card["alice"]), HfApi(token=card["bob"]), HfApi(token=card["carol"])
M, D, S = "alice/model1", "alice/data1", "alice/space1"
BIG = bytes(range(256)) * 800


def claim(name, held, seen=None):
    """Writes down that a claimed call was made, and whether its answer was right."""
    made.append(name)
    print(f"{'ok' if held else 'NOT OK'} {name}", flush=True)
    tally.check(name, held, seen)


def fails(kind, call, status=None):
    try:
        call()
    except kind as error:
        response = getattr(error, "response", None)
        return status is None or (response is not None and response.status_code == status)
    return False


def fault(kind):
    """Asks the harness to put a fault in force; it answers when it has."""
    host, port = card["control"].rsplit(":", 1)
    with socket.create_connection((host, int(port)), timeout=10) as wire:
        wire.sendall((kind + "\n").encode())
        assert wire.makefile().readline().strip() == "done"


def text_of(path):
    with open(path, "rb") as file:
        return file.read()


def repos():
    url = api.create_repo(M, private=True, exist_ok=True)
    claim("create_repo_model_private", str(url) == f"{card['url']}/{M}" and url.repo_id == M, url)
    claim("create_repo_default", api.create_repo("short").repo_id == "alice/short")
    claim("create_repo_dataset", api.create_repo(D, repo_type="dataset", private=False).repo_type == "dataset")
    space = api.create_repo(
        S, repo_type="space", space_sdk="docker", private=True, space_hardware="cpu-basic",
        space_secrets=[{"key": "A", "value": "b"}], space_variables=[{"key": "V", "value": "w"}],
    )
    claim("create_repo_space_docker", space.repo_type == "space" and space.repo_id == S, space)
    claim("err_create_repo_409", fails(errors.HfHubHTTPError, lambda: api.create_repo(M), 409))
    claim("err_create_repo_409_exist_ok", api.create_repo(M, exist_ok=True).repo_id == M)
    tally.check("nobody makes repos for others", fails(errors.HfHubHTTPError, lambda: stranger.create_repo("alice/x"), 403))
    tally.check("a reader makes none in the organisation", fails(errors.HfHubHTTPError, lambda: bob.create_repo("acme/x"), 403))
    bad = lambda: huggingface_hub.utils.hf_raise_for_status(huggingface_hub.utils.get_session().post(  # noqa: E731
        card["url"] + "/api/repos/create", json={"name": "a--b"}, headers={"authorization": "Bearer " + card["alice"]}))
    tally.check("a bad name is refused", fails(errors.HfHubHTTPError, bad, 400))


def accounts():
    me = api.whoami()
    roles = [(org["name"], org["roleInOrg"]) for org in me["orgs"]]
    claim("whoami", me["name"] == "alice" and roles == [("acme", "admin")] and me["auth"]["accessToken"]["role"] == "write", me)
    claim("user_overview", api.get_user_overview("alice").orgs[0].name == "acme")
    claim("err_401", fails(errors.HfHubHTTPError, lambda: HfApi(token="hf_nobody").model_info(M), 401))
    tally.check("a wrong token is refused for public repos too", fails(errors.HfHubHTTPError, lambda: HfApi(token="hf_nobody").dataset_info(D), 401))
    api.auth_check(M)
    claim("auth_check", fails(errors.RepositoryNotFoundError, lambda: stranger.auth_check(M), 404))


def uploads():
    with tempfile.TemporaryDirectory() as folder:
        small = os.path.join(folder, "small.txt")
        open(small, "w").write("hello\n")
        done = api.upload_file(path_or_fileobj=small, path_in_repo="notes/small.txt", repo_id=M, commit_message="add small")
        head = api.model_info(M).sha
        claim("upload_file_small", done.oid == head and done.commit_url.endswith(f"/{M}/commit/{head}"), done)
        again = api.upload_file(path_or_fileobj=small, path_in_repo="notes/small.txt", repo_id=M)
        tally.check("what is there already makes no commit", again.oid == head, again.oid)
        weights = os.path.join(folder, "weights.bin")
        open(weights, "wb").write(BIG[:60_000])
        api.upload_file(path_or_fileobj=weights, path_in_repo="weights.bin", repo_id=M)
        got = text_of(api.hf_hub_download(M, "weights.bin"))
        claim("upload_file_lfs_basic", got == BIG[:60_000], len(got))
        open(weights, "wb").write(BIG)
        api.upload_file(path_or_fileobj=weights, path_in_repo="large/weights.bin", repo_id=M)
        claim("upload_file_lfs_multipart", text_of(api.hf_hub_download(M, "large/weights.bin")) == BIG)
        up = os.path.join(folder, "up")
        os.makedirs(os.path.join(up, "inner"))
        open(os.path.join(up, "a.txt"), "w").write("a")
        open(os.path.join(up, "inner", "b.bin"), "wb").write(BIG[:1000])
        api.create_commit(D, [Add("up/x.old", b"old")], repo_type="dataset", commit_message="old")
        api.upload_folder(folder_path=up, repo_id=D, repo_type="dataset", path_in_repo="up", delete_patterns="*.old")
        claim("upload_folder", {"up/a.txt", "up/inner/b.bin"} <= set(api.list_repo_files(D, repo_type="dataset"))
              and "up/x.old" not in api.list_repo_files(D, repo_type="dataset"))
    api.upload_file(path_or_fileobj=io.BytesIO(b"PAR1" + BIG[:100]), path_in_repo="d.parquet", repo_id=D, repo_type="dataset")
    info = api.get_paths_info(D, ["d.parquet"], repo_type="dataset")[0]
    claim("upload_file_parquet_bytes", info.lfs is not None and info.lfs.size == 104, info)
    api.create_commit(M, [Add("empty.txt", b"")], commit_message="empty")
    claim("create_commit_empty_file", text_of(api.hf_hub_download(M, "empty.txt")) == b"")
    api.create_commit(M, [Add("old.txt", b"1"), Add("olddir/x", b"2"), Add("olddir/y", b"3")], commit_message="to remove")
    api.create_commit(
        M, [Add("a.txt", b"aaa"), Add("b.bin", BIG[:5000]), Delete("old.txt"), Delete("olddir/")],
        commit_message="mix", commit_description="desc",
    )
    files = set(api.list_repo_files(M))
    claim("create_commit_mixed", {"a.txt", "b.bin"} <= files and not any(it.startswith("old") for it in files), files)
    api.create_commit(S, [Add("app.py", b"print(1)\n"), Add("Dockerfile", b"FROM python:3.12\n")], repo_type="space", commit_message="app")
    claim("create_commit_space_two_files", "app.py" in api.list_repo_files(S, repo_type="space"))
    api.create_commit(M, [Copy("b.bin", "copy/c.bin"), Copy("a.txt", "copy/a.txt")], commit_message="copy")
    claim("create_commit_copy_lfs", text_of(api.hf_hub_download(M, "copy/c.bin")) == BIG[:5000])
    tally.check("a missing file cannot be deleted", fails(errors.EntryNotFoundError, lambda: api.delete_file("nope.txt", M), 404))
    old = api.list_repo_commits(M)[1].commit_id
    late = lambda: api.create_commit(M, [Add("late.txt", b"1")], commit_message="late", parent_commit=old)  # noqa: E731
    tally.check("a commit on an old parent is refused", fails(errors.HfHubHTTPError, late, 412))
    tally.check("a stranger cannot commit", fails(errors.HfHubHTTPError, lambda: stranger.upload_file(
        path_or_fileobj=b"x", path_in_repo="x", repo_id=D, repo_type="dataset"), 403))


def looking():
    head = api.model_info(M).sha
    claim("repo_info_model", api.repo_info(M, repo_type="model").id == M)
    claim("repo_info_dataset", api.repo_info(D, repo_type="dataset").author == "alice")
    claim("repo_info_space", api.repo_info(S, repo_type="space").sdk == "docker")
    claim("dataset_info", api.dataset_info(D).private is False)
    claim("space_info", api.space_info(S).private is True)
    claim("repo_exists", api.repo_exists(M) and not api.repo_exists("alice/nope") and not stranger.repo_exists(M))
    claim("revision_exists", api.revision_exists(M, "main") and not api.revision_exists(M, "nope"))
    claim("file_exists", api.file_exists(M, "a.txt") and not api.file_exists(M, "nope.txt"))
    files = api.list_repo_files(M)
    claim("list_repo_files", ".gitattributes" in files and "large/weights.bin" in files and len(files) == len(set(files)), files)
    tree = list(api.list_repo_tree(M, recursive=True, expand=True))
    names = [it.path for it in tree]
    claim("list_repo_tree", {"large", "large/weights.bin"} <= set(names) and all(it.last_commit for it in tree), names)
    sub = list(api.list_repo_tree(M, path_in_repo="copy", revision="main"))
    api.create_commit(M, [Add("sub dir/file one.txt", b"1")], commit_message="spaces")
    spaced = list(api.list_repo_tree(M, path_in_repo="sub dir", revision="main"))
    claim("list_repo_tree_subdir", len(sub) == 2 and [it.path for it in spaced] == ["sub dir/file one.txt"], spaced)
    infos = api.get_paths_info(M, ["a.txt", "copy", "nope"], expand=True)
    claim("get_paths_info", [it.path for it in infos] == ["a.txt", "copy"] and infos[0].last_commit.title == "mix", infos)
    commits = api.list_repo_commits(M)
    claim("list_repo_commits", commits[-1].title == "initial commit" and commits[0].title == "spaces"
          and commits[1].commit_id == head and commits[0].authors == ["alice"], commits[:2])
    path = api.hf_hub_download(M, "a.txt")
    claim("hf_hub_download_model", text_of(path) == b"aaa")
    claim("hf_hub_download_again_cached", api.hf_hub_download(M, "a.txt") == path)
    claim("hf_hub_download_space", text_of(api.hf_hub_download(S, "app.py", repo_type="space")) == b"print(1)\n")
    meta = huggingface_hub.get_hf_file_metadata(huggingface_hub.hf_hub_url(M, "weights.bin"), token=card["alice"])
    claim("get_hf_file_metadata", meta.size == 60_000 and len(meta.etag) == 64 and meta.commit_hash == api.model_info(M).sha
          and not meta.location.startswith(card["url"]), meta)
    folder = api.snapshot_download(M, allow_patterns="*.txt")
    claim("snapshot_download", text_of(os.path.join(folder, "sub dir", "file one.txt")) == b"1"
          and not os.path.exists(os.path.join(folder, "weights.bin")))
    claim("err_404_repo", fails(errors.RepositoryNotFoundError, lambda: api.model_info("alice/nope"), 404))
    claim("err_404_rev", fails(errors.RevisionNotFoundError, lambda: api.model_info(M, revision="nope"), 404))
    tally.check("without a token a private repo is 401", fails(errors.RepositoryNotFoundError, lambda: HfApi(token=False).model_info(M), 401))
    tally.check("a missing file is told", fails(errors.EntryNotFoundError, lambda: api.hf_hub_download(M, "nope.txt")))


def references():
    api.create_branch(M, branch="dev", revision="main", exist_ok=True)
    tally.check("a branch is made once", fails(errors.HfHubHTTPError, lambda: api.create_branch(M, branch="dev"), 409))
    api.create_branch(M, branch="feat/x")
    refs = api.list_repo_refs(M)
    claim("create_branch", "dev" in [it.name for it in refs.branches])
    claim("create_branch_slash", "feat/x" in [it.name for it in refs.branches])
    api.upload_file(path_or_fileobj=b"on dev", path_in_repo="dev.txt", repo_id=M, revision="feat/x")
    on_branch = text_of(api.hf_hub_download(M, "dev.txt", revision="feat/x"))
    tally.check("branches go apart", on_branch == b"on dev" and not api.file_exists(M, "dev.txt"))
    api.delete_branch(M, branch="dev")
    claim("delete_branch", "dev" not in [it.name for it in api.list_repo_refs(M).branches])
    api.create_tag(M, tag="v1.0", tag_message="msg", revision="main", exist_ok=True)
    api.create_tag(M, tag="v1.0", exist_ok=True)
    claim("create_tag", [it.ref for it in api.list_repo_refs(M).tags] == ["refs/tags/v1.0"])
    api.create_tag(D, tag="v1", repo_type="dataset")
    claim("create_tag_dataset", api.revision_exists(D, "v1", repo_type="dataset"))
    info = api.model_info(M, revision="v1.0", files_metadata=True)
    big = [it for it in info.siblings if it.rfilename == "weights.bin"][0]
    claim("model_info_rev_files", big.lfs is not None and big.lfs.size == 60_000 and big.size == 60_000, big)
    claim("model_info_expand", api.model_info(M, expand=["safetensors", "inferenceProviderMapping"]).id == M)
    tally.check("expand has no unknown names", fails(errors.HfHubHTTPError, lambda: api.model_info(M, expand=["nope"]), 400))
    claim("list_repo_refs", [it.name for it in refs.branches if it.name == "main"] == ["main"] and refs.pull_requests is None)
    api.delete_tag(M, tag="v1.0")
    claim("delete_tag", api.list_repo_refs(M).tags == [])


def pulls():
    done = stranger.upload_file(
        path_or_fileobj=b"x", path_in_repo="pr file.txt", repo_id=D, repo_type="dataset", create_pr=True,
        commit_message="from outside", commit_description="d",
    )
    claim("upload_file_bytes_dataset_pr", done.pr_num == 1 and done.pr_revision == "refs/pr/1", done)
    more = stranger.upload_file(
        path_or_fileobj=b"yy", path_in_repo="more.txt", repo_id=D, repo_type="dataset", revision="refs/pr/1", parent_commit=done.oid)
    claim("upload_file_revision", more.oid != done.oid)
    files = api.list_repo_files(D, repo_type="dataset", revision="refs/pr/1")
    claim("list_repo_files_dataset_rev", {"pr file.txt", "more.txt"} <= set(files), files)
    got = api.hf_hub_download(D, "pr file.txt", repo_type="dataset", revision="refs/pr/1")
    claim("hf_hub_download_dataset_rev", text_of(got) == b"x")
    refs = api.list_repo_refs(D, repo_type="dataset", include_pull_requests=True)
    claim("list_repo_refs_prs", [it.ref for it in refs.pull_requests] == ["refs/pr/1"], refs)
    details = api.get_discussion_details(D, 1, repo_type="dataset")
    claim("get_discussion_details", details.status == "open" and "+yy" in details.diff and details.author == "carol"
          and [it.type for it in details.events] == ["comment", "commit", "commit"], details)
    tally.check("who may not write may not merge", fails(
        errors.HfHubHTTPError, lambda: stranger.merge_pull_request(D, 1, repo_type="dataset"), 403))
    api.merge_pull_request(D, 1, comment="lgtm", repo_type="dataset")
    merged = api.get_discussion_details(D, 1, repo_type="dataset")
    claim("merge_pull_request", merged.status == "merged" and merged.merge_commit_oid == api.dataset_info(D).sha
          and "more.txt" in api.list_repo_files(D, repo_type="dataset"), merged)
    pull = api.create_pull_request(M, title="My PR", description="desc")
    claim("create_pull_request", pull.is_pull_request and pull.status == "draft" and pull.target_branch == "refs/heads/main", pull)
    talk = bob.create_discussion(D, title="A question", description="?", repo_type="dataset")
    claim("create_discussion", talk.num == 2 and not talk.is_pull_request and talk.events[0].content == "?", talk)
    said = api.comment_discussion(D, 2, comment="hello", repo_type="dataset")
    claim("comment_discussion", said.content == "hello" and said.author == "alice")
    claim("rename_discussion", api.rename_discussion(D, 2, new_title="A better name", repo_type="dataset").new_title == "A better name")
    changed = api.change_discussion_status(D, 2, new_status="closed", comment="bye", repo_type="dataset")
    claim("change_discussion_status", changed.new_status == "closed")
    for number in range(5):
        api.create_discussion(D, title=f"Number {number}", repo_type="dataset")
    found = list(api.get_repo_discussions(D, repo_type="dataset"))
    claim("get_repo_discussions", [it.num for it in found] == [7, 6, 5, 4, 3, 2, 1], found)
    open_pulls = list(api.get_repo_discussions(M, discussion_type="pull_request", discussion_status="open", author="alice"))
    none = list(api.get_repo_discussions(M, discussion_type="pull_request", discussion_status="open", author="bob"))
    claim("get_repo_discussions_filtered", [it.num for it in open_pulls] == [1] and none == [], open_pulls)
    first = api.create_commit(M, [Add("a.txt", b"theirs")], commit_message="theirs", create_pr=True)
    api.create_commit(M, [Add("a.txt", b"ours")], commit_message="ours")
    told = api.get_discussion_details(M, first.pr_num)
    tally.check("a conflict is told", told.conflicting_files == ["a.txt"], told.conflicting_files)
    tally.check("and is not merged", fails(errors.HfHubHTTPError, lambda: api.merge_pull_request(M, first.pr_num), 409))


def lists():
    readme = "---\nlicense: mit\npipeline_tag: text-classification\ntags:\n- tiny\nlanguage: en\n---\n# A model\n\nSee https://arxiv.org/abs/2609.90011\n"
    for name in ("llama-one", "llama-two", "llama-three", "other"):
        api.create_repo(f"acme/{name}")
        api.upload_file(path_or_fileobj=readme.encode(), path_in_repo="README.md", repo_id=f"acme/{name}")
    found = list(api.list_models(search="llama", author="acme", sort="downloads", limit=5, filter="text-classification"))
    claim("list_models_search", sorted(it.id for it in found) == ["acme/llama-one", "acme/llama-three", "acme/llama-two"], found)
    tally.check("pages are followed", len(list(api.list_models(author="acme"))) == 4)
    full = list(api.list_models(author="acme", full=True, cardData=True, limit=2))
    claim("list_models_full", len(full) == 2 and full[0].card_data.license == "mit" and full[0].siblings, full)
    claim("list_models_trending", len(list(api.list_models(sort="trending_score", limit=3))) == 3)
    expanded = list(api.list_models(expand=["downloads", "inferenceProviderMapping"], limit=2))
    claim("list_models_expand", len(expanded) == 2 and expanded[0].downloads is not None, expanded)
    tally.check("private models are nobody else's", M not in [it.id for it in stranger.list_models(author="alice")])
    api.create_repo("alice/squad-like", repo_type="dataset")
    card_text = b"---\ntask_categories:\n- question-answering\n---\n"
    api.upload_file(path_or_fileobj=card_text, path_in_repo="README.md", repo_id="alice/squad-like", repo_type="dataset")
    claim("list_datasets_search", [it.id for it in api.list_datasets(search="squad", limit=5, sort="likes")] == ["alice/squad-like"])
    tagged = list(api.list_datasets(filter=["task_categories:question-answering"], author="alice", full=True, limit=2))
    claim("list_datasets_filter", [it.id for it in tagged] == ["alice/squad-like"], tagged)
    api.create_repo("alice/trackio-board", repo_type="space", space_sdk="gradio")
    claim("list_spaces_search", [it.id for it in api.list_spaces(search="trackio", limit=3)] == ["alice/trackio-board"])
    claim("search_spaces_semantic", [it.id for it in api.search_spaces("trackio board")][:1] == ["alice/trackio-board"])


def papers():
    found = list(api.list_papers(query="dpo"))
    claim("list_papers", found and "Preference" in found[0].title, found)
    paper = api.paper_info("2609.90011")
    claim("paper_info", paper.authors[0].name and paper.upvotes > 0 and "acme/other" in [it.id for it in paper.linked_models], paper)
    claim("read_paper", api.read_paper("2609.90011").startswith("# Hashed Word Pairs"))
    daily = list(api.list_daily_papers(date="2026-09-16", limit=3))
    claim("list_daily_papers", [it.id for it in daily] == ["2609.90011"], daily)


def collections():
    made_one = api.create_collection("My list", description="d", namespace="alice", private=False)
    claim("create_collection", made_one.slug.startswith("alice/my-list-") and made_one.owner["name"] == "alice", made_one)
    api.add_collection_item(made_one.slug, item_id="2609.90011", item_type="paper", note="read it")
    again = lambda: api.add_collection_item(made_one.slug, item_id="2609.90011", item_type="paper")  # noqa: E731
    tally.check("an item is added once", fails(errors.HfHubHTTPError, again, 409))
    after = api.add_collection_item(made_one.slug, item_id=D, item_type="dataset")
    claim("add_collection_item", [it.item_id for it in after.items] == ["2609.90011", D] and after.items[0].note == "read it", after)
    claim("get_collection", api.get_collection(made_one.slug).title == "My list")
    claim("list_collections", made_one.slug in [it.slug for it in api.list_collections(owner="alice", limit=20)])
    api.update_collection_metadata(made_one.slug, title="Another")
    api.delete_collection_item(made_one.slug, after.items[0].item_object_id)
    tally.check("collections change", api.get_collection(made_one.slug).title == "Another")
    api.delete_collection(made_one.slug)
    tally.check("and go", fails(errors.HfHubHTTPError, lambda: api.get_collection(made_one.slug), 404))


def gates():
    api.create_repo("acme/gated", repo_type="dataset")
    api.upload_file(path_or_fileobj=b"secret", path_in_repo="a.txt", repo_id="acme/gated", repo_type="dataset")
    api.update_repo_settings("acme/gated", repo_type="dataset", gated="manual")
    claim("update_repo_settings_gated", stranger.dataset_info("acme/gated").gated == "manual")
    download = lambda: stranger.hf_hub_download("acme/gated", "a.txt", repo_type="dataset")  # noqa: E731
    claim("err_403_gated", fails(errors.GatedRepoError, download, 403)
          and fails(errors.GatedRepoError, lambda: stranger.auth_check("acme/gated", repo_type="dataset"), 403))
    tally.check("members pass the gate", text_of(bob.hf_hub_download("acme/gated", "a.txt", repo_type="dataset")) == b"secret")
    api.update_repo_settings("alice/short", private=True)
    claim("update_repo_settings_private", not stranger.repo_exists("alice/short"))
    api.update_repo_settings("alice/short", visibility="public")
    claim("update_repo_settings_visibility", stranger.repo_exists("alice/short"))


def moves():
    copy = api.duplicate_repo(from_id=M, to_id="alice/copied", repo_type="model")
    claim("duplicate_repo_model", copy.repo_id == "alice/copied" and api.file_exists("alice/copied", "copy/c.bin"))
    board = api.duplicate_repo(from_id=S, to_id="alice/space2", repo_type="space", private=True, space_hardware="cpu-basic")
    claim("duplicate_space_repo", board.repo_type == "space" and api.space_info("alice/space2").private is True)
    api.create_repo("alice/a", repo_type="dataset")
    api.move_repo("alice/a", "alice/b", repo_type="dataset")
    claim("move_repo", api.repo_exists("alice/b", repo_type="dataset") and api.dataset_info("alice/a").id == "alice/b")
    api.delete_file("a.txt", M)
    claim("delete_file", not api.file_exists(M, "a.txt"))
    api.create_commit(M, [Add("x.tmp", b"1"), Add("sub/y.tmp", b"2"), Add("README.md", b"# hi\n")], commit_message="tmp")
    api.delete_files(M, ["*.tmp", "README.md"])
    claim("delete_files", not any(it.endswith((".tmp", ".md")) for it in api.list_repo_files(M)))
    api.delete_folder("copy", M)
    claim("delete_folder", not any(it.startswith("copy/") for it in api.list_repo_files(M)))
    before = api.list_repo_files(M)
    api.super_squash_history(M)
    claim("super_squash_history", len(api.list_repo_commits(M)) == 1 and api.list_repo_files(M) == before)
    api.delete_repo(M)
    claim("delete_repo_model", not api.repo_exists(M))
    api.delete_repo(S, repo_type="space")
    claim("delete_repo_space", not api.repo_exists(S, repo_type="space"))
    api.delete_repo("alice/nope", repo_type="dataset", missing_ok=True)
    claim("delete_repo_missing_ok", fails(errors.RepositoryNotFoundError, lambda: api.delete_repo("alice/nope", repo_type="dataset"), 404))


def faults():
    fault("429")
    limited = lambda: api.dataset_info(D)  # noqa: E731
    claim("err_429", fails(errors.HfHubHTTPError, limited, 429) and api.dataset_info(D).id == D)
    fault("503")
    claim("err_503_then", len(api.list_repo_files(D, repo_type="dataset")) > 3)


STEPS = [repos, accounts, uploads, looking, references, pulls, lists, papers, collections, gates, moves, faults]

print(f"huggingface_hub {huggingface_hub.__version__}", flush=True)
for step in STEPS:
    try:
        step()
    except Exception:
        tally.check(f"{step.__name__} ran to its end", False, traceback.format_exc())
for name in card["claimed"]:
    tally.check(f"the claimed call {name} was made", name in made)
tally.check("nothing was made that is not claimed", sorted(set(made) - set(card["claimed"])) == [], sorted(set(made) - set(card["claimed"])))
print(f"{len(made)} claimed calls", flush=True)
sys.stdout.flush()
tally.end()
