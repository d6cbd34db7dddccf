"""What an answer cost: upstream's counts where they can be true, else estimates."""

from __future__ import annotations

from tray_app.translate.answer.chunk import Usage
from tray_app.translate.request.tokens import estimate_text


class TokenCount:
    """The counts of one answer, which may come in any of its chunks, in several, or never."""

    def __init__(self) -> None:
        self._prompt = self._cached = self._output = 0  # 0: upstream has not told

    def take(self, usage: Usage) -> None:
        """Takes the newest counts; what they leave open stays as it was."""
        if usage.prompt is not None:
            self._prompt, self._cached = usage.prompt, min(usage.cached, usage.prompt)
        if usage.output is not None:
            self._output = usage.output

    @property
    def has_output(self) -> bool:
        return self._output > 0

    def to_usage(self, input_tokens: int, said_bytes: int) -> dict[str, int]:
        """Anthropic's usage object. `input_tokens`: an estimate of the prompt; `said_bytes`: the size of the answer."""
        output = self._output or (estimate_text(said_bytes) if said_bytes else 0)
        return to_usage((self._prompt or input_tokens) - self._cached, output, self._cached)


def to_usage(input_tokens: int, output_tokens: int, cached_tokens: int = 0) -> dict[str, int]:
    """Anthropic's usage object; its input_tokens leave the cached ones out."""
    return {
        "input_tokens": max(0, input_tokens),
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": max(0, cached_tokens),
        "output_tokens": max(0, output_tokens),
    }
