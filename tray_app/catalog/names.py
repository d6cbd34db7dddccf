"""The names that stand for models: how they are compared, and which ids NVIDIA gives to models that chat."""

from __future__ import annotations

import re

AS_IN_TRAY = "nvidia"
"""The name with which the launcher's sessions of Claude Code ask for the model that is chosen in the tray."""
AS_IN_TRAY_LABEL = "NVIDIA (as in the tray)"
"""The label of that name, for the user."""

LISTED_AS_IN_TRAY = "claude-nvidia-tray"
"""The same name in the gateway's list of models, of which Claude Code takes only names with "claude" or "anthropic"."""

NAMED_MODEL_HEADER = "x-claude-nvidia-tray-model"
"""The header of a request whose model is meant as it is named. The launcher's sessions send it, the exports do not."""

PROJECT_HEADER = "x-claude-nvidia-tray-project"
"""The header with the folder of a session, percent-encoded, for the history. The launcher's sessions send it, because
Claude Code 2.1.332 names its folder only in the prompt (observed November 2026), and prompts are not read for that."""

_LISTED_ID = re.compile(r"[\w.:@+-]+/[\w.:@/+-]+", re.ASCII)
"""The form of NVIDIA's ids: a vendor and a name, without any character that has a meaning in a shell."""

_NO_CHAT = (
    *("embed", "nvembed", "bge", "rerank", "retriever", "nemoretriever"),  # search
    *("guard", "nemoguard", "shield", "safety", "moderation", "reward"),  # verdicts about texts
    *("ocr", "parse", "nemoparse", "detector"),  # text and things in pictures
    *("whisper", "parakeet", "canary", "asr", "tts", "speech", "riva", "magpie"),  # speech
    *("flux", "diffusion", "sdxl", "image", "clip", "nvclip"),  # pictures
    *("alphafold", "openfold", "esmfold"),  # proteins
)
"""A model does not chat if a word of its name begins so. NVIDIA's list (November 2026) does not say what a model does.

A model that slips through is refused or calls no tools, so that a probe or its first request finds it out.
"""


def plain_name(name: str) -> str:
    """Returns a name in its form for comparison: lower case, without `[1m]`, Claude Code's mark for a long window."""
    return name.strip().lower().removesuffix("[1m]").strip()


def is_chat_model(model_id: str) -> bool:
    """Tells whether an id has NVIDIA's form "vendor/name", and its name is not that of a model for another purpose."""
    if not _LISTED_ID.fullmatch(model_id):
        return False
    words = re.split(r"[^a-z]+", model_id.partition("/")[2].lower())
    return not any(word.startswith(_NO_CHAT) for word in words)
