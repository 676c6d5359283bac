"""Every Web API method that the playground claims, called by slack_sdk's WebClient."""
import pathlib
import tempfile

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.models.blocks import ActionsBlock, ButtonElement, HeaderBlock, MarkdownBlock, SectionBlock


def refusal(call):
    try:
        call()
    except SlackApiError as error:
        return error.response["error"]
    return None


def run(card, web, people, tally):
    alice, general = people.by_name["alice"], people.channels["general"]
    team = people.state["team"]["id"]
    tally.check("api.test", web.api_test(foo="bar")["args"] == {"foo": "bar"})
    tally.check("auth.test", web.auth_test()["user_id"] == people.bot)
    tally.check("team.info", web.team_info()["team"]["id"] == team)
    tally.check("bots.info", web.bots_info(bot=people.state["bot"]["bot_id"])["bot"]["user_id"] == people.bot)
    app = WebClient(base_url=card["api_url"] + "/")
    tally.check("apps.connections.open", app.apps_connections_open(app_token=card["app_token"])["url"].startswith("ws://"))
    messages(web, people, tally, general, alice)
    reading(web, people, tally, general, alice)
    streams(web, tally, general, alice, team, people)
    files(web, tally, general)
    refusals(card, web, tally, general, alice)


def messages(web, people, tally, general, alice):
    blocks = [HeaderBlock(text="Head"), SectionBlock(text="*body*"), MarkdownBlock(text="**md**"),
              ActionsBlock(elements=[ButtonElement(text="Go", action_id="go", value="1")])]
    metadata = {"event_type": "kind", "event_payload": {"a": 1}}
    posted = web.chat_postMessage(channel=general, text="é<>& hello", blocks=blocks, metadata=metadata, unfurl_links=False)
    ts = posted["ts"]
    tally.check("chat.postMessage", posted["message"]["text"] == "é<>& hello", posted["message"]["text"])
    tally.check("chat.update", web.chat_update(channel=general, ts=ts, text="new", blocks=[])["text"] == "new")
    tally.check("chat.getPermalink", general in web.chat_getPermalink(channel=general, message_ts=ts)["permalink"])
    tally.check("chat.postEphemeral", web.chat_postEphemeral(channel=general, user=alice, text="psst")["message_ts"])
    reply = web.chat_postMessage(channel=general, thread_ts=ts, markdown_text="**in** the thread")["ts"]
    replies = web.conversations_replies(channel=general, ts=ts)["messages"]
    tally.check("conversations.replies", [it["ts"] for it in replies] == [ts, reply] and replies[0]["reply_count"] == 1, replies)
    tally.check("metadata only if asked for", "metadata" not in replies[0])
    full = web.conversations_history(channel=general, include_all_metadata=True, latest=ts, inclusive=True, limit=1)
    tally.check("conversations.history", full["messages"][0].get("metadata") == metadata, full["messages"])
    web.reactions_add(channel=general, name="eyes", timestamp=ts)
    got = web.reactions_get(channel=general, timestamp=ts)["message"]["reactions"]
    tally.check("reactions.add and get", got[0]["name"] == "eyes", got)
    tally.check("already_reacted", refusal(lambda: web.reactions_add(channel=general, name="eyes", timestamp=ts)) == "already_reacted")
    web.reactions_remove(channel=general, name="eyes", timestamp=ts)
    web.pins_add(channel=general, timestamp=ts)
    tally.check("pins", len(web.pins_list(channel=general)["items"]) == 1)
    web.pins_remove(channel=general, timestamp=ts)
    tally.check("chat.delete", web.chat_delete(channel=general, ts=reply)["ts"] == reply)
    home = {"type": "home", "blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": "home"}}]}
    tally.check("views.publish", web.views_publish(user_id=alice, view=home)["view"]["type"] == "home")


def reading(web, people, tally, general, alice):
    names = {it["name"] for it in web.conversations_list(types="public_channel", limit=1000)["channels"]}
    tally.check("conversations.list", {"general", "ml-experiments"} <= names, names)
    pages = [page["channels"] for page in web.conversations_list(limit=1)]
    tally.check("and page by page", len(pages) == len(names), len(pages))
    tally.check("conversations.info", web.conversations_info(channel=general)["channel"]["is_member"])
    tally.check("conversations.members", alice in web.conversations_members(channel=general)["members"])
    tally.check("conversations.open", web.conversations_open(users=alice)["channel"]["id"].startswith("D"))
    tally.check("conversations.join", web.conversations_join(channel=general)["channel"]["id"] == general)
    tally.check("users.info", web.users_info(user=alice)["user"]["name"] == "alice")
    tally.check("users.list", any(it["is_bot"] for it in web.users_list()["members"]))
    tally.check("users.conversations", len(web.users_conversations()["channels"]) >= 2)
    group = web.usergroups_list(include_users=True, include_count=True)["usergroups"][0]
    tally.check("usergroups.list", group["handle"] == "leads" and group["user_count"] == len(group["users"]) == 1, group)
    tally.check("members only if asked for", "users" not in web.usergroups_list()["usergroups"][0])
    tally.check("members of a group", web.usergroups_users_list(usergroup=group["id"])["users"] == group["users"])
    by_json = refusal(lambda: web.api_call("usergroups.users.list", json={"usergroup": group["id"]}))
    tally.check("usergroups.users.list reads no JSON", by_json == "invalid_arguments", by_json)
    tally.check("usergroups.users.list", refusal(lambda: web.usergroups_users_list(usergroup="S1")) == "no_such_subteam")


