"""A server on the loopback that can misbehave in every way that a download must survive."""

from __future__ import annotations

import hashlib
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

CONTENT = bytes(range(256)) * 2000
SHA256 = hashlib.sha256(CONTENT).hexdigest()


class Server:
    """Serves CONTENT under any path; the attributes say how badly. ``requests`` holds (path, Range header)."""

    def __init__(self) -> None:
        self.content = CONTENT
        self.ranges: bool | int = True  # an int: the status that a request with Range gets
        self.start_lie = 0  # added to the offset that a ranged answer starts at
        self.cut_after: list[int | None] = []  # bytes after which each next answer breaks off
        self.declared: int | None = None  # Content-Length, where it lies
        self.silent_after: int | None = None
        self.delay_header = 0.0
        self.pause = 0.0
        self.status = 200
        self.requests: list[tuple[str, str | None]] = []
        self.closing = threading.Event()
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                server.answer(self)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        self.thread = threading.Thread(target=self.http.serve_forever, args=(0.01,), daemon=True)
        self.thread.start()

    def url(self, path: str = "test.bin") -> str:
        return f"http://127.0.0.1:{self.http.server_port}/{path}"

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        wanted = request.headers.get("Range")
        self.requests.append((request.path, wanted))
        self.closing.wait(self.delay_header)
        if request.path.startswith("/elsewhere/"):
            request.send_response(302)
            request.send_header("Location", request.path.removeprefix("/elsewhere"))
            request.end_headers()
            return
        if self.status != 200:
            request.send_error(self.status)
            return
        start = 0
        if wanted and self.ranges is not True and self.ranges is not False:
            request.send_error(self.ranges)
            return
        if wanted and self.ranges:
            start = int(wanted.removeprefix("bytes=").rstrip("-")) + self.start_lie
            if start >= len(self.content):
                request.send_response(416)
                request.send_header("Content-Range", f"bytes */{len(self.content)}")
                request.end_headers()
                return
            request.send_response(206)
            request.send_header("Content-Range", f"bytes {start}-{len(self.content) - 1}/{len(self.content)}")
        else:
            request.send_response(200)
        length = len(self.content) - start if self.declared is None else self.declared
        request.send_header("Content-Length", str(length))
        request.send_header("ETag", '"one"')
        request.end_headers()
        self.body(request, self.content[start:])

    def body(self, request: BaseHTTPRequestHandler, content: bytes) -> None:
        cut = self.cut_after.pop(0) if self.cut_after else None
        sent = 0
        for block in (content[i : i + 16384] for i in range(0, len(content), 16384)):
            if cut is not None and sent + len(block) > cut:
                request.wfile.write(block[: cut - sent])
                return
            request.wfile.write(block)
            sent += len(block)
            if self.silent_after is not None and sent >= self.silent_after:
                request.wfile.flush()
                self.closing.wait(5)
                return
            time.sleep(self.pause)

    def close(self) -> None:
        self.closing.set()
        self.http.shutdown()
        self.http.server_close()
