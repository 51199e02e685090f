"""What a token lets its bearer do."""

import dataclasses
import enum
import uuid
from datetime import datetime


class Scope(enum.StrEnum):
    """One word per token."""

    CREATE = "create"
    """Create sessions and nothing else, such as for a service that the world can reach."""
    READ = "read"
    """Look at everything, change nothing."""
    ADMIN = "admin"
    """Do everything in its own account, except what is the operator's."""
    OPERATOR = "operator"
    """Say what accounts may have, in any account, and nothing else.  Made on the command line."""

    def allows(self, needed: "Scope") -> bool:
        """Whether a bearer of this may do what needs ``needed``."""
        if needed is Scope.OPERATOR:
            return self is Scope.OPERATOR
        return self in (Scope.ADMIN, needed)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Bearer:
    """Who sent a request, as the token tells."""

    token: uuid.UUID
    name: str
    scope: Scope

    def __str__(self) -> str:
        """As a session's history names its actor."""
        return f"token {self.token} ({self.name})" if self.name else f"token {self.token}"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A token, without its secret, which nobody keeps."""

    id: uuid.UUID
    name: str
    scope: Scope
    created_at: datetime
    revoked_at: datetime | None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class SigningSecret:
    """With which an application can tell that an event is ours."""

    secret: str = dataclasses.field(repr=False)
    created_at: datetime
    retires_at: datetime | None
    """``None``: it stays."""
