"""Debian's Chromium, driven by Debian's driver. It has no window, reaches only this machine, and forgets everything.

    with Chromium() as chromium:
        chromium.open("http://127.0.0.1:3001/")
        chromium.find("button", "Pause").click()

Nothing here waits for a time: each wait ends with the change of the page that makes its condition true.
"""

from __future__ import annotations

import base64
import os
import shutil
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from tests.support.waiting import TIMEOUT_S, wait_for

if TYPE_CHECKING:
    from selenium.webdriver.chrome.webdriver import WebDriver
    from selenium.webdriver.remote.webelement import WebElement

FOLDER = Path(__file__).resolve().parents[1] / "browser"
AXE = FOLDER / "node_modules" / "axe-core" / "axe.min.js"
PROGRAMS = ("chromium", "chromedriver")

ANOTHER_HOST = "another-host.test"
"""A name that this browser, and nobody else, believes to be 127.0.0.1."""

_QUIET = (
    "--headless=new",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-dev-shm-usage",  # the shared memory of a container is small
    "--disable-extensions",
    "--disable-gpu",
    "--disable-sync",
    "--no-default-browser-check",
    "--no-first-run",
    f"--host-resolver-rules=MAP {ANOTHER_HOST} 127.0.0.1, MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
)

RULES = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
"""What axe-core checks: levels A and AA of the accessibility guidelines, and what its makers hold to be good."""


@dataclass(frozen=True)
class View:
    """How a person looks at the page. Widths and heights are in CSS pixels before the zoom."""

    width: int = 1280
    height: int = 800
    is_dark: bool = False
    has_motion: bool = True
    zoom: int = 1
    """2 stands for 200 %."""


_WAIT = """
const [source, values, done] = [arguments[0], arguments[1], arguments[arguments.length - 1]];
const look = new Function("values", source);
const kinds = ["input", "change", "focusin", "focusout", "hashchange", "popstate", "load"];
const check = () => {
  const found = look(values);
  if (!found) return false;
  observer.disconnect();
  kinds.forEach((kind) => removeEventListener(kind, check, true));
  done(found);
  return true;
};
const observer = new MutationObserver(check);
if (!check()) {
  observer.observe(document, {attributes: true, characterData: true, childList: true, subtree: true});
  kinds.forEach((kind) => addEventListener(kind, check, true));
}
"""
"""Calls back with the first true result of a function body, which is looked at whenever the page changes."""

_CANDIDATES = """
const {role, name} = values;
const tags = {
  button: "button, summary, input[type=submit]", link: "a[href]", heading: "h1, h2, h3, h4, h5, h6",
  textbox: "input:not([type]), input[type=text], input[type=url], textarea", checkbox: "input[type=checkbox]",
  radio: "input[type=radio]", spinbutton: "input[type=number]", combobox: "select", table: "table", img: "img, svg",
  dialog: "dialog", row: "tr", region: "section", navigation: "nav", searchbox: "input[type=search]", list: "ul, ol",
  status: "output", meter: "meter", progressbar: "progress", group: "fieldset, details", article: "article",
};
const words = (element) => [
  element.getAttribute("aria-label"), element.textContent, element.title, element.placeholder, element.alt,
  ...(element.getAttribute("aria-labelledby") ?? "").split(/ +/).map((id) => document.getElementById(id)?.textContent),
  ...[...(element.labels ?? [])].map((label) => label.textContent),
  element.querySelector?.("caption, legend, title")?.textContent,
].join(" ").replace(/\\s+/g, " ");
const found = [...document.querySelectorAll(`[role=${role}]` + (tags[role] ? `, ${tags[role]}` : ""))]
  .filter((element) => element.checkVisibility({visibilityProperty: true}) && words(element).includes(name));
"""
"""Leaves the visible elements of a role whose words hold a name in `found`. What is their name is asked of Chromium."""

