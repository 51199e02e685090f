"""The composition root: builds every part once, and runs them together."""

import asyncio
import functools
import os
import signal
import time
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import structlog
import tenacity
from aiohttp import web

from bridge import metrics
from bridge import readiness as readiness_of
from bridge.api.app import make_app
from bridge.api.limits import RateLimit
from bridge.api.media import MediaAccess
from bridge.api.sessions import SessionDefaults
from bridge.ari.client import Asterisk
from bridge.ari.inventory import Inventory
from bridge.ari.leg_state import LegState
from bridge.ari.legs import Legs
from bridge.ari.remains import Remains
from bridge.ari.requests import Requests
from bridge.ari.stream import EventStream, InboundCall
from bridge.ari.transport import Transport
from bridge.calls.housekeeping import Housekeeping
from bridge.calls.live_call import LiveCall
from bridge.calls.masked_call import masked_call
from bridge.calls.ordering import OrderedCalls
from bridge.calls.switchboard import Switchboard
from bridge.config import ConfigError, Settings
from bridge.domain.readiness import Part
from bridge.domain.records import Arrival, Over
from bridge.domain.signalling import caller, dialled_number
from bridge.domain.signed_urls import UrlSigner
from bridge.domain.trunk_rules import TrunkRules
from bridge.egress.client import Egress
from bridge.event_delivery import deliver_events
from bridge.media_settings import MediaSettings
from bridge.prompts.cache import Cache
from bridge.prompts.library import PromptLimits, Prompts
from bridge.recordings.files import Archive, DirectoryArchive, Spool
from bridge.recordings.objects import ObjectArchive, object_store
from bridge.recordings.worker import RecordingWorker
from bridge.store.accounts import Accounts
from bridge.store.call_reports import CallReports
from bridge.store.calls import Calls
from bridge.store.checkup import Checkup
from bridge.store.errors import StoreMisconfigured, StoreUnavailable
from bridge.store.event_feed import EventFeed
from bridge.store.event_log import EventLog
from bridge.store.grants import Grants
from bridge.store.hangups import HANGUP_CHANNEL, Hangups
from bridge.store.journal import Journal
from bridge.store.listener import Listener
from bridge.store.migrations import migrate
from bridge.store.numbers import Numbers
from bridge.store.orders import ORDER_CHANNEL, Orders
from bridge.store.outbox import BY_INDEX
from bridge.store.pauses import PAUSE_CHANNEL, Pauses
from bridge.store.pool import Database
from bridge.store.recordings import Recordings
from bridge.store.replacements import Replacements
from bridge.store.sessions import Sessions
from bridge.store.signing import SigningSecrets
from bridge.store.subaccounts import Subaccounts
from bridge.store.troubles import READ_ONLY, Condition
from bridge.store.upkeep import keep_up
from bridge.webhook_settings import WebhookSettings
from bridge.webhooks.advice import Applications

log = structlog.get_logger(__name__)

_LONGEST_BEHIND = 3.0  # seconds that records may be late before no more calls are taken
_LAST_WRITES = 10.0  # seconds that records get to reach Postgres at the end
_EX_TEMPFAIL = 75  # sysexits.h


