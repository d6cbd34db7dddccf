"""What Claude Code reads from disk as a picture or a PDF, for models that read text only."""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path

import pytest
from PIL import Image

from tests.support.kit import say, script, with_both_models
from tests.support.pdfs import make_pdf
from tests.support.stage import Stage, set_stage

pytestmark = [pytest.mark.desktop, pytest.mark.kit]


@with_both_models
def test_of_an_image_the_model_gets_a_short_note(model: str, vllms: dict[str, str], tmp_path: Path) -> None:
    with set_stage(tmp_path, upstreams=vllms, model=model) as stage:
        picture = stage.work / "picture.png"
        Image.effect_noise((64, 48), 50).save(picture)
        look = say("A look at it.", "", ("Read", {"file_path": str(picture)}))
        assert "I CANNOT SEE IT" in stage.run(script("What is it?", look, say("", "I CANNOT SEE IT")))

        [result] = stage.results()
        assert "image" in result
        assert len(result) < 200
        check_no_base64_goes_upstream(stage)


@with_both_models
def test_of_a_pdf_the_model_gets_the_text(model: str, vllms: dict[str, str], tmp_path: Path) -> None:
    with set_stage(tmp_path, upstreams=vllms, model=model) as stage:
        paper = stage.work / "paper.pdf"
        paper.write_bytes(base64.b64decode(make_pdf("The harbour opens at dawn.", "The tide turns at noon.")))
        read = say("I read it.", "", ("Read", {"file_path": str(paper)}))
        assert "AT DAWN" in stage.run(script("When does it open?", read, say("", "AT DAWN")))

        [result] = stage.results()
        first_page, second_page = result.find("The harbour opens at dawn."), result.find("The tide turns at noon.")
        assert 0 <= first_page < second_page
        check_no_base64_goes_upstream(stage)


def check_no_base64_goes_upstream(stage: Stage) -> None:
    """The client did send base64, and no part of it went on."""
    sent = "".join(json.dumps(passage.request) for passage in stage.front.passages)
    went_on = json.dumps(stage.chat_requests())
    files = re.findall(r'"data": "([A-Za-z0-9+/=]{500,})"', sent)
    assert files
    assert not [data for data in files if data[100:160] in went_on]
