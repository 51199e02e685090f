"""What the API needs of the rest of the service."""

import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Protocol

from bridge.domain.access import Scope
from bridge.domain.numbers import PhoneNumber
from bridge.domain.reports import (
    Account,
    LegReport,
    NewSession,
    Page,
    Refusal,
    SessionChange,
    SessionFilter,
    SessionReport,
    VirtualNumber,
)

Readiness = Callable[[], Awaitable[Mapping[str, bool]]]
"""Which parts are ready, by name."""


class Accounts(Protocol):
    async def authenticate(self, auth_id: str, token: str) -> Scope | None: ...
    async def get(self, auth_id: str) -> Account | None: ...


class Calls(Protocol):
    async def leg(self, account: str, leg_id: uuid.UUID) -> LegReport | None: ...


class Numbers(Protocol):
    async def add(
        self, account: str, numbers: Sequence[PhoneNumber], *, alias: str
    ) -> Refusal | None: ...
    async def get(self, account: str, number: PhoneNumber) -> VirtualNumber | None: ...
    async def list(self, account: str, *, limit: int, offset: int) -> Page[VirtualNumber]: ...
    async def remove(self, account: str, number: PhoneNumber) -> bool: ...


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