async def serve(settings: Settings, media: MediaSettings, webhooks: WebhookSettings) -> None:
    """Serve until SIGTERM or SIGINT, then drain.

    Postgres and Asterisk may be away at the start, and come and go: what needs them waits.

    Raises:
        ConfigError: where it is to listen, or to keep prompts, it cannot.  Perhaps in a group.
        SchemaError: the database's schema is not one this program can work with.  In a group.
        StoreMisconfigured: Postgres does not serve us at the start, and will not.  In a group.
    """
    stop = _stop_signal()
    database_url = settings.database_url.get_secret_value()
    condition, events_condition = Condition("calls and api"), Condition("events")
    # Events have their own connections: one on its way to a slow receiver holds one.  So do two
    # listeners.
    for_events = webhooks.webhook_workers + 3
    async with (
        Database.opened(database_url, condition=condition) as database,
        Database.opened(
            database_url, size=for_events, settings=BY_INDEX, condition=events_condition
        ) as events_database,
        Egress.opened(media.egress_rules) as egress,
        # Workers, and calls, are so many and no more: no call is to wait for another's answer.
        Egress.opened(media.egress_rules, per_host=0) as to_applications,
        _transport(settings) as transport,
    ):
        legs = Legs()
        rules = settings.trunk_rules
        requests = Requests(transport, app=settings.ari_app)
        asterisk = Asterisk(
            requests, legs, trunk=settings.trunk, rules=rules, silence=settings.silence_limit
        )
        legs.serve(asterisk)
        remains = Remains(requests, legs, asterisk)

        def over() -> Over:
            """Calls that have ended, though the database may not know it yet."""
            return switchboard.over | journal.over

        calls = Calls(
            database,
            node=settings.node,
            trunk=settings.trunk,
            over=over,
            least_attestation=settings.trunk_min_attestation,
        )
        recordings = Recordings(database, public_url=settings.api_root)
        journal = Journal(database, calls, recordings)
        metrics.JOURNAL_BEHIND.set_function(lambda: journal.behind)
        switchboard = Switchboard(
            call_log=journal,
            release=asterisk.release,
            now=_now,
            drain_timeout=settings.drain_timeout,
        )
        housekeeping = Housekeeping(
            open_calls=calls,
            unwritten=journal,
            remains=remains,
            switchboard=switchboard,
            call_log=journal,
            switch=asterisk,
            now=_now,
        )
        prompts = _prompts(egress, media)
        orders = Orders(database, node=settings.node, over=over)
        sessions = Sessions(
            database, orders, headroom=settings.pool_headroom, ranges=settings.number_ranges
        )
        application = Applications(
            to_applications,
            facts=sessions.facts,
            secrets=SigningSecrets(database).list,
            now=_now,
            within=webhooks.routing_webhook_timeout,
        )
        inventory = Inventory(
            requests,
            trunk=settings.trunk,
            spool=str(settings.spool_as_asterisk_calls_it),
        )
        checkup = Checkup(database, condition)
        events_checkup = Checkup(events_database, events_condition)

        async def at_once() -> Sequence[Part]:
            async with asyncio.TaskGroup() as pings:
                postgres = pings.create_task(checkup.connection("postgres"))
                events = pings.create_task(events_checkup.connection("events", needs=frozenset()))
            return [postgres.result(), *await readiness_of.connection(stream), events.result()]

        async def of_database() -> Sequence[Part]:
            await checkup.look()
            await events_checkup.look()
            return [await checkup.schema()]

        async def of_directories() -> Sequence[Part]:
            return [
                await readiness_of.directory(
                    "spool", "BRIDGE_RECORDING_SPOOL_DIRECTORY", settings.recording_spool_directory
                ),
                await readiness_of.directory(
                    "recordings",
                    "BRIDGE_RECORDING_DIRECTORY",
                    settings.recording_directory,
                    is_ours=True,
                ),
                await readiness_of.directory(
                    "prompts", "BRIDGE_PROMPT_DIRECTORY", media.prompt_directory
                ),
            ]

        readiness = readiness_of.Readiness(
            at_once=at_once,
            now_and_then=[of_database, of_directories],
            asterisk=inventory.look,
        )
        story = functools.partial(
            masked_call,
            log=journal,
            switch=asterisk,
            prompts=prompts,
            application=application,
            calls=switchboard.calls,
            overload=functools.partial(
                _overload, switchboard, journal, readiness, settings.max_calls
            ),
        )
        stream = EventStream(
            requests,
            remains,
            legs,
            arrived=lambda inbound: switchboard.take(_live_call(inbound, rules), story),
            connected=housekeeping.connected,
            replaced=_fenced,
            inspect=readiness.connected,
        )

        hangups = Hangups(database, node=settings.node, hang_up=switchboard.hang_up)
        pauses = Pauses(database, node=settings.node, pause=switchboard.pause_recording)
        ordered_calls = OrderedCalls(
            orders,
            switchboard,
            expect=lambda channel_id: legs.expect(channel_id, LegState(placed=True)),
            can_place=lambda: stream.connected and stream.admitting and not readiness.no_calls,
            log=journal,
            switch=asterisk,
            prompts=prompts,
        )

        async def look() -> None:
            """What was asked for over the API, here or elsewhere, that this bridge must do."""
            await hangups.look()
            await pauses.look()
            await ordered_calls.look()

        archive = _archive(settings)
        recording_worker = RecordingWorker(
            recordings, Spool(settings.recording_spool_directory), archive, node=settings.node
        )
        listener = Listener(database, [HANGUP_CHANNEL, ORDER_CHANNEL, PAUSE_CHANNEL], look)
        feed = EventFeed(database)
        app = make_app(
            accounts=Accounts(database),
            calls=CallReports(database),
            events=EventLog(database),
            feed=feed,
            grants=Grants(database),
            limit=RateLimit(settings.api_rate_limit, now=time.monotonic),
            orders=orders,
            media=_media(settings, archive),
            numbers=Numbers(database, trunk=settings.trunk),
            recordings=recordings,
            replacements=Replacements(database, headroom=settings.pool_headroom),
            sessions=sessions,
            subaccounts=Subaccounts(database),
            defaults=SessionDefaults(
                expiry=settings.default_session_expiry,
                ring_timeout=settings.default_ring_timeout,
                call_time_limit=settings.default_call_time_limit,
            ),
            egress_rules=media.egress_rules,
            prompts=prompts,
            readiness=readiness,
        )
        async with asyncio.TaskGroup() as service, _listening(app, settings):
            await _usable(database, events_database)
            running = service.create_task(switchboard.run(), name="switchboard")
            background = [
                service.create_task(journal.run(), name="journal"),
                service.create_task(stream.run(), name="events"),
                service.create_task(housekeeping.run(), name="housekeeping"),
                service.create_task(keep_up(sessions.note_expired, every=1.0), name="expiry"),
                service.create_task(prompts.run(), name="prompts"),
                service.create_task(listener.run(), name="listener"),
                service.create_task(
                    deliver_events(events_database, to_applications, feed, webhooks),
                    name="event delivery",
                ),
                service.create_task(recording_worker.run(), name="recordings"),
                service.create_task(readiness.run(stream), name="readiness"),
            ]
            await stop.wait()
            await stream.refuse_calls()
            switchboard.close()
            await running
            await _last_writes(journal)
            for task in background:
                task.cancel()
    log.info("stopped")


