"""What a Linux desktop needs to show the program: its place in the menu and its icons, laid out as below /usr/share."""

from __future__ import annotations

import shutil
from pathlib import Path

from icons import write_pngs

from tray_app import APP_ID

HERE = Path(__file__).resolve().parent
ICON_SIZES_PX = (16, 22, 24, 32, 36, 48, 64, 72, 96, 128, 192, 256, 512)  # as the hicolor theme lists them


def write_share(folder: Path) -> None:
    copy(HERE / f"{APP_ID}.desktop", folder / "applications")
    for size, icon in write_pngs(folder / "icons", ICON_SIZES_PX).items():
        place = folder / "icons" / "hicolor" / f"{size}x{size}" / "apps"
        place.mkdir(parents=True)
        icon.rename(place / f"{APP_ID}.png")


def copy(file: Path, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(file, folder / file.name)
