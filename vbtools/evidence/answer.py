"""The stored verdict as the commands tell it, and the exit status that it sets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from vbtools.errors import VERDICT_EXIT_CODES
from vbtools.evidence.verdict import ANSWERS, NONE

if TYPE_CHECKING:
    from vbtools.store import Reader

EXIT_CODES = {
    answer: next((code for code, meaning in VERDICT_EXIT_CODES.items() if meaning == f"verdict: {answer}"), 0)
    for answer in ANSWERS
}
"""Exit status of ``vbtools verdict`` by answer; 0 where nothing was found at the power that there was."""


def stored_answer(reader: Reader) -> dict[str, Any]:
    """The verdict's one row, with ``reasons`` (sentences) and ``exit_code``.

    Raises:
        StageMissingError: verdict has not been run.
    """
    row = reader.table("verdict", "verdict")[0]
    reasons = [one["reason"] for one in reader.table("verdict", "reasons")]
    return {**row, "reasons": reasons, "exit_code": EXIT_CODES[row["answer"]]}


def said(told: Mapping[str, Any]) -> str:
    """The answer and its reasons on one line: ``leak shown: ...``; the sentence begins with the answer itself."""
    begin = f"{told['answer'].capitalize()}: "
    return f"{told['answer']}: {told['sentence'].removeprefix(begin)}"


def exit_status(answer: str, on: tuple[str, ...] = ()) -> int:
    """The exit status for an answer.

    Args:
        answer: one of :data:`vbtools.evidence.verdict.ANSWERS`.
        on: first words of the answers that fail (leak, inconclusive); all but "none found" where none is given.

    Returns:
        0, or the answer's own code.
    """
    does_fail = answer != NONE and (not on or answer.split(maxsplit=1)[0] in on)
    return EXIT_CODES[answer] if does_fail else 0