def _overload(
    switchboard: Switchboard,
    journal: Journal,
    readiness: readiness_of.Readiness,
    max_calls: int,
) -> str | None:
    """Why no more calls can be carried now: what is not written is lost if we die."""
    if reason := readiness.no_calls:
        return reason
    if len(switchboard.live) > max_calls:
        return "bridge-full"
    return "bridge-behind" if journal.behind > _LONGEST_BEHIND else None


def _stop_signal() -> asyncio.Event:
    stop = asyncio.Event()
    for signum in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(signum, stop.set)
    return stop


def _prompts(egress: Egress, media: MediaSettings) -> Prompts:
    """Raises: ConfigError: their directory cannot be used."""
    directory = media.prompt_directory
    try:
        cache = Cache(directory, largest=media.prompt_cache_size)
    except OSError as error:
        raise ConfigError(f"BRIDGE_PROMPT_DIRECTORY {directory}: {error.strerror}") from None
    return Prompts(
        egress,
        cache,
        asterisk_directory=media.prompt_asterisk_directory or directory,
        limits=PromptLimits(
            size=media.prompt_max_size,
            seconds=media.prompt_max_duration,
            max_age=media.prompt_max_age,
        ),
        now=time.time,
    )


@asynccontextmanager
async def _transport(settings: Settings) -> AsyncIterator[Transport]:
    transport = Transport(
        str(settings.ari_url),
        settings.ari_user,
        settings.ari_password.get_secret_value(),
        command_timeout=settings.ari_timeout,
    )
    try:
        yield transport
    finally:
        await transport.close()


