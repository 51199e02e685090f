"""What the demo plays on: phones, their audio, and a console on which each step is told."""

import contextlib
import time
from pathlib import Path
from typing import Any

from rich.console import Console

from bridge.embedded.phones.phone import Phone
from bridge.embedded.phones.sound import Sound
from bridge.embedded.stack import Stack


class DemoError(Exception):
    """Something was not as it must be."""


class Stage:
    """What is made for a step is cleared away when `_with_stops` is left."""

    def __init__(self, stack: Stack, directory: Path, console: Console) -> None:
        self._stack = stack
        self._directory = directory
        self._console = console
        self._began = time.monotonic()
        self._with_stops = contextlib.ExitStack()
        self._phones = 0

    @property
    def _caller_address(self) -> str:
        return self._stack.place.caller_address

    @property
    def _callee_address(self) -> str:
        return self._stack.place.trunk_host.partition(":")[0]

    def _phone(
        self,
        steps: str,
        *,
        address: str,
        target: str | None = None,
        dialled: str = "",
        **options: Any,
    ) -> Phone:
        self._phones += 1
        phone = Phone(
            f"phone-{self._phones}",
            steps,
            self._directory,
            address=address,
            target=target,
            dialled=dialled,
            **options,
        )
        self._with_stops.callback(phone.stop)
        return phone.start()

    def _sound(self, address: str) -> Sound:
        sound = Sound(address, seed=self._phones)
        self._with_stops.callback(sound.close)
        return sound

    def _tell(self, what: str, detail: str) -> None:
        seconds = time.monotonic() - self._began
        self._console.print(f"[dim]{seconds:6.2f} s[/dim]  [green]✓[/green] {what}: {detail}")

    def _must(self, seen: bool, otherwise: str) -> None:
        if not seen:
            raise DemoError(otherwise)
