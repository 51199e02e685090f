"""What the API needs of the rest of the service."""

import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Protocol

from bridge.domain.access import Scope
from bridge.domain.numbers import PhoneNumber
from bridge.domain.pool import (
    NotAdded,
    NumberFilter,
    NumberSettings,
    Subaccount,
    VirtualNumber,
)
from bridge.domain.recordings import Recording, RecordingFilter
from bridge.domain.reports import (
    Account,
    LegReport,
    NewSession,
    Page,
    Refusal,
    SessionChange,
    SessionFilter,
    SessionReport,
)

Readiness = Callable[[], Awaitable[Mapping[str, bool]]]
"""Which parts are ready, by name."""


class Accounts(Protocol):
    async def authenticate(self, auth_id: str, token: str) -> Scope | None: ...
    async def get(self, auth_id: str) -> Account | None: ...
    async def rename(self, auth_id: str, name: str) -> None: ...


class Calls(Protocol):
    async def leg(self, account: str, leg_id: uuid.UUID) -> LegReport | None: ...


class Numbers(Protocol):
    async def add(
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


class Recordings(Protocol):
    async def get(self, account: str, recording_id: uuid.UUID) -> Recording | None: ...
    async def list(
        self, account: str, wanted: RecordingFilter, *, limit: int, offset: int
    ) -> Page[Recording]: ...


class Sessions(Protocol):
    async def create(self, new: NewSession) -> SessionReport | Refusal: ...
    async def get(self, account: str, session_id: uuid.UUID) -> SessionReport | None: ...
    async def list(
        self, account: str, wanted: SessionFilter, *, limit: int, offset: int
    ) -> Page[SessionReport]: ...
    async def update(
        self, account: str, session_id: uuid.UUID, change: SessionChange
    ) -> SessionReport | Refusal: ...
    async def expire(self, account: str, session_id: uuid.UUID) -> Refusal | None: ...


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
