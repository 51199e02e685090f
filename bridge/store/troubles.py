"""What Postgres means by an error: that it is away for a while, or that something is wrong.

What is away comes back by itself.  What is wrong stays wrong until somebody changes it, so it gets
a name and an instruction.  Codes: https://www.postgresql.org/docs/current/errcodes-appendix.html.
"""

import socket
import ssl
import time
from collections.abc import Callable
from typing import Final

import asyncpg
import structlog
from asyncpg.exceptions import ClientConfigurationError, InternalClientError

from bridge.domain.readiness import Trouble

log = structlog.get_logger(__name__)

LEAST_VERSION: Final = 14

AWAY: Final = (
    OSError,
    TimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,  # it stops, crashed, or starts
    asyncpg.InsufficientResourcesError,  # no connection, no memory or no disk is left
    asyncpg.PostgresSystemError,  # its disk fails
    asyncpg.LockNotAvailableError,
    asyncpg.DeadlockDetectedError,  # one of the two had to give way, and may try again
    asyncpg.SerializationError,
)
"""What asyncpg raises when Postgres cannot now, rather than when a statement is wrong."""

_IN_TURN = (
    asyncpg.DeadlockDetectedError,
    asyncpg.SerializationError,
    asyncpg.LockNotAvailableError,
    asyncpg.QueryCanceledError,
)
"""Two statements were in each other's way: no trouble of Postgres."""

IS_AWAY: Final = Trouble(
    "away",
    "Postgres does not answer",
    "Start it, or correct the host and port in BRIDGE_DATABASE_URL",
)
NO_ANSWER: Final = Trouble(
    "no-answer",
    "Nothing answers in time as Postgres does",
    "Correct the host and port in BRIDGE_DATABASE_URL, or find out why Postgres hangs",
)
NO_HOST: Final = Trouble(
    "no-host",
    "The host of Postgres has no address",
    "Correct the host in BRIDGE_DATABASE_URL; signs such as @ in the password are written as %40",
)
NO_FILE: Final = Trouble(
    "no-file",
    "The socket of Postgres, or a file of a certificate, is not there",
    "Start Postgres, or correct the paths in BRIDGE_DATABASE_URL",
)
NOT_THERE: Final = frozenset({IS_AWAY, NO_ANSWER, NO_HOST, NO_FILE})
"""With these no connection is to be had, so to have one says that they are over."""
DISK_FULL: Final = Trouble(
    "no-room", "Postgres has no room left on its disk", "Make room on the disk of Postgres"
)
TOO_MANY_CONNECTIONS: Final = Trouble(
    "too-many-connections",
    "Postgres gives no more connections",
    "Raise max_connections of Postgres or the limit of the role, or lower BRIDGE_WEBHOOK_WORKERS",
)
LOGIN_REFUSED: Final = Trouble(
    "login-refused",
    "Postgres does not let this user in from here",
    "Correct the user in BRIDGE_DATABASE_URL, or let the user in by pg_hba.conf, where a line"
    " may ask for TLS",
)
WRONG_PASSWORD: Final = Trouble(
    "wrong-password",
    "Postgres refuses the password",
    "Correct the user or the password in BRIDGE_DATABASE_URL",
)
NO_DATABASE: Final = Trouble(
    "no-database",
    "Postgres has no database of this name",
    "Correct the name in BRIDGE_DATABASE_URL, or create the database",
)
NO_RIGHTS: Final = Trouble(
    "no-rights",
    "The user of BRIDGE_DATABASE_URL lacks a right in the database",
    "Make that user the owner of the database, or grant it CONNECT on the database, USAGE and"
    " CREATE on the schema, and all rights on its tables and sequences",
)
NO_SCHEMA: Final = Trouble(
    "no-schema",
    "The search path of the user of BRIDGE_DATABASE_URL names no schema that is there",
    "Create the schema `public`, or set search_path of that user",
)
READ_ONLY: Final = Trouble(
    "read-only",
    "Postgres takes no writes, as a standby does",
    "Name the primary in BRIDGE_DATABASE_URL, or set default_transaction_read_only to off",
)
POOLER_REFUSES: Final = Trouble(
    "pooler-refuses",
    "A pooler in front of Postgres refuses the settings of our connections",
    "Name Postgres itself in BRIDGE_DATABASE_URL, or let PgBouncer pass them on:"
    " pool_mode=session, ignore_startup_parameters=enable_seqscan,enable_bitmapscan",
)
POOLER_UNKNOWING: Final = Trouble(
    "pooler-unknowing",
    "A pooler in front of Postgres does not know this database or this user",
    "Correct the name and the user in BRIDGE_DATABASE_URL, or add them to PgBouncer's [databases]"
    " and users",
)
POOLER_MIXES: Final = Trouble(
    "pooler-mixes",
    "A pooler in front of Postgres gives our connection to others in between",
    "Name Postgres itself in BRIDGE_DATABASE_URL, or set pool_mode=session in PgBouncer",
)
OLD_VERSION: Final = Trouble(
    "old-version",
    f"Postgres is older than {LEAST_VERSION}",
    f"Upgrade it to Postgres {LEAST_VERSION} or newer",
)
WRONG_ENCODING: Final = Trouble(
    "wrong-encoding",
    "The database does not keep text in UTF-8",
    "Create it anew with ENCODING 'UTF8'",
)
TLS_FAILED: Final = Trouble(
    "tls-failed",
    "TLS to Postgres cannot be agreed",
    "Compare sslmode and the certificates in BRIDGE_DATABASE_URL with what Postgres has",
)
NOT_POSTGRES: Final = Trouble(
    "not-postgres",
    "What answers there is not Postgres, or does not speak TLS although sslmode asks for it",
    "Correct the host, the port and sslmode in BRIDGE_DATABASE_URL",
)
WRONG_URL: Final = Trouble(
    "wrong-url",
    "BRIDGE_DATABASE_URL cannot be understood",
    "Write it as postgresql://user:password@host:port/name, with % codes for signs in the password",
)

