"""The models that the gateway lists, read by Anthropic's own SDK for Python."""

from __future__ import annotations

import pytest
from anthropic import Anthropic, NotFoundError

from tests.fake_upstream import PATIENCE_S
from tests.gateway import RunningGateway
from tray_app.catalog import MODELS

IDS = [model.id for model in MODELS]


@pytest.fixture
def client(gateway: RunningGateway) -> Anthropic:
    # strict: an answer that is not what the SDK's types say is an error
    return Anthropic(
        base_url=f"http://{gateway.host}", api_key="any", timeout=PATIENCE_S, _strict_response_validation=True
    )


@pytest.mark.parametrize("limit", [1, 2, 3, len(IDS), 1000])
def test_the_sdk_turns_the_pages_to_their_end(client: Anthropic, limit: int) -> None:
    with client:
        for models in (client.models, client.beta.models):
            assert [model.id for model in models.list(limit=limit)] == IDS
            after = [model.id for model in models.list(limit=limit, after_id=IDS[2])]
            assert after == IDS[3:]
            before = [model.id for model in models.list(limit=limit, before_id=IDS[3])]
            assert sorted(before) == sorted(IDS[:3])


def test_the_sdk_reads_a_model(client: Anthropic) -> None:
    with client:
        for name in IDS:
            assert client.models.retrieve(name).id == client.beta.models.retrieve(name).id == name
        with pytest.raises(NotFoundError):
            client.models.retrieve("lab/nobody")
