"""A server on loopback that speaks what wandb's public API asks: GraphQL, and Parquet files."""

from __future__ import annotations

import gzip
import io
import json
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import polars as pl

PER_PAGE = 2  # small, so that paging is tried


@dataclass
class StoredRun:
    """A run as the server has it; ``is_exported`` says that its history is whole in Parquet."""

    run_id: str
    name: str
    frames: list[pl.DataFrame]
    state: str = "finished"
    heartbeat: str = "2025-01-01T00:10:00Z"
    config: dict[str, Any] = field(default_factory=dict)
    summary: dict[str, Any] = field(default_factory=dict)
    is_exported: bool = True
    is_broken: bool = False

    def node(self) -> dict[str, Any]:
        return {
            "id": f"id-{self.run_id}",
            "projectId": "1",
            "tags": ["t"],
            "name": self.run_id,
            "displayName": self.name,
            "sweepName": None,
            "state": self.state,
            "config": json.dumps({key: {"value": value} for key, value in self.config.items()}),
            "group": "g",
            "jobType": None,
            "commit": None,
            "readOnly": False,
            "createdAt": "2025-01-01T00:00:00Z",
            "heartbeatAt": self.heartbeat,
            "description": "",
            "notes": "",
            "systemMetrics": "{}",
            "summaryMetrics": json.dumps(self.summary),
            "historyLineCount": sum(map(len, self.frames)),
            "user": {"name": "u", "username": "u"},
            "historyKeys": {"lastStep": 1},
        }


class WandbServer:
    """Serves runs of the project ``team/losses``; ``asked`` lists the runs whose history was."""

    def __init__(self) -> None:
        self.runs: list[StoredRun] = []
        self.asked: list[str] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_: Any) -> None:
                pass

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                if self.headers.get("content-encoding") == "gzip":
                    body = gzip.decompress(body)
                asked = json.loads(body) if self.path == "/graphql" else {"query": ""}
                data = outer.answer(asked["query"], asked.get("variables") or {})
                self.reply(200, json.dumps({"data": data}).encode())

            def do_GET(self) -> None:
                run_id, _, number = self.path.strip("/").partition("/")
                run = next(run for run in outer.runs if run.run_id == run_id)
                if run.is_broken:
                    self.reply(404, b"gone")
                    return
                buffer = io.BytesIO()
                run.frames[int(number)].write_parquet(buffer)
                self.reply(200, buffer.getvalue())

            def reply(self, status: int, body: bytes) -> None:
                self.send_response(status)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def answer(self, query: str, variables: dict[str, Any]) -> dict[str, Any]:
        if "parquetHistory" in query:
            run = next(run for run in self.runs if run.run_id == variables["runName"])
            self.asked.append(run.run_id)
            urls = [f"{self.url}/{run.run_id}/{i}" for i in range(len(run.frames))]
            live = None if run.is_exported else [{"_step": 5, "loss": 1.0}]
            return {"project": {"run": {"parquetHistory": {"parquetUrls": urls, "liveData": live}}}}
        if "runCount" in query:
            if (variables["entity"], variables["project"]) != ("team", "losses"):
                return {"project": None}
            return {"project": self._page(int(variables["cursor"] or 0))}
        return {"viewer": {"id": "v", "entity": "team", "username": "u", "email": "",
                           "flags": "{}", "teams": {"edges": []}}}  # fmt: skip

    def _page(self, first: int) -> dict[str, Any]:
        last = min(first + PER_PAGE, len(self.runs))
        edges = [{"node": run.node(), "cursor": str(last)} for run in self.runs[first:last]]
        return {
            "internalId": "1",
            "runCount": len(self.runs),
            "readOnly": False,
            "runs": {
                "edges": edges,
                "pageInfo": {"endCursor": str(last), "hasNextPage": last < len(self.runs)},
            },
        }
