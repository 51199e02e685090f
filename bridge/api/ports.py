"""What the API needs of the rest of the service."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from bridge.domain.access import Bearer
from bridge.domain.events import Event, EventFilter, EventReport
from bridge.domain.grants import Grant, NumberRange
from bridge.domain.numbers import PhoneNumber
from bridge.domain.pool import (
    NotAdded,
    NumberFilter,
    NumberSettings,
    Subaccount,
    VirtualNumber,
)
from bridge.domain.privacy import Reveal
from bridge.domain.readiness import Part
from bridge.domain.recordings import Media, Recording, RecordingFilter
from bridge.domain.replacement import Replacement
from bridge.domain.reports import (
    Account,
    DryRun,
    LegReport,
    Page,
    SessionReport,
    SessionStep,
)
from bridge.domain.requests import (
    By,
    CallFilter,
    Facts,
    NewSession,
    Refusal,
    SessionChange,
    SessionFilter,
    Window,
)
from bridge.domain.sessions import RecordingFormat, Side

Readiness = Callable[[], Awaitable[Mapping[str, Part]]]
"""Every part by its name, as it is now."""


class Accounts(Protocol):
    async def authenticate(self, auth_id: str, token: str) -> Bearer | None: ...
    async def get(self, auth_id: str) -> Account | None: ...
    async def update(self, auth_id: str, name: str | None, webhooks: Mapping[str, str]) -> None: ...


class Calls(Protocol):
    async def leg(self, account: str, leg_id: uuid.UUID) -> LegReport | None: ...
    async def list(self, account: str, wanted: CallFilter, window: Window) -> Page[LegReport]: ...
    async def hang_up(self, account: str, leg_id: uuid.UUID) -> bool: ...


class Grants(Protocol):
    async def list(self, account: str | None) -> Sequence[tuple[str, Grant]]: ...
    async def grant(
        self, account: str, ranges: Sequence[NumberRange], *, by: str
    ) -> Sequence[NumberRange]: ...
    async def revoke_grant(self, account: str, grant_id: uuid.UUID) -> bool: ...


class Numbers(Protocol):
    """Nothing here goes by the operator's word alone: an account adds what is granted to it."""

    async def add_granted(
        self, account: str, numbers: Sequence[PhoneNumber], settings: NumberSettings
    ) -> NotAdded | None: ...
    async def get(self, account: str, number: PhoneNumber) -> VirtualNumber | None: ...
    async def list(
        self, account: str, wanted: NumberFilter, *, limit: int, offset: int
    ) -> Page[VirtualNumber]: ...
    async def update(
        self, account: str, number: PhoneNumber, settings: NumberSettings
    ) -> Refusal | None: ...
    async def remove(self, account: str, number: PhoneNumber) -> Refusal | None: ...


class Replacements(Protocol):
    async def replace(
        self,
        account: str,
        bad: PhoneNumber,
        by: By,
        *,
        instead: PhoneNumber | None,
        limit: int,
        after: tuple[datetime, uuid.UUID] | None,
    ) -> Replacement | None: ...


class Prompts(Protocol):
    def prefetch(self, urls: Iterable[str]) -> None: ...


class Archive(Protocol):
    async def read(
        self, recording_id: uuid.UUID, format: RecordingFormat, part: range
    ) -> AsyncIterator[bytes] | None: ...


class Recordings(Protocol):
    async def find(self, recording_id: uuid.UUID) -> Media | None: ...
    async def remove(self, account: str, recording_id: uuid.UUID) -> bool: ...
    async def pause(self, account: str, recording_id: uuid.UUID, *, paused: bool) -> bool: ...
    async def get(self, account: str, recording_id: uuid.UUID) -> Recording | None: ...
    async def list(
        self, account: str, wanted: RecordingFilter, *, limit: int, offset: int
    ) -> Page[Recording]: ...


class Events(Protocol):
    async def list(
        self, account: str, wanted: EventFilter, *, limit: int
    ) -> Sequence[EventReport] | None: ...
    async def replay(self, account: str, event_id: uuid.UUID) -> Refusal | None: ...
    async def replay_dead(self, account: str) -> int: ...
    async def reveal(
        self, account: str, event_id: uuid.UUID, by: By
    ) -> tuple[Reveal, Event] | None: ...
    async def reveals(
        self, account: str, *, limit: int, after: tuple[datetime, uuid.UUID] | None
    ) -> Sequence[Reveal]: ...


class EventFeed(Protocol):
    async def look(self) -> None: ...
    @property
    def next_change(self) -> asyncio.Event: ...
    async def position(self) -> str: ...
    async def read(
        self, account: str, after: str
    ) -> tuple[AsyncIterator[Sequence[EventReport]] | None, str]: ...


class Orders(Protocol):
    async def order(
        self, account: str, session_id: uuid.UUID, first: Side
    ) -> uuid.UUID | Refusal: ...


class Sessions(Protocol):
    async def facts(
        self,
        account: str,
        numbers: Sequence[PhoneNumber],
        subaccount: str | None,
        *,
        at_home: bool = False,
    ) -> Facts: ...
    async def create(self, new: NewSession, by: By) -> SessionReport | DryRun | Refusal: ...
    async def get(self, account: str, session_id: uuid.UUID) -> SessionReport | None: ...
    async def history(
        self, account: str, session_id: uuid.UUID
    ) -> Sequence[SessionStep] | None: ...
    async def list(
        self, account: str, wanted: SessionFilter, window: Window
    ) -> Page[SessionReport]: ...
    async def update(
        self, account: str, session_id: uuid.UUID, change: SessionChange, by: By
    ) -> SessionReport | Refusal: ...
    async def expire(
        self, account: str, session_id: uuid.UUID, by: By, *, hang_up: bool
    ) -> Refusal | None: ...


class Subaccounts(Protocol):
    async def create(self, account: str, name: str, *, enabled: bool) -> str: ...
    async def get(self, account: str, auth_id: str) -> Subaccount | None: ...
    async def list(self, account: str, *, limit: int, offset: int) -> Page[Subaccount]: ...
    async def update(
        self, account: str, auth_id: str, *, name: str | None, enabled: bool | None
    ) -> bool: ...
    async def remove(
        self, account: str, auth_id: str, *, retire_numbers: bool
    ) -> Refusal | None: ...
