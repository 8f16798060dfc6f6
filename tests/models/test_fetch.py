"""Downloads arrive whole, or say what is wrong; the server's part is played on the loopback."""

from __future__ import annotations

import hashlib
import socket
import time

import pytest
from loopback import CONTENT, SHA256

from vbtools import models
from vbtools.errors import ModelError
from vbtools.models.fetch import download

LENGTH = len(CONTENT)


def right(path):
    if hashlib.sha256(path.read_bytes()).hexdigest() != SHA256:
        raise ModelError("wrong bytes")


def get(server, tmp_path, path="test.bin", **changes):
    part = tmp_path / "x.part"
    arguments = {"check": right, "size": LENGTH, "silence": 1.0, **changes}
    download(server.url(path), part, **arguments)
    return part


@pytest.mark.parametrize("size", [LENGTH, None])
def test_a_file_arrives_with_progress(server, tmp_path, size):
    seen = []
    part = get(server, tmp_path, size=size, progress=lambda done, total: seen.append((done, total)))
    assert part.read_bytes() == CONTENT
    assert seen[-1] == (LENGTH, LENGTH)
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)


def test_a_slow_server_is_waited_for(server, tmp_path):
    server.pause = 0.02
    began = time.monotonic()
    assert get(server, tmp_path, silence=0.5).read_bytes() == CONTENT
    assert time.monotonic() - began > 0.5, "longer in all than the limit on silence"


@pytest.mark.parametrize("size", [LENGTH, None])
def test_a_cut_connection_is_taken_up_where_it_broke(server, tmp_path, size):
    server.cut_after = [100_000, 100_000]
    assert get(server, tmp_path, size=size).read_bytes() == CONTENT
    assert [r for _, r in server.requests] == [None, "bytes=100000-", "bytes=200000-"]


def test_a_part_from_an_earlier_run_is_resumed(server, tmp_path):
    (tmp_path / "x.part").write_bytes(CONTENT[:300_000])
    assert get(server, tmp_path).read_bytes() == CONTENT
    assert server.requests == [("/test.bin", "bytes=300000-")]


def test_a_server_that_ignores_ranges_sends_the_whole_file(server, tmp_path):
    server.ranges = False
    (tmp_path / "x.part").write_bytes(b"\0" * 300_000)
    assert get(server, tmp_path).read_bytes() == CONTENT
    assert len(server.requests) == 1


@pytest.mark.parametrize("status", [400, 403, 416, 501])
def test_a_server_that_refuses_ranges_is_asked_for_the_whole_file(server, tmp_path, status):
    server.ranges = status
    (tmp_path / "x.part").write_bytes(CONTENT[:300_000])
    assert get(server, tmp_path).read_bytes() == CONTENT
    assert [r for _, r in server.requests] == ["bytes=300000-", None]


def test_a_range_that_starts_elsewhere_is_not_joined(server, tmp_path):
    server.start_lie = 1000
    (tmp_path / "x.part").write_bytes(CONTENT[:300_000])
    checked = []
    part = get(server, tmp_path, size=None, check=checked.append)
    assert part.read_bytes() == CONTENT
    assert [r for _, r in server.requests] == ["bytes=300000-", None]


def test_a_wrong_part_is_thrown_away_and_the_file_fetched_anew(server, tmp_path):
    (tmp_path / "x.part").write_bytes(b"\0" * 300_000)
    assert get(server, tmp_path).read_bytes() == CONTENT
    assert [r for _, r in server.requests] == ["bytes=300000-", None]


def test_a_part_that_is_too_long_is_thrown_away(server, tmp_path):
    (tmp_path / "x.part").write_bytes(CONTENT + b"more")
    assert get(server, tmp_path).read_bytes() == CONTENT


def test_a_finished_part_needs_no_server(tmp_path):
    part = tmp_path / "x.part"
    part.write_bytes(CONTENT)
    download("http://127.0.0.1:9/test.bin", part, check=right, size=LENGTH, silence=0.2)
    assert part.read_bytes() == CONTENT


@pytest.mark.parametrize("declared", [LENGTH + 5000, LENGTH - 5000])
def test_a_length_that_lies_is_not_believed_against_the_catalog(server, tmp_path, declared):
    server.declared = declared
    if declared < LENGTH:
        server.declared, server.cut_after = LENGTH - 5000, [LENGTH - 5000]
    part = tmp_path / "x.part"
    try:
        get(server, tmp_path)
    except ModelError as error:
        pytest.fail(str(error))
    assert part.read_bytes() == CONTENT


