"""The .deb on a Debian with nothing else in it, and the tarball in a home: installed, driven, taken away again."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from jeepney import DBusAddress, new_method_call
from jeepney.io.blocking import open_dbus_connection

from tests.app.test_tray_app import GREEN, find_colour
from tests.bundle.built import DIST, find_built
from tests.bundle.debian_root import DebianRoot, make_debian_root
from tests.support.chunks import completion
from tests.support.desktop_harness import PROPERTIES, WATCHER, Desktop, TrayItem, Watcher, xfce4_panel
from tests.support.fake_upstream import FakeUpstream, listing, whole
from tests.support.gateway import NVIDIA_KEY, Client
from tests.support.parts import need
from tests.support.pdfs import make_pdf
from tests.support.waiting import wait_for
from tray_app import APP_ID, __version__
from tray_app.catalog import GLM_4_7
from tray_app.claude_code.all_sessions import switch_on
from tray_app.claude_code.claude_settings import Setup

pytestmark = pytest.mark.desktop

SCREENSHOT = DIST.parent / ".build" / "tests" / "debian.png"


@pytest.fixture(scope="module")
def deb() -> Path:
    if shutil.which("dpkg") is None:
        pytest.skip("no Debian: there is no .deb")
    return find_built(f"{APP_ID}_{__version__}_*.deb")


@pytest.fixture(scope="module")
def bare_root(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DebianRoot]:
    with make_debian_root(tmp_path_factory.mktemp("debian") / "root") as root:
        yield root


@pytest.fixture
def installed(bare_root: DebianRoot, deb: Path) -> DebianRoot:
    """With the package, by apt, which knows of no other packages here: all that it depends on is there."""
    shutil.copy(deb, bare_root.folder / "tmp" / deb.name)
    apt = ("apt-get", "install", "--yes", "--no-install-recommends", "--reinstall")
    bare_root.run(*apt, f"/tmp/{deb.name}", user="root")
    return bare_root


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the tarball."""
    folder = tmp_path_factory.mktemp("tarball")
    with tarfile.open(find_built(f"{APP_ID}-{__version__}-linux-*.tar.gz")) as archive:
        archive.extractall(folder, filter="tar")
    return folder / f"{APP_ID}-{__version__}"


@pytest.fixture
def desktop() -> Iterator[Desktop]:
    need("dbus-daemon")
    with Desktop() as private:
        private.env["ADDR"] = "127.0.0.1:0"
        yield private


# ---- the package


def test_the_package_is_whole_on_a_bare_debian(installed: DebianRoot) -> None:
    assert installed.run(APP_ID, "--version") == f"{APP_ID} {__version__}\n"
    lines = installed.run(APP_ID, "--self-check").splitlines()
    assert {line.split()[0] for line in lines[1:]} == {"ok"}
    assert installed.run("dpkg", "--verify", APP_ID, user="root") == ""


def test_its_icon_and_menu_work_in_a_real_panel(installed: DebianRoot, upstream: FakeUpstream) -> None:
    need("dbus-daemon", "Xvfb", "xfce4-panel", "import", "xsetroot")
    upstream.model_list = listing("z-ai/glm4.7", "minimaxai/minimax-m2.1")
    upstream.default = lambda body: whole(completion(body["model"]))
    environ = {"ADDR": "127.0.0.1:0", "UPSTREAM_URL": upstream.url, "NVIDIA_API_KEY": NVIDIA_KEY}
    with Desktop("640x320x24") as desktop:
        xfce4_panel(desktop)
        app = desktop.spawn(*installed.enter(APP_ID, desktop=desktop, **environ), log="app")
        desktop.wait_log("app", "listening on http://")
        wait_for(lambda: find_colour(desktop.take_screenshot(), GREEN), "the icon in the panel")
        SCREENSHOT.parent.mkdir(parents=True, exist_ok=True)
        desktop.take_screenshot().save(SCREENSHOT)
        with TrayItem(desktop.bus, *wait_for(lambda: find_item(desktop), "the item")) as item:
            item.click("MiniMax M2.1")
            item.wait_menu(lambda menu: menu.find("MiniMax M2.1").is_checked, "the other model")
            assert Client(read_url(desktop)).ask().text == "minimaxai/minimax-m2.1"
            item.click("Quit")
        assert app.wait(20) == 0
    settings = json.loads((installed.home / ".config" / APP_ID / "settings.json").read_text())
    assert settings["model"] == "minimaxai/minimax-m2.1"