_WATCH_FOCUS = """
const isShown = (element) => element.checkVisibility({visibilityProperty: true});
const isChosen = (radio) => {
  const group = [...document.getElementsByName(radio.name)];
  return radio === (group.find((one) => one.checked) ?? group[0]);
};
const kinds = "a[href], button, input, select, textarea, summary, [tabindex='0']";
const stops = [...document.querySelectorAll(kinds)].filter((element) => isShown(element)
  && !element.matches(":disabled") && (element.type !== "radio" || !element.name || isChosen(element)));
const styleOf = (element) => getComputedStyle(element);
const hasLine = (element) => styleOf(element).outlineStyle !== "none" || styleOf(element).stroke !== "none";
const html = (element) => element.outerHTML.slice(0, 200);
window.focusFaults = () => [
  ...stops.slice(next).map((element) => `The Tab key does not reach ${html(element)}`), ...faults,
];
let next = 0;
const faults = [];
addEventListener("focusin", ({target}) => {
  if (next === stops.length) return; // it begins anew
  const place = stops.indexOf(target);
  if (place >= 0 && place !== next) faults.push(`The Tab key reaches ${html(target)} out of order`);
  if (place >= 0) next = place + 1;
  const marked = [target, target.nextElementSibling, ...target.querySelectorAll("*")].filter(Boolean);
  if (!marked.some(hasLine)) faults.push(`No focus can be seen at ${html(target)}`);
});
document.body.tabIndex = -1;
document.body.focus();
document.body.removeAttribute("tabindex");
faults.length = 0;
return stops.length;
"""
"""Puts the focus before everything, and notes from then on what is wrong with the way that the Tab key takes.

Of radio buttons with one name, Tab stops at one. A part that scrolls is a stop, too, but need not be one."""


