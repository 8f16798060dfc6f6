"""Download a file from an address: resumed, checked, and given up when the other side is silent."""

from __future__ import annotations

import contextlib
import http.client
import queue
import re
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from email.message import Message
from http.client import HTTPMessage
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

from vbtools.errors import ModelError, StorageError
from vbtools.models.cache import storage

Progress = Callable[[int, int | None], None]
"""Called with the bytes that are here and the bytes there will be (None where that is not known)."""

SILENCE_S = 5.0
"""Seconds without an answer after which a source is given up (DESIGN.md, Models)."""

_BLOCK = 1 << 18
_FRUITLESS = 3
_CONTENT_RANGE = re.compile(r"bytes\s+(?:(\d+)-\d+|\*)/(\d+|\*)$")
_NETWORK = (OSError, http.client.HTTPException)


def download(
    address: str,
    part: Path,
    *,
    check: Callable[[Path], None],
    size: int | None = None,
    resume: bool = True,
    silence: float = SILENCE_S,
    progress: Progress | None = None,
) -> None:
    """Fetch ``address`` into ``part`` and check it.

    A connection that breaks off is taken up again where it broke, as long as each try brings something new. A server
    that ignores or refuses ranges is asked for the whole file. What was fetched stays in ``part`` when the source
    fails, so that a later call resumes; bytes that fail ``check`` are removed, and fetched once more from the start
    when they were a resumed file (its first half may have come from elsewhere).

    Args:
        address: http or https.
        part: the partial file; its directory exists.
        check: raises ModelError for wrong bytes.
        size: bytes of the right file; where it is given, a server's own figure is not believed against it.
        resume: whether bytes already in ``part`` may be kept.
        silence: seconds without an answer (name, connection, header, or the next byte) until the source is given up.
        progress: see :data:`Progress`.

    Raises:
        ModelError: no answer, a refusal, a broken connection, or wrong bytes; the fact says which.
        StorageError: ``part`` cannot be written.
    """
    if not resume:
        part.unlink(missing_ok=True)
    resumed = _length(part) > 0
    _Transfer(address, part, size, silence, progress).run()
    try:
        check(part)
    except ModelError:
        part.unlink(missing_ok=True)
        if not resumed:
            raise
        download(address, part, check=check, size=size, resume=False, silence=silence, progress=progress)


@dataclass
class _Transfer:
    """One file on its way from one address; ``total`` is what the server says about its length."""

    address: str
    part: Path
    size: int | None
    silence: float
    progress: Progress | None
    total: int | None = None
    validator: str | None = None
    ranges: bool = True

    def run(self) -> None:
        best, fruitless, reason = _length(self.part), 0, ""
        while not self._complete():
            try:
                finished = self._once()
            except _BrokenOffError as broken:
                finished, reason = False, str(broken)
            have = _length(self.part)
            if finished:
                return
            fruitless = 0 if have > best else fruitless + 1
            best = max(best, have)
            if fruitless >= _FRUITLESS:
                expected = self.size or self.total
                of = f" of {expected}" if expected else ""
                raise ModelError(f"sent only {have}{of} bytes{reason and ', then: ' + reason}")

    def _complete(self) -> bool:
        have = _length(self.part)
        if self.size is not None and have > self.size:
            self.part.unlink()
            have = 0
        return self.size is not None and have == self.size

    def _once(self) -> bool:
        """One request; True when the server has given all that it has."""
        have = _length(self.part) if self.ranges else 0
        headers = {"User-Agent": "vbtools", "Accept-Encoding": "identity"}
        if have:
            headers["Range"] = f"bytes={have}-"
            if self.validator:
                headers["If-Range"] = self.validator
        try:
            response = _open(urllib.request.Request(self.address, headers=headers), self.silence)  # noqa: S310
        except urllib.error.HTTPError as error:
            with error:
                return self._refused(error, have)
        with response:
            return self._receive(response, have)

    def _refused(self, error: urllib.error.HTTPError, have: int) -> bool:
        if not have:
            raise ModelError(f"answered {error.code} {str(error.reason).splitlines()[0]}")
        if error.code == http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE and _range_of(error.headers)[1] == have:
            return True
        self.ranges = False
        return False

    def _receive(self, response: http.client.HTTPResponse, have: int) -> bool:
        if response.status == http.HTTPStatus.PARTIAL_CONTENT:
            start, self.total = _range_of(response.headers)
            if start != have:
                self.ranges = False
                return False
        else:
            have = 0
            length = response.headers.get("Content-Length", "")
            self.total = int(length) if length.isdecimal() else None
        etag = response.headers.get("ETag", "")
        self.validator = etag if etag.startswith('"') else None
        try:
            with storage(self.part), self.part.open("ab" if have else "wb") as handle:
                have = self._copy(response, handle, have)
        except StorageError:
            self.part.unlink(missing_ok=True)
            raise
        expected = self.total if self.size is None else self.size
        return expected is None or have >= expected

    def _copy(self, response: http.client.HTTPResponse, handle: IO[bytes], have: int) -> int:
        while self.size is None or have < self.size:
            try:
                block = response.read1(_BLOCK)
            except TimeoutError as error:
                raise ModelError(f"fell silent for {self.silence:g} s after {have} bytes") from error
            except _NETWORK as error:
                raise _BrokenOffError(_reason(error)) from error
            if not block:
                break
            block = block if self.size is None else block[: self.size - have]
            handle.write(block)
            have += len(block)
            if self.progress is not None:
                self.progress(have, self.size or self.total)
        return have


