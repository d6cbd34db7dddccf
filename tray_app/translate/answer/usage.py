"""Counts what an answer cost: upstream's counts if it reports any, else estimates."""

from __future__ import annotations

from dataclasses import dataclass

from tray_app.translate.answer.reported_usage import Usage
from tray_app.translate.request.tokens import estimate_text


@dataclass(frozen=True, slots=True)
class ReportedTokens:
    """The counts of one answer that upstream has reported. None: it has not said."""

    prompt: int | None = None
    """All tokens of the prompt, including those from a cache."""
    cached: int | None = None
    """The tokens of the prompt that came from a cache."""
    output: int | None = None


class TokenCount:
    """The counts of one answer. They may come in any of its chunks, in several, or never."""

    def __init__(self) -> None:
        self._prompt = self._cached = self._output = 0  # 0 if upstream has not said
        self._says_cached = False

    def take(self, usage: Usage) -> None:
        """Takes the newest counts. A count that is missing stays as it was."""
        if usage.prompt is not None:
            self._prompt, self._cached = usage.prompt, min(usage.cached, usage.prompt)
            self._says_cached = usage.says_cached
        if usage.output is not None:
            self._output = usage.output

    @property
    def has_output(self) -> bool:
        """Tells whether upstream has counted the tokens of the answer."""
        return self._output > 0

    @property
    def reported(self) -> ReportedTokens:
        """The counts without any estimates."""
        cached = self._cached if self._says_cached else None
        return ReportedTokens(self._prompt or None, cached, self._output or None)

    def to_usage(self, input_tokens: int, said_bytes: int) -> dict[str, int]:
        """Returns Anthropic's usage object. Upstream's counts win over the estimates.

        `input_tokens`: the estimated tokens of the prompt. `said_bytes`: the size of the answer.
        """
        output = self._output or (estimate_text(said_bytes) if said_bytes else 0)
        return to_usage((self._prompt or input_tokens) - self._cached, output, self._cached)


def to_usage(input_tokens: int, output_tokens: int, cached_tokens: int = 0) -> dict[str, int]:
    """Returns Anthropic's usage object. `input_tokens` are those that did not come from a cache."""
    return {
        "input_tokens": max(0, input_tokens),
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": max(0, cached_tokens),
        "output_tokens": max(0, output_tokens),
    }
