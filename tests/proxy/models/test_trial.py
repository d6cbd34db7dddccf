"""One model is asked because the user wants to know, and the answer is a sentence."""

from __future__ import annotations

import pytest

from tests.conftest import StartGateway
from tests.support.chunks import completion, finish, whole_call
from tests.support.fake_upstream import FakeUpstream, Reply, refusal, stream, whole
from tests.support.gateway import NVIDIA_KEY, RunningGateway
from tray_app.errors import NotFound, StartError
from tray_app.proxy.models.probe import PROBE_TOOL
from tray_app.proxy.models.trial import Trial
from tray_app.settings.keys import Keys

GLM = "z-ai/glm4.7"
CALL = stream(whole_call(PROBE_TOOL, {"is_ready": True}), finish("tool_calls"))


@pytest.fixture
def upstream(upstream: FakeUpstream) -> FakeUpstream:
    """A server in NVIDIA's place for which probes are a part of the script."""
    upstream.takes_probes = True
    return upstream


def ask(gateway: RunningGateway, model_id: str = GLM) -> Trial:
    return gateway.service.try_model(model_id).result()


@pytest.mark.parametrize(
    ("reply", "ending"),
    [(CALL, " s, and calls tools."), (whole(completion("I am ready.")), "Claude Code needs a model that calls tools.")],
    ids=["calls", "only talks"],
)
def test_a_model_that_answers_is_told_with_its_time(
    reply: Reply, ending: str, gateway: RunningGateway, upstream: FakeUpstream
) -> None:
    upstream.script(reply)
    trial = ask(gateway)
    assert trial.answers
    assert trial.first_token_s is not None
    assert trial.sentence.startswith(f"GLM 4.7 answers after {trial.first_token_s:.1f} s")
    assert trial.sentence.endswith(ending)
    assert gateway.board.status.findings.find(GLM).answers


def test_a_model_that_is_refused_is_told_with_the_reason(gateway: RunningGateway, upstream: FakeUpstream) -> None:
    upstream.script(refusal(404, {"status": 404, "detail": f"Function 'x': Not found for account '{NVIDIA_KEY}'"}))
    trial = ask(gateway)
    assert (trial.answers, trial.first_token_s, "GLM 4.7" in trial.sentence) == (False, None, True)
    assert NVIDIA_KEY not in trial.sentence
    assert gateway.board.status.findings.find(GLM).answers is False


def test_an_empty_answer_is_none(gateway: RunningGateway, upstream: FakeUpstream) -> None:
    upstream.script(stream(finish()))
    assert ask(gateway).sentence.startswith("GLM 4.7 sent no answer that can be used")


def test_without_a_key_nobody_is_asked(start_gateway: StartGateway, upstream: FakeUpstream) -> None:
    trial = ask(start_gateway(Keys()))
    assert (trial.answers, "key" in trial.sentence) == (False, True)
    assert not upstream.received


def test_an_unknown_model_and_a_stopped_gateway_are_errors(gateway: RunningGateway) -> None:
    with pytest.raises(NotFound, match="There is no model vendor/none"):
        ask(gateway, "vendor/none")
    gateway.stop()
    with pytest.raises(StartError):
        ask(gateway)