def streams(web, tally, general, alice, team, people):
    root = web.chat_postMessage(channel=general, text="root")["ts"]
    where = {"channel_id": general, "thread_ts": root}
    tally.check("assistant.threads.setStatus", web.assistant_threads_setStatus(**where, status="thinking", loading_messages=["a", "b"])["ok"])
    tally.check("assistant.threads.setTitle", web.assistant_threads_setTitle(**where, title="Title")["ok"])
    prompts = [{"title": "t", "message": "m"}]
    tally.check("assistant.threads.setSuggestedPrompts", web.assistant_threads_setSuggestedPrompts(channel_id=general, prompts=prompts, thread_ts=root)["ok"])
    session = web.api_call("agents.sessions.setStatus", json={**where, "status": "processing", "title": "Run"})
    tally.check("agents.sessions.setStatus", session["agent_status"] == "processing", session.data)
    tally.check("agents.sessions.rename", web.api_call("agents.sessions.rename", json={**where, "title": "New"})["title"] == "New")
    start = {"channel": general, "thread_ts": root, "recipient_user_id": alice, "recipient_team_id": team}
    ts = web.chat_startStream(**start, markdown_text="a")["ts"]
    web.chat_appendStream(channel=general, ts=ts, markdown_text="b")
    chunk = {"type": "task_update", "id": "1", "title": "Train", "status": "in_progress"}
    web.chat_appendStream(channel=general, ts=ts, chunks=[chunk, {"type": "plan_update", "title": "Plan"}])
    tally.check("streaming_state_conflict", refusal(lambda: web.chat_update(channel=general, ts=ts, text="x")) == "streaming_state_conflict")
    stopped = web.chat_stopStream(channel=general, ts=ts, markdown_text="c")
    tally.check("chat.startStream, appendStream, stopStream", stopped["message"]["text"] == "abc", stopped["message"])
    late = refusal(lambda: web.chat_appendStream(channel=general, ts=ts, markdown_text="d"))
    tally.check("message_not_in_streaming_state", late == "message_not_in_streaming_state", late)
    lone = refusal(lambda: web.chat_startStream(channel=general, thread_ts=root, markdown_text="a"))
    tally.check("missing_recipient_team_id", lone == "missing_recipient_team_id", lone)
    helper = web.chat_stream(**start, buffer_size=4)
    for word in ["one ", "two ", "three"]:
        helper.append(markdown_text=word)
    done = helper.stop()
    tally.check("the SDK's own stream helper", done["message"]["text"] == "one two three", done["message"]["text"])


def files(web, tally, general):
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "a.txt"
        path.write_text("hello")
        done = web.files_upload_v2(channel=general, file=str(path), title="T", initial_comment="c")
    tally.check("files.getUploadURLExternal, upload, completeUploadExternal", done["file"]["title"] == "T", done.data)
    info = web.files_info(file=done["file"]["id"])["file"]
    tally.check("files.info", info["size"] == 5, info)


def refusals(card, web, tally, general, alice):
    api = card["api_url"] + "/"
    expect = [
        ("invalid_auth", lambda: WebClient(token="xoxb-no", base_url=api).auth_test()),
        ("not_authed", lambda: WebClient(base_url=api).auth_test()),
        ("not_allowed_token_type", lambda: WebClient(token=card["app_token"], base_url=api).auth_test()),
        ("unknown_method", lambda: web.api_call("chat.explode")),
        ("channel_not_found", lambda: web.chat_postMessage(channel="C404", text="x")),
        ("thread_not_found", lambda: web.chat_postMessage(channel=general, thread_ts="1.1", text="x")),
        ("message_not_found", lambda: web.chat_update(channel=general, ts="1.1", text="x")),
        ("no_text", lambda: web.chat_postMessage(channel=general, text="")),
        ("msg_too_long", lambda: web.chat_postMessage(channel=general, text="x" * 40001)),
        ("msg_too_long", lambda: web.chat_postMessage(channel=general, markdown_text="x" * 12001)),
        ("markdown_text_conflict", lambda: web.chat_postMessage(channel=general, markdown_text="x", text="y")),
        ("invalid_blocks", lambda: web.chat_postMessage(channel=general, text="x", blocks=[{"type": "blink"}])),
        ("invalid_metadata_format", lambda: web.chat_postMessage(channel=general, text="x", metadata={"event_type": ""})),
        ("invalid_trigger_id", lambda: web.views_open(trigger_id="no", view={"type": "modal", "title": {"type": "plain_text", "text": "T"}, "blocks": []})),
        ("user_not_found", lambda: web.users_info(user="U404")),
        ("user_not_found", lambda: web.api_call("users.info", json={"user": alice})),
        ("file_not_found", lambda: web.files_info(file="F404")),
    ]
    for error, call in expect:
        seen = refusal(call)
        tally.check(f"refused with {error}", seen == error, seen)
