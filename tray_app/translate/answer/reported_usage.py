"""The counts of tokens that upstream reports, under the names of several servers."""

from __future__ import annotations

from typing import Any

import msgspec

_MOST_TOKENS = 10_000_000
"""No model has a window of so many tokens. A larger number is no count."""


class CacheDetails(msgspec.Struct, frozen=True):
    """OpenAI's details of the prompt's tokens."""

    cached_tokens: int | None = None


class Usage(msgspec.Struct, frozen=True):
    """The counts of one answer. A count that cannot be true is ignored."""

    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    prompt_tokens_details: CacheDetails | None = None
    input_tokens: Any = None
    output_tokens: Any = None
    input_tokens_details: Any = None
    cached_tokens: Any = None
    prompt_cache_hit_tokens: Any = None
    cache_read_input_tokens: Any = None
    """Anthropic does not count these in `input_tokens`, nor those of `cache_creation_input_tokens`."""
    cache_creation_input_tokens: Any = None

    @property
    def prompt(self) -> int | None:
        """All tokens of the prompt, including those from a cache. None if upstream does not say."""
        if count := _first_count(self.prompt_tokens):
            return count
        parts = (self.input_tokens, self.cache_read_input_tokens, self.cache_creation_input_tokens)
        return sum(_first_count(part) or 0 for part in parts) or None

    @property
    def cached(self) -> int:
        """The tokens of the prompt that came from a cache; 0 if upstream does not say."""
        return _first_count(*self._cached_counts) or 0

    @property
    def says_cached(self) -> bool:
        """Tells whether upstream says how many tokens came from a cache, even if it says that none did."""
        return any(isinstance(count, int) for count in self._cached_counts)

    @property
    def _cached_counts(self) -> tuple[Any, ...]:
        details, others = self.prompt_tokens_details, self.input_tokens_details
        return (
            details and details.cached_tokens,
            others.get("cached_tokens") if isinstance(others, dict) else None,
            self.prompt_cache_hit_tokens,
            self.cached_tokens,
            self.cache_read_input_tokens,
        )

    @property
    def output(self) -> int | None:
        """The tokens of the answer. None if upstream does not say."""
        return _first_count(self.completion_tokens, self.output_tokens)


def _first_count(*values: Any) -> int | None:
    """Returns the first value that can be a count of tokens. None if there is none."""
    return next((value for value in values if isinstance(value, int) and 0 < value <= _MOST_TOKENS), None)
