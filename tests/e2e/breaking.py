"""``make break``: take protections out, to see the leak scan fail.

Every protection is doubled, so taking out one changes nothing that a party can see; these groups
are each the whole of what stands in one way.  Works on a copy of the checkout.
"""

import dataclasses
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.table import Table

_EXTENSIONS = "asterisk-config/extensions.conf"
_MODULES = "asterisk-config/modules.conf"
_PJSIP = "asterisk-config/pjsip.conf"
_CLIENT = "bridge/ari/client.py"


@dataclasses.dataclass(frozen=True)
class Change:
    """One protection, and what is there without it."""

    file: str
    line: str
    instead: str = ""


_NO_CALLER_ID_OF_CALLERS = Change(_PJSIP, "callerid=Anonymous <anonymous>")
_CLEARED = Change(_EXTENSIONS, " same => n,Set(CALLERID(all)=<>)")
_ANI_CLEARED = Change(_EXTENSIONS, " same => n,Set(CALLERID(ani-all)=<>)")
_CALLERS_ARE_PRIVATE = Change(_PJSIP, "callerid_privacy=prohib")
_NO_PRIVATE_NUMBER_SENT = Change(_PJSIP, "trust_id_outbound=no", "trust_id_outbound=yes")
_UPDATES_INHIBITED = Change(
    _CLIENT, "inhibitConnectedLineUpdates=True", "inhibitConnectedLineUpdates=False"
)
_NO_UPDATES_SENT = Change(_PJSIP, "send_connected_line=no", "send_connected_line=yes")
_NO_IDENTITY_SENT = Change(_PJSIP, "send_pai=no", "send_pai=yes")
_NO_IDENTITY_TRUSTED = Change(_PJSIP, "trust_id_inbound=no", "trust_id_inbound=yes")
_NO_LINE_TRUSTED = Change(_PJSIP, "trust_connected_line=no", "trust_connected_line=yes")
_MEDIA_THROUGH_US = Change(_PJSIP, "direct_media=no", "direct_media=yes")
_CALLER_ID_IS_OURS = Change(
    _CLIENT, 'shown = f"<{self._outbound(caller_id)}>"', 'shown = f"<{callee.e164}>"'
)
_NO_TRANSFER = Change(_PJSIP, "allow_transfer=no", "allow_transfer=yes")
_NO_REFER = Change(
    _MODULES, "load=res_pjsip_nat.so", "load=res_pjsip_nat.so\nload=res_pjsip_refer.so"
)
_NO_MESSAGES = Change(
    _MODULES, "load=res_pjsip_nat.so", "load=res_pjsip_nat.so\nload=res_pjsip_messaging.so"
)
_PACKETS_MADE_ANEW = Change(
    _MODULES, "load=bridge_simple.so", "load=bridge_simple.so\nload=bridge_native_rtp.so"
)
_QUIET = Change("asterisk-config/asterisk.conf", "verbose=0", "verbose=5")
_MASKS_ITSELF = Change(
    "bridge/domain/numbers.py",
    "return f\"+{'*' * (len(self.e164) - 3)}{self.e164[-2:]}\"",
    "return self.e164",
)
_NET = Change("bridge/logs.py", "        mask_numbers,\n", "")
_SPEAKS = Change(
    "bridge/calls/masked_call.py",
    'logger.info("call started", ',
    'logger.info(f"call of {call.arrival.caller}", ',
)

GROUPS: dict[str, tuple[Change, ...]] = {
    "nothing": (),
    "the caller's number in the channel, and updates of it to the callee": (
        _NO_CALLER_ID_OF_CALLERS,
        _CLEARED,
        _ANI_CLEARED,
        _CALLERS_ARE_PRIVATE,
        _NO_PRIVATE_NUMBER_SENT,
        _UPDATES_INHIBITED,
        _NO_UPDATES_SENT,
        _NO_IDENTITY_SENT,
    ),
    "the callee's identity believed, and updates of it to the caller": (
        _NO_IDENTITY_TRUSTED,
        _NO_LINE_TRUSTED,
        _UPDATES_INHIBITED,
        _NO_UPDATES_SENT,
        _NO_IDENTITY_SENT,
    ),
    "audio through us": (_MEDIA_THROUGH_US, _PACKETS_MADE_ANEW),
    "of a packet only its audio passes": (_PACKETS_MADE_ANEW,),
    "caller ID is the virtual number": (_CALLER_ID_IS_OURS,),
    "nobody takes up transfers": (_NO_TRANSFER, _NO_REFER),
    "no message is passed on": (_NO_MESSAGES,),
    "numbers mask themselves in logs, and the net behind": (_MASKS_ITSELF, _NET, _SPEAKS),
}


def main() -> None:
    console, table = Console(), Table("taken out", "the leak scan")
    wrong = 0
    for name, changes in GROUPS.items():
        with console.status(name):
            fails = not _scan_passes(changes)
        expected = bool(changes)
        wrong += fails is not expected
        table.add_row(name, ("fails" if fails else "passes") + ("" if fails is expected else "  ✗"))
    console.print(table)
    sys.exit(bool(wrong))


def _scan_passes(changes: tuple[Change, ...]) -> bool:
    root = Path(__file__).parents[2]
    with tempfile.TemporaryDirectory() as work:
        copy = Path(work) / "checkout"
        shutil.copytree(root, copy, ignore=shutil.ignore_patterns(".*", "__pycache__"))
        for change in changes:
            file = copy / change.file
            text = file.read_text()
            if change.line not in text:
                sys.exit(f"{change.file} has no {change.line!r}")
            file.write_text(text.replace(change.line, change.instead))
        test = [sys.executable, "-m", "pytest", "-q", "-x", "tests/e2e/test_leaks.py"]
        return subprocess.run(test, cwd=copy, capture_output=True, check=False).returncode == 0


if __name__ == "__main__":
    main()
