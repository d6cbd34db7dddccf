"""Every setting in the user's words: its title, what it does, and how the page shows it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from tray_app.catalog import GLM_4_7, MINIMAX_M2_1

Kind = Literal["switch", "number", "text", "choice", "lines", "pairs", "json", "key"]
"""How a setting is shown: `lines` is a list with one text on each line, `pairs` an object with "name = value" on each
line, and `json` any value as JSON. A `key` is never shown and cannot be changed here."""


@dataclass(frozen=True, slots=True)
class Words:
    """One setting in the user's words."""

    name: str
    title: str
    help: str
    kind: Kind
    least: int = 0
    """The smallest number that is accepted. Only a setting of the kind `number` has one."""
    unit: str = ""
    """Names what the number counts; empty: it counts nothing in particular."""
    example: str = ""
    """Is shown in an empty control; empty: nothing is shown."""


@dataclass(frozen=True, slots=True)
class Group:
    """Settings that belong together."""

    title: str
    rows: tuple[Words, ...]


GROUPS = (
    Group(
        "General",
        (
            Words("nvidia_key", "NVIDIA API key", "Every request to NVIDIA is sent with it.", "key"),
            Words("model", "Model", "Answers from the next request on, in running sessions, too.", "choice"),
            Words(
                "clients_choose_model",
                "Other programs choose their own model",
                "A request that names a model of the list is answered by that one. Sessions of Claude Code that this "
                "program has started may always choose.",
                "switch",
            ),
        ),
    ),
    Group(
        "Models",
        (
            Words(
                "background_model",
                "Model of background work",
                "Answers titles, summaries and sub-agents. Each model has its own limit of requests, so a second one "
                "leaves more of it to you.",
                "choice",
            ),
            Words(
                "follow_successors",
                "Another model answers for a retired one",
                "A newer model of the same family answers, or the best one that does. The page and the menu say so.",
                "switch",
            ),
            Words(
                "fallback_models",
                "Models that answer if the selected one fails",
                "Their ids, one on each line, are tried from the top. Without one, you get the failure.",
                "lines",
                example=MINIMAX_M2_1.id,
            ),
            Words(
                "probe_models",
                "Find out which models answer",
                "A few small requests ask the models about which your own requests say nothing.",
                "switch",
            ),
            Words(
                "aliases",
                "Other names of models",
                'One "name = id" on each line. A request for the name is answered by the model with the id.',
                "pairs",
                example=f"old/name = {GLM_4_7.id}",
            ),
            Words(
                "model_order",
                "Models that are offered first",
                "Their ids, one on each line, in the order that the menu and this page shall have.",
                "lines",
                example=GLM_4_7.id,
            ),
            Words(
                "hidden_models",
                "Hidden models",
                "Their ids, one on each line. They are not offered, and still answer if a program names them.",
                "lines",
                example=MINIMAX_M2_1.id,
            ),
            Words(
                "models",
                "Models that you added or corrected",
                'A list in JSON. Each entry has the "id" of a model, and the facts that differ from what is known.',
                "json",
                example='[{"id": "vendor/name", "label": "Name"}]',
            ),
        ),
    ),
    Group(
        "Limits",
        (
            Words(
                "requests_per_minute",
                "Requests per minute to each model",
                "Requests beyond this wait for their turn. NVIDIA's free tier takes about 40. 0: only NVIDIA limits.",
                "number",
                unit="requests",
            ),
            Words(
                "upstream_timeout_seconds",
                "Longest silence of NVIDIA",
                "After so long without a word, a request is given up and tried again.",
                "number",
                least=1,
                unit="seconds",
            ),
        ),
    ),
    Group(
        "Claude Code",
        (
            Words(
                "manual_mode",
                "Sessions begin in manual mode",
                "In the sessions that this program starts, you judge each risky command, and no model does.",
                "switch",
            ),
            Words(
                "undo_all_sessions_at_quit",
                "Restore Claude Code's own settings at the end",
                "Use for All Claude Code Sessions then lasts only as long as this program runs.",
                "switch",
            ),
        ),
    ),
    Group(
        "History",
        (
            Words(
                "keep_history",
                "Keep a history of requests",
                "It has figures, names of models and causes of failures, and never the text of a prompt or an answer.",
                "switch",
            ),
            Words(
                "history_days",
                "Days for which each request is kept",
                "The sums of each day are kept for ever.",
                "number",
                least=1,
                unit="days",
            ),
        ),
    ),
    Group(
        "Logging",
        (
            Words(
                "log_bodies",
                "Log request bodies",
                "Your prompts and the answers are written into the log file, without keys and images.",
                "switch",
            ),
            Words(
                "log_body_max_chars",
                "Longest body in the log",
                "The middle of a longer body is left out.",
                "number",
                unit="characters",
            ),
            Words(
                "log_stream_text_preview_chars",
                "Longest text of a streamed answer in the log",
                "It counts while request bodies are logged.",
                "number",
                unit="characters",
            ),
        ),
    ),
    Group(
        "Network",
        (
            Words(
                "addr",
                "Address of this program",
                "Claude Code and this page find it there. With :3001 in the place of 127.0.0.1:3001, your whole "
                "network could use it, and it needs a server key.",
                "text",
            ),
            Words(
                "server_api_key",
                "Server key",
                "With one, each program must send it to be answered.",
                "key",
            ),
            Words(
                "serve_page",
                "This page",
                "A server key, or an address that others can reach, takes the page away unless you want it always. It "
                "opens only with a token, but it is sent without encryption.",
                "choice",
            ),
            Words(
                "allowed_origins",
                "Web pages that may ask models",
                "Their origins, such as http://localhost:8080, one on each line. This page needs no entry.",
                "lines",
                example="http://localhost:8080",
            ),
            Words("nvidia_url", "Address of NVIDIA's service", "Requests for answers are sent there.", "text"),
        ),
    ),
)
"""Every setting, in the order of the page."""

PAGE_WORDS = {"local": "Only for this machine", "always": "Always", "never": "Never"}

TITLES = {words.name: words.title for group in GROUPS for words in group.rows}