class Chromium:
    """A running Chromium with one page. Use it with `with`, which ends it and removes its profile."""

    def __enter__(self) -> Self:
        from selenium.webdriver import Chrome, ChromeOptions, ChromeService

        with ExitStack() as stack:
            profile = Path(tempfile.mkdtemp(prefix="chromium-"))
            stack.callback(shutil.rmtree, profile, ignore_errors=True)
            options = ChromeOptions()
            options.binary_location = shutil.which("chromium") or ""
            options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
            for switch in (*_QUIET, f"--user-data-dir={profile}"):
                options.add_argument(switch)
            if os.geteuid() == 0:
                options.add_argument("--no-sandbox")  # which Chromium cannot set up for the system's owner
            service = ChromeService(shutil.which("chromedriver") or "")
            self.driver: WebDriver = Chrome(options=options, service=service)
            stack.callback(self.driver.quit)
            self.driver.set_script_timeout(TIMEOUT_S)
            self._stack = stack.pop_all()
        self._axe = AXE.read_text(encoding="utf-8")
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def leave(self) -> None:
        """Shows no page any more."""
        self.driver.get("about:blank")

    def forget(self) -> None:
        """Leaves the page, and forgets what it stored, what was said in the console, and how it was looked at."""
        first, *others = self.driver.window_handles
        for other in others:
            self.driver.switch_to.window(other)
            self.driver.close()
        self.driver.switch_to.window(first)
        self.run("if (location.protocol === 'http:') localStorage.clear()")
        self.driver.get("about:blank")
        self.command("Network.clearBrowserCookies")
        self.look(View())
        self._read_console()

    # What a person does

    def open(self, url: str) -> None:
        self.driver.get(url)

    def look(self, view: View) -> None:
        """Looks at the page in this way from now on."""
        metrics = {"width": view.width // view.zoom, "height": view.height // view.zoom}
        self.command("Emulation.setDeviceMetricsOverride", **metrics, deviceScaleFactor=view.zoom, mobile=False)
        wishes = {
            "prefers-color-scheme": "dark" if view.is_dark else "light",
            "prefers-reduced-motion": "no-preference" if view.has_motion else "reduce",
        }
        features = [{"name": name, "value": value} for name, value in wishes.items()]
        self.command("Emulation.setEmulatedMedia", media="", features=features)

    def press(self, *keys: str) -> None:
        """Presses keys one after another, wherever the focus is; selenium's `Keys` are those that have no sign."""
        from selenium.webdriver import ActionChains

        ActionChains(self.driver).send_keys(*keys).perform()

    # What a person sees

    @property
    def text(self) -> str:
        """All visible words of the page."""
        return str(self.run("return document.body.innerText"))

    def find(self, role: str, name: str, within: WebElement | None = None) -> WebElement:
        """Returns the visible element of this role whose accessible name is `name`, as soon as there is one.

        AssertionError if there are several.
        """
        return wait_for(lambda: self._find(role, name, within), f"{role} {name!r}: {self.text}")

    def find_all(self, role: str, name: str = "") -> list[WebElement]:
        """Returns the visible elements of this role that have these words in them, in the order of the page."""
        elements: list[WebElement] = self.run(
            f"const values = arguments[0]; {_CANDIDATES} return found", _ask(role, name)
        )
        return elements

    def _find(self, role: str, name: str, within: WebElement | None) -> WebElement | None:
        from selenium.common.exceptions import StaleElementReferenceException

        here = "" if within is None else ".filter((element) => values.within.contains(element))"
        asked = {**_ask(role, name), "within": within}
        candidates = self.wait_for(f"{_CANDIDATES} const inside = found{here}; return inside.length && inside", asked)
        try:
            named = [element for element in candidates if element.accessible_name == name]
        except StaleElementReferenceException:  # it was drawn anew meanwhile
            return None
        assert len(named) < 2, f"{len(named)} elements of the role {role} have the name {name!r}"
        return named[0] if named else None

    def wait_for(self, look: str, values: Any = None) -> Any:
        """Returns the first true result of a JavaScript function body, which gets `values`.

        It is looked at whenever the page changes. TimeoutException names the words of the page if that never comes.
        """
        from selenium.common.exceptions import TimeoutException

        try:
            return self.driver.execute_async_script(_WAIT, look, values)
        except TimeoutException as error:
            raise TimeoutError(f"{look[-200:]} ({values}) did not come; the page says:\n{self.text}") from error

    def wait_drawn(self) -> None:
        """Returns when the page has been drawn three times, so that all is there which follows a change by itself."""
        self.driver.execute_async_script(
            "const draw = (left) => (left ? requestAnimationFrame(() => draw(left - 1)) : arguments[0]()); draw(3)"
        )

    def wait_text(self, *words: str) -> None:
        """Returns as soon as the page shows all of these words."""
        self.wait_for("return values.every((words) => document.body.innerText.includes(words))", words)

    def wait_no_text(self, words: str) -> None:
        """Returns as soon as the page does not show these words."""
        self.wait_for("return !document.body.innerText.includes(values)", words)

    @property
    def focused(self) -> WebElement:
        return self.driver.switch_to.active_element

    # What only a developer sees

    def run(self, script: str, *values: Any) -> Any:
        """Returns what a JavaScript function body returns in the page."""
        return self.driver.execute_script(script, *values)

    def command(self, name: str, **values: Any) -> Any:
        """Gives Chromium a command of the DevTools protocol."""
        return self.driver.execute_cdp_cmd(name, values)

    def take_complaints(self) -> list[str]:
        """Returns the warnings and errors of the console since the last call; violations of the CSP are among them."""
        return [entry["message"] for entry in self._read_console() if entry["level"] in ("SEVERE", "WARNING")]

    def _read_console(self) -> list[dict[str, Any]]:
        entries: list[dict[str, Any]] = self.driver.execute("getLog", {"type": "browser"})["value"]
        return entries

    def check_accessibility(self) -> list[str]:
        """Returns a line for each rule of axe-core that the page breaks."""
        if not self.run("return Boolean(window.axe)"):
            self.run(self._axe)
        asked = {"runOnly": list(RULES), "resultTypes": ["violations"]}
        found = self.driver.execute_async_script(
            "axe.run(document, arguments[0]).then((result) => arguments[1](result.violations))", asked
        )
        return [_explain(violation) for violation in found]

    def check_keyboard(self) -> list[str]:
        """Presses Tab from the beginning of the page to its end; returns a sentence for each fault on the way."""
        from selenium.webdriver import Keys

        stops = self.run(_WATCH_FOCUS)
        scrolling = self.run(
            "return [...document.querySelectorAll('*')].filter((one) => one.scrollWidth > one.clientWidth).length"
        )
        self.press(*[Keys.TAB] * (stops + scrolling))
        faults: list[str] = self.run("return window.focusFaults()")
        return faults

    def count_sideways_px(self) -> int:
        """Returns by how many CSS pixels the page is wider than the window."""
        return int(self.run("return document.documentElement.scrollWidth - document.documentElement.clientWidth"))

    def measure(self) -> dict[str, int]:
        """Returns how many bytes the body of each file of the page has, with the page itself, by its path."""
        script = """
        return performance.getEntries().filter((entry) => "encodedBodySize" in entry)
          .map((entry) => [new URL(entry.name).pathname, entry.encodedBodySize])
        """
        return dict(self.run(script))

    def save_picture(self, path: Path, *, is_whole: bool = True) -> None:
        """Saves a picture of the page; `is_whole`: with what is below the window."""
        picture = self.command("Page.captureScreenshot", captureBeyondViewport=is_whole, format="png")
        path.write_bytes(base64.b64decode(picture["data"]))


def _ask(role: str, name: str) -> dict[str, str]:
    return {"role": role, "name": name}


def _explain(violation: dict[str, Any]) -> str:
    """A rule with the places that break it, and why."""
    places = "; ".join(f"{node['html'][:200]} ({node['failureSummary']})" for node in violation["nodes"][:5])
    return " ".join(f"{violation['id']}: {violation['help']}: {places}".split())