@pytest.mark.parametrize("verb", ["upgrade", "remove"])
def test_a_running_app_outlives_its_package(
    verb: str, installed: DebianRoot, desktop: Desktop, upstream: FakeUpstream, deb: Path
) -> None:
    upstream.model_list = listing("z-ai/glm4.7", "minimaxai/minimax-m2.1")
    upstream.default = lambda body: whole(completion("answered"))
    environ = {"ADDR": "127.0.0.1:0", "UPSTREAM_URL": upstream.url, "NVIDIA_API_KEY": NVIDIA_KEY}
    source = {"type": "base64", "media_type": "application/pdf", "data": make_pdf("read by the old program")}
    message = {"role": "user", "content": [{"type": "document", "source": source}]}
    with Watcher(desktop.bus) as watcher:
        app = desktop.spawn(*installed.enter(APP_ID, desktop=desktop, **environ), log="app")
        with watcher.wait_item() as item:
            gateway = Client(read_url(desktop))
            if verb == "upgrade":
                installed.run("dpkg", "--install", f"/tmp/{deb.name}", user="root")
                # another version: where the old one has its modules, it has something else
                (installed.folder / "usr" / "lib" / APP_ID / APP_ID).write_bytes(bytes(10_000_000))
            else:
                installed.run("dpkg", "--remove", APP_ID, user="root")
            # the reader of PDFs is loaded with the first one; of a removed program, a part of it is gone
            answer = gateway.ask({"model": "claude-x", "max_tokens": 50, "messages": [message]})
            assert answer.status == (200 if verb == "upgrade" else 500)
            assert gateway.ask().text == "answered"
            item.wait_menu(lambda menu: menu.has("Quit"), "no request is active")
            item.click("Quit")
            assert app.wait(20) == 0
    if verb == "upgrade":
        assert "read by the old program" in json.dumps(upstream.received[0].body)


def test_only_the_users_settings_stay_when_it_is_purged(bare_root: DebianRoot, deb: Path) -> None:
    settings = bare_root.home / ".config" / APP_ID / "settings.json"
    settings.parent.mkdir(parents=True, exist_ok=True)
    settings.write_text('{"version": 2, "model": "minimaxai/minimax-m2.1"}')
    shutil.copy(deb, bare_root.folder / "tmp" / deb.name)
    bare_root.run("dpkg", "--install", f"/tmp/{deb.name}", user="root")
    ours = bare_root.list_files() - bare_root.pristine
    assert {f"usr/bin/{APP_ID}", f"usr/share/applications/{APP_ID}.desktop"} < ours
    assert all("claude" in path or path.startswith("usr/share/") for path in ours)
    bare_root.run("dpkg", "--purge", APP_ID, user="root")
    assert bare_root.list_files() == bare_root.pristine
    assert "minimax" in settings.read_text()


def test_desktops_and_software_centres_can_read_what_the_package_says(deb: Path, tmp_path: Path) -> None:
    need("desktop-file-validate", "appstreamcli")
    subprocess.run(["dpkg-deb", "--extract", deb, tmp_path], check=True)
    share = tmp_path / "usr" / "share"
    run(tmp_path, "desktop-file-validate", str(share / "applications" / f"{APP_ID}.desktop"))
    run(tmp_path, "appstreamcli", "validate", "--no-net", *map(str, (share / "metainfo").iterdir()))
    run(tmp_path, "appstreamcli", "validate-tree", "--no-net", str(tmp_path))


# ---- the tarball


