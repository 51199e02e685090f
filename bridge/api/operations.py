"""The table of operations: what the router is made of, and what documents it."""

import dataclasses
from collections.abc import Awaitable, Callable
from http import HTTPStatus

import pydantic
from aiohttp import web

from bridge.api import (
    accounts,
    bulk,
    calls,
    documentation,
    event_stream,
    events,
    grants,
    health,
    media,
    numbers,
    recordings,
    sessions,
    subaccounts,
)
from bridge.api.answers import accounts as account_answers
from bridge.api.answers import calls as call_answers
from bridge.api.answers import events as event_answers
from bridge.api.answers import grants as grant_answers
from bridge.api.answers import numbers as number_answers
from bridge.api.answers import recordings as recording_answers
from bridge.api.answers import service as service_answers
from bridge.api.answers import sessions as session_answers
from bridge.api.answers import subaccounts as subaccount_answers
from bridge.api.answers.fields import Message
from bridge.api.schemas.accounts import UpdateAccount
from bridge.api.schemas.calls import ListCalls
from bridge.api.schemas.events import ListEvents, NewestFirst, RevealNumbers, StreamEvents
from bridge.api.schemas.grants import GrantNumbers
from bridge.api.schemas.numbers import AddNumbers, ListNumbers, ReplaceNumber, UpdateNumber
from bridge.api.schemas.recordings import ListRecordings, SignedMedia
from bridge.api.schemas.sessions import (
    CallParties,
    CreateSession,
    CreateSessions,
    ExpireSession,
    ExpireSessions,
    ListSessions,
    UpdateSession,
)
from bridge.api.schemas.subaccounts import (
    CreateSubaccount,
    ListSubaccounts,
    RemoveSubaccount,
    UpdateSubaccount,
)
from bridge.domain.access import Scope

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_ACCOUNT = "/v1/Account/{auth_id}"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One method on one path.  Paths are served with and without the slash at their end."""

    method: str
    path: str
    handler: Handler
    summary: str
    returns: type[pydantic.BaseModel] | None = None
    """What a success answers."""
    media_type: str | None = None
    """Of what a success answers, if that is a text."""
    success: HTTPStatus = HTTPStatus.OK
    body: type[pydantic.BaseModel] | None = None
    query: type[pydantic.BaseModel] | None = None
    tries: type[pydantic.BaseModel] | None = None
    """What is answered, with 200, to a request that was only to be tried."""
    failures: tuple[HTTPStatus, ...] = ()
    """Beyond those that any operation of its kind has."""
    creates_session: bool = False
    """A token that may do nothing else may do this."""
    for_operator: bool = False
    """An operator's token may do this, in any account; what changes something, no other may."""
    public: bool = False
    """No credentials needed."""

    @property
    def scope(self) -> Scope:
        """What a token must allow."""
        if self.creates_session:
            return Scope.CREATE
        if self.for_operator and self.method != "GET":
            return Scope.OPERATOR
        return Scope.READ if self.method == "GET" else Scope.ADMIN

    @property
    def name(self) -> str:
        """A word for it, such as ``sessions_create``."""
        return f"{self.handler.__module__.rpartition('.')[2]}_{self.handler.__name__}"