_REFUSALS_OF_POSTGRES: Final = (
    (asyncpg.InvalidPasswordError, WRONG_PASSWORD),
    (asyncpg.InvalidAuthorizationSpecificationError, LOGIN_REFUSED),
    (asyncpg.InvalidCatalogNameError, NO_DATABASE),
    (asyncpg.InsufficientPrivilegeError, NO_RIGHTS),
    (asyncpg.InvalidSchemaNameError, NO_SCHEMA),
    (asyncpg.ReadOnlySQLTransactionError, READ_ONLY),
    (asyncpg.DuplicatePreparedStatementError, POOLER_MIXES),
    (asyncpg.InvalidSQLStatementNameError, POOLER_MIXES),
    (ClientConfigurationError, WRONG_URL),
    (ssl.SSLError, TLS_FAILED),
)
_REFUSALS_OF_A_POOLER: Final = (
    ("startup parameter", POOLER_REFUSES),
    ("no such database", POOLER_UNKNOWING),
    ("no such user", POOLER_UNKNOWING),
    ("config error", POOLER_UNKNOWING),
    ("password", WRONG_PASSWORD),
    ("auth failed", WRONG_PASSWORD),
    ("login rejected", LOGIN_REFUSED),
    ("SSL required", TLS_FAILED),
)
"""What PgBouncer says with one code for everything (08P01), by what its text holds."""

WRONG: Final = (*(kind for kind, _ in _REFUSALS_OF_POSTGRES), InternalClientError)
"""What asyncpg raises, beside what `AWAY` has, when something must be changed."""


def what_is_wrong(error: BaseException) -> Trouble | None:
    """What must be changed before Postgres serves us; ``None``: nothing, it is away."""
    for kind, trouble in _REFUSALS_OF_POSTGRES:
        if isinstance(error, kind):
            return trouble
    if isinstance(error, asyncpg.ProtocolViolationError):
        text = str(error)
        return next((made for sign, made in _REFUSALS_OF_A_POOLER if sign in text), None)
    if isinstance(error, InternalClientError):
        return NOT_POSTGRES
    # asyncpg's own, of the first byte that a server answers: it is none of the system's.
    if isinstance(error, ConnectionError) and error.errno is None and "SSL upgrade" in str(error):
        return NOT_POSTGRES
    return None


def why_away(error: BaseException) -> Trouble | None:
    """What an error of `AWAY` says of Postgres; ``None``: nothing, two were in each other's way."""
    if isinstance(error, _IN_TURN):
        return None
    if isinstance(error, TimeoutError):
        return NO_ANSWER
    if isinstance(error, socket.gaierror):
        return NO_HOST
    if isinstance(error, FileNotFoundError):
        return NO_FILE
    if isinstance(error, asyncpg.DiskFullError):
        return DISK_FULL
    if isinstance(error, asyncpg.TooManyConnectionsError):
        return TOO_MANY_CONNECTIONS
    return IS_AWAY


class Condition:
    """How one of our pools stands with Postgres.

    Everything that waits for Postgres asks it by a pool, so what is wrong is in the log once when
    it begins, once a minute while it lasts and once when it is over, whoever waits, and however
    often they try.

    Args:
        pool: which, for the log.
        now: seconds of a clock that never goes back.
    """

    def __init__(self, pool: str, *, now: Callable[[], float] = time.monotonic) -> None:
        self.trouble: Trouble | None = None
        """``None``: all is well, as far as anybody has tried."""
        self._pool = pool
        self._now = now
        self._logged_at: dict[str, float] = {}
        self._in_statements = False

    def note(self, trouble: Trouble, *, in_statement: bool = False) -> None:
        """It stands so from now on.

        Args:
            in_statement: a connection is had all the same, so to have one says nothing of it.
        """
        begins = self.trouble is None or self.trouble.word != trouble.word
        self.trouble, self._in_statements = trouble, in_statement
        last, now = self._logged_at.get(trouble.word), self._now()
        if last is None or now - last >= _REMIND_AFTER:
            self._logged_at[trouble.word] = now
            log.error(
                "postgres cannot be used" if begins else "postgres still cannot be used",
                pool=self._pool,
                trouble=trouble.word,
                wrong=trouble.wrong,
                cure=trouble.cure,
            )

    def connected(self) -> None:
        """A connection was had and used."""
        if self.trouble and not self._in_statements:
            self.is_well()

    def is_well(self) -> None:
        """Everything that can be wrong was looked at, and nothing was."""
        if self.trouble is None:
            return
        log.info("postgres can be used again", pool=self._pool, trouble=self.trouble.word)
        self.trouble = None


_REMIND_AFTER = 60.0  # seconds
