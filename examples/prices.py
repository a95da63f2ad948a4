import asyncio
import websockets
import json

async def stream_prices():
    uri = "ws://localhost:8000/ws/prices/AAPL,GOOGL"
    async with websockets.connect(uri) as ws:
        while True:
            data = json.loads(await ws.recv())
            if data["type"] == "data":
                for update in data["data"]:
                    print(f"{update['symbol']}: ${update['price']}")

asyncio.run(stream_prices())
