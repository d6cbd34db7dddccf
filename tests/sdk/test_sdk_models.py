"""The list of models as Anthropic's SDK reads it."""

from __future__ import annotations

import pytest
from anthropic import Anthropic, NotFoundError

from tests.support.fake_upstream import TIMEOUT_S
from tests.support.gateway import RunningGateway
from tray_app.catalog import LISTED_AS_IN_TRAY, MODELS

IDS = [*(model.id for model in MODELS), LISTED_AS_IN_TRAY]


@pytest.fixture
def sdk(gateway: RunningGateway) -> Anthropic:
    # strict: an answer that is not what the SDK's types say is an error
    return Anthropic(
        base_url=f"http://{gateway.host}", api_key="any", timeout=TIMEOUT_S, _strict_response_validation=True
    )


@pytest.mark.parametrize("limit", [1, 2, 3, len(IDS), 1000])
def test_the_sdk_turns_the_pages_to_their_end(sdk: Anthropic, limit: int) -> None:
    with sdk:
        for models in (sdk.models, sdk.beta.models):
            assert [model.id for model in models.list(limit=limit)] == IDS
            after = [model.id for model in models.list(limit=limit, after_id=IDS[2])]
            assert after == IDS[3:]
            before = [model.id for model in models.list(limit=limit, before_id=IDS[3])]
            assert sorted(before) == sorted(IDS[:3])


def test_the_sdk_reads_a_model(sdk: Anthropic) -> None:
    with sdk:
        for name in IDS:
            assert sdk.models.retrieve(name).id == sdk.beta.models.retrieve(name).id == name
        with pytest.raises(NotFoundError):
            sdk.models.retrieve("lab/nobody")