OPERATIONS = (
    Operation(
        method="POST",
        path=f"{_ACCOUNT}/Masking/Session",
        handler=sessions.create,
        returns=session_answers.SessionCreated,
        summary="Create a session",
        success=HTTPStatus.CREATED,
        tries=session_answers.SessionTried,
        body=CreateSession,
        failures=(HTTPStatus.CONFLICT, HTTPStatus.UNPROCESSABLE_ENTITY),
        creates_session=True,
    ),
    Operation(
        method="GET",
        path=f"{_ACCOUNT}/Masking/Session",
        handler=sessions.list_all,
        returns=session_answers.SessionList,
        summary="List sessions",
        query=ListSessions,
    ),
    Operation(
        method="GET",
        path=f"{_ACCOUNT}/Masking/Session/{{session_uuid}}",
        handler=sessions.get,
        returns=session_answers.SessionFound,
        summary="Get a session",
    ),
    Operation(
        method="POST",
        path=f"{_ACCOUNT}/Masking/Session/{{session_uuid}}",
        handler=sessions.update,
        returns=session_answers.SessionUpdated,
        summary="Change a live session; its lifetime counts from now",
        body=UpdateSession,
        failures=(HTTPStatus.CONFLICT,),
    ),
    Operation(
        method="DELETE",
        path=f"{_ACCOUNT}/Masking/Session/{{session_uuid}}",
        handler=sessions.expire,
        returns=Message,
        query=ExpireSession,
        summary="Expire a session",
    ),
    Operation(
        method="GET",
        path=f"{_ACCOUNT}/Masking/Session/{{session_uuid}}/History",
        handler=sessions.history,
        returns=session_answers.SessionHistory,
        summary="What became of a session, by whose hand and why",
    ),
    Operation(
        method="POST",
        path=f"{_ACCOUNT}/Masking/Session/{{session_uuid}}/Call",
        handler=calls.order,
        returns=call_answers.CallOrdered,
        summary="Call one party of a session, and then the other",
        success=HTTPStatus.CREATED,
        body=CallParties,
        failures=(HTTPStatus.CONFLICT,),
    ),
    Operation(
        method="POST",
        path=f"{_ACCOUNT}/Masking/Bulk/Create",
        handler=bulk.create,
        returns=session_answers.BulkReport,
        summary="Create many sessions, each for itself",
        body=CreateSessions,
        creates_session=True,
    ),
    Operation(
        method="POST",
        path=f"{_ACCOUNT}/Masking/Bulk/Expire",
        handler=bulk.expire,
        returns=session_answers.BulkReport,
        summary="Expire many sessions, each for itself",
        body=ExpireSessions,
    ),
    Operation(
        method="GET",
        path=f"{_ACCOUNT}/Call/{{call_uuid}}",
        handler=calls.get,
        returns=call_answers.Leg,
        summary="Get one leg of a call, as an interaction names it",
    ),
    Operation(
        method="GET",
        path=f"{_ACCOUNT}/Call",
        handler=calls.list_all,
        returns=call_answers.CallList,
        query=ListCalls,
        summary="List calls, those that were refused too, newest first",
    ),
    Operation(
        method="DELETE",
        path=f"{_ACCOUNT}/Call/{{call_uuid}}",
        handler=calls.hang_up,
        summary="Hang up the call of a leg",
        success=HTTPStatus.NO_CONTENT,
    ),
    Operation(
        method="GET",
        path=_ACCOUNT,
        handler=accounts.get,
        returns=account_answers.Account,
        summary="Get the account",
    ),
    Operation(
        method="POST",
        path=_ACCOUNT,
        handler=accounts.update,
        returns=Message,
        summary="Rename the account",
        success=HTTPStatus.ACCEPTED,
        body=UpdateAccount,
    ),
    Operation(
        method="POST",
        path=f"{_ACCOUNT}/Subaccount",
        handler=subaccounts.create,
        returns=subaccount_answers.SubaccountCreated,
        summary="Create a subaccount",
        success=HTTPStatus.CREATED,
        body=CreateSubaccount,
    ),
    Operation(
        method="GET",
        path=f"{_ACCOUNT}/Subaccount",
        handler=subaccounts.list_all,
        returns=subaccount_answers.SubaccountList,
        summary="List subaccounts",
        query=ListSubaccounts,
    ),
    Operation(
        method="GET",
        path=f"{_ACCOUNT}/Subaccount/{{subauth_id}}",
        handler=subaccounts.get,
        returns=subaccount_answers.SubaccountFound,
        summary="Get a subaccount",
    ),
    Operation(
        method="POST",
        path=f"{_ACCOUNT}/Subaccount/{{subauth_id}}",
        handler=subaccounts.update,
        returns=Message,
        summary="Change a subaccount",
        success=HTTPStatus.ACCEPTED,
        body=UpdateSubaccount,
    ),
    Operation(
        method="DELETE",
        path=f"{_ACCOUNT}/Subaccount/{{subauth_id}}",
        handler=subaccounts.remove,
        summary="Remove a subaccount that has no live sessions",
        success=HTTPStatus.NO_CONTENT,
        query=RemoveSubaccount,
        failures=(HTTPStatus.CONFLICT, HTTPStatus.REQUEST_ENTITY_TOO_LARGE),
    ),
    Operation(
        method="GET",
        path=f"{_ACCOUNT}/Recording",
        handler=recordings.list_all,
        returns=recording_answers.RecordingList,
        summary="List recordings",
        query=ListRecordings,
    ),
    Operation(
        method="GET",
        path=f"{_ACCOUNT}/Recording/{{recording_id}}",
        handler=recordings.get,
        returns=recording_answers.RecordingFound,
        summary="Get what is known of a recording",
    ),
    Operation(
        method="DELETE",
        path=f"{_ACCOUNT}/Recording/{{recording_id}}",
        handler=recordings.remove,
        summary="Erase a recording",
        success=HTTPStatus.NO_CONTENT,
        failures=(HTTPStatus.CONFLICT,),
    ),
    Operation(
        method="POST",
        path=f"{_ACCOUNT}/Recording/{{recording_id}}/Pause",
        handler=recordings.pause,
        returns=recording_answers.RecordingFound,
        summary="Pause the recording of a call that is up; it is paused when the recording says so",
        success=HTTPStatus.ACCEPTED,
        failures=(HTTPStatus.CONFLICT,),
    ),
    Operation(
        method="POST",
        path=f"{_ACCOUNT}/Recording/{{recording_id}}/Resume",
        handler=recordings.resume,
        returns=recording_answers.RecordingFound,
        summary="Let a paused recording go on",
        success=HTTPStatus.ACCEPTED,
        failures=(HTTPStatus.CONFLICT,),
    ),
    Operation(
        method="GET",
        path=f"{_ACCOUNT}/Recording/{{recording_id}}/Media",
        handler=media.get,
        media_type="audio/*",
        summary="Get the audio of a recording, or a range of its bytes",
    ),
    Operation(
        method="GET",
        path="/v1/Recording/{recording_id}/Media",
        handler=media.get_signed,
        media_type="audio/*",
        summary="Get the audio of a recording by the URL that the recording names",
        query=SignedMedia,
        failures=(HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND, HTTPStatus.GONE),
        public=True,
    ),
    Operation(
        method="POST",
        path=f"{_ACCOUNT}/Number",
        handler=numbers.add,
        returns=number_answers.NumbersAdded,
        summary="Add virtual numbers to the pool",
        success=HTTPStatus.CREATED,
        body=AddNumbers,
        failures=(HTTPStatus.CONFLICT,),
    ),
    Operation(
        method="GET",
        path=f"{_ACCOUNT}/NumberGrant",
        handler=grants.list_all,
        returns=grant_answers.GrantList,
        summary="List the numbers that an account may add; for an operator's token, of any",
        for_operator=True,
    ),
    Operation(
        method="POST",
        path=f"{_ACCOUNT}/NumberGrant",
        handler=grants.grant,
        returns=Message,
        summary="Let an account add numbers; only with an operator's token, for any account",
        success=HTTPStatus.CREATED,
        body=GrantNumbers,
        failures=(HTTPStatus.CONFLICT,),
        for_operator=True,
    ),
    Operation(
        method="DELETE",
        path=f"{_ACCOUNT}/NumberGrant/{{grant_id}}",
        handler=grants.revoke,
        summary="Revoke a grant; only with an operator's token; what is in the pool stays there",
        success=HTTPStatus.NO_CONTENT,
        for_operator=True,
    ),
    Operation(
        method="GET",
        path=f"{_ACCOUNT}/Number",
        handler=numbers.list_all,
        returns=number_answers.NumberList,
        summary="List virtual numbers",
        query=ListNumbers,
    ),
    Operation(
        method="GET",
        path=f"{_ACCOUNT}/Number/{{number}}",
        handler=numbers.get,
        returns=number_answers.NumberFound,
        summary="Get a virtual number",
    ),
    Operation(
        method="POST",
        path=f"{_ACCOUNT}/Number/{{number}}",
        handler=numbers.update,
        returns=Message,
        summary="Change a virtual number",
        success=HTTPStatus.ACCEPTED,
        body=UpdateNumber,
    ),
    Operation(
        method="DELETE",
        path=f"{_ACCOUNT}/Number/{{number}}",
        handler=numbers.remove,
        summary="Take a virtual number out of the pool",
        success=HTTPStatus.NO_CONTENT,
    ),
    Operation(
        method="POST",
        path=f"{_ACCOUNT}/Number/{{number}}/Replace",
        handler=numbers.replace,
        returns=number_answers.NumberReplaced,
        summary="Give the live sessions of a virtual number another; both work meanwhile",
        body=ReplaceNumber,
    ),
    Operation(
        method="GET",
        path=f"{_ACCOUNT}/Event",
        handler=events.list_all,
        returns=event_answers.EventList,
        summary="List events, newest first, and what became of their delivery",
        query=ListEvents,
    ),
    Operation(
        method="GET",
        path=f"{_ACCOUNT}/Event/Stream",
        handler=event_stream.stream,
        media_type="text/event-stream",
        summary="Events as they happen; Last-Event-ID says where to go on",
        query=StreamEvents,
    ),
    Operation(
        method="POST",
        path=f"{_ACCOUNT}/Event/{{event_id}}/Replay",
        handler=events.replay,
        returns=Message,
        summary="Send an event once more",
        success=HTTPStatus.ACCEPTED,
        failures=(HTTPStatus.CONFLICT,),
    ),
    Operation(
        method="POST",
        path=f"{_ACCOUNT}/Event/Replay",
        handler=events.replay_dead,
        returns=event_answers.Replayed,
        summary="Send every dead event once more",
        success=HTTPStatus.ACCEPTED,
    ),
    Operation(
        method="POST",
        path=f"{_ACCOUNT}/Event/{{event_id}}/Reveal",
        handler=events.reveal,
        body=RevealNumbers,
        returns=event_answers.Revealed,
        summary="Show the parties' numbers in an event, and write down who asked and why",
    ),
    Operation(
        method="GET",
        path=f"{_ACCOUNT}/Reveal",
        handler=events.reveals,
        returns=event_answers.RevealList,
        summary="List who was shown the numbers of which event, newest first",
        query=NewestFirst,
    ),
    Operation(
        method="GET",
        path=f"{_ACCOUNT}/Masking/Session/{{session_uuid}}/Event",
        handler=events.of_session,
        returns=event_answers.EventList,
        summary="List the events of a session, newest first",
        query=ListEvents,
    ),
    Operation(
        method="GET",
        path="/healthz",
        handler=health.alive,
        returns=service_answers.Alive,
        summary="Whether the process is alive",
        public=True,
    ),
    Operation(
        method="GET",
        path="/readyz",
        handler=health.ready,
        returns=service_answers.Readiness,
        failures=(HTTPStatus.SERVICE_UNAVAILABLE,),
        summary="Whether all is well, and if not, what is wrong and what to do",
        public=True,
    ),
    Operation(
        method="GET",
        path="/readyz/calls",
        handler=health.ready_for_calls,
        returns=service_answers.Readiness,
        failures=(HTTPStatus.SERVICE_UNAVAILABLE,),
        summary="Whether calls can be carried, and if not, for want of what",
        public=True,
    ),
    Operation(
        method="GET",
        path="/readyz/api",
        handler=health.ready_for_api,
        returns=service_answers.Readiness,
        failures=(HTTPStatus.SERVICE_UNAVAILABLE,),
        summary="Whether requests can be answered, and if not, for want of what",
        public=True,
    ),
    Operation(
        method="GET",
        path="/metrics",
        handler=health.metrics,
        media_type="text/plain",
        summary="Counters and gauges, for Prometheus",
        public=True,
    ),
    Operation(
        method="GET",
        path="/openapi.json",
        handler=documentation.openapi,
        returns=service_answers.Description,
        summary="This description, for programs",
        public=True,
    ),
    Operation(
        method="GET",
        path="/docs",
        handler=documentation.page,
        media_type="text/html",
        summary="This description, for people",
        public=True,
    ),
)
