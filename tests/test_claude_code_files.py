"""What Claude Code reads from disk as a picture or a PDF, for models that read text only."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from PIL import Image

from tests.kit import say, script, with_both_models
from tests.stage import Stage, set_stage

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
        paper.write_bytes(make_pdf("The harbour opens at dawn.", "The tide turns at noon."))
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


def make_pdf(*pages: str) -> bytes:
    """A PDF with one line of text on each page."""
    kids = " ".join(f"{4 + 2 * n} 0 R" for n in range(len(pages)))
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    for n, text in enumerate(pages):
        drawing = f"BT /F1 24 Tf 72 700 Td ({text}) Tj ET"
        objects += [
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] "
            f"/Resources << /Font << /F1 3 0 R >> >> /Contents {5 + 2 * n} 0 R >>",
            f"<< /Length {len(drawing)} >>\nstream\n{drawing}\nendstream",
        ]
    pdf, offsets = b"%PDF-1.4\n", []
    for number, text in enumerate(objects, 1):
        offsets.append(len(pdf))
        pdf += f"{number} 0 obj\n{text}\nendobj\n".encode()
    table = "".join(f"{offset:010} 00000 n \n" for offset in offsets)
    trailer = f"trailer\n<< /Size {len(objects) + 1} /Root 1 0 R >>\nstartxref\n{len(pdf)}\n%%EOF\n"
    return pdf + f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}{trailer}".encode()
