"""The D-Bus session bus: a connection that answers calls of our objects, and single questions without one."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from jeepney import HeaderFields, Message, MessageFlag, MessageType, new_error, new_method_return
from jeepney.io import blocking, threading

log = logging.getLogger(__name__)

TakeReply: TypeAlias = Callable[[Message], None]
Reply: TypeAlias = tuple[tuple[Any, ...], Callable[[], object] | None]  # values; what to do once they are sent

QUESTION_TIMEOUT_S = 1.0
"""Longest wait for each of the two steps of a single question: to log in, and to get the reply."""
SIGNAL_CHECK_S = 1.0
"""Longest wait for a message. A Unix signal ends the wait, unless it arrives just before the wait begins: then its
Python handler runs only when this time is over."""


@dataclass(frozen=True, slots=True)
class Interface:
    """The interface of one of our objects. Several types are separated by spaces."""

    name: str
    methods: Mapping[str, tuple[str, str]]  # name -> types of the arguments in and out
    signals: Mapping[str, str]
    read_properties: Callable[[], Mapping[str, tuple[str, Any]]]  # name -> type, value
    answer: Callable[[str, tuple[Any, ...]], Reply]  # (method, arguments); LookupError if one of them is unknown


class SessionBus:
    """A connection to the session bus. One thread receives and replies. Any thread may send, call and wake."""

    def __init__(self, objects: Mapping[str, Interface]) -> None:
        """Connects, or raises an error: jeepney has a different type for each way in which a bus can be missing."""
        self._objects = objects
        self._waiting: dict[int, TakeReply] = {}  # serial number of a call -> the function that gets the reply
        self._connection = threading.open_dbus_connection(_find_address())

    def send(self, message: Message, serial: int | None = None) -> None:
        """Sends the message. Does nothing if the connection is closed; the receiving thread notices that itself."""
        try:
            self._connection.send(message, serial=serial)
        except OSError as error:
            log.debug("not sent: %s", error)

    def call(self, message: Message, take_reply: TakeReply | None = None) -> None:
        """Sends a method call; `take_reply` is called with the reply or the error, in the receiving thread."""
        serial = next(self._connection.outgoing_serial)
        if take_reply:
            self._waiting[serial] = take_reply
        self.send(message, serial)

    def receive(self) -> Message | None:
        """Waits for a message. Returns None after `wake` or SIGNAL_CHECK_S. ConnectionError if the bus has ended."""
        try:
            return self._connection.receive(timeout=SIGNAL_CHECK_S)
        except TimeoutError:
            return None
        except threading.ReceiveStopped:
            self._connection.reset_interrupt()
            return None

    def handle(self, message: Message) -> None:
        """Gives a reply to the function that waits for it, and answers a call of one of our objects."""
        if message.header.message_type == MessageType.method_call:
            self._reply(message)
        elif waiting := self._waiting.pop(message.header.fields.get(HeaderFields.reply_serial), None):
            waiting(message)

    def wake(self) -> None:
        """Ends the current `receive`, or else the next one. It takes no lock, so signal handlers may call it."""
        self._connection.interrupt()

    def close(self) -> None:
        self._connection.close()

    def _reply(self, call: Message) -> None:
        fields = call.header.fields
        path, interface, member = (
            fields.get(field) for field in (HeaderFields.path, HeaderFields.interface, HeaderFields.member)
        )
        then = None
        try:
            types, (values, then) = self._answer(path, interface, member, call.body)
            reply = new_method_return(call, types.replace(" ", "") or None, values)
        except Exception as error:  # without a reply, the caller would hang until its time-out
            if not isinstance(error, LookupError):  # it means: no such object, method, property or node
                log.exception("could not answer %s", member)
            text = f"no {interface}.{member} at {path}: {error!r}"
            reply = new_error(call, "org.freedesktop.DBus.Error.Failed", "s", (text,))
        if not call.header.flags & MessageFlag.no_reply_expected:
            self.send(reply)
        if then:  # after the reply, because it may take long or close the connection
            then()

    def _answer(self, path: str, interface: str, member: str, arguments: tuple[Any, ...]) -> tuple[str, Reply]:
        if (interface, member) == ("org.freedesktop.DBus.Introspectable", "Introspect"):
            return "s", ((self._describe(path),), None)
        if (interface, member) == ("org.freedesktop.DBus.Peer", "Ping"):
            return "", ((), None)
        found = self._objects[path]
        if (interface, member) == ("org.freedesktop.DBus.Properties", "GetAll"):
            return "a{sv}", ((found.read_properties(),), None)
        if (interface, member) == ("org.freedesktop.DBus.Properties", "Get"):
            return "v", ((found.read_properties()[arguments[1]],), None)
        if interface not in (found.name, None):
            raise LookupError(interface)
        return found.methods[member][1], found.answer(member, arguments)

    def _describe(self, path: str) -> str:
        """Returns introspection XML for the object at `path`, if there is one, and for the names below it."""
        below = path.rstrip("/") + "/"
        names = {other.removeprefix(below).partition("/")[0] for other in self._objects if other.startswith(below)}
        parts = [f'<node name="{name}"/>' for name in sorted(names)]
        if path in self._objects:
            parts.insert(0, _describe_interface(self._objects[path]))
        return f"<node>{''.join(parts)}</node>"


def ask(question: Message) -> tuple[Any, ...] | None:
    """Returns the body of the reply; None if there is no bus, no answer within two seconds, or only an error."""
    try:
        with blocking.open_dbus_connection(_find_address(), auth_timeout=QUESTION_TIMEOUT_S) as connection:
            reply = connection.send_and_get_reply(question, timeout=QUESTION_TIMEOUT_S)
    except Exception as error:  # noqa: BLE001 (jeepney raises errors of many types, see SessionBus)
        log.debug("no answer from the session bus: %r", error)
        return None
    return None if is_error(reply) else tuple(reply.body)


def is_error(reply: Message) -> bool:
    """Tells whether the reply is a D-Bus error."""
    return bool(reply.header.message_type == MessageType.error)


def _find_address() -> str:
    """Returns the address of the bus, as libdbus finds it: from the variable, else that of systemd's user bus.

    Programs that are started by cron, ssh or a service do not have the variable.
    """
    if address := os.environ.get("DBUS_SESSION_BUS_ADDRESS"):
        return address
    folder = os.environ.get("XDG_RUNTIME_DIR")
    if folder and (socket := Path(folder, "bus")).exists():
        return f"unix:path={socket}"
    raise FileNotFoundError("neither $DBUS_SESSION_BUS_ADDRESS nor $XDG_RUNTIME_DIR/bus")


def _describe_interface(interface: Interface) -> str:
    def arguments(types: str, direction: str) -> str:
        return "".join(f'<arg type="{type_}"{direction}/>' for type_ in types.split())

    properties = interface.read_properties().items()
    parts = [f'<property name="{name}" type="{type_}" access="read"/>' for name, (type_, _) in properties]
    for name, (types_in, types_out) in interface.methods.items():
        inside = arguments(types_in, ' direction="in"') + arguments(types_out, ' direction="out"')
        parts.append(f'<method name="{name}">{inside}</method>')
    parts += [f'<signal name="{name}">{arguments(types, "")}</signal>' for name, types in interface.signals.items()]
    return f'<interface name="{interface.name}">{"".join(parts)}</interface>'
