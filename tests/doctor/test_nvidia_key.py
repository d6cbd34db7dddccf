"""What the doctor says about the key, as a server in NVIDIA's place judges it."""

from __future__ import annotations

import ssl

import pytest

from tests.support.chunks import completion
from tests.support.fake_upstream import FakeUpstream, Reply, refusal, whole
from tray_app.doctor.findings import Level
from tray_app.doctor.nvidia_key import check_nvidia_key
from tray_app.shells import name_command

KEY = "nvapi-of-the-test"


@pytest.mark.parametrize(
    ("replies", "level"),
    [
        ([whole(completion("Hi"))], Level.OK),
        ([refusal(401)], Level.FAIL),
        ([refusal(403), refusal(403)], Level.FAIL),
        ([refusal(404), refusal(404)], Level.FAIL),
        ([refusal(503), refusal(503)], Level.NOTE),
    ],
    ids=["valid", "refused", "no permission", "not served", "busy"],
)
def test_the_verdict_is_a_finding(replies: list[Reply], level: Level, upstream: FakeUpstream) -> None:
    upstream.script(*replies)
    finding = check_nvidia_key(KEY, upstream.url, ("vendor/one", "vendor/two"), ssl.create_default_context)
    assert (finding.topic, finding.level) == ("NVIDIA key", level)
    assert KEY not in finding.sentence


def test_a_refused_key_is_cured_by_another_one(upstream: FakeUpstream) -> None:
    upstream.model_list = refusal(401)
    finding = check_nvidia_key(KEY, upstream.url, ("vendor/one",), ssl.create_default_context)
    assert name_command("set-key") in finding.fix
