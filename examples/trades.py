"""Trades, none missing and none twice, also across breaks: python3 examples/trades.py [url] [--topic t] [--count n]"""
import argparse
import asyncio
import json
import sys

import websockets  # pip install websockets

parser = argparse.ArgumentParser()
parser.add_argument("url", nargs="?", default="http://localhost:8000")
parser.add_argument("--topic", default="trade:BTC-USDT")
parser.add_argument("--count", type=int, default=sys.maxsize)
args = parser.parse_args()


async def main():
    positions = {}  # topic: {"epoch", "seq"}, where this program stands
    left = args.count
    # As an iterator, connect() comes back by itself, with growing pauses while nobody answers.
    async for ws in websockets.connect(args.url.replace("http", "ws", 1) + "/v1/ws"):
        epoch = ""
        try:
            async for text in ws:
                message = json.loads(text)
                if isinstance(message, dict):
                    if message["op"] == "hello":
                        epoch = message["epoch"]
                        subscribe = {"op": "subscribe", "id": 1, "topics": [args.topic], "resume": positions}
                        await ws.send(json.dumps(subscribe))
                    elif message["op"] == "subscribed":
                        result = message["results"][0]
                        if not result["ok"]:
                            return f"{result['code']}: {result['message']}"
                        args.topic = result["topic"]  # as the server writes it, and so as the positions are named
                        if "recovered" in result:
                            print("nothing was missed" if result["recovered"] else "trades were missed: begin anew")
                    continue
                for event in message:
                    if event.get("op") == "lost":
                        print(f"{event['count']} trades were dropped: this program is too slow")
                    elif event["type"] == "trade":
                        known = positions.get(event["topic"], {})
                        if known.get("epoch") == epoch and event["seq"] <= known["seq"]:
                            continue
                        positions[event["topic"]] = {"epoch": epoch, "seq": event["seq"]}
                        print(event["instrument"], event["price"], "×", event["size"], event["provider"], flush=True)
                        left -= 1
                        if left <= 0:
                            return
        except websockets.ConnectionClosed:
            pass
        if (ws.close_code or 0) >= 4500:
            return f"closed for good: {ws.close_code} {ws.close_reason}"


sys.exit(asyncio.run(main()))
