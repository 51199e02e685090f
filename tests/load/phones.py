"""Phones that take whatever comes: an answer, a refusal, a hang-up at any moment.

While the bridge is killed and comes back nobody can say what one call will meet.  But whatever it
is, each phone must hear of the end: one that is forgotten does not finish, and fails.
"""

from collections.abc import Sequence

from bridge.embedded.phones.steps import Callee, Caller, ok, scenario


class AnyCaller(Caller):
    """Calls; hangs up after a while if nobody has before."""

    def whole_call(self, *, talk_ms: int) -> str:
        return scenario(
            self.invite(),
            '<recv response="100" optional="true"/>',
            '<recv response="180" optional="true"/>',
            '<recv response="200" optional="true" next="answered" rrs="true"><action>',
            '<ereg regexp=".*" search_in="hdr" header="To:" assign_to="far_end"/>',
            "</action></recv>",
            '<recv response="480" optional="true" next="refused"/>',
            '<recv response="486" optional="true" next="refused"/>',
            '<recv response="503"/>',
            '<label id="refused"/>',
            self._acknowledge_failure(),
            '<nop next="over"/>',
            '<label id="answered"/>',
            self._request("ACK", cseq=1),
            *_talks(talk_ms, then=self._request("BYE", cseq=2, retransmit=True)),
        )


class AnyCallee(Callee):
    """Rings, answers unless the caller gives up; hangs up after a while if nobody has before."""

    def whole_call(self, *, ring_ms: int, talk_ms: int) -> str:
        return scenario(
            self.is_called(),
            self.rings(),
            f'<recv request="CANCEL" timeout="{ring_ms}" ontimeout="answers"/>',
            ok(),
            self._response("487 Request Terminated"),
            '<recv request="ACK" next="over"/>',
            '<label id="answers"/>',
            self.answers_as_the_caller_gives_up(),
            *_talks(talk_ms, then=self.request("BYE", cseq=2)),
        )


def _talks(milliseconds: int, *, then: str) -> Sequence[str]:
    """Until the other side hangs up, or so long; the two may do it at once.

    A BYE that comes when the time is over and ours is not sent yet would be one too many to SIPp,
    if it were not ``global``: to be taken later too.  SIPp wants a step after an optional one.
    """
    left = f'timeout="{milliseconds}" ontimeout="hangs_up" next="left"'
    return (
        f'<recv request="BYE" optional="global" {left}/>',
        '<recv request="BYE"/>',
        '<label id="left"/>',
        ok(),
        '<nop next="over"/>',
        '<label id="hangs_up"/>',
        then,
        '<recv request="BYE" optional="true" next="crossed"/>',
        '<recv response="481" optional="true" next="over"/>',
        '<recv response="200" next="over"/>',
        '<label id="crossed"/>',
        ok(),
        '<recv response="481" optional="true" next="over"/>',
        '<recv response="200"/>',
        '<label id="over"/>',
    )