@asynccontextmanager
async def _listening(app: web.Application, settings: Settings) -> AsyncIterator[None]:
    """Serve the API for the length of the block.

    Raises:
        ConfigError: nobody can listen there.
    """
    runner = web.AppRunner(app, access_log=None, handle_signals=False)
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, settings.api_host, settings.api_port).start()
        except OSError as error:
            raise ConfigError(f"BRIDGE_API_HOST, BRIDGE_API_PORT: {error.strerror}") from None
        log.info("api listening", host=settings.api_host, port=settings.api_port)
        yield
    finally:
        await runner.cleanup()


def _archive(settings: Settings) -> Archive:
    bucket = settings.recording_bucket
    if bucket is None:
        return DirectoryArchive(settings.recording_directory)
    return ObjectArchive(
        object_store(
            bucket.url,
            bucket.name,
            region=bucket.region,
            access_key=bucket.access_key,
            secret_key=bucket.secret_key.get_secret_value(),
        ),
        settings.recording_directory,
    )


def _media(settings: Settings, archive: Archive) -> MediaAccess:
    secret = settings.recording_url_secret
    return MediaAccess(
        archive,
        signer=UrlSigner(secret.get_secret_value().encode(), settings.recording_url_lifetime)
        if secret
        else None,
        public_url=settings.api_root,
        now=time.time,
    )


async def _usable(database: Database, events_database: Database) -> None:
    """Bring the schema up to date, once Postgres is there, and takes writes.

    Raises:
        StoreMisconfigured: it will not serve us until something is changed.  Nothing is lost yet,
            and to end tells whoever has just made the mistake.
        SchemaError: the schema is not one that this program can work with.
    """
    async for attempt in tenacity.AsyncRetrying(
        retry=tenacity.retry_if_exception(_may_pass),
        wait=tenacity.wait_random_exponential(multiplier=0.1, max=2),
        reraise=True,
    ):
        with attempt:
            await migrate(database)
            await events_database.ping()


def _may_pass(error: BaseException) -> bool:
    """Whether Postgres may serve us soon with nobody changing our settings.

    One that takes no writes may be about to be made the primary.
    """
    if isinstance(error, StoreMisconfigured):
        return error.trouble is READ_ONLY
    return isinstance(error, StoreUnavailable)


async def _last_writes(journal: Journal) -> None:
    try:
        async with asyncio.timeout(_LAST_WRITES):
            await journal.written()
    except TimeoutError:
        # The next start finds their calls open, and completes them from what Asterisk knows.
        log.error("records not written", count=len(journal.unwritten))


def _live_call(inbound: InboundCall, rules: TrunkRules) -> LiveCall:
    who = caller(inbound.headers, rules)
    arrival = Arrival(
        call_id=uuid.uuid4(),
        channel_id=inbound.leg.channel_id,
        caller=who.number,
        attestation=who.attestation,
        dialled=dialled_number(inbound.dialled, rules),
        started_at=inbound.at,
    )
    return LiveCall(arrival, inbound.leg)


def _fenced() -> None:
    """Another bridge serves our Stasis application, and with it our calls.

    At once, with no teardown: to end our calls would be to end those that it has taken up.
    """
    log.critical("another bridge took over this Asterisk; stopping")
    os._exit(_EX_TEMPFAIL)


def _now() -> datetime:
    return datetime.now(UTC)
