"""slack_sdk and Bolt for Python, unchanged, against a running playground.

Usage: check_python.py CARD, where CARD is a file with the JSON line of `ml-intern playground
--no-bot --json` (or standard input). Prints `N passed, N failed`.
"""
import queue

import check_http
import check_methods
from harness import People, Tally, read_card, take, wait_for
from slack_bolt import App
from slack_bolt.adapter.socket_mode import SocketModeHandler
from slack_sdk import WebClient
from slack_sdk.socket_mode import SocketModeClient
from slack_sdk.socket_mode.response import SocketModeResponse


def over_the_raw_socket(card, web, people, tally):
    heard = queue.Queue()
    client = SocketModeClient(app_token=card["app_token"], web_client=web)

    def listen(client, request):
        client.send_socket_mode_response(SocketModeResponse(envelope_id=request.envelope_id))
        heard.put(request)

    client.socket_mode_request_listeners.append(listen)
    client.connect()
    while take(heard, 1):
        pass  # what happened while nobody was connected
    channel = people.channels["ml-experiments"]
    ts = people.act("alice", "say", channel=channel, text="@ml-intern are you there?")["ts"]
    first, second = take(heard), take(heard)
    tally.check("a mention arrives twice", first and second)
    kinds = {it.payload["event"]["type"] for it in (first, second) if it}
    tally.check("as app_mention and as message", kinds == {"app_mention", "message"}, kinds)
    stamps = {it.payload["event"]["ts"] for it in (first, second) if it}
    tally.check("with one ts", stamps == {ts}, stamps)
    ids = {it.payload["event_id"] for it in (first, second) if it}
    tally.check("and two event ids", len(ids) == 2, ids)
    tally.check("nothing comes a second time once acknowledged", take(heard, 4) is None)
    people.act("alice", "delete", channel=channel, ts=ts)
    gone = take(heard)
    tally.check("a deletion is told", gone and gone.payload["event"]["subtype"] == "message_deleted")
    client.close()
    tally.check("the connection closes", wait_for(lambda: not client.is_connected()) is not None)


def over_bolt(card, web, people, tally):
    app = App(client=web, token=card["bot_token"], signing_secret=card["signing_secret"])
    heard = queue.Queue()

    @app.event("app_mention")
    def mentioned(event, say):
        button = {"type": "button", "action_id": "go", "value": "42", "text": {"type": "plain_text", "text": "Go"}}
        said = say(text="Shall I?", thread_ts=event["ts"], blocks=[
            {"type": "section", "text": {"type": "mrkdwn", "text": "Shall I?"}},
            {"type": "actions", "block_id": "ask", "elements": [button]},
        ])
        heard.put(("asked", said["ts"]))

    @app.event("message")
    def message(event):
        pass

    @app.action("go")
    def clicked(ack, body, client, action):
        ack()
        view = {"type": "modal", "callback_id": "why", "title": {"type": "plain_text", "text": "Why"},
                "submit": {"type": "plain_text", "text": "Send"}, "blocks": [
                    {"type": "input", "block_id": "b", "label": {"type": "plain_text", "text": "Reason"},
                     "element": {"type": "plain_text_input", "action_id": "a"}}]}
        opened = client.views_open(trigger_id=body["trigger_id"], view=view)
        heard.put(("clicked", (action["value"], opened["view"]["id"])))

    @app.view("why")
    def submitted(ack, view):
        reason = view["state"]["values"]["b"]["a"]["value"]
        if reason == "bad":
            return ack(response_action="errors", errors={"b": "Not that"})
        ack()
        heard.put(("submitted", reason))

    @app.command("/ml-intern")
    def command(ack, respond, command):
        ack(f"heard {command['text']}")
        respond("later")

    handler = SocketModeHandler(app, card["app_token"])
    handler.connect()
    channel = people.channels["ml-experiments"]
    root = people.act("alice", "say", channel=channel, text=f"<@{people.bot}> train")["ts"]
    asked = take(heard)
    tally.check("Bolt hears the mention and answers in the thread", asked and asked[0] == "asked", asked)
    shown = [it for it in people.messages() if it["thread_ts"] == root]
    tally.check("the answer is shown with its button", shown and shown[0]["blocks"][1]["elements"][0]["action_id"] == "go")
    people.act("bob", "click", channel=channel, ts=asked[1], block_id="ask", action_id="go")
    clicked_ = take(heard)
    tally.check("a click brings its value and opens a modal", clicked_ and clicked_[1][0] == "42", clicked_)
    view = clicked_[1][1]
    refused = people.act("bob", "submit", view_id=view, values={"b": {"a": {"type": "plain_text_input", "value": "bad"}}})
    tally.check("errors are shown in the modal", refused["response"]["response_action"] == "errors", refused)
    people.act("bob", "submit", view_id=view, values={"b": {"a": {"type": "plain_text_input", "value": "because"}}})
    tally.check("a submission arrives", take(heard) == ("submitted", "because"))
    tally.check("and closes the modal", people.get("/playground/state")["views"] == [])
    answer = people.act("alice", "command", channel=channel, command="/ml-intern", text="status")
    tally.check("a slash command is answered", answer["response"]["text"] == "heard status", answer)
    later = wait_for(lambda: [it for it in people.messages() if it["text"] == "later"])
    tally.check("and again through its response_url, to that person alone", later and later[0]["ephemeral_to"] == people.by_name["alice"], later)
    handler.close()


def main():
    card = read_card()
    tally, people = Tally(), People(card)
    web = WebClient(token=card["bot_token"], base_url=card["api_url"] + "/")
    check_methods.run(card, web, people, tally)
    over_the_raw_socket(card, web, people, tally)
    over_bolt(card, web, people, tally)
    check_http.run(card, tally)
    tally.end()


main()
