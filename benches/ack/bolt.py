"""Bolt for Python on its aiohttp adapter: takes every message and does nothing."""
import asyncio
import os

from aiohttp import web
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

token = os.environ["BENCH_BOT_TOKEN"]
client = AsyncWebClient(token=token, base_url=os.environ["BENCH_API_URL"] + "/")
app = AsyncApp(client=client, signing_secret=os.environ["BENCH_SIGNING_SECRET"])


@app.event("message")
async def message(event):
    pass


async def main():
    port = int(os.environ["BENCH_PORT"])
    server = app.server(port=port, path="/slack/events", host="127.0.0.1")
    runner = web.AppRunner(server.web_app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    await asyncio.Event().wait()


asyncio.run(main())