class _BrokenOffError(Exception):
    """The connection broke off in the middle."""


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follow redirects, never from https to http, and note when the last one was heard."""

    def __init__(self) -> None:
        self.heard = time.monotonic()

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> urllib.request.Request | None:
        self.heard = time.monotonic()
        if urlsplit(req.full_url).scheme == "https" and urlsplit(newurl).scheme != "https":
            raise ModelError(f"redirects from https to {newurl}")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _open(request: urllib.request.Request, silence: float) -> http.client.HTTPResponse:
    """Open a request, with ``silence`` as a real limit.

    Socket timeouts do not bound the look-up of a name, and hold for each of a host's addresses anew; so the request
    is opened in a thread that is left behind when it takes too long.
    """
    redirects = _Redirects()
    opener = urllib.request.build_opener(redirects)
    answers: queue.SimpleQueue[http.client.HTTPResponse | Exception] = queue.SimpleQueue()
    abandoned = threading.Event()

    def work() -> None:
        try:
            response = opener.open(request, timeout=silence)
        except Exception as error:  # noqa: BLE001  (handed to the caller's thread, which raises it)
            answers.put(error)
            return
        answers.put(response)
        if abandoned.is_set():
            response.close()

    threading.Thread(target=work, daemon=True, name="vbtools-download").start()
    while True:
        left = redirects.heard + silence - time.monotonic()
        with contextlib.suppress(queue.Empty):
            answer = answers.get(timeout=max(left, 0.01))
            break
        if time.monotonic() >= redirects.heard + silence:
            abandoned.set()
            raise ModelError(f"gave no answer within {silence:g} s")
    if isinstance(answer, (urllib.error.HTTPError, ModelError)):
        raise answer
    if isinstance(answer, Exception):
        reason = answer.reason if isinstance(answer, urllib.error.URLError) else answer
        if isinstance(reason, ConnectionResetError):
            raise _BrokenOffError(_reason(reason)) from answer
        if isinstance(reason, TimeoutError):
            raise ModelError(f"gave no answer within {silence:g} s") from answer
        raise ModelError(f"cannot be reached: {_reason(reason)}") from answer
    return answer


def _range_of(headers: Message) -> tuple[int | None, int | None]:
    """First byte and total length of a Content-Range header; None for what it does not say."""
    found = _CONTENT_RANGE.match(headers.get("Content-Range", "").strip())
    if found is None:
        return None, None
    start, total = found.groups()
    return (int(start) if start else None), (None if total == "*" else int(total))


def _reason(error: BaseException | str) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error) or type(error).__name__


def _length(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
