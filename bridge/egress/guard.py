"""Looking names up once, and connecting to nothing that is not allowed."""

import asyncio
import functools
import ipaddress
import socket
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeAlias

from aiohttp.abc import AbstractResolver, ResolveResult

from bridge.domain.egress import Address, EgressRules, Fault
from bridge.egress.errors import Forbidden

Lookup = Callable[..., Sequence[tuple[Any, ...]]]
"""`socket.getaddrinfo`, or what a test puts in its place."""

_Asked: TypeAlias = tuple[str, int, socket.AddressFamily]

_LOOKUPS = 64  # names at once; one whose server never answers holds one of these threads
_OF_NEW_NAMES = 32  # of them, for names that were never answered yet: of those there is no end
_NAMES = 1000  # of which is remembered that they were


class Guard(AbstractResolver):
    """What aiohttp asks for addresses and for sockets.

    The addresses that were checked are the ones connected to: a name is looked up once for each
    connection, so a second answer (DNS rebinding) has nobody to hear it.  All who wait for the same
    name at the same moment wait for one look-up, which no time-out of theirs can end.  Half of the
    look-ups are for names that were answered before.
    """

    def __init__(self, rules: EgressRules, lookup: Lookup) -> None:
        self._rules = rules
        self._lookup = lookup
        self._threads = ThreadPoolExecutor(_LOOKUPS, thread_name_prefix="egress-dns")
        self._under_way: dict[_Asked, asyncio.Future[Sequence[tuple[Any, ...]]]] = {}
        self._answered: dict[str, None] = {}  # the one that was last, last

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Every address of ``host``.

        Raises:
            Forbidden: one of them is not allowed; who mixes them is up to something.
            OSError: there is no such name, or too many new ones are being looked up.
        """
        try:
            found = await asyncio.shield(self._look_up(host, port, family))
        except UnicodeError:  # a label of no or too many letters
            raise OSError("not a host name") from None
        results: list[ResolveResult] = []
        for kind, _, protocol, _, (address, *_) in found:
            self._check(address)
            results.append(
                ResolveResult(
                    hostname=host, host=address, port=port, family=kind, proto=protocol, flags=0
                )
            )
        return results

    def open_socket(self, target: tuple[Any, ...]) -> socket.socket:
        """The last door: aiohttp has every socket of it, also for an address in a URL.

        Raises:
            PermissionError: aiohttp takes an `OSError` for what it is, a connection not made.
        """
        family, kind, protocol, _, (address, *_) = target
        try:
            self._check(address)
        except Forbidden:
            raise PermissionError(Fault.ADDRESS) from None
        return socket.socket(family, kind, protocol)

    async def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _look_up(
        self, host: str, port: int, family: socket.AddressFamily
    ) -> "asyncio.Future[Sequence[tuple[Any, ...]]]":
        asked = (host, port, family)
        if under_way := self._under_way.get(asked):
            return under_way
        if host not in self._answered:
            new_names = sum(name not in self._answered for name, _, _ in self._under_way)
            if new_names >= _OF_NEW_NAMES:
                raise OSError("too many names")
        lookup = functools.partial(self._lookup, host, port, family=family, type=socket.SOCK_STREAM)
        begun = asyncio.get_running_loop().run_in_executor(self._threads, lookup)
        self._under_way[asked] = begun
        begun.add_done_callback(lambda done: self._note(asked, done))
        return begun

    def _note(self, asked: _Asked, done: "asyncio.Future[Sequence[tuple[Any, ...]]]") -> None:
        del self._under_way[asked]
        if done.cancelled() or done.exception():
            return
        self._answered.pop(asked[0], None)
        self._answered[asked[0]] = None
        if len(self._answered) > _NAMES:
            del self._answered[next(iter(self._answered))]

    def _check(self, text: str) -> None:
        address = ipaddress.ip_address(text)
        if self._rules.names(address):
            return
        if not self._rules.allow(address) or is_ours(address):
            raise Forbidden(Fault.ADDRESS)


def is_ours(address: Address) -> bool:
    """Whether this machine has ``address``: from here, no firewall stands before its services."""
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((str(address), 9))  # sends nothing, it only chooses the way
            return ipaddress.ip_address(probe.getsockname()[0]) == address
    except OSError:
        return False  # no way there at all
