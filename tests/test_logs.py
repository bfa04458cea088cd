"""Logs: one JSON object a line, with the request it belongs to."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from datetime import datetime
from typing import Any

import pytest

from showcase.logs import JsonFormatter, request_id

AT = 1_788_264_000.25


def line(message: str, *args: object, level: int = logging.INFO, exc_info: Any = None) -> str:
    record = logging.LogRecord("showcase.feed", level, __file__, 1, message, args, exc_info)
    record.created = AT
    return JsonFormatter().format(record)


def test_a_record_is_one_object_on_one_line() -> None:
    text = line("screening %s on air,\n%d viewers — “潮” 🎭", "tides", 7)
    assert "\n" not in text
    assert json.loads(text) == {
        "time": "2026-09-01T12:00:00.250+00:00",
        "level": "info",
        "logger": "showcase.feed",
        "message": "screening tides on air,\n7 viewers — “潮” 🎭",
    }
    assert datetime.fromisoformat(json.loads(text)["time"]).timestamp() == AT


def test_a_record_names_its_request() -> None:
    token = request_id.set("5f1c")
    try:
        assert json.loads(line("hello"))["request"] == "5f1c"
    finally:
        request_id.reset(token)
    assert "request" not in json.loads(line("hello"))


def test_a_crash_comes_with_its_trace_on_the_same_line() -> None:
    try:
        raise ValueError("broken\nin two lines")
    except ValueError:
        text = line("task crashed", level=logging.ERROR, exc_info=sys.exc_info())
    assert "\n" not in text
    found = json.loads(text)
    assert (found["level"], found["message"]) == ("error", "task crashed")
    assert found["error"].startswith("Traceback (most recent call last):")
    assert found["error"].endswith("ValueError: broken\nin two lines")


def output(level: str, form: str) -> list[str]:
    code = (
        "import logging, sys; from showcase import logs; logs.configure(*sys.argv[1:]);"
        "logging.getLogger('showcase').debug('quiet'); logging.getLogger('showcase').info('path \\udcff');"
        "logging.getLogger('aiosqlite').info('chatter'); logging.getLogger('alembic.runtime').info('chatter');"
        "logging.getLogger('showcase').warning('loud')"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, level, form], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout == ""
    return done.stderr.splitlines()


@pytest.mark.parametrize(
    ("level", "messages"),
    [("debug", ["quiet", "path \udcff", "loud"]), ("info", ["path \udcff", "loud"]), ("warning", ["loud"])],
)
def test_logs_go_to_standard_error_from_the_chosen_level_on(level: str, messages: list[str]) -> None:
    assert [json.loads(text)["message"] for text in output(level, "json")] == messages


def test_plain_text_is_there_for_people() -> None:
    *_, last = output("info", "text")
    assert last.endswith(" WARNING showcase: loud")
