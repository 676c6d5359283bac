"""Signed delivery to Bolt's aiohttp adapter: needs a workspace that delivers over HTTP.

The card then has `deliver_to`: the address on loopback that the workspace was told to send to.
Without it there is nothing to check here.
"""
import asyncio
import queue
import threading
import urllib.error
import urllib.parse
import urllib.request

from harness import People, take
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient


def run(card, tally):
    card = card.get("http")
    if not card:
        return
    heard, people = queue.Queue(), People(card)
    web = AsyncWebClient(token=card["bot_token"], base_url=card["api_url"] + "/")
    app = AsyncApp(client=web, token=card["bot_token"], signing_secret=card["signing_secret"])

    @app.event("app_mention")
    async def mentioned(event, say):
        button = {"type": "button", "action_id": "go", "text": {"type": "plain_text", "text": "Go"}}
        said = await say(text="Here", thread_ts=event["ts"], blocks=[{"type": "actions", "elements": [button]}])
        heard.put(said["ts"])

    @app.event("message")
    async def message(event):
        pass

    @app.action("go")
    async def clicked(ack, respond):
        await ack()
        await respond(text="done", replace_original=True)
        heard.put("clicked")

    @app.command("/ml-intern")
    async def command(ack, command):
        await ack(text="over http: " + command["text"])

    port = urllib.parse.urlsplit(card["deliver_to"]).port
    ready = threading.Event()

    def serve():
        async def main():
            from aiohttp import web as server

            runner = server.AppRunner(app.server(port=port, path="/slack/events", host="127.0.0.1").web_app)
            await runner.setup()
            await server.TCPSite(runner, "127.0.0.1", port).start()
            ready.set()
            await asyncio.Event().wait()

        asyncio.run(main())

    threading.Thread(target=serve, daemon=True).start()
    ready.wait(10)
    channel = people.channels["ml-experiments"]
    people.act("alice", "say", channel=channel, text="@ml-intern over HTTP?")
    ts = take(heard)
    tally.check("a signed event reaches Bolt's aiohttp adapter", ts is not None)
    action = [it for it in people.messages() if it["ts"] == ts][0]["blocks"][0]
    people.act("alice", "click", channel=channel, ts=ts, block_id=action["block_id"], action_id="go")
    tally.check("so does a click", take(heard) == "clicked")
    shown = [it for it in people.messages() if it["ts"] == ts][0]
    tally.check("whose answer replaces the message", shown["text"] == "done", shown)
    answer = people.act("bob", "command", channel=channel, command="/ml-intern", text="hi")
    tally.check("so does a command", answer["response"] == "over http: hi", answer)
    unsigned = urllib.request.Request(card["deliver_to"], data=b"{}", headers={"content-type": "application/json"})
    try:
        status = urllib.request.urlopen(unsigned, timeout=5).status
    except urllib.error.HTTPError as error:
        status = error.code
    tally.check("what is not signed is refused by Bolt", status == 401, status)