def test_install_puts_it_into_the_menu_and_remove_takes_all_away(unpacked: Path, tmp_path: Path) -> None:
    need("desktop-file-validate")
    home = tmp_path / "a home"
    home.mkdir()
    for _ in range(2):  # the second time, it is an update
        run(home, str(unpacked / "install.sh"))
    entry = home / ".local" / "share" / "applications" / f"{APP_ID}.desktop"
    command = home / ".local" / "bin" / APP_ID
    run(home, "desktop-file-validate", str(entry))
    assert f'Exec="{command}"\n' in entry.read_text()
    assert run(home, str(command), "--version") == f"{APP_ID} {__version__}\n"
    assert (home / ".local/share/icons/hicolor/48x48/apps" / f"{APP_ID}.png").is_file()
    at_login = home / ".config" / "autostart" / f"{APP_ID}.desktop"
    at_login.parent.mkdir(parents=True)
    at_login.touch()
    claude, state = home / ".claude" / "settings.json", home / ".local" / "state" / APP_ID
    claude.parent.mkdir()
    claude.write_bytes(b'{"model": "opus"}')
    setup = Setup("http://127.0.0.1:3001", GLM_4_7, (GLM_4_7,))
    switch_on(state, {"CLAUDE_CONFIG_DIR": str(claude.parent)}, setup)
    run(home, str(home / ".local" / "lib" / APP_ID / "install.sh"), "--remove")
    assert claude.read_bytes() == b'{"model": "opus"}', "Claude Code's settings are as they were"
    left = {path for path in home.rglob("*") if not path.is_dir()}
    assert left == {claude, state / "all-sessions.lock"}


@pytest.mark.parametrize("before", [None, "/opt/of/the/user"])
def test_what_it_starts_finds_the_systems_libraries(
    before: str | None, unpacked: Path, desktop: Desktop, tmp_path: Path
) -> None:
    told = tmp_path / "told"
    opener = tmp_path / "bin" / "xdg-open"
    opener.parent.mkdir()
    opener.write_text(f'#!/bin/sh\necho "${{LD_LIBRARY_PATH-none}}" >{told}.new; mv {told}.new {told}\n')
    opener.chmod(0o755)
    desktop.env["PATH"] = f"{opener.parent}:{desktop.env['PATH']}"
    desktop.env.pop("LD_LIBRARY_PATH", None)
    if before is not None:
        desktop.env["LD_LIBRARY_PATH"] = before
    with Watcher(desktop.bus) as watcher:
        desktop.spawn(unpacked / APP_ID, "--demo", log="app")
        with watcher.wait_item() as item:
            item.click("More", "Open Log Folder")
            wait_for(told.is_file, "the folder is opened")
    assert told.read_text().strip() == (before or "none")


def test_it_keeps_a_key_in_gnomes_keyring(unpacked: Path, tmp_path: Path) -> None:
    """With a real daemon on a bus of its own."""
    need("dbus-run-session", "gnome-keyring-daemon")
    (tmp_path / "runtime").mkdir(mode=0o700)
    script = """
        printf 'a password' | gnome-keyring-daemon --unlock --components=secrets >/dev/null
        printf 'nvapi-of-the-test\\n' | "$0" set-key
        "$0" set-key --remove
    """
    environ = {
        "PATH": os.environ["PATH"],
        "UPSTREAM_URL": os.environ["UPSTREAM_URL"],
        "HOME": str(tmp_path),
        "XDG_RUNTIME_DIR": str(tmp_path / "runtime"),
        "CLAUDE_NVIDIA_TRAY_HOME": str(tmp_path / "app"),
    }
    command = ["dbus-run-session", "--", "sh", "-c", script, str(unpacked / APP_ID)]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout.splitlines() == [
        "Checking the key with NVIDIA …",
        "The NVIDIA API key is kept in the system keyring. A running app uses it from now on.",
        "The NVIDIA API key is removed.",
    ], done.stderr
    assert "nvapi" not in (tmp_path / "app" / "settings.json").read_text()


def run(home: Path, *command: str) -> str:
    environ = {"HOME": str(home), "PATH": os.environ["PATH"]}
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    return done.stdout


def read_url(desktop: Desktop) -> str:
    desktop.wait_log("app", "listening on http://")
    return desktop.read_log("app").split("listening on ")[1].split()[0]


def find_item(desktop: Desktop) -> tuple[str, str] | None:
    """Bus name and object path of the first icon that the panel knows."""
    question = new_method_call(
        DBusAddress("/StatusNotifierWatcher", WATCHER, PROPERTIES),
        "Get",
        "ss",
        (WATCHER, "RegisteredStatusNotifierItems"),
    )
    with open_dbus_connection(desktop.bus) as connection:
        (_, items) = connection.send_and_get_reply(question, timeout=5).body[0]
    if not items:
        return None
    name, slash, path = items[0].partition("/")
    return name, slash + path
