"""What Asterisk has of what calls need, and what it has that must not be there.

A call finds out one thing at a time, and too late.  So it is looked at when we connect, and from
time to time, and said in words.
"""

from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import Final

from bridge.ari.errors import AriError, AsteriskUnreachable, Gone, RequestRefused
from bridge.ari.requests import Requests
from bridge.domain.readiness import Need, Part, Trouble

DIALPLAN: Final = 1
"""Which dialplan this program works with: `DIALPLAN_VERSION` of ``extensions.conf``.  Both rise
together, when one of the two no longer works with the other as it was."""
DIALPLAN_VERSION: Final = "BRIDGE_DIALPLAN"
RECORDING_DIRECTORY: Final = "BRIDGE_RECORDINGS"
"""The dialplan's global variable with the directory that Asterisk records into."""

NEEDED: Final = frozenset(
    f"{name}.so"
    for name in (
        # SIP and audio
        "res_timing_timerfd",
        "res_pjproject",
        "res_pjsip",
        "res_pjsip_session",
        "res_pjsip_caller_id",
        "res_pjsip_endpoint_identifier_ip",
        "res_pjsip_header_funcs",
        "res_pjsip_nat",
        "res_pjsip_rfc3326",
        "res_pjsip_sdp_rtp",
        "chan_pjsip",
        "res_rtp_asterisk",
        # the two who talk, and what they hear before
        "bridge_simple",
        "bridge_softmix",
        "codec_ulaw",
        "codec_alaw",
        "format_pcm",
        # the dialplan, which clears the caller's number and ends one leg with the other
        "pbx_config",
        "app_stack",
        "app_softhangup",
        "app_stasis",
        "func_base64",
        "func_callerid",
        "func_channel",
        "func_global",
        "func_hangupcause",
        "func_logic",
        "func_strings",
        "func_timeout",
        # what we ask of it
        "res_stasis",
        "res_stasis_answer",
        "res_stasis_playback",
        "res_ari_applications",
        "res_ari_asterisk",
        "res_ari_bridges",
        "res_ari_channels",
        "res_ari_endpoints",
        "res_ari_events",
        "res_ari_playbacks",
    )
)
"""Modules without one of which calls fail, or a number is not taken out of the channel.  All are in
``modules.conf``; what only recordings need is not here."""

FORBIDDEN: Final = {
    "res_pjsip_refer.so": "by it a stranger takes a party's place",
    "res_pjsip_messaging.so": "it passes on messages with their sender's name",
    "bridge_native_rtp.so": "it passes on what a phone adds to its audio",
}
"""Modules that break a promise, and how."""

_FOR_CALLS = frozenset({Need.CALLS})


class Inventory:
    """Looks at one Asterisk.

    Args:
        trunk: PJSIP endpoint by which calls are placed.
        spool: directory of recordings as Asterisk calls it.
    """

    def __init__(self, requests: Requests, *, trunk: str, spool: str) -> None:
        self._requests = requests
        self._trunk = trunk
        self._spool = spool

    async def look(self) -> Sequence[Part]:
        """Each part, as it is now: four requests.

        Raises:
            AsteriskUnreachable: Asterisk is away.
        """
        modules: Collection[str] | None = None
        try:
            modules = await self._running_modules()
        except AsteriskUnreachable:
            raise
        except AriError:
            pass
        return [
            Part("trunk", _FOR_CALLS, await self._said(self._trunk_trouble)),
            Part("modules", _FOR_CALLS, _missing(modules)),
            Part("forbidden_modules", _FOR_CALLS, _forbidden(modules)),
            Part("dialplan", _FOR_CALLS, await self._said(self._dialplan_trouble)),
            Part("recording", frozenset(), await self._said(lambda: self._recording(modules))),
        ]

    async def _said(self, look: Callable[[], Awaitable[Trouble | None]]) -> Trouble | None:
        try:
            return await look()
        except RequestRefused as error:
            return Trouble(
                "not-told",
                f"Asterisk does not say how it is with this (HTTP {error.status})",
                "Load the modules that asterisk-config/modules.conf lists",
            )

    async def _running_modules(self) -> Collection[str]:
        found = await self._requests.call("asterisk", "listModules")
        return {one["name"] for one in found if one["status"] == "Running"}

    async def _trunk_trouble(self) -> Trouble | None:
        try:
            await self._requests.call("endpoints", "get", tech="PJSIP", resource=self._trunk)
        except Gone:
            return Trouble(
                "no-endpoint",
                f"Asterisk has no PJSIP endpoint `{self._trunk}`, so no call can be placed",
                "Correct BRIDGE_TRUNK, or the endpoint in pjsip.conf: Asterisk leaves out an"
                " endpoint with a mistake in it, such as a codec (BRIDGE_TRUNK_CODECS) that it does"
                " not know, and says so in its log when it starts",
            )
        return None

    async def _dialplan_trouble(self) -> Trouble | None:
        version = await self._requests.variable(DIALPLAN_VERSION)
        if version == str(DIALPLAN):
            return None
        has = f"is of version {int(version)}" if version.isdigit() else "is not there, or too old"
        return Trouble(
            "wrong-dialplan",
            f"Asterisk's dialplan {has}, and this program works with version {DIALPLAN}",
            "Take over the contexts and globals of asterisk-config/extensions.conf, and reload the"
            " dialplan",
        )

    async def _recording(self, modules: Collection[str] | None) -> Trouble | None:
        directory = await self._requests.variable(RECORDING_DIRECTORY)
        if not directory or (modules is not None and "app_mixmonitor.so" not in modules):
            return Trouble(
                "not-recording",
                "Asterisk cannot record calls",
                "Load app_mixmonitor.so, and include site/extensions.conf under [globals]",
            )
        if directory.rstrip("/") != self._spool.rstrip("/"):
            return Trouble(
                "two-directories",
                "Asterisk records into another directory than the bridge takes recordings from",
                "Give `masking-bridge asterisk-config` and `masking-bridge serve` the same"
                " BRIDGE_RECORDING_SPOOL_DIRECTORY and BRIDGE_RECORDING_SPOOL_ASTERISK_DIRECTORY",
            )
        return None


def _missing(modules: Collection[str] | None) -> Trouble | None:
    if modules is None:
        return Trouble(
            "not-told",
            "Asterisk does not say which modules it has",
            "Load res_ari_asterisk.so",
        )
    if missing := sorted(NEEDED - set(modules)):
        return Trouble(
            "module-missing",
            f"Asterisk lacks {', '.join(missing)}",
            "Load what is missing (`module load`), and put it into modules.conf",
        )
    return None


def _forbidden(modules: Collection[str] | None) -> Trouble | None:
    found = [name for name in FORBIDDEN if name in (modules or ())]
    if not found:
        return None
    return Trouble(
        "module-forbidden",
        "Asterisk has " + "; ".join(f"{name}: {FORBIDDEN[name]}" for name in found),
        "Put `noload => NAME` into modules.conf for each, and restart Asterisk",
    )
