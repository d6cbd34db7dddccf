"""Names: how they are compared, and which ids are those of models that chat."""

from __future__ import annotations

import pytest

from tray_app.catalog import is_chat_model, plain_name


@pytest.mark.parametrize("name", ["z-ai/glm-6", " Z-AI/GLM-6 ", "z-ai/glm-6[1m]", "Z-ai/glm-6[1M] "])
def test_names_are_compared_without_case_and_window(name: str) -> None:
    assert plain_name(name) == "z-ai/glm-6"


@pytest.mark.parametrize(
    "model_id",
    [
        *("z-ai/glm-6", "minimaxai/minimax-m4", "nvidia/nemotron-4-ultra-900b-a80b", "new-lab/first.model_1"),
        *("qwen/qwen3-vl-32b-instruct", "nvidia/cosmos-reason2-8b", "lab/eclipse-1", "lab/manifold", "guardian/chat-1"),
    ],
)
def test_a_model_of_any_vendor_chats_if_its_name_does_not_say_otherwise(model_id: str) -> None:
    assert is_chat_model(model_id)


@pytest.mark.parametrize(
    "model_id",
    [
        *("baai/bge-m3", "nvidia/nv-embedqa-e5-v5", "nvidia/nv-embed-v1", "nvidia/llama-nemotron-embed-1b-v2"),
        *("nvidia/llama-3.2-nv-rerankqa-1b-v2", "nvidia/llama-3.2-nemoretriever-300m-embed-v1"),
        *("meta/llama-guard-4-12b", "nvidia/llama-3.1-nemoguard-8b-content-safety", "google/shieldgemma-9b"),
        *("nvidia/llama-3.1-nemotron-70b-reward", "nvidia/nemoretriever-ocr-v1", "nvidia/nemoretriever-parse"),
        *("openai/whisper-large-v3", "nvidia/parakeet-ctc-1.1b-asr", "nvidia/magpie-tts-multilingual"),
        *("black-forest-labs/flux.1-dev", "stabilityai/stable-diffusion-3.5-large", "nvidia/nvclip"),
    ],
)
def test_models_for_search_verdicts_speech_and_pictures_do_not_chat(model_id: str) -> None:
    assert not is_chat_model(model_id)


@pytest.mark.parametrize(
    "model_id", ["", "/", "glm-6", "/glm-6", "z-ai/", "a/b c", "a/b\n", "a/ü", "a/$(id)", "a/b[1m]"]
)
def test_an_id_without_the_form_of_nvidias_ids_is_none(model_id: str) -> None:
    assert not is_chat_model(model_id)