def test_a_length_that_promises_too_much_is_an_error_where_nothing_else_is_known(server, tmp_path):
    server.declared, server.ranges = LENGTH + 5000, False
    with pytest.raises(ModelError, match=f"sent only {LENGTH} of {LENGTH + 5000} bytes"):
        get(server, tmp_path, size=None)
    assert len(server.requests) <= 5


def test_a_server_that_always_cuts_at_the_same_byte_is_given_up(server, tmp_path):
    server.ranges, server.cut_after = False, [50_000] * 10
    with pytest.raises(ModelError, match=f"sent only 50000 of {LENGTH} bytes"):
        get(server, tmp_path)
    assert len(server.requests) <= 5


def test_wrong_bytes_are_refused_and_removed(server, tmp_path):
    server.content = b"\0" * LENGTH
    with pytest.raises(ModelError, match="wrong bytes"):
        get(server, tmp_path)
    assert not (tmp_path / "x.part").exists()
    assert len(server.requests) == 1


def test_a_file_that_is_too_short_is_refused(server, tmp_path):
    server.content = CONTENT[:1000]
    with pytest.raises(ModelError):
        get(server, tmp_path)
    assert len(server.requests) <= 5


def test_redirects_are_followed(server, tmp_path):
    assert get(server, tmp_path, path="elsewhere/elsewhere/test.bin").read_bytes() == CONTENT


def test_a_refusal_is_told(server, tmp_path):
    server.status = 404
    with pytest.raises(ModelError, match="answered 404 Not Found"):
        get(server, tmp_path)


@pytest.mark.parametrize("when", ["before the header", "in the body", "before the connection is accepted"])
def test_silence_is_given_up_in_time_and_the_part_kept(server, tmp_path, when):
    url = server.url()
    with socket.create_server(("127.0.0.1", 0), backlog=1) as deaf:
        if when == "before the header":
            server.delay_header = 5
        elif when == "in the body":
            server.silent_after = 32768
        else:
            url = f"http://127.0.0.1:{deaf.getsockname()[1]}/"
        began = time.monotonic()
        with pytest.raises(ModelError, match=r"no answer within|fell silent"):
            download(url, tmp_path / "x.part", check=right, size=LENGTH, silence=0.3)
        assert time.monotonic() - began < 1.5
    if when == "in the body":
        assert (tmp_path / "x.part").read_bytes() == CONTENT[:32768]


def test_a_name_that_is_looked_up_for_ever_is_given_up(tmp_path, monkeypatch):
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **kwargs: time.sleep(2))
    began = time.monotonic()
    with pytest.raises(ModelError, match="no answer within"):
        download("http://nowhere.invalid/x", tmp_path / "x.part", check=right, silence=0.2)
    assert time.monotonic() - began < 1


def test_pull_goes_on_to_the_next_source(server, second_server, cache_directory, put_in_catalog):
    server.silent_after = 32768
    put_in_catalog(server.url(), second_server.url())
    path = models.pull("test-model", silence=0.3)
    assert path.read_bytes() == CONTENT
    assert second_server.requests == [("/test.bin", "bytes=32768-")]
    assert [p.name for p in cache_directory.iterdir() if not p.name.startswith(".")] == ["test.bin"]


def test_offline_says_what_was_tried_why_it_failed_and_what_to_do(server, cache_directory, put_in_catalog):
    server.status = 503
    put_in_catalog("http://127.0.0.1:9/test.bin", server.url())
    with pytest.raises(ModelError) as caught:
        models.pull("test-model", silence=0.3)
    message = str(caught.value)
    assert "http://127.0.0.1:9/test.bin: cannot be reached: Connection refused" in message
    assert f"{server.url()}: answered 503" in message
    assert "vbtools models add test-model FILE" in message
    assert models.installed("test-model") is None


def test_the_network_is_not_touched_for_an_installed_model(server, cache_directory, put_in_catalog):
    put_in_catalog(server.url())
    models.pull("test-model")
    asked = len(server.requests)
    models.pull("test-model")
    models.resolve("test-model")
    assert len(server.requests) == asked == 1
