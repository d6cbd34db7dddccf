"""The installer, by makensis: the same bytes from the same bundle."""

from __future__ import annotations

import subprocess
from pathlib import Path

from freeze import BuildError
from icons import STATE, write_icons
from PIL import Image

from tray_app import APP_ID, APP_NAME, __version__
from tray_app.tray import art

SCRIPT = Path(__file__).with_name("installer.nsi")
_PICTURE_SIZE_PX = (164, 314)  # of the last page, at its left
_PICTURE_ICON_PX = 96
_PICTURE_GROUND = "#1b1f23"


def make_installer(bundle: Path, work: Path, target: Path) -> None:
    """Packs the bundle into `target`. `work` is a folder for what is made on the way."""
    work.mkdir(parents=True, exist_ok=True)
    write_icons(work / "icons")
    draw_picture().save(work / "picture.bmp")
    files = work / "files.nsh"
    files.write_text("\n".join(list_files(bundle)) + "\n", encoding="utf-8")
    size_bytes = sum(path.stat().st_size for path in bundle.rglob("*") if path.is_file())
    definitions = {
        "APP_ID": APP_ID,
        "APP_NAME": APP_NAME,
        "PUBLISHER": f"The {APP_NAME} authors",
        "VERSION": __version__,
        "SIZE_KB": str(-(-size_bytes // 1024)),
        "OUT": str(target),
        "ICON": str(work / "icons" / f"{APP_ID}.ico"),
        "PICTURE": str(work / "picture.bmp"),
        "FILES": str(files),
    }
    options = [f"-D{name}={value}" for name, value in definitions.items()]
    command = ["makensis", "-V2", "-WX", "-INPUTCHARSET", "UTF8", *options, str(SCRIPT)]
    done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
    if done.returncode != 0:
        raise BuildError(f"makensis could not make the installer.\n{done.stdout}{done.stderr}")


def draw_picture() -> Image.Image:
    """The program's icon on dark ground, for the installer's last page."""
    picture = Image.new("RGB", _PICTURE_SIZE_PX, _PICTURE_GROUND)
    icon = art.draw(STATE, _PICTURE_ICON_PX)
    width, height = _PICTURE_SIZE_PX
    picture.paste(icon, ((width - icon.width) // 2, (height - icon.height) // 3), icon)
    return picture


def list_files(bundle: Path) -> list[str]:
    """NSIS's commands for each file, in an order of their own: that of the disk differs from one to the next."""
    lines: list[str] = []
    for folder in sorted({path.parent for path in bundle.rglob("*") if path.is_file()}):
        below = "".join(f"\\{part}" for part in folder.relative_to(bundle).parts)
        lines.append(f'SetOutPath "${{NEW}}{below}"')
        lines += [f'File "{path}"' for path in sorted(folder.iterdir()) if path.is_file()]
    return lines
